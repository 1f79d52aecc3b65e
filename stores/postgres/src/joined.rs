//! Decides how an application's own rows and this library's land in one commit: the store runs inside a transaction that
//! the application opened, and which it ends.

use std::sync::Arc;

use async_trait::async_trait;
use purchase_sql::{Access, Dialect, ExecuteError, Executor, Row, SqlStore, Statement};
use sqlx::{Acquire, PgConnection, PgTransaction};
use tokio::sync::Mutex;

use crate::{
    PostgresStore,
    dialect::POSTGRES,
    error::{execute_error, is_broken},
    executor::{define, read, write},
    function::Function,
};

/// A store inside an application's transaction.
pub type JoinedStore = SqlStore<JoinedExecutor>;

/// An [`Executor`] inside an application's transaction. Each batch is a savepoint: one that fails leaves the transaction
/// as it was.
#[derive(Debug)]
pub struct JoinedExecutor {
    transaction: Mutex<Option<PgTransaction<'static>>>,
    function: Arc<Function>,
}

/// The transaction was taken back already.
#[derive(Debug, thiserror::Error)]
#[error("the application has taken its transaction back")]
struct Taken;

/// Joins a store to a transaction.
pub trait Join {
    /// This store's tables inside a transaction that the application has begun, on this store's
    /// [pool](crate::Pooled::pool) or on a connection that finds the same tables by its `search_path`.
    ///
    /// Nothing lands before the application commits, and whoever needs one of the same subjects waits until then: keep
    /// the transaction short. Take it back with [`JoinedExecutor::take`].
    fn join(&self, transaction: PgTransaction<'static>) -> JoinedStore;
}

impl Join for PostgresStore {
    fn join(&self, transaction: PgTransaction<'static>) -> JoinedStore {
        let function = Arc::clone(&self.executor().function);
        let executor = JoinedExecutor { transaction: Mutex::new(Some(transaction)), function };
        SqlStore::new(executor, self.prefix().clone())
    }
}

impl JoinedExecutor {
    /// Gives the transaction back to the application, to be committed or rolled back. None the second time.
    pub async fn take(&self) -> Option<PgTransaction<'static>> {
        self.transaction.lock().await.take()
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        access: Access,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Row>>, sqlx::Error> {
        match access {
            Access::Read => read(connection, statements).await,
            Access::Write => write(connection, &self.function, statements).await,
            Access::Define => {
                define(connection, statements).await?;
                Ok(vec![Vec::new(); statements.len()])
            }
        }
    }
}

#[async_trait]
impl Executor for JoinedExecutor {
    async fn batch(&self, access: Access, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let mut slot = self.transaction.lock().await;
        let Some(transaction) = slot.as_mut() else {
            return Err(ExecuteError::Other { cause: Taken.into() });
        };
        let mut savepoint = transaction.begin().await.map_err(execute_error)?;
        let outcome = self.run(&mut savepoint, access, statements).await;
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

    fn dialect(&self) -> &Dialect {
        &POSTGRES
    }
}
