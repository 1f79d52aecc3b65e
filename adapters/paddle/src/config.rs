//! The configuration of one notification destination. Invalid settings are refused.

use purchase_core::{
    id::{Mode, ProviderName},
    verify::{Secret, TrustError},
};

use crate::NAME;

/// The default maximum age of a delivery, in seconds: the default of Paddle's own SDKs.
pub const DEFAULT_TOLERANCE_SECONDS: u32 = 5;

/// One notification destination.
#[derive(Debug, Clone)]
pub struct PaddleConfig {
    /// The name of this endpoint: the provider of everything that it receives, and the last part of its path. The
    /// default is `paddle`. If several accounts of Paddle share a database, each needs a different name, because a
    /// delivery doesn't name its account.
    pub name: ProviderName,
    /// The destination's signing secrets, each the whole text `pdl_ntfset_…`; several while one is rotated.
    pub secrets: Vec<Secret>,
    /// The largest allowed difference between the signed time and the time of receipt, in seconds. None disables the
    /// check, so a captured delivery stays valid for ever. Zero is refused, because it could mean "none" or "no
    /// tolerance". Many clocks differ by more than the default of five seconds, and a queue in front of the endpoint
    /// needs more.
    pub tolerance_seconds: Option<u32>,
    /// Whether the destination belongs to a live account or to a sandbox ([`Mode::Test`]). A delivery doesn't say so.
    pub mode: Mode,
    /// How to treat deliveries of Paddle's simulator.
    pub simulated: Simulated,
    /// The objects on which the application's keys in `custom_data` are read.
    pub custom_data: CustomData,
}

impl PaddleConfig {
    /// A destination with the default tolerance that refuses simulated deliveries.
    ///
    /// # Errors
    /// [`ConfigError::Trust`] when a secret is empty or has white space around it.
    pub fn new<S: Into<Vec<u8>>>(mode: Mode, secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self {
            name: ProviderName::new(NAME).expect("a valid provider name"),
            secrets: Secret::list(secrets)?,
            tolerance_seconds: Some(DEFAULT_TOLERANCE_SECONDS),
            mode,
            simulated: Simulated::default(),
            custom_data: CustomData::default(),
        })
    }

    /// Refuses invalid settings. Core checks the secrets and the tolerance.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self.mode {
            Mode::Simulated => Err(ConfigError::SimulatedMode),
            Mode::Live | Mode::Test => Ok(()),
        }
    }
}

/// How to treat deliveries of Paddle's simulator. Their ids begin with `ntfsim`, and their objects don't exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Simulated {
    /// They are read, under a separate source with the mode [`Mode::Simulated`], so they never mix with real
    /// deliveries.
    Mark,
    /// They are refused, and kept under that source.
    #[default]
    Refuse,
}

/// The objects on which the application's keys in `custom_data` are read.
///
/// Anyone who has a checkout open in a browser can set and replace the custom data of its transaction. Paddle copies
/// them to the subscription and to its later transactions. (Source: Paddle's documentation of `customData` in
/// `Paddle.Checkout.open` and `Paddle.Checkout.updateCheckout`.) Only the API writes the custom data of a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CustomData {
    /// On customers only.
    #[default]
    Customers,
    /// On customers, transactions and subscriptions. Use this only if no harm results when a buyer names the customer
    /// and the offer. The catalogue should then list every price, because a price in the catalogue takes precedence
    /// over the named offer.
    Everywhere,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A destination belongs to a live account or to a sandbox; only single deliveries of it are simulated.
    #[error("the mode must be live or test; set Simulated::Mark to accept deliveries of Paddle's simulator")]
    SimulatedMode,
    /// The secrets or the tolerance are invalid.
    #[error(transparent)]
    Trust(#[from] TrustError),
}
