#![doc = include_str!("../README.md")]
//!
//! Opens PostgreSQL stores: which connections, with which limits, in which schema. The SQL is in `purchase-sql`;
//! PostgreSQL's own SQL is in `dialect`.

mod dialect;
mod error;
mod executor;
mod function;
mod guard;
mod joined;
mod migrate;
mod session;

use std::{num::NonZeroU32, str::FromStr, time::Duration};

use purchase_core::error::StoreError;
use purchase_sql::SqlStore;
pub use purchase_sql::TablePrefix;
use sqlx::PgPool;

pub use crate::{
    executor::PostgresExecutor,
    joined::{Join, JoinedExecutor, JoinedStore},
};

/// A store on PostgreSQL.
pub type PostgresStore = SqlStore<PostgresExecutor>;

/// The options of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long to wait for a connection. If every connection of the pool is in use, the error is then
    /// [`StoreError::Busy`]; if the server gives none, it is [`StoreError::Unavailable`].
    pub acquire_timeout: Duration,
    /// The maximum number of connections.
    pub connections: NonZeroU32,
    /// How long a statement waits for another transaction's lock. This must be less than a provider waits for its
    /// answer, which may be five seconds. Zero disables the limit.
    pub lock_timeout: Duration,
    /// The prefix of every table's name.
    pub prefix: TablePrefix,
    /// The schema of the tables. None uses the schema that the server sets for this user, usually `public`. Migrating
    /// creates a missing schema. A connection is refused if the schema is not in effect on it.
    pub schema: Option<SchemaName>,
    /// How long a statement may run before the server ends it. If the server doesn't answer for five seconds more, the
    /// connection counts as lost. Zero disables both limits: the client then waits for a lost server as long as the
    /// connection seems open. Migrations have no limit.
    pub statement_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            acquire_timeout: Duration::from_secs(10),
            connections: const { NonZeroU32::new(8).expect("eight is not zero") },
            lock_timeout: Duration::from_secs(3),
            prefix: TablePrefix::default(),
            schema: None,
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// The name of a schema: lower-case letters, digits and underscores, beginning with a letter or an underscore, at most
/// 63 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaName(String);

impl SchemaName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`SchemaNameError`] when the name could not be written in a statement without quotes.
    pub fn new(text: impl Into<String>) -> Result<Self, SchemaNameError> {
        let text = text.into();
        let fits = (1..=63).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && !text.starts_with(|first: char| first.is_ascii_digit())
            && !text.starts_with("pg_");
        if fits { Ok(Self(text)) } else { Err(SchemaNameError { text }) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SchemaName {
    type Err = SchemaNameError;
    fn from_str(text: &str) -> Result<Self, SchemaNameError> {
        Self::new(text)
    }
}

/// The text can't be a schema's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a schema name; use at most 63 lower-case letters, digits and underscores, and begin with \
     neither a digit nor pg_"
)]
pub struct SchemaNameError {
    /// The text.
    pub text: String,
}

/// Opens stores on PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub struct Postgres;

impl Postgres {
    /// Opens a database that has been migrated. The URL has the usual form:
    /// `postgres://user:password@host:5432/database?sslmode=verify-full`. The variables `PGHOST`, `PGUSER` and so on
    /// supply missing parts.
    ///
    /// # Errors
    /// [`StoreError::SchemaMissing`], [`StoreError::SchemaOlder`] or [`StoreError::SchemaNewer`] when the tables have
    /// another version than this library; [`StoreError::Unavailable`] when the server can't be reached or refuses the
    /// user, or when the requested schema or `READ COMMITTED` is not in effect on its connections.
    pub async fn open(url: &str, options: Options) -> Result<PostgresStore, StoreError> {
        let store = Self::connect(url, options).await?;
        store.check_schema().await?;
        store.executor().check_function().await?;
        Ok(store)
    }

    /// Opens a database without checking its schema.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open), except those about the schema.
    pub async fn connect(url: &str, options: Options) -> Result<PostgresStore, StoreError> {
        let prefix = options.prefix.clone();
        Ok(SqlStore::new(PostgresExecutor::connect(url, options).await?, prefix))
    }
}

/// Gives an application access to a store's connection pool.
pub trait Pooled {
    /// The pool. Its connections have this library's settings. They have its time limits. They look for tables only in
    /// its [schema](Options::schema), so a table elsewhere must be named with its schema. They prefer indexes
    /// (`enable_seqscan`, `enable_hashjoin` and `enable_mergejoin` are off), which makes statements that read much of a
    /// table slower. Use a separate pool for such statements.
    fn pool(&self) -> &PgPool;
}

impl Pooled for PostgresStore {
    fn pool(&self) -> &PgPool {
        self.executor().pool()
    }
}
