//! A [`Store`] over another one that it only reads. It shows what the store would contain after some commits, without
//! making them. It holds only the differences. It is used only to try out folding, so it keeps facts, subjects and
//! pending owners, but no event rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{
    error::{CommitError, StoreError},
    id::{EventKey, Subject},
    lifecycle::Transition,
    store::{
        Browse, Claim, Claimed, Commit, ConflictQuery, EventQuery, Loaded, Maintain, NewEvent, PendingOwner, Store,
        StoredConflict, StoredEvent, StoredFact, StoredSubject, SubjectQuery, TransitionQuery, Wanted,
    },
};

/// A store for trial commits.
pub(in crate::engine) struct Overlay {
    base: Arc<dyn Store>,
    written: Mutex<Written>,
}

/// What differs from the base.
#[derive(Default)]
struct Written {
    /// Events whose facts are in `facts` instead of the base.
    reread: BTreeSet<EventKey>,
    facts: BTreeMap<Subject, Vec<StoredFact>>,
    /// Subjects whose state differs from the base's.
    subjects: BTreeMap<Subject, StoredSubject>,
    /// The pending owners of those subjects.
    pending_owners: BTreeSet<PendingOwner>,
}

impl Overlay {
    /// An overlay without differences.
    pub(in crate::engine) fn over(base: Arc<dyn Store>) -> Self {
        Self { base, written: Mutex::default() }
    }

    /// The subjects whose state differs from the base's.
    pub(in crate::engine) fn changed(&self) -> Vec<StoredSubject> {
        self.written().subjects.values().cloned().collect()
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        // No code panics here between two writes.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_only() -> StoreError {
    StoreError::ReadOnly { cause: "a dry run writes nothing".into() }
}

#[async_trait]
impl Store for Overlay {
    async fn accept(&self, _: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        Err(read_only())
    }

    async fn claim(&self, _: &Claim) -> Result<Claimed, StoreError> {
        Err(read_only())
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let subjects = commit.subjects.iter().map(|write| write.subject.clone()).collect();
        let base = self.base.load(&Wanted::subjects(subjects)).await?.subjects;
        let base: BTreeMap<Subject, StoredSubject> =
            base.into_iter().map(|stored| (stored.subject.clone(), stored)).collect();
        let mut written = self.written();
        for facts in written.facts.values_mut() {
            facts.retain(|stored| !commit.reread.contains(&stored.fact.event_key()));
        }
        written.reread.extend(commit.reread.iter().cloned());
        for fact in &commit.facts {
            let stored = StoredFact { fact: fact.clone(), committed_at: commit.at };
            written.facts.entry(fact.subject.clone()).or_default().push(stored);
        }
        for write in &commit.subjects {
            written.pending_owners.retain(|wait| wait.subject != write.subject);
            if base.get(&write.subject).is_some_and(|stored| stored.state == write.state) {
                written.subjects.remove(&write.subject);
                continue;
            }
            let (subject, state) = (write.subject.clone(), write.state.clone());
            let stored = StoredSubject { subject, revision: write.expected_revision, state };
            written
                .pending_owners
                .extend(commit.pending_owners.iter().filter(|wait| wait.subject == write.subject).cloned());
            written.subjects.insert(write.subject.clone(), stored);
        }
        Ok(())
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        let mut loaded = self.base.load(wanted).await?;
        let written = self.written();
        loaded.subjects.retain(|stored| !written.subjects.contains_key(&stored.subject));
        loaded.subjects.extend(wanted.subjects.iter().filter_map(|subject| written.subjects.get(subject)).cloned());
        loaded.pending_owners.retain(|wait| !written.subjects.contains_key(&wait.subject));
        loaded
            .pending_owners
            .extend(written.pending_owners.iter().filter(|wait| wanted.subjects.contains(&wait.on)).cloned());
        loaded.facts.retain(|fact| !written.reread.contains(&fact.event_key()));
        let came = wanted.facts.iter().filter_map(|subject| written.facts.get(subject)).flatten();
        loaded.facts.extend(came.map(|stored| stored.fact.clone()));
        Ok(loaded)
    }
}

#[async_trait]
impl Browse for Overlay {
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.base.events(query).await
    }

    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        self.base.conflicts(query).await
    }

    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError> {
        let mut facts = self.base.facts(events).await?;
        let written = self.written();
        facts.retain(|stored| !written.reread.contains(&stored.fact.event_key()));
        let came = written.facts.values().flatten();
        facts.extend(came.filter(|stored| events.contains(&stored.fact.event_key())).cloned());
        Ok(facts)
    }

    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError> {
        self.base.transitions(query).await
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        let limit = query.limit as usize;
        if query.public_id.is_some() {
            let written = self.written().subjects.values().find(|stored| query.takes(stored)).cloned();
            return match written {
                Some(stored) => Ok(vec![stored]),
                None => self.base.subjects(query).await,
            };
        }
        let mut found: BTreeMap<Subject, StoredSubject> = BTreeMap::new();
        let mut after = query.after.clone();
        // A page of the base can lose subjects that no longer pass the filters.
        while found.len() < limit {
            let page = self.base.subjects(&SubjectQuery { after: after.clone(), ..query.clone() }).await?;
            let is_last = page.len() < limit;
            after = page.last().map(|stored| stored.subject.clone()).or(after);
            let written = self.written();
            found.extend(
                page.into_iter()
                    .filter(|stored| !written.subjects.contains_key(&stored.subject))
                    .map(|stored| (stored.subject.clone(), stored)),
            );
            if is_last {
                after = None;
                break;
            }
        }
        let written = self.written();
        // An unread page of the base may contain subjects that sort before a changed subject beyond the last page read.
        let within = |subject: &Subject| after.as_ref().is_none_or(|after| subject <= after);
        found.extend(
            written
                .subjects
                .values()
                .filter(|stored| query.takes(stored) && within(&stored.subject))
                .map(|stored| (stored.subject.clone(), stored.clone())),
        );
        Ok(found.into_values().take(limit).collect())
    }
}

#[async_trait]
impl Maintain for Overlay {
    async fn ready(&self) -> Result<(), StoreError> {
        self.base.ready().await
    }
}
