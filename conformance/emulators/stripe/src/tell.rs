//! Makes events: the envelope, `previous_attributes`, and when an event is created.

use purchase_emulator::{Event, Shared, shared::SECOND};
use serde_json::{Map, Value, json};

use crate::{ids, show::Kind, stripe::Stripe};

/// The API version of events: the version that the webhook endpoint is pinned to.
pub(crate) const VERSION: &str = "2026-05-27.dahlia";

impl Stripe {
    /// Sends an event that shows an object.
    pub(crate) fn tell(&mut self, shared: &mut Shared, event_type: &str, kind: Kind, id: &str) {
        let object = self.shown(kind, id);
        self.event(shared, event_type, object, None, 0);
    }

    /// Changes an object and sends an event with what changed; none when nothing did.
    pub(crate) fn changing(
        &mut self,
        shared: &mut Shared,
        event_type: &str,
        (kind, id): (Kind, &str),
        change: impl FnOnce(&mut Self, &mut Shared),
    ) {
        self.changing_with(shared, &[event_type], (kind, id), change);
    }

    /// Changes an object and sends several events with what changed.
    pub(crate) fn changing_with(
        &mut self,
        shared: &mut Shared,
        event_types: &[&str],
        (kind, id): (Kind, &str),
        change: impl FnOnce(&mut Self, &mut Shared),
    ) {
        let before = self.shown(kind, id);
        change(self, shared);
        let after = self.shown(kind, id);
        if before == after {
            return;
        }
        for event_type in event_types {
            self.event(shared, event_type, after.clone(), Some(previous(&before, &after)), 0);
        }
    }

    /// Sends an event about an object, so many seconds late.
    pub(crate) fn event(
        &mut self,
        shared: &mut Shared,
        event_type: &str,
        object: Value,
        previous: Option<Value>,
        late_seconds: i64,
    ) {
        let about = object["id"].as_str().unwrap_or_default().to_owned();
        let mut created = shared.stamp(&about) + late_seconds * SECOND;
        if let Some(earlier) = self.late.get(&about) {
            created = created.max(*earlier);
        }
        if late_seconds > 0 {
            self.late.insert(about.clone(), created);
        }
        let id = match ids::is_payments(&about) {
            true => ids::payment(&mut shared.draw, "evt", &self.account),
            false => ids::long(&mut shared.draw, "evt", &self.account),
        };
        let mut data = json!({ "object": object });
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        let request = shared.request.as_ref();
        let body = json!({
            "id": id, "object": "event", "api_version": VERSION, "created": created.div_euclid(SECOND), "data": data,
            "livemode": self.settings.livemode, "pending_webhooks": 0,
            "request": {
                "id": request.map(|it| it.id.clone()),
                "idempotency_key": request.and_then(|it| it.idempotency_key.clone()),
            },
            "type": event_type,
        });
        shared.emit(Event { id, event_type: event_type.to_owned(), object: about, created, body });
    }
}

/// The old values of what changed; of a changed array, the whole old array.
pub(crate) fn previous(before: &Value, after: &Value) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_attributes_have_only_what_changed() {
        let before = json!({ "a": 1, "b": { "c": 1, "d": 2 }, "e": [1, 2], "f": null, "same": {} });
        let after = json!({ "a": 2, "b": { "c": 1, "d": 3 }, "e": [1, 3], "f": { "g": 1 }, "same": {}, "new": 1 });
        let expect = json!({ "a": 1, "b": { "d": 2 }, "e": [1, 2], "f": null, "new": null });
        assert_eq!(previous(&before, &after), expect);
    }
}
