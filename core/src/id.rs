//! The identities of providers, sources, objects, events and customers. What the objects mean is not known here.
//!
//! Provider ids are private references: [`ProviderId`] has no `Display` and no `Serialize`, and its `Debug` shows a
//! digest. [`ProviderId::expose`] is the only access to the text.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An id that a provider gave to one of its objects or events: opaque text of 1 to 255 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderId(Arc<str>);

impl ProviderId {
    /// The longest id accepted, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// Takes an id as the provider wrote it.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, too long, or contains control characters.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, IdError> {
        let text = text.into();
        match () {
            () if text.is_empty() => Err(IdError::Empty),
            () if text.len() > Self::MAX_BYTES => Err(IdError::TooLong { bytes: text.len() }),
            () if text.chars().any(char::is_control) => Err(IdError::ControlCharacter),
            () => Ok(Self(text)),
        }
    }

    /// The id of an event whose body contains none: the SHA-256 of the body, so that the same bytes are the same
    /// event.
    pub fn of_body(body: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(body))).into())
    }

    /// The raw id. Use it only for storage, requests to the provider, and output that is declared to expose provider
    /// ids.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProviderId(#{})", short_digest(&[&self.0]))
    }
}

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text has a control character.
    #[error("an id must not hold control characters")]
    ControlCharacter,
    /// The text is empty.
    #[error("an id must not be empty")]
    Empty,
    /// The text is longer than [`ProviderId::MAX_BYTES`].
    #[error("an id has at most {} bytes, this one has {bytes}", ProviderId::MAX_BYTES)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// The first twenty hex digits of a SHA-256 over the parts, each terminated by a zero byte.
fn short_digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..10])
}

macro_rules! app_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the id as the application wrote it.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, over 255 bytes, or contains control characters.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, IdError> {
                ProviderId::new(text).map(|id| Self(id.0))
            }

            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

app_id! {
    /// The application's own id of a customer.
    CustomerId
}
app_id! {
    /// The application's own id of an offer, by convention `product:plan`.
    OfferId
}
/// The name of an adapter, as used in URLs and in the database: 1 to 63 bytes of lower-case ASCII letters, digits,
/// `-` and `_`. It therefore needs no escaping in a path, and a [`Source`] can be parsed from its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderName(Arc<str>);

impl ProviderName {
    /// The longest name accepted, in bytes.
    pub const MAX_BYTES: usize = 63;

    /// Takes the name as the application wrote it.
    ///
    /// # Errors
    /// [`NameError`] when it is empty, over 63 bytes, or contains anything but lower-case ASCII letters, digits, `-`
    /// and `_`.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, NameError> {
        let text = text.into();
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        match (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Self(text)),
            false => Err(NameError),
        }
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProviderName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl From<ProviderName> for String {
    fn from(name: ProviderName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a [`ProviderName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a provider's name has 1 to {} bytes: lower-case ASCII letters, digits, `-` and `_`", ProviderName::MAX_BYTES)]
pub struct NameError;

/// Whether money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real money.
    Live,
    /// Events that a provider's simulator invented: none of their objects exists.
    Simulated,
    /// The provider's test mode or sandbox.
    Test,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Live => "live",
            Mode::Simulated => "simulated",
            Mode::Test => "test",
        })
    }
}

/// The origin of an object: provider, account and mode. It is part of every key, so that two accounts can't mix.
///
/// As text: `provider/account/mode`; the account is empty for the endpoint's own account.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Source {
    /// The adapter.
    pub provider: ProviderName,
    /// The connected account that the event names, if it names one.
    pub account: Option<ProviderId>,
    /// Live, test or simulated.
    pub mode: Mode,
}

impl Source {
    /// The text stored in the database. It exposes the account's provider id.
    pub fn expose(&self) -> String {
        let account = self.account.as_ref().map_or("", ProviderId::expose);
        format!("{}/{}/{}", self.provider, account, self.mode)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.provider)?;
        self.account.iter().try_for_each(|account| write!(f, "{account:?}"))?;
        write!(f, "/{}", self.mode)
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.expose()
    }
}

impl TryFrom<String> for Source {
    type Error = SourceError;
    fn try_from(text: String) -> Result<Self, SourceError> {
        text.parse()
    }
}

impl FromStr for Source {
    type Err = SourceError;
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let (provider, rest) = text.split_once('/').ok_or(SourceError)?;
        let (account, mode) = rest.rsplit_once('/').ok_or(SourceError)?;
        Ok(Self {
            provider: ProviderName::new(provider).map_err(|_| SourceError)?,
            account: match account {
                "" => None,
                id => Some(ProviderId::new(id).map_err(|_| SourceError)?),
            },
            mode: match mode {
                "live" => Mode::Live,
                "simulated" => Mode::Simulated,
                "test" => Mode::Test,
                _ => return Err(SourceError),
            },
        })
    }
}

impl Source {
    /// The public id of the connected account, or `None` for the endpoint's own account.
    pub fn public_account(&self) -> Option<String> {
        let account = self.account.as_ref()?;
        Some(format!("account_{}", short_digest(&[self.provider.as_str(), account.expose(), &self.mode.to_string()])))
    }
}

/// The owner of something: the application's customer, or a provider's customer that no application customer claims.
/// Their namespaces are separate: an application's `42` is not a provider's `42`, and a provider's `42` is not the
/// `42` of another provider, account or mode.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CustomerKey {
    /// By the application's own id.
    Application(CustomerId),
    /// By the provider's id, within its source.
    Provider {
        /// The customer's source.
        source: Source,
        /// The provider's id.
        id: ProviderId,
    },
}

/// The text is not `provider/account/mode`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a source has the form provider/account/mode; the mode is live, test or simulated")]
pub struct SourceError;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What kind of object a provider id names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ObjectKind {
            $($(#[$doc])* $name,)*
        }

        impl ObjectKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The kind's name in the database and in reports.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// One movement of a payment; a member of the payment's subject.
    Charge = "charge",
    /// A hosted checkout session.
    Checkout = "checkout",
    /// A credit; a member of the invoice's subject.
    Credit = "credit",
    /// A customer at the provider.
    Customer = "customer",
    /// A dispute or chargeback; a member of the payment's subject.
    Dispute = "dispute",
    /// An invoice.
    Invoice = "invoice",
    /// A payment.
    Payment = "payment",
    /// A price in the provider's catalogue.
    Price = "price",
    /// A product in the provider's catalogue.
    Product = "product",
    /// A refund; a member of the payment's subject.
    Refund = "refund",
    /// The part of a charge that was authorized and not captured; a member of the payment's subject.
    Release = "release",
    /// The reversal of a dispute or a credit; a member of the same subject.
    Reversal = "reversal",
    /// A schedule of future changes to a subscription.
    Schedule = "schedule",
    /// A subscription.
    Subscription = "subscription",
}

impl FromStr for ObjectKind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownKind { text: text.to_owned() })
    }
}

/// The text names no kind of object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a kind of object")]
pub struct UnknownKind {
    /// The text.
    pub text: String,
}

/// An object at a provider, within a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its provider id.
    #[serde(with = "exposed")]
    pub id: ProviderId,
}

impl ObjectRef {
    /// Names an object.
    pub fn new(kind: ObjectKind, id: ProviderId) -> Self {
        Self { kind, id }
    }
}

/// The unit of folding, written at one revision: a customer, a checkout, a subscription, a catalogue object, an
/// invoice with its credits, or a payment with its charges, refunds and disputes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// Its source.
    pub source: Source,
    /// The object that identifies the subject.
    pub root: ObjectRef,
}

impl Subject {
    /// A public id, safe to show: derived from the provider reference, never random, and not reversible.
    pub fn public_id(&self) -> String {
        let digest = short_digest(&[&self.source.expose(), self.root.kind.as_str(), self.root.id.expose()]);
        format!("{}_{digest}", self.root.kind.as_str())
    }

    /// Whether this subject must belong to a customer. Catalogue objects and customers need no owner.
    pub fn needs_owner(&self) -> bool {
        match self.root.kind {
            ObjectKind::Checkout | ObjectKind::Invoice | ObjectKind::Payment | ObjectKind::Subscription => true,
            ObjectKind::Charge
            | ObjectKind::Credit
            | ObjectKind::Customer
            | ObjectKind::Dispute
            | ObjectKind::Price
            | ObjectKind::Product
            | ObjectKind::Refund
            | ObjectKind::Release
            | ObjectKind::Reversal
            | ObjectKind::Schedule => false,
        }
    }
}

/// The identity of an event: the key of its stored row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventKey {
    /// Its source.
    pub source: Source,
    /// The provider's event id, or `sha256:…` of the body if the body names none.
    #[serde(with = "exposed")]
    pub id: ProviderId,
}

impl EventKey {
    /// A public id, safe to show, derived from the event's id.
    pub fn public_id(&self) -> String {
        format!("event_{}", short_digest(&[&self.source.expose(), self.id.expose()]))
    }
}

/// Serde of a [`ProviderId`] in storage: `#[serde(with = "exposed")]` marks each place that writes one.
pub mod exposed {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::ProviderId;

    /// Writes the raw id.
    ///
    /// # Errors
    /// Any error of the serializer.
    pub fn serialize<S: Serializer>(id: &ProviderId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(id.expose())
    }

    /// Reads a raw id.
    ///
    /// # Errors
    /// Any error of the deserializer, or that the text is not an id.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ProviderId, D::Error> {
        ProviderId::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_provider_id_hides_it() {
        let id = ProviderId::new("cus_secret").expect("valid");
        assert!(!format!("{id:?}").contains("secret"));
        assert_eq!(id.expose(), "cus_secret");
    }

    #[test]
    fn a_source_reads_what_it_writes() {
        for text in ["acme//live", "acme/acct_1/test", "acme/a/b/test"] {
            assert_eq!(text.parse::<Source>().expect(text).expose(), text);
        }
        for text in ["acme", "acme/live", "//live", "acme//prod"] {
            assert_eq!(text.parse::<Source>(), Err(SourceError), "{text}");
        }
    }

    #[test]
    fn a_name_is_fit_for_a_path_and_for_the_text_of_a_source() {
        let check = |text: &str, expect| assert_eq!(ProviderName::new(text).map(String::from), expect, "{text:?}");
        let longest = "x".repeat(63);
        for text in ["acme", "acme-eu", "acme_2", "7", "-", &longest] {
            check(text, Ok(text.to_owned()));
            let source = Source { provider: text.to_owned().try_into().expect(text), account: None, mode: Mode::Live };
            assert_eq!(source.expose().parse(), Ok(source), "{text:?}");
        }
        let too_long = "x".repeat(64);
        for text in ["", "acme/eu", "Acme", "acme.eu", "acme eu", "acm\u{e9}", "acme\n", "..", &too_long] {
            check(text, Err(NameError));
        }
        let told = NameError.to_string();
        assert_eq!(told, "a provider's name has 1 to 63 bytes: lower-case ASCII letters, digits, `-` and `_`");
        assert!(serde_json::from_str::<ProviderName>("\"a/b\"").is_err());
        assert_eq!("Acme//live".parse::<Source>(), Err(SourceError));
    }

    #[test]
    fn ids_refuse_what_would_break_a_line_or_a_key() {
        assert_eq!(ProviderId::new(""), Err(IdError::Empty));
        assert_eq!(ProviderId::new("a\nb"), Err(IdError::ControlCharacter));
        assert_eq!(ProviderId::new("x".repeat(256)), Err(IdError::TooLong { bytes: 256 }));
    }
}
