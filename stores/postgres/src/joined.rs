//! Decides how an application's own rows and this library's land in one commit: the store runs inside a transaction that
//! the application opened, and which it ends.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use purchase_sql::{BatchKind, Dialect, ExecuteError, Executor, Row, SqlStore, Statement};
use sqlx::{Acquire, PgTransaction};
use tokio::sync::Mutex;

use crate::{
    PostgresStore,
    dialect::POSTGRES,
    error::{execute_error, is_broken},
    executor::run,
    function::Function,
    guard::{deadline, within},
    session::ISOLATION,
};

/// A store inside an application's transaction.
pub type JoinedStore = SqlStore<JoinedExecutor>;

/// An [`Executor`] inside an application's transaction. Each batch is a savepoint: one that fails leaves the transaction
/// as it was.
#[derive(Debug)]
pub struct JoinedExecutor {
    slot: Mutex<Option<Joined>>,
    function: Arc<Function>,
    limit: Option<Duration>,
}

#[derive(Debug)]
struct Joined {
    transaction: PgTransaction<'static>,
    /// Whether its isolation has been asked for. It can't change after that.
    checked: bool,
}

/// There is no transaction any more.
#[derive(Debug, thiserror::Error)]
#[error("the application has taken its transaction back, or it was lost with its connection")]
struct Taken;

/// A transaction that would decide by what was so when it began.
#[derive(Debug, thiserror::Error)]
#[error(
    "the joined transaction is {found:?}, in which a commit doesn't see what others have committed since it began; begin it \
     with BEGIN ISOLATION LEVEL READ COMMITTED"
)]
struct WrongIsolation {
    found: String,
}

/// Joins a store to a transaction.
pub trait Join {
    /// This store's tables inside a transaction that the application has begun, on this store's
    /// [pool](crate::Pooled::pool) or on a connection that finds the same tables by its `search_path`.
    ///
    /// It has to be `READ COMMITTED`, as on this store's pool it is unless told otherwise; the first batch refuses another
    /// with [`StoreError::Unavailable`](purchase_core::error::StoreError::Unavailable). In a `REPEATABLE READ` or `SERIALIZABLE`
    /// one, what others commit in the meantime stays out of observation: a commit that was overtaken would be overtaken
    /// again each time, and an event that others have released would stay parked.
    ///
    /// Nothing lands before the application commits, and whoever needs one of the same subjects waits until then: keep
    /// the transaction short. Take it back with [`JoinedExecutor::take`].
    fn join(&self, transaction: PgTransaction<'static>) -> JoinedStore;
}

impl Join for PostgresStore {
    fn join(&self, transaction: PgTransaction<'static>) -> JoinedStore {
        let executor = self.executor();
        let joined = JoinedExecutor {
            slot: Mutex::new(Some(Joined { transaction, checked: false })),
            function: Arc::clone(&executor.function),
            limit: deadline(&executor.options),
        };
        SqlStore::new(joined, self.prefix().clone())
    }
}

impl JoinedExecutor {
    /// Gives the transaction back to the application, to be committed or rolled back. None the second time, and where the
    /// server did not answer a batch in time: then it is rolled back.
    pub async fn take(&self) -> Option<PgTransaction<'static>> {
        self.slot.lock().await.take().map(|joined| joined.transaction)
    }

    /// A batch as a savepoint.
    async fn nested(
        &self,
        joined: &mut Joined,
        access: BatchKind,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Row>>, ExecuteError> {
        if !joined.checked {
            let asked = sqlx::query_scalar("SELECT current_setting('transaction_isolation')");
            let found: String = asked.fetch_one(&mut *joined.transaction).await.map_err(execute_error)?;
            if found != ISOLATION {
                return Err(ExecuteError::Other { cause: WrongIsolation { found }.into() });
            }
            joined.checked = true;
        }
        let mut savepoint = joined.transaction.begin().await.map_err(execute_error)?;
        let outcome = run(&mut savepoint, &self.function, access, &[], statements).await;
        // A connection that is lost takes the application's transaction with it, so nothing of it has happened.
        if outcome.as_ref().is_err_and(is_broken) {
            return outcome.map_err(execute_error);
        }
        match &outcome {
            Ok(_) => savepoint.commit().await,
            Err(_) => savepoint.rollback().await,
        }
        .map_err(execute_error)?;
        outcome.map_err(execute_error)
    }
}

#[async_trait]
impl Executor for JoinedExecutor {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let mut slot = self.slot.lock().await;
        let Some(joined) = slot.as_mut() else {
            return Err(ExecuteError::Other { cause: Taken.into() });
        };
        match within(self.limit, self.nested(joined, access, statements)).await {
            Ok(outcome) => outcome,
            // Not committed, so nothing of it has happened.
            Err(silent) => {
                *slot = None;
                Err(ExecuteError::Other { cause: silent.into() })
            }
        }
    }

    fn dialect(&self) -> &Dialect {
        &POSTGRES
    }
}
