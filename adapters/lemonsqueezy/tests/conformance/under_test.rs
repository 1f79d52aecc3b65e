//! Tells the conformance kit how Lemon Squeezy signs, and how to edit one of its events.

use std::sync::Arc;

use purchase_conformance::{Built, Endpoint, ProviderUnderTest, Samples, Signed, Unreadable};
use purchase_core::{id::ProviderId, time::Timestamp, verify::Secret};
use purchase_lemonsqueezy::{CustomData, LemonSqueezy, LemonSqueezyConfig, ModePolicy, NAME, testing};
use serde_json::{Value, json};

const HEADER: &str = "x-signature";

/// The variants that the scenarios sell once.
const ONE_TIME_VARIANTS: [&str; 2] = ["910001", "910002"];

/// The Lemon Squeezy adapter under test.
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
            older_shape: None,
        },
    }
}

/// The scenarios' custom data are the application's own. There is no tolerance, because no time is signed.
fn build(endpoint: &Endpoint<'_>) -> Built {
    let mode = endpoint.mode.map_or(ModePolicy::Both, ModePolicy::Only);
    let config = LemonSqueezyConfig::new(mode, endpoint.secrets.iter().copied())?;
    let one_time_variants = ONE_TIME_VARIANTS.into_iter().map(ProviderId::new).collect::<Result<_, _>>()?;
    let custom_data = CustomData::Believed;
    Ok(Arc::new(LemonSqueezy::new(LemonSqueezyConfig { one_time_variants, custom_data, ..config })?))
}

/// The hex digest of the HMAC-SHA256 of the body only. A webhook has one secret. While the secret is replaced, two
/// webhooks send to one endpoint, which is shown here as one request with both signatures.
fn sign(secrets: &[&str], body: &[u8], at: Timestamp) -> Signed {
    let usable: Vec<Secret> = secrets.iter().filter_map(|text| Secret::new(*text).ok()).collect();
    let headers = testing::headers(&usable, body, at).into_iter();
    Signed(headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).collect())
}

fn forge(genuine: &Signed) -> Vec<(&'static str, Signed)> {
    let Some((_, value)) = genuine.0.first() else { return Vec::new() };
    let text = String::from_utf8_lossy(value).into_owned();
    let forged = [
        ("half a signature", text[..text.len() / 2].to_owned()),
        ("a signature and a half", format!("{text}{}", &text[..text.len() / 2])),
        ("a signature with its scheme as a prefix", format!("sha256={text}")),
        ("a signature in capitals", text.to_uppercase()),
        ("an empty header", String::new()),
    ];
    forged.into_iter().map(|(name, value)| (name, Signed::header(HEADER, value))).collect()
}

fn edit(body: &[u8], change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(body).ok()?;
    event.as_object()?;
    change(&mut event)?;
    Some(event.to_string().into_bytes())
}

/// No event has an id, so this function can't set a requested id.
fn unknown_type(body: &[u8], _: &str) -> Option<Vec<u8>> {
    edit(body, |event| event.pointer_mut("/meta/event_name").map(|name| *name = json!("kettle_descaled")))
}

fn unknown_value(body: &[u8], _: &str) -> Option<Vec<u8>> {
    is_read(body)?;
    edit(body, |event| event.pointer_mut("/data/attributes/status").map(|status| *status = json!("hibernating")))
}

fn unreadable(body: &[u8], _: &str) -> Option<Unreadable> {
    is_read(body)?;
    let body = edit(body, |event| event.pointer_mut("/data/id").map(|id| *id = json!(true)))?;
    Some(Unreadable { body, path: "data.id".to_owned() })
}

/// Only events about orders and subscriptions are read; events of licence keys are not.
fn is_read(body: &[u8]) -> Option<()> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let name = event.pointer("/meta/event_name")?.as_str()?;
    let read = ["order_", "subscription_"].iter().any(|begin| name.starts_with(begin));
    (read && name != "subscription_gifted").then_some(())
}

/// No event has an id, so other content is another event.
fn contradiction(_: &[u8]) -> Option<Vec<u8>> {
    None
}

fn other_mode(body: &[u8]) -> Option<Vec<u8>> {
    edit(body, |event| {
        let places = ["/data/attributes/test_mode", "/meta/test_mode"];
        let place = places.into_iter().find(|place| event.pointer(place).is_some())?;
        let mode = event.pointer_mut(place)?;
        *mode = json!(!mode.as_bool()?);
        Some(())
    })
}

/// A repeated delivery has exactly the same bytes.
fn repetition(_: &[u8]) -> Option<Vec<u8>> {
    None
}
