//! Reads the envelope of an event: its identity, type, time and mode, and whether this endpoint accepts it. This module
//! does not know what the event means.

use purchase_core::{
    id::{EventKey, Mode, ProviderId, ProviderName, Source},
    provider::{EventHead, ReadFault},
};

use crate::{
    config::ModePolicy,
    wire::{self, View},
};

/// Reads the envelope of a body.
///
/// A delivery has no event id, so the digest of its bytes is used as the id: equal bytes are the same event. The time
/// is the object's last change, because there is no other time. An object says its own mode. A licence key doesn't, so
/// its envelope's mode is used.
pub(crate) fn head(body: &View<'_, '_>, bytes: &[u8], provider: &ProviderName) -> Result<EventHead, ReadFault> {
    let object = body.at("data.attributes");
    let is_test = match object.at("test_mode").flag()? {
        Some(is_test) => is_test,
        None => body.at("meta.test_mode").need_flag()?,
    };
    let mode = if is_test { Mode::Test } else { Mode::Live };
    let (occurred_at, occurred_at_path) = match object.at("updated_at").rfc3339()? {
        Some(changed) => (changed, "data.attributes.updated_at"),
        None => (object.at("created_at").need_rfc3339()?, "data.attributes.created_at"),
    };
    Ok(EventHead {
        key: EventKey {
            source: Source { provider: provider.clone(), account: None, mode },
            id: ProviderId::of_body(bytes),
        },
        event_type: body.at("meta.event_name").need_text()?.to_owned(),
        occurred_at,
        occurred_at_path,
        api_version: None,
    })
}

/// Refuses events that this endpoint doesn't accept.
pub(crate) fn admit(
    source: &Source,
    body: &View<'_, '_>,
    mode: ModePolicy,
    store: Option<&ProviderId>,
) -> Result<(), ReadFault> {
    match mode {
        ModePolicy::Only(expected) if expected != source.mode => {
            return Err(ReadFault::WrongMode { expected, found: source.mode });
        }
        ModePolicy::Only(_) | ModePolicy::Both => {}
    }
    match store {
        Some(store) if wire::id(&body.at("data.attributes.store_id"))?.as_ref() != Some(store) => {
            Err(ReadFault::WrongAccount)
        }
        _ => Ok(()),
    }
}
