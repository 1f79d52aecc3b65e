//! The configuration of one webhook of a Lemon Squeezy store. Invalid settings are refused.

use std::collections::BTreeSet;

use purchase_core::{
    id::{Mode, ProviderId, ProviderName},
    verify::{Secret, TrustError},
};

use crate::NAME;

/// One webhook of a store. There is no tolerance, because Lemon Squeezy signs no time: an old request can't be refused
/// by its age.
#[derive(Debug, Clone)]
pub struct LemonSqueezyConfig {
    /// The name of this endpoint: the provider of everything that it receives, and the last part of its path. The
    /// default is `lemonsqueezy`. If several accounts of Lemon Squeezy share a database, each needs a different name,
    /// because a delivery doesn't name its account.
    pub name: ProviderName,
    /// The webhook's signing secrets; several while one is replaced.
    pub secrets: Vec<Secret>,
    /// Whether this endpoint accepts live or test events.
    pub mode: ModePolicy,
    /// The only store whose events this endpoint accepts. None accepts events of every store that uses the secret.
    pub store: Option<ProviderId>,
    /// The variants that are sold once. An order doesn't say whether it is a purchase or the first order of a
    /// subscription, so only orders of these variants give access by themselves. The catalogue says, by the variant's
    /// id, what they give.
    pub one_time_variants: BTreeSet<ProviderId>,
    /// Whether the application's key in custom data is read.
    pub custom_data: CustomData,
}

impl LemonSqueezyConfig {
    /// A webhook of any store that sells only subscriptions and ignores custom data.
    ///
    /// # Errors
    /// [`ConfigError::Trust`] when a secret is empty or has white space around it.
    pub fn new<S: Into<Vec<u8>>>(mode: ModePolicy, secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self {
            name: ProviderName::new(NAME).expect("a valid provider name"),
            secrets: Secret::list(secrets)?,
            mode,
            store: None,
            one_time_variants: BTreeSet::new(),
            custom_data: CustomData::default(),
        })
    }

    /// Refuses invalid settings. Core checks the secrets.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self.mode {
            ModePolicy::Only(Mode::Simulated) => Err(ConfigError::SimulatedMode),
            ModePolicy::Both | ModePolicy::Only(Mode::Live | Mode::Test) => Ok(()),
        }
    }
}

/// Which events an endpoint accepts, by their mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModePolicy {
    /// Live and test events. Each mode has its own source.
    Both,
    /// Events of one mode. Events of the other mode are refused.
    Only(Mode),
}

/// Whether the application's key `purchase_customer_id` in `meta.custom_data` is read.
///
/// Custom data come from the checkout. The address of a checkout may contain them too, as `checkout[custom][…]`, so a
/// buyer can write them. (Source: Lemon Squeezy's documentation "Passing custom data".)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CustomData {
    /// The key is read. Use this only if no harm results when a buyer names another customer: the purchase then belongs
    /// to that customer.
    Believed,
    /// The key is ignored: a purchase belongs to the customer at Lemon Squeezy, and to no customer of the application.
    #[default]
    Ignored,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Events are live or test; Lemon Squeezy marks no event as simulated.
    #[error("the mode must be live or test; Lemon Squeezy marks no event as simulated")]
    SimulatedMode,
    /// The secrets are invalid.
    #[error(transparent)]
    Trust(#[from] TrustError),
}
