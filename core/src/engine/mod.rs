//! Takes a delivery through its steps: verify, read, fold, commit. Adapters supply everything provider-specific, the
//! store supplies everything durable, and each call supplies the time.
//!
//! The engine has four parts: it receives deliveries (`receiving`), processes stored events (`queue`), answers
//! queries (`reading`), and runs operators' tasks (`operating`). `plan` builds each commit and does no I/O.
//!
//! ```
//! use std::sync::Arc;
//!
//! use purchase_core::{engine::Engine, id::CustomerId, store::memory::MemoryStore, time::Timestamp};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Add adapters with `with_provider`; without one the engine reads and takes in nothing.
//!     let engine = Engine::new(Arc::new(MemoryStore::new()));
//!     engine.ready().await?;
//!     let now = Timestamp::from_seconds(1_767_225_600)?;
//!     assert!(engine.customer(&CustomerId::new("ada")?, now).await?.is_empty());
//!     Ok(())
//! }
//! ```

mod operating;
mod plan;
mod queue;
mod reading;
mod receiving;

use std::{collections::BTreeMap, sync::Arc};

pub use operating::{
    rebuild::RebuildReport,
    replay::{ReplayReport, Selection},
    report::{Answer, AnswerChange, RereadOptions, RereadReport},
};
pub use queue::{retry::RetryPolicy, work::WorkReport};
pub use reading::ProjectionQuery;
pub use receiving::admitted::Admitted;

use crate::{
    catalog::Catalog,
    delivery::Limits,
    entitlement::{AccessPolicy, Dunning},
    error::Refusal,
    id::ProviderName,
    provider::Provider,
    store::Store,
};

/// The engine: adapters, a store, and the application's settings.
///
/// ```
/// # use std::sync::Arc;
/// # use purchase_core::{engine::Engine, store::memory::MemoryStore};
/// let engine = Engine::new(Arc::new(MemoryStore::new()));
/// ```
#[derive(Clone)]
pub struct Engine {
    providers: BTreeMap<ProviderName, Arc<dyn Provider>>,
    store: Arc<dyn Store>,
    settings: Settings,
    dunning: Dunning,
}

/// The application's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Prices and offers.
    pub catalog: Catalog,
    /// Which states give access.
    pub policy: AccessPolicy,
    /// Limits on input from outside.
    pub limits: Limits,
    /// How often a commit is tried while other writers keep changing the same subjects.
    pub commit_attempts: u32,
    /// When a failed event is tried again, and when it is given up.
    pub retry: RetryPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            catalog: Catalog::default(),
            policy: AccessPolicy::default(),
            limits: Limits::default(),
            commit_attempts: 32,
            retry: RetryPolicy::default(),
        }
    }
}

impl Engine {
    /// An engine without adapters.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { providers: BTreeMap::new(), store, settings: Settings::default(), dunning: Dunning::default() }
    }

    /// Adds an adapter, replacing one of the same name.
    #[must_use]
    pub fn with_provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.dunning.declare(provider.name().clone(), provider.longest_dunning_seconds());
        self.providers.insert(provider.name().clone(), provider);
        self
    }

    /// Sets the application's settings.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The same engine over another store.
    #[must_use]
    pub fn over(&self, store: Arc<dyn Store>) -> Self {
        Self { store, ..self.clone() }
    }

    /// The application's settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn provider(&self, name: &ProviderName) -> Result<&Arc<dyn Provider>, Refusal> {
        self.providers.get(name).ok_or_else(|| Refusal::UnknownProvider { provider: name.to_string() })
    }
}
