//! Defines the shapes of Paddle's objects, with the fields that its OpenAPI document lists.

use purchase_conformance::story::{CURRENCY, Items, Span, UNIT_AMOUNTS};
use purchase_core::time::Timestamp;
use serde_json::{Value, json};

/// RFC 3339 to the second.
pub(crate) fn time(seconds: i64) -> Value {
    json!(Timestamp::EPOCH.plus_seconds(seconds).to_string())
}

/// The id of a price.
pub(crate) fn price_name(price: usize) -> String {
    format!("pri_01story{price:020}")
}

pub(crate) fn price(price: usize, recurs: bool) -> Value {
    json!({
        "id": price_name(price), "product_id": format!("pro_01story{price:020}"), "description": "of a story",
        "name": null, "type": "standard", "billing_cycle": recurs.then(|| json!({ "interval": "day", "frequency": 30 })),
        "trial_period": null, "tax_mode": "account_setting", "unit_price_overrides": [], "custom_data": null,
        "unit_price": { "amount": UNIT_AMOUNTS[price].to_string(), "currency_code": CURRENCY },
        "quantity": { "minimum": 1, "maximum": 100 }, "status": "active", "import_meta": null,
        "created_at": "2026-01-01T00:00:00.5Z", "updated_at": "2026-01-01T00:00:00.5Z",
    })
}

pub(crate) fn period(span: Span) -> Value {
    json!({ "starts_at": time(span.start), "ends_at": time(span.end) })
}

pub(crate) fn customer(email: &str) -> Value {
    json!({
        "email": email, "name": null, "marketing_consent": false, "status": "active", "custom_data": null,
        "locale": "en", "import_meta": null,
    })
}

/// A transaction with its items and their total.
pub(crate) fn transaction(origin: &str, status: &str, items: &Items, recurs: bool, asks: i64) -> Value {
    let lines = items
        .iter()
        .map(|(name, quantity)| json!({ "price": price(*name, recurs), "quantity": quantity, "proration": null }));
    json!({
        "status": status, "customer_id": null, "address_id": null, "business_id": null, "custom_data": null,
        "currency_code": CURRENCY, "origin": origin, "subscription_id": null, "invoice_id": null, "invoice_number": null,
        "collection_mode": "automatic", "discount_id": null, "billing_details": null, "billing_period": null,
        "items": lines.collect::<Vec<_>>(), "payments": [], "details": details(asks, asks), "receipt_data": null,
        "checkout": { "url": "https://shop.example.com/pay" }, "billed_at": null, "revised_at": null,
    })
}

/// The amounts of a transaction, part of which is still to be paid.
pub(crate) fn details(asks: i64, balance: i64) -> Value {
    let totals = json!({
        "subtotal": asks.to_string(), "discount": "0", "tax": "0", "total": asks.to_string(), "credit": "0",
        "credit_to_balance": "0", "balance": balance.to_string(), "grand_total": asks.to_string(), "fee": null,
        "earnings": null, "currency_code": CURRENCY,
    });
    json!({ "totals": totals, "tax_rates_used": [], "payout_totals": null, "line_items": [] })
}

/// A payment attempt.
pub(crate) fn attempt(id: &str, amount: i64, captured_at: Option<i64>) -> Value {
    let (status, error) = if captured_at.is_some() { ("captured", None) } else { ("error", Some("declined")) };
    json!({
        "payment_attempt_id": id, "stored_payment_method_id": "00000000-0000-0000-0000-000000000000",
        "payment_method_id": "paymtd_01story00000000000000000", "amount": amount.to_string(), "status": status,
        "error_code": error, "captured_at": captured_at.map(time), "created_at": "2026-10-05T08:00:00.25Z",
        "method_details": { "type": "card", "card": { "type": "visa", "last4": "4242", "expiry_year": 2031 } },
    })
}

/// A subscription's items. Each has its own trial.
pub(crate) fn items(items: &Items, trial: Option<Span>) -> Value {
    let line = |(name, quantity): (&usize, &u64)| {
        json!({
            "status": if trial.is_some() { "trialing" } else { "active" }, "quantity": quantity, "recurring": true,
            "created_at": "2026-10-05T08:00:00.5Z", "updated_at": "2026-10-05T08:00:00.5Z",
            "previously_billed_at": null, "next_billed_at": null, "trial_dates": trial.map(period),
            "price": price(*name, true), "product": { "id": format!("pro_01story{name:020}"), "status": "active" },
        })
    };
    Value::Array(items.iter().map(line).collect())
}

pub(crate) fn subscription(customer: &str, status: &str) -> Value {
    json!({
        "status": status, "customer_id": customer, "address_id": "add_01story0000000000000000000", "business_id": null,
        "currency_code": CURRENCY, "started_at": null, "first_billed_at": null, "next_billed_at": null, "paused_at": null,
        "canceled_at": null, "discount": null, "collection_mode": "automatic", "billing_details": null,
        "current_billing_period": null, "billing_cycle": { "interval": "day", "frequency": 30 },
        "scheduled_change": null, "items": [], "custom_data": null, "import_meta": null,
    })
}

/// An adjustment of part of a transaction.
pub(crate) fn adjustment(action: &str, status: &str, transaction: &Value, amount: i64) -> Value {
    let kind = if transaction["details"]["totals"]["total"] == json!(amount.to_string()) { "full" } else { "partial" };
    json!({
        "action": action, "status": status, "transaction_id": transaction["id"], "type": kind,
        "subscription_id": transaction["subscription_id"], "customer_id": transaction["customer_id"],
        "reason": "of a story", "credit_applied_to_balance": null, "currency_code": CURRENCY, "items": [],
        "tax_rates_used": [], "payout_totals": null, "totals": {
            "subtotal": amount.to_string(), "tax": "0", "total": amount.to_string(), "fee": "0", "earnings": "0",
            "currency_code": CURRENCY,
        },
    })
}
