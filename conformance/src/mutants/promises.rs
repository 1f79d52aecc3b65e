//! Builds stores that break a promise which no other law checks. Each wraps a correct store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use purchase_core::{
    error::CommitError,
    id::{EventKey, Mode, ProviderId, Source, Subject},
    store::{
        Commit, ConflictQuery, EventQuery, EventStatus, EventWrite, Loaded, NewEvent, PendingOwner, Store, StoredEvent,
        StoredFact, SubjectQuery, TransitionQuery, Wanted,
    },
    time::Timestamp,
};

use super::stores::{Breakage, broken, locked};

struct ReleasesTheFirst;

pub(super) fn releases_the_first(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ReleasesTheFirst)
}

#[async_trait]
impl Breakage for ReleasesTheFirst {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&commit).await?;
        let of_released = commit.subjects.iter().filter(|write| write.owner_settled).map(|write| &write.subject);
        let released: BTreeSet<&Subject> = of_released.collect();
        let parked = EventQuery { statuses: vec![EventStatus::Parked], limit: 1000, ..EventQuery::default() };
        let parked = inner.events(&parked).await?;
        let keys: Vec<EventKey> = parked.iter().map(|stored| stored.event.key.clone()).collect();
        let facts = inner.facts(&keys).await?;
        let held = |stored: &StoredEvent| {
            facts.iter().any(|it| it.fact.event_key() == stored.event.key && released.contains(&it.fact.subject))
        };
        let done = |stored: StoredEvent| EventWrite {
            event: stored.event,
            expected: Some(EventStatus::Parked),
            status: EventStatus::Processed,
            reason: stored.reason,
            attempts: stored.attempts,
            due_at: None,
        };
        let events: Vec<EventWrite> = parked.into_iter().filter(held).map(done).collect();
        if events.is_empty() {
            return Ok(());
        }
        inner.commit(&Commit { events, ..Commit::default() }).await
    }
}

/// Every pending owner that a subject ever had.
#[derive(Default)]
struct KeepsOldWaits(Mutex<BTreeSet<PendingOwner>>);

pub(super) fn keeps_old_waits(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, KeepsOldWaits::default())
}

#[async_trait]
impl Breakage for KeepsOldWaits {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&commit).await?;
        locked(&self.0).extend(commit.pending_owners);
        Ok(())
    }

    fn loaded(&self, wanted: &Wanted, mut loaded: Loaded) -> Loaded {
        loaded.pending_owners =
            locked(&self.0).iter().filter(|wait| wanted.subjects.contains(&wait.on)).cloned().collect();
        loaded
    }
}

struct KeepsLaterTransitions;

pub(super) fn keeps_later_transitions(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, KeepsLaterTransitions)
}

#[async_trait]
impl Breakage for KeepsLaterTransitions {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        for history in commit.subjects.iter_mut().flat_map(|write| &mut write.transitions) {
            history.since = Timestamp::MAX;
        }
        inner.commit(&commit).await
    }
}

struct OrdersByTheFirstKey;

pub(super) fn orders_by_the_first_key(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, OrdersByTheFirstKey)
}

#[async_trait]
impl Breakage for OrdersByTheFirstKey {
    fn loaded(&self, _: &Wanted, mut loaded: Loaded) -> Loaded {
        loaded.facts.sort_by(|one, other| (one.version.at, &one.event).cmp(&(other.version.at, &other.event)));
        loaded
    }
}

struct KeepsWhatWasRead;

pub(super) fn keeps_what_was_read(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, KeepsWhatWasRead)
}

#[async_trait]
impl Breakage for KeepsWhatWasRead {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        commit.reread.clear();
        inner.commit(&commit).await
    }
}

struct ListsBackwards;

pub(super) fn lists_backwards(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ListsBackwards)
}

#[async_trait]
impl Breakage for ListsBackwards {
    fn listed(&self, mut events: Vec<StoredEvent>) -> Vec<StoredEvent> {
        events.reverse();
        events
    }
}

/// A store that changes the caller's query before it runs it.
struct Asks {
    conflicts: fn(ConflictQuery) -> ConflictQuery,
    events: fn(EventQuery) -> EventQuery,
    subjects: fn(SubjectQuery) -> SubjectQuery,
    transitions: fn(TransitionQuery) -> TransitionQuery,
}

impl Asks {
    const RIGHTLY: Self =
        Self { conflicts: |query| query, events: |query| query, subjects: |query| query, transitions: |query| query };
}

#[async_trait]
impl Breakage for Asks {
    fn asked(&self, query: EventQuery) -> EventQuery {
        (self.events)(query)
    }

    fn asked_conflicts(&self, query: ConflictQuery) -> ConflictQuery {
        (self.conflicts)(query)
    }

    fn asked_subjects(&self, query: SubjectQuery) -> SubjectQuery {
        (self.subjects)(query)
    }

    fn asked_transitions(&self, query: TransitionQuery) -> TransitionQuery {
        (self.transitions)(query)
    }
}

pub(super) fn repeats_the_last(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    let events = |query: EventQuery| EventQuery { after: query.after.map(|after| after - 1), ..query };
    broken(inner, Asks { events, ..Asks::RIGHTLY })
}

pub(super) fn lists_without_end(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    let events = |query: EventQuery| EventQuery { until: None, ..query };
    broken(inner, Asks { events, ..Asks::RIGHTLY })
}

/// The bodies in conflict that arrived.
#[derive(Default)]
struct ListsConflictsUnasked(Mutex<Vec<NewEvent>>);

pub(super) fn lists_conflicts_unasked(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ListsConflictsUnasked::default())
}

#[async_trait]
impl Breakage for ListsConflictsUnasked {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&commit).await?;
        locked(&self.0).extend(commit.conflicts.into_iter().map(|conflict| conflict.event));
        Ok(())
    }

    fn listed(&self, mut events: Vec<StoredEvent>) -> Vec<StoredEvent> {
        for event in locked(&self.0).iter() {
            let beside = events.iter().find(|stored| stored.event.key == event.key).cloned();
            events.extend(beside.map(|stored| StoredEvent { event: event.clone(), ..stored }));
        }
        events
    }
}

pub(super) fn lists_anybodys(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    let subjects = |query: SubjectQuery| SubjectQuery { owner: None, ..query };
    broken(inner, Asks { subjects, ..Asks::RIGHTLY })
}

fn everywhere((source, id): (Source, ProviderId)) -> [(Source, ProviderId); 2] {
    [Mode::Live, Mode::Test].map(|mode| (Source { mode, ..source.clone() }, id.clone()))
}

pub(super) fn mixes_customers_of_sources(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    let subjects = |query: SubjectQuery| SubjectQuery {
        customers: query.customers.map(|all| all.into_iter().flat_map(everywhere).collect()),
        ..query
    };
    broken(inner, Asks { subjects, ..Asks::RIGHTLY })
}

pub(super) fn mixes_conflicts(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    let conflicts = |query: ConflictQuery| ConflictQuery { key: None, ..query };
    broken(inner, Asks { conflicts, ..Asks::RIGHTLY })
}

pub(super) fn mixes_histories(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    let transitions = |query: TransitionQuery| TransitionQuery { object: None, ..query };
    broken(inner, Asks { transitions, ..Asks::RIGHTLY })
}

struct ForgetsConflicts;

pub(super) fn forgets_conflicts(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ForgetsConflicts)
}

#[async_trait]
impl Breakage for ForgetsConflicts {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        commit.conflicts.clear();
        inner.commit(&commit).await
    }
}

/// The time of each event's last commit.
#[derive(Default)]
struct KnowsItSinceToday(Mutex<BTreeMap<EventKey, Timestamp>>);

pub(super) fn knows_it_since_today(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, KnowsItSinceToday::default())
}

#[async_trait]
impl Breakage for KnowsItSinceToday {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&commit).await?;
        locked(&self.0).extend(commit.facts.iter().map(|fact| (fact.event_key(), commit.at)));
        Ok(())
    }

    fn facts(&self, mut facts: Vec<StoredFact>) -> Vec<StoredFact> {
        let last = locked(&self.0);
        for stored in &mut facts {
            let at = last.get(&stored.fact.event_key()).copied();
            stored.committed_at = at.unwrap_or(stored.committed_at);
        }
        facts
    }
}

struct MovesAnything;

pub(super) fn moves_anything(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, MovesAnything)
}

#[async_trait]
impl Breakage for MovesAnything {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        let keys = commit.events.iter().map(|write| write.event.key.clone()).collect();
        let known = inner.load(&Wanted::events(keys)).await?.events;
        for write in commit.events.iter_mut().filter(|write| write.expected.is_some()) {
            let stored = known.iter().find(|stored| stored.event.key == write.event.key);
            write.expected = stored.map(|stored| stored.status);
        }
        inner.commit(&commit).await
    }
}
