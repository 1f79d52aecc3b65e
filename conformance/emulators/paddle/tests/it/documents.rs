//! Every answer and every event of a walk through all calls is what Paddle's OpenAPI document says, and nothing more.

use std::collections::BTreeSet;

use purchase_core::transport::Method::{Get, Patch, Post};
use purchase_emulator::{document::Document, world::Outgoing};
use purchase_emulator_paddle::{Account, account::Oddities};
use serde_json::{Value, json};

use crate::common::{DAY, Shop, shared};

#[test]
fn every_answer_and_every_event_is_as_documented() {
    let Some(file) = shared("specs/paddle-openapi-2025-05-27.json") else { return };
    let document = Document::read(&file).expect("readable");
    let (mut answers, mut events, mut routes, mut types) = (0, 0, BTreeSet::new(), BTreeSet::new());
    for oddities in [Oddities::default(), Oddities::all(100)] {
        let account = Account { oddities, ..Account::default() };
        let mut shop = Shop::new(7, account);
        let deliveries = walk(&mut shop);
        for (method, path, status, body) in &shop.answers {
            let path = template(path);
            // What isn't emulated has a status of its own; its body is an error like others.
            if *status >= 400 {
                assert_eq!(document.object("error", body), Vec::<String>::new(), "{path}: {body}");
            } else {
                let faults = document.response(method.as_str(), &path, *status, body);
                assert_eq!(faults, Vec::<String>::new(), "{body}");
                routes.insert(format!("{} {path}", method.as_str()));
            }
            answers += 1;
        }
        for body in deliveries.iter().map(|it| serde_json::from_slice::<Value>(&it.body).expect("JSON")) {
            let event_type = body["event_type"].as_str().expect("a type").to_owned();
            assert_eq!(document.webhook(&event_type, &body), Vec::<String>::new(), "{body}");
            types.insert(event_type);
            events += 1;
        }
    }
    assert_eq!((routes.len(), types.len()), (35, 27), "{routes:#?} {types:#?}");
    assert!(answers >= 140 && events >= 330, "{answers} answers, {events} events");
}

/// A path as the document names it.
fn template(path: &str) -> String {
    let name = |part: &str| {
        let prefix = part.split('_').next().unwrap_or_default();
        let name = match prefix {
            "add" => "address_id",
            "ctm" => "customer_id",
            "ntf" => "notification_id",
            "pri" => "price_id",
            "pro" => "product_id",
            "sub" => "subscription_id",
            "txn" => "transaction_id",
            _ => return part.to_owned(),
        };
        if part.len() > 20 { format!("{{{name}}}") } else { part.to_owned() }
    };
    path.split('/').map(name).collect::<Vec<_>>().join("/")
}

/// Makes every call and causes every event. Returns the deliveries.
pub(crate) fn walk(shop: &mut Shop) -> Vec<Outgoing> {
    catalogue(shop);
    let customer = people(shop);
    one_time(shop, &customer);
    subscriptions(shop);
    invoices(shop, &customer);
    let deliveries = shop.deliveries();
    lists(shop, &customer);
    deliveries
}

fn catalogue(shop: &mut Shop) {
    let (product, price) = (shop.product.clone(), shop.monthly.clone());
    shop.patch(&format!("/products/{product}"), json!({ "description": "It boils.", "custom_data": { "k": [1] } }));
    shop.patch(&format!("/prices/{price}"), json!({ "unit_price": { "amount": "1600", "currency_code": "EUR" } }));
    shop.get(&format!("/products/{product}"));
    shop.get(&format!("/prices/{price}"));
    shop.refused(Post, "/products", json!({ "name": "", "colour": "red" }));
    shop.refused(Get, "/prices/pri_01000000000000000000000000", Value::Null);
}

fn people(shop: &mut Shop) -> String {
    let customer = shop.id("/customers", json!({ "email": "oona@example.com", "name": "Oona" }));
    shop.refused(Post, "/customers", json!({ "email": "OONA@example.com" }));
    shop.patch(&format!("/customers/{customer}"), json!({ "custom_data": { "purchase_customer_id": "u1" } }));
    shop.get(&format!("/customers/{customer}"));
    let addresses = format!("/customers/{customer}/addresses");
    let address = shop.id(&addresses, json!({ "country_code": "FI", "city": "Oulu" }));
    shop.patch(&format!("{addresses}/{address}"), json!({ "postal_code": "90100" }));
    shop.get(&format!("{addresses}/{address}"));
    shop.get(&addresses);
    customer
}

fn one_time(shop: &mut Shop, customer: &str) {
    let once = shop.once.clone();
    let transaction = shop.open(&once);
    for card in ["declined", "three_d_secure_failed", "three_d_secure"] {
        shop.pay(&transaction, card);
    }
    let delayed = shop.open(&once);
    shop.pay(&delayed, "delayed");
    shop.act(json!({ "act": "settle_payment", "transaction": delayed, "succeeds": true }));
    let line = shop.get(&format!("/transactions/{transaction}"))["details"]["line_items"][0]["id"].clone();
    let refund = json!({
        "action": "refund", "transaction_id": transaction, "reason": "of a walk",
        "items": [{ "item_id": line, "type": "partial", "amount": "900" }],
    });
    shop.post("/adjustments", refund.clone());
    shop.refused(Post, "/adjustments", refund);
    shop.wait(601);
    let full = json!({ "action": "refund", "transaction_id": transaction, "reason": "of a walk", "type": "full" });
    let rejected = shop.id("/adjustments", full);
    shop.act(json!({ "act": "reject_refund", "adjustment": rejected }));
    shop.act(json!({ "act": "chargeback_warning", "transaction": delayed }));
    let chargeback = shop.act(json!({ "act": "chargeback", "transaction": delayed }))["adjustment"].clone();
    shop.act(json!({ "act": "reverse", "adjustment": chargeback }));
    // These stay as they are.
    for card in ["declined", "delayed"] {
        let transaction = shop.open(&once);
        shop.pay(&transaction, card);
    }
    shop.open(&once);
    let body = json!({ "items": [{ "price_id": once, "quantity": 2 }], "customer_id": customer });
    let given_up = shop.id("/transactions", body);
    let addresses = shop.get(&format!("/customers/{customer}/addresses"));
    shop.patch(&format!("/transactions/{given_up}"), json!({ "address_id": addresses[0]["id"] }));
    shop.patch(&format!("/transactions/{given_up}"), json!({ "status": "canceled" }));
}

fn subscriptions(shop: &mut Shop) {
    let monthly = shop.monthly.clone();
    let cycle = json!({ "interval": "month", "frequency": 1 });
    let trial = shop.price("Trial", 900, cycle, json!({ "interval": "day", "frequency": 14 }));
    let (_, trialing) = shop.buy(&trial);
    let (_, subscription) = shop.buy(&monthly);
    let path = format!("/subscriptions/{subscription}");
    shop.get(&path);
    shop.patch(&path, json!({ "custom_data": { "seat": "window" } }));
    shop.post(&format!("{path}/pause"), json!({ "resume_at": "2027-06-01T00:00:00Z" }));
    shop.refused(Post, &format!("{path}/cancel"), json!({}));
    shop.refused(Patch, &path, json!({ "items": [] }));
    shop.patch(&path, json!({ "scheduled_change": null }));
    let items = json!([{ "price_id": monthly, "quantity": 3 }]);
    shop.act(json!({ "act": "change_items", "subscription": subscription, "items": items }));
    let customer = shop.get(&path)["customer_id"].as_str().expect("a customer").to_owned();
    let portal = format!("/customers/{customer}/portal-sessions");
    shop.post(&portal, json!({ "subscription_ids": [subscription, trialing] }));
    // The trial converts, then both renewals fail.
    shop.wait(20 * DAY);
    shop.act(json!({ "act": "card", "customer": customer, "works": false }));
    shop.wait(30 * DAY);
    shop.act(json!({ "act": "card", "customer": customer, "works": true }));
    shop.act(json!({ "act": "retry", "subscription": subscription }));
    shop.post(&format!("{path}/pause"), json!({ "effective_from": "immediately" }));
    shop.post(&format!("{path}/resume"), json!({ "effective_from": "2027-01-01T00:00:00Z" }));
    shop.post(&format!("{path}/resume"), json!({ "effective_from": "immediately" }));
    shop.post(&format!("{path}/cancel"), json!({ "effective_from": "next_billing_period" }));
    shop.wait(70 * DAY);
    assert_eq!(shop.get(&path)["status"], "canceled");
}

fn invoices(shop: &mut Shop, customer: &str) {
    let once = shop.once.clone();
    let addresses = shop.get(&format!("/customers/{customer}/addresses"));
    let terms = json!({ "payment_terms": { "interval": "day", "frequency": 14 } });
    let body = json!({
        "items": [{ "price_id": once, "quantity": 1 }], "customer_id": customer, "address_id": addresses[0]["id"],
        "collection_mode": "manual", "billing_details": terms,
    });
    let invoice = shop.id("/transactions", body);
    shop.patch(&format!("/transactions/{invoice}"), json!({ "status": "billed" }));
    let line = shop.get(&format!("/transactions/{invoice}"))["details"]["line_items"][0]["id"].clone();
    let credit = json!({
        "action": "credit", "transaction_id": invoice, "reason": "of a walk",
        "items": [{ "item_id": line, "type": "partial", "amount": "400" }],
    });
    let credit = shop.id("/adjustments", credit);
    shop.act(json!({ "act": "reverse", "adjustment": credit }));
    shop.wait(15 * DAY);
    shop.act(json!({ "act": "pay_invoice", "transaction": invoice }));
    assert_eq!(shop.get(&format!("/transactions/{invoice}"))["status"], "completed");
}

fn lists(shop: &mut Shop, customer: &str) {
    for list in ["products", "prices", "customers", "transactions", "subscriptions", "adjustments", "events"] {
        shop.get(&format!("/{list}?per_page=2"));
        shop.get(&format!("/{list}?order_by=id[ASC]"));
    }
    shop.get(&format!("/customers/{customer}"));
    shop.get("/event-types");
    let notification = shop.get("/notifications?status=delivered")[0]["id"].as_str().expect("one").to_owned();
    shop.get(&format!("/notifications/{notification}"));
    shop.get(&format!("/notifications/{notification}/logs"));
    shop.post(&format!("/notifications/{notification}/replay"), Value::Null);
    shop.refused(Post, "/discounts", json!({}));
    shop.refused(Get, "/kettles", Value::Null);
    shop.refused(Patch, "/events", json!({}));
}
