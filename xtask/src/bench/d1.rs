//! Measures the whole processing of a delivery into D1 over HTTP, durably, by senders that wait for each answer: with
//! each delivery in its own commit, and with group commits. The floor is one insert of the same body per request, by
//! the same client to the same server.

use std::time::{Duration, Instant};

use anyhow::Context;
use purchase::{
    d1::{BatchKind, Cell, Executor, Options, RestExecutor, Statement, Token},
    group::{GroupCommit, GroupSettings},
};
use tokio::task::JoinSet;

use super::{
    BenchArgs, Row, Times,
    copies::Copies,
    postgres::{Door, engine, send},
};
use crate::services::{self, Running};

/// This many deliveries, whole scenarios except for the last, form the story of one or a few customers. Then the next
/// customers follow.
const DELIVERIES: usize = 60;

/// The number of senders, whether deliveries share commits, and the target for the ratio of times. A delivery takes two
/// requests, one that reads and one that commits; the floor takes one.
const CASES: [(&str, usize, bool, f64); 4] = [
    ("D1 over HTTP, one by one, 1 sender", 1, false, 4.0),
    ("D1 over HTTP, one by one, 8 senders", 8, false, 4.0),
    ("D1 over HTTP, grouped, 1 sender", 1, true, 5.0),
    ("D1 over HTTP, grouped, 8 senders", 8, true, 2.0),
];

pub(super) async fn rows(args: &BenchArgs, running: &Running) -> anyhow::Result<Vec<Row>> {
    let server = Server::of(running)?;
    let mut rows = Vec::new();
    for (number, (name, senders, grouped, aim)) in CASES.into_iter().enumerate() {
        let mut copies = Copies::of_first(DELIVERIES)?;
        let floor_table = Floor::new(&server, number, &copies).await?;
        // Separate tables, because those of an earlier run may still exist.
        let engine = engine(&server.url(&format!("b{}n{number}_", std::process::id()))).await?;
        let door = match grouped {
            true => Door::Grouped(GroupCommit::new(engine, GroupSettings::default())),
            false => Door::OneByOne(engine),
        };
        // Connections are made and statements prepared before the measurement.
        send(&door, &mut copies, senders, 1).await?;
        floor_table.insert(senders).await?;
        let (mut ours, mut floor) = (Times::default(), Times::default());
        for _ in 0..args.rounds {
            ours.add(send(&door, &mut copies, senders, 1).await?);
            floor.add(floor_table.insert(senders).await?);
        }
        let floor_is = "one insert of the same body per request";
        rows.push(Row::new(name.to_owned(), aim, floor_is, senders * DELIVERIES, &ours, &floor));
    }
    Ok(rows)
}

/// The server and its first database.
struct Server {
    base: String,
    token: String,
    database: String,
}

impl Server {
    fn of(running: &Running) -> anyhow::Result<Self> {
        let variable = |wanted: &str| {
            let found = running.variables().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.to_owned()).with_context(|| format!("the server has no {wanted}"))
        };
        let databases = variable(services::D1_DATABASES)?;
        let database = databases.split(',').next().unwrap_or_default().to_owned();
        Ok(Self { base: variable(services::D1_URL)?, token: variable(services::D1_TOKEN)?, database })
    }

    /// The URL for this library's stores.
    fn url(&self, prefix: &str) -> String {
        format!("d1:bench/{}?token={}&base={}&prefix={prefix}", self.database, self.token, self.base)
    }
}

/// A table for bodies, with one insert per request.
struct Floor {
    executor: RestExecutor,
    insert: String,
    bodies: Vec<String>,
}

impl Floor {
    async fn new(server: &Server, number: usize, copies: &Copies) -> anyhow::Result<Self> {
        let place = format!("d1:bench/{}", server.database).parse()?;
        let options = Options { base: server.base.clone(), ..Options::default() };
        let executor = RestExecutor::new(&place, Token::new(server.token.as_str())?, options)?;
        let table = format!("floor{}n{number}", std::process::id());
        let create = format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT");
        executor.batch(BatchKind::Define, &[statement(create, Vec::new())]).await?;
        let bodies = copies.templates().iter().map(ToString::to_string).collect();
        Ok(Self { executor, insert: format!("INSERT INTO {table} (body) VALUES (?1)"), bodies })
    }

    /// Each sender inserts every body, one after another. Returns the time.
    async fn insert(&self, senders: usize) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..senders {
            let (executor, insert, bodies) = (self.executor.clone(), self.insert.clone(), self.bodies.clone());
            tasks.spawn(async move {
                for body in bodies {
                    executor.batch(BatchKind::Write, &[statement(insert.clone(), vec![Cell::from(body)])]).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(begin.elapsed())
    }
}

fn statement(sql: String, params: Vec<Cell>) -> Statement {
    Statement { name: "floor", sql: sql.into(), params }
}
