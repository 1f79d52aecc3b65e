//! Tests of a server that stops answering without closing a connection, and of callers that stop waiting.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use crate::support::{
    proxy::{Link, Proxy},
    *,
};
use purchase_core::{
    error::StoreError,
    store::{Browse, EventQuery, Store},
};
use purchase_postgres::{Join, Options, Pooled, Postgres, PostgresStore};
use purchase_sql::{BatchKind, ExecuteError, Executor, Statement};
use tokio::time::timeout;

/// The time limit of a statement on the server, and the further wait before the server counts as silent.
const LIMIT: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(5);
/// The slack for a machine that is busy with other tests.
const SLACK: Duration = Duration::from_secs(4);

async fn behind_proxy(server: &Server, connections: u32) -> (Proxy, PostgresStore) {
    let admin = server.migrated().await;
    sqlx::query("CREATE TABLE notes (note TEXT PRIMARY KEY)").execute(admin.pool()).await.unwrap();
    let proxy = Proxy::before(&server.url, false).await;
    let connections = NonZeroU32::new(connections).unwrap();
    let options = Options { connections, statement_timeout: LIMIT, ..server.options.clone() };
    let store = Postgres::open(&proxy.url, options).await.unwrap();
    (proxy, store)
}

fn statement(sql: &str) -> [Statement; 1] {
    [Statement { name: "case", sql: sql.into(), params: Vec::new() }]
}

async fn events(store: &PostgresStore) -> Result<usize, StoreError> {
    store.events(&EventQuery { limit: 10, ..EventQuery::default() }).await.map(|events| events.len())
}

async fn notes(store: &PostgresStore) -> String {
    let count = statement("SELECT CAST(count(*) AS text) AS n FROM notes");
    let counted = store.executor().batch(BatchKind::Read, &count).await.unwrap();
    counted[0][0][0].0.clone().unwrap()
}

/// Waits until returned connections are in the pool again. The pool pings each of them first.
async fn at_rest(store: &PostgresStore, connections: u32) {
    while store.pool().num_idle() < connections as usize {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(store.pool().size(), connections);
}

/// A host that lost its power sends nothing and closes nothing. Whether a write arrived is unknown. A read didn't
/// change anything, and a retry uses new connections of the pool.
async fn is_given_up_in_time(link: Link, written: &str) {
    let Some(server) = server() else { return };
    let (proxy, store) = behind_proxy(&server, 2).await;
    store.commit(&commit("e0", "c", 0)).await.unwrap();
    // A statement that is prepared on both connections is sent in one message. The statement runs long, so that both
    // connections are in use at once.
    let both = [store.pool().acquire().await.unwrap(), store.pool().acquire().await.unwrap()];
    drop(both);
    at_rest(&store, 2).await;
    let sql = "INSERT INTO notes SELECT CAST($1 AS text) FROM pg_sleep(0.2)";
    let insert = |note: &str| statement(sql).map(|it| Statement { params: vec![note.into()], ..it });
    let (one, other) = (insert("one"), insert("other"));
    let executor = store.executor();
    let (one, other) = tokio::join!(executor.batch(BatchKind::Write, &one), executor.batch(BatchKind::Write, &other));
    one.and(other).unwrap();
    at_rest(&store, 2).await;
    proxy.set(link);
    let began = Instant::now();
    let third = insert("third");
    let (read, write) = tokio::join!(events(&store), executor.batch(BatchKind::Write, &third));
    let took = began.elapsed();
    let in_time = LIMIT + PATIENCE..LIMIT + PATIENCE + SLACK;
    assert!(in_time.contains(&took), "{took:?}");
    let read = read.unwrap_err();
    assert!(matches!(read, StoreError::Unavailable { operation: "list events", .. }), "{read:?}");
    assert!(told(&read).contains("the server has not answered within 5.5s"), "{}", told(&read));
    assert!(matches!(write, Err(ExecuteError::Unknown { .. })), "{write:?}");
    assert_eq!(store.pool().size(), 0, "both connections are closed");
    proxy.set(Link::Open);
    store.commit(&commit("e1", "c", 1)).await.unwrap();
    assert_eq!(events(&store).await.unwrap(), 2);
    assert_eq!(notes(&store).await, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hears_nothing_is_given_up_in_time() {
    is_given_up_in_time(Link::Dark, "2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_is_lost_is_unknown_and_may_have_happened() {
    is_given_up_in_time(Link::Mute, "3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_wait_no_longer_leave_the_pool_as_it_was() {
    let Some(server) = server() else { return };
    let (proxy, store) = behind_proxy(&server, 2).await;
    // The server works longer than the caller waits.
    let slow = statement("SELECT CAST(pg_sleep(0.4) AS text) AS slept");
    for _ in 0..5 {
        let given_up = timeout(Duration::from_millis(50), store.executor().batch(BatchKind::Write, &slow)).await;
        assert!(given_up.is_err());
    }
    assert_eq!(events(&store).await.unwrap(), 0);
    // The server is silent.
    at_rest(&store, 1).await;
    proxy.set(Link::Dark);
    for _ in 0..5 {
        assert!(timeout(Duration::from_millis(50), events(&store)).await.is_err());
        assert!(timeout(Duration::from_millis(50), store.commit(&commit("e", "c", 0))).await.is_err());
    }
    assert_eq!(store.pool().size(), 0);
    proxy.set(Link::Open);
    let began = Instant::now();
    assert_eq!(events(&store).await.unwrap(), 0);
    assert!(began.elapsed() < PATIENCE, "no caller waits for the closed connections: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_s_transaction_is_lost_and_its_connection_is_not() {
    let Some(server) = server() else { return };
    let (proxy, store) = behind_proxy(&server, 1).await;
    let joined = store.join(store.pool().begin().await.unwrap());
    joined.commit(&commit("e0", "c", 0)).await.unwrap();
    proxy.set(Link::Mute);
    let began = Instant::now();
    let lost = joined.accept(&[event("e1")]).await.unwrap_err();
    assert!(began.elapsed() < LIMIT + PATIENCE + SLACK, "{:?}", began.elapsed());
    assert!(told(&lost).contains("the server has not answered within 5.5s"), "{}", told(&lost));
    assert!(joined.executor().take().await.is_none(), "there is nothing to commit");
    let after = joined.accept(&[event("e1")]).await.unwrap_err();
    assert!(told(&after).contains("or the transaction was lost with its connection"), "{}", told(&after));
    proxy.set(Link::Open);
    assert_eq!(events(&store).await.unwrap(), 0, "none of it was committed, and the only connection is free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_is_told_apart_from_no_free_one() {
    let Some(server) = server() else { return };
    drop(server.migrated().await);
    let proxy = Proxy::before(&server.url, false).await;
    let (acquire_timeout, connections) = (Duration::from_secs(1), NonZeroU32::MIN);
    let options = Options { acquire_timeout, connections, ..server.options.clone() };
    let store = Postgres::open(&proxy.url, options).await.unwrap();
    let held = store.pool().acquire().await.unwrap();
    let busy = events(&store).await;
    assert!(matches!(busy, Err(StoreError::Busy { .. })), "{busy:?}");
    drop(held.detach());
    proxy.set(Link::Dark);
    let none = events(&store).await.unwrap_err();
    assert!(matches!(none, StoreError::Unavailable { operation: "list events", .. }), "{none:?}");
    assert!(told(&none).contains("no connection was made within 1s"), "{}", told(&none));
}
