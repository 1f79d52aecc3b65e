//! Defines what is committed atomically: all changes of one unit of work, in one value.

use crate::{
    fact::Fact,
    fold::SubjectState,
    id::{EventKey, Subject},
    lifecycle::Transition,
    snapshot::rows::Rows,
    store::{EventStatus, KeyRecord, NewEvent, Reason},
    time::Timestamp,
};

/// One atomic change set. An empty one is allowed and does nothing.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The caller's clock when this change set was made. Its facts are stored with this time. A fact that is already
    /// stored keeps its first time, and so does the fact of an event that is read again, if the event still has facts
    /// about that subject. A change set without a caller's clock (a rebuild, for example) contains no facts.
    pub at: Timestamp,
    /// The lease under which the events are processed; the commit fails when it is lost.
    pub lease: Option<Lease>,
    /// Events to insert or update.
    pub events: Vec<EventWrite>,
    /// Events whose facts are replaced by those in `facts`: events that are read again.
    pub reread: Vec<EventKey>,
    /// Facts to add. A fact that is already stored stays unchanged.
    pub facts: Vec<Fact>,
    /// Subjects, each at its expected revision. Their pending owners are replaced by those in `pending_owners`.
    pub subjects: Vec<SubjectWrite>,
    /// The pending owners of `subjects`.
    pub pending_owners: Vec<PendingOwner>,
    /// Bodies that contradict a stored event.
    pub conflicts: Vec<Conflict>,
    /// Idempotency keys to store. The commit is stale when one of them is already taken.
    pub keys: Vec<KeyRecord>,
}

impl Commit {
    /// Whether it changes nothing. A lease alone changes nothing, and pending owners belong to their subjects.
    pub fn is_empty(&self) -> bool {
        let Self { at: _, lease: _, events, reread, facts, subjects, pending_owners: _, conflicts, keys } = self;
        events.is_empty()
            && reread.is_empty()
            && facts.is_empty()
            && subjects.is_empty()
            && conflicts.is_empty()
            && keys.is_empty()
    }
}

impl Default for Commit {
    /// An empty change set, with `at` as [`Timestamp::EPOCH`].
    fn default() -> Self {
        Self {
            at: Timestamp::EPOCH,
            lease: None,
            events: Vec::new(),
            reread: Vec::new(),
            facts: Vec::new(),
            subjects: Vec::new(),
            pending_owners: Vec::new(),
            conflicts: Vec::new(),
            keys: Vec::new(),
        }
    }
}

/// A write of an event's row.
#[derive(Debug, Clone)]
pub struct EventWrite {
    /// The event as received. The body of an event that is already stored is not written, so it may be empty.
    pub event: NewEvent,
    /// The status that the stored event must have now; `None` means that the event must not be stored yet. Otherwise
    /// the commit is stale. So a reading can't undo a better one that overtook it.
    pub expected: Option<EventStatus>,
    /// Its new status. A parked event becomes processed in the commit that settles the owner of the last unsettled
    /// subject of its facts: the store does that, by [`SubjectWrite::owner_settled`].
    pub status: EventStatus,
    /// Why it has this status.
    pub reason: Option<Reason>,
    /// The number of processing attempts, including this one.
    pub attempts: u32,
    /// When it is due again, if ever.
    pub due_at: Option<Timestamp>,
}

/// A write of a subject's row and everything derived from it.
#[derive(Debug, Clone)]
pub struct SubjectWrite {
    /// Its key.
    pub subject: Subject,
    /// The revision at which it was loaded; 0 when it wasn't stored. The write increases it by one.
    pub expected_revision: i64,
    /// Its folded state.
    pub state: SubjectState,
    /// Its rows in the read model, replacing the stored ones.
    pub rows: Rows,
    /// The transitions of its objects that changed.
    pub transitions: Vec<TransitionWrite>,
    /// Whether an owner is known, or none is needed. Stored with the subject: parked events become processed once all
    /// their facts are about subjects with a settled owner.
    pub owner_settled: bool,
}

/// The transitions of one object from an instant on. They replace the stored ones from that instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionWrite {
    /// The object's public id.
    pub object: String,
    /// The first instant that is replaced.
    pub since: Timestamp,
    /// The new transitions, each once.
    pub changes: Vec<Transition>,
}

/// A pending owner: a subject that names no owner itself, and another whose owner it inherits. The waiting subject is
/// derived again whenever the other one is written, even while it has an owner through a third.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PendingOwner {
    /// The subject that waits.
    pub subject: Subject,
    /// The subject it waits for.
    pub on: Subject,
}

/// A body that contradicts the stored event with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The event as received.
    pub event: NewEvent,
}

/// A worker's right to process events for a limited time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The worker's token: unique per claim.
    pub token: String,
    /// When it ends.
    pub until: Timestamp,
}
