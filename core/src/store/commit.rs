//! Decides what is atomic with what: everything that one unit of work brings, in one value.

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
    /// The caller's clock when this change set was made: the time that its facts are kept with. A fact that is already there,
    /// and what an event that is read again still says of a subject, keep their first one. A change set whose caller had no clock, a rebuild for one, brings no facts.
    pub at: Timestamp,
    /// The lease under which the events are processed; the commit fails when it is lost.
    pub lease: Option<Lease>,
    /// Events to insert or to move on.
    pub events: Vec<EventWrite>,
    /// Events whose facts are replaced by those in `facts`: those that are read again.
    pub reread: Vec<EventKey>,
    /// Facts. One that is already there is left alone.
    pub facts: Vec<Fact>,
    /// Subjects, each at its expected revision. The waits of each are replaced by those in `pending_owners`.
    pub subjects: Vec<SubjectWrite>,
    /// Who waits for whom, among `subjects`.
    pub pending_owners: Vec<PendingOwner>,
    /// Bodies that contradict an event which stands.
    pub conflicts: Vec<Conflict>,
    /// Idempotency keys that are taken from now on; the commit is stale when one of them is taken already.
    pub keys: Vec<KeyRecord>,
}

impl Commit {
    /// Whether it changes nothing. A lease alone changes nothing, and waits are their subjects'.
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
    /// An empty change set, of [`Timestamp::EPOCH`].
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

/// An event's row.
#[derive(Debug, Clone)]
pub struct EventWrite {
    /// What came. The body of an event that is there already is not written, so it may be empty.
    pub event: NewEvent,
    /// The status that the stored event must have now; none: the event must not be stored yet. Otherwise the commit is
    /// stale. So a reading that is overtaken by a better one can't undo it.
    pub expected: Option<EventStatus>,
    /// Its status from now on. A parked event becomes processed in the commit that releases the last unreleased
    /// subject of its facts: the store does that, by [`SubjectWrite::owner_settled`].
    pub status: EventStatus,
    /// Why.
    pub reason: Option<Reason>,
    /// How often processing was tried, this time included.
    pub attempts: u32,
    /// When it is due again, if ever.
    pub due_at: Option<Timestamp>,
}

/// A subject's row and all that is derived from it.
#[derive(Debug, Clone)]
pub struct SubjectWrite {
    /// Its key.
    pub subject: Subject,
    /// The revision it was loaded at; 0 when it wasn't there. It is written at the next one.
    pub expected_revision: i64,
    /// Its folded state.
    pub state: SubjectState,
    /// Its rows in the read model, replacing those that are there.
    pub rows: Rows,
    /// What is newly derived of its objects' transitions.
    pub transitions: Vec<TransitionWrite>,
    /// Whether an owner is known, or none is needed. Kept with the subject: parked events whose facts are all about
    /// released subjects become processed.
    pub owner_settled: bool,
}

/// The transitions of one object from an instant on: they replace the stored ones from that instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionWrite {
    /// The object's public id.
    pub object: String,
    /// From when on.
    pub since: Timestamp,
    /// Each once.
    pub changes: Vec<Transition>,
}

/// A subject that has no owner of its own, and another whose owner it takes. It is derived anew whenever that one is
/// written, also while it has an owner through a third.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PendingOwner {
    /// Who waits.
    pub subject: Subject,
    /// For whom.
    pub on: Subject,
}

/// A body that contradicts the event of the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What came.
    pub event: NewEvent,
}

/// A worker's right to process events until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The worker's token: unique per claim.
    pub token: String,
    /// When it ends.
    pub until: Timestamp,
}
