//! Decides when a database is migrated: when somebody asks, never by opening it. The tables are `purchase-sql`'s; what
//! PostgreSQL has beside them is made here.

use purchase_core::error::StoreError;
use purchase_sql::{BatchKind, Cell, Executor, Statement};

use crate::{Options, Postgres, PostgresExecutor, PostgresStore, SchemaName, error::unavailable};

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
        // Even where it is there already, IF NOT EXISTS wants the right to make one.
        let make = |schema: &SchemaName| {
            let name = schema.as_str();
            format!("DO $$ BEGIN IF to_regnamespace('{name}') IS NULL THEN CREATE SCHEMA {name}; END IF; END $$")
        };
        let texts = [
            self.options.schema.as_ref().map(make),
            Some(format!("CREATE SEQUENCE IF NOT EXISTS {prefix}place")),
            Some(self.function.definition.clone()),
        ];
        let statement = |sql: String| Statement { name: "prepare", sql: sql.into(), params: Vec::new() };
        let batch: Vec<Statement> = texts.into_iter().flatten().map(statement).collect();
        let outcome = self.batch(BatchKind::Define, &batch).await;
        outcome
            .map(drop)
            .map_err(|error| StoreError::Unavailable { operation: "prepare the schema", cause: error.into() })
    }

    /// Whether the function that runs a batch is there: each version of the library has its own.
    pub(crate) async fn check_function(&self) -> Result<(), StoreError> {
        const OPERATION: &str = "look for its function";
        let sql = "SELECT CAST(to_regproc($1) AS text) AS name";
        let params = vec![self.function.name.as_str().into()];
        let asked = Statement { name: "function", sql: sql.into(), params };
        let found = self.batch(BatchKind::Read, &[asked]).await.map_err(|error| unavailable(error, OPERATION))?;
        match found.concat().concat().as_slice() {
            [Cell(Some(_))] => Ok(()),
            _ => Err(StoreError::Unavailable { operation: OPERATION, cause: NoFunction.into() }),
        }
    }
}

/// The tables are right, and the function isn't there.
#[derive(Debug, thiserror::Error)]
#[error("the database has no function of this version of the library; run `Postgres::migrate` once")]
struct NoFunction;
