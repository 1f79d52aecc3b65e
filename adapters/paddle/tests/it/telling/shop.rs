//! Simulates how Paddle stores its objects and creates events from them: full objects, compact bodies, and the two
//! clocks as they were recorded. An event occurs after its object changed. `updated_at` has nanoseconds in the first
//! event that shows a change and microseconds later; it may be zero, or in the future.

use std::collections::BTreeMap;

use purchase_conformance::story::Sent;
use purchase_core::time::Timestamp;
use serde_json::{Value, json};

/// The simulated Paddle.
pub(crate) struct Shop {
    seed: u64,
    drawn: u64,
    /// The clock, in microseconds since 1970. It never stops.
    micros: i64,
    pub(crate) sent: Vec<Sent>,
    objects: BTreeMap<String, Value>,
}

/// The letters of a ULID.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl Shop {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0, micros: 0, sent: Vec::new(), objects: BTreeMap::new() }
    }

    /// Advances the clock to this second, unless the clock is already later.
    pub(crate) fn at(&mut self, seconds: i64) {
        self.micros = self.micros.max(seconds * 1_000_000);
    }

    /// The clock, in whole seconds.
    pub(crate) fn second(&self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    /// A random number from the seed.
    pub(crate) fn draw(&mut self) -> u64 {
        self.drawn += 1;
        // SplitMix64.
        let mut z = self.seed.wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An id: its first ten letters are the millisecond of its creation, the rest is random.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        let millis = u64::try_from(self.micros / 1000).unwrap_or_default();
        let time = (0..10).rev().map(|place| millis >> (5 * place));
        let random: Vec<u64> = (0..16).map(|_| self.draw()).collect();
        let letter = |bits: u64| char::from(LETTERS[usize::try_from(bits & 31).unwrap_or_default()]);
        format!("{prefix}_{}", time.chain(random).map(letter).collect::<String>())
    }

    /// The next instant. A burst lasts some milliseconds, however many events it has.
    fn tick(&mut self) -> i64 {
        self.micros += 1 + i64::try_from(self.draw() % 1500).unwrap_or_default();
        self.micros
    }

    /// Stores a new object.
    pub(crate) fn make(&mut self, prefix: &str, mut object: Value) -> String {
        let (id, now) = (self.id(prefix), self.tick());
        object["id"] = json!(id);
        object["created_at"] = json!(time(now));
        object["updated_at"] = json!(nanos(now));
        self.objects.insert(id.clone(), object);
        id
    }

    /// The current state of an object, for reading.
    pub(crate) fn object(&self, id: &str) -> &Value {
        &self.objects[id]
    }

    /// Changes an object, and returns its state before the change.
    pub(crate) fn change(&mut self, id: &str, values: Value) -> Value {
        let now = self.tick();
        let object = self.objects.get_mut(id).expect("an existing object");
        let before = object.clone();
        if let Value::Object(values) = values {
            values.into_iter().for_each(|(key, value)| object[key] = value);
        }
        object["updated_at"] = json!(nanos(now));
        before
    }

    /// Sets a false time of the last change.
    pub(crate) fn misdate(&mut self, id: &str, updated_at: Value) {
        self.objects.get_mut(id).expect("an existing object")["updated_at"] = updated_at;
    }

    /// Sends events that show one object, each a little later than the previous one.
    pub(crate) fn send(&mut self, id: &str, types: &[&str]) {
        for event_type in types {
            let object_state = self.objects[id].clone();
            self.send_state(event_type, object_state);
            if let Some(text) =
                self.objects[id]["updated_at"].as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok())
                && text > Timestamp::EPOCH
            {
                self.misdate(id, json!(text.to_string()));
            }
        }
    }

    /// Sends several events with the same microsecond that show one object.
    pub(crate) fn send_at_once(&mut self, id: &str, types: &[&str]) {
        let now = self.tick();
        for event_type in types {
            self.micros = now;
            let object_state = self.objects[id].clone();
            self.event(event_type, object_state, now);
        }
    }

    /// Sends an event that shows an observation, which need not be the newest.
    pub(crate) fn send_state(&mut self, event_type: &str, object_state: Value) {
        let now = self.tick();
        self.event(event_type, object_state, now);
    }

    fn event(&mut self, event_type: &str, object_state: Value, occurred_at: i64) {
        let event = json!({
            "event_id": self.id("evt"), "event_type": event_type, "occurred_at": time(occurred_at),
            "notification_id": self.id("ntf"), "data": object_state,
        });
        self.sent.push(Sent { event_type: event_type.to_owned(), body: event.to_string().into_bytes() });
    }
}

/// RFC 3339, to the microsecond.
fn time(micros: i64) -> String {
    Timestamp::from_micros(micros).expect("in range").to_string()
}

/// The same with nanoseconds.
fn nanos(micros: i64) -> String {
    let second = Timestamp::EPOCH.plus_seconds(micros.div_euclid(1_000_000)).to_string();
    format!("{}.{:06}481Z", second.trim_end_matches('Z'), micros.rem_euclid(1_000_000))
}
