//! Reads the envelope of an event: its identity, type, time and mode, and whether this endpoint accepts it. This module
//! does not know what the event means.
//!
//! Paddle sends one event to every destination, each time in a separate notification. A retry keeps `notification_id`,
//! and a replay gets a new one. So `event_id` identifies the event, and `notification_id` only the delivery. (Source:
//! Paddle's "How webhooks work" and "Replay a notification".)

use purchase_core::{
    id::{EventKey, Mode, ProviderName, Source},
    provider::{EventHead, ReadFault},
};

use crate::{config::Simulated, wire::View};

/// The prefixes of the ids of simulated events and notifications.
const SIMULATED: [&str; 2] = ["ntfsimevt_", "ntfsimntf_"];

/// Reads the envelope of a body. The configuration gives the mode, except for events of the simulator.
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

/// Refuses events that this endpoint doesn't accept.
pub(crate) fn admit(source: &Source, expected: Mode, simulated: Simulated) -> Result<(), ReadFault> {
    match (source.mode, simulated) {
        (found @ Mode::Simulated, Simulated::Refuse) => Err(ReadFault::WrongMode { expected, found }),
        _ => Ok(()),
    }
}
