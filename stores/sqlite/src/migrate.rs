//! Migrates a database, only on request and never when opening it. The migrations are in `purchase-sql`.

use std::path::Path;

use purchase_core::error::StoreError;

use crate::{Options, Sqlite, SqliteStore};

impl Sqlite {
    /// Migrates a database to this library's schema, and creates the file if the options say so. Migrating again is
    /// safe, also from several processes at once.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] when a newer library migrated the database; otherwise the errors of
    /// [`connect`](Self::connect).
    pub async fn migrate(place: impl AsRef<Path>, options: Options) -> Result<(), StoreError> {
        Self::open_and_migrate(place, options).await.map(drop)
    }

    /// Migrates a database, and opens it.
    ///
    /// # Errors
    /// The errors of [`migrate`](Self::migrate).
    pub async fn open_and_migrate(place: impl AsRef<Path>, options: Options) -> Result<SqliteStore, StoreError> {
        let store = Self::connect(place, options).await?;
        store.migrate().await?;
        Ok(store)
    }
}
