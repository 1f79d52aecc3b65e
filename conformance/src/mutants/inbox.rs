//! Builds stores that keep a wrong inbox, or that treat one delivery as the whole truth.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use purchase_core::{
    error::CommitError,
    fact::Fact,
    fold::SubjectState,
    id::{EventKey, ProviderId},
    store::{Commit, EventStatus, Loaded, Store, StoredEvent, Wanted},
};

use crate::mutants::stores::{Breakage, broken, locked};

struct AppliesThePayload;

pub(super) fn applies_the_payload(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, AppliesThePayload)
}

#[async_trait]
impl Breakage for AppliesThePayload {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        for write in &mut commit.subjects {
            let brought: Vec<Fact> =
                commit.facts.iter().filter(|fact| fact.subject == write.subject).cloned().collect();
            if !brought.is_empty() {
                write.state = SubjectState::fold(&write.subject, &brought).0;
            }
        }
        inner.commit(&commit).await
    }
}

struct ForgetsWhoCame;

pub(super) fn forgets_who_came(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, ForgetsWhoCame)
}

#[async_trait]
impl Breakage for ForgetsWhoCame {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        let events = commit.events.iter().map(|write| write.event.key.clone()).collect();
        let loaded = inner.load(&Wanted::events(events)).await?;
        let known: BTreeMap<&EventKey, EventStatus> =
            loaded.events.iter().map(|stored| (&stored.event.key, stored.status)).collect();
        for write in &mut commit.events {
            write.expected = known.get(&write.event.key).copied();
        }
        inner.commit(&commit).await
    }

    fn loaded(&self, _: &Wanted, mut loaded: Loaded) -> Loaded {
        loaded.events.clear();
        loaded
    }
}

struct TakesParkedForDone;

pub(super) fn takes_parked_for_done(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, TakesParkedForDone)
}

#[async_trait]
impl Breakage for TakesParkedForDone {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        for write in commit.events.iter_mut().filter(|write| write.status == EventStatus::Parked) {
            write.status = EventStatus::Processed;
        }
        inner.commit(&commit).await
    }
}

/// The stored events, by their id alone.
#[derive(Default)]
struct OneInboxForAll(Mutex<BTreeMap<ProviderId, StoredEvent>>);

pub(super) fn one_inbox_for_all(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, OneInboxForAll::default())
}

#[async_trait]
impl Breakage for OneInboxForAll {
    async fn commit(&self, inner: &dyn Store, commit: Commit) -> Result<(), CommitError> {
        inner.commit(&commit).await?;
        let mut known = locked(&self.0);
        for write in commit.events {
            let stored = StoredEvent {
                sequence: 0,
                status: write.status,
                reason: write.reason,
                attempts: write.attempts,
                due_at: write.due_at,
                event: write.event,
            };
            known.insert(stored.event.key.id.clone(), stored);
        }
        Ok(())
    }

    fn loaded(&self, wanted: &Wanted, mut loaded: Loaded) -> Loaded {
        let known = locked(&self.0);
        for key in &wanted.events {
            let is_there = loaded.events.iter().any(|stored| stored.event.key == *key);
            if let Some(stored) = known.get(&key.id).filter(|_| !is_there) {
                let mut stored = stored.clone();
                stored.event.key = key.clone();
                loaded.events.push(stored);
            }
        }
        loaded
    }
}
