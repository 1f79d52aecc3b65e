//! The configuration of one Stripe webhook endpoint. Invalid settings are refused.

use std::collections::BTreeSet;

use purchase_core::{
    id::{Mode, ProviderId, ProviderName},
    verify::{Secret, TrustError},
};

use crate::NAME;

/// The default maximum age of a delivery, in seconds: the default of Stripe's own SDKs.
pub const DEFAULT_TOLERANCE_SECONDS: u32 = 300;

/// One webhook endpoint.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// The name of this endpoint: the provider of everything that it receives, and the last part of its path. The
    /// default is `stripe`. If several accounts of Stripe share a database, each needs a different name.
    pub name: ProviderName,
    /// The endpoint's signing secrets, each the whole text `whsec_…`; several while one is rolled.
    pub secrets: Vec<Secret>,
    /// The largest allowed difference between the signed time and the time of receipt, in seconds. None disables the
    /// check, so a captured delivery stays valid for ever. Zero is refused: in some of Stripe's SDKs it means "none",
    /// in others "no tolerance".
    pub tolerance_seconds: Option<u32>,
    /// Whether this endpoint accepts live or test events.
    pub mode: ModePolicy,
    /// Which accounts' events this endpoint accepts.
    pub accounts: Accounts,
    /// What a checkout's `client_reference_id` means.
    pub client_reference: ClientReference,
    /// Whether the metadata on objects of connected accounts are read.
    pub connected_metadata: ConnectedMetadata,
}

impl StripeConfig {
    /// An endpoint for the account's own events, with the default tolerance.
    ///
    /// # Errors
    /// [`ConfigError::Trust`] when a secret is empty or has white space around it.
    pub fn new<S: Into<Vec<u8>>>(mode: ModePolicy, secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self {
            name: ProviderName::new(NAME).expect("a valid provider name"),
            secrets: Secret::list(secrets)?,
            tolerance_seconds: Some(DEFAULT_TOLERANCE_SECONDS),
            mode,
            accounts: Accounts::default(),
            client_reference: ClientReference::default(),
            connected_metadata: ConnectedMetadata::default(),
        })
    }

    /// Refuses invalid settings. Core checks the secrets and the tolerance.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match &self.accounts {
            Accounts::Only(accounts) if accounts.is_empty() => Err(ConfigError::NoAccount),
            Accounts::Any | Accounts::Only(_) | Accounts::Own => Ok(()),
        }
    }
}

/// Which events an endpoint accepts, by their `livemode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModePolicy {
    /// Live and test events. Each mode has its own source.
    Both,
    /// Events of one mode. Events of the other mode are refused.
    Only(Mode),
}

/// Which events an endpoint accepts, by their account: the `account` of a snapshot event, the `context` of a thin
/// event. (Source: Stripe's Connect documentation; only events of connected accounts name one.)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Accounts {
    /// The endpoint's own events and those of any connected account.
    Any,
    /// Events of these connected accounts.
    Only(BTreeSet<ProviderId>),
    /// The endpoint's own events: those that name no account.
    #[default]
    Own,
}

/// Whether the application's keys are read in the metadata of a connected account's objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConnectedMetadata {
    /// The keys are read. Use this only if nobody except the application writes them: anyone with access to a connected
    /// account's dashboard or API keys could name any customer as the owner, and any offer.
    Believed,
    /// The keys are ignored: what a connected account sells belongs to its own customers, and to no customer of the
    /// application.
    #[default]
    Ignored,
}

/// What a checkout's `client_reference_id` means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientReference {
    /// It is the application's customer id, for the session and the objects that it leads to, but never for the
    /// provider's customer. Use this only if no harm results when a buyer names another customer: anyone can write one
    /// into the address of a payment link.
    CustomerId,
    /// It is ignored.
    #[default]
    Ignore,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The list of accounts is empty, so every event would be refused.
    #[error("the list of connected accounts is empty; name one, or choose Accounts::Own or Accounts::Any")]
    NoAccount,
    /// The secrets or the tolerance are invalid.
    #[error(transparent)]
    Trust(#[from] TrustError),
}
