#![doc = include_str!("../README.md")]
//!
//! Decides how a place becomes a store: which file or memory, with which promises. The SQL is `purchase-sql`'s, and
//! nothing here knows it.

mod error;
mod executor;
mod migrate;

use std::{num::NonZeroU32, path::Path, time::Duration};

use purchase_core::error::StoreError;
use purchase_sql::SqlStore;
pub use purchase_sql::TablePrefix;

pub use crate::executor::SqliteExecutor;

/// A store on SQLite.
pub type SqliteStore = SqlStore<SqliteExecutor>;

/// How a database is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long to wait for another process that holds the lock, before the answer is "busy".
    pub busy_timeout: Duration,
    /// Whether to create the file where there is none.
    pub create_if_missing: bool,
    /// What an acknowledged commit survives.
    pub durability: Durability,
    /// The size, in pages of 4 KiB, beyond which the database counts as full. None: the disk decides.
    pub max_pages: Option<NonZeroU32>,
    /// What stands before every table's name.
    pub prefix: TablePrefix,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// How many connections may read at once, beside the one that writes.
    pub readers: NonZeroU32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            create_if_missing: false,
            durability: Durability::PowerLoss,
            max_pages: None,
            prefix: TablePrefix::default(),
            read_only: false,
            readers: const { NonZeroU32::new(4).expect("four is not zero") },
        }
    }
}

/// What an acknowledged commit survives. No choice can leave a half commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A power loss: the disk is synchronized with every commit.
    PowerLoss,
    /// A crash of the process. A power loss may take the last commits, so a delivery may have been acknowledged in
    /// vain: only for tests and for data that can be fetched again.
    ProcessCrash,
}

/// Where stores on SQLite come from.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

impl Sqlite {
    /// Opens a database that has been migrated. The place is a path, or a URL that begins with `sqlite:`.
    ///
    /// # Errors
    /// [`StoreError::SchemaMissing`], [`StoreError::SchemaOlder`] or [`StoreError::SchemaNewer`] when the tables are
    /// not this library's; [`StoreError::Unavailable`] when there is no such file; [`StoreError::Corrupt`] when it is
    /// no database.
    pub async fn open(place: impl AsRef<Path>, options: Options) -> Result<SqliteStore, StoreError> {
        let store = Self::connect(place, options).await?;
        store.check_schema().await?;
        Ok(store)
    }

    /// Opens an empty database in memory, migrated. It is gone with the store.
    ///
    /// # Errors
    /// Only what SQLite itself refuses.
    pub async fn open_in_memory() -> Result<SqliteStore, StoreError> {
        Self::open_and_migrate("sqlite::memory:", Options::default()).await
    }

    /// Opens a database without asking what is in it.
    ///
    /// # Errors
    /// As [`open`](Self::open), apart from the schema.
    pub async fn connect(place: impl AsRef<Path>, options: Options) -> Result<SqliteStore, StoreError> {
        let prefix = options.prefix.clone();
        let executor = SqliteExecutor::connect(place.as_ref(), options).await?;
        Ok(SqlStore::new(executor, prefix))
    }
}
