//! Decides which scenarios the kit brings along: as few as let every mutant show itself.

use std::path::PathBuf;

use purchase_core::{catalog::Catalog, time::Timestamp};
use serde_json::{Value, json};

use crate::scenario::{Expectation, Expected, Origin, Recorded, Scenario};

const START: i64 = 1_750_000_000;

/// Every scenario of acme.
pub fn all() -> Vec<Scenario> {
    vec![burst(), orphans(), strangers(), one_life()]
}

/// Created and changed twice, all in one second.
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

/// A payment and its refund that nobody owns until the subscription comes.
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

/// A type and a payment that belong to nobody we know.
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
    let deliveries = (1..).zip(sent).map(|(number, (id, event_type, after, object, before))| {
        let event = json!({ "id": id, "type": event_type, "at": START + after, "object": object, "before": before });
        // Written with line breaks, so that a body and its JSON differ.
        let body = serde_json::to_vec_pretty(&event).unwrap_or_default();
        Recorded { number, event_type: event_type.to_owned(), body, headers: None, late: false }
    });
    let expectations =
        expect.into_iter().map(|(at, expected)| Expectation { at: at.to_owned(), expected, line: 0 }).collect();
    Scenario {
        name: name.to_owned(),
        folder: PathBuf::new(),
        title: name.replace('-', " "),
        proves: "the kit can tell right from wrong".to_owned(),
        provider: "acme".to_owned(),
        api_version: "1".to_owned(),
        origin: Origin::Written,
        secret: "the secret of acme".to_owned(),
        as_of: Timestamp::EPOCH.plus_seconds(START + 100),
        catalog: Catalog::default(),
        deliveries: deliveries.collect(),
        expectations,
    }
}
