//! Tests events whose own time is later than their receipt: they are used only once that time has come, and then like
//! every other event.

use std::sync::Arc;

use purchase_core::{
    engine::{Engine, Selection},
    fact::{Link, object_state::SubscriptionStatus},
    id::{EventKey, ObjectKind},
    provider::ReadFault,
    receipt::WebhookReceipt,
    store::{EventQuery, EventStatus, Lease, Reason, StoredEvent, memory::MemoryStore},
};
use serde_json::{Value, json};

use super::{
    acme::{self, at, body, delivery, engine, id, projection, told},
    subscription,
};

const DAY: i64 = 24 * 3600;
/// The time at which the first delivery arrives.
const RECEIVED: i64 = 1000;

/// An event with a subscription's state at a time.
fn state(event: &str, seconds: i64, status: SubscriptionStatus) -> acme::Body {
    let links = vec![Link::Customer(id("cus"))];
    body(event, seconds, vec![told(ObjectKind::Subscription, "sub", subscription(status), links)])
}

/// The answer as a word: the status, or the refusal's code.
async fn handle(engine: &Engine, body: &acme::Body, received: i64) -> String {
    let sent = purchase_core::delivery::Delivery { received_at: at(received), ..delivery(body) };
    let answer = engine.handle(sent).await;
    answer.map_or_else(|refusal| refusal.code().to_owned(), |receipt| receipt.status.as_str().to_owned())
}

async fn kept(engine: &Engine) -> StoredEvent {
    let query = EventQuery { limit: 10, ..EventQuery::default() };
    engine.events(&query).await.expect("memory").remove(0)
}

async fn shown(engine: &Engine) -> Value {
    projection(engine).await["subscriptions"]["sub"]["state"].clone()
}

async fn work(engine: &Engine, token: &str, now: i64) -> Vec<WebhookReceipt> {
    let lease = Lease { token: token.to_owned(), until: at(now + 60) };
    engine.work(lease, 10, at(now)).await.expect("memory").receipts
}

fn ahead(seconds_ahead: i64) -> Option<Reason> {
    Some(Reason::Read(ReadFault::Future { path: "at".to_owned(), seconds_ahead }))
}

#[tokio::test]
async fn an_event_may_be_at_most_a_day_ahead() {
    let check = async |ahead: i64, expect: &str| {
        let event = state("e1", RECEIVED + ahead, SubscriptionStatus::Active);
        assert_eq!(handle(&engine(), &event, RECEIVED).await, expect, "{ahead} seconds ahead");
    };
    check(-DAY, "processed").await;
    check(0, "processed").await;
    check(DAY, "processed").await;
    check(DAY + 1, "event_future").await;
    check(200 * 365 * DAY, "event_future").await;
}

#[tokio::test]
async fn an_event_from_the_future_is_not_used_before_its_time() {
    let engine = engine();
    let far = state("e1", RECEIVED + 3 * DAY, SubscriptionStatus::Canceled);
    assert_eq!(handle(&engine, &far, RECEIVED).await, "event_future");
    let first = kept(&engine).await;
    assert_eq!((first.status, first.reason, first.attempts), (EventStatus::Failed, ahead(3 * DAY), 1));
    assert_eq!((first.due_at, first.event.occurred_at), (Some(at(RECEIVED + 60)), Some(at(RECEIVED + 3 * DAY))));
    assert_eq!(
        handle(&engine, &state("e2", RECEIVED + 5, SubscriptionStatus::Active), RECEIVED + 5).await,
        "processed"
    );
    assert_eq!(shown(&engine).await, json!("active"));

    assert_eq!(work(&engine, "early", RECEIVED + 60).await, []);
    let second = kept(&engine).await;
    assert_eq!((second.status, second.reason, second.attempts), (EventStatus::Failed, ahead(3 * DAY - 60), 2));
    assert_eq!(second.due_at, Some(at(RECEIVED + 180)));
    assert_eq!(shown(&engine).await, json!("active"));

    assert_eq!(work(&engine, "late", RECEIVED + 2 * DAY).await.len(), 1);
    let done = kept(&engine).await;
    assert_eq!((done.status, done.reason, done.due_at), (EventStatus::Processed, None, None));
    assert_eq!(shown(&engine).await, json!("canceled"));
}

#[tokio::test]
async fn its_provider_may_send_it_again_when_its_time_has_come() {
    let engine = engine();
    let far = state("e1", RECEIVED + 2 * DAY, SubscriptionStatus::Active);
    assert_eq!(handle(&engine, &far, RECEIVED).await, "event_future");
    assert_eq!(handle(&engine, &far, RECEIVED + DAY - 1).await, "event_future");
    assert_eq!(handle(&engine, &far, RECEIVED + DAY).await, "processed");
    assert_eq!(shown(&engine).await, json!("active"));
}

#[tokio::test]
async fn a_queue_refuses_and_keeps_it_as_an_endpoint_does() {
    let engine = engine();
    let refusal = engine.accept(delivery(&state("e1", RECEIVED + 2 * DAY, SubscriptionStatus::Active))).await;
    let refusal = refusal.expect_err("an event from the future");
    assert_eq!((refusal.code(), refusal.http_status()), ("event_future", 422));
    assert!(refusal.to_string().contains("at: the event's time lies 172800 seconds after its receipt"), "{refusal}");
    assert_eq!(kept(&engine).await.reason, ahead(2 * DAY));
    assert_eq!(work(&engine, "later", RECEIVED + DAY).await.len(), 1);
    assert_eq!(shown(&engine).await, json!("active"));
}

#[tokio::test]
async fn an_ignored_event_may_have_any_time_and_a_thin_event_may_not() {
    let engine = engine();
    let of =
        |kind: &str, event: &str| acme::Body { kind: kind.to_owned(), ..body(event, RECEIVED + 900 * DAY, Vec::new()) };
    assert_eq!(handle(&engine, &of("new.thing", "e1"), RECEIVED).await, "ignored");
    assert_eq!(handle(&engine, &of("thin", "e2"), RECEIVED).await, "event_future");
}

#[tokio::test]
async fn a_replay_judges_future_events_by_its_own_time_and_a_copy_by_their_status() {
    let engine = engine();
    let far = state("e1", RECEIVED + 3 * DAY, SubscriptionStatus::Active);
    let early = state("e2", RECEIVED + 9 * DAY, SubscriptionStatus::Canceled);
    assert_eq!(handle(&engine, &far, RECEIVED).await, "event_future");
    assert_eq!(handle(&engine, &early, RECEIVED).await, "event_future");
    assert_eq!(work(&engine, "w", RECEIVED + 2 * DAY).await.len(), 1);
    let before = projection(&engine).await;
    assert_eq!(shown(&engine).await, json!("active"));

    // It was received before its time had come, and used afterwards.
    let beside = Arc::new(MemoryStore::new());
    let report = engine.replay_into(&Selection::EVERYTHING, beside.clone()).await.expect("memory");
    assert_eq!(
        report.statuses.into_iter().collect::<Vec<_>>(),
        [(EventStatus::Failed, 1), (EventStatus::Processed, 1)]
    );
    assert_eq!(projection(&engine.over(beside)).await, before);

    // An event that a version without this rule has used is undone.
    let one = Selection::Event(EventKey { source: acme::source(), id: id("e1") });
    engine.replay(&one, at(RECEIVED)).await.expect("memory");
    assert_eq!(kept(&engine).await.reason, ahead(3 * DAY));
    assert_eq!(shown(&engine).await, Value::Null);
    engine.replay(&one, at(RECEIVED + 2 * DAY)).await.expect("memory");
    assert_eq!(projection(&engine).await, before);
}
