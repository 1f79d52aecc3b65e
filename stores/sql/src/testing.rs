//! Decides what is done to tables behind a store's back, and only in tests: they are emptied, tampered with, or marked as
//! another version's.

use purchase_core::error::StoreError;

use crate::{
    executor::{Access, Executor},
    migrate::split,
    store::SqlStore,
};

/// What is done to the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// Every table but that of the schema's version is emptied, which is quicker than to make a new database.
    Empty,
    /// The schema's version is one less: an older library's.
    OlderSchema,
    /// The schema's version is one more: a newer library's.
    NewerSchema,
    /// There is no schema any more.
    NoSchema,
    /// Events as a library of schema version 3 kept them, in a database of that version: one thin event that waits for a
    /// fetch, one in the queue, one that is done, one that failed, one that can't be read.
    OlderEvents,
    /// Rows of the read model are changed and removed.
    ReadModel,
    /// Events and subjects have no public ids, as where an older library wrote them.
    Unnamed,
}

impl Tampering {
    fn text(self) -> &'static str {
        match self {
            Tampering::Empty => include_str!("../testing/empty.sql"),
            Tampering::OlderSchema => {
                "DELETE FROM {prefix}schema WHERE version = (SELECT max(version) FROM {prefix}schema)"
            }
            Tampering::NewerSchema => {
                "INSERT INTO {prefix}schema (version) SELECT max(version) + 1 FROM {prefix}schema"
            }
            Tampering::NoSchema => "DROP TABLE {prefix}schema",
            Tampering::OlderEvents => include_str!("../testing/older_events.sql"),
            Tampering::ReadModel => include_str!("../testing/tamper.sql"),
            Tampering::Unnamed => {
                "UPDATE {prefix}events SET public_id = NULL\n--;\nUPDATE {prefix}subjects SET public_id = NULL"
            }
        }
    }
}

impl<E: Executor> SqlStore<E> {
    /// Does it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tamper(&self, tampering: Tampering) -> Result<(), StoreError> {
        let batch = self.definitions("testing", split(tampering.text()));
        self.run("tamper", Access::Define, &batch).await.map(drop)
    }

    /// Brings an empty database to an older version of the schema, as the library of that version left it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn migrate_to_version(&self, version: u32) -> Result<(), StoreError> {
        self.migrate_to(version).await
    }
}
