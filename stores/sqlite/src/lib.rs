#![doc = include_str!("../README.md")]
//!
//! Opens SQLite stores: in a file or in memory, with which guarantees. The SQL is in `purchase-sql`; this crate doesn't
//! depend on its content.

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

/// The options of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long to wait for another process's lock before the store returns "busy".
    pub busy_timeout: Duration,
    /// Whether to create a missing file.
    pub create_if_missing: bool,
    /// What an acknowledged commit survives.
    pub durability: Durability,
    /// The maximum size of the database, in pages of 4 KiB. None: only the disk limits the size.
    pub max_pages: Option<NonZeroU32>,
    /// The prefix of every table's name.
    pub prefix: TablePrefix,
    /// Whether the database is opened read-only.
    pub read_only: bool,
    /// The maximum number of reading connections, in addition to the writing connection.
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

/// What an acknowledged commit survives. No choice can leave half a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A power loss: the disk is synchronized with every commit.
    PowerLoss,
    /// A crash of the process. A power loss may lose the last commits, and so deliveries that were already
    /// acknowledged. Use this only for tests and for data that can be fetched again.
    ProcessCrash,
}

/// Opens stores on SQLite.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

impl Sqlite {
    /// Opens a database that has been migrated. The place is a path, or a URL that begins with `sqlite:`.
    ///
    /// # Errors
    /// [`StoreError::SchemaMissing`], [`StoreError::SchemaOlder`] or [`StoreError::SchemaNewer`] when the tables have
    /// another version than this library; [`StoreError::Unavailable`] when the file doesn't exist;
    /// [`StoreError::Corrupt`] when the file is not a database.
    pub async fn open(place: impl AsRef<Path>, options: Options) -> Result<SqliteStore, StoreError> {
        let store = Self::connect(place, options).await?;
        store.check_schema().await?;
        Ok(store)
    }

    /// Opens an empty, migrated database in memory. It is deleted with the store.
    ///
    /// # Errors
    /// SQLite's own errors only.
    pub async fn open_in_memory() -> Result<SqliteStore, StoreError> {
        Self::open_and_migrate("sqlite::memory:", Options::default()).await
    }

    /// Opens a database without checking its schema.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open), except those about the schema.
    pub async fn connect(place: impl AsRef<Path>, options: Options) -> Result<SqliteStore, StoreError> {
        let prefix = options.prefix.clone();
        let executor = SqliteExecutor::connect(place.as_ref(), options).await?;
        Ok(SqlStore::new(executor, prefix))
    }
}
