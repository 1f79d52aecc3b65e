//! Decides what a store must do, each with plain data: accept, claim, load and commit ([`Store`]), list ([`Browse`]), and
//! keep itself up ([`Maintain`]). What is atomic with what stands in [`commit`]; how a decision becomes a commit, in
//! [`transact`].

pub mod commit;
pub mod keys;
pub mod memory;
pub mod once;
pub mod transact;

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use commit::{Commit, Conflict, EventWrite, Lease, PendingOwner, SubjectWrite, TransitionWrite};
pub use keys::{IdempotencyKey, KeyRecord};

use crate::{
    error::{CommitError, StoreError},
    fact::Fact,
    fold::SubjectState,
    id::{CustomerId, EventKey, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    lifecycle::Transition,
    provider::{FetchNeed, ReadFault, Remark},
    time::Timestamp,
};

/// The atomic core of a store: what deliveries, workers and operations write, and what they decide by.
///
/// An implementor must make sure that
/// * [`commit`](Self::commit) applies everything or nothing, also when the process dies at any point, and that what
///   it acknowledged survives;
/// * a subject is written only when its stored revision is the expected one, compared and swapped by the database
///   itself;
/// * what was committed is seen by every later call.
///
/// Pages for people and tools are in [`Browse`], upkeep in [`Maintain`].
#[async_trait]
pub trait Store: Browse + Maintain {
    /// Keeps new deliveries as `received`, due at once, for a worker to process: queue mode.
    ///
    /// * An event that is already there stays as it is, whatever its body.
    /// * The answer tells for each, in order, whether it was new.
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError>;

    /// Takes what is due in one queue for one worker until the lease ends.
    ///
    /// * Two claims never overlap: an event under a lease that still holds is given to nobody else.
    /// * Within an ordering key they go in the order of arrival: an event is given out only when no earlier one of its ordering key that is
    ///   due is under a lease that still holds, or is left out by this claim. One that rests until it is tried again
    ///   holds up nobody.
    /// * The answer, too, stands in the order of arrival. An event whose row can't be read is left out of it and
    ///   logged, and its lease ends by itself. Where none can be read, the call fails.
    /// * Each event that is given out has one attempt more from then on, in the same write: so an event whose worker
    ///   dies each time is known by its attempts. The answer counts this one.
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError>;

    /// Loads, in one consistent view, what is wanted, as far as it is there; and the waits for one of the wanted
    /// subjects.
    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError>;

    /// Applies one change set atomically.
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError>;
}

/// Pages of what is stored, for people and tools. No decision that is written comes from here.
#[async_trait]
pub trait Browse: Send + Sync {
    /// Lists events by their place in the order of arrival, from `after` on, which is excluded.
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError>;

    /// Lists bodies in conflict with an event that stands, in the order of their arrival, from `after` on, which is
    /// excluded. Each body is kept once.
    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError>;

    /// Lists every fact of some events, with the time of its first commit. An event has few.
    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError>;

    /// Lists transitions in the order of object, instant and change, from `after` on, which is excluded.
    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError>;

    /// Lists subjects in the order of their keys, from `after` on, which is excluded.
    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError>;
}

/// The upkeep of a store.
#[async_trait]
pub trait Maintain: Send + Sync {
    /// Whether the store can be reached and has the tables of this version. It doesn't prove that it can be written to.
    ///
    /// This waits as long as the store does; a caller that needs an answer in time sets a time-out.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// A queue that is claimed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Events that were accepted, and those that failed and are due again.
    Events,
}

/// What a claim took, in the order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// From [`Queue::Events`], with their bodies.
    pub events: Vec<StoredEvent>,
}

/// An event's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// It carries no observation: its object has to be fetched. Not due, and done when a reading finds facts in it.
    AwaitingFetch,
    /// Genuine, kept, and not usable for the reason given; tried again.
    Failed,
    /// Of a type without meaning here.
    Ignored,
    /// Its facts are stored, and nobody is known to own one of their subjects.
    Parked,
    /// Done.
    Processed,
    /// Kept, not yet processed.
    Received,
}

impl EventStatus {
    /// Every status.
    pub const ALL: &[Self] =
        &[Self::AwaitingFetch, Self::Failed, Self::Ignored, Self::Parked, Self::Processed, Self::Received];

    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            EventStatus::AwaitingFetch => "awaiting_fetch",
            EventStatus::Failed => "failed",
            EventStatus::Ignored => "ignored",
            EventStatus::Parked => "parked",
            EventStatus::Processed => "processed",
            EventStatus::Received => "received",
        }
    }
}

/// Why an event has its status, or what was found on the way to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// It carries no observation.
    Fetch(FetchNeed),
    /// It was claimed so often, and no worker lived to write what came of it. It is not tried again by itself.
    GaveUp {
        /// How often it was tried.
        attempts: u32,
    },
    /// It could be read, and an attempt to process it ended without a result.
    Process {
        /// Why, in the stable word of [`Refusal::code`](crate::error::Refusal::code), or `panicked`.
        code: String,
    },
    /// It can't be read.
    Read(ReadFault),
    /// It was read, and ids that the application wrote into its object can't be used. The event is processed or parked
    /// without them.
    Unusable {
        /// Each of them.
        remarks: Vec<Remark>,
    },
}

/// An event as it is first kept.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its identity.
    pub key: EventKey,
    /// Its exact type; empty when the body names none.
    pub event_type: String,
    /// The API version of the body.
    pub api_version: Option<String>,
    /// When the provider says that it happened.
    pub occurred_at: Option<Timestamp>,
    /// When it came first.
    pub received_at: Timestamp,
    /// Whose it is in the queue, within its source: [`Store::claim`] gives out the events of an ordering key in order. None: it
    /// waits for nobody. Kept as it was when the event was inserted.
    pub ordering_key: Option<ObjectRef>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
}

impl fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("key", &self.key)
            .field("event_type", &self.event_type)
            .field("received_at", &self.received_at)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// What came.
    pub event: NewEvent,
    /// Its place in the order of arrival.
    pub sequence: i64,
    /// Its status.
    pub status: EventStatus,
    /// Why, where the status is not the end of it; and on a processed or parked event, what of it was left out.
    pub reason: Option<Reason>,
    /// How often processing was tried; while it is claimed, this time included.
    pub attempts: u32,
    /// When it is due again, if ever.
    pub due_at: Option<Timestamp>,
}

/// A body that contradicts the event of the same id, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConflict {
    /// What came.
    pub event: NewEvent,
    /// Its place in the order of arrival, which events and conflicts share.
    pub sequence: i64,
}

impl StoredEvent {
    /// Whether it failed and is not tried again by itself: a dead letter. It waits for a
    /// [`replay`](crate::engine::Engine::replay), or for its provider to send it again.
    pub fn is_dead_letter(&self) -> bool {
        self.status == EventStatus::Failed && self.due_at.is_none()
    }
}

/// What to load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Events without their bodies, if they are there.
    pub events: Vec<EventKey>,
    /// Events with their bodies, if they are there.
    pub bodies: Vec<EventKey>,
    /// Subjects, if they are there.
    pub subjects: Vec<Subject>,
    /// Subjects all of whose facts are needed.
    pub facts: Vec<Subject>,
    /// Idempotency keys, if they are there.
    pub keys: Vec<IdempotencyKey>,
}

impl Wanted {
    /// Only subjects.
    pub fn subjects(subjects: Vec<Subject>) -> Self {
        Self { subjects, ..Self::default() }
    }

    /// Only events, without their bodies.
    pub fn events(events: Vec<EventKey>) -> Self {
        Self { events, ..Self::default() }
    }

    /// Only every fact about some subjects.
    pub fn facts(subjects: Vec<Subject>) -> Self {
        Self { facts: subjects, ..Self::default() }
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        let Self { events, bodies, subjects, facts, keys } = self;
        events.is_empty() && bodies.is_empty() && subjects.is_empty() && facts.is_empty() && keys.is_empty()
    }
}

/// What was loaded.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The wanted events that are there. Their bodies are empty, but for those whose bodies were wanted.
    pub events: Vec<StoredEvent>,
    /// The wanted subjects that are there.
    pub subjects: Vec<StoredSubject>,
    /// Which subjects wait for which wanted one. Those that wait are not loaded.
    pub pending_owners: Vec<PendingOwner>,
    /// Every fact about the subjects whose facts were wanted; those of one subject in the order of their versions, then of
    /// their events.
    pub facts: Vec<Fact>,
    /// The wanted idempotency keys that are there.
    pub keys: Vec<KeyRecord>,
}

/// A subject as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSubject {
    /// Its key.
    pub subject: Subject,
    /// How often it was written.
    pub revision: i64,
    /// Its folded state.
    pub state: SubjectState,
}

impl StoredSubject {
    /// Key and state, as a projection reads them.
    pub fn parts(&self) -> (&Subject, &SubjectState) {
        (&self.subject, &self.state)
    }
}

/// A fact as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFact {
    /// What the event says.
    pub fact: Fact,
    /// The [`Commit::at`] of the first commit that brought it. It stays when the event is read again and still says
    /// something of the subject.
    pub committed_at: Timestamp,
}

/// A worker's request for due events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The queue.
    pub queue: Queue,
    /// The lease it will hold.
    pub lease: Lease,
    /// The worker's clock.
    pub now: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// Which events to list. An empty filter takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Only this event.
    pub key: Option<EventKey>,
    /// Only the event of this [`public id`](EventKey::public_id).
    pub public_id: Option<String>,
    /// Only these statuses.
    pub statuses: Vec<EventStatus>,
    /// Only those received at or after.
    pub since: Option<Timestamp>,
    /// Only those received before.
    pub until: Option<Timestamp>,
    /// Only those after this place.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// Which bodies in conflict to list. An empty filter takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConflictQuery {
    /// Only those with this event.
    pub key: Option<EventKey>,
    /// Only those received at or after.
    pub since: Option<Timestamp>,
    /// Only those received before.
    pub until: Option<Timestamp>,
    /// Only those after this place.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// Which subjects to list. An empty filter takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectQuery {
    /// Only those of this source.
    pub source: Option<Source>,
    /// Only the one of this [`public id`](Subject::public_id); no other filter counts then.
    pub public_id: Option<String>,
    /// Only those that belong to these customers of a provider, each at its source, and these customers.
    pub customers: Option<Vec<(Source, ProviderId)>>,
    /// Only those that name this customer of the application, by themselves or through the one they take their owner
    /// from.
    pub owner: Option<CustomerId>,
    /// Only those after this key.
    pub after: Option<Subject>,
    /// At most so many.
    pub limit: u32,
}

/// Which transitions to list. An empty filter takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransitionQuery {
    /// Only those of the object of this public id.
    pub object: Option<String>,
    /// Only those after this one.
    pub after: Option<Transition>,
    /// At most so many.
    pub limit: u32,
}

impl SubjectQuery {
    /// Whether a subject passes every filter. The limit is the store's.
    pub(crate) fn takes(&self, stored: &StoredSubject) -> bool {
        let StoredSubject { subject, state, .. } = stored;
        if let Some(public_id) = &self.public_id {
            return subject.public_id() == *public_id;
        }
        let of_customer = |customers: &Vec<(Source, ProviderId)>| {
            let is = |id: &ProviderId| customers.iter().any(|(source, of)| *source == subject.source && of == id);
            (subject.root.kind == ObjectKind::Customer && is(&subject.root.id)) || state.customer().is_some_and(is)
        };
        self.source.as_ref().is_none_or(|source| *source == subject.source)
            && self.customers.as_ref().is_none_or(of_customer)
            && (self.owner.is_none() || state.application_customer() == self.owner.as_ref())
            && self.after.as_ref().is_none_or(|after| subject > after)
    }
}
