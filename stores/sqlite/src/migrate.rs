//! Decides when a database is migrated: when somebody asks, never by opening it. The migrations are `purchase-sql`'s.

use std::path::Path;

use purchase_core::error::StoreError;

use crate::{Options, Sqlite, SqliteStore};

impl Sqlite {
    /// Brings a database to this library's schema, and creates the file where the options say so. Safe to do again, and
    /// from several processes at once.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] when a newer library was here; otherwise as [`connect`](Self::connect).
    pub async fn migrate(place: impl AsRef<Path>, options: Options) -> Result<(), StoreError> {
        Self::open_and_migrate(place, options).await.map(drop)
    }

    /// Migrates a database, and opens it.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn open_and_migrate(place: impl AsRef<Path>, options: Options) -> Result<SqliteStore, StoreError> {
        let store = Self::connect(place, options).await?;
        store.migrate().await?;
        Ok(store)
    }
}
