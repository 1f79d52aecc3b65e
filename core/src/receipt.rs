//! The receipt of a delivery: what really happened to it. Receipts contain no provider ids.
//!
//! # Example
//!
//! ```
//! use purchase_core::receipt::{Answers, Stage, StageReceipt, TransitionReceipt, WebhookReceipt};
//! use purchase_core::{id::CustomerId, lifecycle::Change, store::EventStatus, time::Timestamp};
//!
//! // What `Engine::handle` returns for an event that activates Ada's subscription.
//! let (at, customer) = (Timestamp::from_seconds(1_767_225_600)?, Some(CustomerId::new("ada")?));
//! let (object, change) = ("subscription_96f26ce1e738906dd2c1".to_owned(), Change::Activated);
//! let stages = [Stage::AcceptEvent, Stage::PersistFact, Stage::RefreshProjection];
//! let receipt = WebhookReceipt {
//!     workflow: "webhook.receive",
//!     event: "event_32036b697b92d76f1bfb".to_owned(),
//!     event_type: "customer.subscription.created".to_owned(),
//!     status: EventStatus::Processed,
//!     duplicate: false,
//!     stages: stages.map(|stage| StageReceipt { stage, at }).into(),
//!     facts: 1,
//!     transitions: vec![TransitionReceipt { object, at, change, customer }],
//!     reconciliation: Vec::new(),
//!     answers: Answers { input_accepted: true, provider_changed: false, local_facts_stored: true, refresh_owed: false },
//! };
//! assert_eq!(receipt.http_status(), 200); // the answer to the provider
//! let json = serde_json::to_value(&receipt)?;
//! assert_eq!((json["status"].as_str(), json["duplicate"].as_bool()), (Some("processed"), Some(false)));
//! assert_eq!(json["transitions"][0]["change"], "activated");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use serde::Serialize;

use crate::{
    id::CustomerId,
    lifecycle::{Change, Transition},
    store::EventStatus,
    time::{Timestamp, rfc3339},
};

/// The result of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookReceipt {
    /// Always `webhook.receive`.
    pub workflow: &'static str,
    /// The event's public id, derived from the provider's id and safe to show.
    pub event: String,
    /// The event's exact type.
    pub event_type: String,
    /// The event's current status.
    pub status: EventStatus,
    /// Whether this delivery repeated an event that is done, so that nothing was written. Also true if this
    /// delivery's own commit succeeded, but the store was lost before it confirmed.
    pub duplicate: bool,
    /// What was done, in order.
    pub stages: Vec<StageReceipt>,
    /// How many facts the event contains.
    pub facts: usize,
    /// Changes of commercial state that this delivery caused. Each is reported only once, ever.
    pub transitions: Vec<TransitionReceipt>,
    /// What still has to be settled.
    pub reconciliation: Vec<Reconciliation>,
    /// The answers to the four questions.
    pub answers: Answers,
}

/// One change of commercial state: a [`Transition`], and the customer it concerns. Its key is the transition's:
/// object, change and time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TransitionReceipt {
    /// The object's public id.
    pub object: String,
    /// When, by the provider's clock.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
    /// What changed.
    pub change: Change,
    /// The application's customer that it concerns, as known when this delivery was committed: the one that the
    /// object or its relatives name, else the one that its customer at the provider is linked to. `None` while no
    /// owner is known. An owner that becomes known later causes no further transition; look it up with
    /// [`Engine::object_by_public_id`](crate::engine::Engine::object_by_public_id).
    pub customer: Option<CustomerId>,
}

impl TransitionReceipt {
    /// The transition, without the customer it concerns.
    pub fn transition(&self) -> Transition {
        Transition { object: self.object.clone(), at: self.at, change: self.change }
    }
}

/// One stage of the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageReceipt {
    /// The stage.
    pub stage: Stage,
    /// When it ended, by the caller's clock.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
}

/// The stages of receiving a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The delivery is genuine, has our account and mode, and is new.
    AcceptEvent,
    /// The event, its facts and the read model are in one commit.
    PersistFact,
    /// The projection includes the facts.
    RefreshProjection,
}

/// Something left to settle: with the provider, or by the application that wrote into the provider's objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reconciliation {
    /// Only event ids ordered two states of one instant.
    Ambiguous {
        /// The subject's public id.
        subject: String,
    },
    /// A newer observation contradicts a final end.
    ContractBroken {
        /// The subject's public id.
        subject: String,
    },
    /// The event contains no observation.
    FetchNeeded,
    /// An id that the application wrote into the object can't be used; the event is processed without it. Correct it
    /// at the provider: the next event of the object contains the correction.
    IdUnusable {
        /// Its JSON path.
        path: String,
        /// The expected value.
        expected: String,
        /// The kind of value found: never the value itself.
        found: String,
    },
    /// The owner of the subject is not known yet.
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
    /// Does the read model still need a refresh?
    pub refresh_owed: bool,
}

impl WebhookReceipt {
    /// The HTTP status for the endpoint to answer: the event is durably stored.
    pub fn http_status(&self) -> u16 {
        200
    }
}
