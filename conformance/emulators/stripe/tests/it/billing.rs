//! Subscriptions over time: renewals, retries, ends, pauses.

use purchase_core::transport::Method;
use purchase_emulator_stripe::{AfterRetries, StripeSettings};
use serde_json::{Value, json};

use crate::bench::{Bench, DAY, START, text};

/// 2026-07-01T08:00:00Z, a month after the start.
const SECOND_PERIOD: i64 = START + 30 * DAY;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|it| it.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn until(bench: &mut Bench, at: i64) {
    let seconds = at - bench.world.now().seconds();
    bench.wait(seconds);
}

#[test]
fn a_renewal_is_a_draft_for_an_hour() {
    let mut bench = Bench::new();
    let (id, _) = bench.subscription();
    let from = bench.told();
    until(&mut bench, SECOND_PERIOD - 1);
    assert_eq!(bench.events(from), [""; 0]);
    bench.wait(1);
    assert_eq!(bench.events(from), ["customer.subscription.updated", "invoice.created"]);
    let told = bench.last("customer.subscription.updated");
    let item = &told["data"]["object"]["items"]["data"][0];
    assert_eq!(
        (&item["current_period_start"], &item["current_period_end"]),
        (&json!(SECOND_PERIOD), &json!(SECOND_PERIOD + 31 * DAY))
    );
    assert_eq!(keys(&told["data"]["previous_attributes"]), ["items"], "recorded: latest_invoice is not among them");
    assert_eq!(keys(&told["data"]["previous_attributes"]["items"]), ["data"], "the whole old array");
    let draft = bench.last("invoice.created")["data"]["object"].clone();
    assert_eq!((&draft["status"], &draft["billing_reason"]), (&json!("draft"), &json!("subscription_cycle")));
    assert_eq!(draft["automatically_finalizes_at"], json!(SECOND_PERIOD + 3600));
    let from = bench.told();
    bench.wait(3600);
    let expect = [
        "payment_intent.created",
        "invoice.updated",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ];
    assert_eq!(bench.events(from), expect);
    let it = bench.get(&format!("/v1/subscriptions/{id}?expand[]=latest_invoice.payments"));
    let invoice = &it["latest_invoice"];
    assert_eq!(
        (&invoice["status"], &invoice["attempt_count"], &invoice["amount_paid"]),
        (&json!("paid"), &json!(1), &json!(1500))
    );
    let payment = text(&invoice["payments"]["data"][0]["payment"], "payment_intent");
    let found =
        bench.get(&format!("/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={payment}"));
    assert_eq!(found["data"][0]["invoice"], invoice["id"]);
}

fn failing(after_retries: AfterRetries) -> (Bench, String, String) {
    let mut bench = Bench::with(StripeSettings { after_retries, ..StripeSettings::default() });
    let (id, customer) = bench.subscription();
    bench.act(json!({ "act": "set_payment_methods", "customer": customer, "decline": "insufficient_funds" }));
    until(&mut bench, SECOND_PERIOD + 3600);
    (bench, id, customer)
}

#[test]
fn a_failed_renewal_is_tried_again_as_declared() {
    let (mut bench, id, customer) = failing(AfterRetries::Cancel);
    let path = format!("/v1/subscriptions/{id}?expand[]=latest_invoice");
    assert_eq!(
        bench.last("customer.subscription.updated")["data"]["previous_attributes"],
        json!({ "status": "active" })
    );
    assert_eq!(bench.last("customer.updated")["data"]["previous_attributes"], json!({ "delinquent": false }));
    let mut at = SECOND_PERIOD + 3600;
    for (attempts, days) in [(1, 3), (2, 5), (3, 7)] {
        let it = bench.get(&path);
        assert_eq!(it["status"], "past_due");
        let invoice = &it["latest_invoice"];
        assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("open"), &json!(attempts)));
        at += days * DAY;
        assert_eq!(invoice["next_payment_attempt"], json!(at));
        until(&mut bench, at - 1);
        let from = bench.told();
        bench.wait(1);
        assert_eq!(bench.events(from)[..2], ["charge.failed", "payment_intent.payment_failed"]);
    }
    let it = bench.get(&path);
    assert_eq!((&it["status"], &it["cancellation_details"]["reason"]), (&json!("canceled"), &json!("payment_failed")));
    assert_eq!((&it["ended_at"], &it["latest_invoice"]["auto_advance"]), (&json!(at), &json!(false)));
    assert_eq!(bench.get(&format!("/v1/customers/{customer}"))["delinquent"], true);
    let from = bench.told();
    bench.wait(100 * DAY);
    assert_eq!(bench.events(from), [""; 0], "it is over");
}

#[test]
fn the_end_of_retries_is_the_accounts_setting() {
    for (after, status) in
        [(AfterRetries::PastDue, "past_due"), (AfterRetries::Pause, "paused"), (AfterRetries::Unpaid, "unpaid")]
    {
        let (mut bench, id, customer) = failing(after);
        bench.wait(15 * DAY);
        let it = bench.get(&format!("/v1/subscriptions/{id}"));
        assert_eq!(it["status"], status);
        let invoice = text(&it, "latest_invoice");
        assert_eq!(bench.get(&format!("/v1/invoices/{invoice}"))["auto_advance"], false);
        if after != AfterRetries::Pause {
            bench.act(json!({ "act": "set_payment_methods", "customer": customer }));
            let from = bench.told();
            bench.post(&format!("/v1/invoices/{invoice}/pay"), "");
            assert_eq!(bench.events(from).last(), Some(&"customer.subscription.updated"));
            assert_eq!(bench.get(&format!("/v1/subscriptions/{id}"))["status"], "active");
        }
    }
}

#[test]
fn a_customer_who_pays_in_time_recovers() {
    let (mut bench, id, customer) = failing(AfterRetries::Cancel);
    bench.act(json!({ "act": "set_payment_methods", "customer": customer }));
    let from = bench.told();
    bench.wait(3 * DAY);
    let expect = [
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "customer.updated",
        "customer.subscription.updated",
    ];
    assert_eq!(bench.events(from), expect);
    let it = bench.get(&format!("/v1/subscriptions/{id}?expand[]=latest_invoice"));
    assert_eq!((&it["status"], &it["latest_invoice"]["attempt_count"]), (&json!("active"), &json!(2)));
}

#[test]
fn a_manual_payment_does_not_count_as_an_attempt() {
    let (mut bench, id, _) = failing(AfterRetries::Cancel);
    let invoice = text(&bench.get(&format!("/v1/subscriptions/{id}")), "latest_invoice");
    let before = bench.get(&format!("/v1/invoices/{invoice}"));
    let refused = bench.refused(Method::Post, &format!("/v1/invoices/{invoice}/pay"), "");
    assert_eq!(refused, (402, "card_error card_declined -".to_owned()));
    let after = bench.get(&format!("/v1/invoices/{invoice}"));
    assert_eq!(after["attempt_count"], before["attempt_count"]);
    assert_eq!(after["next_payment_attempt"], before["next_payment_attempt"]);
}

#[test]
fn an_end_can_be_scheduled_and_undone() {
    let mut bench = Bench::new();
    let (id, _) = bench.subscription();
    let path = format!("/v1/subscriptions/{id}");
    bench.wait(DAY);
    let it = bench.post(&path, "cancel_at_period_end=true");
    assert_eq!((&it["status"], &it["cancel_at"]), (&json!("active"), &json!(SECOND_PERIOD)));
    assert_eq!(it["canceled_at"], json!(START + DAY));
    // Recorded.
    let expect = json!({
        "cancel_at": null, "cancel_at_period_end": false, "canceled_at": null, "cancellation_details": { "reason": null },
    });
    assert_eq!(bench.last("customer.subscription.updated")["data"]["previous_attributes"], expect);
    let from = bench.told();
    bench.post(&path, "cancel_at_period_end=true");
    assert_eq!(bench.told(), from, "nothing changes, and no event says so");
    let it = bench.post(&path, "cancel_at_period_end=false");
    assert_eq!((&it["cancel_at"], &it["canceled_at"]), (&json!(null), &json!(null)));
    bench.post(&path, "cancel_at_period_end=true&cancellation_details[feedback]=unused");
    let from = bench.told();
    until(&mut bench, SECOND_PERIOD);
    assert_eq!(bench.events(from), ["customer.subscription.deleted"]);
    let it = bench.get(&path);
    assert_eq!(
        (&it["status"], &it["ended_at"], &it["canceled_at"]),
        (&json!("canceled"), &json!(SECOND_PERIOD), &json!(START + DAY))
    );
    assert_eq!(it["cancellation_details"]["feedback"], "unused");
}

#[test]
fn an_immediate_end_is_told_without_previous_attributes() {
    let mut bench = Bench::new();
    let (id, _) = bench.subscription();
    let from = bench.told();
    let it = bench.delete(&format!("/v1/subscriptions/{id}"));
    assert_eq!((&it["status"], &it["cancel_at_period_end"]), (&json!("canceled"), &json!(false)));
    assert_eq!(it["cancellation_details"]["reason"], "cancellation_requested");
    assert_eq!(bench.events(from), ["customer.subscription.deleted"]);
    assert!(bench.last("customer.subscription.deleted")["data"].get("previous_attributes").is_none());
    assert_eq!(bench.refused(Method::Delete, &format!("/v1/subscriptions/{id}"), "").0, 404);
    assert_eq!(bench.refused(Method::Post, &format!("/v1/subscriptions/{id}"), "description=d").0, 400);
    bench.post(&format!("/v1/subscriptions/{id}"), "metadata[a]=b");
    assert_eq!(bench.get("/v1/subscriptions")["data"], json!([]), "the default list hides canceled ones");
    assert_eq!(bench.get("/v1/subscriptions?status=ended")["data"][0]["id"], json!(id));
}

#[test]
fn a_pause_of_collection_leaves_the_status_alone() {
    for (behavior, status, told) in [
        ("void", "void", "invoice.voided"),
        ("mark_uncollectible", "uncollectible", "invoice.marked_uncollectible"),
        ("keep_as_draft", "draft", "invoice.created"),
    ] {
        let mut bench = Bench::new();
        let (id, _) = bench.subscription();
        let path = format!("/v1/subscriptions/{id}");
        let from = bench.told();
        bench.post(
            &path,
            &format!("pause_collection[behavior]={behavior}&pause_collection[resumes_at]={}", SECOND_PERIOD + DAY),
        );
        assert_eq!(bench.events(from), ["customer.subscription.updated"]);
        until(&mut bench, SECOND_PERIOD + 7200);
        let it = bench.get(&format!("{path}?expand[]=latest_invoice"));
        assert_eq!((&it["status"], &it["latest_invoice"]["status"]), (&json!("active"), &json!(status)));
        assert_eq!(bench.events(from).last(), Some(&told));
        until(&mut bench, SECOND_PERIOD + DAY);
        assert_eq!(bench.get(&path)["pause_collection"], json!(null), "it resumes by itself");
    }
}

#[test]
fn a_paused_subscription_resumes_with_a_new_period() {
    let mut bench = Bench::new();
    let (id, _) = bench.subscription();
    let from = bench.told();
    bench.act(json!({ "act": "pause_subscription", "subscription": id }));
    assert_eq!(bench.events(from), ["customer.subscription.updated", "customer.subscription.paused"]);
    assert!(bench.last("customer.subscription.paused")["data"].get("previous_attributes").is_none());
    until(&mut bench, SECOND_PERIOD + DAY);
    assert_eq!(bench.told(), from + 2, "nothing is billed");
    let it = bench.post(&format!("/v1/subscriptions/{id}/resume"), "");
    let item = &it["items"]["data"][0];
    assert_eq!((&it["status"], &item["current_period_start"]), (&json!("active"), &json!(SECOND_PERIOD + DAY)));
    assert_eq!(it["billing_cycle_anchor"], json!(SECOND_PERIOD + DAY));
    assert_eq!(
        bench.events(from)[bench.events(from).len() - 2..],
        ["customer.subscription.updated", "customer.subscription.resumed"]
    );
    let again = bench.refused(Method::Post, &format!("/v1/subscriptions/{id}/resume"), "");
    assert_eq!(again.0, 400);
}

#[test]
fn items_change_without_a_bill() {
    let mut bench = Bench::new();
    let (id, _) = bench.subscription();
    let path = format!("/v1/subscriptions/{id}");
    let item = text(&bench.get(&path)["items"]["data"][0], "id");
    let refused = bench.refused(Method::Post, &path, &format!("items[0][id]={item}&items[0][quantity]=3"));
    assert_eq!(refused, (501, "api_error not_emulated -".to_owned()), "that would bill prorations");
    let from = bench.told();
    let it = bench.post(&path, &format!("items[0][id]={item}&items[0][quantity]=3&proration_behavior=none"));
    assert_eq!(it["items"]["data"][0]["quantity"], 3);
    assert_eq!(bench.events(from), ["customer.subscription.updated"]);
    until(&mut bench, SECOND_PERIOD);
    assert_eq!(bench.last("invoice.created")["data"]["object"]["total"], 4500);
}

#[test]
fn held_billing_waits_for_acts() {
    let mut bench = Bench::new();
    let (id, _) = bench.subscription();
    bench.act(json!({ "act": "hold_billing", "held": true }));
    let from = bench.told();
    bench.wait(40 * DAY);
    assert_eq!(bench.told(), from);
    bench.act(json!({ "act": "end_period", "subscription": id }));
    let it = bench.get(&format!("/v1/subscriptions/{id}"));
    assert_eq!(it["items"]["data"][0]["current_period_start"], json!(SECOND_PERIOD));
    let invoice = text(&it, "latest_invoice");
    bench.act(json!({ "act": "finalize_invoice", "invoice": invoice }));
    assert_eq!(bench.get(&format!("/v1/invoices/{invoice}"))["status"], "paid");
    assert!(bench.refused_act(json!({ "act": "finalize_invoice", "invoice": invoice })).contains("another state"));
    bench.act(json!({ "act": "hold_billing", "held": false }));
}

#[test]
fn a_card_that_only_fails_later_is_saved_in_a_trial() {
    let mut bench = Bench::new();
    let price = bench.price(1500, "&recurring[interval]=month");
    let session = bench.session("subscription", &price, "&subscription_data[trial_period_days]=7");
    assert_eq!(bench.complete(&session, "declined")["complete"], false, "this card can't even be saved");
    let done = bench.complete(&session, "fails_later")["session"].clone();
    bench.wait(7 * DAY + 3600);
    let it = bench.get(&format!("/v1/subscriptions/{}", text(&done, "subscription")));
    assert_eq!(it["status"], "past_due");
}

#[test]
fn a_renewal_by_debit_is_paid_days_later() {
    let mut bench = Bench::new();
    let price = bench.price(1500, "&recurring[interval]=month");
    let session = bench.session("subscription", &price, "");
    let done = bench.complete(&session, "debit")["session"].clone();
    until(&mut bench, SECOND_PERIOD + 3600);
    let path = format!("/v1/subscriptions/{}?expand[]=latest_invoice", text(&done, "subscription"));
    let it = bench.get(&path);
    assert_eq!((&it["status"], &it["latest_invoice"]["status"]), (&json!("active"), &json!("open")));
    bench.wait(5 * DAY);
    let invoice = bench.get(&path)["latest_invoice"].clone();
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("paid"), &json!(1)));
}
