//! Measures the cost of a delivery in a database that already contains many events, each about a different customer.
//! The floor is the same delivery into a database with a thousand events.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::bail;
use purchase_core::engine::Engine;
use purchase_sqlite::Durability;

use super::{BenchArgs, Row, Times, copies::Copies, database::Database, ingest, ingest::ingest, postgres};

const FLOOR: usize = 1_000;
const MANY: usize = 100_000;
/// This takes long to fill, so it is measured only on request.
const FULL: usize = 1_000_000;
const DELIVERIES_PER_ROUND: usize = 60;
/// The number of deliveries in one commit while the database is filled.
const AT_ONCE: usize = 500;

pub(super) async fn sqlite(args: &BenchArgs, scratch: &Path) -> anyhow::Result<Vec<Row>> {
    let mut filled = Vec::new();
    for events in sizes(args) {
        let file = scratch.join(format!("growth-{events}.sqlite"));
        // The database is filled without waiting for the disk, and measured with it.
        fill(&ingest::engine(&file, Durability::ProcessCrash).await?, events).await?;
        filled.push((events, ingest::engine(&file, Durability::PowerLoss).await?));
    }
    rows("SQLite", args, filled).await
}

pub(super) async fn postgres(args: &BenchArgs, server: &str) -> anyhow::Result<Vec<Row>> {
    let (mut filled, mut databases) = (Vec::new(), Vec::new());
    for events in sizes(args) {
        let database = Database::create(server, &format!("growth_{events}")).await?;
        let engine = postgres::engine(&database.url()?).await?;
        fill(&engine, events).await?;
        filled.push((events, engine));
        databases.push(database);
    }
    let rows = rows("PostgreSQL", args, filled).await?;
    for database in databases {
        database.delete().await?;
    }
    Ok(rows)
}

fn sizes(args: &BenchArgs) -> Vec<usize> {
    let full = args.full.then_some(FULL);
    [FLOOR, MANY].into_iter().chain(full).collect()
}

async fn fill(engine: &Engine, events: usize) -> anyhow::Result<()> {
    let mut copies = Copies::of_type("customer.created")?;
    for first in (0..events).step_by(AT_ONCE) {
        ingest(engine, copies.take(AT_ONCE.min(events - first))?, AT_ONCE).await?;
    }
    Ok(())
}

async fn rows(store: &str, args: &BenchArgs, filled: Vec<(usize, Engine)>) -> anyhow::Result<Vec<Row>> {
    let mut measured = Vec::new();
    for (events, engine) in filled {
        measured.push((events, engine, Copies::of_first(DELIVERIES_PER_ROUND)?, Times::default()));
    }
    for round in 0..=args.rounds {
        for (_, engine, copies, times) in &mut measured {
            let took = one_by_one(engine, copies).await?;
            // The first measurement only warms up plans and caches.
            if round > 0 {
                times.add(took);
            }
        }
    }
    let [(_, _, _, floor), more @ ..] = measured.as_slice() else { bail!("no database was measured") };
    let floor_is = "the same with 1000 stored events";
    let row = |(events, _, _, ours): &(usize, Engine, Copies, Times)| {
        Row::new(format!("{store}, {events} stored events"), 1.5, floor_is, DELIVERIES_PER_ROUND, ours, floor)
    };
    Ok(more.iter().map(row).collect())
}

async fn one_by_one(engine: &Engine, copies: &mut Copies) -> anyhow::Result<Duration> {
    let deliveries = copies.next()?;
    let begin = Instant::now();
    ingest(engine, deliveries, 1).await?;
    Ok(begin.elapsed())
}
