//! Subscriptions and schedules, in the shapes before and since `2025-03-31.basil`.

use purchase_core::{
    fact::object_state::{Item, Period, ScheduleState, Subscription, SubscriptionStatus},
    id::ProviderId,
};

use super::*;
use crate::tests::shape;

fn old_subscription() -> Value {
    json!({
        "id": "sub_1", "object": "subscription", "status": "active", "customer": "cus_1", "metadata": {},
        "current_period_start": 100, "current_period_end": 200, "cancel_at": null, "cancel_at_period_end": false,
        "items": {"object": "list", "data": [{"id": "si_1", "quantity": 1, "plan": {"id": "plan_1"}}]},
        "latest_invoice": "in_1", "trial_end": null, "ended_at": null, "pause_collection": null,
    })
}

fn new_subscription() -> Value {
    let item = |price: &str, quantity: i64, start: i64, end: i64| {
        json!({
            "price": {"id": price, "object": "price"}, "plan": {"id": "ignored"}, "quantity": quantity,
            "current_period_start": start, "current_period_end": end,
        })
    };
    let items = [item("price_b", 1, 115, 190), item("price_a", 2, 120, 220), item("price_b", 3, 110, 190)];
    let base = without(without(old_subscription(), "current_period_start"), "current_period_end");
    with(base, json!({"items": {"data": items}, "latest_invoice": {"id": "in_1", "object": "invoice"}}))
}

fn subscription(event_type: &str, object: Value) -> Subscription {
    match object_state(event_type, object) {
        ObjectState::Subscription(it) => *it,
        other => panic!("{other:?}"),
    }
}

fn updated(object: Value) -> Subscription {
    subscription("customer.subscription.updated", object)
}

fn before(object: Value, previous: Value) -> Option<Subscription> {
    match prior("customer.subscription.updated", object, previous)? {
        ObjectState::Subscription(it) => Some(*it),
        other => panic!("{other:?}"),
    }
}

fn item(price: &str, quantity: impl Into<Option<u64>>) -> Item {
    Item { price: ProviderId::new(price).expect("id"), quantity: quantity.into() }
}

#[test]
fn an_old_subscription_has_its_period_at_the_top_and_plans() {
    let expect = Subscription {
        status: SubscriptionStatus::Active,
        provider_status: "active".to_owned(),
        items: vec![item("plan_1", 1)],
        period: Some(Period { start: at(100), end: at(200) }),
        trial_end: None,
        cancel_at: None,
        ended_at: None,
        started_at: None,
        pause_at: None,
        resume_at: None,
        collection_paused: false,
    };
    assert_eq!(subscription("customer.subscription.created", old_subscription()), expect);
}

#[test]
fn a_new_subscription_has_its_periods_on_the_items() {
    let it = updated(new_subscription());
    assert_eq!(it.period, Some(Period { start: at(110), end: at(220) }));
    assert_eq!(it.items, [item("price_a", 2), item("price_b", 4)]);
}

#[test]
fn metered_items_have_no_quantity() {
    let items = json!({"data": [{"price": {"id": "price_m"}}, {"price": "price_n", "quantity": null}]});
    assert_eq!(
        updated(with(old_subscription(), json!({"items": items}))).items,
        [item("price_m", None), item("price_n", None)]
    );
}

#[test]
fn a_quantity_is_a_whole_number_that_every_reader_of_json_keeps() {
    const MOST: u64 = (1 << 53) - 1;
    let items = |quantities: &[Value]| {
        let items = quantities.iter().map(|quantity| json!({"price": {"id": "price_a"}, "quantity": quantity}));
        with(old_subscription(), json!({"items": {"data": items.collect::<Vec<_>>()}}))
    };
    let read = |quantities: &[Value]| updated(items(quantities)).items;
    assert_eq!(read(&[json!(0)]), [item("price_a", 0)]);
    assert_eq!(read(&[json!(MOST)]), [item("price_a", MOST)]);
    assert_eq!(read(&[json!(2), json!(null)]), [item("price_a", 2)]);
    let refused = |quantities: &[Value]| fault("customer.subscription.updated", items(quantities));
    let expect = |found| shape("data.object.items.data[0].quantity", "whole quantity of at most 2^53 - 1", found);
    assert_eq!(refused(&[json!(1.5)]), expect("fraction"));
    assert_eq!(refused(&[json!(-1)]), expect("negative integer"));
    assert_eq!(refused(&[json!(MOST + 1)]), expect("integer"));
    assert_eq!(refused(&[json!("1")]), expect("string"));
    let sum = shape("data.object.items.data[1].quantity", "quantities whose sum is at most 2^53 - 1", "integer");
    assert_eq!(refused(&[json!(MOST), json!(1)]), sum);
}

/// `start_date` can lie before `created`: a subscription can be backdated.
#[test]
fn a_subscription_begins_at_its_start_date() {
    let started_at = |over| updated(with(new_subscription(), over)).started_at;
    assert_eq!(started_at(json!({"start_date": 90, "created": 95})), Some(at(90)));
    assert_eq!(started_at(json!({"created": 95})), Some(at(95)));
    assert_eq!(started_at(json!({"start_date": null, "created": 95})), Some(at(95)));
    assert_eq!(started_at(json!({})), None);
}

#[test]
fn a_subscription_s_word_about_its_customer_is_as_old_as_the_event() {
    let over = json!({"metadata": {"purchase_customer_id": "u1"}, "created": 95});
    let found = facts("customer.subscription.updated", with(new_subscription(), over));
    assert_eq!(copies(&found), ["1600000000 customer:cus_1 of owner:u1(by subscription:sub_1)"]);
}

#[test]
fn every_status_has_its_neutral_one() {
    use SubscriptionStatus::*;
    let cases = [
        ("incomplete", Pending),
        ("incomplete_expired", Expired),
        ("trialing", Trialing),
        ("active", Active),
        ("past_due", PastDue),
        ("unpaid", Unpaid),
        ("paused", Paused),
        ("canceled", Canceled),
        ("hibernating", Unknown),
    ];
    for (text, status) in cases {
        let it = updated(with(new_subscription(), json!({"status": text})));
        assert_eq!((it.status, it.provider_status.as_str()), (status, text));
    }
}

#[test]
fn an_end_may_be_scheduled_by_time_or_by_period() {
    let cancel_at = |over| updated(with(new_subscription(), over)).cancel_at;
    assert_eq!(cancel_at(json!({"cancel_at_period_end": true})), Some(at(220)));
    assert_eq!(cancel_at(json!({"cancel_at": 150, "cancel_at_period_end": false})), Some(at(150)));
    assert_eq!(cancel_at(json!({"cancel_at": 150, "cancel_at_period_end": true})), Some(at(150)));
    assert_eq!(cancel_at(json!({"canceled_at": 120})), None);
}

#[test]
fn times_and_a_pause_of_collection_are_kept() {
    let over = json!({"trial_end": 130, "ended_at": 140, "pause_collection": {"behavior": "void", "resumes_at": null}});
    let it = updated(with(new_subscription(), over));
    assert_eq!((it.trial_end, it.ended_at, it.collection_paused), (Some(at(130)), Some(at(140)), true));
    assert_eq!(it.status, SubscriptionStatus::Active);
}

#[test]
fn the_state_before_is_read_through_the_previous_attributes() {
    let old_items = json!({"items": {"data": [{"price": {"id": "price_old"}, "quantity": 5,
        "current_period_start": 10, "current_period_end": 20}]}, "status": "trialing"});
    let it = before(new_subscription(), old_items).expect("evidence");
    assert_eq!(it.items, [item("price_old", 5)]);
    assert_eq!(it.period, Some(Period { start: at(10), end: at(20) }));
    assert_eq!((it.status, it.provider_status.as_str()), (SubscriptionStatus::Trialing, "trialing"));

    let scheduled = with(new_subscription(), json!({"cancel_at": 220, "cancel_at_period_end": true}));
    let undone = before(scheduled, json!({"cancel_at": null, "cancel_at_period_end": false, "canceled_at": null}));
    assert_eq!(undone, Some(updated(new_subscription())));

    let moved = before(old_subscription(), json!({"current_period_end": 150})).expect("evidence");
    assert_eq!(moved.period, Some(Period { start: at(100), end: at(150) }));
}

#[test]
fn a_state_before_that_cannot_be_read_is_no_evidence_and_no_fault() {
    assert_eq!(before(new_subscription(), json!({"items": {"data": [{"quantity": 1}]}})), None);
    assert_eq!(before(new_subscription(), json!({"status": 5})), None);
    assert_eq!(before(new_subscription(), json!({})), None);
    assert_eq!(before(new_subscription(), json!(null)), None);
    assert_eq!(prior("customer.subscription.created", new_subscription(), json!({"status": "incomplete"})), None);
}

#[test]
fn a_subscription_ties_its_customer_owner_offer_and_invoice() {
    let metadata = json!({"purchase_customer_id": "u1", "purchase_offer_id": "o1", "other": "x"});
    for object in [old_subscription(), new_subscription()] {
        assert_eq!(
            lines(&facts("customer.subscription.deleted", with(object, json!({"metadata": metadata})))),
            [
                "subscription:sub_1 shows subscription:sub_1 ended of customer:cus_1 owner:u1 offer:o1",
                "customer:cus_1 of owner:u1(by subscription:sub_1)",
                "invoice:in_1 of customer:cus_1 subscription:sub_1",
            ]
        );
    }
}

#[test]
fn an_account_stands_for_a_customer_that_is_not_named() {
    let over = json!({"customer": null, "customer_account": "acct_7", "latest_invoice": null});
    let found = facts("customer.subscription.created", with(new_subscription(), over));
    assert_eq!(lines(&found), ["subscription:sub_1 shows subscription:sub_1 created of customer:acct_7"]);
}

#[test]
fn a_bad_subscription_names_the_path() {
    let check =
        |over, expect| assert_eq!(fault("customer.subscription.updated", with(new_subscription(), over)), expect);
    check(json!({"id": null}), shape("data.object.id", "id", "null"));
    check(json!({"status": null}), shape("data.object.status", "string", "null"));
    check(json!({"items": null}), shape("data.object.items.data", "array", "nothing"));
    check(json!({"items": []}), shape("data.object.items", "object", "array"));
    check(
        json!({"items": {"data": [{"price": {"id": 4}}]}}),
        shape("data.object.items.data[0].price.id", "id", "integer"),
    );
    check(json!({"items": {"data": [{"quantity": 1}]}}), shape("data.object.items.data[0].price", "id", "nothing"));
    check(
        json!({"items": {"data": [{"price": "p", "quantity": -1}]}}),
        shape("data.object.items.data[0].quantity", "whole quantity of at most 2^53 - 1", "negative integer"),
    );
    check(json!({"trial_end": "soon"}), shape("data.object.trial_end", "integer seconds", "string"));
    check(json!({"customer": 1}), shape("data.object.customer", "id", "integer"));
}

#[test]
fn a_schedule_has_a_state_and_a_subscription() {
    let object = |status: &str| {
        json!({"id": "sub_sched_1", "status": status, "customer": "cus_1", "subscription": null,
            "released_subscription": "sub_1", "metadata": {}})
    };
    let state = |status| match object_state("subscription_schedule.updated", object(status)) {
        ObjectState::Schedule(it) => it.state,
        other => panic!("{other:?}"),
    };
    use ScheduleState::*;
    let statuses = ["not_started", "active", "completed", "released", "canceled", "dreaming"];
    assert_eq!(statuses.map(state), [NotStarted, Active, Completed, Released, Canceled, Unknown]);
    assert_eq!(
        lines(&facts("subscription_schedule.released", object("released"))),
        ["schedule:sub_sched_1 shows schedule:sub_sched_1 changed of customer:cus_1 subscription:sub_1"]
    );
}
