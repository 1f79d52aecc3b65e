//! Builds adapters with wrong declarations. They declare what they can't do, don't declare what they can do, or use
//! other ids, modes and times than the event has.

use std::sync::Arc;

use purchase_core::{
    capability::Capability,
    id::{Mode, ProviderName, Source},
    provider::{Event, Meaning, Provider, ReadFault, Unreadable},
    verify::{PresentedSignature, Trust, VerifiedDelivery},
};
use sha2::{Digest, Sha256};

use crate::{mutants::adapters::rename, wrapped::Wrapped};

/// Declares a capability that the adapter doesn't have.
pub(super) fn boasts(inner: Arc<dyn Provider>, of: Capability) -> Arc<dyn Provider> {
    let mut right = Wrapped::new(inner);
    right.capabilities.insert(of);
    Arc::new(right)
}

/// Doesn't declare a capability that the adapter has.
pub(super) fn hides(inner: Arc<dyn Provider>, what: Capability) -> Arc<dyn Provider> {
    let mut right = Wrapped::new(inner);
    right.capabilities.remove(&what);
    Arc::new(right)
}

pub(super) fn compares_bytes(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Arc::new(Wrapped { same_content: Box::new(|_, _, _| false), ..Wrapped::new(inner) })
}

pub(super) fn digests_what_it_parsed(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    rename(inner, |body, _| {
        let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        format!("sha256:{}", hex::encode(Sha256::digest(value.to_string())))
    })
}

pub(super) fn tolerates_for_years(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let right = Wrapped::new(inner);
    Arc::new(Wrapped { trust: Trust { tolerance_seconds: Some(36_000_000), ..right.trust.clone() }, ..right })
}

pub(super) fn refuses_everybody(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let presented = |presented: PresentedSignature| PresentedSignature { macs: vec![[0; 32]], ..presented };
    Arc::new(Wrapped { presented, ..Wrapped::new(inner) })
}

pub(super) fn takes_any_mode(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| match event {
        Err(Unreadable { head: Some(head), fault: ReadFault::WrongMode { .. } }) => {
            Ok(Event { head, meaning: Meaning::Ignored, remarks: Vec::new() })
        }
        other => other,
    };
    Wrapped::reading(inner, read)
}

pub(super) fn shrugs_at_strangers(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| match event {
        Err(Unreadable { head: Some(head), fault }) if fault.is_elsewhere() => {
            Ok(Event { head, meaning: Meaning::Ignored, remarks: Vec::new() })
        }
        other => other,
    };
    Wrapped::reading(inner, read)
}

pub(super) fn takes_strangers_for_broken(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| match event {
        Err(Unreadable { head, fault }) if fault.is_elsewhere() => {
            Err(Unreadable { head, fault: ReadFault::NotUtf8 { at: 0 } })
        }
        other => other,
    };
    Wrapped::reading(inner, read)
}

pub(super) fn forgets_the_mode(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::sources(inner, |source| source.mode = Mode::Test)
}

pub(super) fn takes_all_for_live(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::sources(inner, |source| source.mode = Mode::Live)
}

pub(super) fn forgets_the_account(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::sources(inner, |source| source.account = None)
}

pub(super) fn forgets_the_provider(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::sources(inner, |source: &mut Source| {
        if let Ok(name) = ProviderName::new("payments") {
            source.provider = name;
        }
    })
}

pub(super) fn traces_ids(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| {
        if let Ok(Event { meaning: Meaning::Facts(facts), .. }) = &event {
            for fact in facts {
                tracing::debug!(object = fact.subject.root.id.expose(), "a fact was read");
            }
        }
        event
    };
    Wrapped::reading(inner, read)
}
