//! Decides when a database is migrated: when somebody asks, never by opening it. The migrations are `purchase-sql`'s.

use purchase_core::error::StoreError;

use crate::{D1, D1Store, Options, Token};

impl D1 {
    /// Brings a database to this library's schema. Safe to do again, and from several processes at once.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] when a newer library was here; otherwise as [`connect`](Self::connect).
    pub async fn migrate(place: &str, token: Token, options: Options) -> Result<(), StoreError> {
        Self::open_and_migrate(place, token, options).await.map(drop)
    }

    /// Migrates a database, and opens it.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn open_and_migrate(place: &str, token: Token, options: Options) -> Result<D1Store, StoreError> {
        let store = Self::connect(place, token, options)?;
        store.migrate().await?;
        Ok(store)
    }
}
