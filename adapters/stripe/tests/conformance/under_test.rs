//! Tells the conformance kit how Stripe signs, and how to edit one of its events.

use std::sync::Arc;

use purchase_conformance::{Built, Endpoint, ProviderUnderTest, Samples, Signed, Unreadable};
use purchase_core::{time::Timestamp, verify::Secret};
use purchase_stripe::{ModePolicy, NAME, Stripe, StripeConfig, testing};
use serde_json::{Value, json};

const HEADER: &str = "stripe-signature";

/// The Stripe adapter under test.
pub(crate) fn under_test() -> ProviderUnderTest {
    ProviderUnderTest {
        name: NAME,
        build,
        sign,
        forge,
        samples: Samples {
            unknown_type,
            unknown_value,
            unreadable,
            contradiction,
            other_mode,
            repetition,
            older_shape: Some(older_shape),
        },
    }
}

fn build(endpoint: &Endpoint<'_>) -> Built {
    let mode = endpoint.mode.map_or(ModePolicy::Both, ModePolicy::Only);
    let config = StripeConfig::new(mode, endpoint.secrets.iter().copied())?;
    Ok(Arc::new(Stripe::new(StripeConfig { tolerance_seconds: endpoint.tolerance_seconds, ..config })?))
}

fn sign(secrets: &[&str], body: &[u8], at: Timestamp) -> Signed {
    let usable: Vec<Secret> = secrets.iter().filter_map(|text| Secret::new(*text).ok()).collect();
    // A decoy that Stripe adds in test mode.
    let decoy = if secrets.len() > 1 { format!(",v0={}", "6f".repeat(32)) } else { String::new() };
    let headers = testing::headers(&usable, body, at).into_iter();
    Signed(headers.map(|(name, value)| (name.to_owned(), (value + &decoy).into_bytes())).collect())
}

fn forge(genuine: &Signed) -> Vec<(&'static str, Signed)> {
    let Some((_, value)) = genuine.0.first() else { return Vec::new() };
    let text = String::from_utf8_lossy(value).into_owned();
    let [time, mac, ..] = text.split(',').collect::<Vec<_>>()[..] else { return Vec::new() };
    let of = |value: String| Signed::header(HEADER, value);
    vec![
        ("the right signature under the scheme v0 only", of(format!("{time},{}", mac.replacen("v1", "v0", 1)))),
        ("half a signature", of(format!("{time},{}", &mac[..mac.len() / 2]))),
        ("a signature without a time", of(mac.to_owned())),
        ("a time without a signature", of(time.to_owned())),
        ("two times", of(format!("{time},t=1,{mac}"))),
        ("the header twice", Signed([genuine.0.as_slice(), genuine.0.as_slice()].concat())),
        ("an empty header", of(String::new())),
    ]
}

fn edit(body: &[u8], change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(body).ok()?;
    event.as_object()?;
    change(&mut event)?;
    Some(event.to_string().into_bytes())
}

fn unknown_type(body: &[u8], id: &str) -> Option<Vec<u8>> {
    edit(body, |event| {
        event["id"] = json!(id);
        event["type"] = json!("kettle.boiled");
        Some(())
    })
}

fn unknown_value(body: &[u8], id: &str) -> Option<Vec<u8>> {
    edit(body, |event| {
        event["id"] = json!(id);
        let object = event.get_mut("data")?.get_mut("object")?;
        object.get_mut("status").filter(|status| status.is_string()).map(|status| *status = json!("hibernating"))
    })
}

/// Only events of objects whose id is read are edited.
fn unreadable(body: &[u8], id: &str) -> Option<Unreadable> {
    let body = edit(body, |event| {
        event["id"] = json!(id);
        let listed = ["customer.created", "customer.subscription.", "invoice.paid", "payment_intent.", "refund."];
        listed.iter().any(|prefix| event["type"].as_str().is_some_and(|it| it.starts_with(prefix))).then_some(())?;
        event.get_mut("data")?.get_mut("object")?.as_object_mut()?.insert("id".to_owned(), json!(7));
        Some(())
    });
    Some(Unreadable { body: body?, path: "data.object.id".to_owned() })
}

fn contradiction(body: &[u8]) -> Option<Vec<u8>> {
    edit(body, |event| {
        event["created"] = json!(event["created"].as_i64()? + 1);
        Some(())
    })
}

fn other_mode(body: &[u8]) -> Option<Vec<u8>> {
    edit(body, |event| {
        event["livemode"] = json!(!event["livemode"].as_bool()?);
        Some(())
    })
}

/// Stripe counts down the endpoints that have not answered yet.
fn repetition(body: &[u8]) -> Option<Vec<u8>> {
    edit(body, |event| {
        event["pending_webhooks"] = json!(event["pending_webhooks"].as_i64()? + 1);
        Some(())
    })
}

/// The same event in the shape of API version 2024-06-20: a subscription's period at the top level, and an invoice's
/// subscription and its lines' prices at their places before `2025-03-31.basil`.
fn older_shape(body: &[u8]) -> Option<Vec<u8>> {
    edit(body, |event| {
        let version = event["api_version"].as_str()?;
        (version >= "2025-03-31").then_some(())?;
        event["api_version"] = json!("2024-06-20");
        let data = event.get_mut("data")?.as_object_mut()?;
        let object = data.get("object")?["object"].as_str()?.to_owned();
        for key in ["object", "previous_attributes"] {
            let Some(shown) = data.get_mut(key).filter(|shown| shown.is_object()) else { continue };
            match object.as_str() {
                "subscription" => older_subscription(shown)?,
                "invoice" => older_invoice(shown)?,
                _ => {}
            }
        }
        Some(())
    })
}

/// None if the items' periods differ, because an old subscription has one period.
fn older_subscription(shown: &mut Value) -> Option<()> {
    let Some(items) = shown.get_mut("items").and_then(|items| items.get_mut("data")?.as_array_mut()) else {
        return Some(());
    };
    let mut periods = Vec::new();
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        periods.push((item.remove("current_period_start")?, item.remove("current_period_end")?));
    }
    periods.dedup();
    let [(start, end)] = periods.as_slice() else { return None };
    (shown["current_period_start"], shown["current_period_end"]) = (start.clone(), end.clone());
    Some(())
}

fn older_invoice(shown: &mut Value) -> Option<()> {
    let keys = shown.as_object_mut()?;
    if let Some(parent) = keys.remove("parent") {
        let details = &parent["subscription_details"];
        keys.insert("subscription".to_owned(), details["subscription"].clone());
        keys.insert("subscription_details".to_owned(), json!({ "metadata": details["metadata"] }));
    }
    let lines = keys.get_mut("lines").and_then(|lines| lines.get_mut("data")?.as_array_mut());
    for line in lines.into_iter().flatten() {
        let line = line.as_object_mut()?;
        let (parent, pricing) = (line.remove("parent")?, line.remove("pricing").unwrap_or_default());
        let item = parent["type"] == "invoice_item_details";
        let details = if item { &parent["invoice_item_details"] } else { &parent["subscription_item_details"] };
        let price = &pricing["price_details"]["price"];
        let kind = if item { "one_time" } else { "recurring" };
        line.insert("type".to_owned(), json!(if item { "invoiceitem" } else { "subscription" }));
        line.insert("proration".to_owned(), details["proration"].clone());
        line.insert("subscription".to_owned(), details["subscription"].clone());
        line.insert(
            "price".to_owned(),
            if price.is_null() { Value::Null } else { json!({ "id": price, "type": kind }) },
        );
    }
    Some(())
}
