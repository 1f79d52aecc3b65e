//! Decides what somebody has to bring to have an adapter or a store judged: constructors, a signer, a few ways to edit
//! a body. It holds no provider's words and no database's. The store in memory is there without being brought.

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

/// An adapter, and what its provider does at the other end.
#[derive(Debug, Clone, Copy)]
pub struct ProviderUnderTest {
    /// The adapter's name: that of its folder of fixtures, too.
    pub name: &'static str,
    /// Builds the adapter for an endpoint.
    pub build: fn(&Endpoint<'_>) -> Built,
    /// Signs a body at a time as the provider does. With one secret every byte of the headers counts, so that the kit
    /// may change any; with several it is done as while one is rolled: one request with a signature by each.
    pub sign: fn(&[&str], &[u8], Timestamp) -> Signed,
    /// Headers made from genuine ones that must be refused, each with a name: what is worth trying at this provider
    /// beyond single changed bytes, which the kit tries by itself.
    pub forge: fn(&Signed) -> Vec<(&'static str, Signed)>,
    /// Ways to edit a body.
    pub samples: Samples,
}

/// What an application configures for one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// The signing secrets that are live.
    pub secrets: &'a [&'a str],
    /// How old a delivery may be, in seconds; none checks no age. An adapter whose provider signs no time can't have
    /// one, and its [`Trust`](purchase_core::verify::Trust) says so: none, whatever is asked for here.
    pub tolerance_seconds: Option<u32>,
    /// The mode that it serves; none serves both. An adapter whose events don't say theirs believes this one, and takes
    /// none for test.
    pub mode: Option<Mode>,
}

/// An adapter, or why it can't be built.
pub type Built = Result<Arc<dyn Provider>, Cause>;

/// A body that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The body.
    pub body: Vec<u8>,
    /// The JSON path that the adapter has to name.
    pub path: String,
}

/// The headers that a provider puts on a request it signs: names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed(pub Vec<(String, Vec<u8>)>);

impl Signed {
    /// One header.
    pub fn header(name: &str, value: impl Into<Vec<u8>>) -> Self {
        Self(vec![(name.to_owned(), value.into())])
    }

    /// As a request brings them.
    pub fn headers(&self) -> Headers {
        self.0.iter().map(|(name, value)| (name, value)).collect()
    }
}

/// Ways to edit a body. Each answers none where the body doesn't lend itself to it.
#[derive(Debug, Clone, Copy)]
pub struct Samples {
    /// The same envelope under this event id, of a type that doesn't exist.
    pub unknown_type: fn(&[u8], &str) -> Option<Vec<u8>>,
    /// The same event under this event id, with a value of an enumeration that doesn't exist.
    pub unknown_value: fn(&[u8], &str) -> Option<Vec<u8>>,
    /// The same event under this event id, with a value of the wrong shape, and the JSON path of that value.
    pub unreadable: fn(&[u8], &str) -> Option<Unreadable>,
    /// Another content under the same event id; none where events have no id.
    pub contradiction: fn(&[u8]) -> Option<Vec<u8>>,
    /// The same event in the other mode: live for test, test for live; none where events don't say theirs.
    pub other_mode: fn(&[u8]) -> Option<Vec<u8>>,
    /// The same event in another body, as the provider may send it the second time: none where it repeats every byte.
    pub repetition: fn(&[u8]) -> Option<Vec<u8>>,
    /// The same event as an older version of the provider's API writes it: nothing where the body is as old. None for a
    /// provider whose objects have one shape.
    pub older_shape: Option<Reshape>,
}

/// Writes a body in another shape, where it lends itself to that.
pub type Reshape = fn(&[u8]) -> Option<Vec<u8>>;

/// A future that owns what it needs.
pub type Opening = BoxFuture<'static, Result<Fresh, StoreError>>;

/// A store, and how to get one.
#[derive(Clone)]
pub struct StoreUnderTest {
    /// The store's name.
    pub name: &'static str,
    /// The variable of the environment that names the server which it needs; none for a store that needs none. One that
    /// needs a server is judged only where it is asked for.
    pub server: Option<&'static str>,
    /// Opens an empty store that nobody else uses.
    pub fresh: Arc<dyn Fn() -> Opening + Send + Sync>,
    /// What a store has that outlives its process; none for a store that forgets.
    pub durable: Option<Arc<dyn Durable>>,
    /// What a store has that speaks SQL.
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

/// The store in memory, which adapters are judged on.
pub fn memory() -> StoreUnderTest {
    StoreUnderTest {
        name: "memory",
        server: None,
        fresh: Arc::new(|| Box::pin(async { Ok(Fresh::new(Arc::new(MemoryStore::new()))) })),
        durable: None,
        sql: None,
    }
}

/// An empty store, and whatever has to be kept while it is used and cleaned up after it.
pub struct Fresh {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Dropped after the store.
    pub guard: Box<dyn Any + Send + Sync>,
}

impl Fresh {
    /// A store that needs no cleaning up.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, guard: Box::new(()) }
    }
}

/// A store that outlives its process.
#[async_trait]
pub trait Durable: Send + Sync {
    /// Makes a place for one store: a file or a database of its own.
    async fn place(&self) -> Result<Box<dyn Place>, Cause>;
}

/// Where one store is kept. Dropping it removes it.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the store as a new process would, and closes the one that was open before.
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError>;

    /// Closes the store, and marks its schema as being of another version or removes it.
    async fn spoil_schema(&mut self, spoiled: Schema) -> Result<(), Cause>;
}

/// What a schema may be instead of the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There are no tables.
    Missing,
    /// It is of a newer library.
    Newer,
    /// It is of an older library.
    Older,
}

/// A store that speaks SQL.
#[async_trait]
pub trait Sql: Send + Sync {
    /// Opens an empty store whose executor fails at a statement on command.
    async fn faulty(&self, fault: Arc<StatementFault>) -> Result<Fresh, Cause>;

    /// Prepares every statement and tells how many there are. The kit's own mutant spoils the last one before.
    async fn prepare_all(&self, spoiled: bool) -> Result<usize, Cause>;

    /// Opens an empty store whose read model can be looked at and tampered with.
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
