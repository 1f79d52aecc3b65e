//! Tests of the table and of the version. Each expectation comes from Paddle's documentation or from a recorded event.

mod adjustments;
mod others;
mod subscriptions;
mod transactions;

use purchase_conformance::lines;
use purchase_core::{
    fact::{Fact, Phase, Version, object_state::ObjectState},
    money::{Currency, Money},
    provider::{Meaning, ReadFault, Unreadable},
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    PaddleConfig,
    config::CustomData,
    tests::{paddle, read, shape, with},
};

#[test]
fn the_table_is_ordered_and_lists_each_type_once() {
    assert!(super::TABLE.is_sorted_by(|(one, _), (next, _)| one < next));
    assert_eq!(super::TABLE.len(), 62);
}

#[test]
fn the_phase_follows_the_last_word_of_the_type() {
    for (name, line) in super::TABLE {
        let expect = match name.rsplit('.').next() {
            Some("created" | "imported") => Phase::Created,
            _ => Phase::Changed,
        };
        assert!(line.is_none_or(|(phase, _)| phase == expect), "{name}");
    }
}

/// The version of an event with this `occurred_at` that shows an object with this `updated_at`.
fn version(occurred_at: &str, updated_at: Value) -> Version {
    let object = json!({"id": "pro_1", "status": "active", "updated_at": updated_at});
    let body = with(event("product.updated", object), json!({ "occurred_at": occurred_at }));
    let facts = read_with(|_| {}, &body).expect("facts");
    facts[0].version
}

#[track_caller]
fn check(occurred_at: &str, updated_at: Value, at: &str) {
    let expect = Version { at: time(at), then: time(occurred_at) };
    assert_eq!(version(occurred_at, updated_at.clone()), expect, "{updated_at}");
}

#[test]
fn an_observation_is_as_old_as_its_update() {
    // In the recording, the observation of the failed payment was taken before the one of past due, and reported after
    // it.
    let past_due = version("2024-09-09T16:04:04.834513Z", json!("2024-09-09T16:04:04.278528938Z"));
    let failed = version("2024-09-09T16:04:04.835508Z", json!("2024-09-09T16:04:02.613735Z"));
    let billed = version("2024-09-09T16:04:02.989795Z", json!("2024-09-09T16:04:02.613735612Z"));
    assert!(billed < failed && failed < past_due);
    assert_eq!(billed.at, failed.at);
}

#[test]
fn nanoseconds_are_cut_to_microseconds() {
    check("2024-09-09T16:00:14.334401Z", json!("2024-09-09T16:00:13.888989481Z"), "2024-09-09T16:00:13.888989Z");
    check("2024-09-09T16:11:23.495326Z", json!("2024-09-09T16:11:23Z"), "2024-09-09T16:11:23Z");
}

#[test]
fn an_update_in_the_future_counts_as_now() {
    check("2024-09-09T16:04:06.051917Z", json!("2024-10-09T16:01:39.148686Z"), "2024-09-09T16:04:06.051917Z");
}

#[test]
fn an_update_that_is_zero_or_missing_counts_as_now() {
    let occurred_at = "2023-08-21T14:08:43.786457Z";
    // Go's zero time and Unix's zero time.
    for zero in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        check(occurred_at, json!(zero), occurred_at);
    }
    for updated_at in [json!(null), json!("remove"), json!("soon"), json!(7)] {
        check(occurred_at, updated_at, occurred_at);
    }
}

/// An event of a type about an object.
fn event(event_type: &str, object: Value) -> Value {
    json!({
        "event_id": "evt_1", "event_type": event_type, "occurred_at": "2024-09-09T16:20:01.883390Z",
        "notification_id": "ntf_1", "data": with(object, json!({})),
    })
}

fn read_with(change: impl FnOnce(&mut PaddleConfig), body: &Value) -> Result<Vec<Fact>, ReadFault> {
    match read(&paddle(change), body) {
        Ok(event) => match event.meaning {
            Meaning::Facts(facts) => Ok(facts),
            meaning => panic!("{meaning:?}"),
        },
        Err(Unreadable { head: Some(_), fault }) => Err(fault),
        Err(unreadable) => panic!("{unreadable:?}"),
    }
}

/// The facts if the application's keys are read everywhere.
fn facts(event_type: &str, object: Value) -> Vec<Fact> {
    read_with(|config| config.custom_data = CustomData::Everywhere, &event(event_type, object)).expect("facts")
}

fn fault(event_type: &str, object: Value) -> ReadFault {
    read_with(|config| config.custom_data = CustomData::Everywhere, &event(event_type, object)).expect_err("a fault")
}

/// The observations of an event.
fn object_states(event_type: &str, object: Value) -> Vec<ObjectState> {
    facts(event_type, object)
        .into_iter()
        .filter_map(|fact| fact.observation)
        .map(|observation| observation.object_state)
        .collect()
}

/// The first observation of an event.
fn object_state(event_type: &str, object: Value) -> ObjectState {
    object_states(event_type, object).remove(0)
}

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::new(code).expect(code)).expect("in range")
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect(text)
}
