//! Decides how the kit gets databases of SQLite: in memory for most laws, in a file for those about reopening.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use purchase_conformance::{Durable, Place, Schema, SqlUnderTest, StoreUnderTest};
use purchase_core::{
    error::{Cause, StoreError},
    store::Store,
};
use purchase_sql::{Access, Executor, SqlStore, Statement};
use purchase_sqlite::{Options, Sqlite, SqliteExecutor};
use tempfile::TempDir;

/// SQLite, to be judged.
pub(crate) fn under_test() -> StoreUnderTest {
    SqlUnderTest {
        name: "sqlite",
        open: || Box::pin(async { SqliteExecutor::connect("sqlite::memory:".as_ref(), Options::default()).await }),
        empty: &[
            "PRAGMA defer_foreign_keys = ON",
            "DELETE FROM {prefix}checkouts",
            "DELETE FROM {prefix}credits",
            "DELETE FROM {prefix}customers",
            "DELETE FROM {prefix}disputes",
            "DELETE FROM {prefix}entitlements",
            "DELETE FROM {prefix}event_conflicts",
            "DELETE FROM {prefix}events",
            "DELETE FROM {prefix}facts",
            "DELETE FROM {prefix}invoices",
            "DELETE FROM {prefix}payments",
            "DELETE FROM {prefix}prices",
            "DELETE FROM {prefix}products",
            "DELETE FROM {prefix}refunds",
            "DELETE FROM {prefix}schedules",
            "DELETE FROM {prefix}subject_revisions",
            "DELETE FROM {prefix}subjects",
            "DELETE FROM {prefix}subscription_items",
            "DELETE FROM {prefix}subscriptions",
            "DELETE FROM {prefix}transitions",
            "DELETE FROM {prefix}waits",
        ],
        tamper: &[
            "DELETE FROM {prefix}entitlements",
            "DELETE FROM {prefix}transitions",
            "UPDATE {prefix}customers SET email = 'eve@example.com', owner = NULL",
            "UPDATE {prefix}payments SET amount = amount + 1",
            "UPDATE {prefix}subscriptions SET provider_status = 'tampered', customer = NULL",
        ],
        prepare: |sql| format!("EXPLAIN {sql}"),
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

    async fn spoil_schema(&mut self, spoiled: Schema) -> Result<bool, Cause> {
        let store = Sqlite::connect(&self.file, Options::default()).await?;
        match spoiled {
            Schema::Missing => run(&store, "DROP TABLE {prefix}schema").await?,
            Schema::Newer => {
                run(&store, "INSERT INTO {prefix}schema (version) SELECT max(version) + 1 FROM {prefix}schema").await?
            }
            Schema::Older => {
                run(&store, "DELETE FROM {prefix}schema WHERE version = (SELECT max(version) FROM {prefix}schema)")
                    .await?
            }
        }
        Ok(true)
    }
}

async fn run(store: &SqlStore<SqliteExecutor>, text: &str) -> Result<(), Cause> {
    let sql = text.replace("{prefix}", store.prefix().as_str()).into();
    let statement = Statement { name: "conformance", sql, params: Vec::new() };
    store.executor().batch(Access::Write, &[statement]).await?;
    Ok(())
}
