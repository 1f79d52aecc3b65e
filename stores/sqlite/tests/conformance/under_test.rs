//! Gives the conformance kit SQLite databases: in memory for most laws, in a file for the laws about reopening.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use purchase_conformance::{Durable, Place, Schema, SqlUnderTest, StoreUnderTest};
use purchase_core::{
    error::{Cause, StoreError},
    store::Store,
};
use purchase_sqlite::{Options, Sqlite, SqliteExecutor};
use tempfile::TempDir;

/// SQLite, under test.
pub(crate) fn under_test() -> StoreUnderTest {
    SqlUnderTest {
        name: "sqlite",
        server: None,
        open: || Box::pin(async { SqliteExecutor::connect("sqlite::memory:".as_ref(), Options::default()).await }),
        durable: Some(Arc::new(Files)),
    }
    .into_store()
}

struct Files;

#[async_trait]
impl Durable for Files {
    async fn place(&self) -> Result<Box<dyn Place>, Cause> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("purchase.sqlite");
        Sqlite::migrate(&file, Options { create_if_missing: true, ..Options::default() }).await?;
        Ok(Box::new(File { file, _folder: folder }))
    }
}

struct File {
    file: PathBuf,
    _folder: TempDir,
}

#[async_trait]
impl Place for File {
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(Sqlite::open(&self.file, Options::default()).await?))
    }

    async fn spoil_schema(&mut self, spoiled: Schema) -> Result<(), Cause> {
        let store = Sqlite::connect(&self.file, Options::default()).await?;
        store.tamper(spoiled.into()).await?;
        Ok(())
    }
}
