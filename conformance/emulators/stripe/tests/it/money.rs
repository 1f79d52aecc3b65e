//! Refunds and disputes.

use purchase_core::transport::Method;
use purchase_emulator_stripe::StripeSettings;
use serde_json::{Value, json};

use crate::bench::{Bench, text};

fn refund(bench: &mut Bench, intent: &str, rest: &str) -> Value {
    bench.post("/v1/refunds", &format!("payment_intent={intent}{rest}"))
}

/// The refunded total that the payment's charge shows.
fn refunded(bench: &mut Bench, intent: &str) -> Value {
    bench.get(&format!("/v1/payment_intents/{intent}?expand[]=latest_charge"))["latest_charge"]["amount_refunded"]
        .clone()
}

#[test]
fn a_refund_is_told_twice() {
    let mut bench = Bench::new();
    let intent = bench.purchase("visa");
    let from = bench.told();
    let made = refund(&mut bench, &intent, "&reason=requested_by_customer&metadata[a]=b");
    assert_eq!((&made["status"], &made["amount"]), (&json!("succeeded"), &json!(4900)));
    assert_eq!(bench.events(from), ["refund.created", "charge.refunded"]);
    let told = bench.last("charge.refunded");
    let changed: Vec<&String> = told["data"]["previous_attributes"].as_object().expect("an object").keys().collect();
    assert_eq!(changed, ["amount_refunded", "receipt_url", "refunded"], "recorded");
    assert!(text(&told, "id").starts_with("evt_3"), "an event about a payment");
    assert_eq!(told["request"]["id"], bench.last("refund.created")["request"]["id"]);
    assert!(told["request"]["id"].as_str().is_some_and(|id| id.starts_with("req_")));
}

#[test]
fn parts_are_refunded_until_nothing_is_left() {
    let mut bench = Bench::new();
    let intent = bench.purchase("visa");
    refund(&mut bench, &intent, "&amount=900");
    assert_eq!(bench.last("charge.refunded")["data"]["object"]["refunded"], false);
    let more = bench.refused(Method::Post, "/v1/refunds", &format!("payment_intent={intent}&amount=4001"));
    assert_eq!(more, (400, "invalid_request_error - amount".to_owned()));
    refund(&mut bench, &intent, "");
    assert_eq!(refunded(&mut bench, &intent), 4900);
    let again = bench.refused(Method::Post, "/v1/refunds", &format!("payment_intent={intent}"));
    assert_eq!(again, (400, "invalid_request_error charge_already_refunded -".to_owned()));
    let listed = bench.get(&format!("/v1/refunds?payment_intent={intent}"));
    let amounts: Vec<_> = listed["data"].as_array().expect("a list").iter().map(|it| it["amount"].clone()).collect();
    assert_eq!(amounts, [4000, 900], "newest first");
}

#[test]
fn a_refund_can_stay_pending_and_be_decided() {
    for (succeeds, expect) in [
        (true, vec!["refund.updated", "charge.refund.updated"]),
        (false, vec!["refund.updated", "charge.refund.updated", "refund.failed"]),
    ] {
        let mut bench = Bench::new();
        let intent = bench.purchase("visa");
        bench.act(json!({ "act": "refunds_begin", "payment_intent": intent, "begin": "pending" }));
        let made = refund(&mut bench, &intent, "&amount=1000");
        assert_eq!(made["status"], "pending");
        assert_eq!(refunded(&mut bench, &intent), 1000, "a pending refund counts");
        bench.wait(30 * 24 * 3600);
        let from = bench.told();
        let settled = bench.act(json!({ "act": "settle_refund", "refund": made["id"], "succeeds": succeeds }));
        assert_eq!(settled["status"], if succeeds { "succeeded" } else { "failed" });
        assert_eq!(bench.events(from), expect);
        assert_eq!(refunded(&mut bench, &intent), if succeeds { 1000 } else { 0 });
    }
}

#[test]
fn refunds_to_test_cards_end_by_themselves() {
    for (method, first, last) in [("refund_pending", "pending", "succeeded"), ("refund_fails", "succeeded", "failed")] {
        let mut bench = Bench::new();
        let intent = bench.purchase(method);
        let made = refund(&mut bench, &intent, "");
        assert_eq!(made["status"], first);
        bench.wait(3600);
        let it = bench.get(&format!("/v1/refunds/{}", text(&made, "id")));
        assert_eq!(it["status"], last);
        assert_eq!(it["failure_reason"].is_string(), last == "failed");
    }
}

#[test]
fn one_change_can_cause_two_events() {
    let mut bench = Bench::with(StripeSettings { refunded_twice: true, ..StripeSettings::default() });
    let intent = bench.purchase("visa");
    let from = bench.told();
    refund(&mut bench, &intent, "");
    assert_eq!(bench.events(from), ["refund.created", "charge.refunded", "charge.refunded"]);
    let events = &bench.world.shared().events()[from + 1..];
    assert_ne!(events[0].id, events[1].id);
    assert_eq!(events[0].body["data"], events[1].body["data"]);
}

#[test]
fn disputes_take_the_money_and_give_it_back() {
    for (outcome, last) in [("won", "charge.dispute.funds_reinstated"), ("lost", "charge.dispute.closed")] {
        let mut bench = Bench::new();
        let intent = bench.purchase("visa");
        let from = bench.told();
        let dispute = bench.act(json!({ "act": "open_dispute", "payment_intent": intent }));
        assert_eq!(bench.events(from), ["charge.dispute.created", "charge.dispute.funds_withdrawn"]);
        let refused = bench.refused(Method::Post, "/v1/refunds", &format!("payment_intent={intent}"));
        assert_eq!(refused, (400, "invalid_request_error charge_disputed -".to_owned()));
        bench.act(json!({ "act": "close_dispute", "dispute": dispute["id"], "outcome": outcome }));
        assert_eq!(bench.events(from).last(), Some(&last));
        let it = bench.get(&format!("/v1/disputes/{}", text(&dispute, "id")));
        assert_eq!(it["status"], outcome);
        let sum: i64 =
            it["balance_transactions"].as_array().expect("a list").iter().filter_map(|it| it["amount"].as_i64()).sum();
        assert_eq!(sum, if outcome == "won" { 0 } else { -4900 });
        let again = json!({ "act": "close_dispute", "dispute": dispute["id"], "outcome": "lost" });
        bench.refused_act(again);
    }
}

#[test]
fn an_inquiry_takes_no_money() {
    let mut bench = Bench::new();
    let intent = bench.purchase("visa");
    let open = json!({ "act": "open_dispute", "payment_intent": intent, "inquiry": true });
    let from = bench.told();
    let inquiry = bench.act(open.clone());
    assert_eq!((&inquiry["status"], &inquiry["balance_transactions"]), (&json!("warning_needs_response"), &json!([])));
    let closed = bench.act(json!({ "act": "close_dispute", "dispute": inquiry["id"], "outcome": "warning_closed" }));
    assert_eq!(closed["status"], "warning_closed");
    assert_eq!(bench.events(from), ["charge.dispute.created", "charge.dispute.closed"]);
    let other = bench.act(open);
    let from = bench.told();
    let escalated = bench.act(json!({ "act": "escalate_inquiry", "dispute": other["id"] }));
    assert_eq!(escalated["status"], "needs_response");
    assert_eq!(bench.events(from), ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]);
}
