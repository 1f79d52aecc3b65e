//! Decides what an application must say about one Stripe webhook endpoint, and refuses what can't be meant.

use std::collections::BTreeSet;

use purchase_core::{
    id::{Mode, ProviderId, ProviderName},
    verify::{Secret, TrustError},
};

use crate::NAME;

/// How old a delivery may be unless the configuration says otherwise, in seconds: the default of Stripe's own SDKs.
pub const DEFAULT_TOLERANCE_SECONDS: u32 = 300;

/// One webhook endpoint.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// What this endpoint is called: the provider of everything that comes from it, and the last part of its path.
    /// `stripe` unless several accounts of Stripe share a database: then each has a name of its own.
    pub name: ProviderName,
    /// The endpoint's signing secrets, each the whole text `whsec_…`; several while one is rolled.
    pub secrets: Vec<Secret>,
    /// How far the signed time may lie from the time of receipt, in seconds. None checks no age, which allows replays
    /// for ever. Zero is refused: in some of Stripe's SDKs it means "none", in others "no tolerance".
    pub tolerance_seconds: Option<u32>,
    /// Whether live or test events belong here.
    pub mode: ModePolicy,
    /// Whose events belong here.
    pub accounts: Accounts,
    /// What a checkout's `client_reference_id` means.
    pub client_reference: ClientReference,
    /// Whether the metadata on objects of connected accounts are believed.
    pub connected_metadata: ConnectedMetadata,
}

impl StripeConfig {
    /// An endpoint of the account's own events, with the default tolerance.
    ///
    /// # Errors
    /// [`ConfigError::Trust`] when a secret is empty or has white space around it.
    pub fn new<S: Into<Vec<u8>>>(mode: ModePolicy, secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self {
            name: ProviderName::new(NAME).expect("a short word is a name"),
            secrets: Secret::list(secrets)?,
            tolerance_seconds: Some(DEFAULT_TOLERANCE_SECONDS),
            mode,
            accounts: Accounts::default(),
            client_reference: ClientReference::default(),
            connected_metadata: ConnectedMetadata::default(),
        })
    }

    /// Refuses what can't be meant. Of the secrets and the tolerance, core does.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match &self.accounts {
            Accounts::Only(accounts) if accounts.is_empty() => Err(ConfigError::NoAccount),
            Accounts::Any | Accounts::Only(_) | Accounts::Own => Ok(()),
        }
    }
}

/// Which events an endpoint serves by their `livemode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModePolicy {
    /// Live and test events, kept apart by their source.
    Both,
    /// Events of one mode; the others are refused.
    Only(Mode),
}

/// Which events an endpoint serves by their account: the `account` of a snapshot event, the `context` of a thin one.
/// (Source: Stripe's Connect documentation; only events of connected accounts name one.)
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

/// Whether the application's keys are believed in the metadata of a connected account's objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConnectedMetadata {
    /// They are. Only where nobody but the application writes them: an account with access to its own dashboard or API
    /// keys could name any customer as the owner, and any offer.
    Believed,
    /// They are not: what a connected account sells belongs to its own customers, and to nobody in the application.
    #[default]
    Ignored,
}

/// What a checkout's `client_reference_id` means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientReference {
    /// It is the application's customer id, of the session and of what it leads to, never of the provider's customer. Only
    /// where it does no harm that a buyer names somebody: the address of a payment link lets everybody write one.
    CustomerId,
    /// Nothing that concerns us.
    #[default]
    Ignore,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The list of accounts is empty, so that every event would be refused.
    #[error("the list of connected accounts is empty; name one, or choose Accounts::Own or Accounts::Any")]
    NoAccount,
    /// The secrets or the tolerance can't be meant.
    #[error(transparent)]
    Trust(#[from] TrustError),
}
