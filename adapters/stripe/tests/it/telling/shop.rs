//! Simulates how Stripe stores its objects and creates events from them: full objects in the shape of an API version,
//! `previous_attributes` by comparing two objects, times in whole seconds, ids that do not sort in their order of
//! creation.
//!
//! The shapes are those of the fixtures. Objects are stored in the newest shape. Values that only older shapes show are
//! stored under keys that begin with `_`.

use std::{collections::BTreeMap, fs, path::Path};

use purchase_conformance::story::Sent;
use serde_json::{Map, Value, json};

/// The API version that an endpoint is pinned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Before `2025-03-31.basil`.
    Old,
    /// `2026-03-25.dahlia`.
    Dahlia,
    /// `2026-09-30.endive`.
    Endive,
}

/// The simulated Stripe.
pub(crate) struct Shop {
    pub(crate) seed: u64,
    pub(crate) version: Version,
    /// The clock, in seconds since 1970.
    pub(crate) now: i64,
    /// Whether a burst of events continues past the second in which it began.
    pub(crate) slow: bool,
    /// When the last event was created.
    last: i64,
    pub(crate) sent: Vec<Sent>,
    objects: BTreeMap<String, Value>,
    drawn: u64,
}

impl Shop {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            version: Version::Endive,
            now: 0,
            slow: false,
            last: 0,
            sent: Vec::new(),
            objects: BTreeMap::new(),
            drawn: 0,
        }
    }

    /// An id that reveals nothing.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}_{:016x}", self.draw())
    }

    /// A random number from the seed.
    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        // SplitMix64.
        let mut z = self.seed.wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The current state of an object, for reading.
    pub(crate) fn object(&self, id: &str) -> &Value {
        &self.objects[id]
    }

    /// Creates an object from one of the fixtures and some values.
    pub(crate) fn make(&mut self, prefix: &str, fixture: &str, values: Value) -> String {
        let id = self.id(prefix);
        let mut object = template(fixture);
        object["id"] = json!(id);
        object["created"] = json!(self.now);
        lay(&mut object, values);
        self.objects.insert(id.clone(), object);
        id
    }

    /// Changes an object, and returns its state before the change.
    pub(crate) fn change(&mut self, id: &str, values: Value) -> Value {
        let object = self.objects.get_mut(id).expect("an existing object");
        let before = object.clone();
        lay(object, values);
        before
    }

    /// Sends an event that shows an object.
    pub(crate) fn send(&mut self, event_type: &str, id: &str) {
        self.event(event_type, id, None);
    }

    /// Sends an event that also contains what changed since `before`.
    pub(crate) fn send_change(&mut self, event_type: &str, id: &str, before: &Value) {
        self.event(event_type, id, Some(before));
    }

    fn event(&mut self, event_type: &str, id: &str, before: Option<&Value>) {
        let object = shaped(&self.objects[id], self.version);
        let mut data = json!({ "object": object });
        if let Some(before) = before {
            data["previous_attributes"] = previous(&shaped(before, self.version), &object);
        }
        self.raw(event_type, data);
    }

    /// Sends an event about any object.
    pub(crate) fn raw(&mut self, event_type: &str, data: Value) {
        let created = match self.slow {
            true => self.now.max(self.last) + i64::from(self.draw().is_multiple_of(5)),
            false => self.now,
        };
        self.last = created;
        let event = json!({
            "id": self.id("evt"),
            "object": "event",
            "api_version": match self.version {
                Version::Old => "2024-06-20",
                Version::Dahlia => "2026-03-25.dahlia",
                Version::Endive => "2026-09-30.endive",
            },
            "created": created,
            "data": data,
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
            "type": event_type,
        });
        let body = serde_json::to_vec_pretty(&event).expect("JSON");
        self.sent.push(Sent { event_type: event_type.to_owned(), body });
    }
}

/// The object in a recorded or written delivery.
pub(crate) fn template(fixture: &str) -> Value {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("fixtures/stripe"));
    let path = folders.map(|folder| folder.join(fixture)).find(|path| path.exists()).expect(fixture);
    let body = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut event: Value = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    event["data"]["object"].take()
}

fn lay(object: &mut Value, values: Value) {
    let Value::Object(values) = values else { return };
    for (key, value) in values {
        object[key] = value;
    }
}

/// An object in the shape of an API version.
fn shaped(object: &Value, version: Version) -> Value {
    let mut shaped = object.clone();
    let Some(keys) = shaped.as_object_mut() else { return shaped };
    let hidden: Vec<(String, Value)> =
        keys.iter().filter(|(key, _)| key.starts_with('_')).map(|(key, value)| (key.clone(), value.clone())).collect();
    keys.retain(|key, _| !key.starts_with('_'));
    if version != Version::Old {
        return shaped;
    }
    keys.extend(hidden.into_iter().map(|(key, value)| (key[1..].to_owned(), value)));
    match keys.get("object").and_then(Value::as_str) {
        Some("subscription") => {
            let mut period = (Value::Null, Value::Null);
            for item in keys["items"]["data"].as_array_mut().into_iter().flatten() {
                let Some(item) = item.as_object_mut() else { continue };
                let mut take = |key: &str| item.remove(key).unwrap_or_default();
                period = (take("current_period_start"), take("current_period_end"));
            }
            keys.insert("current_period_start".to_owned(), period.0);
            keys.insert("current_period_end".to_owned(), period.1);
            keys.remove("billing_mode");
            keys.remove("status_details");
        }
        Some("invoice") => {
            let details = keys.remove("parent").unwrap_or_default()["subscription_details"].take();
            keys.insert("subscription".to_owned(), details["subscription"].clone());
            keys.insert("subscription_details".to_owned(), json!({ "metadata": details["metadata"] }));
        }
        _ => {}
    }
    shaped
}

/// The old values of what changed; of a changed array, the whole old array.
fn previous(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return before.clone() };
    let mut changed = Map::new();
    for (key, was) in before {
        match after.get(key) {
            Some(is) if is == was => {}
            Some(is) => _ = changed.insert(key.clone(), previous(was, is)),
            None => _ = changed.insert(key.clone(), was.clone()),
        }
    }
    for key in after.keys().filter(|key| !before.contains_key(*key)) {
        changed.insert(key.clone(), Value::Null);
    }
    Value::Object(changed)
}
