//! Tells the conformance kit how Paddle signs, and how to edit one of its events.

use std::sync::Arc;

use purchase_conformance::{Built, Endpoint, ProviderUnderTest, Samples, Signed, Unreadable};
use purchase_core::{id::Mode, time::Timestamp, verify::Secret};
use purchase_paddle::{CustomData, NAME, Paddle, PaddleConfig, Simulated, testing};
use serde_json::{Value, json};

const HEADER: &str = "paddle-signature";

/// The Paddle adapter under test.
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

/// The scenarios' custom data are the application's own. No event says whether it is live, so an endpoint for both
/// modes counts as a sandbox.
fn build(endpoint: &Endpoint<'_>) -> Built {
    let config = PaddleConfig::new(endpoint.mode.unwrap_or(Mode::Test), endpoint.secrets.iter().copied())?;
    let tolerance_seconds = endpoint.tolerance_seconds;
    let (simulated, custom_data) = (Simulated::Mark, CustomData::Everywhere);
    Ok(Arc::new(Paddle::new(PaddleConfig { tolerance_seconds, simulated, custom_data, ..config })?))
}

/// Paddle sends one signature for each live secret during a rotation.
fn sign(secrets: &[&str], body: &[u8], at: Timestamp) -> Signed {
    let usable: Vec<Secret> = secrets.iter().filter_map(|text| Secret::new(*text).ok()).collect();
    let headers = testing::headers(&usable, body, at).into_iter();
    Signed(headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).collect())
}

fn forge(genuine: &Signed) -> Vec<(&'static str, Signed)> {
    let Some((_, value)) = genuine.0.first() else { return Vec::new() };
    let text = String::from_utf8_lossy(value).into_owned();
    let Some((time, mac)) = text.split_once(';') else { return Vec::new() };
    let forged = [
        ("the right signature under an unknown scheme", format!("{time};{}", mac.replace("h1", "h2"))),
        ("half a signature", format!("{time};{}", &mac[..mac.len() / 2])),
        ("a signature without a time", mac.to_owned()),
        ("a time without a signature", time.to_owned()),
        ("two times", format!("{time};ts=1;{mac}")),
        ("commas between the parts", format!("{time},{mac}")),
        ("an empty header", String::new()),
    ];
    let mut forged: Vec<_> = forged.into_iter().map(|(name, value)| (name, Signed::header(HEADER, value))).collect();
    forged.push(("the header twice", Signed([genuine.0.as_slice(), genuine.0.as_slice()].concat())));
    forged
}

/// Lays values over an event. Dots separate the keys of a path.
fn with(body: &[u8], values: &[(&str, Value)]) -> Option<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(body).ok()?;
    for (path, value) in values {
        let mut place = &mut event;
        for key in path.split('.') {
            place = place.as_object_mut()?.entry(key).or_insert(Value::Null);
        }
        *place = value.clone();
    }
    Some(event.to_string().into_bytes())
}

fn text_at<'v>(event: &'v Value, pointer: &str) -> Option<&'v str> {
    event.pointer(pointer)?.as_str()
}

fn unknown_type(body: &[u8], id: &str) -> Option<Vec<u8>> {
    with(body, &[("event_id", json!(id)), ("event_type", json!("kettle.boiled"))])
}

fn unknown_value(body: &[u8], id: &str) -> Option<Vec<u8>> {
    text_at(&serde_json::from_slice(body).ok()?, "/data/status")?;
    with(body, &[("event_id", json!(id)), ("data.status", json!("hibernating"))])
}

/// The types whose object's id is read. Events of other types may be ignored, whatever they contain.
const READ: [&str; 9] = [
    "adjustment.created",
    "adjustment.updated",
    "customer.created",
    "customer.updated",
    "subscription.created",
    "subscription.updated",
    "transaction.completed",
    "transaction.created",
    "transaction.updated",
];

fn unreadable(body: &[u8], id: &str) -> Option<Unreadable> {
    let event: Value = serde_json::from_slice(body).ok()?;
    READ.contains(&text_at(&event, "/event_type")?).then_some(())?;
    let body = with(body, &[("event_id", json!(id)), ("data.id", json!(7))])?;
    Some(Unreadable { body, path: "data.id".to_owned() })
}

fn contradiction(body: &[u8]) -> Option<Vec<u8>> {
    with(body, &[("occurred_at", json!("2001-01-01T00:00:00Z"))])
}

/// A replay is a new notification of the same event.
fn repetition(body: &[u8]) -> Option<Vec<u8>> {
    with(body, &[("notification_id", json!("ntf_00000000000000000000000000"))])
}

/// No event says whether it is live.
fn other_mode(_: &[u8]) -> Option<Vec<u8>> {
    None
}
