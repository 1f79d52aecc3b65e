//! A webhook endpoint over a store of your choice: raw bytes and headers go into the library, its receipt or refusal comes back.
//! This file decides how the program starts and stops; `server` decides the rest. All that the library must not have is
//! here: the clock, the environment, the network.
//!
//! ```text
//! STRIPE_MODE=test STRIPE_WEBHOOK_SECRET=whsec_… cargo run --release --example webhook_server
//! ```
//!
//! The README beside this file lists the routes and the variables of the environment. Deliveries that come at once share a commit; with
//! `--queue` they are only kept before they are acknowledged, and a worker in the same process does the rest.

mod server;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use purchase::{
    group::{GroupCommit, GroupSettings},
    worker::{Worker, WorkerSettings},
};
use server::{Endpoint, Server, Settings, Variables, Way};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Receives webhooks.
#[derive(Parser)]
struct Args {
    /// How long, in milliseconds, a group of deliveries is held open for more; 0: what is there goes at once.
    #[arg(long, value_name = "MS", default_value_t = 2, conflicts_with = "queue")]
    group_wait_ms: u64,
    /// Queue mode: a delivery is acknowledged when it is kept, and a worker processes it afterwards.
    #[arg(long)]
    queue: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let settings = Settings::read(&Variables::of_the_environment())?;
    let store = purchase::open::open(&settings.database_url).await.context("DATABASE_URL")?;
    let engine = settings.engine(store);
    let way = match args.queue {
        true => Way::Queued(Worker::new(engine.clone(), WorkerSettings::default())),
        false => {
            let wait = Duration::from_millis(args.group_wait_ms);
            Way::Grouped(GroupCommit::new(engine.clone(), GroupSettings { wait, ..GroupSettings::default() }))
        }
    };
    if settings.read_token.is_none() {
        tracing::warn!("READ_TOKEN is missing: GET /projection and GET /customers answer 403");
    }
    let endpoint = Endpoint::new(engine, way, settings.read_token, settings.bounds);
    let server = Server::bind(settings.address, endpoint)?;
    println!("listening on http://{}", server.address()?);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let shutdown = async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tracing::info!("shutting down: requests in flight are answered first");
    };
    server.serve(shutdown).await
}
