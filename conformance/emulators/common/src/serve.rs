//! An emulator as a command: answers over HTTP, sends deliveries, and keeps its world in a file if asked to.

mod deliver;
mod http;
mod keep;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use clap::Parser;
use purchase_core::time::Timestamp;
use serde::de::DeserializeOwned;
use tokio::{
    net::TcpListener,
    sync::Notify,
    time::{Instant, MissedTickBehavior},
};
use tracing_subscriber::EnvFilter;

use crate::{
    emulated::Emulated,
    world::{Local, Settings, Webhook, World},
};

/// How often a running clock moves.
const TICK: Duration = Duration::from_millis(200);

/// The options of an emulator.
#[derive(Debug, Parser)]
pub struct Options {
    /// The address to listen at; port 0 takes any free port
    #[arg(long, default_value = "127.0.0.1:0")]
    pub addr: SocketAddr,
    /// The seed of ids and of whatever else is random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The receiver of deliveries; without one, events are only listed
    #[arg(long, value_name = "URL", requires = "secret")]
    pub webhook: Option<String>,
    /// The secret that signs deliveries
    #[arg(long, hide_env_values = true, env = "EMULATOR_WEBHOOK_SECRET", requires = "webhook")]
    pub secret: Option<String>,
    /// Starts the clock at this time (RFC 3339). It then stands still until it is moved by POST /_emulator/clock.
    /// Without this option it starts now and runs
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Keeps the world in this file, and continues from it if it exists
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// A JSON file with the settings of the emulated account; those that are left out keep their default
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// How long a request that is planned to time out waits before its connection is closed
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub time_out: u64,
}

/// What the parts of a running emulator share.
struct Running<P> {
    world: Local<P>,
    /// Something may be due, or the world may have changed.
    changed: Notify,
    time_out: Duration,
}

/// Runs an emulator until it is stopped. The first line on standard output is its address. `provider` makes the provider
/// from the account's settings and that address.
///
/// # Errors
/// When the address can't be used, or a file can't be read or written.
pub async fn run<P: Emulated, S: Default + DeserializeOwned>(
    options: Options,
    provider: impl FnOnce(S, &str) -> P,
) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    let listener =
        TcpListener::bind(options.addr).await.with_context(|| format!("can't listen at {}", options.addr))?;
    let address = format!("http://{}", listener.local_addr()?);
    let start = match &options.at {
        None => real_now(),
        Some(text) => Timestamp::parse_rfc3339(text).with_context(|| format!("--at {text}"))?,
    };
    let webhook = receiver(&options)?;
    let world = match options.state.as_deref().map(keep::read).transpose()?.flatten() {
        Some(bytes) => {
            let _: S = account(&options)?;
            tracing::info!("the world continues from --state, with its own seed, settings and clock");
            World::restore(&bytes, webhook).context("the file of --state is no state of this emulator")?
        }
        None => World::new(provider(account(&options)?, &address), Settings { seed: options.seed, start, webhook }),
    };
    let running = Arc::new(Running {
        world: Local::new(world),
        changed: Notify::new(),
        time_out: Duration::from_secs(options.time_out),
    });
    println!("{address}");
    tracing::info!(emulates = P::NAME, %address, routes = "/_emulator", "the emulator answers");
    let keep = options.state.clone();
    tokio::select! {
        () = http::serve(listener, Arc::clone(&running)) => {}
        () = deliver::run(Arc::clone(&running)) => {}
        () = tick(Arc::clone(&running)), if options.at.is_none() => {}
        result = keep::run(Arc::clone(&running), keep), if options.state.is_some() => result?,
        () = stopped() => {}
    }
    match &options.state {
        Some(path) => keep::write(&running, path),
        None => Ok(()),
    }
}

/// Where deliveries go.
fn receiver(options: &Options) -> anyhow::Result<Option<Webhook>> {
    let Some((url, secret)) = options.webhook.clone().zip(options.secret.clone()) else { return Ok(None) };
    let scheme = url::Url::parse(&url).with_context(|| format!("--webhook {url}"))?.scheme().to_owned();
    anyhow::ensure!(scheme == "http" || scheme == "https", "--webhook {url}: it begins with http:// or https://");
    anyhow::ensure!(!secret.is_empty(), "--secret is empty");
    Ok(Some(Webhook { url, secret }))
}

/// The settings of the account.
fn account<S: Default + DeserializeOwned>(options: &Options) -> anyhow::Result<S> {
    let Some(path) = &options.settings else { return Ok(S::default()) };
    let bytes = std::fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} has no settings of this emulator", path.display()))
}

/// Moves the clock as real time passes.
async fn tick<P: Emulated>(running: Arc<Running<P>>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        ticks.tick().await;
        let passed = i64::try_from(last.elapsed().as_micros()).unwrap_or(i64::MAX);
        last = Instant::now();
        running.world.with(|world| {
            let to = Timestamp::from_micros(world.now().micros().saturating_add(passed)).unwrap_or(Timestamp::MAX);
            if let Err(error) = world.advance(to) {
                tracing::error!(%error, "the clock can't be moved");
            }
        });
        running.changed.notify_waiters();
    }
}

fn real_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or_default()).unwrap_or(Timestamp::EPOCH)
}

/// Waits for Ctrl-C, or for the signal that asks a process to end.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut ended) => tokio::select! {
                _ = interrupted => {}
                _ = ended.recv() => {}
            },
            Err(error) => {
                tracing::warn!(%error, "the signal SIGTERM can't be received");
                let _ = interrupted.await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}
