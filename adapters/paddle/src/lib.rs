#![doc = include_str!("../README.md")]
//!
//! # Example
//!
//! ```
//! use purchase_core::id::Mode;
//! use purchase_paddle::{Paddle, PaddleConfig};
//!
//! let paddle = Paddle::new(PaddleConfig::new(Mode::Test, ["pdl_ntfset_example"])?)?;
//! # Ok::<(), purchase_paddle::ConfigError>(())
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
    id::{Mode, ProviderName},
    provider::{Event, EventHead, Meaning, Provider, ReadFault, Requests, Unreadable, Webhooks},
    verify::{PresentedSignature, SignatureError, Trust, VerifiedDelivery},
};

pub use crate::config::{ConfigError, CustomData, DEFAULT_TOLERANCE_SECONDS, PaddleConfig, Simulated};
use crate::wire::{Remarks, View};

/// The adapter's default name, which is also in the endpoint's path.
pub const NAME: &str = "paddle";

/// The Paddle adapter of one notification destination.
#[derive(Debug, Clone)]
pub struct Paddle {
    name: ProviderName,
    trust: Trust,
    mode: Mode,
    simulated: Simulated,
    custom_data: CustomData,
}

impl Paddle {
    /// Creates the adapter of one destination.
    ///
    /// # Errors
    /// [`ConfigError`] when there is no secret, when the tolerance is zero, or when the mode is simulated.
    pub fn new(mut config: PaddleConfig) -> Result<Self, ConfigError> {
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
    pub fn reader(config: PaddleConfig) -> Result<Self, ConfigError> {
        Self::believing(Trust::nobody(config.tolerance_seconds)?, config)
    }

    fn believing(trust: Trust, config: PaddleConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            name: config.name,
            trust,
            mode: config.mode,
            simulated: config.simulated,
            custom_data: config.custom_data,
        })
    }

    fn meaning(&self, body: &View<'_, '_>, head: &EventHead) -> Result<Meaning, ReadFault> {
        envelope::admit(&head.key.source, self.mode, self.simulated)?;
        facts::meaning(head, body, self.custom_data)
    }
}

impl Provider for Paddle {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        [Capability::EventIds, Capability::SignedTime].into()
    }

    /// Paddle Retain tries for 30 days, then cancels or pauses. (Source: Paddle's documentation "Subscription renewal and
    /// dunning".)
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

impl Webhooks for Paddle {
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
        let head = envelope::head(&body, &self.name, self.mode).map_err(headless)?;
        match self.meaning(&body, &head) {
            Ok(meaning) => Ok(Event { head, meaning, remarks: remarks.into_list() }),
            Err(fault) => Err(Unreadable { head: Some(head), fault }),
        }
    }

    /// A replay is another notification of the same event, and the order of keys differs between deliveries.
    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        let content = |body| {
            let mut body = wire::parse(body).ok()?;
            body.as_object_mut().map(|keys| keys.remove("notification_id"));
            Some(body)
        };
        content(one).is_some_and(|one| content(other).is_some_and(|other| one == other))
    }
}

#[cfg(test)]
mod tests;
