//! Decides how a store on the shared SQL is judged. The store supplies only its executor. This module contains no SQL.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use purchase_core::{
    error::{Cause, StoreError},
    store::Store,
};
use purchase_sql::{BatchKind, Cell, Executor, SqlStore, Statement, TablePrefix, Tampering, statements};

use crate::{
    fault::{FaultyExecutor, StatementFault},
    under_test::{Durable, Fresh, ReadModel, Schema, Sql, StoreUnderTest},
};

/// A store on the shared SQL.
#[derive(Clone)]
pub struct SqlUnderTest<E> {
    /// The store's name.
    pub name: &'static str,
    /// See [`StoreUnderTest::server`].
    pub server: Option<&'static str>,
    /// Opens an empty database that nothing else uses.
    pub open: fn() -> BoxFuture<'static, Result<E, StoreError>>,
    /// The part that outlives the process, if any.
    pub durable: Option<Arc<dyn Durable>>,
}

impl From<Schema> for Tampering {
    fn from(spoiled: Schema) -> Self {
        match spoiled {
            Schema::Missing => Tampering::NoSchema,
            Schema::Newer => Tampering::NewerSchema,
            Schema::Older => Tampering::OlderSchema,
        }
    }
}

impl<E> fmt::Debug for SqlUnderTest<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlUnderTest").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Databases that are ready for reuse.
type Idle<E> = Arc<Mutex<Vec<Arc<SqlStore<E>>>>>;

impl<E: Executor + 'static> SqlUnderTest<E> {
    /// The store under test.
    pub fn into_store(self) -> StoreUnderTest {
        let idle: Idle<E> = Arc::default();
        let this = Arc::new(self);
        let opening = Arc::clone(&this);
        StoreUnderTest {
            name: this.name,
            server: this.server,
            fresh: Arc::new(move || {
                let (this, idle) = (Arc::clone(&opening), Arc::clone(&idle));
                Box::pin(async move { this.fresh(idle).await })
            }),
            durable: this.durable.clone(),
            sql: Some(Arc::new(Shared(this))),
        }
    }

    async fn fresh(&self, idle: Idle<E>) -> Result<Fresh, StoreError> {
        let again = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let store = match again {
            Some(store) => {
                store.tamper(Tampering::Empty).await?;
                store
            }
            None => Arc::new(self.migrated((self.open)().await?).await?),
        };
        let guard = Return { store: Some(Arc::clone(&store)), idle };
        Ok(Fresh { store, guard: Box::new(guard) as Box<dyn Any + Send + Sync> })
    }

    async fn migrated<O: Executor>(&self, executor: O) -> Result<SqlStore<O>, StoreError> {
        let store = SqlStore::new(executor, TablePrefix::default());
        store.migrate().await?;
        Ok(store)
    }
}

/// Returns a database for reuse when nothing uses it any more.
struct Return<E> {
    store: Option<Arc<SqlStore<E>>>,
    idle: Idle<E>,
}

impl<E> Drop for Return<E> {
    fn drop(&mut self) {
        // A database that a leftover task still holds is not reused.
        if let Some(store) = self.store.take().filter(|store| Arc::strong_count(store) == 1) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(store);
        }
    }
}

struct Shared<E>(Arc<SqlUnderTest<E>>);

#[async_trait]
impl<E: Executor + 'static> Sql for Shared<E> {
    async fn faulty(&self, fault: Arc<StatementFault>) -> Result<Fresh, Cause> {
        let inner = (self.0.open)().await?;
        Ok(Fresh::new(Arc::new(self.0.migrated(FaultyExecutor { inner, fault }).await?)))
    }

    async fn prepare_all(&self, spoiled: bool) -> Result<usize, Cause> {
        let store = self.0.migrated((self.0.open)().await?).await?;
        let mut all = statements(store.executor().dialect(), store.prefix());
        if let Some((_, text)) = all.last_mut().filter(|_| spoiled) {
            *text = format!("the kit spoiled {text}").into();
        }
        for (name, text) in &all {
            // Every supported engine prepares a statement when it explains it.
            let sql = format!("EXPLAIN {text}").into();
            let params = vec![Cell::NULL; parameters(text, store.executor().dialect().placeholder)];
            let statement = Statement { name, sql, params };
            let prepared = store.executor().batch(BatchKind::Read, &[statement]).await;
            prepared.map_err(|error| format!("{name}: {}", crate::verdict::chain(&error)))?;
        }
        Ok(all.len())
    }

    async fn readable(&self) -> Result<Box<dyn ReadModel>, Cause> {
        let store = Arc::new(self.0.migrated((self.0.open)().await?).await?);
        Ok(Box::new(Tables { store }))
    }
}

/// The highest number of a placeholder.
fn parameters(text: &str, placeholder: char) -> usize {
    let numbers = text.split(placeholder).skip(1).filter_map(|rest| {
        let end = rest.find(|next: char| !next.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    });
    numbers.max().unwrap_or(0)
}

struct Tables<E> {
    store: Arc<SqlStore<E>>,
}

#[async_trait]
impl<E: Executor + 'static> ReadModel for Tables<E> {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    async fn dump(&self) -> Result<String, Cause> {
        let tables = self.store.dump_read_model().await?;
        let lines =
            tables.into_iter().flat_map(|(table, rows)| rows.into_iter().map(move |row| format!("{table} {row}\n")));
        Ok(lines.collect())
    }

    async fn tamper(&self) -> Result<(), Cause> {
        Ok(self.store.tamper(Tampering::ReadModel).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_by_their_highest_number() {
        assert_eq!(parameters("SELECT ?1, ?2, ?1", '?'), 2);
        assert_eq!(parameters("SELECT $12", '$'), 12);
        assert_eq!(parameters("SELECT 1", '?'), 0);
    }
}
