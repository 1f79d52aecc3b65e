//! Holds plain's scenarios. Two of them have the same story as scenarios of acme.

use purchase_core::time::Timestamp;
use serde_json::{Value, json};

use crate::{
    acme::scenarios::{DAY, START, selling, written},
    scenario::{Expected, Scenario},
};

/// Every scenario of plain.
pub fn all() -> Vec<Scenario> {
    vec![sold_and_withdrawn(), trial(), canceled_later()]
}

/// A subscription from its first to its last day, a payment for it, and a partial refund.
fn sold_and_withdrawn() -> Scenario {
    let seat = |standing: &str| json!({ "ref": "seat_life", "plan": "plan_seats", "seats": 1, "standing": standing });
    let money = json!({ "ref": "money_life", "standing": "here", "cents": 700, "for": "seat_life" });
    let back = json!({ "ref": "back_life", "of": "money_life", "standing": "back", "cents": 200 });
    let mut owned = seat("on");
    owned["user"] = json!("user-of-plain");
    let mut over = seat("over");
    over["stopped"] = day(1);
    scenario(
        "sold-and-withdrawn",
        vec![
            ("seat/sold", 0, owned),
            ("money/came", 3, money),
            ("money/returned", 5, back),
            ("seat/withdrawn", DAY, over),
        ],
        vec![
            ("/subscriptions/seat_life/state", Expected::Is(json!("canceled"))),
            ("/payments/money_life/refunded", Expected::Is(json!(200))),
            ("/entitlements/user-of-plain/desk:seats/access", Expected::Is(json!(false))),
            ("/parked", Expected::Count(0)),
        ],
    )
}

fn trial() -> Scenario {
    let sold = |standing: &str, from: i64, until: i64| {
        let mut thing = seat("seat_trial", standing, 2);
        thing["free_until"] = day(14);
        (thing["from"], thing["until"]) = (day(from), day(until));
        thing
    };
    scenario(
        "trial-that-converts",
        vec![("seat/sold", 0, sold("trying", 0, 14)), ("seat/changed", 14 * DAY, sold("on", 14, 44))],
        vec![
            ("/subscriptions/seat_trial/state", Expected::Is(json!("active"))),
            ("/entitlements/user-of-acme/desk:seats/quantity", Expected::Is(json!(2))),
        ],
    )
}

fn canceled_later() -> Scenario {
    let sold = |stops: Value| {
        let mut thing = seat("seat_later", "on", 1);
        (thing["from"], thing["until"]) = (day(0), day(30));
        thing["stops"] = stops;
        thing
    };
    scenario(
        "canceled-for-later",
        vec![("seat/sold", 0, sold(Value::Null)), ("seat/changed", 3 * DAY, sold(day(30)))],
        vec![
            ("/subscriptions/seat_later/state", Expected::Is(json!("active"))),
            ("/entitlements/user-of-acme/desk:seats/access", Expected::Is(json!(true))),
        ],
    )
}

fn seat(name: &str, standing: &str, seats: u64) -> Value {
    json!({ "ref": name, "plan": "plan_seats", "seats": seats, "standing": standing, "user": "user-of-acme" })
}

fn day(number: i64) -> Value {
    at(number * DAY).to_string().into()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::EPOCH.plus_seconds(START + seconds)
}

fn scenario(name: &str, sent: Vec<(&'static str, i64, Value)>, expect: Vec<(&str, Expected)>) -> Scenario {
    let events = sent
        .into_iter()
        .map(|(what, after, thing)| (what, json!({ "what": what, "as_of": at(after).to_string(), "thing": thing })));
    Scenario { catalog: selling("plan_seats"), as_of: at(20 * DAY), ..written("plain", name, events, expect) }
}
