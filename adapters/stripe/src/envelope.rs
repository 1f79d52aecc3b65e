//! Reads the envelope of an event: its identity, type, time, account and mode, and whether this endpoint accepts it.
//! This module does not know what the event means.
//!
//! Stripe has two envelopes (source: Stripe's API reference, `event` and `v2.core.event`). A *snapshot* event contains
//! the whole object, and its time is in whole seconds. A *thin* event only names the object, and its time is in RFC
//! 3339.

use purchase_core::{
    id::{EventKey, Mode, ProviderId, ProviderName, Source},
    provider::{EventHead, FetchNeed, ReadFault},
};

use crate::{
    config::{Accounts, ModePolicy},
    wire::{Reads as _, View},
};

/// The kind of envelope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    Snapshot,
    Thin,
}

/// Reads the envelope of a body.
pub(crate) fn head(body: &View<'_, '_>, provider: &ProviderName) -> Result<(Envelope, EventHead), ReadFault> {
    let object = body.at("object");
    let envelope = match object.text()? {
        Some("event") => Envelope::Snapshot,
        Some("v2.core.event") => Envelope::Thin,
        Some(_) => return Err(object.misfit("\"event\" or \"v2.core.event\"", "another string")),
        None => return Err(object.fault("\"event\" or \"v2.core.event\"")),
    };
    let (created, account) = (body.at("created"), body.at(account_key(envelope)));
    let occurred_at = match envelope {
        Envelope::Snapshot => created.need_time()?,
        Envelope::Thin => created.need_rfc3339()?,
    };
    let mode = if body.at("livemode").need_flag()? { Mode::Live } else { Mode::Test };
    let source = Source { provider: provider.clone(), account: account.id()?, mode };
    let head = EventHead {
        key: EventKey { source, id: body.at("id").need_id()? },
        event_type: body.at("type").need_text()?.to_owned(),
        occurred_at,
        occurred_at_path: "created",
        api_version: body.at("api_version").text()?.map(str::to_owned),
    };
    Ok((envelope, head))
}

/// A thin event has no `account`. Its `context` names the account in which its object is fetched.
fn account_key(envelope: Envelope) -> &'static str {
    match envelope {
        Envelope::Snapshot => "account",
        Envelope::Thin => "context",
    }
}

/// Refuses events that this endpoint doesn't accept.
pub(crate) fn admit(source: &Source, mode: ModePolicy, accounts: &Accounts) -> Result<(), ReadFault> {
    match mode {
        ModePolicy::Only(expected) if expected != source.mode => {
            return Err(ReadFault::WrongMode { expected, found: source.mode });
        }
        ModePolicy::Only(_) | ModePolicy::Both => {}
    }
    let served = match accounts {
        Accounts::Any => true,
        Accounts::Only(accounts) => source.account.as_ref().is_some_and(|account| accounts.contains(account)),
        Accounts::Own => source.account.is_none(),
    };
    if served { Ok(()) } else { Err(ReadFault::WrongAccount) }
}

/// The references of a thin event. Its object and its counterpart event are optional: some thin events have no object,
/// and only those since `2026-09-30.endive` name their counterpart.
pub(crate) fn fetch_need(body: &View<'_, '_>) -> Result<FetchNeed, ReadFault> {
    let snapshot_event: Option<ProviderId> = body.at("snapshot_event").id()?;
    Ok(FetchNeed { path: body.at("related_object.url").text()?.map(str::to_owned), snapshot_event })
}
