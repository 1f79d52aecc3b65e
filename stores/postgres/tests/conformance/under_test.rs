//! Gives the conformance kit PostgreSQL databases: a schema each, on the server that `PURCHASE_TEST_POSTGRES_URL`
//! names.

use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use purchase_conformance::{Durable, Place, Schema, SqlUnderTest, StoreUnderTest};
use purchase_core::{
    error::{Cause, StoreError},
    store::Store,
};
use purchase_postgres::{Options, Pooled, Postgres, PostgresExecutor, PostgresStore, SchemaName};

/// The variable that names the server: a database only for tests, which create and drop schemas in it.
const SERVER: &str = "PURCHASE_TEST_POSTGRES_URL";

/// PostgreSQL, under test.
pub(crate) fn under_test() -> StoreUnderTest {
    SqlUnderTest { name: "postgres", server: Some(SERVER), open: || Box::pin(open()), durable: Some(Arc::new(Schemas)) }
        .into_store()
}

async fn open() -> Result<PostgresExecutor, StoreError> {
    let (url, options) = own_schema()?;
    let executor = PostgresExecutor::connect(&url, options).await?;
    executor.prepare().await?;
    Ok(executor)
}

/// The server, and a schema that no other test uses.
fn own_schema() -> Result<(String, Options), StoreError> {
    let missing = "the variable is not set; `cargo xtask services up` starts a server and prints the value";
    let unset = |_| StoreError::Unavailable { operation: "find PURCHASE_TEST_POSTGRES_URL", cause: missing.into() };
    let url = std::env::var(SERVER).map_err(unset)?;
    let name = SchemaName::new(format!("case_{:016x}", rand::random::<u64>()));
    let schema = name.map_err(|error| StoreError::Refused { operation: "name a schema", cause: error.into() })?;
    let connections = NonZeroU32::new(4).unwrap_or(NonZeroU32::MIN);
    Ok((url, Options { schema: Some(schema), connections, ..Options::default() }))
}

struct Schemas;

#[async_trait]
impl Durable for Schemas {
    async fn place(&self) -> Result<Box<dyn Place>, Cause> {
        let (url, options) = own_schema()?;
        Postgres::migrate(&url, options.clone()).await?;
        Ok(Box::new(OwnSchema { url, options, last: None }))
    }
}

struct OwnSchema {
    url: String,
    options: Options,
    last: Option<Arc<PostgresStore>>,
}

#[async_trait]
impl Place for OwnSchema {
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError> {
        if let Some(last) = self.last.take() {
            last.pool().close().await;
        }
        let store = Arc::new(Postgres::open(&self.url, self.options.clone()).await?);
        self.last = Some(Arc::clone(&store));
        Ok(store)
    }

    async fn spoil_schema(&mut self, spoiled: Schema) -> Result<(), Cause> {
        let store = Postgres::connect(&self.url, self.options.clone()).await?;
        store.tamper(spoiled.into()).await?;
        Ok(())
    }
}
