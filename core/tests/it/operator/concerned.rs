//! Tests which customer a transition in a receipt concerns.

use purchase_core::{
    engine::Engine,
    fact::{
        Link,
        object_state::{Customer, ObjectState, Refund, RefundState},
    },
    id::{CustomerId, ObjectKind, ObjectRef},
    lifecycle::Change,
    receipt::WebhookReceipt,
};
use serde_json::json;

use super::{
    acme::{self, body, delivery, engine, id, linked, money, told},
    adapters::{paid, subscription},
};

fn owner(name: &str) -> CustomerId {
    CustomerId::new(name).expect("an id")
}

fn customer(links: Vec<Link>) -> acme::Told {
    let object_state = Customer { email: None, name: None, deleted: false, archived: false, bare: false };
    told(ObjectKind::Customer, "cus", ObjectState::Customer(object_state), links)
}

async fn handle(engine: &Engine, event: &str, seconds: i64, facts: Vec<acme::Told>) -> WebhookReceipt {
    engine.handle(delivery(&body(event, seconds, facts))).await.expect("accepted")
}

fn concerned(receipt: &WebhookReceipt) -> Vec<(Change, Option<&str>)> {
    receipt.transitions.iter().map(|it| (it.change, it.customer.as_ref().map(CustomerId::as_str))).collect()
}

#[tokio::test]
async fn a_transition_names_the_customer_that_the_object_names() {
    let engine = engine();
    let links = vec![Link::Customer(id("cus")), Link::Owner(owner("user_1"))];
    let receipt = handle(&engine, "e1", 10, vec![told(ObjectKind::Subscription, "sub", subscription(1), links)]).await;
    assert_eq!(concerned(&receipt), [(Change::Activated, Some("user_1"))]);
    let object = acme::subject(ObjectKind::Subscription, "sub").public_id();
    let shown = serde_json::to_value(&receipt).expect("JSON")["transitions"].clone();
    let at = "1970-01-01T00:00:10Z";
    assert_eq!(shown, json!([{ "object": object, "at": at, "change": "activated", "customer": "user_1" }]));
}

#[tokio::test]
async fn a_transition_names_whom_the_providers_customer_is_linked_to() {
    let engine = engine();
    handle(&engine, "e1", 1, vec![customer(vec![Link::Owner(owner("user_1"))])]).await;
    let sold = told(ObjectKind::Subscription, "sub", subscription(1), vec![Link::Customer(id("cus"))]);
    assert_eq!(concerned(&handle(&engine, "e2", 2, vec![sold]).await), [(Change::Activated, Some("user_1"))]);
    // Here the event itself names no customer, but the stored payment does.
    let paid = told(ObjectKind::Payment, "pay", paid(), vec![Link::Customer(id("cus"))]);
    handle(&engine, "e3", 3, vec![paid]).await;
    let mut refund = linked(ObjectKind::Payment, "pay", Vec::new());
    let object_state = ObjectState::Refund(Refund::new(RefundState::Succeeded, money(900)));
    refund.object = Some((ObjectRef::new(ObjectKind::Refund, id("re")), object_state, None));
    assert_eq!(concerned(&handle(&engine, "e4", 4, vec![refund]).await), [(Change::Refunded, Some("user_1"))]);
}

#[tokio::test]
async fn a_link_of_the_same_commit_counts() {
    let engine = engine();
    let sold = told(ObjectKind::Subscription, "sub", subscription(1), vec![Link::Customer(id("cus"))]);
    let both = vec![sold, customer(vec![Link::Owner(owner("user_1"))])];
    assert_eq!(concerned(&handle(&engine, "e1", 1, both).await), [(Change::Activated, Some("user_1"))]);
}

#[tokio::test]
async fn a_transition_of_an_unknown_customer_names_none_and_is_not_reported_again() {
    let engine = engine();
    let sold = told(ObjectKind::Subscription, "sub", subscription(1), vec![Link::Customer(id("cus"))]);
    let receipt = handle(&engine, "e1", 10, vec![sold]).await;
    assert_eq!(concerned(&receipt), [(Change::Activated, None)]);
    let shown = serde_json::to_value(&receipt).expect("JSON");
    assert_eq!(shown["transitions"][0]["customer"], json!(null));
    let linked = handle(&engine, "e2", 20, vec![customer(vec![Link::Owner(owner("user_1"))])]).await;
    assert_eq!(concerned(&linked), []);
}
