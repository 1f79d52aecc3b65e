//! Defines what an author must supply to have an adapter or a store judged: constructors, a signer, and a few ways to
//! edit a body. It contains no provider's or database's terms. The in-memory store is always available.

use std::{any::Any, fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use purchase_core::{
    delivery::Headers,
    error::{Cause, StoreError},
    id::Mode,
    provider::Provider,
    store::{Store, memory::MemoryStore},
    time::Timestamp,
};

use crate::fault::StatementFault;

/// An adapter, and how the kit plays its provider.
#[derive(Debug, Clone, Copy)]
pub struct ProviderUnderTest {
    /// The adapter's name. Its folder of fixtures has the same name.
    pub name: &'static str,
    /// Builds the adapter for an endpoint.
    pub build: fn(&Endpoint<'_>) -> Built,
    /// Signs a body at a time as the provider does. With one secret, every byte of the headers must matter, so that the
    /// kit may change any of them. With several secrets, it signs as during a rotation: one request with one signature
    /// per secret.
    pub sign: fn(&[&str], &[u8], Timestamp) -> Signed,
    /// Returns headers, derived from genuine ones, that must be refused, each with a name. They cover what matters for
    /// this provider beyond single changed bytes, which the kit tries itself.
    pub forge: fn(&Signed) -> Vec<(&'static str, Signed)>,
    /// Ways to edit a body.
    pub samples: Samples,
}

/// The configuration of one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// The active signing secrets.
    pub secrets: &'a [&'a str],
    /// The maximum age of a delivery in seconds; with none, the age isn't checked. If the provider signs no time, the
    /// adapter can't have a tolerance. Its [`Trust`](purchase_core::verify::Trust) then has none, whatever is asked for
    /// here.
    pub tolerance_seconds: Option<u32>,
    /// The mode that the endpoint serves; none serves both. If events don't say their mode, the adapter uses this one,
    /// and treats none as test.
    pub mode: Option<Mode>,
}

/// An adapter, or why it can't be built.
pub type Built = Result<Arc<dyn Provider>, Cause>;

/// A body that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The body.
    pub body: Vec<u8>,
    /// The JSON path that the adapter must report.
    pub path: String,
}

/// The headers that a provider adds to a signed request, as names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed(pub Vec<(String, Vec<u8>)>);

impl Signed {
    /// A single header.
    pub fn header(name: &str, value: impl Into<Vec<u8>>) -> Self {
        Self(vec![(name.to_owned(), value.into())])
    }

    /// The headers as a request contains them.
    pub fn headers(&self) -> Headers {
        self.0.iter().map(|(name, value)| (name, value)).collect()
    }
}

/// Ways to edit a body. Each returns none if the body isn't suitable.
#[derive(Debug, Clone, Copy)]
pub struct Samples {
    /// The same envelope under this event id, with a type that doesn't exist.
    pub unknown_type: fn(&[u8], &str) -> Option<Vec<u8>>,
    /// The same event under this event id, with a value of an enumeration that doesn't exist.
    pub unknown_value: fn(&[u8], &str) -> Option<Vec<u8>>,
    /// The same event under this event id, with a value of the wrong shape, and the JSON path of that value.
    pub unreadable: fn(&[u8], &str) -> Option<Unreadable>,
    /// Other content under the same event id; none if events have no ids.
    pub contradiction: fn(&[u8]) -> Option<Vec<u8>>,
    /// The same event in the other mode: live for test, test for live; none if events don't say their mode.
    pub other_mode: fn(&[u8]) -> Option<Vec<u8>>,
    /// The same event in another body, as the provider may send it the second time; none if it repeats every byte.
    pub repetition: fn(&[u8]) -> Option<Vec<u8>>,
    /// The same event as an older version of the provider's API writes it. Returns nothing if the body already has the
    /// older shape. The field is none for a provider whose objects have only one shape.
    pub older_shape: Option<Reshape>,
}

/// Rewrites a body in another shape, if the body is suitable.
pub type Reshape = fn(&[u8]) -> Option<Vec<u8>>;

/// A future that owns what it needs.
pub type Opening = BoxFuture<'static, Result<Fresh, StoreError>>;

/// A store, and how to open one.
#[derive(Clone)]
pub struct StoreUnderTest {
    /// The store's name.
    pub name: &'static str,
    /// The environment variable that names the server which the store needs; none if it needs no server. A store that
    /// needs a server is judged only on request.
    pub server: Option<&'static str>,
    /// Opens an empty store that nothing else uses.
    pub fresh: Arc<dyn Fn() -> Opening + Send + Sync>,
    /// The support for laws about durable stores; none if the store doesn't outlive its process.
    pub durable: Option<Arc<dyn Durable>>,
    /// The support for laws about SQL; none if the store doesn't use SQL.
    pub sql: Option<Arc<dyn Sql>>,
}

impl fmt::Debug for StoreUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreUnderTest")
            .field("name", &self.name)
            .field("durable", &self.durable.is_some())
            .field("sql", &self.sql.is_some())
            .finish_non_exhaustive()
    }
}

/// The in-memory store, on which adapters are judged.
pub fn memory() -> StoreUnderTest {
    StoreUnderTest {
        name: "memory",
        server: None,
        fresh: Arc::new(|| Box::pin(async { Ok(Fresh::new(Arc::new(MemoryStore::new()))) })),
        durable: None,
        sql: None,
    }
}

/// An empty store, and a guard that lives as long as the store and cleans up after it.
pub struct Fresh {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The guard. It is dropped after the store.
    pub guard: Box<dyn Any + Send + Sync>,
}

impl Fresh {
    /// A store that needs no cleanup.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, guard: Box::new(()) }
    }
}

/// A store that outlives its process.
#[async_trait]
pub trait Durable: Send + Sync {
    /// Makes a place for one store: its own file or database.
    async fn place(&self) -> Result<Box<dyn Place>, Cause>;
}

/// The place of one store. Dropping it removes the stored data.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the store as a new process would, and closes the one that was open before.
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError>;

    /// Closes the store, and removes its schema or marks it as another version.
    async fn spoil_schema(&mut self, spoiled: Schema) -> Result<(), Cause>;
}

/// The states of a schema that is not the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There are no tables.
    Missing,
    /// The schema belongs to a newer library.
    Newer,
    /// The schema belongs to an older library.
    Older,
}

/// A store that uses SQL.
#[async_trait]
pub trait Sql: Send + Sync {
    /// Opens an empty store whose executor fails at a chosen statement.
    async fn faulty(&self, fault: Arc<StatementFault>) -> Result<Fresh, Cause>;

    /// Prepares every statement and returns their number. For one mutant, the kit first breaks the last statement.
    async fn prepare_all(&self, spoiled: bool) -> Result<usize, Cause>;

    /// Opens an empty store whose read model the kit can read and tamper with.
    async fn readable(&self) -> Result<Box<dyn ReadModel>, Cause>;
}

/// The tables that applications read.
#[async_trait]
pub trait ReadModel: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Every row of the read model, in a fixed order.
    async fn dump(&self) -> Result<String, Cause>;

    /// Changes and removes rows of the read model behind the store's back.
    async fn tamper(&self) -> Result<(), Cause>;
}
