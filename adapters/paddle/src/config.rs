//! Decides what an application must say about one notification destination, and refuses what can't be meant.

use purchase_core::{
    id::{Mode, ProviderName},
    verify::{Secret, TrustError},
};

use crate::NAME;

/// How old a delivery may be unless the configuration says otherwise, in seconds: the default of Paddle's own SDKs.
pub const DEFAULT_TOLERANCE_SECONDS: u32 = 5;

/// One notification destination.
#[derive(Debug, Clone)]
pub struct PaddleConfig {
    /// What this endpoint is called: the provider of everything that comes from it, and the last part of its path.
    /// `paddle` unless several accounts of Paddle share a database: then each has a name of its own, because nothing
    /// in a delivery names the account.
    pub name: ProviderName,
    /// The destination's signing secrets, each the whole text `pdl_ntfset_…`; several while one is rotated.
    pub secrets: Vec<Secret>,
    /// How far the signed time may lie from the time of receipt, in seconds. None checks no age, which allows replays
    /// for ever. Zero is refused: it could mean "none" or "no tolerance". Five seconds, the default, are less than many
    /// clocks differ by; a queue in front of the endpoint needs more.
    pub tolerance_seconds: Option<u32>,
    /// Whether the destination is of a live account or of a sandbox ([`Mode::Test`]). Nothing in a delivery says so.
    pub mode: Mode,
    /// What becomes of deliveries that Paddle's simulator made up.
    pub simulated: Simulated,
    /// On which objects the application's keys in `custom_data` are believed.
    pub custom_data: CustomData,
}

impl PaddleConfig {
    /// A destination with the default tolerance that refuses simulated deliveries.
    ///
    /// # Errors
    /// [`ConfigError::Trust`] when a secret is empty or has white space around it.
    pub fn new<S: Into<Vec<u8>>>(mode: Mode, secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self {
            name: ProviderName::new(NAME).expect("a short word is a name"),
            secrets: Secret::list(secrets)?,
            tolerance_seconds: Some(DEFAULT_TOLERANCE_SECONDS),
            mode,
            simulated: Simulated::default(),
            custom_data: CustomData::default(),
        })
    }

    /// Refuses what can't be meant. Of the secrets and the tolerance, core does.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self.mode {
            Mode::Simulated => Err(ConfigError::SimulatedMode),
            Mode::Live | Mode::Test => Ok(()),
        }
    }
}

/// What becomes of deliveries that Paddle's simulator made up: their ids begin with `ntfsim`. They show objects that
/// don't exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Simulated {
    /// They are read, under a source of their own with the mode [`Mode::Simulated`]: they never mix with real ones.
    Mark,
    /// They are refused, and kept under that source.
    #[default]
    Refuse,
}

/// On which objects the application's keys in `custom_data` are believed.
///
/// Whoever has a checkout open in a browser can set and replace the custom data of its transaction, and Paddle copies
/// them to the subscription and to its later transactions. (Source: Paddle's documentation of `customData` in
/// `Paddle.Checkout.open` and `Paddle.Checkout.updateCheckout`.) Only the API writes those of a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CustomData {
    /// On customers only.
    #[default]
    Customers,
    /// On customers, transactions and subscriptions. Only where it does no harm that a buyer names the customer and
    /// the offer: the catalogue should then know every price, for it goes before the offer named.
    Everywhere,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A destination belongs to a live account or to a sandbox; simulated is single deliveries of it.
    #[error("a destination is live or test; say Simulated::Mark to read what the simulator sends to it")]
    SimulatedMode,
    /// The secrets or the tolerance can't be meant.
    #[error(transparent)]
    Trust(#[from] TrustError),
}
