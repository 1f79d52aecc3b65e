//! Decides how the webhook server is measured in a hostile world: while clients attack it, a good sender delivers genuine
//! deliveries, and what that sender sees, the server's memory and its end are the figures. Nothing is judged here; the
//! server's own tests do that.

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

/// Measures how the webhook server serves a good sender while hostile clients attack it.
#[derive(Debug, Args)]
pub(crate) struct HostileArgs {
    /// How many hostile clients attack at once.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=5000))]
    clients: u32,
    /// How long each attack lasts.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Another build of the server, to compare with; without it, this checkout's is built for release.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
}

/// What was measured during one attack.
struct Row {
    attack: Attack,
    seen: Seen,
    hostile: attack::Tally,
    peak_kib: Option<u64>,
    /// None: it did not end in time.
    end: Option<Duration>,
}

/// Attacks, and prints what was measured.
pub(crate) fn run(args: &HostileArgs) -> anyhow::Result<ExitCode> {
    let program = match &args.server {
        Some(program) => program.clone(),
        None => crash::build(Profile::Release)?,
    };
    let bodies: Arc<[Body]> = scenarios::bodies()?.into();
    let scratch = tempfile::tempdir()?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    // One thread apart, so that what the good sender sees is the server's doing.
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
        // It has only to be there when the server is asked to stop.
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

/// The most memory that a process ever had, where the system tells.
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
        "{} hostile clients, {} s each; 4xx are deliveries of the fixtures that nobody can read",
        args.clients, args.seconds
    );
    for Row { attack, hostile, .. } in rows.iter().filter(|row| row.attack != Attack::None) {
        println!("{}: {hostile}", attack.title());
    }
    let place = args.server.as_deref().map_or("this checkout".to_owned(), |path| path.display().to_string());
    println!("the server: {place}, on SQLite");
}
