//! Migrates a database, only on request and never when opening it. The migrations are in `purchase-sql`.

use purchase_core::error::StoreError;

use crate::{D1, D1Store, Options, Token};

impl D1 {
    /// Migrates a database to this library's schema. Migrating again is safe, also from several processes at once.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] when a newer library migrated the database; otherwise the errors of
    /// [`connect`](Self::connect).
    pub async fn migrate(place: &str, token: Token, options: Options) -> Result<(), StoreError> {
        Self::open_and_migrate(place, token, options).await.map(drop)
    }

    /// Migrates a database, and opens it.
    ///
    /// # Errors
    /// The errors of [`migrate`](Self::migrate).
    pub async fn open_and_migrate(place: &str, token: Token, options: Options) -> Result<D1Store, StoreError> {
        let store = Self::connect(place, token, options)?;
        store.migrate().await?;
        Ok(store)
    }
}
