//! Tests that every recorded body is read. This file, not the adapter, lists the types that must give facts. The
//! expected content of an observation is taken from the body itself, field by field.

use crate::common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use purchase_core::{
    fact::{Fact, Version, object_state::ObjectState},
    id::Mode,
    provider::{Event, Meaning, Webhooks},
    time::Timestamp,
};
use purchase_paddle::{CustomData, Paddle, PaddleConfig, Simulated};
use serde_json::Value;

/// Kinds of objects whose every event must give facts. Events of all other kinds must be ignored.
const FACTS: &[&str] = &["adjustment", "customer", "price", "product", "subscription", "transaction"];

/// Types that Paddle lists and that have no recording.
const UNRECORDED: usize = 5;

#[test]
fn every_recorded_payload_is_read() {
    let Some(folder) = common::recordings("payloads/paddle") else { return };
    let files = json_files(&folder);
    assert!(files.len() >= 130, "only {} payloads", files.len());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for path in files {
        let bytes = fs::read(&path).expect("readable");
        let body: Value = serde_json::from_slice(&bytes).expect("JSON");
        // Bodies that were recorded together with their headers are wrapped.
        let (bytes, body) = match body.get("body") {
            Some(inner) => (inner.to_string().into_bytes(), inner.clone()),
            None => (bytes, body),
        };
        let facts = read(&path, &bytes, &body);
        *seen.entry(body["event_type"].as_str().expect("a type").to_owned()).or_default() += facts.len();
    }
    let recorded: BTreeSet<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(recorded.len(), 62 - UNRECORDED, "{recorded:?}");
    for (event_type, facts) in &seen {
        assert_eq!(*facts > 0, FACTS.contains(&kind(event_type)), "{event_type} gave {facts} facts");
    }
}

#[test]
fn every_recorded_scenario_is_read() {
    let Some(folder) = common::recordings("scenarios/paddle") else { return };
    let mut deliveries = 0;
    for path in json_files(&folder) {
        let bytes = fs::read(&path).expect("readable");
        read(&path, &bytes, &serde_json::from_slice(&bytes).expect("JSON"));
        deliveries += 1;
    }
    assert!(deliveries >= 32, "only {deliveries} deliveries");
}

fn kind(event_type: &str) -> &str {
    event_type.split('.').next().unwrap_or_default()
}

fn read(path: &Path, bytes: &[u8], body: &Value) -> Vec<Fact> {
    let mut config = PaddleConfig::new(Mode::Test, ["pdl_ntfset_test"]).expect("a secret");
    (config.simulated, config.custom_data) = (Simulated::Mark, CustomData::Everywhere);
    let paddle = Paddle::new(config).expect("valid");
    let mac = paddle.trust().secrets[0].sign(&[b"1700000000:", bytes]);
    let header = format!("ts=1700000000;h1={}", hex::encode(mac));
    let read = common::receive(&paddle, bytes, &header, 1_700_000_000).expect("genuine");
    let Event { head, meaning, .. } = read.unwrap_or_else(|unreadable| panic!("{}: {unreadable:?}", path.display()));
    assert_eq!(head.event_type, body["event_type"].as_str().expect("a type"));
    let made_up = body["event_id"].as_str().is_some_and(|id| id.starts_with("ntfsim"));
    assert_eq!(head.key.source.mode, if made_up { Mode::Simulated } else { Mode::Test }, "{}", path.display());
    let facts = match (meaning, FACTS.contains(&kind(&head.event_type))) {
        (Meaning::Facts(facts), true) => facts,
        (Meaning::Ignored, false) => return Vec::new(),
        (meaning, _) => panic!("{}: {meaning:?}", path.display()),
    };
    let version = version(body);
    for fact in &facts {
        assert_eq!(fact.event.expose(), body["event_id"].as_str().expect("an id"));
        assert_eq!(fact.version, version, "{}", path.display());
        assert!(fact.observation.is_some() || !fact.links.is_empty(), "{}: an empty fact", path.display());
    }
    let observation = facts[0].observation.as_ref().expect("an observation");
    assert_eq!(observation.object.id.expose(), body["data"]["id"].as_str().expect("an id"));
    for object_state in
        facts.iter().filter_map(|fact| fact.observation.as_ref()).map(|observation| &observation.object_state)
    {
        assert_shows(object_state, &body["data"], path);
    }
    facts
}

/// The key that orders the recorded sequences: the earlier of both times, then the event's.
fn version(body: &Value) -> Version {
    let time = |value: &Value| Timestamp::parse_rfc3339(value.as_str()?).ok();
    let then = time(&body["occurred_at"]).expect("a time");
    let updated_at = time(&body["data"]["updated_at"]).filter(|time| time.seconds() > 0);
    Version { at: updated_at.unwrap_or(then).min(then), then }
}

/// Compares an observation with the fields of its object.
fn assert_shows(object_state: &ObjectState, object: &Value, path: &Path) {
    let amount = |minor: i64, place: &str| {
        let text = object.pointer(place).and_then(Value::as_str);
        assert_eq!(Some(minor.to_string().as_str()), text, "{place} of {}", path.display());
    };
    let time = |found: Option<Timestamp>, place: &str| {
        let text = object.pointer(place).and_then(Value::as_str);
        let expect = text.map(|text| Timestamp::parse_rfc3339(text).expect("a time"));
        assert_eq!(found, expect, "{place} of {}", path.display());
    };
    match object_state {
        ObjectState::Charge(it) => {
            let amounts = object["payments"].as_array().expect("attempts").iter().map(|it| it["amount"].as_str());
            assert!(amounts.flatten().any(|text| text == it.amount.minor().to_string()), "{}", path.display());
            assert_eq!(it.refunded.minor(), 0);
        }
        ObjectState::Customer(it) => {
            let email = it.email.as_ref().map(|email| email.expose());
            assert_eq!(email, object["email"].as_str(), "{}", path.display());
        }
        ObjectState::Invoice(it) => {
            amount(it.total.minor(), "/details/totals/total");
            assert_eq!(Some(it.total.currency().code()), object["currency_code"].as_str());
            assert_eq!(it.total.currency().code(), object["details"]["totals"]["currency_code"], "{}", path.display());
            assert_eq!(it.renews, object["origin"] == "subscription_recurring");
            time(it.finalized_at, "/billed_at");
        }
        ObjectState::Payment(it) => {
            amount(it.amount.minor(), "/details/totals/grand_total");
            let once = object["items"].as_array().expect("items").iter().filter(|item| {
                item["price"]["billing_cycle"].is_null() && object["origin"] != "subscription_payment_method_change"
            });
            let shown: Vec<&str> = it.items.iter().map(|item| item.price.expose()).collect();
            let expect: BTreeSet<&str> = once.map(|item| item["price"]["id"].as_str().expect("an id")).collect();
            assert_eq!(shown, expect.into_iter().collect::<Vec<_>>(), "{}", path.display());
        }
        ObjectState::Price(it) => {
            amount(it.unit_amount.expect("an amount").minor(), "/unit_price/amount");
            assert_eq!(it.interval.is_none(), object["billing_cycle"].is_null());
        }
        ObjectState::Product(it) => assert_eq!(it.name.as_deref(), object["name"].as_str()),
        ObjectState::Credit(it) => amount(it.amount.minor(), "/totals/total"),
        ObjectState::Dispute(it) => amount(it.amount.minor(), "/totals/total"),
        ObjectState::Refund(it) => amount(it.amount.minor(), "/totals/total"),
        ObjectState::Subscription(it) => {
            assert_eq!(it.provider_status, object["status"].as_str().expect("a status"));
            let billed = object["items"].as_array().expect("items").iter().filter(|item| item["recurring"] == true);
            let billed: Vec<(&str, Option<u64>)> = billed
                .map(|item| (item["price"]["id"].as_str().expect("a price"), item["quantity"].as_u64()))
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect();
            let shown: Vec<_> = it.items.iter().map(|item| (item.price.expose(), item.quantity)).collect();
            assert_eq!(shown, billed, "{}", path.display());
            time(it.period.map(|period| period.start), "/current_billing_period/starts_at");
            time(it.period.map(|period| period.end), "/current_billing_period/ends_at");
            time(it.ended_at, "/canceled_at");
            time(it.cancel_at.or(it.pause_at).or(it.resume_at), "/scheduled_change/effective_at");
        }
        ObjectState::Checkout(_) | ObjectState::Release(_) | ObjectState::Reversal(_) | ObjectState::Schedule(_) => {}
    }
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}
