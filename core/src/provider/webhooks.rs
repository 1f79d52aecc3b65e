//! The contract of an adapter's receiving side: where a delivery's signature is, and what its body means.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    delivery::{Headers, Limits},
    fact::Fact,
    id::{EventKey, Mode, ProviderId, exposed},
    time::Timestamp,
    verify::{PresentedSignature, SignatureError, Trust, VerifiedDelivery},
};

/// A provider's receiving side.
///
/// An implementor must make sure that
/// * [`read`](Self::read) looks types up in a table by their exact name, accepts both old and new locations of a
///   field, tolerates unknown fields and unknown enum values, and names the JSON path of what it can't read;
/// * nothing that the application wrote into an object makes an event unreadable: an id there that can't be used is
///   left out and added to [`Event::remarks`].
pub trait Webhooks: Send + Sync {
    /// The live secrets, and the tolerance.
    fn trust(&self) -> &Trust;

    /// Finds the signature in the headers. It compares nothing.
    ///
    /// # Errors
    /// [`SignatureError::Missing`], [`SignatureError::Malformed`] or [`SignatureError::NoScheme`].
    fn presented_signature(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError>;

    /// Reads a genuine delivery into its event and what the event means.
    ///
    /// # Errors
    /// [`Unreadable`], with as much of the event's head as could be read.
    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable>;

    /// Whether two bodies of one event id have the same content, apart from fields that the provider changes between
    /// deliveries of one event. Called only if the bytes differ.
    fn same_content(&self, one: &[u8], other: &[u8]) -> bool;
}

/// The provider's envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHead {
    /// Its identity.
    pub key: EventKey,
    /// Its exact type, for example `invoice.paid`.
    pub event_type: String,
    /// When it happened, according to the provider.
    pub occurred_at: Timestamp,
    /// The JSON path of that time in the body, for the fault of an event whose time is in the future.
    pub occurred_at_path: &'static str,
    /// The API version of the body, if it names one.
    pub api_version: Option<String>,
}

/// An event that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The envelope.
    pub head: EventHead,
    /// What it means.
    pub meaning: Meaning,
    /// Values that the application wrote into the object and the adapter could not use. The event is processed
    /// without them.
    pub remarks: Vec<Remark>,
}

/// An optional value that could not be used. Plain data: it is stored with the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The JSON path, for example `data.object.metadata.purchase_customer_id`.
    pub path: String,
    /// The expected value.
    pub expected: String,
    /// The kind of value found, or how it differs: never the value itself.
    pub found: String,
}

/// The meaning of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Facts. The list may be empty, if a known type contains nothing new about any object.
    Facts(Vec<Fact>),
    /// It contains no observation, so the object must be fetched.
    Fetch(FetchNeed),
    /// A type that the table doesn't list, or lists as irrelevant to commerce.
    Ignored,
}

/// What to fetch for an event without an observation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchNeed {
    /// The path of the object at the provider's API, if the event names one.
    pub path: Option<String>,
    /// The event that reports the same change with an observation, if the provider sends both.
    #[serde(with = "optional_id", skip_serializing_if = "Option::is_none", default)]
    pub snapshot_event: Option<ProviderId>,
}

impl fmt::Debug for FetchNeed {
    /// The path contains an object's provider id, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchNeed")
            .field("has_path", &self.path.is_some())
            .field("snapshot_event", &self.snapshot_event)
            .finish()
    }
}

mod optional_id {
    use super::{Deserialize, ProviderId, Serialize, exposed};

    #[derive(Serialize, Deserialize)]
    struct Exposed(#[serde(with = "exposed")] ProviderId);

    pub(super) fn serialize<S: serde::Serializer>(id: &Option<ProviderId>, serializer: S) -> Result<S::Ok, S::Error> {
        id.clone().map(Exposed).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ProviderId>, D::Error> {
        Ok(Option::<Exposed>::deserialize(deserializer)?.map(|id| id.0))
    }
}

/// A genuine delivery that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The event's head, if it could be read. Without it the event is stored under its body's digest.
    pub head: Option<EventHead>,
    /// What is wrong.
    pub fault: ReadFault,
}

/// What is wrong with a genuine delivery. Plain data: it is stored with the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum ReadFault {
    /// The event's own time is implausibly far after its receipt. The event is not used before its time has come:
    /// until then it would outrank every later event.
    #[error("{path}: the event's time lies {seconds_ahead} seconds after its receipt")]
    Future {
        /// The JSON path of the event's time.
        path: String,
        /// How far it is ahead, in seconds, rounded up.
        seconds_ahead: i64,
    },
    /// No adapter is registered for the event's provider.
    #[error("no adapter is registered for the event's provider")]
    NoAdapter,
    /// The body is not JSON.
    #[error("the body is not JSON: line {line}, column {column}")]
    NotJson {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The body is not UTF-8.
    #[error("the body is not UTF-8: byte {at}")]
    NotUtf8 {
        /// The index of the first invalid byte.
        at: usize,
    },
    /// A field is missing or of another type.
    #[error("{path}: expected {expected}, found {found}")]
    Shape {
        /// The JSON path, for example `data.object.items.data[0].price`.
        path: String,
        /// The expected value.
        expected: String,
        /// The kind of value found: never the value itself.
        found: String,
    },
    /// The event belongs to an account that this endpoint doesn't serve.
    #[error("the event belongs to an account that this endpoint doesn't serve")]
    WrongAccount,
    /// A live event at a test endpoint, or the reverse.
    #[error("a {found} event was sent to an endpoint for {expected} events")]
    WrongMode {
        /// The mode that the endpoint serves.
        expected: Mode,
        /// The mode that the event names.
        found: Mode,
    },
}
