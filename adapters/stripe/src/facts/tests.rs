//! Tests of the table. Each expectation comes from Stripe's documentation or from a recorded event.

mod accounts;
mod billing;
mod captures;
mod catalogue;
mod checkout;
mod invoices;
mod payments;
mod sold;

use purchase_conformance::lines;
use purchase_core::{
    fact::{Fact, Link, Phase, object_state::ObjectState},
    money::{Currency, Money},
    provider::{Meaning, ReadFault, Unreadable},
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{StripeConfig, tests as endpoint};

#[test]
fn the_table_is_ordered_and_lists_each_type_once() {
    assert!(super::TABLE.is_sorted_by(|(one, ..), (next, ..)| one < next));
}

#[test]
fn the_phase_follows_the_last_word_of_the_type() {
    for (name, phase, _) in super::TABLE {
        let expect = match name.rsplit('.').next() {
            Some("created") => Phase::Created,
            Some("deleted") => Phase::Ended,
            _ => Phase::Changed,
        };
        assert_eq!(*phase, expect, "{name}");
    }
}

#[test]
fn arrays_of_very_old_versions_are_no_evidence() {
    let tells = |version: Value| {
        let object = json!({"id": "cus_1", "email": "b@example.com"});
        let mut body = event("customer.updated", object, json!({"email": "a@example.com"}));
        body["api_version"] = version;
        read_with(|_| {}, &body).expect("facts")[0].observation.as_ref().expect("an observation").prior.is_some()
    };
    let versions = [json!("2017-04-06"), json!("2017-05-25"), json!("2026-03-25.dahlia"), json!(null)];
    assert_eq!(versions.map(tells), [false, true, true, true]);
}

/// An event of a type about an object, optionally with the object's previous attributes.
fn event(event_type: &str, object: Value, previous: Value) -> Value {
    json!({
        "id": "evt_1", "object": "event", "type": event_type, "created": 1_600_000_000, "livemode": false,
        "data": {"object": object, "previous_attributes": previous},
    })
}

fn read_with(change: impl FnOnce(&mut StripeConfig), body: &Value) -> Result<Vec<Fact>, ReadFault> {
    match endpoint::read(&endpoint::stripe(change), body) {
        Ok(event) => match event.meaning {
            Meaning::Facts(facts) => Ok(facts),
            meaning => panic!("{meaning:?}"),
        },
        Err(Unreadable { head: Some(_), fault }) => Err(fault),
        Err(unreadable) => panic!("{unreadable:?}"),
    }
}

fn facts(event_type: &str, object: Value) -> Vec<Fact> {
    read_with(|_| {}, &event(event_type, object, json!(null))).expect("facts")
}

fn fault(event_type: &str, object: Value) -> ReadFault {
    read_with(|_| {}, &event(event_type, object, json!(null))).expect_err("a fault")
}

/// The facts of an event with this API version.
fn versioned(api_version: &str, event_type: &str, object: Value) -> Vec<Fact> {
    let mut body = event(event_type, object, json!(null));
    body["api_version"] = json!(api_version);
    read_with(|_| {}, &body).expect("facts")
}

/// The inferred facts without an observation, each with its time: an event repeats older statements.
fn copies(facts: &[Fact]) -> Vec<String> {
    let is_copy = |fact: &&Fact| {
        fact.links.iter().all(|link| matches!(link, Link::InferredOffer { .. } | Link::InferredOwner { .. }))
    };
    let copies = facts.iter().filter(|fact| fact.observation.is_none()).filter(is_copy);
    copies.map(|fact| format!("{} {}", fact.version.at.seconds(), lines(std::slice::from_ref(fact))[0])).collect()
}

/// The first observation of an event.
fn object_state(event_type: &str, object: Value) -> ObjectState {
    facts(event_type, object).into_iter().find_map(|fact| fact.observation).expect("an observation").object_state
}

/// The prior state in an event's first observation.
fn prior(event_type: &str, object: Value, previous: Value) -> Option<ObjectState> {
    let facts = read_with(|_| {}, &event(event_type, object, previous)).expect("facts");
    facts.into_iter().find_map(|fact| fact.observation).expect("an observation").prior
}

/// An object with keys laid over it.
fn with(mut object: Value, over: Value) -> Value {
    for (key, value) in over.as_object().expect("keys") {
        object[key] = value.clone();
    }
    object
}

/// An object without a key.
fn without(mut object: Value, key: &str) -> Value {
    object.as_object_mut().expect("keys").remove(key).expect("an existing key");
    object
}

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::new(code).expect(code)).expect("in range")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}
