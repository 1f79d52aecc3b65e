//! How calls are refused, and that a refused call changes nothing.

use purchase_core::transport::{
    HttpRequest,
    Method::{self, Delete, Get, Patch, Post},
};
use purchase_emulator_paddle::Account;
use serde_json::{Value, json};

use crate::common::{DAY, Shop};

/// What can't be seen of a call that changes nothing: the provider's part of the world, and the events.
fn state(shop: &Shop) -> (String, usize) {
    let provider = serde_json::to_string(shop.world.provider()).expect("JSON");
    (provider, shop.world.shared().events().len())
}

fn check(shop: &mut Shop, method: Method, target: &str, body: Value, expect: (u16, &str)) -> Value {
    let before = state(shop);
    let (status, answer) = shop.call(method, target, body.clone());
    let code = answer["error"]["code"].as_str().unwrap_or_default();
    assert_eq!((status, code), expect, "{} {target} {body}: {answer}", method.as_str());
    assert_eq!(state(shop), before, "{} {target} {body} changed something", method.as_str());
    let logged = shop.world.log().entries().next_back().expect("logged");
    assert_eq!(logged.not_emulated.is_some(), code == "not_emulated", "{logged:?}");
    answer["error"].clone()
}

fn shop() -> Shop {
    Shop::new(5, Account::default())
}

#[test]
fn calls_without_a_key() {
    let mut shop = shop();
    for (header, code) in [
        (None, "authentication_missing"),
        (Some("Bearer "), "authentication_malformed"),
        (Some("Basic abc"), "authentication_malformed"),
    ] {
        let mut request = HttpRequest::new(Get, "/products");
        header.iter().for_each(|header| request.headers.push("Authorization", *header));
        let response = shop.world.handle(&request);
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        assert_eq!((response.status, body["error"]["code"].as_str()), (403, Some(code)), "{header:?}");
        assert!(body["meta"]["request_id"].is_string(), "{body}");
    }
}

#[test]
fn calls_that_are_not_there() {
    let mut shop = shop();
    let id = "sub_01000000000000000000000000";
    for (method, target, expect) in [
        (Get, "/kettles".to_owned(), (404, "invalid_url")),
        (Delete, "/products".to_owned(), (405, "method_not_allowed")),
        (Patch, format!("/subscriptions/{id}/cancel"), (405, "method_not_allowed")),
        (Post, format!("/subscriptions/{id}/charge"), (501, "not_emulated")),
        (Patch, format!("/subscriptions/{id}/preview"), (501, "not_emulated")),
        (Post, "/transactions/preview".to_owned(), (501, "not_emulated")),
        (Get, "/discounts".to_owned(), (501, "not_emulated")),
        (Get, format!("/subscriptions/{id}"), (404, "not_found")),
        (Get, "/transactions/sub_1".to_owned(), (404, "not_found")),
        (Get, "/transactions?include=customer".to_owned(), (501, "not_emulated")),
        (Get, "/transactions?colour=red".to_owned(), (400, "bad_request")),
        (Get, "/transactions?order_by=created_at[ASC]".to_owned(), (400, "bad_request")),
        (Get, "/customers?search=sam".to_owned(), (501, "not_emulated")),
    ] {
        check(&mut shop, method, &target, Value::Null, expect);
    }
}

#[test]
fn products_prices_and_customers() {
    let mut shop = shop();
    let product = shop.product.clone();
    let error = check(&mut shop, Post, "/products", json!({ "colour": "red" }), (400, "bad_request"));
    let fields: Vec<&str> =
        error["errors"].as_array().into_iter().flatten().filter_map(|it| it["field"].as_str()).collect();
    assert_eq!(fields, ["name", "tax_category", "colour"]);
    let mut price = json!({
        "product_id": product, "description": "Monthly", "trial_period": { "interval": "day", "frequency": 7 },
        "unit_price": { "amount": "100", "currency_code": "EUR" },
    });
    check(&mut shop, Post, "/prices", price.clone(), (400, "price_trial_period_requires_billing_cycle"));
    price["trial_period"] = Value::Null;
    price["unit_price"]["amount"] = json!("1.5");
    check(&mut shop, Post, "/prices", price.clone(), (400, "bad_request"));
    price["unit_price"] = json!({ "amount": "100", "currency_code": "ABC" });
    check(&mut shop, Post, "/prices", price, (400, "bad_request"));
    let customer = shop.id("/customers", json!({ "email": "sam@example.com" }));
    let exists = (409, "customer_already_exists");
    let error = check(&mut shop, Post, "/customers", json!({ "email": "Sam@example.com" }), exists);
    assert_eq!(error["detail"], format!("customer email conflicts with customer of id {customer}"));
    check(&mut shop, Post, "/customers", json!({ "email": "sam" }), (400, "bad_request"));
    let other = shop.id("/customers", json!({ "email": "oona@example.com" }));
    check(&mut shop, Patch, &format!("/customers/{other}"), json!({ "email": "sam@example.com" }), exists);
}

#[test]
fn transactions() {
    let mut shop = shop();
    let (once, monthly) = (shop.once.clone(), shop.monthly.clone());
    let item = |price: &str, quantity: u32| json!({ "price_id": price, "quantity": quantity });
    let yearly = shop.price("Yearly", 9000, json!({ "interval": "year", "frequency": 1 }), Value::Null);
    for (items, expect) in [
        (json!([]), (400, "bad_request")),
        (json!([item("pri_0", 1)]), (400, "transaction_price_not_found")),
        (json!([item(&once, 101)]), (400, "transaction_item_quantity_out_of_range")),
        (json!([item(&once, 1), item(&once, 2)]), (400, "transaction_duplicate_price_ids")),
        (json!([item(&monthly, 1), item(&yearly, 1)]), (400, "transaction_price_different_billing_cycle")),
        (json!([{ "price": {}, "quantity": 1 }]), (501, "not_emulated")),
    ] {
        check(&mut shop, Post, "/transactions", json!({ "items": items }), expect);
    }
    shop.patch(&format!("/prices/{yearly}"), json!({ "status": "archived" }));
    check(&mut shop, Post, "/transactions", json!({ "items": [item(&yearly, 1)] }), (400, "entity_archived"));
    let mut body = json!({ "items": [item(&once, 1)], "discount_id": "dsc_1" });
    check(&mut shop, Post, "/transactions", body.clone(), (501, "not_emulated"));
    body["discount_id"] = Value::Null;
    body["address_id"] = json!("add_1");
    check(&mut shop, Post, "/transactions", body, (400, "transaction_customer_is_required_with_address"));
    let id = shop.open(&once);
    let path = format!("/transactions/{id}");
    let change = (400, "transaction_invalid_status_change");
    check(&mut shop, Patch, &path, json!({ "status": "canceled" }), change);
    check(&mut shop, Patch, &path, json!({ "status": "completed" }), change);
    check(&mut shop, Patch, &path, json!({ "status": "billed" }), (501, "not_emulated"));
    let both = json!({ "status": "canceled", "custom_data": null });
    check(&mut shop, Patch, &path, both, (400, "transaction_cannot_be_modified_and_canceled"));
    shop.pay(&id, "success");
    check(&mut shop, Patch, &path, json!({ "custom_data": null }), (400, "transaction_immutable"));
    check(&mut shop, Patch, &path, json!({ "status": "canceled" }), change);
}

#[test]
fn what_a_scheduled_change_locks() {
    let mut shop = shop();
    let monthly = shop.monthly.clone();
    let (_, id) = shop.buy(&monthly);
    let path = format!("/subscriptions/{id}");
    check(&mut shop, Post, &format!("{path}/resume"), json!({}), (400, "subscription_must_be_paused"));
    check(&mut shop, Patch, &path, json!({ "items": [] }), (501, "not_emulated"));
    check(&mut shop, Patch, &path, json!({ "scheduled_change": {} }), (400, "bad_request"));
    shop.post(&format!("{path}/cancel"), Value::Null);
    let locked = (400, "subscription_locked_pending_changes");
    for (method, target, body) in [
        (Post, format!("{path}/cancel"), json!({ "effective_from": "immediately" })),
        (Post, format!("{path}/pause"), json!({})),
        (Patch, path.clone(), json!({ "custom_data": {} })),
    ] {
        check(&mut shop, method, &target, body, locked);
    }
    let shown = shop.patch(&path, json!({ "scheduled_change": null, "custom_data": { "k": 1 } }));
    assert_eq!((&shown["scheduled_change"], &shown["custom_data"]["k"]), (&Value::Null, &json!(1)));
    assert_eq!(shown["next_billed_at"], shown["current_billing_period"]["ends_at"]);
    let early = json!({ "resume_at": "2026-10-06T00:00:00Z" });
    check(&mut shop, Post, &format!("{path}/pause"), early, (400, "bad_request"));
    let continues = json!({ "on_resume": "continue_existing_billing_period" });
    check(&mut shop, Post, &format!("{path}/pause"), continues, (501, "not_emulated"));
    shop.post(&format!("{path}/cancel"), json!({ "effective_from": "immediately" }));
    let over = (400, "subscription_is_canceled_action_invalid");
    check(&mut shop, Post, &format!("{path}/cancel"), json!({}), over);
    check(&mut shop, Post, &format!("{path}/resume"), json!({}), over);
    check(&mut shop, Patch, &path, json!({ "custom_data": {} }), (400, "subscription_update_when_canceled"));
}

#[test]
fn what_a_trial_a_pause_and_a_debt_allow() {
    let mut shop = shop();
    let (cycle, trial) = (json!({ "interval": "month", "frequency": 1 }), json!({ "interval": "day", "frequency": 7 }));
    let price = shop.price("Trial", 900, cycle, trial);
    let (_, id) = shop.buy(&price);
    let path = format!("/subscriptions/{id}");
    check(&mut shop, Post, &format!("{path}/pause"), json!({}), (400, "subscription_cannot_be_paused"));
    shop.wait(8 * DAY);
    shop.post(&format!("{path}/pause"), json!({ "effective_from": "immediately" }));
    let inactive = (400, "subscription_is_inactive_action_invalid");
    check(&mut shop, Post, &format!("{path}/pause"), json!({}), inactive);
    let later = json!({ "effective_from": "next_billing_period" });
    check(&mut shop, Post, &format!("{path}/cancel"), later, inactive);
    let past = json!({ "effective_from": "2026-01-01T00:00:00Z" });
    check(&mut shop, Post, &format!("{path}/resume"), past, (400, "bad_request"));
    let shown = shop.post(&format!("{path}/cancel"), Value::Null);
    assert_eq!(shown["status"], "canceled", "immediately is the default of a paused subscription");
}

#[test]
fn a_renewal_in_progress_locks() {
    let mut shop = Shop::new(5, Account { collection_delay_seconds: 3600, ..Account::default() });
    let monthly = shop.monthly.clone();
    let (_, id) = shop.buy(&monthly);
    shop.wait(31 * DAY);
    let target = format!("/subscriptions/{id}/cancel");
    check(&mut shop, Post, &target, json!({}), (400, "subscription_locked_renewal"));
    shop.wait(3600);
    shop.post(&target, json!({}));
}

#[test]
fn adjustments() {
    let mut shop = shop();
    let once = shop.once.clone();
    let id = shop.open(&once);
    let full = |id: &str| json!({ "action": "refund", "transaction_id": id, "reason": "asked", "type": "full" });
    let status = (400, "adjustment_transaction_invalid_status_for_refund");
    check(&mut shop, Post, "/adjustments", full(&id), status);
    check(&mut shop, Post, "/adjustments", full("txn_1"), (404, "not_found"));
    shop.pay(&id, "success");
    let line = shop.get(&format!("/transactions/{id}"))["details"]["line_items"][0]["id"].clone();
    let part = |amount: &str| {
        let items = json!([{ "item_id": line, "type": "partial", "amount": amount }]);
        json!({ "action": "refund", "transaction_id": id, "reason": "asked", "items": items })
    };
    let items = (400, "adjustment_transaction_item_invalid");
    for (amount, message) in [
        ("5000", format!("adjustment amount for item {} is over remaining allowed 4900", line.as_str().expect("text"))),
        (
            "0",
            format!(
                "You are attempting to make an adjustment with zero amount on a transaction item. ID {}",
                line.as_str().expect("text")
            ),
        ),
    ] {
        let error = check(&mut shop, Post, "/adjustments", part(amount), items);
        assert_eq!(error["errors"][0], json!({ "field": "adjustment.transaction.items[0]", "message": message }));
    }
    let mut other = full(&id);
    other["action"] = json!("credit");
    check(&mut shop, Post, "/adjustments", other.clone(), (400, "adjustment_transaction_invalid_status_for_credit"));
    other["action"] = json!("chargeback");
    check(&mut shop, Post, "/adjustments", other, (400, "bad_request"));
    let missing = json!({ "action": "refund", "transaction_id": id, "reason": "asked" });
    check(&mut shop, Post, "/adjustments", missing, (400, "bad_request"));
    shop.post("/adjustments", part("900"));
    let pending = (400, "adjustment_pending_refund_request");
    check(&mut shop, Post, "/adjustments", part("1"), pending);
    check(&mut shop, Post, "/adjustments", full(&id), pending);
    shop.wait(601);
    let rest = shop.post("/adjustments", full(&id));
    assert_eq!((&rest["totals"]["total"], &rest["items"][0]["type"]), (&json!("4000"), &json!("full")));
    shop.wait(601);
    let all = (400, "adjustment_transaction_item_has_already_been_fully_adjusted");
    check(&mut shop, Post, "/adjustments", full(&id), all);
    check(&mut shop, Post, "/adjustments", part("1"), items);
    let adjusted = shop.get(&format!("/transactions/{id}"))["details"]["adjusted_totals"]["total"].clone();
    assert_eq!(adjusted, "0");
}

#[test]
fn what_is_too_deep_or_too_large() {
    let mut shop = Shop::new(1, Account::default());
    let mut deep = json!(1);
    for _ in 0..80 {
        deep = json!({ "a": deep });
    }
    let product = json!({ "name": "Deep", "tax_category": "standard", "custom_data": deep });
    check(&mut shop, Post, "/products", product, (400, "invalid_json"));
    let price = |amount: &str, maximum: u32| {
        json!({
            "product_id": shop.product, "description": "large", "quantity": { "minimum": 1, "maximum": maximum },
            "unit_price": { "amount": amount, "currency_code": "EUR" },
        })
    };
    let (beyond, large) = (price("99999999999", 1), price("9999999999", 999_999_999));
    check(&mut shop, Post, "/prices", beyond, (400, "bad_request"));
    let large = shop.id("/prices", large);
    let items = |quantity: u32| json!({ "items": [{ "price_id": large, "quantity": quantity }] });
    check(&mut shop, Post, "/transactions", items(999_999_999), (501, "not_emulated"));
    let sold = shop.post("/transactions", items(1_000_000));
    assert_eq!(sold["details"]["totals"]["total"], "9999999999000000");
}
