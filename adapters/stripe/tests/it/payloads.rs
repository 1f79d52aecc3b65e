//! Tests that every recorded body is read. This file, not the adapter, lists the types that must give facts. The
//! expected content of an observation is taken from the body itself, field by field.

use crate::common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use purchase_core::{
    fact::{
        Fact, Link, Phase,
        object_state::{InvoiceState, ObjectState},
    },
    id::{ObjectKind, ObjectRef, Subject},
    provider::{Event, Meaning, Webhooks},
};
use purchase_stripe::{ModePolicy, Stripe, StripeConfig};
use serde_json::Value;

/// Recorded types that must give facts. Every other recorded type must be ignored.
const FACTS: &[&str] = &[
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.expired",
    "charge.failed",
    "charge.pending",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "checkout.session.completed",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.deleted",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.updated",
    "invoice.voided",
    "invoice_payment.paid",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.partially_funded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "price.created",
    "price.deleted",
    "price.updated",
    "product.created",
    "product.deleted",
    "product.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "subscription_schedule.aborted",
    "subscription_schedule.canceled",
    "subscription_schedule.completed",
    "subscription_schedule.created",
    "subscription_schedule.expiring",
    "subscription_schedule.released",
    "subscription_schedule.updated",
];

#[test]
fn every_recorded_payload_is_read() {
    let Some(folder) = common::recordings("payloads/stripe") else { return };
    let files = json_files(&folder);
    assert!(files.len() >= 90, "only {} payloads", files.len());
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
        *seen.entry(body["type"].as_str().expect("a type").to_owned()).or_default() += facts.len();
    }
    for event_type in FACTS {
        assert!(seen.get(*event_type).is_some_and(|facts| *facts > 0), "{event_type} gave no facts");
    }
}

#[test]
fn every_recorded_scenario_is_read_with_its_evidence() {
    let Some(folder) = common::recordings("scenarios/stripe") else { return };
    let (mut deliveries, mut priors) = (0, 0);
    for path in json_files(&folder) {
        let bytes = fs::read(&path).expect("readable");
        let body: Value = serde_json::from_slice(&bytes).expect("JSON");
        let facts = read(&path, &bytes, &body);
        deliveries += 1;
        let previous = &body["data"]["previous_attributes"];
        if previous.is_object() {
            let observation = facts[0].observation.as_ref().expect("an observation");
            let prior = observation.prior.as_ref().unwrap_or_else(|| panic!("{}: no evidence", path.display()));
            if let (ObjectState::Invoice(invoice), Some(status)) = (prior, previous["status"].as_str()) {
                assert_eq!(invoice.state, invoice_state(status));
                priors += 1;
            }
        }
    }
    assert!(deliveries >= 150 && priors >= 20, "{deliveries} deliveries, {priors} invoices with evidence");
}

fn read(path: &Path, bytes: &[u8], body: &Value) -> Vec<Fact> {
    let stripe = Stripe::new(StripeConfig::new(ModePolicy::Both, ["whsec_test"]).expect("a secret")).expect("valid");
    let mac = stripe.trust().secrets[0].sign(&[b"1700000000.", bytes]);
    let header = format!("t=1700000000,v1={}", hex::encode(mac));
    let read = common::receive(&stripe, bytes, &header, 1_700_000_000).expect("genuine");
    let Event { head, meaning, .. } = read.unwrap_or_else(|unreadable| panic!("{}: {unreadable:?}", path.display()));
    assert_eq!(head.event_type, body["type"].as_str().expect("a type"));
    let facts = match (meaning, FACTS.contains(&head.event_type.as_str())) {
        (Meaning::Facts(facts), true) => facts,
        (Meaning::Ignored, false) => Vec::new(),
        (meaning, _) => panic!("{}: {meaning:?}", path.display()),
    };
    for fact in &facts {
        assert_eq!(fact.event.expose(), body["id"].as_str().expect("an id"));
        let (said_at, created) = (fact.version.at.seconds(), body["created"].as_i64().expect("a time"));
        assert!(said_at == created || (infers(fact) && said_at < created), "{}: {said_at}", path.display());
        assert_eq!(fact.version.then, fact.version.at);
        assert!(fact.observation.is_some() || !fact.links.is_empty(), "{}: an empty fact", path.display());
    }
    assert_no_counterparts(&facts, path);
    if let Some(observation) = facts.first().and_then(|fact| fact.observation.as_ref()) {
        let object = &body["data"]["object"];
        assert_eq!(observation.object.id.expose(), object["id"].as_str().expect("an id"));
        assert_eq!(observation.phase, phase(&head.event_type));
        assert_shows(&observation.object_state, object, path);
    }
    facts
}

/// Whether a fact contains only what one object implies about another.
fn infers(fact: &Fact) -> bool {
    let inferred = |link: &Link| matches!(link, Link::InferredOffer { .. } | Link::InferredOwner { .. });
    fact.observation.is_none() && fact.links.iter().all(inferred)
}

/// One observation per object, and one fact with links per subject, apart from inferred facts.
fn assert_no_counterparts(facts: &[Fact], path: &Path) {
    let facts: Vec<&Fact> = facts.iter().filter(|fact| !infers(fact)).collect();
    let mut objects: Vec<(&Subject, Option<&ObjectRef>)> = facts
        .iter()
        .map(|fact| (&fact.subject, fact.observation.as_ref().map(|observation| &observation.object)))
        .collect();
    objects.sort();
    assert!(objects.windows(2).all(|pair| pair[0] != pair[1]), "{}: an object is observed twice", path.display());
    for fact in facts.iter().filter(|fact| fact.observation.is_none()) {
        let others = facts.iter().filter(|other| other.subject == fact.subject).count();
        assert_eq!(others, 1, "{}: links are in another fact than their subject's observation", path.display());
    }
}

fn phase(event_type: &str) -> Phase {
    match event_type.rsplit('.').next() {
        Some("created") => Phase::Created,
        Some("deleted") => Phase::Ended,
        _ => Phase::Changed,
    }
}

/// Compares an observation with the fields of its object.
fn assert_shows(object_state: &ObjectState, object: &Value, path: &Path) {
    let seen = |found: Value, key: &str| assert_eq!(found, object[key], "{key} of {}", path.display());
    let kinds = [
        ("charge", ObjectKind::Charge),
        ("checkout.session", ObjectKind::Checkout),
        ("credit_note", ObjectKind::Credit),
        ("customer", ObjectKind::Customer),
        ("dispute", ObjectKind::Dispute),
        ("invoice", ObjectKind::Invoice),
        ("payment_intent", ObjectKind::Payment),
        ("price", ObjectKind::Price),
        ("product", ObjectKind::Product),
        ("refund", ObjectKind::Refund),
        ("subscription", ObjectKind::Subscription),
        ("subscription_schedule", ObjectKind::Schedule),
    ];
    assert!(kinds.contains(&(object["object"].as_str().expect("a kind"), object_state.kind())), "{}", path.display());
    match object_state {
        ObjectState::Charge(it) => {
            seen(it.amount.minor().into(), "amount");
            seen(it.refunded.minor().into(), "amount_refunded");
        }
        ObjectState::Credit(it) => seen(it.amount.minor().into(), "amount"),
        ObjectState::Customer(it) => {
            let email = it.email.as_ref().map(|email| email.expose().to_owned());
            assert_eq!(email.as_deref(), object["email"].as_str(), "email of {}", path.display());
        }
        ObjectState::Invoice(it) => {
            assert_eq!(it.state, invoice_state(object["status"].as_str().expect("a status")));
            seen(it.total.minor().into(), "total");
            seen(it.amount_paid.minor().into(), "amount_paid");
            seen(it.attempts.into(), "attempt_count");
            assert_eq!(it.renews, object["billing_reason"] == "subscription_cycle");
            let paid_at = it.paid_at.map(|time| time.seconds());
            assert_eq!(paid_at, object["status_transitions"]["paid_at"].as_i64(), "{}", path.display());
        }
        ObjectState::Dispute(it) => seen(it.amount.minor().into(), "amount"),
        ObjectState::Payment(it) => seen(it.amount.minor().into(), "amount"),
        ObjectState::Price(it) => seen(it.unit_amount.map(|amount| amount.minor()).into(), "unit_amount"),
        ObjectState::Product(it) => seen(it.name.clone().into(), "name"),
        ObjectState::Refund(it) => seen(it.amount.minor().into(), "amount"),
        ObjectState::Subscription(it) => {
            seen(it.provider_status.clone().into(), "status");
            seen(it.trial_end.map(|time| time.seconds()).into(), "trial_end");
            let items = object["items"]["data"].as_array().expect("items");
            let prices: BTreeSet<&str> =
                items.iter().map(|item| item["price"]["id"].as_str().expect("a price")).collect();
            let shown: Vec<&str> = it.items.iter().map(|item| item.price.expose()).collect();
            assert_eq!(shown, prices.into_iter().collect::<Vec<_>>(), "{}", path.display());
            let quantity: u64 = it.items.iter().filter_map(|item| item.quantity).sum();
            assert_eq!(quantity, items.iter().filter_map(|item| item["quantity"].as_u64()).sum::<u64>());
            let (start, end) =
                it.period.map(|period| (period.start.seconds(), period.end.seconds())).expect("a period");
            let holder = if object["current_period_start"].is_null() { &items[0] } else { object };
            assert_eq!(Some(start), holder["current_period_start"].as_i64(), "{}", path.display());
            assert_eq!(Some(end), holder["current_period_end"].as_i64(), "{}", path.display());
        }
        ObjectState::Checkout(_) | ObjectState::Release(_) | ObjectState::Reversal(_) | ObjectState::Schedule(_) => {}
    }
}

fn invoice_state(status: &str) -> InvoiceState {
    match status {
        "draft" | "deleted" => InvoiceState::Draft,
        "open" => InvoiceState::Open,
        "paid" => InvoiceState::Paid,
        "uncollectible" => InvoiceState::Uncollectible,
        "void" => InvoiceState::Void,
        other => panic!("{other}"),
    }
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|end| end == "json")
            && !path.to_string_lossy().ends_with(".headers.json")
        {
            files.push(path);
        }
    }
    files.sort();
    files
}
