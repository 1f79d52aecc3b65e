//! Tests queue mode: what a worker does with accepted events, and what happens to an event that it can't process.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use crate::support::{AT_ONCE, Gate, RECEIVED, Weather, customers_event, delivery, engine, is_waiting};
use purchase::{
    engine::{Engine, Selection},
    id::{EventKey, Mode, ProviderId, ProviderName, Source},
    store::{Claim, Commit, EventStatus, Lease, Queue, Reason, Store as _, StoredEvent, memory::MemoryStore},
    time::Timestamp,
    worker::{Worker, WorkerReport, WorkerSettings},
};
use tokio::time::timeout;

/// Only a defect takes this long.
const WATCHDOG: Duration = Duration::from_secs(60);

fn settings() -> WorkerSettings {
    WorkerSettings { name: "test".to_owned(), idle: Duration::from_secs(24 * 3600), ..WorkerSettings::default() }
}

async fn accept(engine: &Engine, events: &[(&str, &str)]) {
    for (event, mark) in events {
        assert!(engine.accept(delivery(event, mark)).await.expect("accepted"), "{event}");
    }
}

/// Works until a claim has found nothing.
async fn work(store: &Gate, worker: &Worker) -> WorkerReport {
    timeout(WATCHDOG, work_unwatched(store, worker)).await.expect("the worker stops")
}

/// With a paused clock, a watchdog would be the next time to which the clock advances.
async fn work_unwatched(store: &Gate, worker: &Worker) -> WorkerReport {
    worker.run(async { store.idle.acquire().await.expect("open").forget() }).await
}

fn fate(stored: &StoredEvent) -> (EventStatus, u32, bool) {
    (stored.status, stored.attempts, stored.is_dead_letter())
}

#[tokio::test]
async fn accepted_events_are_processed_once_and_each_claim_has_its_own_lease() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    let names: Vec<String> = (1..=7).map(|number| format!("e{number}")).collect();
    accept(&engine, &names.iter().map(|name| (name.as_str(), "a")).collect::<Vec<_>>()).await;
    let worker = Worker::new(engine.clone(), WorkerSettings { batch: 3, ..settings() });
    let report = work(&store, &worker).await;
    assert_eq!(report, WorkerReport { processed: 7, ..WorkerReport::default() });
    let sizes: Vec<usize> = store.commits().iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 3, 1]);
    for stored in store.stored().await.values() {
        assert_eq!(fate(stored), (EventStatus::Processed, 1, false));
    }
    let mut tokens = store.tokens();
    assert!(tokens.iter().all(|token| token.starts_with("test-") && token.len() == 37), "{tokens:?}");
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 4);
}

/// The times of the endpoint, the worker and the operator.
#[tokio::test]
async fn a_commit_has_the_time_that_its_caller_passes() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let times = Arc::clone(&seen);
    let witness = move |commit: &Commit| times.lock().expect("times").push(commit.at);
    let store = Gate::before(Arc::new(MemoryStore::new()), Box::new(witness));
    let (engine, _) = engine(&store, AT_ONCE);
    let [now, later] = [1, 2].map(|hours| Timestamp::from_seconds(RECEIVED + hours * 3600).expect("in range"));
    engine.handle(delivery("e1", "a")).await.expect("processed");
    accept(&engine, &[("e2", "a")]).await;
    let lease = Lease { token: "worker".to_owned(), until: later };
    engine.work(lease, 10, now).await.expect("worked");
    engine.replay(&Selection::EVERYTHING, later).await.expect("replayed");
    let received = Timestamp::from_seconds(RECEIVED).expect("in range");
    assert_eq!(*seen.lock().expect("times"), [received, now, later]);
}

#[tokio::test]
async fn a_nudge_wakes_an_idle_worker() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    let (done, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(engine.clone(), settings())
        .observed_by(move |round| assert!(done.send(round.receipts.len()).is_ok(), "the receiver is open"));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run(async { stopped.await.unwrap_or_default() }).await }
    });
    for event in ["e1", "e2"] {
        // The worker found nothing, and sleeps for a day.
        store.idle.acquire().await.expect("open").forget();
        tokio::task::yield_now().await;
        accept(&engine, &[(event, "a")]).await;
        worker.nudge();
        assert_eq!(timeout(WATCHDOG, seen.recv()).await, Ok(Some(1)), "{event}");
    }
    drop(stop);
    assert_eq!(running.await.expect("ended").processed, 2);
}

#[tokio::test]
async fn shutdown_finishes_the_current_batch_and_starts_no_other() {
    let store = Gate::closed();
    let (engine, _) = engine(&store, AT_ONCE);
    accept(&engine, &["e1", "e2", "e3"].map(|event| (event, "a"))).await;
    let worker = Worker::new(engine, WorkerSettings { batch: 2, ..settings() });
    let mut running = Box::pin(worker.run(std::future::ready(())));
    assert!(is_waiting(&mut running));
    store.begun(1).await;
    assert!(is_waiting(&mut running), "two events wait at the gate");
    store.lift();
    let report = timeout(WATCHDOG, running).await.expect("the worker stops");
    assert_eq!(report, WorkerReport { processed: 2, ..WorkerReport::default() });
    let third = &store.stored().await["e3"];
    assert_eq!((fate(third), third.due_at.is_some()), ((EventStatus::Received, 0, false), true));
}

#[tokio::test]
async fn an_event_that_the_store_refuses_fails_alone_becomes_a_dead_letter_and_is_replayed() {
    fails_alone(Weather::Poison, "store_refused").await;
}

/// The events of other customers aren't locked.
#[tokio::test]
async fn an_event_that_always_meets_a_lock_hinders_no_other_and_comes_to_an_end() {
    fails_alone(Weather::Locked, "store_timed_out").await;
}

async fn fails_alone(weather: Weather, code: &str) {
    let store = Gate::open();
    store.turn(weather, usize::MAX);
    let (engine, _) = engine(&store, AT_ONCE);
    accept(&engine, &["e1", "poison", "e2"].map(|event| (event, "a"))).await;
    let report = work(&store, &Worker::new(engine.clone(), settings())).await;
    let expect = WorkerReport { processed: 2, failed: 3, dead: 1, retried: 2, ..WorkerReport::default() };
    assert_eq!(report, expect);
    let stored = store.stored().await;
    assert_eq!((fate(&stored["e1"]), fate(&stored["e2"])), {
        let done = (EventStatus::Processed, 1, false);
        (done, done)
    });
    assert_eq!(fate(&stored["poison"]), (EventStatus::Failed, 3, true));
    assert_eq!(stored["poison"].reason, Some(Reason::Process { code: code.to_owned() }));

    store.turn(Weather::Fair, 0);
    assert_eq!(work(&store, &Worker::new(engine.clone(), settings())).await, WorkerReport::default());
    let now = Timestamp::from_seconds(RECEIVED).expect("in range");
    engine.replay(&Selection::Statuses(vec![EventStatus::Failed]), now).await.expect("replayed");
    assert_eq!(fate(&store.stored().await["poison"]), (EventStatus::Processed, 4, false));
}

#[tokio::test]
async fn a_dead_letter_that_its_provider_sends_again_is_tried_once_more() {
    let store = Gate::open();
    store.turn(Weather::Poison, usize::MAX);
    let (engine, _) = engine(&store, AT_ONCE);
    accept(&engine, &[("poison", "a")]).await;
    let worker = Worker::new(engine.clone(), settings());
    assert_eq!(work(&store, &worker).await.dead, 1);
    assert!(!engine.accept(delivery("poison", "a")).await.expect("kept"));
    let report = work(&store, &worker).await;
    assert_eq!((report.failed, report.dead), (1, 1));
    store.turn(Weather::Fair, 0);
    assert!(!engine.accept(delivery("poison", "a")).await.expect("kept"));
    assert_eq!(work(&store, &worker).await.processed, 1);
    assert_eq!(fate(&store.stored().await["poison"]), (EventStatus::Processed, 3, false));
}

#[tokio::test]
async fn a_panic_is_an_attempt_of_its_event_and_ends_nothing() {
    let store = Gate::open();
    let (engine, armed) = engine(&store, AT_ONCE);
    accept(&engine, &[("e1", "a"), ("e2", "panic"), ("e3", "a")]).await;
    armed.store(true, Ordering::SeqCst);
    let report = work(&store, &Worker::new(engine.clone(), settings())).await;
    let expect = WorkerReport { processed: 2, failed: 3, dead: 1, retried: 2, ..WorkerReport::default() };
    assert_eq!(report, expect);
    let stored = store.stored().await;
    assert_eq!(fate(&stored["e3"]), (EventStatus::Processed, 1, false));
    assert_eq!(fate(&stored["e2"]), (EventStatus::Failed, 3, true));
    assert_eq!(stored["e2"].reason, Some(Reason::Process { code: "panicked".to_owned() }));
}

/// The workers in this test claim events and then disappear.
#[tokio::test]
async fn an_event_whose_worker_dies_each_time_is_given_up() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    accept(&engine, &[("e1", "a")]).await;
    let at = |seconds: i64| Timestamp::from_seconds(RECEIVED + seconds).expect("in range");
    for round in 0..3 {
        let lease = Lease { token: format!("dead-{round}"), until: at(10 * round + 10) };
        let claimed = engine.claim(&lease, 5, at(10 * round)).await.expect("claimed");
        assert_eq!(claimed.iter().map(|it| i64::from(it.attempts)).collect::<Vec<_>>(), [round + 1]);
    }
    let report = work(&store, &Worker::new(engine.clone(), settings())).await;
    assert_eq!(report, WorkerReport { failed: 1, dead: 1, retried: 1, ..WorkerReport::default() });
    let stored = store.stored().await;
    assert_eq!(fate(&stored["e1"]), (EventStatus::Failed, 3, true));
    assert_eq!(stored["e1"].reason, Some(Reason::GaveUp { attempts: 3 }));
    let source = Source { provider: ProviderName::new("stripe").expect("a name"), account: None, mode: Mode::Test };
    let key = EventKey { source, id: ProviderId::new("e1").expect("an id") };
    engine.replay(&Selection::Event(key), at(99)).await.expect("replayed");
    assert_eq!(store.stored().await["e1"].status, EventStatus::Processed);
}

/// In this test only one event ends its workers.
#[tokio::test]
async fn an_event_that_ends_its_worker_affects_no_other_event() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    accept(&engine, &["e1", "deadly", "e2", "e3"].map(|event| (event, "a"))).await;
    let at = |seconds: i64| Timestamp::from_seconds(RECEIVED + seconds).expect("in range");
    let mut deaths = 0;
    for round in 0..20 {
        let now = at(10 * round);
        let lease = Lease { token: format!("worker-{round}"), until: now.plus_seconds(10) };
        let claimed = engine.claim(&lease, 5, now).await.expect("claimed");
        let deadly = claimed.iter().any(|it| it.event.key.id.expose() == "deadly" && it.attempts <= 3);
        deaths += u32::from(deadly);
        if !deadly {
            engine.process(&lease, claimed, now).await.expect("processed");
        }
    }
    assert_eq!(deaths, 3);
    let stored = store.stored().await;
    for event in ["e1", "e2", "e3"] {
        assert_eq!(fate(&stored[event]), (EventStatus::Processed, 2, false), "{event}");
    }
    assert_eq!(fate(&stored["deadly"]), (EventStatus::Failed, 3, true));
    assert_eq!(stored["deadly"].reason, Some(Reason::GaveUp { attempts: 3 }));
}

#[tokio::test]
async fn a_report_keeps_what_was_done_before_the_store_failed() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    accept(&engine, &["e1", "poison", "e2"].map(|event| (event, "a"))).await;
    store.turn(Weather::Stuck, usize::MAX);
    let now = Timestamp::from_seconds(RECEIVED).expect("in range");
    let lease = Lease { token: "one".to_owned(), until: now.plus_seconds(60) };
    let claimed = engine.claim(&lease, 5, now).await.expect("claimed");
    let report = engine.process(&lease, claimed, now).await.expect("a report");
    assert_eq!((report.claimed, report.returned, report.receipts.len()), (3, 2, 1));
    assert_eq!(report.statuses.into_iter().collect::<Vec<_>>(), [(EventStatus::Processed, 1)]);
    let stored = store.stored().await;
    assert_eq!(["e1", "poison", "e2"].map(|event| stored[event].status), {
        let pending_owners = EventStatus::Received;
        [EventStatus::Processed, pending_owners, pending_owners]
    });
}

/// The clock is paused, and advances when all tasks wait for it.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_again_after_growing_rests_and_no_attempt_is_counted() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    accept(&engine, &["e1", "e2"].map(|event| (event, "a"))).await;
    let rests = WorkerSettings { idle: Duration::from_secs(10), idle_max: Duration::from_secs(40), ..settings() };
    let worker = Worker::new(engine, rests);
    let start = tokio::time::Instant::now();
    store.turn(Weather::Gone, 4);
    assert_eq!(
        work_unwatched(&store, &worker).await,
        WorkerReport { processed: 2, faults: 4, ..WorkerReport::default() }
    );
    let rested = start.elapsed().as_secs();
    assert!((55..=165).contains(&rested), "10, 20, 40 and 40 seconds, each with its jitter: {rested}");
    for stored in store.stored().await.values() {
        assert_eq!(fate(stored), (EventStatus::Processed, 1, false));
    }
}

#[tokio::test(start_paused = true)]
async fn claimed_events_that_the_store_fails_are_given_back_uncounted() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    accept(&engine, &["e1", "e2"].map(|event| (event, "a"))).await;
    let worker = Worker::new(engine, WorkerSettings { idle: Duration::from_secs(1), ..settings() });
    // More failures than an event may have attempts.
    store.turn(Weather::Down, 5);
    assert_eq!(
        work_unwatched(&store, &worker).await,
        WorkerReport { processed: 2, faults: 5, ..WorkerReport::default() }
    );
    for stored in store.stored().await.values() {
        assert_eq!(fate(stored), (EventStatus::Processed, 1, false));
    }
}

/// The engine reads from the event which customer it belongs to.
#[tokio::test]
async fn a_customers_events_wait_for_each_other_and_for_nobody_elses() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    for (event, customer) in [("e1", "cus_a"), ("e2", "cus_a"), ("e3", "cus_b"), ("e4", "cus_a")] {
        assert!(engine.accept(customers_event(event, customer, "a")).await.expect("accepted"));
    }
    let now = Timestamp::from_seconds(RECEIVED).expect("in range");
    let claim = async |token: &str, limit| {
        let lease = Lease { token: token.to_owned(), until: now.plus_seconds(60) };
        let claimed = engine.claim(&lease, limit, now).await.expect("claimed");
        claimed.iter().map(|stored| stored.event.key.id.expose().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(claim("one", 1).await, ["e1"]);
    assert_eq!(claim("two", 9).await, ["e3"]);
    let later = now.plus_seconds(60);
    let lease = Lease { token: "three".to_owned(), until: later.plus_seconds(60) };
    let claim = Claim { queue: Queue::Events, lease, now: later, limit: 3 };
    let names: Vec<_> = store.claim(&claim).await.expect("claimed").events.iter().map(|it| it.sequence).collect();
    assert_eq!(names, [1, 2, 3], "in order of arrival, after the leases have ended");
}

#[tokio::test]
async fn several_workers_share_the_queue_and_each_event_is_processed_once() {
    let store = Gate::open();
    let (engine, _) = engine(&store, AT_ONCE);
    let names: Vec<String> = (0..40).map(|number| format!("e{number}")).collect();
    accept(&engine, &names.iter().map(|name| (name.as_str(), "a")).collect::<Vec<_>>()).await;
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (store, engine) = (Arc::clone(&store), engine.clone());
        workers.spawn(async move {
            let worker = Worker::new(engine, WorkerSettings { batch: 3, ..settings() });
            // When one worker finds nothing, every event is done or claimed.
            let idle = async { drop(store.idle.acquire().await.expect("open")) };
            timeout(WATCHDOG, worker.run(idle)).await.expect("the worker stops").processed
        });
    }
    assert_eq!(workers.join_all().await.iter().sum::<u64>(), 40);
    assert_eq!(store.commits().concat().len(), 40);
}
