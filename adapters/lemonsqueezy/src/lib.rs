//! Decides what Lemon Squeezy's webhook deliveries mean to `purchase`: [`LemonSqueezy`] is the receiving side of the
//! provider. It has no clock, no network and no store, and makes no requests.
//!
//! The way of a delivery: `signature` finds the signature, core compares it; `wire` reads the body, `envelope` its
//! head, `facts` what it says. The README lists the events, what is configured and what may surprise.
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

/// The adapter's name unless the configuration gives another, as in the endpoint's path.
pub const NAME: &str = "lemonsqueezy";

/// Lemon Squeezy, seen from one webhook endpoint.
#[derive(Debug, Clone)]
pub struct LemonSqueezy {
    name: ProviderName,
    trust: Trust,
    mode: ModePolicy,
    store: Option<ProviderId>,
    terms: Terms,
}

impl LemonSqueezy {
    /// Takes an endpoint's configuration.
    ///
    /// # Errors
    /// [`ConfigError`] when there is no secret, or when the mode is simulated.
    pub fn new(mut config: LemonSqueezyConfig) -> Result<Self, ConfigError> {
        let trust = Trust::new(std::mem::take(&mut config.secrets), None)?;
        Self::believing(trust, config)
    }

    /// Reads stored bodies again and takes no deliveries: it needs no secret and keeps none, because bodies were verified
    /// when they came. For programs that work on a database; every delivery is refused as
    /// [`Mismatch`](SignatureError::Mismatch). The rest of the configuration has to be the endpoint's, or bodies mean
    /// something else.
    ///
    /// # Errors
    /// [`ConfigError`] as [`new`](Self::new), a missing secret apart.
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

    /// No event has an id, none tells the state before, and no time is signed.
    fn capabilities(&self) -> Capabilities {
        [Capability::ModeInEvent].into()
    }

    /// Lemon Squeezy tries four times in two weeks and leaves the subscription unpaid; then the store's settings end it,
    /// after 30 days at most. (Source: Lemon Squeezy's documentation "Recovery and dunning".)
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

    fn claim(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
        signature::claim(headers, limits)
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

    /// An event goes by its bytes, and a delivery that is repeated repeats every one.
    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        one == other
    }
}

#[cfg(test)]
mod tests;
