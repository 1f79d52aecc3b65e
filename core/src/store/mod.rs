//! The contract of a store, in plain data: accept, claim, load and commit ([`Store`]), list ([`Browse`]), and upkeep
//! ([`Maintain`]). [`commit`] defines what is atomic; [`transact`] turns a decision into a commit.

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

/// The atomic core of a store: everything that deliveries, workers and operations write, and the data that they base
/// decisions on.
///
/// An implementor must make sure that
/// * [`commit`](Self::commit) applies everything or nothing, even when the process dies at any point, and that an
///   acknowledged commit survives;
/// * a subject is written only when its stored revision is the expected one, compared and swapped by the database
///   itself;
/// * every later call sees what was committed.
///
/// Listings for people and tools are in [`Browse`], upkeep in [`Maintain`].
#[async_trait]
pub trait Store: Browse + Maintain {
    /// Stores new deliveries as `received`, due immediately, for a worker to process: queue mode.
    ///
    /// * An event that is already stored stays unchanged, whatever its body.
    /// * The answer states for each event, in order, whether it was new.
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError>;

    /// Claims due events of one queue for one worker until the lease ends.
    ///
    /// * Two claims never overlap: an event under a lease that still holds is given to no other worker.
    /// * Events with the same ordering key are claimed in arrival order: an event is claimed only when no earlier due
    ///   event with its ordering key is under a lease that still holds or is left out by this claim. A backed-off
    ///   event doesn't block later ones.
    /// * The answer is in arrival order as well. An event whose row can't be read is left out of it and logged, and
    ///   its lease ends by itself. If no row can be read, the call fails.
    /// * The claim counts one more attempt for each event, in the same write, so an event whose worker dies each time
    ///   can be recognized by its attempts. The answer includes this attempt.
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError>;

    /// Loads, in one consistent view, the wanted data that exists, and the pending owners that wait for a wanted
    /// subject.
    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError>;

    /// Applies one change set atomically.
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError>;
}

/// Pages of stored data, for people and tools. No written decision is based on them.
#[async_trait]
pub trait Browse: Send + Sync {
    /// Lists events in order of arrival, starting after `after`.
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError>;

    /// Lists bodies in conflict with a stored event, in order of arrival, starting after `after`. Each body is stored
    /// once.
    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError>;

    /// Lists every fact of the given events, with the time of its first commit. An event has few.
    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError>;

    /// Lists transitions in order of object, instant and change, starting after `after`.
    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError>;

    /// Lists subjects in order of their keys, starting after `after`.
    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError>;
}

/// The upkeep of a store.
#[async_trait]
pub trait Maintain: Send + Sync {
    /// Checks that the store is reachable and has the tables of this version. It doesn't prove that the store accepts
    /// writes.
    ///
    /// This waits as long as the store does. A caller that needs an answer in time must set its own timeout.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// A queue that workers claim from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Events that were accepted, and events that failed and are due again.
    Events,
}

/// What a claim returned, in order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Claimed events of [`Queue::Events`], with their bodies.
    pub events: Vec<StoredEvent>,
}

/// An event's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// It contains no observation, so its object must be fetched. It is not due. It is done once a reading finds
    /// facts in it.
    AwaitingFetch,
    /// Genuine and stored, but not usable for the given reason. It is tried again.
    Failed,
    /// Its type has no meaning here.
    Ignored,
    /// Its facts are stored, but the owner of one of their subjects is unknown.
    Parked,
    /// Done.
    Processed,
    /// Stored, not yet processed.
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

/// Why an event has its status, or what was found while processing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// It contains no observation.
    Fetch(FetchNeed),
    /// It was claimed this often, and no worker survived to record a result. It is not tried again automatically.
    GaveUp {
        /// How often it was tried.
        attempts: u32,
    },
    /// It could be read, and an attempt to process it ended without a result.
    Process {
        /// The cause, as the stable code of [`Refusal::code`](crate::error::Refusal::code), or `panicked`.
        code: String,
    },
    /// It can't be read.
    Read(ReadFault),
    /// It was read, but some ids that the application wrote into its object can't be used. The event is processed or
    /// parked without them.
    Unusable {
        /// One remark per unusable id.
        remarks: Vec<Remark>,
    },
}

/// An event as first stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its identity.
    pub key: EventKey,
    /// Its exact type; empty when the body names none.
    pub event_type: String,
    /// The API version of the body.
    pub api_version: Option<String>,
    /// When it happened, according to the provider.
    pub occurred_at: Option<Timestamp>,
    /// When it was first received.
    pub received_at: Timestamp,
    /// Its ordering key within its source: [`Store::claim`] claims the events of one ordering key in order. With
    /// `None` it waits for no other event. The key never changes after the event was inserted.
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

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event as received.
    pub event: NewEvent,
    /// Its position in the order of arrival.
    pub sequence: i64,
    /// Its status.
    pub status: EventStatus,
    /// Why, where the status is not final; on a processed or parked event, what of it was left out.
    pub reason: Option<Reason>,
    /// The number of processing attempts; while it is claimed, including the current one.
    pub attempts: u32,
    /// When it is due again, if ever.
    pub due_at: Option<Timestamp>,
}

/// A stored body that contradicts the event with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConflict {
    /// The event as received.
    pub event: NewEvent,
    /// Its position in the order of arrival, which events and conflicts share.
    pub sequence: i64,
}

impl StoredEvent {
    /// Whether it failed and is not tried again automatically: a dead letter. Only a
    /// [`replay`](crate::engine::Engine::replay) or a new delivery by its provider makes it due.
    pub fn is_dead_letter(&self) -> bool {
        self.status == EventStatus::Failed && self.due_at.is_none()
    }
}

/// What to load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Events without their bodies, if stored.
    pub events: Vec<EventKey>,
    /// Events with their bodies, if stored.
    pub bodies: Vec<EventKey>,
    /// Subjects, if stored.
    pub subjects: Vec<Subject>,
    /// Subjects all of whose facts are needed.
    pub facts: Vec<Subject>,
    /// Idempotency keys, if stored.
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
    /// The wanted events that exist. Their bodies are empty, except where the body was wanted.
    pub events: Vec<StoredEvent>,
    /// The wanted subjects that exist.
    pub subjects: Vec<StoredSubject>,
    /// Which subjects wait for which wanted one. The waiting subjects are not loaded.
    pub pending_owners: Vec<PendingOwner>,
    /// Every fact about the subjects whose facts were wanted. The facts of one subject are in order of their
    /// versions, then of their events.
    pub facts: Vec<Fact>,
    /// The wanted idempotency keys that exist.
    pub keys: Vec<KeyRecord>,
}

/// A stored subject.
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

/// A stored fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFact {
    /// The fact.
    pub fact: Fact,
    /// The [`Commit::at`] of the first commit that contained it. It stays when the event is read again and still has
    /// a fact about the subject.
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
    /// The most events to claim.
    pub limit: u32,
}

/// Which events to list. An empty filter matches all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    /// Only this event.
    pub key: Option<EventKey>,
    /// Only the event of this [`public id`](EventKey::public_id).
    pub public_id: Option<String>,
    /// Only these statuses.
    pub statuses: Vec<EventStatus>,
    /// Only those received at this instant or later.
    pub since: Option<Timestamp>,
    /// Only those received before this instant.
    pub until: Option<Timestamp>,
    /// Only those after this position in the order of arrival.
    pub after: Option<i64>,
    /// The most rows to return; by default [`PAGE`].
    pub limit: u32,
}

/// Which bodies in conflict to list. An empty filter matches all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictQuery {
    /// Only those that contradict this event.
    pub key: Option<EventKey>,
    /// Only those received at this instant or later.
    pub since: Option<Timestamp>,
    /// Only those received before this instant.
    pub until: Option<Timestamp>,
    /// Only those after this position in the order of arrival.
    pub after: Option<i64>,
    /// The most rows to return; by default [`PAGE`].
    pub limit: u32,
}

/// Which subjects to list. An empty filter matches all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectQuery {
    /// Only those of this source.
    pub source: Option<Source>,
    /// Only the subject with this [`public id`](Subject::public_id); every other filter is then ignored.
    pub public_id: Option<String>,
    /// Only these customers of a provider, each at its source, and the subjects that belong to them.
    pub customers: Option<Vec<(Source, ProviderId)>>,
    /// Only those that belong to this customer of the application, named by the subject itself or inherited as its
    /// owner.
    pub owner: Option<CustomerId>,
    /// Only those after this key.
    pub after: Option<Subject>,
    /// The most rows to return; by default [`PAGE`].
    pub limit: u32,
}

/// Which transitions to list. An empty filter matches all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionQuery {
    /// Only those of the object with this public id.
    pub object: Option<String>,
    /// Only those after this one.
    pub after: Option<Transition>,
    /// The most rows to return; by default [`PAGE`].
    pub limit: u32,
}

/// How many rows a query returns where it doesn't say: a query without a limit must not come back empty.
pub const PAGE: u32 = 100;

impl Default for EventQuery {
    fn default() -> Self {
        Self { key: None, public_id: None, statuses: Vec::new(), since: None, until: None, after: None, limit: PAGE }
    }
}

impl Default for ConflictQuery {
    fn default() -> Self {
        Self { key: None, since: None, until: None, after: None, limit: PAGE }
    }
}

impl Default for SubjectQuery {
    fn default() -> Self {
        Self { source: None, public_id: None, customers: None, owner: None, after: None, limit: PAGE }
    }
}

impl Default for TransitionQuery {
    fn default() -> Self {
        Self { object: None, after: None, limit: PAGE }
    }
}

impl SubjectQuery {
    /// Whether a subject passes every filter. The store applies the limit.
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
