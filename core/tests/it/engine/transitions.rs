//! Tests which transitions a delivery reports: each change once, even if events arrive late or a tie undoes a state.

use purchase_core::{
    engine::Engine,
    fact::{
        Link,
        object_state::{Invoice, InvoiceState, ObjectState, RefundState, Subscription, SubscriptionStatus},
    },
    id::ObjectKind,
};

use super::{
    acme::{self, at, body, engine, id, projection, told},
    handle, invoice, refund_of, subscription, unpriced,
};

/// The transitions that a delivery reports: `Renewed@20`.
async fn changes(engine: &Engine, body: &acme::Body) -> Vec<String> {
    let told = handle(engine, body).await.transitions;
    told.iter().map(|it| format!("{:?}@{}", it.change, it.at.seconds())).collect()
}

/// An event with a subscription's state.
fn state(event: &str, seconds: i64, status: SubscriptionStatus) -> acme::Body {
    body(
        event,
        seconds,
        vec![told(ObjectKind::Subscription, "sub", subscription(status), vec![Link::Customer(id("cus"))])],
    )
}

/// An event of an active subscription, with whether its end was scheduled before and is scheduled now.
fn step(event: &str, seconds: i64, prior: Option<bool>, now: bool) -> acme::Body {
    let state = |cancel: bool| {
        let cancel_at = cancel.then(|| at(99));
        ObjectState::Subscription(Box::new(Subscription { cancel_at, ..unpriced(SubscriptionStatus::Active) }))
    };
    let mut told = told(ObjectKind::Subscription, "sub", state(now), vec![Link::Customer(id("cus"))]);
    if let Some((_, _, before)) = &mut told.object {
        *before = prior.map(state);
    }
    body(event, seconds, vec![told])
}

#[tokio::test]
async fn transitions_are_reported_once_even_if_events_arrive_late() {
    let engine = engine();
    let past_due = state("e2", 20, SubscriptionStatus::PastDue);
    assert_eq!(changes(&engine, &state("e1", 10, SubscriptionStatus::Active)).await, ["Activated@10"]);
    assert_eq!(changes(&engine, &state("e3", 30, SubscriptionStatus::Canceled)).await, ["Canceled@30"]);
    assert_eq!(changes(&engine, &past_due).await, ["PastDue@20"]);
    assert_eq!(changes(&engine, &past_due).await, [""; 0]);
    assert_eq!(projection(&engine).await["subscriptions"]["sub"]["state"], "canceled");
}

/// A late observation corrects the time since when a state holds. The transition itself was already reported.
#[tokio::test]
async fn a_late_observation_does_not_report_a_transition_again() {
    let engine = engine();
    let refunded =
        |event, seconds, refund| body(event, seconds, vec![refund_of("pay", refund, RefundState::Succeeded)]);
    assert_eq!(changes(&engine, &refunded("e1", 20, "re_1")).await, ["Refunded@20"]);
    assert_eq!(changes(&engine, &refunded("e2", 10, "re_1")).await, [""; 0]);
    // Another refund of the same payment is a separate transition.
    assert_eq!(changes(&engine, &refunded("e3", 30, "re_2")).await, ["Refunded@30"]);
}

#[tokio::test]
async fn a_transition_that_happens_again_is_reported_again() {
    use SubscriptionStatus::{Active, PastDue};
    let engine = engine();
    assert_eq!(changes(&engine, &state("e1", 0, Active)).await, ["Activated@0"]);
    assert_eq!(changes(&engine, &state("e2", 10, PastDue)).await, ["PastDue@10"]);
    assert_eq!(changes(&engine, &state("e3", 20, Active)).await, ["Recovered@20"]);
    assert_eq!(changes(&engine, &state("e5", 40, Active)).await, [""; 0]);
    assert_eq!(changes(&engine, &state("e4", 30, PastDue)).await, ["PastDue@30", "Recovered@40"]);
}

#[tokio::test]
async fn a_state_is_reported_when_it_is_entered_and_not_while_it_lasts() {
    let engine = engine();
    let seen = |event, seconds, attempts, state| {
        let object_state = match invoice(state) {
            ObjectState::Invoice(it) => ObjectState::Invoice(Invoice { attempts, ..it }),
            other => other,
        };
        body(event, seconds, vec![told(ObjectKind::Invoice, "inv", object_state, vec![Link::Customer(id("cus"))])])
    };
    assert_eq!(changes(&engine, &seen("e1", 1, 0, InvoiceState::Open)).await, [""; 0]);
    assert_eq!(changes(&engine, &seen("e2", 2, 1, InvoiceState::Uncollectible)).await, ["InvoiceUncollectible@2"]);
    assert_eq!(changes(&engine, &seen("e3", 3, 2, InvoiceState::Uncollectible)).await, [""; 0]);
    assert_eq!(changes(&engine, &seen("e4", 4, 2, InvoiceState::Paid)).await, ["InvoicePaid@4"]);
}

/// Some providers clear the date of a scheduled end once it is reached.
#[tokio::test]
async fn a_scheduled_end_that_is_reached_is_not_reported_as_unscheduled() {
    let engine = engine();
    assert_eq!(changes(&engine, &step("e1", 10, None, true)).await, ["Activated@10"]);
    let ended = Subscription { ended_at: Some(at(99)), ..unpriced(SubscriptionStatus::Canceled) };
    let object_state = ObjectState::Subscription(Box::new(ended));
    let ended = body("e2", 99, vec![told(ObjectKind::Subscription, "sub", object_state, Vec::new())]);
    assert_eq!(changes(&engine, &ended).await, ["Canceled@99"]);
}

/// Scheduled, undone and scheduled again in one second: the tie is settled three times, and reported once.
#[tokio::test]
async fn a_transition_that_a_tie_undoes_is_not_reported_again() {
    let engine = engine();
    assert_eq!(changes(&engine, &step("e1", 10, None, false)).await, ["Activated@10"]);
    assert_eq!(changes(&engine, &step("e2", 20, Some(false), true)).await, ["CancelScheduled@20"]);
    assert_eq!(changes(&engine, &step("e3", 20, Some(true), false)).await, [""; 0]);
    assert_eq!(changes(&engine, &step("e4", 20, Some(false), true)).await, [""; 0]);
    assert!(projection(&engine).await["subscriptions"]["sub"]["cancel_at"].is_string());
}

#[tokio::test]
async fn a_transition_that_a_tie_undoes_stays_reported_after_an_older_event() {
    let engine = engine();
    changes(&engine, &step("e1", 10, None, false)).await;
    assert_eq!(changes(&engine, &step("e2", 20, Some(false), true)).await, ["CancelScheduled@20"]);
    assert_eq!(changes(&engine, &step("e3", 20, Some(true), false)).await, [""; 0]);
    assert_eq!(changes(&engine, &step("e0", 5, None, false)).await, [""; 0]);
    assert_eq!(changes(&engine, &step("e4", 20, Some(false), true)).await, [""; 0]);
}

#[tokio::test]
async fn a_transition_that_a_tie_undoes_stays_reported_after_a_newer_event() {
    let engine = engine();
    changes(&engine, &step("e1", 10, None, false)).await;
    assert_eq!(changes(&engine, &step("e2", 20, Some(false), true)).await, ["CancelScheduled@20"]);
    assert_eq!(changes(&engine, &step("e3", 20, Some(true), false)).await, [""; 0]);
    assert_eq!(changes(&engine, &state("e5", 30, SubscriptionStatus::PastDue)).await, ["PastDue@30"]);
    // The end was scheduled a second time in that instant: the only new transition is that it was undone later.
    assert_eq!(changes(&engine, &step("e4", 20, Some(false), true)).await, ["CancelUnscheduled@30"]);
}

#[tokio::test]
async fn a_late_fact_reports_the_transitions_that_it_changes_after_it() {
    use SubscriptionStatus::{Active, PastDue};
    let engine = engine();
    handle(&engine, &state("e1", 0, Active)).await;
    handle(&engine, &state("e3", 30, Active)).await;
    assert_eq!(changes(&engine, &state("e2", 20, PastDue)).await, ["PastDue@20", "Recovered@30"]);
}
