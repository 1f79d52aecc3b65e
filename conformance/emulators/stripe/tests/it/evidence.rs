//! Decides whether deliveries alone decide the last state of an object, independently of the adapter: it tries every
//! order of events with one time that contradicts no evidence.
//!
//! The evidence: a creation is first, a deletion is last, and the values in an event's `previous_attributes` are those
//! of the event before it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// One event about the object.
struct Told {
    event_type: String,
    created: i64,
    object: Value,
    previous: Option<Value>,
}

/// Whether two orders that contradict no evidence end in different states.
pub(crate) fn is_undecidable(bodies: &[Vec<u8>], object: &str) -> bool {
    let mut seconds: BTreeMap<i64, Vec<Told>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for body in bodies {
        let Some(told) = read(body).filter(|told| told.object["id"] == object) else { continue };
        // One change may cause two events, which say the same.
        if seen.insert((told.event_type.clone(), told.created, told.object.to_string())) {
            seconds.entry(told.created).or_default().push(told);
        }
    }
    let mut before: Vec<Value> = Vec::new();
    for events in seconds.values() {
        let ends = ends(&before, events);
        // When every order contradicts something, the evidence decides nothing.
        before = if ends.is_empty() { events.iter().map(|it| it.object.clone()).collect() } else { ends };
    }
    let states: BTreeSet<String> = before.iter().map(state).collect();
    states.len() > 1
}

fn read(body: &[u8]) -> Option<Told> {
    let event: Value = serde_json::from_slice(body).ok()?;
    Some(Told {
        event_type: event["type"].as_str()?.to_owned(),
        created: event["created"].as_i64()?,
        object: event["data"]["object"].clone(),
        previous: event["data"].get("previous_attributes").cloned(),
    })
}

/// The states in which some order of these events ends. Sets of events are bits of a number.
fn ends(before: &[Value], events: &[Told]) -> Vec<Value> {
    assert!(events.len() < 24, "{} events in one second are too many to order", events.len());
    let whole = (1_u32 << events.len()) - 1;
    let mut reached: BTreeSet<(u32, usize)> = BTreeSet::new();
    let mut open: Vec<(u32, usize)> = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let follows = before.is_empty() || before.iter().any(|it| may_follow(it, event));
        if follows && may_be(event, place_of(0, whole, place)) {
            open.push((1 << place, place));
        }
    }
    while let Some((set, last)) = open.pop() {
        if !reached.insert((set, last)) {
            continue;
        }
        for (place, event) in events.iter().enumerate().filter(|(place, _)| set & 1 << place == 0) {
            if may_follow(&events[last].object, event) && may_be(event, place_of(set, whole, place)) {
                open.push((set | 1 << place, place));
            }
        }
    }
    reached.iter().filter(|(set, _)| *set == whole).map(|(_, last)| events[*last].object.clone()).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    first: bool,
    last: bool,
}

fn place_of(set: u32, whole: u32, place: usize) -> Place {
    Place { first: set == 0, last: set | 1 << place == whole }
}

fn may_be(event: &Told, place: Place) -> bool {
    let ends_with = |end: &str| event.event_type.ends_with(end);
    (!ends_with(".created") || place.first) && (!ends_with(".deleted") || place.last)
}

/// Whether an event's `previous_attributes` are what the object was.
fn may_follow(before: &Value, event: &Told) -> bool {
    event.previous.as_ref().is_none_or(|previous| agrees(before, previous))
}

fn agrees(before: &Value, previous: &Value) -> bool {
    match previous {
        Value::Object(fields) if before.is_object() => {
            fields.iter().all(|(name, was)| agrees(before.get(name).unwrap_or(&Value::Null), was))
        }
        other => before == other,
    }
}

/// What of an object is a state: a subscription's latest invoice changes without an event.
fn state(object: &Value) -> String {
    let fields: Map<String, Value> = object.as_object().cloned().unwrap_or_default();
    let fields: Map<String, Value> = fields.into_iter().filter(|(name, _)| name != "latest_invoice").collect();
    Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(event_type: &str, created: i64, status: &str, previous: Option<&str>) -> Vec<u8> {
        let mut data = json!({ "object": { "id": "sub_1", "status": status } });
        if let Some(previous) = previous {
            data["previous_attributes"] = json!({ "status": previous });
        }
        json!({ "type": event_type, "created": created, "data": data }).to_string().into_bytes()
    }

    #[test]
    fn only_what_no_evidence_orders_is_undecidable() {
        let of = |bodies: &[Vec<u8>]| is_undecidable(bodies, "sub_1");
        let (updated, created) = ("s.updated", "s.created");
        assert!(!of(&[body(created, 1, "a", None), body(updated, 1, "b", Some("a"))]));
        assert!(!of(&[body(updated, 1, "b", Some("a")), body(updated, 1, "c", Some("b"))]));
        assert!(of(&[body(updated, 1, "b", Some("a")), body(updated, 1, "a", Some("b"))]), "a circle");
        let circle = [body(updated, 1, "b", Some("a")), body(updated, 1, "a", Some("b"))];
        assert!(!of(&[vec![body(created, 0, "a", None)], circle.to_vec()].concat()), "a circle with a known start");
        assert!(of(&[body("s.paid", 1, "b", None), body("s.sent", 1, "a", None)]));
        assert!(!of(&[body("s.paid", 1, "b", None), body("s.sent", 2, "a", None)]));
        assert!(!of(&[body("s.paid", 1, "b", None), body("s.deleted", 1, "a", None)]));
    }
}
