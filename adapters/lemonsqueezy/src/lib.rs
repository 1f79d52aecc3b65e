#![doc = include_str!("../README.md")]
//!
//! # Example
//!
//! ```
//! use purchase_core::id::Mode;
//! use purchase_lemonsqueezy::{LemonSqueezy, LemonSqueezyConfig, ModePolicy};
//!
//! let config = LemonSqueezyConfig::new(ModePolicy::Only(Mode::Test), ["a signing secret"])?;
//! let lemonsqueezy = LemonSqueezy::new(config)?;
//! # Ok::<(), purchase_lemonsqueezy::ConfigError>(())
//! ```

mod config;
mod envelope;
mod facts;
mod signature;
#[cfg(feature = "testing")]
pub mod testing;
mod wire;

use purchase_core::{
    capability::{Capabilities, Capability},
    delivery::{Headers, Limits},
    id::{ProviderId, ProviderName},
    provider::{Event, EventHead, Meaning, Provider, ReadFault, Requests, Unreadable, Webhooks},
    verify::{PresentedSignature, SignatureError, Trust, VerifiedDelivery},
};

pub use crate::config::{ConfigError, CustomData, LemonSqueezyConfig, ModePolicy};
use crate::{
    facts::Terms,
    wire::{Remarks, View},
};

/// The adapter's default name, which is also in the endpoint's path.
pub const NAME: &str = "lemonsqueezy";

/// The Lemon Squeezy adapter of one webhook endpoint.
#[derive(Debug, Clone)]
pub struct LemonSqueezy {
    name: ProviderName,
    trust: Trust,
    mode: ModePolicy,
    store: Option<ProviderId>,
    terms: Terms,
}

impl LemonSqueezy {
    /// Creates the adapter of one endpoint.
    ///
    /// # Errors
    /// [`ConfigError`] when there is no secret, or when the mode is simulated.
    pub fn new(mut config: LemonSqueezyConfig) -> Result<Self, ConfigError> {
        let trust = Trust::new(std::mem::take(&mut config.secrets), None)?;
        Self::believing(trust, config)
    }

    /// Creates an adapter that only reads stored bodies again, for programs that work on a database. It needs no secret
    /// and keeps none, because bodies were verified when they were received. It refuses every delivery as
    /// [`Mismatch`](SignatureError::Mismatch). The rest of the configuration must be the endpoint's, because it affects
    /// the meaning of bodies.
    ///
    /// # Errors
    /// The [`ConfigError`]s of [`new`](Self::new), except for a missing secret.
    pub fn reader(config: LemonSqueezyConfig) -> Result<Self, ConfigError> {
        Self::believing(Trust::nobody(None)?, config)
    }

    fn believing(trust: Trust, config: LemonSqueezyConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            name: config.name,
            trust,
            mode: config.mode,
            store: config.store,
            terms: Terms { one_time_variants: config.one_time_variants, custom_data: config.custom_data },
        })
    }

    fn meaning(&self, body: &View<'_, '_>, head: &EventHead) -> Result<Meaning, ReadFault> {
        envelope::admit(&head.key.source, body, self.mode, self.store.as_ref())?;
        facts::meaning(head, body, &self.terms)
    }
}

impl Provider for LemonSqueezy {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    /// No event has an id or contains the state before the change, and no time is signed.
    fn capabilities(&self) -> Capabilities {
        [Capability::ModeInEvent].into()
    }

    /// Lemon Squeezy tries four times in two weeks and leaves the subscription unpaid. Then the store's settings end
    /// it, after 30 days at most. (Source: Lemon Squeezy's documentation "Recovery and dunning".)
    fn longest_dunning_seconds(&self) -> i64 {
        30 * 24 * 3600
    }

    fn webhooks(&self) -> &dyn Webhooks {
        self
    }

    fn requests(&self) -> Option<&dyn Requests> {
        None
    }
}

impl Webhooks for LemonSqueezy {
    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn presented_signature(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
        signature::find(headers, limits)
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        let headless = |fault| Unreadable { head: None, fault };
        let (value, remarks) = (wire::parse(delivery.body()).map_err(headless)?, Remarks::default());
        let body = View::root(&value).noting(&remarks);
        let head = envelope::head(&body, delivery.body(), &self.name).map_err(headless)?;
        match self.meaning(&body, &head) {
            Ok(meaning) => Ok(Event { head, meaning, remarks: remarks.into_list() }),
            Err(fault) => Err(Unreadable { head: Some(head), fault }),
        }
    }

    /// An event is identified by its bytes, and a retried delivery has exactly the same bytes.
    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        one == other
    }
}

#[cfg(test)]
mod tests;
