//! Gives the conformance kit D1 databases through a Worker's binding: a test build of the example runs each batch in
//! workerd. `cargo xtask worker test` builds it, starts it, and runs the laws.

mod forward;

use std::sync::Arc;

use async_trait::async_trait;
use forward::{Forward, databases::SERVER};
use purchase_conformance::{Durable, Place, Schema, SqlUnderTest, StoreUnderTest};
use purchase_core::{
    error::{Cause, StoreError},
    store::Store,
};
use purchase_sql::{SqlStore, TablePrefix};

/// D1 through a Worker's binding, under test.
pub(crate) fn under_test() -> StoreUnderTest {
    let durable: Option<Arc<dyn Durable>> = Some(Arc::new(Bindings));
    SqlUnderTest { name: "d1-binding", server: Some(SERVER), open: || Box::pin(Forward::open()), durable }.into_store()
}

/// Databases that outlive the Worker's instances: a program can't distinguish another request to a binding from another
/// instance.
struct Bindings;

#[async_trait]
impl Durable for Bindings {
    async fn place(&self) -> Result<Box<dyn Place>, Cause> {
        let place = Reopened(Forward::open().await?);
        place.store().migrate().await?;
        Ok(Box::new(place))
    }
}

struct Reopened(Forward);

impl Reopened {
    /// A store that has sent nothing yet, on a separate connection.
    fn store(&self) -> SqlStore<Forward> {
        SqlStore::new(self.0.clone(), TablePrefix::default())
    }
}

#[async_trait]
impl Place for Reopened {
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError> {
        let store = self.store();
        store.check_schema().await?;
        Ok(Arc::new(store))
    }

    async fn spoil_schema(&mut self, spoiled: Schema) -> Result<(), Cause> {
        Ok(self.store().tamper(spoiled.into()).await?)
    }
}
