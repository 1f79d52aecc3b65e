//! A [`Store`] in memory, for tests, examples and the conformance kit. It keeps the trait's guarantees within one
//! process, and loses all data when it is dropped.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{
    error::{CommitError, StoreError},
    fact::Fact,
    id::{EventKey, ObjectRef, Source, Subject},
    lifecycle::Transition,
    snapshot::rows::Rows,
    store::{
        Browse, Claim, Claimed, Commit, ConflictQuery, EventQuery, EventStatus, EventWrite, IdempotencyKey, KeyRecord,
        Lease, Loaded, Maintain, NewEvent, PendingOwner, Queue, Store, StoredConflict, StoredEvent, StoredFact,
        StoredSubject, SubjectQuery, SubjectWrite, TransitionQuery, Wanted,
    },
    time::Timestamp,
};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    events: BTreeMap<EventKey, EventRow>,
    sequence: i64,
    conflicts: BTreeMap<(EventKey, [u8; 32]), StoredConflict>,
    facts: BTreeMap<Subject, Vec<FactRow>>,
    subjects: BTreeMap<Subject, SubjectRow>,
    pending_owners: BTreeSet<PendingOwner>,
    transitions: BTreeSet<Transition>,
    keys: BTreeMap<IdempotencyKey, KeyRecord>,
}

/// A fact, identified within its subject by its event and its position among the event's facts.
#[derive(Debug)]
struct FactRow {
    name: (EventKey, usize),
    stored: StoredFact,
}

#[derive(Debug)]
struct EventRow {
    stored: StoredEvent,
    lease: Option<Lease>,
}

#[derive(Debug)]
struct SubjectRow {
    stored: StoredSubject,
    rows: Rows,
    owner_settled: bool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A commit checks everything before it changes anything, so a poisoned table is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The read model's rows, by subject.
    pub fn rows(&self) -> Vec<(Subject, Rows)> {
        self.tables().subjects.iter().map(|(subject, row)| (subject.clone(), row.rows.clone())).collect()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        let mut tables = self.tables();
        Ok(events
            .iter()
            .map(|event| {
                let new = !tables.events.contains_key(&event.key);
                if new {
                    tables.insert_event(event.clone(), EventStatus::Received, Some(event.received_at));
                }
                new
            })
            .collect())
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let Queue::Events = claim.queue;
        let mut tables = self.tables();
        let mut due: Vec<&EventRow> =
            tables.events.values().filter(|row| row.stored.due_at.is_some_and(|due_at| due_at <= claim.now)).collect();
        due.sort_by_key(|row| row.stored.sequence);
        let mut in_hand: BTreeSet<(&Source, &ObjectRef)> = BTreeSet::new();
        let mut free = Vec::new();
        for row in due {
            let key = &row.stored.event.key;
            let ordering_key = row.stored.event.ordering_key.as_ref().map(|ordering_key| (&key.source, ordering_key));
            if row.lease.as_ref().is_some_and(|lease| lease.until > claim.now) {
                in_hand.extend(ordering_key);
            } else if !ordering_key.is_some_and(|ordering_key| in_hand.contains(&ordering_key)) {
                free.push(key.clone());
            }
        }
        free.truncate(claim.limit as usize);
        let mut events = Vec::new();
        for key in free {
            if let Some(row) = tables.events.get_mut(&key) {
                row.lease = Some(claim.lease.clone());
                row.stored.attempts = row.stored.attempts.saturating_add(1);
                events.push(row.stored.clone());
            }
        }
        Ok(Claimed { events })
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let mut tables = self.tables();
        tables.check(commit)?;
        tables.apply(commit);
        Ok(())
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        let Wanted { events, bodies, subjects, facts, keys } = wanted;
        let tables = self.tables();
        let mut loaded = Loaded::default();
        for key in events.iter().filter(|key| !bodies.contains(key)) {
            if let Some(row) = tables.events.get(key) {
                let mut stored = row.stored.clone();
                stored.event.body = Vec::new();
                loaded.events.push(stored);
            }
        }
        loaded.events.extend(bodies.iter().filter_map(|key| tables.events.get(key)).map(|row| row.stored.clone()));
        for subject in subjects {
            loaded.subjects.extend(tables.subjects.get(subject).map(|row| row.stored.clone()));
        }
        loaded.pending_owners =
            tables.pending_owners.iter().filter(|wait| subjects.contains(&wait.on)).cloned().collect();
        for subject in facts {
            let rows = tables.facts.get(subject).into_iter().flatten();
            let mut known: Vec<Fact> = rows.map(|row| row.stored.fact.clone()).collect();
            known.sort_by(|one, other| (one.version, &one.event).cmp(&(other.version, &other.event)));
            loaded.facts.extend(known);
        }
        loaded.keys = keys.iter().filter_map(|key| tables.keys.get(key)).cloned().collect();
        Ok(loaded)
    }
}

#[async_trait]
impl Browse for MemoryStore {
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        let tables = self.tables();
        let wants = |status| query.statuses.is_empty() || query.statuses.contains(&status);
        let named = query.public_id.as_ref();
        let mut found: Vec<StoredEvent> = tables
            .events
            .values()
            .map(|row| &row.stored)
            .filter(|stored| wants(stored.status))
            .filter(|stored| query.key.as_ref().is_none_or(|key| *key == stored.event.key))
            .filter(|stored| named.is_none_or(|named| *named == stored.event.key.public_id()))
            .filter(|stored| query.since.is_none_or(|since| stored.event.received_at >= since))
            .filter(|stored| query.until.is_none_or(|until| stored.event.received_at < until))
            .filter(|stored| query.after.is_none_or(|after| stored.sequence > after))
            .cloned()
            .collect();
        found.sort_by_key(|stored| stored.sequence);
        found.truncate(query.limit as usize);
        Ok(found)
    }

    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        let tables = self.tables();
        let mut found: Vec<StoredConflict> = tables
            .conflicts
            .values()
            .filter(|stored| query.key.as_ref().is_none_or(|key| *key == stored.event.key))
            .filter(|stored| query.since.is_none_or(|since| stored.event.received_at >= since))
            .filter(|stored| query.until.is_none_or(|until| stored.event.received_at < until))
            .filter(|stored| query.after.is_none_or(|after| stored.sequence > after))
            .cloned()
            .collect();
        found.sort_by_key(|stored| stored.sequence);
        found.truncate(query.limit as usize);
        Ok(found)
    }

    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError> {
        let tables = self.tables();
        let all = tables.facts.values().flatten();
        Ok(all.filter(|row| events.contains(&row.name.0)).map(|row| row.stored.clone()).collect())
    }

    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError> {
        let tables = self.tables();
        let all = tables.transitions.iter();
        let of_object = all.filter(|it| query.object.as_ref().is_none_or(|object| *object == it.object));
        let page = of_object.filter(|it| query.after.as_ref().is_none_or(|after| *it > after));
        Ok(page.take(query.limit as usize).cloned().collect())
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .subjects
            .values()
            .map(|row| &row.stored)
            .filter(|stored| query.takes(stored))
            .take(query.limit as usize)
            .cloned()
            .collect())
    }
}

#[async_trait]
impl Maintain for MemoryStore {
    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Tables {
    fn insert_event(&mut self, event: NewEvent, status: EventStatus, due_at: Option<Timestamp>) {
        self.sequence += 1;
        let stored = StoredEvent { event, sequence: self.sequence, status, reason: None, attempts: 0, due_at };
        self.events.insert(stored.event.key.clone(), EventRow { stored, lease: None });
    }

    fn check(&self, commit: &Commit) -> Result<(), CommitError> {
        if commit.keys.iter().any(|record| self.keys.contains_key(&record.key)) {
            return Err(CommitError::Stale);
        }
        for write in &commit.events {
            match (self.events.get(&write.event.key), write.expected) {
                (Some(_), None) | (None, Some(_)) => return Err(CommitError::Stale),
                (None, None) => {}
                (Some(row), Some(expected)) => {
                    if expected != row.stored.status {
                        return Err(CommitError::Stale);
                    }
                    let token = |lease: &Option<Lease>| lease.as_ref().map(|lease| lease.token.clone());
                    if commit.lease.is_some() && token(&row.lease) != token(&commit.lease) {
                        return Err(CommitError::LeaseLost);
                    }
                }
            }
        }
        for write in &commit.subjects {
            let revision = self.subjects.get(&write.subject).map_or(0, |row| row.stored.revision);
            if revision != write.expected_revision {
                return Err(CommitError::Stale);
            }
        }
        Ok(())
    }

    fn apply(&mut self, commit: &Commit) {
        let Commit { at, lease: _, events, reread, facts, subjects, pending_owners, conflicts, keys } = commit;
        for write in events {
            self.write_event(write);
        }
        for conflict in conflicts {
            let key = (conflict.event.key.clone(), conflict.event.digest);
            self.sequence += 1;
            let stored = StoredConflict { event: conflict.event.clone(), sequence: self.sequence };
            self.conflicts.entry(key).or_insert(stored);
        }
        self.write_facts(*at, reread, facts);
        for write in subjects {
            self.write_subject(write);
        }
        self.keys.extend(keys.iter().map(|record| (record.key.clone(), record.clone())));
        self.pending_owners.extend(pending_owners.iter().cloned());
        if subjects.iter().any(|write| write.owner_settled) {
            self.release_events();
        }
    }

    fn write_facts(&mut self, at: Timestamp, reread: &[EventKey], facts: &[Fact]) {
        let mut replaced = Vec::new();
        if !reread.is_empty() {
            for (subject, rows) in &mut self.facts {
                let gone = rows.extract_if(.., |row| reread.contains(&row.name.0));
                replaced.extend(gone.map(|row| (subject.clone(), row)));
            }
        }
        let mut counts: BTreeMap<(&Subject, EventKey), usize> = BTreeMap::new();
        for fact in facts {
            let count = counts.entry((&fact.subject, fact.event_key())).or_default();
            let name = (fact.event_key(), *count);
            *count += 1;
            let rows = self.facts.entry(fact.subject.clone()).or_default();
            if rows.iter().any(|row| row.name == name) {
                continue;
            }
            let before = replaced.iter().find(|(subject, row)| *subject == fact.subject && row.name == name);
            let committed_at = before.map_or(at, |(_, row)| row.stored.committed_at);
            rows.push(FactRow { name, stored: StoredFact { fact: fact.clone(), committed_at } });
        }
    }

    fn write_event(&mut self, write: &EventWrite) {
        if write.expected.is_none() {
            self.insert_event(write.event.clone(), write.status, write.due_at);
        }
        if let Some(row) = self.events.get_mut(&write.event.key) {
            row.stored.status = write.status;
            row.stored.reason.clone_from(&write.reason);
            row.stored.attempts = write.attempts;
            row.stored.due_at = write.due_at;
            row.lease = None;
        }
    }

    fn write_subject(&mut self, write: &SubjectWrite) {
        let stored = StoredSubject {
            subject: write.subject.clone(),
            revision: write.expected_revision + 1,
            state: write.state.clone(),
        };
        let row = SubjectRow { stored, rows: write.rows.clone(), owner_settled: write.owner_settled };
        self.subjects.insert(write.subject.clone(), row);
        self.pending_owners.retain(|wait| wait.subject != write.subject);
        for object in &write.transitions {
            self.transitions.retain(|known| known.object != object.object || known.at < object.since);
            self.transitions.extend(object.changes.iter().cloned());
        }
    }

    fn release_events(&mut self) {
        if !self.events.values().any(|row| row.stored.status == EventStatus::Parked) {
            return;
        }
        let held: BTreeSet<EventKey> = self
            .facts
            .iter()
            .filter(|(subject, _)| self.subjects.get(subject).is_some_and(|row| !row.owner_settled))
            .flat_map(|(_, rows)| rows.iter().map(|row| row.name.0.clone()))
            .collect();
        for row in self.events.values_mut() {
            if row.stored.status == EventStatus::Parked && !held.contains(&row.stored.event.key) {
                row.stored.status = EventStatus::Processed;
            }
        }
    }
}
