//! Decides what an application must say about one webhook of a Lemon Squeezy store, and refuses what can't be meant.

use std::collections::BTreeSet;

use purchase_core::{
    id::{Mode, ProviderId, ProviderName},
    verify::{Secret, TrustError},
};

use crate::NAME;

/// One webhook of a store. There is no tolerance: Lemon Squeezy signs no time, so nobody can refuse an old request by
/// its age.
#[derive(Debug, Clone)]
pub struct LemonSqueezyConfig {
    /// What this endpoint is called: the provider of everything that comes from it, and the last part of its path.
    /// `lemonsqueezy` unless several accounts of Lemon Squeezy share a database: then each has a name of its own,
    /// because nothing in a delivery names the account.
    pub name: ProviderName,
    /// The webhook's signing secrets; several while one is replaced.
    pub secrets: Vec<Secret>,
    /// Whether live or test events belong here.
    pub mode: ModePolicy,
    /// The only store whose events belong here; none takes those of every store that the secret is used for.
    pub store: Option<ProviderId>,
    /// The variants that are sold once. Nothing in an order says whether it is a purchase or the first order of a
    /// subscription, so only orders of these variants give access by themselves. What they give, the catalogue says,
    /// by the variant's id.
    pub one_time_variants: BTreeSet<ProviderId>,
    /// Whether the application's key in custom data is believed.
    pub custom_data: CustomData,
}

impl LemonSqueezyConfig {
    /// A webhook of any store that sells subscriptions only, and doesn't believe custom data.
    ///
    /// # Errors
    /// [`ConfigError::Trust`] when a secret is empty or has white space around it.
    pub fn new<S: Into<Vec<u8>>>(mode: ModePolicy, secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self {
            name: ProviderName::new(NAME).expect("a short word is a name"),
            secrets: Secret::list(secrets)?,
            mode,
            store: None,
            one_time_variants: BTreeSet::new(),
            custom_data: CustomData::default(),
        })
    }

    /// Refuses what can't be meant. Of the secrets, core does.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self.mode {
            ModePolicy::Only(Mode::Simulated) => Err(ConfigError::SimulatedMode),
            ModePolicy::Both | ModePolicy::Only(Mode::Live | Mode::Test) => Ok(()),
        }
    }
}

/// Which events an endpoint serves by their mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModePolicy {
    /// Live and test events, kept apart by their source.
    Both,
    /// Events of one mode; the others are refused.
    Only(Mode),
}

/// Whether the application's key `purchase_customer_id` in `meta.custom_data` is believed.
///
/// Custom data come from the checkout. The address of a checkout may carry them too, as `checkout[custom][…]`, so a
/// buyer can write them. (Source: Lemon Squeezy's documentation "Passing custom data".)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CustomData {
    /// It is. Only where it does no harm that a buyer names the customer: what they pay for is then that customer's.
    Believed,
    /// It is not: what is sold belongs to the customer at Lemon Squeezy, and to nobody in the application.
    #[default]
    Ignored,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Events are live or test; Lemon Squeezy marks none as simulated.
    #[error("an endpoint serves live or test events; no event of Lemon Squeezy is marked as simulated")]
    SimulatedMode,
    /// The secrets can't be meant.
    #[error(transparent)]
    Trust(#[from] TrustError),
}
