//! Decides when a database is migrated: when somebody asks, never by opening it. The tables are `purchase-sql`'s; what
//! PostgreSQL has beside them is made here.

use std::sync::Arc;

use purchase_core::error::StoreError;
use purchase_sql::{Access, ExecuteError, Executor, Statement};

use crate::{Options, Postgres, PostgresExecutor, PostgresStore, SchemaName, error::execute_error};

impl Postgres {
    /// Brings a database to this library's schema. Safe to do again, and from several processes at once: they take
    /// turns by an advisory lock.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] when a newer library was here; otherwise as [`connect`](Self::connect).
    pub async fn migrate(url: &str, options: Options) -> Result<(), StoreError> {
        Self::open_and_migrate(url, options).await.map(drop)
    }

    /// Migrates a database, and opens it.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn open_and_migrate(url: &str, options: Options) -> Result<PostgresStore, StoreError> {
        let store = Self::connect(url, options).await?;
        store.executor().prepare().await?;
        store.migrate().await?;
        Ok(store)
    }
}

impl PostgresExecutor {
    /// Makes what the tables need: the schema, the order of arrival, and the function that runs a batch.
    ///
    /// # Errors
    /// What the server says.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let prefix = &self.options.prefix;
        let make = |schema: &SchemaName| format!("CREATE SCHEMA IF NOT EXISTS {}", schema.as_str());
        let texts = [
            self.options.schema.as_ref().map(make),
            Some(format!("CREATE SEQUENCE IF NOT EXISTS {prefix}place")),
            Some(self.function.definition.clone()),
        ];
        let statement = |sql: String| Statement { name: "prepare", sql: sql.into(), params: Vec::new() };
        let batch: Vec<Statement> = texts.into_iter().flatten().map(statement).collect();
        let outcome = self.batch(Access::Define, &batch).await;
        outcome
            .map(drop)
            .map_err(|error| StoreError::Unavailable { operation: "prepare the schema", cause: error.into() })
    }

    /// Whether the function that runs a batch is there: each version of the library has its own.
    pub(crate) async fn check_function(&self) -> Result<(), StoreError> {
        let mut connection = self.acquire().await.map_err(unavailable)?;
        let found: Result<Option<String>, _> = sqlx::query_scalar("SELECT CAST(to_regproc($1) AS text)")
            .bind(&self.function.name)
            .fetch_one(&mut *connection)
            .await;
        match found.map_err(execute_error).map_err(unavailable)? {
            Some(_) => Ok(()),
            None => Err(unavailable(ExecuteError::Other { cause: Arc::new(NoFunction).into() })),
        }
    }
}

fn unavailable(error: ExecuteError) -> StoreError {
    StoreError::Unavailable { operation: "look for its function", cause: error.into() }
}

/// The tables are right, and the function isn't there.
#[derive(Debug, thiserror::Error)]
#[error("the database has no function of this version of the library; run `Postgres::migrate` once")]
struct NoFunction;
