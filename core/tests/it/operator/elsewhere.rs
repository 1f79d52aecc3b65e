//! Tests events that another engine serves, and readings that fail: no correct data is lost.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use purchase_core::{
    engine::{Engine, Selection},
    error::{CommitError, StoreError},
    fact::Link,
    id::{EventKey, Mode, ObjectKind},
    lifecycle::Transition,
    provider::ReadFault,
    store::{
        Browse, Claim, Claimed, Commit, ConflictQuery, EventQuery, EventStatus, Lease, Loaded, Maintain, NewEvent,
        Reason, Store, StoredConflict, StoredEvent, StoredFact, StoredSubject, SubjectQuery, TransitionQuery, Wanted,
        memory::MemoryStore,
    },
};

use super::{
    acme::{self, Acme, at, body, delivery, engine, id, linked, projection, told},
    adapters::{Changed, contents, over, paid, shape, stored, subscription},
};

fn wrong_mode() -> ReadFault {
    ReadFault::WrongMode { expected: Mode::Live, found: Mode::Test }
}

/// One event for each status that a reading leads to.
async fn filled() -> Engine {
    let engine = engine();
    let customer = || vec![Link::Customer(id("cus"))];
    let bodies = [
        body("processed", 10, vec![told(ObjectKind::Subscription, "sub", subscription(1), customer())]),
        body("parked", 20, vec![linked(ObjectKind::Payment, "pay", vec![Link::Invoice(id("inv"))])]),
        acme::Body { kind: "new.thing".to_owned(), ..body("ignored", 30, Vec::new()) },
        acme::Body { kind: "thin".to_owned(), ..body("awaiting", 40, Vec::new()) },
        acme::Body { kind: "odd".to_owned(), ..body("failed", 50, Vec::new()) },
    ];
    for body in &bodies {
        let expect = body.id != "failed";
        assert_eq!(engine.handle(delivery(body)).await.is_ok(), expect, "{}", body.id);
    }
    assert!(engine.accept(delivery(&body("queued", 60, Vec::new()))).await.expect("kept"));
    engine
}

fn statuses() -> BTreeMap<EventStatus, u64> {
    EventStatus::ALL.iter().map(|status| (*status, 1)).collect()
}

#[tokio::test]
async fn a_replay_by_an_engine_that_serves_other_events_changes_nothing() {
    let right = filled().await;
    let before = (contents(&right).await, projection(&right).await);
    let engines = [
        ("no_adapter", Engine::new(Arc::clone(right.store()))),
        ("wrong_account", over(&right, Changed::failing(ReadFault::WrongAccount))),
        ("wrong_mode", over(&right, Changed::failing(wrong_mode()))),
        ("wrong_mode", over(&right, Changed::live())),
    ];
    for (code, engine) in engines {
        let report = engine.replay(&Selection::EVERYTHING, at(5000)).await.expect("memory");
        assert_eq!((report.read, report.unreadable_now), (6, 0), "{code}");
        assert_eq!(report.left.into_iter().collect::<Vec<_>>(), [(code, 6)]);
        assert_eq!(report.statuses, statuses(), "{code}");
        assert_eq!((contents(&right).await, projection(&right).await), before, "{code}");

        let beside = Arc::new(MemoryStore::new());
        let report = engine.replay_into(&Selection::EVERYTHING, beside.clone()).await.expect("memory");
        assert_eq!((report.read, report.left.get(code), report.statuses.len()), (6, Some(&6), 0), "{code}");
        assert_eq!(acme::statuses(beside.as_ref()).await, []);
    }
}

#[tokio::test]
async fn what_cannot_be_read_any_more_keeps_its_facts() {
    let right = filled().await;
    let before = (contents(&right).await, projection(&right).await);
    let kept = ["processed", "parked", "ignored", "awaiting"];
    let broken = over(&right, Changed::failing(shape()));
    let failed = stored(&right, "failed").await;
    let report = broken.replay(&Selection::EVERYTHING, at(5000)).await.expect("memory");
    assert_eq!((report.read, report.unreadable_now, report.left.len()), (6, 4, 0));
    let (events, rest) = contents(&right).await;
    assert_eq!(rest, before.0.1);
    for (was, is) in before.0.0.iter().zip(&events).filter(|(was, _)| kept.contains(&was.event.key.id.expose())) {
        assert_eq!(was, is);
    }
    assert_eq!(projection(&right).await, before.1);
    // It failed before: no attempt is counted, and its due time is unchanged.
    let again = stored(&right, "failed").await;
    assert_eq!(again, StoredEvent { reason: Some(Reason::Read(shape())), ..failed });
    // This event was never read before, so it fails as it would for a worker.
    let queued = stored(&right, "queued").await;
    assert_eq!((queued.status, queued.attempts), (EventStatus::Failed, 1));

    let beside = Arc::new(MemoryStore::new());
    let report = broken.replay_into(&Selection::EVERYTHING, beside).await.expect("memory");
    assert_eq!((report.unreadable_now, report.statuses.get(&EventStatus::Failed)), (4, Some(&6)));
}

/// A store whose queue is processed between the listing of a page and its commit.
struct Meanwhile {
    inner: Arc<dyn Store>,
    worked: AtomicBool,
}

#[async_trait]
impl Store for Meanwhile {
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        self.inner.accept(events).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        self.inner.claim(claim).await
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        self.inner.load(wanted).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.inner.commit(commit).await
    }
}

#[async_trait]
impl Browse for Meanwhile {
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        let page = self.inner.events(query).await?;
        if !self.worked.swap(true, Ordering::SeqCst) {
            let right = Engine::new(Arc::clone(&self.inner)).with_provider(Arc::new(Acme::new()));
            let lease = Lease { token: "quick".to_owned(), until: at(9000) };
            right.work(lease, 10, at(5000)).await.expect("memory");
        }
        Ok(page)
    }

    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        self.inner.conflicts(query).await
    }

    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError> {
        self.inner.facts(events).await
    }

    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError> {
        self.inner.transitions(query).await
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        self.inner.subjects(query).await
    }
}

#[async_trait]
impl Maintain for Meanwhile {
    async fn ready(&self) -> Result<(), StoreError> {
        self.inner.ready().await
    }
}

/// The page contains the status `received`; at the commit the status is `processed`, and that counts.
#[tokio::test]
async fn a_replay_that_is_overtaken_by_a_worker_undoes_nothing() {
    let right = engine();
    let sold = told(ObjectKind::Subscription, "sub", subscription(1), vec![Link::Customer(id("cus"))]);
    assert!(right.accept(delivery(&body("e1", 10, vec![sold]))).await.expect("kept"));
    let slow = Arc::new(Meanwhile { inner: Arc::clone(right.store()), worked: AtomicBool::new(false) });
    let broken = Engine::new(slow).with_provider(Changed::failing(shape()));
    let report = broken.replay(&Selection::EVERYTHING, at(5000)).await.expect("memory");
    assert_eq!((report.read, report.unreadable_now), (1, 1));
    assert_eq!(stored(&right, "e1").await.status, EventStatus::Processed);
    assert_eq!(projection(&right).await["subscriptions"]["sub"]["state"], "active");
}

#[tokio::test]
async fn a_worker_gives_back_what_another_engine_serves_and_counts_no_attempt() {
    let right = engine();
    let sold = told(ObjectKind::Subscription, "sub", subscription(1), vec![Link::Customer(id("cus"))]);
    assert!(right.accept(delivery(&body("e1", 10, vec![sold]))).await.expect("kept"));
    let others = [
        Engine::new(Arc::clone(right.store())),
        over(&right, Changed::failing(ReadFault::WrongAccount)),
        over(&right, Changed::live()),
    ];
    // It arrived at 1000, and its delay is as long as it has already waited.
    for (round, now) in [(0, 1000), (1, 1001), (2, 1010)] {
        let lease = Lease { token: format!("wrong-{round}"), until: at(now + 60) };
        let report = others[round].work(lease, 10, at(now)).await.expect("memory");
        assert_eq!((report.claimed, report.elsewhere, report.dead, report.statuses.len()), (1, 1, 0, 0), "{round}");
        let kept = stored(&right, "e1").await;
        let rest = (now - 1000).max(1);
        let expect = (EventStatus::Received, 0, Some(at(now + rest)), None);
        assert_eq!((kept.status, kept.attempts, kept.due_at, kept.reason), expect, "{round}");
    }
    let early = right.work(Lease { token: "early".to_owned(), until: at(1100) }, 10, at(1019)).await.expect("memory");
    assert_eq!(early.claimed, 0);
    let lease = Lease { token: "right".to_owned(), until: at(1100) };
    let report = right.work(lease, 10, at(1020)).await.expect("memory");
    assert_eq!(report.statuses.into_iter().collect::<Vec<_>>(), [(EventStatus::Processed, 1)]);
    assert_eq!(stored(&right, "e1").await.attempts, 1);
}

/// An event that is due again after a failure keeps its reason and its attempts.
#[tokio::test]
async fn a_worker_gives_back_what_failed_elsewhere_as_it_was() {
    let right = filled().await;
    let before = stored(&right, "failed").await;
    let wrong = over(&right, Changed::failing(wrong_mode()));
    let lease = Lease { token: "wrong".to_owned(), until: at(9000) };
    let report = wrong.work(lease, 10, at(2000)).await.expect("memory");
    assert_eq!((report.claimed, report.elsewhere, report.dead), (1, 1, 0));
    assert_eq!(stored(&right, "failed").await, StoredEvent { due_at: Some(at(3000)), ..before });
}

#[tokio::test]
async fn a_delivery_to_the_wrong_endpoint_changes_no_event_that_is_known() {
    let right = filled().await;
    let before = contents(&right).await;
    let wrong = over(&right, Changed::failing(wrong_mode()));
    let sent = [
        (acme::Body { kind: "odd".to_owned(), ..body("failed", 50, Vec::new()) }, Err("wrong_mode")),
        (body("queued", 60, Vec::new()), Err("wrong_mode")),
        (acme::Body { kind: "thin".to_owned(), ..body("awaiting", 40, Vec::new()) }, Err("wrong_mode")),
        (acme::Body { kind: "new.thing".to_owned(), ..body("ignored", 30, Vec::new()) }, Err("wrong_mode")),
        (body("parked", 20, vec![linked(ObjectKind::Payment, "pay", vec![Link::Invoice(id("inv"))])]), Ok(true)),
    ];
    for (sent, expect) in &sent {
        let answer = wrong.handle(delivery(sent)).await;
        let told = answer.as_ref().map(|receipt| receipt.duplicate).map_err(|refusal| refusal.code());
        assert_eq!(told, *expect, "{}", sent.id);
        let queued = wrong.accept(delivery(sent)).await.map_err(|refusal| refusal.code());
        assert_eq!(queued.map(|_| true), *expect, "{}", sent.id);
    }
    assert_eq!(contents(&right).await, before);
    // An event that isn't stored yet is kept, so that it can be replayed.
    let sold = told(ObjectKind::Payment, "pay", paid(), vec![Link::Customer(id("cus"))]);
    let refusal = wrong.handle(delivery(&body("new", 70, vec![sold]))).await.expect_err("not served by this engine");
    assert_eq!(refusal.http_status(), 403);
    let kept = stored(&right, "new").await;
    assert!(kept.is_dead_letter());
    let report = right.replay(&Selection::Event(kept.event.key), at(5000)).await.expect("memory");
    assert_eq!(report.statuses.into_iter().collect::<Vec<_>>(), [(EventStatus::Processed, 1)]);
}

/// If an adapter now reads a thin event, or one that it ignored before, the new reading is used.
#[tokio::test]
async fn a_redelivery_that_can_be_read_now_is_processed() {
    let engine = filled().await;
    let learned = over(
        &engine,
        Changed::by(|reading| {
            let mut event = reading?;
            event.meaning = purchase_core::provider::Meaning::Facts(Vec::new());
            Ok(event)
        }),
    );
    let thin = acme::Body { kind: "thin".to_owned(), ..body("awaiting", 40, Vec::new()) };
    let receipt = learned.handle(delivery(&thin)).await.expect("read");
    assert_eq!((receipt.duplicate, receipt.status), (false, EventStatus::Processed));

    let engine = filled().await;
    let learned = over(
        &engine,
        Changed::by(|reading| {
            let mut event = reading?;
            event.meaning = purchase_core::provider::Meaning::Facts(Vec::new());
            Ok(event)
        }),
    );
    assert!(!learned.accept(delivery(&thin)).await.expect("known"));
    assert_eq!(stored(&engine, "awaiting").await.status, EventStatus::Received, "it is due again");
}
