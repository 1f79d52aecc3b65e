//! Checkout: what buyers do, and which events that causes in which order.

use purchase_core::transport::Method;
use purchase_emulator_stripe::StripeSettings;
use serde_json::json;

use crate::bench::{Bench, DAY, START, text};

/// Completes a session, and returns the events that it caused.
fn told(bench: &mut Bench, session: &str, method: &str) -> Vec<String> {
    let from = bench.told();
    bench.complete(session, method);
    bench.events(from).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_purchase_by_card_is_told_in_order() {
    let mut bench = Bench::new();
    let price = bench.price(4900, "");
    let session = bench.session("payment", &price, "&customer_creation=always&metadata[k]=v");
    let events = told(&mut bench, &session, "visa");
    let expect = [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ];
    assert_eq!(events, expect);
    let body = bench.last("checkout.session.completed");
    let it = &body["data"]["object"];
    assert_eq!((&it["status"], &it["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!((&it["url"], &it["amount_total"]), (&json!(null), &json!(4900)));
    assert_eq!(it["metadata"], json!({ "k": "v" }));
    assert_eq!(body["created"], json!(START));
}

#[test]
fn a_guest_gets_no_customer() {
    let mut bench = Bench::new();
    let intent = bench.purchase("visa");
    let shown = bench.get(&format!("/v1/payment_intents/{intent}?expand[]=latest_charge"));
    assert_eq!((&shown["customer"], &shown["latest_charge"]["customer"]), (&json!(null), &json!(null)));
    assert_eq!(bench.get("/v1/customers")["data"], json!([]));
}

/// Recorded: the first events of an invoice show it as paid already, and nobody sees it as a draft.
#[test]
fn the_first_invoice_is_told_when_it_is_paid() {
    let mut bench = Bench::new();
    let price = bench.price(1500, "&recurring[interval]=month");
    let session = bench.session("subscription", &price, "");
    let events = told(&mut bench, &session, "visa");
    let expect = [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "payment_method.attached",
        "customer.updated",
        "invoice.created",
        "invoice.finalized",
        "customer.subscription.created",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "checkout.session.completed",
    ];
    assert_eq!(events, expect);
    let invoice = bench.last("invoice.created")["data"]["object"].clone();
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("paid"), &json!(0)));
    assert_eq!(bench.last("customer.updated")["data"]["previous_attributes"], json!({ "currency": null }));
    let subscription = bench.last("customer.subscription.created")["data"]["object"].clone();
    assert_eq!((&subscription["status"], &subscription["latest_invoice"]), (&json!("active"), &invoice["id"]));
    let details = &invoice["parent"]["subscription_details"];
    assert_eq!(details["subscription"], subscription["id"]);
}

#[test]
fn the_first_invoice_can_be_told_by_steps() {
    let mut bench = Bench::with(StripeSettings { first_invoice_by_steps: true, ..StripeSettings::default() });
    let price = bench.price(1500, "&recurring[interval]=month");
    let session = bench.session("subscription", &price, "");
    let events = told(&mut bench, &session, "visa");
    let expect = [
        "invoice.created",
        "invoice.updated",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "customer.subscription.created",
    ];
    assert_eq!(events[6..14], expect);
    assert_eq!(bench.last("invoice.created")["data"]["object"]["status"], "draft");
}

#[test]
fn the_completion_can_be_told_a_second_later() {
    let mut bench = Bench::with(StripeSettings { session_event_late_seconds: 1, ..StripeSettings::default() });
    bench.purchase("visa");
    assert_eq!(bench.last("payment_intent.succeeded")["created"], json!(START));
    assert_eq!(bench.last("checkout.session.completed")["created"], json!(START + 1));
    let types = |bench: &mut Bench| bench.get("/v1/events?limit=1")["data"][0]["type"].clone();
    assert_eq!(types(&mut bench), "payment_intent.succeeded", "an event doesn't exist before its time");
    assert_eq!(bench.world.deliveries().len(), bench.told() - 1);
    bench.wait(1);
    assert_eq!(types(&mut bench), "checkout.session.completed");
    assert_eq!(bench.world.deliveries().len(), 1);
}

#[test]
fn a_trial_has_an_invoice_over_nothing() {
    let mut bench = Bench::new();
    let price = bench.price(1500, "&recurring[interval]=month");
    let session = bench.session("subscription", &price, "&subscription_data[trial_period_days]=14");
    let done = bench.complete(&session, "visa")["session"].clone();
    assert_eq!((&done["payment_status"], &done["amount_total"]), (&json!("no_payment_required"), &json!(0)));
    let path = format!("/v1/subscriptions/{}?expand[]=latest_invoice", text(&done, "subscription"));
    let it = bench.get(&path);
    assert_eq!((&it["status"], &it["trial_end"]), (&json!("trialing"), &json!(START + 14 * DAY)));
    let invoice = &it["latest_invoice"];
    assert_eq!(
        (&invoice["status"], &invoice["total"], &invoice["billing_reason"]),
        (&json!("paid"), &json!(0), &json!("subscription_create"))
    );
    assert_eq!(bench.get("/v1/payment_intents")["data"], json!([]));
    let from = bench.told();
    bench.wait(11 * DAY);
    assert_eq!(bench.events(from), ["customer.subscription.trial_will_end"]);
    bench.wait(3 * DAY);
    let it = bench.get(&path);
    assert_eq!((&it["status"], &it["latest_invoice"]["status"]), (&json!("active"), &json!("draft")));
    bench.wait(3600);
    assert_eq!(bench.get(&path)["latest_invoice"]["status"], "paid");
}

/// Since basil a failed attempt leaves neither an incomplete subscription nor an invoice.
#[test]
fn a_declined_card_leaves_the_session_open() {
    let mut bench = Bench::new();
    let price = bench.price(1500, "&recurring[interval]=month");
    let session = bench.session("subscription", &price, "");
    let events = told(&mut bench, &session, "declined");
    assert_eq!(events, ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]);
    assert_eq!(bench.get("/v1/subscriptions?status=all")["data"], json!([]));
    assert_eq!(bench.get("/v1/invoices")["data"], json!([]));
    let error = &bench.last("payment_intent.payment_failed")["data"]["object"]["last_payment_error"].clone();
    assert_eq!((&error["code"], &error["decline_code"]), (&json!("card_declined"), &json!("generic_decline")));
    let done = bench.complete(&session, "visa");
    assert_eq!(done["complete"], true);
    let intent = text(&done, "payment_intent");
    let charges = bench.get(&format!("/v1/charges?payment_intent={intent}"))["data"].clone();
    let states: Vec<_> = charges.as_array().expect("a list").iter().map(|it| it["status"].clone()).collect();
    assert_eq!(states, ["succeeded", "failed"], "one payment intent, newest charge first");
    assert!(bench.refused_act(json!({ "act": "complete_checkout", "session": session })).contains("complete"));
}

#[test]
fn authentication_can_fail_and_then_succeed() {
    let mut bench = Bench::new();
    let price = bench.price(4900, "");
    let session = bench.session("payment", &price, "");
    let from = bench.told();
    let fails =
        json!({ "act": "complete_checkout", "session": session, "method": "authenticates", "authenticates": false });
    assert_eq!(bench.act(fails)["complete"], false);
    let expect = ["payment_intent.created", "payment_intent.requires_action", "payment_intent.payment_failed"];
    assert_eq!(bench.events(from), expect);
    let error = &bench.last("payment_intent.payment_failed")["data"]["object"]["last_payment_error"].clone();
    assert_eq!(error["code"], "payment_intent_authentication_failure");
    assert_eq!(bench.get("/v1/charges")["data"], json!([]), "nobody was charged");
    assert_eq!(bench.complete(&session, "authenticates")["complete"], true);
}

#[test]
fn a_debit_ends_later() {
    for (method, end) in [("debit", "succeeded"), ("debit_fails", "failed")] {
        let mut bench = Bench::new();
        let price = bench.price(4900, "");
        let session = bench.session("payment", &price, "");
        let events = told(&mut bench, &session, method);
        let expect =
            ["payment_intent.created", "charge.pending", "payment_intent.processing", "checkout.session.completed"];
        assert_eq!(events, expect);
        let path = format!("/v1/checkout/sessions/{session}");
        assert_eq!(bench.get(&path)["payment_status"], "unpaid");
        let from = bench.told();
        bench.wait(5 * DAY);
        let of_intent = if method == "debit" { "payment_intent.succeeded" } else { "payment_intent.payment_failed" };
        let of_session = format!("checkout.session.async_payment_{end}");
        assert_eq!(bench.events(from), [&format!("charge.{end}"), of_intent, of_session.as_str()]);
        assert_eq!(bench.get(&path)["payment_status"], if method == "debit" { "paid" } else { "unpaid" });
    }
}

#[test]
fn a_subscription_by_debit_has_an_open_invoice_first() {
    let mut bench = Bench::new();
    let price = bench.price(1500, "&recurring[interval]=month");
    let session = bench.session("subscription", &price, "");
    let done = bench.complete(&session, "debit")["session"].clone();
    let invoice = format!("/v1/invoices/{}", text(&done, "invoice"));
    assert_eq!(bench.get(&invoice)["status"], "open");
    bench.wait(5 * DAY);
    assert_eq!(bench.get(&invoice)["status"], "paid");
    assert_eq!(bench.get(&format!("/v1/checkout/sessions/{session}"))["payment_status"], "paid");
}

#[test]
fn nothing_to_pay_is_complete_without_a_payment() {
    let mut bench = Bench::new();
    let price = bench.price(0, "");
    let session = bench.session("payment", &price, "&customer_email=a@example.com");
    let events = told(&mut bench, &session, "visa");
    assert_eq!(events, ["checkout.session.completed"]);
    let it = bench.get(&format!("/v1/checkout/sessions/{session}"));
    assert_eq!((&it["payment_status"], &it["payment_intent"]), (&json!("no_payment_required"), &json!(null)));
    assert_eq!(it["customer_details"]["email"], "a@example.com");
}

#[test]
fn sessions_expire_by_themselves_and_by_a_call() {
    let mut bench = Bench::new();
    let price = bench.price(4900, "");
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let session = bench.session("payment", &price, &format!("&expires_at={}", START + 3600));
        bench.complete(&session, "declined");
        sessions.push(session);
    }
    let from = bench.told();
    let expired = bench.post(&format!("/v1/checkout/sessions/{}/expire", sessions[0]), "");
    assert_eq!((&expired["status"], &expired["url"]), (&json!("expired"), &json!(null)));
    assert_eq!(bench.events(from), ["payment_intent.canceled", "checkout.session.expired"]);
    bench.wait(3599);
    assert_eq!(bench.told(), from + 2);
    bench.wait(1);
    assert_eq!(bench.told(), from + 4, "the other one expired by itself");
    let again = bench.refused(Method::Post, &format!("/v1/checkout/sessions/{}/expire", sessions[1]), "");
    assert_eq!(again, (400, "invalid_request_error - session".to_owned()));
}

#[test]
fn what_a_session_can_not_be_is_refused() {
    let mut bench = Bench::new();
    let (once, monthly) = (bench.price(4900, ""), bench.price(1500, "&recurring[interval]=month"));
    let body = |mode: &str, price: &str, rest: &str| {
        format!(
            "mode={mode}&success_url=https://a.example&line_items[0][price]={price}&line_items[0][quantity]=1{rest}"
        )
    };
    for (body, expect) in [
        ("mode=payment".to_owned(), (400, "parameter_missing success_url")),
        ("success_url=https://a.example".to_owned(), (400, "parameter_missing mode")),
        (body("payment", &monthly, ""), (400, "- mode")),
        (body("subscription", &once, ""), (400, "- mode")),
        (body("payment", "price_none", ""), (400, "resource_missing line_items[0][price]")),
        (body("payment", &once, "&expires_at=1"), (400, "- expires_at")),
        (body("payment", &once, "&customer=cus_none"), (400, "resource_missing customer")),
        (body("payment", &once, "&subscription_data[description]=d"), (400, "- subscription_data")),
        (body("payment", &once, "&success=1"), (400, "parameter_unknown success")),
        (body("setup", &once, ""), (501, "not_emulated -")),
        (body("payment", &once, "&ui_mode=elements"), (501, "not_emulated -")),
        (body("payment", &once, "&allow_promotion_codes=true"), (501, "not_emulated -")),
        (body("payment", &once, "&payment_method_types[]=paypal"), (501, "not_emulated -")),
    ] {
        let (status, text) = bench.refused(Method::Post, "/v1/checkout/sessions", &body);
        assert_eq!((status, text.split_once(' ').map_or("", |(_, rest)| rest)), expect, "{body}");
    }
    assert_eq!(bench.get("/v1/checkout/sessions")["data"], json!([]));
}
