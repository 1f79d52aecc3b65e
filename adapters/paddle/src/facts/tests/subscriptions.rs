//! Tests of subscriptions.

use purchase_core::fact::object_state::{Item, Period, Subscription, SubscriptionStatus};
use purchase_core::id::ProviderId;

use super::*;

fn subscription(over: Value) -> Value {
    let object = json!({
        "id": "sub_1", "status": "active", "customer_id": "ctm_1", "custom_data": null, "collection_mode": "automatic",
        "scheduled_change": null, "canceled_at": null, "paused_at": null, "next_billed_at": "2024-10-09T16:01:29Z",
        "current_billing_period": {"starts_at": "2024-09-09T16:01:29.378686Z", "ends_at": "2024-10-09T16:01:29.378686Z"},
        "items": [item("pri_b", 10), item("pri_a", 1)],
    });
    with(object, over)
}

fn item(price: &str, quantity: u64) -> Value {
    json!({"price": {"id": price}, "quantity": quantity, "recurring": true, "trial_dates": null})
}

fn shown(over: Value) -> Subscription {
    match object_state("subscription.updated", subscription(over)) {
        ObjectState::Subscription(it) => *it,
        object_state => panic!("{object_state:?}"),
    }
}

fn sells(price: &str, quantity: u64) -> Item {
    Item { price: ProviderId::new(price).expect("id"), quantity: Some(quantity) }
}

#[test]
fn a_subscription_is_read_whole() {
    let expect = Subscription {
        status: SubscriptionStatus::Active,
        provider_status: "active".to_owned(),
        items: vec![sells("pri_a", 1), sells("pri_b", 10)],
        period: Some(Period { start: time("2024-09-09T16:01:29.378686Z"), end: time("2024-10-09T16:01:29.378686Z") }),
        trial_end: None,
        cancel_at: None,
        ended_at: None,
        started_at: None,
        pause_at: None,
        resume_at: None,
        collection_paused: false,
    };
    assert_eq!(shown(json!({})), expect);
    let lines = lines(&facts("subscription.updated", subscription(json!({}))));
    assert_eq!(lines, ["subscription:sub_1 shows subscription:sub_1 changed of customer:ctm_1"]);
}

#[test]
fn every_status_is_read() {
    use SubscriptionStatus::{Active, Canceled, PastDue, Paused, Trialing, Unknown};
    let statuses = ["active", "canceled", "past_due", "paused", "trialing", "inactive", "hibernating"];
    let expect = [Active, Canceled, PastDue, Paused, Trialing, Unknown, Unknown];
    for (status, expect) in statuses.into_iter().zip(expect) {
        let it = shown(json!({ "status": status }));
        assert_eq!((it.status, it.provider_status.as_str()), (expect, status));
    }
}

#[test]
fn the_end_counts_once_it_has_come() {
    let ended = |status: &str| shown(json!({"status": status, "canceled_at": "2024-04-12T11:24:54.868Z"})).ended_at;
    assert_eq!(ended("canceled"), Some(time("2024-04-12T11:24:54.868Z")));
    assert_eq!(ended("active"), None);
    let over = json!({"status": "canceled", "canceled_at": "2024-04-12T11:24:54.868Z", "current_billing_period": null});
    assert_eq!(shown(over).period, None);
}

#[test]
fn a_scheduled_change_is_not_a_change() {
    let scheduled = |action: &str, resume_at: Value| {
        let change = json!({"action": action, "effective_at": "2024-10-09T16:01:29Z", "resume_at": resume_at});
        let it = shown(json!({"scheduled_change": change, "next_billed_at": null}));
        assert_eq!(it.status, SubscriptionStatus::Active);
        (it.cancel_at, it.pause_at, it.resume_at)
    };
    let (effective, resumed) = (Some(time("2024-10-09T16:01:29Z")), Some(time("2024-12-01T00:00:00Z")));
    assert_eq!(scheduled("cancel", json!(null)), (effective, None, None));
    assert_eq!(scheduled("pause", json!(null)), (None, effective, None));
    assert_eq!(scheduled("pause", json!("2024-12-01T00:00:00Z")), (None, effective, resumed));
    assert_eq!(scheduled("resume", json!(null)), (None, None, effective));
    assert_eq!(scheduled("hibernate", json!(null)), (None, None, None));
}

#[test]
fn the_longest_trial_counts() {
    let trial = |end: &str| json!({"starts_at": "2024-08-01T00:00:00Z", "ends_at": end});
    let items = json!([
        with(item("pri_a", 1), json!({"trial_dates": trial("2024-08-15T00:00:00Z")})),
        with(item("pri_b", 1), json!({"trial_dates": trial("2024-08-31T00:00:00Z")})),
        item("pri_c", 1),
    ]);
    assert_eq!(shown(json!({ "items": items })).trial_end, Some(time("2024-08-31T00:00:00Z")));
}

#[test]
fn what_was_sold_once_is_not_billed_again() {
    // Recorded: an imported subscription lists a one-time add-on.
    let items = json!([item("pri_a", 1), with(item("pri_once", 1), json!({"recurring": false})), item("pri_a", 2)]);
    assert_eq!(shown(json!({ "items": items })).items, [sells("pri_a", 3)]);
}

#[test]
fn the_first_event_names_the_transaction() {
    let told =
        |over| lines(&facts("subscription.created", subscription(with(json!({"transaction_id": "txn_1"}), over))));
    let root = "subscription:sub_1 shows subscription:sub_1 created of customer:ctm_1 invoice:txn_1 payment:txn_1";
    let both = ["invoice:txn_1 of subscription:sub_1", "payment:txn_1 of subscription:sub_1"];
    let automatic = format!("{root} checkout:txn_1");
    let checkout = "checkout:txn_1 of subscription:sub_1";
    assert_eq!(told(json!({})), [automatic.as_str(), both[0], both[1], checkout]);
    assert_eq!(told(json!({"collection_mode": "manual"})), [root, both[0], both[1]]);
}

#[test]
fn custom_data_name_the_owner_and_the_offer() {
    let named = json!({"purchase_customer_id": "cust-1", "purchase_offer_id": "pro", "other": {"a": 1}});
    let object = subscription(json!({ "custom_data": named }));
    let root = "subscription:sub_1 shows subscription:sub_1 changed of customer:ctm_1";
    let everywhere = lines(&facts("subscription.updated", object.clone()));
    // A buyer can write custom data, so they name at most the owner of their own object, and never the customer's
    // owner.
    assert_eq!(everywhere, [format!("{root} owner:cust-1 offer:pro")]);
    let untrusted = read_with(|_| {}, &event("subscription.updated", object)).expect("facts");
    assert_eq!(lines(&untrusted), [root]);
}

#[test]
fn a_quantity_is_a_whole_number_that_every_reader_of_json_keeps() {
    const MOST: u64 = (1 << 53) - 1;
    let of = |quantities: &[Value]| {
        let items = quantities.iter().map(|quantity| with(item("pri_a", 1), json!({ "quantity": quantity })));
        json!({ "items": items.collect::<Vec<_>>() })
    };
    assert_eq!(shown(of(&[json!(MOST)])).items, [sells("pri_a", MOST)]);
    assert_eq!(shown(of(&[json!(0)])).items, [sells("pri_a", 0)]);
    let fault = |quantities: &[Value]| fault("subscription.updated", subscription(of(quantities)));
    let expect = |found| shape("data.items[0].quantity", "whole quantity of at most 2^53 - 1", found);
    assert_eq!(fault(&[json!(2.5)]), expect("fraction"));
    assert_eq!(fault(&[json!(-1)]), expect("negative integer"));
    assert_eq!(fault(&[json!(MOST + 1)]), expect("integer"));
    let sum = shape("data.items[1].quantity", "quantities whose sum is at most 2^53 - 1", "integer");
    assert_eq!(fault(&[json!(MOST), json!(1)]), sum);
}

#[test]
fn a_subscription_begins_when_it_started() {
    let (created, started) = ("2024-09-01T00:00:00Z", "2024-09-09T16:01:29.378686Z");
    let started_at = |over| shown(over).started_at;
    assert_eq!(started_at(json!({"started_at": started, "created_at": created})), Some(time(started)));
    assert_eq!(started_at(json!({"started_at": null, "created_at": created})), Some(time(created)));
    assert_eq!(started_at(json!({})), None);
}

#[test]
fn a_fault_names_its_path() {
    let fault = |over| fault("subscription.updated", subscription(over));
    assert_eq!(fault(json!({"status": "remove"})), shape("data.status", "string", "nothing"));
    assert_eq!(fault(json!({"items": {}})), shape("data.items", "array", "object"));
    assert_eq!(fault(json!({"items": [{"price": null}]})), shape("data.items[0].price", "id", "null"));
    let period = json!({"starts_at": "2024-09-09T16:01:29Z", "ends_at": 5});
    let expect = shape("data.current_billing_period.ends_at", "RFC 3339 time", "integer");
    assert_eq!(fault(json!({ "current_billing_period": period })), expect);
    let change = json!({"effective_at": "2024-10-09T16:01:29Z"});
    assert_eq!(fault(json!({"scheduled_change": change})), shape("data.scheduled_change.action", "string", "nothing"));
}
