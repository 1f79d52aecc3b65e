//! Gives the conformance kit D1 databases over HTTP, on the server that `PURCHASE_TEST_D1_URL` names.

mod databases;

use std::sync::Arc;

use async_trait::async_trait;
use databases::{Database, SERVER};
use purchase_conformance::{Durable, Place, Schema, SqlUnderTest, StoreUnderTest};
use purchase_core::{
    error::{Cause, StoreError},
    store::Store,
};
use purchase_d1::{D1, RestExecutor};
use purchase_sql::{BatchKind, Dialect, ExecuteError, Executor, Row, Statement};

/// D1 over HTTP, under test.
pub(crate) fn under_test() -> StoreUnderTest {
    SqlUnderTest { name: "d1", server: Some(SERVER), open: || Box::pin(open()), durable: Some(Arc::new(Databases)) }
        .into_store()
}

async fn open() -> Result<OwnDatabase, StoreError> {
    let database = Database::take().await?;
    Ok(OwnDatabase { executor: database.executor()?, _database: database })
}

/// An executor that holds the lock of its database.
#[derive(Debug)]
struct OwnDatabase {
    executor: RestExecutor,
    _database: Database,
}

#[async_trait]
impl Executor for OwnDatabase {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        self.executor.batch(access, statements).await
    }

    fn dialect(&self) -> &Dialect {
        self.executor.dialect()
    }
}

struct Databases;

#[async_trait]
impl Durable for Databases {
    async fn place(&self) -> Result<Box<dyn Place>, Cause> {
        let database = Database::take().await?;
        D1::migrate(&database.place, database.token.clone(), database.options.clone()).await?;
        Ok(Box::new(Reopened(database)))
    }
}

struct Reopened(Database);

#[async_trait]
impl Place for Reopened {
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(D1::open(&self.0.place, self.0.token.clone(), self.0.options.clone()).await?))
    }

    async fn spoil_schema(&mut self, spoiled: Schema) -> Result<(), Cause> {
        let store = D1::connect(&self.0.place, self.0.token.clone(), self.0.options.clone())?;
        Ok(store.tamper(spoiled.into()).await?)
    }
}
