//! Measures the whole processing of a delivery into PostgreSQL, durably, by senders that wait for each answer: with
//! each delivery in its own commit, and with group commits. The floor is one insert of the same body per commit.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;
use purchase::group::{GroupCommit, GroupSettings};
use purchase_core::{delivery::Delivery, engine::Engine};
use tokio::task::JoinSet;

use super::{BenchArgs, Row, Times, adapter::stripe, copies::Copies, database::Database, floor::Floor};

/// This many deliveries, whole scenarios except for the last, form the story of one or a few customers. Then the next
/// customers follow.
const DELIVERIES: usize = 60;
/// How often a sender repeats the deliveries in a round, each time for new customers.
const TIMES: usize = 5;

/// The number of senders, whether deliveries share commits, and the target for the ratio of times: 0.4 of the floor's
/// rate for separate commits, 1.5 of it for shared ones.
const CASES: [(&str, usize, bool, f64); 4] = [
    ("PostgreSQL, one by one, 1 sender", 1, false, 2.5),
    ("PostgreSQL, one by one, 8 senders", 8, false, 2.5),
    ("PostgreSQL, grouped, 8 senders", 8, true, 0.67),
    ("PostgreSQL, grouped, 64 senders", 64, true, 0.67),
];

pub(super) async fn rows(args: &BenchArgs, server: &str, scratch: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, senders, grouped, aim) in CASES {
        let mut copies = Copies::of_first(DELIVERIES)?;
        let floor_table = Floor::new(server, "floor", copies.templates(), scratch).await?;
        let database = Database::create(server, "ours").await?;
        let engine = engine(&database.url()?).await?;
        let door = match grouped {
            true => Door::Grouped(GroupCommit::new(engine, GroupSettings::default())),
            false => Door::OneByOne(engine),
        };
        // A connection plans a statement when it first runs it.
        send(&door, &mut copies, senders.max(8), 1).await?;
        floor_table.insert(senders, 1)?;
        let (mut ours, mut floor) = (Times::default(), Times::default());
        let times = if senders > 8 { 1 } else { TIMES };
        for _ in 0..args.rounds {
            ours.add(send(&door, &mut copies, senders, times).await?);
            floor.add(floor_table.insert(senders, times)?);
        }
        let deliveries = senders * times * floor_table.bodies();
        let floor_is = "pgbench: one insert of the same body per commit";
        rows.push(Row::new(name.to_owned(), aim, floor_is, deliveries, &ours, &floor));
        drop(door);
        database.delete().await?;
        floor_table.delete().await?;
    }
    Ok(rows)
}

/// An engine on the database at a URL.
pub(super) async fn engine(url: &str) -> anyhow::Result<Engine> {
    let store = purchase::open::open(url).await?;
    Ok(Engine::new(store).with_provider(Arc::new(stripe()?)))
}

/// The entry point for deliveries.
#[derive(Clone)]
pub(super) enum Door {
    Grouped(GroupCommit),
    OneByOne(Engine),
}

/// Each sender sends the deliveries of its own customers, one after another, and waits for each answer.
pub(super) async fn send(door: &Door, copies: &mut Copies, senders: usize, times: usize) -> anyhow::Result<Duration> {
    let each: Vec<Vec<Delivery>> = (0..senders).map(|_| copies.take(times)).collect::<anyhow::Result<_>>()?;
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for deliveries in each {
        let door = door.clone();
        tasks.spawn(async move {
            for delivery in deliveries {
                let receipt = match &door {
                    Door::Grouped(group) => group.handle(delivery).await?,
                    Door::OneByOne(engine) => engine.handle(delivery).await?,
                };
                ensure!(!receipt.duplicate, "a copy is a duplicate");
            }
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(begin.elapsed())
}
