//! Defines what is stored of a genuine delivery, whatever its content.

use sha2::{Digest, Sha256};

use crate::{
    delivery::Delivery,
    engine::receiving::ordering_key::ordering_key,
    fact::Fact,
    id::{EventKey, Mode, ProviderId, Source},
    provider::{Event, Meaning, ReadFault, Unreadable},
    store::NewEvent,
    time::Timestamp,
};

/// A genuine event, and what its adapter read from it. Outside the engine, only
/// [`Engine::admit`](crate::engine::Engine::admit) constructs one.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The event as received.
    pub(in crate::engine) event: NewEvent,
    /// The adapter's reading of it.
    pub(in crate::engine) reading: Result<Event, Unreadable>,
}

impl Admitted {
    /// Its facts. Empty where it can't be read or contains none.
    pub(in crate::engine) fn facts(&self) -> &[Fact] {
        match &self.reading {
            Ok(Event { meaning: Meaning::Facts(facts), .. }) => facts,
            Ok(_) | Err(_) => &[],
        }
    }
}

/// How far an event's own time may be ahead of its receipt, in seconds. Clocks differ by less than a day.
const AHEAD_SECONDS: i64 = 24 * 3600;

/// Checks a reading against the time of receipt. An event whose own time is more than `AHEAD_SECONDS` after it is
/// refused: every later event would count as older. An ignored event passes, because it contains no facts.
pub(in crate::engine) fn in_time(
    reading: Result<Event, Unreadable>,
    received_at: Timestamp,
) -> Result<Event, Unreadable> {
    let event = reading?;
    let seconds_ahead = event.head.occurred_at.seconds_after(received_at);
    if seconds_ahead <= AHEAD_SECONDS || event.meaning == Meaning::Ignored {
        return Ok(event);
    }
    let fault = ReadFault::Future { path: event.head.occurred_at_path.to_owned(), seconds_ahead };
    Err(Unreadable { head: Some(event.head), fault })
}

/// The event as stored. A body that names no event is keyed by its digest; one that names no mode is stored as live.
pub(in crate::engine) fn new_event(reading: &Result<Event, Unreadable>, delivery: Delivery) -> NewEvent {
    let digest: [u8; 32] = Sha256::digest(&delivery.body).into();
    let head = match reading {
        Ok(event) => Some(&event.head),
        Err(unreadable) => unreadable.head.as_ref(),
    };
    let unnamed = || EventKey {
        source: Source { provider: delivery.provider.clone(), account: None, mode: Mode::Live },
        id: ProviderId::of_body(&delivery.body),
    };
    NewEvent {
        key: head.map_or_else(unnamed, |head| head.key.clone()),
        event_type: head.map(|head| head.event_type.clone()).unwrap_or_default(),
        api_version: head.and_then(|head| head.api_version.clone()),
        occurred_at: head.map(|head| head.occurred_at),
        received_at: delivery.received_at,
        ordering_key: ordering_key(reading),
        body: delivery.body,
        digest,
    }
}
