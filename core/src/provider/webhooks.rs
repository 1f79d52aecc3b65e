//! Decides what an adapter must say of the deliveries that a provider sends: where the signature is, and what the body
//! means.

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
/// * [`read`](Self::read) looks types up in a table by their exact name, takes both old and new places of a field,
///   tolerates unknown fields and unknown enum values, and names the JSON path of what it can't read;
/// * what the application wrote into an object costs no event, whatever it is: an id there that can't be used is left
///   out and put into [`Event::remarks`].
pub trait Webhooks: Send + Sync {
    /// The secrets that are live, and the tolerance.
    fn trust(&self) -> &Trust;

    /// Finds the signature in the headers. It compares nothing.
    ///
    /// # Errors
    /// [`SignatureError::Missing`], [`SignatureError::Malformed`] or [`SignatureError::NoScheme`].
    fn claim(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError>;

    /// Reads a genuine delivery into its event and what the event means.
    ///
    /// # Errors
    /// [`Unreadable`], with as much of the event's head as could be read.
    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable>;

    /// Whether two bodies of one event id say the same, apart from fields that the provider changes between
    /// deliveries of one event. Asked only where the bytes differ.
    fn same_content(&self, one: &[u8], other: &[u8]) -> bool;
}

/// The provider's envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHead {
    /// Its identity.
    pub key: EventKey,
    /// Its exact type, `invoice.paid` for one.
    pub event_type: String,
    /// When the provider says that it happened.
    pub occurred_at: Timestamp,
    /// The JSON path of that time in the body, for the fault of an event that lies in the future.
    pub occurred_at_path: &'static str,
    /// The API version that the body is written in, where it says so.
    pub api_version: Option<String>,
}

/// An event that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The envelope.
    pub head: EventHead,
    /// What it means.
    pub meaning: Meaning,
    /// What the application wrote into the object and the adapter could not use. The event counts without it.
    pub remarks: Vec<Remark>,
}

/// A value that an event can do without and that could not be used. Plain data: it is kept with the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The JSON path, `data.object.metadata.purchase_customer_id` for one.
    pub path: String,
    /// What should be there.
    pub expected: String,
    /// What kind of value is there, or how it differs: never the value.
    pub found: String,
}

/// What an event means to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Facts; perhaps none, when a known type says nothing new about any object.
    Facts(Vec<Fact>),
    /// It carries no observation: the object has to be fetched.
    Fetch(FetchNeed),
    /// A type that the table doesn't list, or lists as without meaning for commerce.
    Ignored,
}

/// What an event without an observation points at.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchNeed {
    /// The path of the object at the provider's API, if the event names one.
    pub path: Option<String>,
    /// The event that carries the same change with an observation, where the provider sends both.
    #[serde(with = "optional_id", skip_serializing_if = "Option::is_none", default)]
    pub snapshot_event: Option<ProviderId>,
}

impl fmt::Debug for FetchNeed {
    /// The path names an object by its provider id, so it is not shown.
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
    /// The event's head, where the body got that far. Without it the event is kept under its body's digest.
    pub head: Option<EventHead>,
    /// What is wrong.
    pub fault: ReadFault,
}

/// What is wrong with a genuine delivery. Plain data: it is kept with the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum ReadFault {
    /// The event's own time lies so far after its receipt that it can't be true. It is not used before its time has
    /// come: until then it would stand over every later event.
    #[error("{path}: the event's time lies {seconds_ahead} seconds after its receipt")]
    Future {
        /// The JSON path of the event's time.
        path: String,
        /// How far it lies ahead, in seconds, rounded up.
        seconds_ahead: i64,
    },
    /// No adapter of the event's provider is registered any more.
    #[error("no adapter of the event's provider is registered")]
    NoAdapter,
    /// The body is not JSON.
    #[error("the body is not JSON: line {line}, column {column}")]
    NotJson {
        /// Where.
        line: usize,
        /// Where.
        column: usize,
    },
    /// The body is not UTF-8.
    #[error("the body is not UTF-8: byte {at}")]
    NotUtf8 {
        /// The first byte that isn't.
        at: usize,
    },
    /// A field is missing or of another type.
    #[error("{path}: expected {expected}, found {found}")]
    Shape {
        /// The JSON path, `data.object.items.data[0].price` for one.
        path: String,
        /// What should be there.
        expected: String,
        /// What kind of value is there: never the value.
        found: String,
    },
    /// The event belongs to an account that this endpoint doesn't serve.
    #[error("the event belongs to another account than this endpoint serves")]
    WrongAccount,
    /// A live event at a test endpoint, or the other way round.
    #[error("a {found} event came to an endpoint for {expected} events")]
    WrongMode {
        /// What the endpoint serves.
        expected: Mode,
        /// What the event says.
        found: Mode,
    },
}
