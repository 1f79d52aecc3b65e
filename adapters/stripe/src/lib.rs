#![doc = include_str!("../README.md")]
//!
//! # Example
//!
//! ```
//! use purchase_core::id::Mode;
//! use purchase_stripe::{ModePolicy, Stripe, StripeConfig};
//!
//! let stripe = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), ["whsec_example"])?)?;
//! # Ok::<(), purchase_stripe::ConfigError>(())
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
    id::ProviderName,
    provider::{Event, EventHead, Meaning, Provider, ReadFault, Requests, Unreadable, Webhooks},
    verify::{PresentedSignature, SignatureError, Trust, VerifiedDelivery},
};
use serde_json::Value;

pub use crate::config::{
    Accounts, ClientReference, ConfigError, ConnectedMetadata, DEFAULT_TOLERANCE_SECONDS, ModePolicy, StripeConfig,
};
use crate::{
    envelope::Envelope,
    wire::{Remarks, View},
};

/// The adapter's default name, which is also in the endpoint's path.
pub const NAME: &str = "stripe";

/// The Stripe adapter of one webhook endpoint.
#[derive(Debug, Clone)]
pub struct Stripe {
    name: ProviderName,
    trust: Trust,
    mode: ModePolicy,
    accounts: Accounts,
    client_reference: ClientReference,
    connected_metadata: ConnectedMetadata,
}

impl Stripe {
    /// Creates the adapter of one endpoint.
    ///
    /// # Errors
    /// [`ConfigError`] when there is no secret, when the tolerance is zero, or when the list of accounts is empty.
    pub fn new(mut config: StripeConfig) -> Result<Self, ConfigError> {
        let trust = Trust::new(std::mem::take(&mut config.secrets), config.tolerance_seconds)?;
        Self::believing(trust, config)
    }

    /// Creates an adapter that only reads stored bodies again, for programs that work on a database. It needs no secret
    /// and keeps none, because bodies were verified when they were received. It refuses every delivery as
    /// [`Mismatch`](SignatureError::Mismatch). The rest of the configuration must be the endpoint's, because it affects
    /// the meaning of bodies.
    ///
    /// # Errors
    /// The [`ConfigError`]s of [`new`](Self::new), except for a missing secret.
    pub fn reader(config: StripeConfig) -> Result<Self, ConfigError> {
        Self::believing(Trust::nobody(config.tolerance_seconds)?, config)
    }

    fn believing(trust: Trust, config: StripeConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            name: config.name,
            trust,
            mode: config.mode,
            accounts: config.accounts,
            client_reference: config.client_reference,
            connected_metadata: config.connected_metadata,
        })
    }

    fn meaning(&self, body: &View<'_, '_>, envelope: Envelope, head: &EventHead) -> Result<Meaning, ReadFault> {
        envelope::admit(&head.key.source, self.mode, &self.accounts)?;
        match envelope {
            Envelope::Snapshot => facts::meaning(head, body, self.client_reference, self.connected_metadata),
            Envelope::Thin if facts::lists_thin(&head.event_type) => Ok(Meaning::Fetch(envelope::fetch_need(body)?)),
            Envelope::Thin => Ok(Meaning::Ignored),
        }
    }
}

impl Provider for Stripe {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        [Capability::EventIds, Capability::ModeInEvent, Capability::PriorStates, Capability::SignedTime].into()
    }

    /// Smart Retries run for at most two months. (Source: Stripe's documentation "Automate payment retries".)
    fn longest_dunning_seconds(&self) -> i64 {
        61 * 24 * 3600
    }

    fn webhooks(&self) -> &dyn Webhooks {
        self
    }

    fn requests(&self) -> Option<&dyn Requests> {
        None
    }
}

impl Webhooks for Stripe {
    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn presented_signature(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
        signature::HEADER.find(headers, limits)
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        let headless = |fault| Unreadable { head: None, fault };
        let (body, remarks) = (wire::parse(delivery.body()).map_err(headless)?, Remarks::default());
        let body = View::root(&body).noting(&remarks);
        let (envelope, head) = envelope::head(&body, &self.name).map_err(headless)?;
        match self.meaning(&body, envelope, &head) {
            Ok(meaning) => Ok(Event { head, meaning, remarks: remarks.into_list() }),
            Err(fault) => Err(Unreadable { head: Some(head), fault }),
        }
    }

    /// Stripe changes `pending_webhooks` between deliveries: it counts the endpoints that have not answered yet. Stripe
    /// also sends an event to each endpoint in that endpoint's API version. During an upgrade, two endpoints therefore
    /// receive two bodies of one event, and the store keeps the first.
    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        let content = |body| {
            let mut body = wire::parse(body).ok()?;
            body.as_object_mut().map(|keys| keys.remove("pending_webhooks"));
            Some(body)
        };
        let (Some(one), Some(other)): (Option<Value>, Option<Value>) = (content(one), content(other)) else {
            return false;
        };
        let same = |key| one.get(key) == other.get(key);
        one == other || (!same("api_version") && ["id", "type", "created", "livemode", "account"].into_iter().all(same))
    }
}

#[cfg(test)]
mod tests;
