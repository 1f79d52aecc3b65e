//! What calls see of the world and change in it: the clock, random numbers, and the events.

use std::collections::BTreeMap;

use purchase_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{chaos::Chaos, draw::Draw, queue::Queue};

/// The microseconds of a second.
pub const SECOND: i64 = 1_000_000;

/// An event of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its type.
    pub event_type: String,
    /// The id of the object that it shows.
    pub object: String,
    /// When it was created, in microseconds since 1970.
    pub created: i64,
    /// The event as the provider's API shows it.
    pub body: Value,
}

/// The request that is being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
}

/// The part of a world that every emulator has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shared {
    /// The clock, in microseconds since 1970. Calls don't move it.
    pub now: i64,
    /// Random numbers.
    pub draw: Draw,
    /// How deliveries and events misbehave.
    pub chaos: Chaos,
    /// The request that is being answered; none while time passes and while people act.
    #[serde(skip)]
    pub request: Option<Made>,
    pub(crate) queue: Queue,
    pub(crate) delivers: bool,
    events: Vec<Event>,
    /// The time of the last event of each object that is later than the object's changes.
    stamps: BTreeMap<String, i64>,
}

impl Shared {
    pub(crate) fn new(seed: u64, now: i64, delivers: bool) -> Self {
        Self {
            now,
            draw: Draw::new(seed),
            chaos: Chaos::default(),
            request: None,
            queue: Queue::default(),
            delivers,
            events: Vec::new(),
            stamps: BTreeMap::new(),
        }
    }

    /// The clock in whole seconds.
    pub fn second(&self) -> i64 {
        self.now.div_euclid(SECOND)
    }

    /// The clock as a time.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_micros(self.now).unwrap_or(Timestamp::MAX)
    }

    /// When an event about this object that is caused now is created, in microseconds since 1970. Chaos makes it late,
    /// and never puts it before an earlier event of the same object.
    pub fn stamp(&mut self, object: &str) -> i64 {
        let mut at = self.now;
        if self.chaos.late_seconds > 0 {
            let late = self.draw.below(u64::from(self.chaos.late_seconds) * SECOND.unsigned_abs());
            at += i64::try_from(late).unwrap_or_default();
        }
        if self.chaos.burst_seconds > 1 {
            let window = i64::from(self.chaos.burst_seconds);
            let second = at.div_euclid(SECOND);
            at += (window - 1 - second.rem_euclid(window)) * SECOND;
        }
        if let Some(earlier) = self.stamps.get(object) {
            at = at.max(*earlier);
        }
        if at > self.now {
            self.stamps.insert(object.to_owned(), at);
        }
        at
    }

    /// Adds an event, and queues its delivery when there is a receiver.
    pub fn emit(&mut self, event: Event) {
        if self.delivers {
            self.queue.add(self.events.len(), event.created, &self.chaos, &mut self.draw);
        }
        self.events.push(event);
    }

    /// All events, in the order in which they were caused.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The deliveries, for reading.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Queues one more delivery of an event. Returns its number, or none when there is no such event or no receiver.
    pub fn deliver_again(&mut self, id: &str) -> Option<u64> {
        let place = self.events.iter().position(|event| event.id == id)?;
        self.delivers.then(|| self.queue.again(place, self.now))
    }
}
