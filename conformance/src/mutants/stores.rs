//! Builds broken stores. Each wraps a correct store and breaks one promise.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use purchase_core::{
    error::{CommitError, StoreError},
    id::{EventKey, ObjectKind, Subject},
    lifecycle::Transition,
    store::{
        Browse, Claim, Claimed, Commit, ConflictQuery, EventQuery, EventStatus, Loaded, Maintain, NewEvent, Store,
        StoredConflict, StoredEvent, StoredFact, StoredSubject, SubjectQuery, SubjectWrite, TransitionQuery, Wanted,
    },
};

/// What a broken store does before and after it calls the correct one.
#[async_trait]
pub(super) trait Breakage: Send + Sync + Sized + 'static {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&commit).await
    }

    async fn claim(&self, inner: &dyn Store, claim: &Claim) -> Result<Claimed, StoreError> {
        inner.claim(claim).await
    }

    async fn accept(&self, inner: &dyn Store, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        inner.accept(events).await
    }

    fn loaded(&self, _wanted: &Wanted, loaded: Loaded) -> Loaded {
        loaded
    }

    fn asked(&self, query: EventQuery) -> EventQuery {
        query
    }

    fn facts(&self, facts: Vec<StoredFact>) -> Vec<StoredFact> {
        facts
    }

    fn subjects(&self, subjects: Vec<StoredSubject>) -> Vec<StoredSubject> {
        subjects
    }

    fn listed(&self, events: Vec<StoredEvent>) -> Vec<StoredEvent> {
        events
    }

    fn asked_conflicts(&self, query: ConflictQuery) -> ConflictQuery {
        query
    }

    fn asked_subjects(&self, query: SubjectQuery) -> SubjectQuery {
        query
    }

    fn asked_transitions(&self, query: TransitionQuery) -> TransitionQuery {
        query
    }
}

struct Broken<B> {
    inner: Arc<dyn Store>,
    breakage: B,
}

pub(super) fn broken<B: Breakage>(inner: Arc<dyn Store>, breakage: B) -> Arc<dyn Store> {
    Arc::new(Broken { inner, breakage })
}

#[async_trait]
impl<B: Breakage> Store for Broken<B> {
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        self.breakage.accept(self.inner.as_ref(), events).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        self.breakage.claim(self.inner.as_ref(), claim).await
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        Ok(self.breakage.loaded(wanted, self.inner.load(wanted).await?))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.breakage.commit(self.inner.as_ref(), commit.clone()).await
    }
}

#[async_trait]
impl<B: Breakage> Browse for Broken<B> {
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.breakage.listed(self.inner.events(&self.breakage.asked(query.clone())).await?))
    }

    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        self.inner.conflicts(&self.breakage.asked_conflicts(query.clone())).await
    }

    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError> {
        Ok(self.breakage.facts(self.inner.facts(events).await?))
    }

    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError> {
        self.inner.transitions(&self.breakage.asked_transitions(query.clone())).await
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        let query = self.breakage.asked_subjects(query.clone());
        Ok(self.breakage.subjects(self.inner.subjects(&query).await?))
    }
}

#[async_trait]
impl<B: Breakage> Maintain for Broken<B> {
    async fn ready(&self) -> Result<(), StoreError> {
        self.inner.ready().await
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stored revisions of these subjects.
async fn revisions(inner: &dyn Store, writes: &[SubjectWrite]) -> Result<BTreeMap<Subject, i64>, StoreError> {
    let subjects = writes.iter().map(|write| write.subject.clone()).collect();
    let loaded = inner.load(&Wanted::subjects(subjects)).await?;
    Ok(loaded.subjects.into_iter().map(|stored| (stored.subject, stored.revision)).collect())
}

struct ForgetsReasons;

pub(super) fn forgets_reasons(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ForgetsReasons)
}

#[async_trait]
impl Breakage for ForgetsReasons {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        let done = |status| matches!(status, EventStatus::Parked | EventStatus::Processed);
        commit.events.iter_mut().filter(|write| done(write.status)).for_each(|write| write.reason = None);
        inner.commit(&commit).await
    }
}

struct DropsWaits;

pub(super) fn drops_waits(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, DropsWaits)
}

#[async_trait]
impl Breakage for DropsWaits {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&Commit { pending_owners: Vec::new(), ..commit }).await
    }
}

/// The subjects that this store treats as deleted.
#[derive(Default)]
struct ForgetsTheEnded(Mutex<Vec<Subject>>);

pub(super) fn forgets_the_ended(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ForgetsTheEnded::default())
}

#[async_trait]
impl Breakage for ForgetsTheEnded {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        let now = revisions(inner, &commit.subjects).await?;
        for write in &mut commit.subjects {
            if write.expected_revision == 0 {
                write.expected_revision = now.get(&write.subject).copied().unwrap_or_default();
            }
        }
        inner.commit(&commit).await?;
        let mut ended = locked(&self.0);
        for write in commit.subjects {
            ended.retain(|subject| *subject != write.subject);
            let over = write.subject.root.kind == ObjectKind::Subscription
                && write.state.objects().any(|(_, settled)| settled.shown().is_terminal());
            ended.extend(over.then_some(write.subject));
        }
        Ok(())
    }

    fn loaded(&self, _: &Wanted, mut loaded: Loaded) -> Loaded {
        let ended = locked(&self.0);
        loaded.subjects.retain(|stored| !ended.contains(&stored.subject));
        loaded
    }

    fn facts(&self, mut facts: Vec<StoredFact>) -> Vec<StoredFact> {
        let ended = locked(&self.0);
        facts.retain(|stored| !ended.contains(&stored.fact.subject));
        facts
    }
}

struct ClaimsBeforeEffects;

pub(super) fn claims_before_effects(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ClaimsBeforeEffects)
}

#[async_trait]
impl Breakage for ClaimsBeforeEffects {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        let events = commit.events.clone();
        inner.commit(&Commit { events, lease: commit.lease.clone(), ..Commit::default() }).await?;
        inner.commit(&Commit { events: Vec::new(), lease: None, ..commit }).await
    }
}

struct HalfACommit;

pub(super) fn half_a_commit(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, HalfACommit)
}

#[async_trait]
impl Breakage for HalfACommit {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        let Commit { subjects, pending_owners, .. } = commit.clone();
        inner.commit(&Commit { subjects: Vec::new(), pending_owners: Vec::new(), ..commit }).await?;
        inner.commit(&Commit { subjects, pending_owners, ..Commit::default() }).await
    }
}

struct ForgetsTheIgnored;

pub(super) fn forgets_the_ignored(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ForgetsTheIgnored)
}

#[async_trait]
impl Breakage for ForgetsTheIgnored {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        commit.events.retain(|write| {
            write.expected.is_some() || !matches!(write.status, EventStatus::Ignored | EventStatus::Parked)
        });
        inner.commit(&commit).await
    }
}

struct BlindWrites;

pub(super) fn blind_writes(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, BlindWrites)
}

#[async_trait]
impl Breakage for BlindWrites {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        let now = revisions(inner, &commit.subjects).await?;
        for write in &mut commit.subjects {
            write.expected_revision = now.get(&write.subject).copied().unwrap_or_default();
        }
        inner.commit(&commit).await
    }
}

struct LosesFacts;

pub(super) fn loses_facts(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, LosesFacts)
}

#[async_trait]
impl Breakage for LosesFacts {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&Commit { facts: Vec::new(), ..commit }).await
    }
}

struct AcceptsTwice;

pub(super) fn accepts_twice(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, AcceptsTwice)
}

#[async_trait]
impl Breakage for AcceptsTwice {
    async fn accept(&self, inner: &dyn Store, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        Ok(inner.accept(events).await?.into_iter().map(|_| true).collect())
    }
}

struct ForgetsLeases;

pub(super) fn forgets_leases(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ForgetsLeases)
}

#[async_trait]
impl Breakage for ForgetsLeases {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&Commit { lease: None, ..commit }).await
    }
}

/// The events that the store gave out last.
#[derive(Default)]
struct ClaimsTwice(Mutex<Vec<StoredEvent>>);

pub(super) fn claims_twice(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ClaimsTwice::default())
}

#[async_trait]
impl Breakage for ClaimsTwice {
    async fn claim(&self, inner: &dyn Store, claim: &Claim) -> Result<Claimed, StoreError> {
        let mut claimed = inner.claim(claim).await?;
        let mut last = locked(&self.0);
        let again = last.pop();
        last.clone_from(&claimed.events);
        claimed.events.extend(again);
        Ok(claimed)
    }
}

struct ForgetsOrderingKeys;

pub(super) fn forgets_ordering_keys(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ForgetsOrderingKeys)
}

#[async_trait]
impl Breakage for ForgetsOrderingKeys {
    async fn accept(&self, inner: &dyn Store, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        let nobodys: Vec<_> = events.iter().map(|event| NewEvent { ordering_key: None, ..event.clone() }).collect();
        inner.accept(&nobodys).await
    }
}

struct ForgetsAttempts;

pub(super) fn forgets_attempts(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ForgetsAttempts)
}

#[async_trait]
impl Breakage for ForgetsAttempts {
    async fn claim(&self, inner: &dyn Store, claim: &Claim) -> Result<Claimed, StoreError> {
        let claimed = inner.claim(claim).await?;
        let Claimed { events } = claimed;
        Ok(Claimed { events: events.into_iter().map(|stored| StoredEvent { attempts: 1, ..stored }).collect() })
    }
}

struct KeepsTextsOnly;

pub(super) fn keeps_texts_only(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, KeepsTextsOnly)
}

impl KeepsTextsOnly {
    fn kept(event: &NewEvent) -> NewEvent {
        NewEvent { body: String::from_utf8_lossy(&event.body).into_owned().into_bytes(), ..event.clone() }
    }
}

#[async_trait]
impl Breakage for KeepsTextsOnly {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        for write in &mut commit.events {
            write.event = Self::kept(&write.event);
        }
        inner.commit(&commit).await
    }

    async fn accept(&self, inner: &dyn Store, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        inner.accept(&events.iter().map(Self::kept).collect::<Vec<_>>()).await
    }
}

/// The first answer about each subject.
#[derive(Default)]
struct ReadsThePast(Mutex<BTreeMap<Subject, Option<StoredSubject>>>);

pub(super) fn reads_the_past(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ReadsThePast::default())
}

#[async_trait]
impl Breakage for ReadsThePast {
    fn loaded(&self, wanted: &Wanted, mut loaded: Loaded) -> Loaded {
        let mut known = locked(&self.0);
        let found: BTreeMap<Subject, StoredSubject> =
            loaded.subjects.drain(..).map(|stored| (stored.subject.clone(), stored)).collect();
        for subject in &wanted.subjects {
            let answer = known.entry(subject.clone()).or_insert_with(|| found.get(subject).cloned());
            loaded.subjects.extend(answer.clone());
        }
        loaded
    }
}

struct WritesOnlyNews;

pub(super) fn writes_only_news(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, WritesOnlyNews)
}

#[async_trait]
impl Breakage for WritesOnlyNews {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        let subjects = commit.subjects.iter().map(|write| write.subject.clone()).collect();
        let known = inner.load(&Wanted::subjects(subjects)).await?.subjects;
        commit
            .subjects
            .retain(|write| !known.iter().any(|stored| stored.subject == write.subject && stored.state == write.state));
        inner.commit(&commit).await
    }
}

struct DropsRows;

pub(super) fn drops_rows(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, DropsRows)
}

#[async_trait]
impl Breakage for DropsRows {
    fn subjects(&self, mut subjects: Vec<StoredSubject>) -> Vec<StoredSubject> {
        subjects.truncate(2);
        subjects
    }
}

struct FindsAnything;

pub(super) fn finds_anything(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, FindsAnything)
}

#[async_trait]
impl Breakage for FindsAnything {
    fn asked(&self, query: EventQuery) -> EventQuery {
        EventQuery { public_id: None, ..query }
    }
}

struct CountsWhatComesBack;

pub(super) fn counts_what_comes_back(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, CountsWhatComesBack)
}

#[async_trait]
impl Breakage for CountsWhatComesBack {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        if commit.lease.is_some() {
            for write in commit.events.iter_mut().filter(|write| write.status == EventStatus::Received) {
                write.attempts += 1;
            }
        }
        inner.commit(&commit).await
    }
}
