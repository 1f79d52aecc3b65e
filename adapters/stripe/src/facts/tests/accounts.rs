//! Tests whose metadata are read: an account with access to its own dashboard or API keys can also write the
//! application's keys.

use super::*;
use crate::{Accounts, ClientReference, ConnectedMetadata};

/// Every kind of object that names an owner, with the application's keys in all its metadata.
fn objects() -> [(&'static str, Value); 7] {
    let keys = || json!({"purchase_customer_id": "u1", "purchase_offer_id": "o1"});
    let charge = |payment_intent| {
        json!({"id": "ch_1", "object": "charge", "status": "succeeded", "captured": true, "amount": 100,
            "amount_refunded": 0, "currency": "eur", "customer": "cus_1", "payment_intent": payment_intent,
            "metadata": keys()})
    };
    [
        ("charge.succeeded", charge(json!("pi_1"))),
        ("charge.succeeded", charge(json!(null))),
        (
            "checkout.session.completed",
            json!({"id": "cs_1", "object": "checkout.session", "mode": "payment", "status": "complete",
                "payment_status": "paid", "customer": "cus_1", "payment_intent": "pi_1", "client_reference_id": "u1",
                "metadata": keys()}),
        ),
        ("customer.updated", json!({"id": "cus_1", "object": "customer", "email": null, "metadata": keys()})),
        (
            "customer.subscription.updated",
            json!({"id": "sub_1", "object": "subscription", "status": "active", "customer": "cus_1",
                "items": {"data": []}, "metadata": keys()}),
        ),
        (
            "invoice.paid",
            json!({"id": "in_1", "object": "invoice", "status": "paid", "currency": "eur", "total": 100,
                "amount_paid": 100, "customer": "cus_1", "metadata": keys(),
                "parent": {"subscription_details": {"subscription": "sub_1", "metadata": keys()}}}),
        ),
        (
            "payment_intent.succeeded",
            json!({"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 100, "currency": "eur",
                "customer": "cus_1", "metadata": keys()}),
        ),
    ]
}

/// The owners and offers that an event names.
fn words(account: Option<&str>, believed: ConnectedMetadata, event_type: &str, object: Value) -> Vec<Link> {
    let mut body = event(event_type, object, json!(null));
    body["account"] = json!(account);
    let endpoint = |config: &mut StripeConfig| {
        config.accounts = Accounts::Any;
        config.client_reference = ClientReference::CustomerId;
        config.connected_metadata = believed;
    };
    let links = read_with(endpoint, &body).expect("facts").into_iter().flat_map(|fact| fact.links);
    let is_word = |link: &Link| {
        matches!(link, Link::InferredOffer { .. } | Link::InferredOwner { .. } | Link::Offer(_) | Link::Owner(_))
    };
    links.filter(is_word).collect()
}

#[test]
fn metadata_of_a_connected_account_own_nothing() {
    assert_eq!(ConnectedMetadata::default(), ConnectedMetadata::Ignored);
    for (event_type, object) in objects() {
        let ignored = words(Some("acct_1"), ConnectedMetadata::Ignored, event_type, object);
        assert_eq!(ignored, [], "{event_type}");
    }
}

#[test]
fn metadata_of_a_connected_account_are_believed_where_that_is_said() {
    for (event_type, object) in objects() {
        let own = words(None, ConnectedMetadata::Ignored, event_type, object.clone());
        assert!(!own.is_empty(), "{event_type}");
        let believed = words(Some("acct_1"), ConnectedMetadata::Believed, event_type, object);
        assert_eq!(believed, own, "{event_type}");
    }
}

/// The provider's customer and the links between objects don't come from metadata.
#[test]
fn links_of_a_connected_account_are_kept() {
    let (event_type, object) = objects()[2].clone();
    let mut body = event(event_type, object, json!(null));
    body["account"] = json!("acct_1");
    let found = read_with(|config| config.accounts = Accounts::Any, &body).expect("facts");
    assert_eq!(
        lines(&found),
        [
            "checkout:cs_1 shows checkout:cs_1 changed of customer:cus_1 payment:pi_1",
            "payment:pi_1 of customer:cus_1 checkout:cs_1",
        ]
    );
}
