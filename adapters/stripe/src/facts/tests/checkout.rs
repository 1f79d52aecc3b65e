//! Checkout sessions.

use purchase_core::{
    fact::object_state::{Checkout, CheckoutMode, CheckoutState},
    id::ObjectKind,
};

use super::*;
use crate::{ClientReference, tests::shape};

fn session(over: Value) -> Value {
    let base = json!({
        "id": "cs_1", "object": "checkout.session", "mode": "subscription", "status": "complete",
        "payment_status": "paid", "customer": "cus_1", "subscription": "sub_1", "invoice": {"id": "in_1"},
        "payment_intent": null, "client_reference_id": "u9", "metadata": {},
    });
    with(base, over)
}

fn state(event_type: &str, over: Value) -> CheckoutState {
    match object_state(event_type, session(over)) {
        ObjectState::Checkout(it) => it.state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_has_a_state() {
    use CheckoutState::*;
    let completed = |over| state("checkout.session.completed", over);
    assert_eq!(completed(json!({})), Paid);
    assert_eq!(completed(json!({"payment_status": "no_payment_required"})), Paid);
    assert_eq!(completed(json!({"payment_status": "unpaid"})), Completed);
    assert_eq!(completed(json!({"payment_status": "odd"})), Unknown);
    assert_eq!(completed(json!({"payment_status": null})), Unknown);
    assert_eq!(completed(json!({"status": "open", "payment_status": "unpaid"})), Open);
    assert_eq!(completed(json!({"status": "odd"})), Unknown);
    assert_eq!(state("checkout.session.async_payment_succeeded", json!({})), Paid);
    assert_eq!(state("checkout.session.async_payment_failed", json!({"payment_status": "unpaid"})), Failed);
    assert_eq!(state("checkout.session.expired", json!({"status": "expired", "payment_status": "unpaid"})), Expired);
}

#[test]
fn a_session_without_status_has_the_state_that_its_event_tells() {
    use CheckoutState::*;
    assert_eq!(state("checkout.session.completed", json!({"status": null})), Paid);
    assert_eq!(state("checkout.session.completed", json!({"status": null, "payment_status": "unpaid"})), Completed);
    assert_eq!(state("checkout.session.expired", json!({"status": null, "payment_status": "unpaid"})), Expired);
}

#[test]
fn the_state_before_an_event_is_not_the_state_that_its_type_implies() {
    let before = |event_type, object, previous| match prior(event_type, session(object), previous) {
        Some(ObjectState::Checkout(Checkout { state, mode: CheckoutMode::Subscription })) => state,
        other => panic!("{other:?}"),
    };
    let unpaid = || json!({"payment_status": "unpaid"});
    assert_eq!(
        before("checkout.session.async_payment_failed", unpaid(), json!({"url": "x"})),
        CheckoutState::Completed
    );
    assert_eq!(before("checkout.session.completed", json!({}), json!({"status": "open"})), CheckoutState::Open);
}

#[test]
fn a_session_has_a_mode() {
    use CheckoutMode::*;
    let mode = |mode: Value| match object_state("checkout.session.completed", session(json!({"mode": mode}))) {
        ObjectState::Checkout(it) => it.mode,
        other => panic!("{other:?}"),
    };
    let modes = [json!("payment"), json!("setup"), json!("subscription"), json!("odd"), json!(null)];
    assert_eq!(modes.map(mode), [Payment, Setup, Subscription, Unknown, Unknown]);
}

#[test]
fn a_session_ties_everything_that_it_led_to() {
    let metadata = json!({"purchase_customer_id": "u1", "purchase_offer_id": "o1"});
    assert_eq!(
        lines(&facts("checkout.session.completed", session(json!({"metadata": metadata, "payment_intent": "pi_1"})))),
        [
            "checkout:cs_1 shows checkout:cs_1 changed of customer:cus_1 owner:u1 offer:o1 subscription:sub_1 \
             payment:pi_1 invoice:in_1",
            "payment:pi_1 of customer:cus_1 checkout:cs_1",
            "payment:pi_1 of owner:u1(by checkout:cs_1) offer:o1(by checkout:cs_1)",
            "subscription:sub_1 of customer:cus_1 checkout:cs_1",
            "subscription:sub_1 of owner:u1(by checkout:cs_1) offer:o1(by checkout:cs_1)",
            "invoice:in_1 of customer:cus_1 checkout:cs_1",
            "invoice:in_1 of owner:u1(by checkout:cs_1) offer:o1(by checkout:cs_1)",
            "customer:cus_1 of owner:u1(by subscription:sub_1)",
        ]
    );
}

#[test]
fn a_guest_without_metadata_ties_only_the_payment() {
    let guest =
        json!({"mode": "payment", "customer": null, "subscription": null, "invoice": null, "payment_intent": "pi_1"});
    assert_eq!(
        lines(&facts("checkout.session.completed", session(guest))),
        ["checkout:cs_1 shows checkout:cs_1 changed of payment:pi_1", "payment:pi_1 of checkout:cs_1"]
    );
}

#[test]
fn the_client_reference_is_an_owner_only_where_that_is_said() {
    let owner = |client_reference, over| {
        let body = event("checkout.session.expired", session(over), json!(null));
        let facts = read_with(|config| config.client_reference = client_reference, &body).expect("facts");
        facts[0].links.iter().find_map(|link| match link {
            Link::Owner(id) => Some(id.as_str().to_owned()),
            _ => None,
        })
    };
    use ClientReference::{CustomerId, Ignore};
    assert_eq!(owner(Ignore, json!({})), None);
    assert_eq!(owner(CustomerId, json!({})), Some("u9".to_owned()));
    assert_eq!(owner(CustomerId, json!({"client_reference_id": null})), None);
    assert_eq!(owner(CustomerId, json!({"metadata": {"purchase_customer_id": "u1"}})), Some("u1".to_owned()));
}

/// Metadata are set when the session is created, so what it says about other objects is as old as the session.
#[test]
fn a_session_s_word_about_others_is_as_old_as_the_session() {
    let metadata = json!({"purchase_customer_id": "u1", "purchase_offer_id": "o1"});
    let bought = |over| {
        let sold = json!({"mode": "payment", "subscription": null, "invoice": null, "payment_intent": "pi_1"});
        let object = with(session(json!({"metadata": metadata})), sold);
        facts("checkout.session.completed", with(object, over))
    };
    let expect = |second: i64| {
        [
            format!("{second} payment:pi_1 of owner:u1(by checkout:cs_1) offer:o1(by checkout:cs_1)"),
            // A customer buys many times, so the customer's state keeps one statement for all purchases.
            format!("{second} customer:cus_1 of owner:u1(by others)"),
        ]
    };
    assert_eq!(copies(&bought(json!({"created": 1_599_990_000}))), expect(1_599_990_000));
    assert_eq!(copies(&bought(json!({}))), expect(1_600_000_000));
    // What the session's event says about the session itself is as old as the event.
    let own = bought(json!({"created": 1_599_990_000})).remove(0);
    assert_eq!((own.subject.root.kind, own.version.at), (ObjectKind::Checkout, at(1_600_000_000)));
}

/// A buyer can write `client_reference_id` into the address of a payment link.
#[test]
fn the_client_reference_never_names_the_owner_of_the_customer() {
    let found = |over| {
        let body = event("checkout.session.completed", session(over), json!(null));
        lines(&read_with(|config| config.client_reference = ClientReference::CustomerId, &body).expect("facts"))
    };
    let bought = found(json!({}));
    assert_eq!(
        bought,
        [
            "checkout:cs_1 shows checkout:cs_1 changed of customer:cus_1 owner:u9 subscription:sub_1 invoice:in_1",
            "subscription:sub_1 of customer:cus_1 checkout:cs_1",
            "subscription:sub_1 of owner:u9(by checkout:cs_1)",
            "invoice:in_1 of customer:cus_1 checkout:cs_1",
            "invoice:in_1 of owner:u9(by checkout:cs_1)",
        ]
    );
    // The application's own key beside it also names the customer's owner.
    let named = found(json!({"metadata": {"purchase_customer_id": "u1"}}));
    assert!(!named.iter().any(|line| line.contains("u9")), "{named:?}");
    assert_eq!(named.last().map(String::as_str), Some("customer:cus_1 of owner:u1(by subscription:sub_1)"));
}

#[test]
fn a_bad_session_names_the_path() {
    let check = |over, expect| assert_eq!(fault("checkout.session.completed", session(over)), expect);
    check(json!({"status": 1}), shape("data.object.status", "string", "integer"));
    check(json!({"subscription": ["sub_1"]}), shape("data.object.subscription", "id", "array"));
}
