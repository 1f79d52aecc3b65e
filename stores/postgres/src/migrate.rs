//! Migrates a database, only on request and never when opening it. The tables are defined in `purchase-sql`; this
//! module creates what PostgreSQL needs in addition.

use purchase_core::error::StoreError;
use purchase_sql::{BatchKind, Cell, Executor, Statement};

use crate::{Options, Postgres, PostgresExecutor, PostgresStore, SchemaName, error::unavailable};

impl Postgres {
    /// Migrates a database to this library's schema. Migrating again is safe, also from several processes at once: they
    /// take turns with an advisory lock.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] when a newer library migrated the database; otherwise the errors of
    /// [`connect`](Self::connect).
    pub async fn migrate(url: &str, options: Options) -> Result<(), StoreError> {
        Self::open_and_migrate(url, options).await.map(drop)
    }

    /// Migrates a database, and opens it.
    ///
    /// # Errors
    /// The errors of [`migrate`](Self::migrate).
    pub async fn open_and_migrate(url: &str, options: Options) -> Result<PostgresStore, StoreError> {
        let store = Self::connect(url, options).await?;
        store.executor().prepare().await?;
        store.migrate().await?;
        Ok(store)
    }
}

impl PostgresExecutor {
    /// Creates what the tables need: the schema, the sequence for the order of arrival, and the function that runs a
    /// batch.
    ///
    /// # Errors
    /// The server's error.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let prefix = &self.options.prefix;
        // `IF NOT EXISTS` requires the right to create a schema even if the schema exists.
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

    /// Whether the function that runs a batch exists: each version of the library has a different function.
    pub(crate) async fn check_function(&self) -> Result<(), StoreError> {
        const OPERATION: &str = "find its batch function";
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

/// The tables are correct, but the function is missing.
#[derive(Debug, thiserror::Error)]
#[error("the database has no function of this version of the library; run `Postgres::migrate` once")]
struct NoFunction;
