//! Decides how the webhook server is measured under attack. While hostile clients attack, a well-behaved sender sends
//! genuine deliveries. The figures are that sender's results, the server's memory, and how the server shuts down. This
//! command only measures; the server's own tests check limits.

mod attack;
mod sender;

use std::{fs, path::Path, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use attack::Attack;
use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use sender::Seen;
use tokio::runtime::{Builder, Handle};

use crate::{
    crash::{self, Profile, server::Server},
    scenarios::{self, Body},
};

/// Longer than the server's own shutdown time-out.
const PATIENCE: Duration = Duration::from_secs(25);

/// Measures how the webhook server serves a well-behaved sender while hostile clients attack it.
#[derive(Debug, Args)]
pub(crate) struct HostileArgs {
    /// The number of hostile clients that attack at the same time.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=5000))]
    clients: u32,
    /// The duration of each attack, in seconds.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// The path of another build of the server, for comparison. Default: the server of this checkout, built in release
    /// mode.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
}

/// The measurements of one attack.
struct Row {
    attack: Attack,
    seen: Seen,
    hostile: attack::Tally,
    peak_kib: Option<u64>,
    /// How long the shutdown took. `None` if the server didn't stop in time.
    end: Option<Duration>,
}

/// Runs the attacks and prints the measurements.
pub(crate) fn run(args: &HostileArgs) -> anyhow::Result<ExitCode> {
    let program = match &args.server {
        Some(program) => program.clone(),
        None => crash::build(Profile::Release)?,
    };
    let bodies: Arc<[Body]> = scenarios::bodies()?.into();
    let scratch = tempfile::tempdir()?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    // A separate thread, so that the clients don't affect what the well-behaved sender measures.
    let hostile = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut rows = Vec::new();
    for attack in Attack::value_variants() {
        let database = format!("sqlite://{}", scratch.path().join(format!("{attack:?}.sqlite")).display());
        rows.push(runtime.block_on(measure(args, *attack, &program, &database, &bodies, hostile.handle()))?);
    }
    print(&rows, args);
    Ok(ExitCode::SUCCESS)
}

async fn measure(
    args: &HostileArgs,
    attack: Attack,
    program: &Path,
    database: &str,
    bodies: &Arc<[Body]>,
    hostile: &Handle,
) -> anyhow::Result<Row> {
    let mut server = Server::start(program, database)?;
    let address = server.ready().await?;
    let attackers = attack::begin(attack, address, args.clients, hostile).await;
    let time = match attack {
        // The client only has to be connected when the server is asked to stop.
        Attack::SlowAtEnd => Duration::from_secs(1),
        Attack::None | Attack::Silent | Attack::Trickled | Attack::Unsigned => Duration::from_secs(args.seconds),
    };
    let seen = sender::deliver(address, bodies, time).await?;
    let peak_kib = peak_kib(server.id()?);
    let (hostile, end) = match attack {
        Attack::SlowAtEnd => {
            let end = server.stop_within(PATIENCE).await?;
            (attackers.end().await, end)
        }
        Attack::None | Attack::Silent | Attack::Trickled | Attack::Unsigned => {
            (attackers.end().await, server.stop_within(PATIENCE).await?)
        }
    };
    Ok(Row { attack, seen, hostile, peak_kib, end })
}

/// The peak memory of a process, if the system reports it.
fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn print(rows: &[Row], args: &HostileArgs) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "sent", "2xx", "4xx", "5xx", "lost", "p50 ms", "p99 ms", "peak MiB", "SIGTERM to exit s"]);
    let millis = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    for Row { attack, seen, peak_kib, end, .. } in rows {
        table.add_row([
            attack.title().to_owned(),
            seen.sent.to_string(),
            seen.taken.to_string(),
            seen.refused.to_string(),
            seen.put_off.to_string(),
            seen.lost.to_string(),
            millis(seen.quantile(0.5)),
            millis(seen.quantile(0.99)),
            peak_kib.map_or("unknown".to_owned(), |kib| format!("{:.1}", kib as f64 / 1024.0)),
            end.map_or(format!("> {}, killed", PATIENCE.as_secs()), |time| format!("{:.1}", time.as_secs_f64())),
        ]);
    }
    for column in 1..=9 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    println!(
        "{} hostile clients, {} s each; 4xx are deliveries of the fixtures that can't be read",
        args.clients, args.seconds
    );
    for Row { attack, hostile, .. } in rows.iter().filter(|row| row.attack != Attack::None) {
        println!("{}: {hostile}", attack.title());
    }
    let place = args.server.as_deref().map_or("this checkout".to_owned(), |path| path.display().to_string());
    println!("the server: {place}, on SQLite");
}
