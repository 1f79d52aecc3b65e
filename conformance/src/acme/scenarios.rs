//! Holds acme's scenarios: the fewest that expose every mutant.

use std::path::PathBuf;

use purchase_core::{catalog::Catalog, id::OfferId, time::Timestamp};
use serde_json::{Value, json};

use crate::scenario::{Expectation, Expected, Origin, Recorded, Scenario};

pub(crate) const START: i64 = 1_750_000_000;

/// The seconds of a day.
pub(crate) const DAY: i64 = 24 * 3600;

/// Every scenario of acme.
pub fn all() -> Vec<Scenario> {
    vec![
        burst(),
        orphans(),
        strangers(),
        one_life(),
        attempts(),
        handed_over(),
        old_copy(),
        customer_deleted(),
        trial(),
        canceled_later(),
    ]
}

/// A subscription that is created and changed twice in one second.
fn burst() -> Scenario {
    let sold = |quantity: u64| subscription("sub_burst", "active", quantity);
    scenario(
        "a-burst-in-one-second",
        vec![
            ("ev_b9", "subscription.created", 0, sold(1), Value::Null),
            ("ev_b5", "subscription.changed", 0, sold(5), json!({ "quantity": 1 })),
            ("ev_b1", "subscription.changed", 0, sold(6), json!({ "quantity": 5 })),
        ],
        vec![
            ("/subscriptions/sub_burst/items/price_seats", Expected::Is(json!(6))),
            ("/entitlements/user-of-acme/price_seats/quantity", Expected::Is(json!(6))),
            ("/ambiguous", Expected::Count(0)),
        ],
    )
}

/// A payment and its refund, without an owner until the subscription arrives.
fn orphans() -> Scenario {
    let payment = json!({ "id": "pay_orphan", "status": "succeeded", "amount": 900, "subscription": "sub_orphan" });
    let refund = json!({ "id": "ref_orphan", "payment": "pay_orphan", "status": "succeeded", "amount": 400 });
    scenario(
        "orphans-find-their-owner",
        vec![
            ("ev_o4", "customer.created", 0, customer("cus_orphan"), Value::Null),
            ("ev_o3", "subscription.created", 1, owned("sub_orphan", "cus_orphan"), Value::Null),
            ("ev_o2", "payment.created", 2, payment, Value::Null),
            ("ev_o1", "refund.created", 3, refund, Value::Null),
        ],
        vec![
            ("/payments/pay_orphan/customer", Expected::Is(json!("cus_orphan"))),
            ("/payments/pay_orphan/refunded", Expected::Is(json!(400))),
            ("/customers/cus_orphan/customer", Expected::Is(json!("user-of-acme"))),
            ("/parked", Expected::Count(0)),
        ],
    )
}

/// An event of an unknown type, and a payment without a known owner.
fn strangers() -> Scenario {
    let payment = json!({ "id": "pay_stranger", "status": "succeeded", "amount": 500 });
    scenario(
        "strangers-are-kept",
        vec![
            ("ev_s2", "teapot.filled", 0, json!({ "id": "tea_1" }), Value::Null),
            ("ev_s1", "payment.created", 1, payment, Value::Null),
        ],
        vec![
            ("/payments/pay_stranger/state", Expected::Is(json!("succeeded"))),
            ("/parked/pay_stranger/kind", Expected::Is(json!("payment"))),
        ],
    )
}

/// A subscription from its first to its last day.
fn one_life() -> Scenario {
    let sold = |status: &str, quantity: u64| subscription("sub_life", status, quantity);
    let mut over = sold("canceled", 3);
    over["ended_at"] = json!(START + 90);
    scenario(
        "one-life",
        vec![
            ("ev_l5", "subscription.created", 0, sold("pending", 1), Value::Null),
            ("ev_l4", "subscription.changed", 0, sold("active", 1), json!({ "status": "pending" })),
            ("ev_l3", "subscription.changed", 60, sold("active", 3), json!({ "quantity": 1 })),
            ("ev_l2", "subscription.ended", 90, over, Value::Null),
        ],
        vec![
            ("/subscriptions/sub_life/state", Expected::Is(json!("canceled"))),
            ("/subscriptions/sub_life/items/price_seats", Expected::Is(json!(3))),
            ("/entitlements/user-of-acme/price_seats/access", Expected::Is(json!(false))),
            ("/subscriptions/sub_life/trial_end", Expected::Absent),
        ],
    )
}

/// A payment with a failed attempt, a succeeded one and a missing third one, and a refund that takes two events.
fn attempts() -> Scenario {
    let paid =
        |id: &str, status: &str| json!({ "id": id, "status": status, "amount": 900, "subscription": "sub_tried" });
    let refund = |status: &str| json!({ "id": "ref_tried", "payment": "pay_two", "status": status, "amount": 300 });
    scenario(
        "two-attempts-and-a-refund",
        vec![
            ("ev_a6", "subscription.created", 0, subscription("sub_tried", "active", 1), Value::Null),
            ("ev_a5", "payment.created", 1, paid("pay_one", "failed"), Value::Null),
            ("ev_a4", "payment.created", 2, paid("pay_two", "succeeded"), Value::Null),
            ("ev_a3", "refund.created", 3, refund("pending"), Value::Null),
            ("ev_a2", "refund.changed", 4, refund("succeeded"), json!({ "status": "pending" })),
            ("ev_a1", "payment.created", 5, paid("pay_three", "pending"), Value::Null),
        ],
        vec![
            ("/payments", Expected::Count(3)),
            ("/payments/pay_one/state", Expected::Is(json!("failed"))),
            ("/payments/pay_two/refunded", Expected::Is(json!(300))),
            ("/payments/pay_three/state", Expected::Is(json!("pending"))),
            ("/refunds", Expected::Count(1)),
        ],
    )
}

/// A subscription that is transferred to another user.
fn handed_over() -> Scenario {
    let of = |owner: &str, quantity: u64| {
        let mut object = subscription("sub_handed", "active", quantity);
        object["owner"] = json!(owner);
        object
    };
    scenario(
        "handed-over",
        vec![
            ("ev_h3", "subscription.created", 0, of("user-of-acme", 1), Value::Null),
            ("ev_h2", "subscription.changed", 10, of("heir-of-acme", 1), json!({})),
            ("ev_h1", "subscription.changed", 20, of("heir-of-acme", 2), json!({ "quantity": 1 })),
        ],
        vec![
            ("/entitlements/heir-of-acme/price_seats/quantity", Expected::Is(json!(2))),
            ("/entitlements/user-of-acme", Expected::Absent),
            ("/subscriptions", Expected::Count(1)),
        ],
    )
}

/// A subscription that is transferred to another user, and a later payment with a copy of the old owner.
fn old_copy() -> Scenario {
    let of = |owner: &str| {
        let mut object = subscription("sub_copied", "active", 1);
        object["owner"] = json!(owner);
        object
    };
    let paid = json!({
        "id": "pay_copied", "status": "succeeded", "amount": 900, "subscription": "sub_copied",
        "subscriber": { "owner": "user-of-acme", "said_at": START },
    });
    scenario(
        "an-old-copy-comes-late",
        vec![
            ("ev_o3", "subscription.created", 0, of("user-of-acme"), Value::Null),
            ("ev_o2", "subscription.changed", 10, of("heir-of-acme"), json!({})),
            ("ev_o1", "payment.created", 20, paid, Value::Null),
        ],
        vec![
            ("/entitlements/heir-of-acme/price_seats/access", Expected::Is(json!(true))),
            ("/entitlements/user-of-acme", Expected::Absent),
        ],
    )
}

/// A customer from its first to its last day.
fn customer_deleted() -> Scenario {
    let named = |email: &str| json!({ "id": "cus_gone", "email": email, "owner": "user-of-acme" });
    let old = json!({ "email": "old.name@example.com" });
    scenario(
        "customer-deleted",
        vec![
            ("ev_c3", "customer.created", 0, named("old.name@example.com"), Value::Null),
            ("ev_c2", "customer.changed", 10, named("new.name@example.com"), old),
            ("ev_c1", "customer.ended", 20, named("new.name@example.com"), Value::Null),
        ],
        vec![
            ("/customers/cus_gone/deleted", Expected::Is(json!(true))),
            ("/customers/cus_gone/email", Expected::Is(json!("new.name@example.com"))),
        ],
    )
}

/// A two-week trial that becomes a paid month. The other provider has a scenario with the same story.
fn trial() -> Scenario {
    let sold = |status: &str, from: i64, until: i64| {
        let mut object = subscription("sub_trial", status, 2);
        object["trial_end"] = json!(START + 14 * DAY);
        object["period"] = json!([START + from * DAY, START + until * DAY]);
        object
    };
    let before = json!({ "status": "trialing", "period": [START, START + 14 * DAY] });
    of_counterpart(scenario(
        "trial-that-converts",
        vec![
            ("ev_t2", "subscription.created", 0, sold("trialing", 0, 14), Value::Null),
            ("ev_t1", "subscription.changed", 14 * DAY, sold("active", 14, 44), before),
        ],
        vec![
            ("/subscriptions/sub_trial/state", Expected::Is(json!("active"))),
            ("/entitlements/user-of-acme/desk:seats/quantity", Expected::Is(json!(2))),
        ],
    ))
}

/// A subscription that is canceled for the end of its period. The other provider has a scenario with the same story.
fn canceled_later() -> Scenario {
    let sold = |cancel_at: Value| {
        let mut object = subscription("sub_later", "active", 1);
        object["period"] = json!([START, START + 30 * DAY]);
        object["cancel_at"] = cancel_at;
        object
    };
    of_counterpart(scenario(
        "canceled-for-later",
        vec![
            ("ev_e2", "subscription.created", 0, sold(Value::Null), Value::Null),
            ("ev_e1", "subscription.changed", 3 * DAY, sold(json!(START + 30 * DAY)), json!({ "cancel_at": null })),
        ],
        vec![
            ("/subscriptions/sub_later/state", Expected::Is(json!("active"))),
            ("/entitlements/user-of-acme/desk:seats/access", Expected::Is(json!(true))),
        ],
    ))
}

/// Adds offers, which the prices of two providers can share, and reads on the twentieth day.
fn of_counterpart(scenario: Scenario) -> Scenario {
    Scenario { catalog: selling("price_seats"), as_of: Timestamp::EPOCH.plus_seconds(START + 20 * DAY), ..scenario }
}

/// A catalogue in which a price sells seats at a desk.
pub(crate) fn selling(price: &str) -> Catalog {
    let offers = OfferId::new("desk:seats").map(|offer| (price.to_owned(), offer));
    Catalog { prices: offers.into_iter().collect() }
}

fn customer(id: &str) -> Value {
    json!({ "id": id, "email": "ada.king@example.com", "owner": "user-of-acme" })
}

fn subscription(id: &str, status: &str, quantity: u64) -> Value {
    json!({ "id": id, "status": status, "price": "price_seats", "quantity": quantity, "owner": "user-of-acme" })
}

fn owned(id: &str, customer: &str) -> Value {
    json!({ "id": id, "status": "active", "price": "price_seats", "quantity": 1, "customer": customer })
}

type Sent = (&'static str, &'static str, i64, Value, Value);

fn scenario(name: &str, sent: Vec<Sent>, expect: Vec<(&str, Expected)>) -> Scenario {
    let events = sent.into_iter().map(|(id, event_type, after, object, before)| {
        let event = json!({ "id": id, "type": event_type, "at": START + after, "object": object, "before": before });
        (event_type, event)
    });
    written("acme", name, events, expect)
}

/// A scenario of one of the kit's own providers, read after a hundred seconds.
pub(crate) fn written<'a>(
    provider: &str,
    name: &str,
    events: impl Iterator<Item = (&'a str, Value)>,
    expect: Vec<(&str, Expected)>,
) -> Scenario {
    let deliveries = (1..).zip(events).map(|(number, (event_type, event))| {
        // The body has line breaks, so that it differs from its compact JSON.
        let body = serde_json::to_vec_pretty(&event).unwrap_or_default();
        Recorded { number, event_type: event_type.replace('/', "."), body, headers: None, late: false }
    });
    let expectations =
        expect.into_iter().map(|(at, expected)| Expectation { at: at.to_owned(), expected, line: 0 }).collect();
    Scenario {
        name: name.to_owned(),
        folder: PathBuf::new(),
        title: name.replace('-', " "),
        proves: "the kit can tell right from wrong".to_owned(),
        provider: provider.to_owned(),
        api_version: "1".to_owned(),
        origin: Origin::Written,
        secret: format!("the secret of {provider}"),
        as_of: Timestamp::EPOCH.plus_seconds(START + 100),
        catalog: Catalog::default(),
        deliveries: deliveries.collect(),
        expectations,
    }
}
