//! Tests group commit: which deliveries share a commit, and that no delivery is affected by another one.

use std::{pin::Pin, sync::atomic::Ordering, time::Duration};

use crate::support::{Gate, Weather, delivery, engine, is_waiting};
use futures_util::future::join_all;
use purchase::{
    engine::{Engine, RetryPolicy},
    error::Refusal,
    group::{GroupCommit, GroupSettings},
    receipt::WebhookReceipt,
    store::EventStatus,
};
use tokio::time::Instant;

type Answer = Result<WebhookReceipt, Refusal>;

const HOUR: Duration = Duration::from_secs(3600);

fn plain(store: &std::sync::Arc<Gate>) -> Engine {
    engine(store, RetryPolicy::default()).0
}

fn told(answers: Vec<Answer>) -> Vec<&'static str> {
    let word = |answer: Answer| answer.map_or_else(|refusal| refusal.code(), |receipt| receipt.status.as_str());
    answers.into_iter().map(word).collect()
}

type Call<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

/// Sends the first event, waits until its commit is at the gate, and queues the others.
async fn queued<'a>(store: &Gate, group: &'a GroupCommit, events: &[(&str, &str)]) -> Vec<Call<'a>> {
    let mut calls = Vec::new();
    for (place, (event, mark)) in events.iter().enumerate() {
        let mut call: Call<'_> = Box::pin(group.handle(delivery(event, mark)));
        assert!(is_waiting(&mut call), "{event}");
        calls.push(call);
        if place == 0 {
            store.begun(1).await;
        }
    }
    calls
}

/// Does the same as `queued`, and then opens the gate.
async fn answers(store: &Gate, group: &GroupCommit, events: &[(&str, &str)]) -> Vec<&'static str> {
    let calls = queued(store, group, events).await;
    store.lift();
    told(join_all(calls).await)
}

#[tokio::test]
async fn deliveries_that_arrive_during_a_commit_form_the_next_group() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings::default());
    let events = ["e1", "e2", "e3", "e4", "e5"];
    let told = answers(&store, &group, &events.map(|event| (event, "a"))).await;
    assert_eq!(told, ["processed"; 5]);
    assert_eq!(store.commits(), [&events[..1], &events[1..]]);
}

#[tokio::test]
async fn a_group_is_never_larger_than_allowed() {
    let store = Gate::closed();
    let settings = GroupSettings { wait: Duration::ZERO, max_size: 2, ..GroupSettings::default() };
    let group = GroupCommit::new(plain(&store), settings);
    let events = ["e1", "e2", "e3", "e4", "e5", "e6"].map(|event| (event, "a"));
    assert_eq!(answers(&store, &group, &events).await, ["processed"; 6]);
    let sizes: Vec<usize> = store.commits().iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 2, 2, 1]);
}

/// The clock is paused: a test that waited for it would see an hour pass.
#[tokio::test(start_paused = true)]
async fn a_group_waits_for_as_many_deliveries_as_the_last_group_had() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings { wait: HOUR, ..GroupSettings::default() });
    let start = Instant::now();
    let events = ["e1", "e2", "e3", "e4"].map(|event| (event, "a"));
    assert_eq!(answers(&store, &group, &events).await, ["processed"; 4]);
    let mut early =
        Box::pin(async { tokio::join!(group.handle(delivery("e5", "a")), group.handle(delivery("e6", "a"))) });
    assert!(is_waiting(&mut early));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.commits(), [vec!["e1"], vec!["e2", "e3", "e4"]], "two of three callers sent another delivery");
    let ((fifth, sixth), seventh) = tokio::join!(early, group.handle(delivery("e7", "a")));
    assert_eq!(told(vec![fifth, sixth, seventh]), ["processed"; 3]);
    assert_eq!(store.commits()[2..], [vec!["e5", "e6", "e7"]]);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// The clock is paused, but advances when all tasks wait for it.
#[tokio::test(start_paused = true)]
async fn a_group_that_does_not_fill_up_is_committed_in_time_and_a_lone_delivery_at_once() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings { wait: HOUR, ..GroupSettings::default() });
    let start = Instant::now();
    let alone = async |event| told(vec![group.handle(delivery(event, "a")).await]);
    assert_eq!(answers(&store, &group, &[("e1", "a"), ("e2", "a"), ("e3", "a")]).await, ["processed"; 3]);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(alone("e4").await, ["processed"]);
    assert_eq!(start.elapsed().as_secs(), HOUR.as_secs(), "the group waited for the other callers of the last group");
    assert_eq!(alone("e5").await, ["processed"]);
    assert_eq!(start.elapsed().as_secs(), HOUR.as_secs());
}

/// The other members of the last group were answered long ago.
#[tokio::test(start_paused = true)]
async fn a_group_does_not_wait_for_callers_answered_long_ago() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings { wait: HOUR, ..GroupSettings::default() });
    assert_eq!(answers(&store, &group, &[("e1", "a"), ("e2", "a"), ("e3", "a")]).await, ["processed"; 3]);
    tokio::time::advance(HOUR).await;
    let start = Instant::now();
    assert_eq!(told(vec![group.handle(delivery("e4", "a")).await]), ["processed"]);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_cancelled_call_loses_no_delivery_and_delays_no_other() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings::default());
    let mut first = Box::pin(group.handle(delivery("e1", "a")));
    assert!(is_waiting(&mut first));
    store.begun(1).await;
    let mut second = Box::pin(group.handle(delivery("e2", "a")));
    let mut third = Box::pin(group.handle(delivery("e3", "a")));
    assert!(is_waiting(&mut second) && is_waiting(&mut third));
    drop((first, second));
    store.lift();
    assert_eq!(told(vec![third.await]), ["processed"]);
    let stored: Vec<_> = store.stored().await.into_iter().map(|(event, row)| (event, row.status)).collect();
    assert_eq!(stored, ["e1", "e2", "e3"].map(|event| (event.to_owned(), EventStatus::Processed)));
}

#[tokio::test]
async fn a_forged_delivery_takes_no_place_in_the_queue() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings { waiting: 1, ..GroupSettings::default() });
    let mut forged = delivery("e9", "a");
    forged.body.push(b' ');
    let mut first = Box::pin(group.handle(delivery("e1", "a")));
    assert!(is_waiting(&mut first));
    store.begun(1).await;
    for _ in 0..3 {
        assert_eq!(told(vec![group.handle(forged.clone()).await]), ["signature_mismatch"]);
    }
    let mut second = Box::pin(group.handle(delivery("e2", "a")));
    assert!(is_waiting(&mut second));
    store.lift();
    assert_eq!(told(vec![first.await, second.await]), ["processed"; 2]);
}

#[tokio::test]
async fn repetitions_contradictions_and_unreadable_bodies_in_a_group_are_answered_each_for_itself() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings::default());
    let events = [("e1", "a"), ("e2", "a"), ("e2", "other"), ("e3", "\\u0000\" 1"), ("e4", "a")];
    let told = answers(&store, &group, &events).await;
    assert_eq!(told, ["processed", "processed", "event_conflict", "body_not_json", "processed"]);
}

#[tokio::test]
async fn a_delivery_that_the_store_refuses_or_that_meets_a_lock_fails_alone() {
    for (weather, code) in [(Weather::Poison, "store_refused"), (Weather::Locked, "store_timed_out")] {
        let store = Gate::closed();
        store.turn(weather, usize::MAX);
        let group = GroupCommit::new(plain(&store), GroupSettings::default());
        let events = ["e1", "e2", "poison", "e3"].map(|event| (event, "a"));
        assert_eq!(answers(&store, &group, &events).await, ["processed", "processed", code, "processed"]);
        assert_eq!(store.commits(), [["e1"], ["e2"], ["e3"]]);
    }
}

/// The gate simulates the lock for which the deliveries wait.
#[tokio::test]
async fn deliveries_retried_alone_delay_neither_each_other_nor_the_next_group() {
    let store = Gate::closed();
    store.turn(Weather::Poison, usize::MAX);
    let group = GroupCommit::new(plain(&store), GroupSettings::default());
    let mut calls = queued(&store, &group, &["e1", "e2", "poison"].map(|event| (event, "a"))).await;
    // One permit for the first commit, and one for the group of the others, which is refused.
    store.gate.add_permits(2);
    store.begun(3).await;
    let mut next: Call<'_> = Box::pin(group.handle(delivery("e3", "a")));
    assert!(is_waiting(&mut next));
    store.begun(1).await;
    assert_eq!(store.commits(), [["e1"]], "e2, poison and e3 wait at the gate");
    let mut close = Box::pin(group.close());
    assert!(is_waiting(&mut close), "close waits for deliveries that are retried alone");
    calls.push(next);
    store.lift();
    close.await;
    for call in &mut calls {
        assert!(!is_waiting(call), "answered before close returns");
    }
}

#[tokio::test]
async fn a_group_that_stays_stale_is_committed_one_by_one() {
    let store = Gate::closed();
    store.turn(Weather::Crowded, usize::MAX);
    let group = GroupCommit::new(plain(&store), GroupSettings::default());
    let events = ["e1", "e2", "e3"].map(|event| (event, "a"));
    assert_eq!(answers(&store, &group, &events).await, ["processed"; 3]);
    assert_eq!(store.commits(), [["e1"], ["e2"], ["e3"]]);
}

#[tokio::test]
async fn a_store_that_is_down_is_tried_once_and_every_waiting_delivery_is_refused() {
    let store = Gate::closed();
    let settings = GroupSettings { max_size: 2, ..GroupSettings::default() };
    let group = GroupCommit::new(plain(&store), settings);
    store.turn(Weather::Down, 1);
    let events = ["e1", "e2", "e3", "e4"].map(|event| (event, "a"));
    assert_eq!(answers(&store, &group, &events).await, ["store_unavailable"; 4]);
    assert_eq!(store.tried.load(Ordering::SeqCst), 1);
    assert_eq!(store.stored().await.len(), 0);
    // The store works again, and each event is sent again.
    for (event, mark) in events {
        assert_eq!(told(vec![group.handle(delivery(event, mark)).await]), ["processed"]);
    }
}

#[tokio::test]
async fn a_store_that_fails_during_a_group_refuses_every_member() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings::default());
    let calls = queued(&store, &group, &["e1", "e2", "e3"].map(|event| (event, "a"))).await;
    store.gate.add_permits(1);
    store.begun(1).await;
    store.turn(Weather::Down, 1);
    store.lift();
    assert_eq!(told(join_all(calls).await), ["processed", "store_unavailable", "store_unavailable"]);
    assert_eq!(store.commits(), [["e1"]]);
}

#[tokio::test]
async fn a_shared_fault_names_its_cause_once() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings::default());
    store.turn(Weather::Down, 1);
    let calls = queued(&store, &group, &["e1", "e2", "e3"].map(|event| (event, "a"))).await;
    store.lift();
    for answer in join_all(calls).await {
        let refusal = answer.expect_err("down");
        let cause = std::error::Error::source(&refusal).map(ToString::to_string);
        let said = (refusal.http_status(), refusal.to_string(), cause.as_deref());
        assert_eq!(said, (503, "the database can't answer".to_owned(), Some("the test makes it fail")));
    }
}

#[tokio::test]
async fn a_full_queue_answers_503_and_recovers() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings { waiting: 2, ..GroupSettings::default() });
    let calls = queued(&store, &group, &["e1", "e2", "e3"].map(|event| (event, "a"))).await;
    let refusal = group.handle(delivery("e4", "a")).await.expect_err("full");
    assert_eq!((refusal.code(), refusal.http_status()), ("overloaded", 503));
    assert!(matches!(refusal, Refusal::Overloaded { limit: 2 }));
    store.lift();
    assert_eq!(told(join_all(calls).await), ["processed"; 3]);
    assert_eq!(told(vec![group.handle(delivery("e4", "a")).await]), ["processed"]);
}

#[tokio::test]
async fn closing_answers_queued_deliveries_and_refuses_new_ones() {
    let store = Gate::closed();
    let settings = GroupSettings { max_size: 2, ..GroupSettings::default() };
    let group = GroupCommit::new(plain(&store), settings);
    let mut calls = queued(&store, &group, &["e1", "e2", "e3", "e4"].map(|event| (event, "a"))).await;
    let mut close = Box::pin(group.close());
    assert!(is_waiting(&mut close), "three calls are not answered yet");
    store.lift();
    close.await;
    for call in &mut calls {
        assert!(!is_waiting(call), "answered before close returns");
    }
    assert_eq!(store.stored().await.len(), 4);
    let refusal = group.handle(delivery("e5", "a")).await.expect_err("closed");
    assert_eq!((refusal.code(), refusal.http_status()), ("closing", 503));
    group.close().await;
}

#[tokio::test]
async fn a_queued_delivery_is_committed_after_the_last_handle_is_dropped() {
    let store = Gate::closed();
    let group = GroupCommit::new(plain(&store), GroupSettings::default());
    let mut call = Box::pin(group.handle(delivery("e1", "a")));
    assert!(is_waiting(&mut call));
    drop(call);
    drop(group);
    store.lift();
    store.begun(1).await;
    tokio::task::yield_now().await;
    assert_eq!(store.commits(), [["e1"]]);
}

/// The adapter compares an event with the stored one if it is sent again with other bytes. This adapter panics when it
/// does so.
#[tokio::test]
async fn a_panic_reaches_only_its_own_caller() {
    let store = Gate::open();
    let (engine, armed) = engine(&store, RetryPolicy::default());
    let group = GroupCommit::new(engine, GroupSettings::default());
    assert_eq!(told(vec![group.handle(delivery("e1", "a")).await]), ["processed"]);
    let spawned: Vec<_> = [("e2", "a"), ("e1", "panic"), ("e3", "a")]
        .into_iter()
        .map(|(event, mark)| {
            let group = group.clone();
            tokio::spawn(async move { group.handle(delivery(event, mark)).await })
        })
        .collect();
    // All three are read before the gatherer runs, and only then the adapter starts to panic.
    let arm = tokio::spawn(async move { armed.store(true, Ordering::SeqCst) });
    arm.await.expect("armed");
    let mut outcomes = Vec::new();
    for call in spawned {
        outcomes.push(call.await.map_or_else(
            |ended| if ended.is_panic() { "panicked" } else { "?" },
            |answer| answer.map_or_else(|refusal| refusal.code(), |receipt| receipt.status.as_str()),
        ));
    }
    assert_eq!(outcomes, ["processed", "panicked", "processed"]);
    assert_eq!(told(vec![group.handle(delivery("e4", "a")).await]), ["processed"]);
}
