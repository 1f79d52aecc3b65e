//! Measures the whole processing of a delivery into a SQLite file, durably. The floor inserts the same bytes into one
//! table, with the same number of commits, the same journal and the same synchronization.

use std::{path::Path, str::FromStr, sync::Arc, time::Instant};

use anyhow::ensure;
use purchase_core::{delivery::Delivery, engine::Engine, error::Refusal};
use purchase_sqlite::{Durability, Options, Sqlite};
use sqlx::{
    Connection,
    sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    BenchArgs, Row, Times,
    adapter::{delivery, stripe},
};
use crate::scenarios;

pub(super) async fn rows(args: &BenchArgs, scratch: &Path) -> anyhow::Result<Vec<Row>> {
    let bodies = scenarios::bodies()?;
    let deliveries: Vec<Delivery> = bodies.iter().map(|body| delivery(&body.bytes)).collect::<anyhow::Result<_>>()?;
    let mut rows = Vec::new();
    for (name, at_once, aim) in [("SQLite file, one by one", 1, 3.0), ("SQLite file, 100 at once", 100, 3.0)] {
        let (mut ours, mut floor) = (Times::default(), Times::default());
        for round in 0..args.rounds {
            let folder = scratch.join(format!("ingest-{at_once}-{round}"));
            std::fs::create_dir(&folder)?;
            let engine = engine(&folder.join("ours.sqlite"), Durability::PowerLoss).await?;
            let copy = deliveries.clone();
            let begin = Instant::now();
            ingest(&engine, copy, at_once).await?;
            ours.push(begin);
            let mut table = floor_table(&folder.join("floor.sqlite")).await?;
            let begin = Instant::now();
            insert(&mut table, &deliveries, at_once).await?;
            floor.push(begin);
            table.close().await?;
            std::fs::remove_dir_all(&folder)?;
        }
        let floor_is = "the same bytes into one table, as many commits";
        rows.push(Row::new(name.to_owned(), aim, floor_is, deliveries.len(), &ours, &floor));
    }
    Ok(rows)
}

/// An engine on a new SQLite file.
pub(super) async fn engine(file: &Path, durability: Durability) -> anyhow::Result<Engine> {
    let options = Options { create_if_missing: true, durability, ..Options::default() };
    let store = Sqlite::open_and_migrate(file, options).await?;
    Ok(Engine::new(Arc::new(store)).with_provider(Arc::new(stripe()?)))
}

/// Processes deliveries, some concurrently, and checks that they were accepted. Bodies that can't be read count as
/// accepted, because they are stored.
pub(super) async fn ingest(engine: &Engine, deliveries: Vec<Delivery>, at_once: usize) -> anyhow::Result<()> {
    let mut rest = deliveries.into_iter();
    loop {
        let some: Vec<Delivery> = rest.by_ref().take(at_once).collect();
        if some.is_empty() {
            return Ok(());
        }
        for answer in engine.handle_many(some).await? {
            let kept = matches!(answer, Ok(_) | Err(Refusal::Unreadable { .. }));
            ensure!(kept, "a delivery was refused: {answer:?}");
        }
    }
}

async fn floor_table(file: &Path) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", file.display()))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query("CREATE TABLE delivery (id INTEGER PRIMARY KEY, body BLOB NOT NULL)").execute(&mut connection).await?;
    Ok(connection)
}

async fn insert(table: &mut SqliteConnection, deliveries: &[Delivery], at_once: usize) -> anyhow::Result<()> {
    for some in deliveries.chunks(at_once) {
        let mut commit = table.begin().await?;
        for delivery in some {
            sqlx::query("INSERT INTO delivery (body) VALUES (?)").bind(&delivery.body).execute(&mut *commit).await?;
        }
        commit.commit().await?;
    }
    Ok(())
}
