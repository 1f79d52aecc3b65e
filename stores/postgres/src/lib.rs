#![doc = include_str!("../README.md")]
//!
//! Decides how a server becomes a store: which connections, with which limits, in which schema. The SQL is
//! `purchase-sql`'s; what PostgreSQL says in its own way stands in `dialect`.

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

/// How a database is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long to wait for a connection: where all of the pool are in use the answer is then
    /// [`StoreError::Busy`], where the server gives none it is [`StoreError::Unavailable`].
    pub acquire_timeout: Duration,
    /// How many connections there are at most.
    pub connections: NonZeroU32,
    /// How long a statement waits for a lock that another transaction holds: less than a provider waits for its answer, which
    /// may be five seconds. Zero is no limit.
    pub lock_timeout: Duration,
    /// What stands before every table's name.
    pub prefix: TablePrefix,
    /// The schema that the tables are in; none takes what the server says of this user, `public` as a rule. Migrating
    /// makes it where it isn't there. A connection on which it isn't in effect is refused.
    pub schema: Option<SchemaName>,
    /// How long a statement may take, after which the server ends it. A server that says nothing for five seconds more is
    /// taken for lost. Zero is no limit, and a lost server is then waited for as long as the connection seems to
    /// stand. Migrations have no limit.
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

/// The name of a schema: lower-case letters, digits and underscores, a letter or an underscore first, at most 63.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaName(String);

impl SchemaName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`SchemaNameError`] when it could not stand in a statement without quotes.
    pub fn new(text: impl Into<String>) -> Result<Self, SchemaNameError> {
        let text = text.into();
        let fits = (1..=63).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && !text.starts_with(|first: char| first.is_ascii_digit())
            && !text.starts_with("pg_");
        if fits { Ok(Self(text)) } else { Err(SchemaNameError { text }) }
    }

    /// Its text.
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
    "{text:?} is no schema's name; take lower-case letters, digits and underscores, no digit and no pg_ first, at most \
     63"
)]
pub struct SchemaNameError {
    /// The text.
    pub text: String,
}

/// Where stores on PostgreSQL come from.
#[derive(Debug, Clone, Copy)]
pub struct Postgres;

impl Postgres {
    /// Opens a database that has been migrated. The URL is as everywhere:
    /// `postgres://user:password@host:5432/database?sslmode=verify-full`; what it leaves out is taken from the
    /// variables `PGHOST`, `PGUSER` and so on.
    ///
    /// # Errors
    /// [`StoreError::SchemaMissing`], [`StoreError::SchemaOlder`] or [`StoreError::SchemaNewer`] when the tables are
    /// not this library's; [`StoreError::Unavailable`] when the server can't be reached or refuses the user, or when the
    /// schema asked for or `READ COMMITTED` is not in effect on its connections.
    pub async fn open(url: &str, options: Options) -> Result<PostgresStore, StoreError> {
        let store = Self::connect(url, options).await?;
        store.check_schema().await?;
        store.executor().check_function().await?;
        Ok(store)
    }

    /// Opens a database without asking what is in it.
    ///
    /// # Errors
    /// As [`open`](Self::open), apart from the schema.
    pub async fn connect(url: &str, options: Options) -> Result<PostgresStore, StoreError> {
        let prefix = options.prefix.clone();
        Ok(SqlStore::new(PostgresExecutor::connect(url, options).await?, prefix))
    }
}

/// The pool of a store, for an application that wants to use its connections.
pub trait Pooled {
    /// The pool. Its connections are told what this library's are: they have its limits, look for tables in its
    /// [schema](Options::schema) and nowhere else, so that a table elsewhere has to be named with its schema, and are made to
    /// go by indexes (`enable_seqscan`, `enable_hashjoin` and `enable_mergejoin` are off), which a statement that reads
    /// much of a table is slower by. For such statements an application has a pool of its own.
    fn pool(&self) -> &PgPool;
}

impl Pooled for PostgresStore {
    fn pool(&self) -> &PgPool {
        self.executor().pool()
    }
}
