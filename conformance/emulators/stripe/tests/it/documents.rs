//! Judges every answer and every event of a walk through all calls by Stripe's OpenAPI document, with closed objects.

use std::collections::{BTreeMap, BTreeSet};

use purchase_core::transport::Method;
use purchase_emulator::document::Document;
use purchase_emulator_stripe::{AfterRetries, StripeSettings};
use serde_json::{Value, json};

use crate::bench::{Bench, DAY, shared, text};

const DOCUMENT: &str = "specs/stripe-spec3-2026-05-27.dahlia.json";

/// The path in the document that a call's path belongs to.
fn documented(path: &str) -> String {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["v1", "checkout", "sessions", _] => "/v1/checkout/sessions/{session}".to_owned(),
        ["v1", "checkout", "sessions", _, last] => format!("/v1/checkout/sessions/{{session}}/{last}"),
        ["v1", "subscriptions", _, "resume"] => "/v1/subscriptions/{subscription}/resume".to_owned(),
        ["v1", "invoices", _, "pay"] => "/v1/invoices/{invoice}/pay".to_owned(),
        ["v1", "customers", _] => "/v1/customers/{customer}".to_owned(),
        ["v1", "prices", _] => "/v1/prices/{price}".to_owned(),
        ["v1", "subscriptions", _] => "/v1/subscriptions/{subscription_exposed_id}".to_owned(),
        ["v1", "invoices", _] => "/v1/invoices/{invoice}".to_owned(),
        ["v1", "invoice_payments", _] => "/v1/invoice_payments/{invoice_payment}".to_owned(),
        ["v1", "payment_intents", _] => "/v1/payment_intents/{intent}".to_owned(),
        ["v1", "payment_methods", _] => "/v1/payment_methods/{payment_method}".to_owned(),
        ["v1", "charges", _] => "/v1/charges/{charge}".to_owned(),
        ["v1", "refunds", _] => "/v1/refunds/{refund}".to_owned(),
        ["v1", "disputes", _] => "/v1/disputes/{dispute}".to_owned(),
        ["v1", kind, _] if *kind != "checkout" && *kind != "billing_portal" => format!("/v1/{kind}/{{id}}"),
        _ => path.to_owned(),
    }
}

/// Lists, retrieves and expands everything there is.
fn read_everything(bench: &mut Bench) {
    let kinds = [
        ("customers", ""),
        ("products", ""),
        ("prices", "data.product"),
        ("checkout/sessions", "data.line_items"),
        ("subscriptions", "data.latest_invoice"),
        ("invoices", "data.payments"),
        ("invoice_payments", "data.invoice"),
        ("payment_intents", "data.latest_charge"),
        ("charges", "data.refunds"),
        ("refunds", "data.charge"),
        ("disputes", "data.charge"),
        ("events", ""),
    ];
    for (kind, expand) in kinds {
        let status = if kind == "subscriptions" { "&status=all" } else { "" };
        let expand = if expand.is_empty() { String::new() } else { format!("&expand[]={expand}") };
        let listed = bench.get(&format!("/v1/{kind}?limit=100{status}{expand}"));
        for it in listed["data"].as_array().expect("it is a list").clone() {
            bench.get(&format!("/v1/{kind}/{}", text(&it, "id")));
        }
    }
    for session in bench.get("/v1/checkout/sessions")["data"].as_array().expect("it is a list").clone() {
        bench.get(&format!("/v1/checkout/sessions/{}/line_items", text(&session, "id")));
    }
    let expand = "expand[]=latest_invoice.payments.data.payment.payment_intent&expand[]=customer\
                  &expand[]=items.data.price.product&expand[]=default_payment_method";
    for it in bench.get("/v1/subscriptions?status=all")["data"].as_array().expect("it is a list").clone() {
        bench.get(&format!("/v1/subscriptions/{}?{expand}", text(&it, "id")));
        if let Some(method) = it["default_payment_method"].as_str() {
            bench.get(&format!("/v1/payment_methods/{method}"));
        }
    }
}

/// Makes every call, and brings about every event.
pub(crate) fn walk(bench: &mut Bench) {
    catalog_and_customers(bench);
    purchases(bench);
    read_everything(bench);
    subscriptions(bench);
    read_everything(bench);
    errors(bench);
}

fn catalog_and_customers(bench: &mut Bench) {
    let customer = text(&bench.post("/v1/customers", "email=a@example.com&name=A&metadata[k]=v"), "id");
    bench.post(&format!("/v1/customers/{customer}"), "phone=1&description=d&metadata[k]=");
    bench.post("/v1/billing_portal/sessions", &format!("customer={customer}&return_url=https://shop.example"));
    let product = text(&bench.post("/v1/products", "id=pro&name=Pro&description=d&metadata[a]=b"), "id");
    bench.post(&format!("/v1/products/{product}"), "name=Pro+2&active=true&unit_label=seat");
    let body = format!("currency=eur&unit_amount=1500&product={product}&recurring[interval]=month&lookup_key=pro");
    let price = text(&bench.post("/v1/prices", &body), "id");
    bench.post("/v1/prices", &format!("{body}&transfer_lookup_key=true&nickname=n"));
    bench.post(&format!("/v1/prices/{price}"), "active=false");
    bench.delete(&format!("/v1/customers/{customer}"));
}

fn purchases(bench: &mut Bench) {
    let price = bench.price(4900, "");
    for method in ["visa", "authenticates", "refund_pending", "refund_fails", "debit", "debit_fails"] {
        let session = bench.session("payment", &price, "&customer_creation=always&payment_intent_data[metadata][a]=b");
        bench.complete(&session, "declined");
        if method == "authenticates" {
            bench.act(
                json!({ "act": "complete_checkout", "session": session, "method": method, "authenticates": false }),
            );
        }
        let done = bench.complete(&session, method);
        let intent = text(&done["session"], "payment_intent");
        if !method.starts_with("debit") {
            bench.post("/v1/refunds", &format!("payment_intent={intent}&amount=900&reason=duplicate"));
        }
    }
    bench.wait(6 * DAY);
    let intent = bench.purchase("visa");
    let refund = text(&bench.post("/v1/refunds", &format!("payment_intent={intent}")), "id");
    bench.post(&format!("/v1/refunds/{refund}"), "metadata[a]=b");
    bench.act(json!({ "act": "settle_refund", "refund": refund, "succeeds": false }));
    for outcome in ["won", "lost", "warning_closed"] {
        let intent = bench.purchase("visa");
        let inquiry = outcome == "warning_closed";
        let dispute = bench.act(json!({ "act": "open_dispute", "payment_intent": intent, "inquiry": inquiry }));
        bench.act(json!({ "act": "close_dispute", "dispute": dispute["id"], "outcome": outcome }));
    }
    let free = bench.price(0, "");
    let session = bench.session("payment", &free, "&client_reference_id=u1");
    bench.complete(&session, "visa");
    let session = bench.session("payment", &price, "");
    bench.complete(&session, "declined");
    bench.post(&format!("/v1/checkout/sessions/{session}/expire"), "");
    let session = bench.session("payment", &price, "");
    bench.act(json!({ "act": "abandon_checkout", "session": session }));
    bench.wait(DAY);
}

fn subscriptions(bench: &mut Bench) {
    let monthly = bench.price(1500, "&recurring[interval]=month");
    let other = bench.price(900, "&recurring[interval]=month");
    let once = bench.price(300, "");
    let extra = format!("&line_items[1][price]={once}&line_items[1][quantity]=2&subscription_data[metadata][a]=b");
    for (method, rest) in [("visa", extra.as_str()), ("visa", "&subscription_data[trial_period_days]=2"), ("debit", "")]
    {
        let session = bench.session("subscription", &monthly, rest);
        let done = bench.complete(&session, method);
        let id = text(&done["session"], "subscription");
        let path = format!("/v1/subscriptions/{id}");
        bench.post(&path, "cancel_at_period_end=true&cancellation_details[feedback]=unused");
        bench.post(&path, "cancel_at_period_end=false");
        let items = format!("items[0][price]={other}&items[0][quantity]=3&proration_behavior=none");
        bench.post(&path, &items);
        bench.wait(32 * DAY);
        bench.post(
            &path,
            &format!(
                "pause_collection[behavior]=void&pause_collection[resumes_at]={}",
                bench.world.now().seconds() + DAY
            ),
        );
        bench.wait(2 * DAY);
        for behavior in ["void", "mark_uncollectible", "keep_as_draft"] {
            bench.post(&path, &format!("pause_collection[behavior]={behavior}"));
            bench.wait(31 * DAY);
        }
        bench.post(&path, "pause_collection=");
        bench.act(json!({ "act": "pause_subscription", "subscription": id }));
        if method == "visa" {
            bench.post(&format!("{path}/resume"), "");
        }
        bench.delete(&path);
    }
    let (id, customer) = bench.subscription();
    bench.act(json!({ "act": "set_payment_methods", "customer": customer, "decline": "insufficient_funds" }));
    bench.wait(33 * DAY);
    let invoice = text(&bench.get(&format!("/v1/subscriptions/{id}")), "latest_invoice");
    bench.refused(Method::Post, &format!("/v1/invoices/{invoice}/pay"), "");
    bench.act(json!({ "act": "set_payment_methods", "customer": customer }));
    bench.post(&format!("/v1/invoices/{invoice}/pay"), "");
}

fn errors(bench: &mut Bench) {
    for (method, target, body) in [
        (Method::Get, "/v1/customers/cus_none", ""),
        (Method::Post, "/v1/refunds", "payment_intent=pi_none"),
        (Method::Post, "/v1/customers", "colour=red"),
        (Method::Post, "/v1/customers", "balance=1"),
        (Method::Post, "/v1/checkout/sessions", "mode=payment"),
    ] {
        bench.refused(method, target, body);
    }
}

/// Counts by kind, and what is wrong.
fn judge(bench: &Bench, document: &Document) -> (BTreeMap<String, usize>, BTreeSet<String>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults = BTreeSet::new();
    for (method, path, status, body) in &bench.calls {
        let path = documented(path);
        let found = document.response(method.as_str(), &path, *status, body);
        *counts.entry(format!("{} {path} {status}", method.as_str())).or_default() += 1;
        faults.extend(found);
    }
    for event in bench.world.shared().events() {
        let object = &event.body["data"]["object"];
        faults.extend(document.object("event", &event.body));
        let name = text(object, "object");
        faults.extend(document.object(&name, object).into_iter().map(|fault| format!("{}: {fault}", event.event_type)));
        *counts.entry(event.event_type.clone()).or_default() += 1;
        let known = known_types(document);
        if !known.contains(&event.event_type) {
            faults.insert(format!("the document has no event {}", event.event_type));
        }
    }
    (counts, faults)
}

/// The types of events that an endpoint can be subscribed to.
fn known_types(_: &Document) -> BTreeSet<String> {
    static TYPES: std::sync::OnceLock<BTreeSet<String>> = std::sync::OnceLock::new();
    let read = || {
        let path = shared(DOCUMENT).expect("the document was read");
        let text = std::fs::read(path).expect("the document was read");
        let whole: Value = serde_json::from_slice(&text).expect("it is JSON");
        let body = &whole["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"];
        let schema = &body["application/x-www-form-urlencoded"]["schema"]["properties"]["enabled_events"];
        let types = schema["items"]["enum"].as_array().expect("it lists types");
        types.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    TYPES.get_or_init(read).clone()
}

#[test]
fn every_answer_and_every_event_is_as_documented() {
    let Some(path) = shared(DOCUMENT) else { return };
    let document = Document::read(&path).expect("it is a document");
    let mut total = 0;
    for (by_steps, after) in [(false, AfterRetries::Cancel), (true, AfterRetries::Unpaid)] {
        let settings =
            StripeSettings { first_invoice_by_steps: by_steps, after_retries: after, ..StripeSettings::default() };
        let mut bench = Bench::with(settings);
        walk(&mut bench);
        let (counts, faults) = judge(&bench, &document);
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.into_iter().collect::<Vec<_>>().join("\n"));
        total += counts.values().sum::<usize>();
        assert!(counts.len() > 90, "only {} kinds of answers and events: {counts:#?}", counts.len());
    }
    eprintln!("{total} bodies were judged");
}
