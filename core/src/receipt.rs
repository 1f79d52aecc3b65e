//! Decides what a caller is told: what really happened to a delivery. Receipts hold no provider ids.

use serde::Serialize;

use crate::{
    id::CustomerId,
    lifecycle::{Change, Transition},
    store::EventStatus,
    time::{Timestamp, rfc3339},
};

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookReceipt {
    /// Always `webhook.receive`.
    pub workflow: &'static str,
    /// The event, by an id that is derived from the provider's and safe to show.
    pub event: String,
    /// The event's exact type.
    pub event_type: String,
    /// The event's status now.
    pub status: EventStatus,
    /// Whether this delivery repeated one that is done: nothing was written. Also true of one whose own commit has
    /// happened, where the store was lost before it said so.
    pub duplicate: bool,
    /// What was done, in order.
    pub stages: Vec<StageReceipt>,
    /// How many facts the event gave.
    pub facts: usize,
    /// Changes of commercial state that this delivery brought to light, each once ever.
    pub transitions: Vec<TransitionReceipt>,
    /// What still has to be settled.
    pub reconciliation: Vec<Reconciliation>,
    /// The four questions.
    pub answers: Answers,
}

/// One change of commercial state: a [`Transition`], and whom it concerns. Its key is the transition's: object, change and
/// time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TransitionReceipt {
    /// The object's public id.
    pub object: String,
    /// When, by the provider's clock.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
    /// What changed.
    pub change: Change,
    /// The application's customer whom it concerns, as known when this delivery was committed: the one that the object
    /// or what it belongs to names, else the one that its customer at the provider is linked to. None while nobody is
    /// known. An owner who becomes known later causes no further transition; look it up with
    /// [`Engine::object_by_public_id`](crate::engine::Engine::object_by_public_id).
    pub customer: Option<CustomerId>,
}

impl TransitionReceipt {
    /// The transition, without whom it concerns.
    pub fn transition(&self) -> Transition {
        Transition { object: self.object.clone(), at: self.at, change: self.change }
    }
}

/// One stage of the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageReceipt {
    /// Which one.
    pub stage: Stage,
    /// When it ended, as the caller's clock says.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
}

/// The stages of receiving a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The delivery is genuine, of our account and mode, and not new.
    AcceptEvent,
    /// Inbox, facts and read side are in one commit.
    PersistFact,
    /// The projection took the facts in.
    RefreshProjection,
}

/// Something that is left to settle: with the provider, or by whoever wrote into its objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reconciliation {
    /// Only event ids ordered two states of one instant.
    Ambiguous {
        /// The subject's public id.
        subject: String,
    },
    /// A newer observation contradicts an end that was final.
    ContractBroken {
        /// The subject's public id.
        subject: String,
    },
    /// The event carries no observation.
    FetchNeeded,
    /// An id that the application wrote into the object can't be used; the event counts without it. Correct it at the
    /// provider: the next event of the object brings it.
    IdUnusable {
        /// Its JSON path.
        path: String,
        /// What should be there.
        expected: String,
        /// What is there instead: never the value.
        found: String,
    },
    /// Nobody is known to own the subject yet.
    OwnerUnknown {
        /// The subject's public id.
        subject: String,
    },
}

/// The four questions that a receipt answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// Was the input accepted?
    pub input_accepted: bool,
    /// Did this call change anything at the provider? A webhook never does.
    pub provider_changed: bool,
    /// Are local facts stored?
    pub local_facts_stored: bool,
    /// Is the read side still to be refreshed?
    pub refresh_owed: bool,
}

impl WebhookReceipt {
    /// The HTTP status that the endpoint answers: the event is safe with us.
    pub fn http_status(&self) -> u16 {
        200
    }
}
