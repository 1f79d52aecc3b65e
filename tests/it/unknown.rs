//! Tests commits whose outcome is unknown.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::support::{AT_ONCE, Gate, Weather, delivery, engine};
use purchase::{
    engine::RetryPolicy,
    store::EventStatus,
    worker::{Worker, WorkerReport, WorkerSettings},
};

#[tokio::test]
async fn an_unknown_commit_that_did_not_happen_is_repeated() {
    let store = Gate::open();
    let (engine, _) = engine(&store, RetryPolicy::default());
    store.turn(Weather::Lost, 1);
    let receipt = engine.handle(delivery("e1", "a")).await.expect("taken");
    assert_eq!((receipt.status, receipt.duplicate), (EventStatus::Processed, false));
    assert_eq!(store.tried.load(Ordering::SeqCst), 2);
    assert_eq!(store.commits(), [["e1"]]);
}

#[tokio::test]
async fn an_unknown_commit_that_happened_is_not_repeated() {
    let store = Gate::open();
    let (engine, _) = engine(&store, RetryPolicy::default());
    store.turn(Weather::Swallowed, 1);
    let receipt = engine.handle(delivery("e1", "a")).await.expect("taken");
    assert_eq!((receipt.status, receipt.duplicate), (EventStatus::Processed, true));
    assert_eq!(store.tried.load(Ordering::SeqCst), 1);
    assert_eq!(store.stored().await["e1"].attempts, 1);
}

/// Contention would mean other writers, and there are none.
#[tokio::test]
async fn repeated_unknown_commits_are_refused_as_unavailable_and_not_as_contended() {
    let store = Gate::open();
    let (engine, _) = engine(&store, RetryPolicy::default());
    store.turn(Weather::Lost, usize::MAX);
    let refusal = engine.handle(delivery("e1", "a")).await.expect_err("lost");
    assert_eq!((refusal.code(), refusal.http_status()), ("store_unavailable", 503));
    assert_eq!(store.tried.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_worker_counts_an_unknown_commit_that_happened_as_lost() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    assert!(engine.accept(delivery("e1", "a")).await.expect("accepted"));
    store.turn(Weather::Swallowed, 1);
    let worker = Worker::new(engine, WorkerSettings { idle: Duration::from_secs(3600), ..WorkerSettings::default() });
    let idle = Arc::clone(&store);
    let report = worker.run(async move { idle.idle.acquire().await.expect("open").forget() }).await;
    assert_eq!(report, WorkerReport { lost: 1, ..WorkerReport::default() });
    let stored = &store.stored().await["e1"];
    assert_eq!((stored.status, stored.attempts), (EventStatus::Processed, 1));
}
