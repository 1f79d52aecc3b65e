//! Measures the peak memory of a worker that processes a queue in PostgreSQL, in a separate process. The floor is the
//! same worker with a tenth of the queue: memory should not grow with the queue.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, ensure};
use purchase::worker::{Worker, WorkerSettings};
use tokio::{sync::Notify, task::JoinSet};

use super::{Row, copies::Copies, database::Database, postgres::engine};
use crate::shell;

const FLOOR: usize = 2_000;
const EVENTS: usize = 20_000;
const DELIVERIES: usize = 50;
/// The number of concurrent accepts while the queue is filled.
const SENDERS: usize = 16;
/// Passes the database's URL to the worker's process. It contains a password, so it isn't an argument.
const DATABASE: &str = "PURCHASE_BENCH_DATABASE";
/// Where Linux reports the peak memory of a process.
const STATUS: &str = "/proc/self/status";

pub(super) async fn rows(server: &str) -> anyhow::Result<Vec<Row>> {
    if !std::path::Path::new(STATUS).exists() {
        eprintln!("SKIPPED: the memory of a worker can't be measured; this system has no {STATUS}");
        return Ok(Vec::new());
    }
    let floor = peak(server, FLOOR).await?;
    let ours = peak(server, EVENTS).await?;
    Ok(vec![Row {
        name: format!("memory of a worker, {EVENTS} events in PostgreSQL"),
        ours,
        floor,
        ratio: ours / floor,
        aim: 1.5,
        floor_is: "the same with 2000 events",
        deliveries: EVENTS,
        unit: "MiB at most",
    }])
}

/// The worker's process: it processes the given number of events, and prints its peak memory in KiB.
pub(super) async fn drain(events: u64) -> anyhow::Result<()> {
    let url = std::env::var(DATABASE).with_context(|| format!("{DATABASE} is not set"))?;
    let (done, all) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let told = Arc::clone(&all);
    let worker = Worker::new(engine(&url).await?, WorkerSettings::default()).observed_by(move |round| {
        let now: u64 = round.statuses.values().sum();
        if done.fetch_add(now, Ordering::SeqCst) + now >= events {
            told.notify_one();
        }
    });
    let report = worker.run(all.notified()).await;
    ensure!(report.failed == 0 && report.faults == 0, "the worker did not process every event: {report:?}");
    let status = std::fs::read_to_string(STATUS)?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    println!("{}", peak.with_context(|| format!("{STATUS} has no VmHWM"))?);
    Ok(())
}

/// The peak memory of a worker, in MiB.
async fn peak(server: &str, events: usize) -> anyhow::Result<f64> {
    let database = Database::create(server, "queue").await?;
    let url = database.url()?;
    accept(&url, events).await?;
    let mut worker = Command::new(std::env::current_exe()?);
    worker.args(["bench", "--drain", &events.to_string()]).env(DATABASE, &url);
    let said = tokio::task::spawn_blocking(move || shell::output(&mut worker)).await??;
    database.delete().await?;
    let kib: f64 = said.trim().parse().with_context(|| format!("the worker printed {said:?} instead of a number"))?;
    Ok(kib / 1024.0)
}

async fn accept(url: &str, events: usize) -> anyhow::Result<()> {
    let engine = engine(url).await?;
    let mut copies = Copies::of_first(DELIVERIES)?;
    let deliveries = copies.take(events / DELIVERIES)?;
    let mut tasks = JoinSet::new();
    for some in deliveries.chunks(events.div_ceil(SENDERS)) {
        let (engine, some) = (engine.clone(), some.to_vec());
        tasks.spawn(async move {
            for delivery in some {
                ensure!(engine.accept(delivery).await?, "a copy is a duplicate");
            }
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
