//! Decides what the envelope of an event says: its identity, type, time and mode, and whether this endpoint serves it.
//! It doesn't know what the event means.
//!
//! One event goes to every destination in a notification of its own; a repetition keeps `notification_id`, a replay
//! gets a new one. So `event_id` is the event's name and `notification_id` only the delivery's. (Source: Paddle's
//! "How webhooks work" and "Replay a notification".)

use purchase_core::{
    id::{EventKey, Mode, ProviderName, Source},
    provider::{EventHead, ReadFault},
};

use crate::{config::Simulated, wire::View};

/// How the ids of simulated events and notifications begin.
const SIMULATED: [&str; 2] = ["ntfsimevt_", "ntfsimntf_"];

/// Reads the head of a body. Which mode it is of, the configuration says, unless the simulator made it.
pub(crate) fn head(body: &View<'_, '_>, provider: &ProviderName, mode: Mode) -> Result<EventHead, ReadFault> {
    let id = body.at("event_id").need_id()?;
    let notification = body.at("notification_id").value()?.and_then(|value| value.as_str());
    let made_up = |id: &str| SIMULATED.iter().any(|prefix| id.starts_with(prefix));
    let mode = match made_up(id.expose()) || notification.is_some_and(made_up) {
        true => Mode::Simulated,
        false => mode,
    };
    Ok(EventHead {
        key: EventKey { source: Source { provider: provider.clone(), account: None, mode }, id },
        event_type: body.at("event_type").need_text()?.to_owned(),
        occurred_at: body.at("occurred_at").need_rfc3339()?,
        occurred_at_path: "occurred_at",
        api_version: None,
    })
}

/// Refuses events that this endpoint doesn't serve.
pub(crate) fn admit(source: &Source, expected: Mode, simulated: Simulated) -> Result<(), ReadFault> {
    match (source.mode, simulated) {
        (found @ Mode::Simulated, Simulated::Refuse) => Err(ReadFault::WrongMode { expected, found }),
        _ => Ok(()),
    }
}
