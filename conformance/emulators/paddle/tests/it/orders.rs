//! Which events each action causes, and in which order: those that Paddle documents for its webhook simulator, and those
//! that were recorded.

use purchase_emulator_paddle::{Account, account::Oddities};
use serde_json::{Value, json};

use crate::common::{DAY, Shop};

/// The types of events, with the statuses that they show.
fn told(shop: &mut Shop) -> Vec<String> {
    let status = |body: &Value| body["data"]["status"].as_str().unwrap_or_default().to_owned();
    let read = |body: &[u8]| -> Value { serde_json::from_slice(body).expect("JSON") };
    shop.deliveries().iter().map(|it| format!("{} {}", it.event_type, status(&read(&it.body)))).collect()
}

/// A shop whose events so far were taken.
fn shop() -> Shop {
    let mut shop = Shop::new(3, Account::default());
    shop.deliveries();
    shop
}

/// A renewed or resumed subscription's transaction.
const BILLED_AND_PAID: [&str; 6] = [
    "transaction.created billed",
    "transaction.billed billed",
    "transaction.updated paid",
    "transaction.paid paid",
    "transaction.updated completed",
    "transaction.completed completed",
];

#[test]
fn a_sign_up() {
    let mut shop = shop();
    let monthly = shop.monthly.clone();
    let (transaction, _) = shop.buy(&monthly);
    let named: Vec<String> = shop
        .world
        .shared()
        .events()
        .iter()
        .filter(|it| it.body["data"]["transaction_id"] == transaction.as_str())
        .map(|it| it.event_type.clone())
        .collect();
    assert_eq!(named, ["subscription.created"], "no other event names the transaction");
    let expect = [
        "transaction.created draft",
        "customer.created active",
        "address.created active",
        "transaction.updated ready",
        "transaction.ready ready",
        "transaction.updated paid",
        "transaction.paid paid",
        "subscription.created active",
        "subscription.activated active",
        "transaction.updated completed",
        "transaction.completed completed",
    ];
    assert_eq!(told(&mut shop), expect);
}

#[test]
fn a_renewal() {
    let mut shop = shop();
    let monthly = shop.monthly.clone();
    shop.buy(&monthly);
    told(&mut shop);
    shop.wait(31 * DAY);
    assert_eq!(told(&mut shop), [&["subscription.updated active"], BILLED_AND_PAID.as_slice()].concat());
}

#[test]
fn a_renewal_that_fails_and_is_recovered() {
    let mut shop = shop();
    let monthly = shop.monthly.clone();
    let (transaction, _) = shop.buy(&monthly);
    let customer = shop.get(&format!("/transactions/{transaction}"))["customer_id"].clone();
    shop.act(json!({ "act": "card", "customer": customer, "works": false }));
    told(&mut shop);
    shop.wait(31 * DAY);
    let expect = [
        "subscription.updated active",
        "transaction.created billed",
        "transaction.billed billed",
        "transaction.payment_failed billed",
        "transaction.updated past_due",
        "transaction.past_due past_due",
        "subscription.updated past_due",
        "subscription.past_due past_due",
    ];
    assert_eq!(told(&mut shop), expect);
    // The account's first retry.
    shop.wait(DAY);
    assert_eq!(told(&mut shop), ["transaction.updated past_due", "transaction.payment_failed past_due"]);
    shop.act(json!({ "act": "card", "customer": customer, "works": true }));
    shop.wait(2 * DAY);
    let expect = [&BILLED_AND_PAID[2..], &["subscription.updated active"]].concat();
    assert_eq!(told(&mut shop), expect);
    let renewal = shop.get("/transactions?origin=subscription_recurring")[0].clone();
    assert_eq!(renewal["billed_at"], renewal["billing_period"]["starts_at"], "it was billed once");
    assert_ne!(renewal["billed_at"], renewal["payments"][0]["captured_at"]);
}

#[test]
fn a_trial_that_converts() {
    let mut shop = shop();
    let (cycle, trial) = (json!({ "interval": "month", "frequency": 1 }), json!({ "interval": "day", "frequency": 7 }));
    let price = shop.price("Trial", 900, cycle, trial);
    let (transaction, _) = shop.buy(&price);
    let begins = told(&mut shop);
    assert_eq!(begins[8..10], ["subscription.created trialing", "subscription.trialing trialing"]);
    let shown = shop.get(&format!("/transactions/{transaction}"));
    assert_eq!((&shown["details"]["totals"]["grand_total"], &shown["payments"]), (&json!("0"), &json!([])));
    shop.wait(8 * DAY);
    let activated = ["subscription.updated active", "subscription.activated active"];
    assert_eq!(told(&mut shop), [&["subscription.updated active"], BILLED_AND_PAID.as_slice(), &activated].concat(),);
}

#[test]
fn pauses_resumptions_and_cancellations() {
    let mut shop = shop();
    let monthly = shop.monthly.clone();
    let (_, id) = shop.buy(&monthly);
    told(&mut shop);
    let mut check = |call: &str, body: Value, seconds: i64, expect: &[&str]| {
        shop.post(&format!("/subscriptions/{id}/{call}"), body);
        shop.wait(seconds);
        assert_eq!(told(&mut shop), expect, "{call}");
    };
    let now = json!({ "effective_from": "immediately" });
    let paused = ["subscription.updated paused", "subscription.paused paused"];
    let resumed = ["subscription.updated active", "subscription.resumed active"];
    let activated = ["subscription.updated active", "subscription.activated active"];
    let back = [&resumed, BILLED_AND_PAID.as_slice(), &activated].concat();
    check("pause", now.clone(), 0, &paused);
    check("resume", now.clone(), 0, &back);
    check("pause", json!({}), 0, &["subscription.updated active"]);
    check("resume", json!({ "effective_from": "2026-12-24T00:00:00Z" }), 0, &["subscription.updated active"]);
    // Both the pause and its end take effect by themselves.
    shop.wait(85 * DAY);
    assert_eq!(told(&mut shop), [&paused, back.as_slice()].concat());
    let mut check = |call: &str, body: Value, seconds: i64, expect: &[&str]| {
        shop.post(&format!("/subscriptions/{id}/{call}"), body);
        shop.wait(seconds);
        assert_eq!(told(&mut shop), expect, "{call}");
    };
    let ended = ["subscription.updated canceled", "subscription.canceled canceled"];
    check("cancel", json!({}), 31 * DAY, &[&["subscription.updated active"], ended.as_slice()].concat());
}

#[test]
fn what_is_owed_is_voided_with_its_subscription() {
    let mut shop = shop();
    let monthly = shop.monthly.clone();
    let (transaction, id) = shop.buy(&monthly);
    let customer = shop.get(&format!("/transactions/{transaction}"))["customer_id"].clone();
    shop.act(json!({ "act": "card", "customer": customer, "works": false }));
    shop.wait(31 * DAY);
    told(&mut shop);
    shop.post(&format!("/subscriptions/{id}/cancel"), json!({ "effective_from": "immediately" }));
    let expect = [
        "subscription.updated canceled",
        "subscription.canceled canceled",
        "transaction.updated canceled",
        "transaction.canceled canceled",
    ];
    assert_eq!(told(&mut shop), expect);
}

#[test]
fn refunds_and_chargebacks() {
    let mut shop = shop();
    let once = shop.once.clone();
    let (transaction, _) = shop.buy(&once);
    told(&mut shop);
    let refund = json!({ "action": "refund", "transaction_id": transaction, "reason": "asked", "type": "full" });
    let refund = shop.id("/adjustments", refund);
    assert_eq!(told(&mut shop), ["adjustment.created pending_approval"]);
    shop.wait(599);
    assert_eq!(told(&mut shop), [""; 0]);
    shop.wait(1);
    assert_eq!(told(&mut shop), ["adjustment.updated approved"]);
    let chargeback = shop.act(json!({ "act": "chargeback", "transaction": transaction }))["adjustment"].clone();
    shop.act(json!({ "act": "reverse", "adjustment": chargeback }));
    // Only refunds have `adjustment.updated`.
    assert_eq!(told(&mut shop), ["adjustment.created approved", "adjustment.created approved"]);
    let shown = shop.get("/adjustments");
    let states: Vec<String> = shown
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            format!("{} {}", it["action"].as_str().unwrap_or_default(), it["status"].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(states, ["chargeback_reverse approved", "chargeback reversed", "refund approved"]);
    assert_eq!(shown[2]["id"], refund.as_str());
}

#[test]
fn a_checkout_that_needs_several_attempts() {
    let mut shop = shop();
    let once = shop.once.clone();
    let transaction = shop.open(&once);
    told(&mut shop);
    let mut check = |card: &str, attempts: usize, expect: &[&str]| {
        shop.pay(&transaction, card);
        let types = told(&mut shop);
        assert_eq!(types[types.len() - expect.len()..], *expect, "{card}");
        let shown = shop.get(&format!("/transactions/{transaction}"));
        assert_eq!(shown["payments"].as_array().map(Vec::len), Some(attempts), "{card}");
        shown["payments"][0].clone()
    };
    let failed = ["transaction.updated ready", "transaction.payment_failed ready"];
    assert_eq!(check("declined", 1, &failed)["error_code"], "declined");
    let failed = ["transaction.updated ready", "transaction.updated ready", "transaction.payment_failed ready"];
    assert_eq!(check("three_d_secure_failed", 2, &failed)["error_code"], "authentication_failed");
    assert_eq!(check("delayed", 3, &["transaction.updated ready"])["status"], "pending_no_action_required");
    shop.act(json!({ "act": "settle_payment", "transaction": transaction, "succeeds": true }));
    let shown = shop.get(&format!("/transactions/{transaction}"));
    assert_eq!((&shown["status"], &shown["payments"][0]["status"]), (&json!("completed"), &json!("captured")));
    assert_eq!(told(&mut shop), BILLED_AND_PAID[2..]);
}

/// Retrieving an object always shows its true state.
#[test]
fn oddities_are_in_the_events_alone() {
    let plain = odd(Oddities::default());
    let check = |oddities: Oddities, expect: &dyn Fn(&[Value]) -> bool| {
        let name = format!("{oddities:?}");
        assert!(!expect(&plain), "without {name}");
        assert!(expect(&odd(oddities)), "{name}");
    };
    let on = Oddities::default;
    let place = |events: &[Value], name: &str| events.iter().position(|it| it["event_type"] == name);
    let before = |a: &'static str, b: &'static str| move |events: &[Value]| place(events, a) < place(events, b);
    check(
        Oddities { activated_before_created: 100, ..on() },
        &before("subscription.activated", "subscription.created"),
    );
    check(Oddities { customer_after_ready: 100, ..on() }, &before("transaction.ready", "customer.created"));
    check(
        Oddities { failure_after_past_due: 100, ..on() },
        &before("transaction.past_due", "transaction.payment_failed"),
    );
    check(Oddities { status_before_updated: 100, ..on() }, &before("transaction.ready", "transaction.updated"));
    check(Oddities { subscription_after_completed: 100, ..on() }, &|events| {
        let completed = &events[place(events, "transaction.completed").expect("completed")];
        completed["data"]["subscription_id"].is_null()
            && place(events, "transaction.completed") < place(events, "subscription.created")
    });
    check(Oddities { stale_after_completed: 100, ..on() }, &|events| {
        let completed = place(events, "transaction.completed").expect("completed");
        let next = &events[completed + 1];
        next["data"]["status"] == "paid" && next["data"]["id"] == events[completed]["data"]["id"]
    });
    check(Oddities { same_microsecond: 100, ..on() }, &|events| {
        let billed = place(events, "transaction.billed").expect("billed");
        events[billed]["occurred_at"] == events[billed - 1]["occurred_at"]
    });
    check(Oddities { future_time: 100, ..on() }, &|events| {
        let future = |it: &&Value| it["data"]["updated_at"].as_str() > it["occurred_at"].as_str();
        events.iter().filter(future).all(|it| it["event_type"] == "subscription.updated")
            && events.iter().filter(future).count() == 1
    });
    check(Oddities { zero_time: 100, ..on() }, &|events| {
        events.iter().any(|it| it["data"]["updated_at"] == "0001-01-01T00:00:00Z")
    });
    check(Oddities { shared_time: 100, ..on() }, &|events| {
        let failed = &events[place(events, "transaction.payment_failed").expect("failed")];
        let past_due = &events[place(events, "transaction.past_due").expect("past due")];
        failed["data"]["updated_at"] == past_due["data"]["updated_at"]
    });
    check(Oddities { nanoseconds: 100, ..on() }, &|events| {
        let times = events.iter().filter(|it| it["data"]["status"] == "ready").map(|it| &it["data"]["updated_at"]);
        let lengths: Vec<usize> = times.map(|it| it.as_str().unwrap_or_default().len()).collect();
        lengths == [30, 27, 30, 27]
    });
    check(Oddities { ready_before_created: 100, ..on() }, &|events| {
        let of_last = events.iter().rev().find(|it| it["data"]["origin"] == "api").map(|it| &it["event_type"]);
        of_last == Some(&json!("transaction.created"))
    });
}

/// The events of a sign-up, a failing renewal, a refund and a transaction that is ready at once.
fn odd(oddities: Oddities) -> Vec<Value> {
    let mut shop = Shop::new(3, Account { oddities, ..Account::default() });
    shop.deliveries();
    let (monthly, once) = (shop.monthly.clone(), shop.once.clone());
    let (transaction, _) = shop.buy(&monthly);
    let shown = shop.get(&format!("/transactions/{transaction}"));
    shop.act(json!({ "act": "card", "customer": shown["customer_id"], "works": false }));
    shop.wait(31 * DAY);
    let refund = json!({ "action": "refund", "transaction_id": transaction, "reason": "asked", "type": "full" });
    shop.id("/adjustments", refund);
    let items = json!([{ "price_id": once, "quantity": 1 }]);
    let body = json!({ "items": items, "customer_id": shown["customer_id"], "address_id": shown["address_id"] });
    shop.id("/transactions", body);
    for list in ["transactions", "subscriptions", "adjustments"] {
        for object in shop.get(&format!("/{list}")).as_array().into_iter().flatten() {
            let time = object["updated_at"].as_str().unwrap_or_default();
            assert!(time > "2026" && time < "2026-11-06" && time.len() <= 27, "{list}: {time}");
        }
    }
    assert!(!shop.get(&format!("/transactions/{transaction}"))["subscription_id"].is_null());
    shop.deliveries().iter().map(|it| serde_json::from_slice(&it.body).expect("JSON")).collect()
}
