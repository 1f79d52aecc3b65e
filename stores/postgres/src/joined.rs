//! Commits an application's own rows and this library's rows together: the store runs inside a transaction that the
//! application opens and ends.

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

/// An [`Executor`] inside an application's transaction. Each batch is a savepoint. A failed batch leaves the
/// transaction unchanged.
#[derive(Debug)]
pub struct JoinedExecutor {
    slot: Mutex<Option<Joined>>,
    function: Arc<Function>,
    limit: Option<Duration>,
}

#[derive(Debug)]
struct Joined {
    transaction: PgTransaction<'static>,
    /// Whether the isolation level was checked. It can't change afterwards.
    checked: bool,
}

/// The executor has no transaction any more.
#[derive(Debug, thiserror::Error)]
#[error("the application has taken its transaction back, or the transaction was lost with its connection")]
struct Taken;

/// The transaction's isolation level would make it decide on the state at its beginning.
#[derive(Debug, thiserror::Error)]
#[error(
    "the joined transaction is {found:?}, so a commit doesn't see what others have committed since the transaction \
     began; start it with BEGIN ISOLATION LEVEL READ COMMITTED"
)]
struct WrongIsolation {
    found: String,
}

/// Joins a store to a transaction.
pub trait Join {
    /// Returns this store's tables inside a transaction that the application has begun, on this store's
    /// [pool](crate::Pooled::pool) or on a connection that finds the same tables through its `search_path`.
    ///
    /// The transaction must be `READ COMMITTED`, which is the default on this store's pool. The first batch refuses any
    /// other level with [`StoreError::Unavailable`](purchase_core::error::StoreError::Unavailable). A `REPEATABLE READ`
    /// or `SERIALIZABLE` transaction doesn't see what others commit in the meantime: a commit that lost a race would
    /// lose again at each retry, and an event that others have released would stay parked.
    ///
    /// Nothing is committed before the application commits. Until then, other writers of the same subjects wait, so
    /// keep the transaction short. Get the transaction back with [`JoinedExecutor::take`].
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
    /// Returns the transaction to the application, which then commits or rolls back. Returns `None` at the second call,
    /// and after a batch that the server did not answer in time; the transaction is then rolled back.
    pub async fn take(&self) -> Option<PgTransaction<'static>> {
        self.slot.lock().await.take().map(|joined| joined.transaction)
    }

    /// Runs a batch as a savepoint.
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
        // A lost connection ends the application's transaction, so nothing was committed.
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
            // The transaction was not committed, so nothing has happened.
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
