//! Builds stores that break idempotency keys. Each wraps a correct store and keeps the keys itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use purchase_core::{
    error::CommitError,
    store::{Commit, KeyRecord, Loaded, Store, Wanted},
};

use super::stores::{Breakage, broken, locked};

struct Forgets;

pub(super) fn forgets(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, Forgets)
}

#[async_trait]
impl Breakage for Forgets {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        commit.keys.clear();
        inner.commit(&commit).await
    }
}

/// The keys, by the name under which this store keeps them.
struct Keeps {
    name: fn(&KeyRecord) -> String,
    unique: bool,
    kept: Mutex<BTreeMap<String, KeyRecord>>,
}

pub(super) fn keeps_the_last(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    let name = |record: &KeyRecord| format!("{}\n{}", record.key.scope(), record.key.expose());
    broken(inner, Keeps { name, unique: false, kept: Mutex::default() })
}

pub(super) fn mixes_scopes(inner: Arc<dyn Store>) -> Arc<dyn Store> {
    broken(inner, Keeps { name: |record| record.key.expose().to_owned(), unique: true, kept: Mutex::default() })
}

#[async_trait]
impl Breakage for Keeps {
    async fn commit(&self, inner: &dyn Store, mut commit: Commit) -> Result<(), CommitError> {
        let keys = std::mem::take(&mut commit.keys);
        if self.unique && keys.iter().any(|record| locked(&self.kept).contains_key(&(self.name)(record))) {
            return Err(CommitError::Stale);
        }
        inner.commit(&commit).await?;
        locked(&self.kept).extend(keys.into_iter().map(|record| ((self.name)(&record), record)));
        Ok(())
    }

    fn loaded(&self, wanted: &Wanted, mut loaded: Loaded) -> Loaded {
        let kept = locked(&self.kept);
        for key in &wanted.keys {
            let as_named = |record: &&KeyRecord| {
                (self.name)(&KeyRecord { key: key.clone(), ..(*record).clone() }) == (self.name)(record)
            };
            let found = kept.values().find(as_named);
            loaded.keys.extend(found.map(|record| KeyRecord { key: key.clone(), ..record.clone() }));
        }
        loaded
    }
}
