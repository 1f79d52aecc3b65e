//! Decides what the kit must be able to reject: mutants, which are deliberately broken systems, each with the law that
//! must find it. A law that no mutant breaks proves nothing.

mod adapters;
mod declarations;
mod facts;
mod failure;
mod inbox;
mod keys;
mod promises;
mod stores;
mod systems;
mod table;

use std::{fmt, sync::Arc};

use purchase_core::{engine::Engine, provider::Provider, store::Store};

pub use failure::{FAILURES, Failure};
pub use table::MUTANTS;

use crate::{receiver::Receiver, under_test::ProviderUnderTest};

/// A deliberately broken system.
#[derive(Debug, Clone, Copy)]
pub struct Mutant {
    /// Its name.
    pub name: &'static str,
    /// The kind of failure: F1 to F7 as seen in the wild, or another category.
    pub failure: &'static str,
    /// What users of systems with this defect report; empty if no report is known.
    pub like: &'static str,
    /// The defect.
    pub sentence: &'static str,
    /// The law that must find it.
    pub law: &'static str,
    /// Where the law must find it.
    pub ground: Ground,
    /// How the system is broken.
    pub mutation: Mutation,
}

/// Where a law must find a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// With every adapter whose fixtures are all judged.
    Anywhere,
    /// On acme's scenarios. Whether another adapter can expose the mutant depends on its provider: not every provider
    /// has ties, signs a time, or lets another object name an object's owner.
    Kit,
    /// On plain's scenarios. The mutant misuses a capability that the adapter doesn't declare.
    Undeclared,
}

/// Which part of a system is broken.
#[derive(Clone, Copy, Default)]
pub enum Mutation {
    /// None.
    #[default]
    None,
    /// The adapter.
    Adapter(fn(Arc<dyn Provider>) -> Arc<dyn Provider>),
    /// The executor, which runs a batch as single statements.
    Executor,
    /// The storage: nothing outlives the process, and any schema is accepted.
    Place,
    /// One of the statements.
    Statement,
    /// The store.
    Store(fn(Arc<dyn Store>) -> Arc<dyn Store>),
    /// The code around the engine.
    System(fn(System) -> Arc<dyn Receiver>),
}

/// The parts from which a mutant around the engine is built.
pub struct System {
    /// The correct engine.
    pub engine: Engine,
    /// The adapter, because the mutant may need its signer.
    pub provider: ProviderUnderTest,
    /// The endpoint's secrets.
    pub secrets: Vec<String>,
}

impl Mutation {
    /// The adapter, broken if this mutation breaks adapters.
    pub fn provider(&self, provider: Arc<dyn Provider>) -> Arc<dyn Provider> {
        match self {
            Mutation::Adapter(wrap) => wrap(provider),
            Mutation::Executor
            | Mutation::None
            | Mutation::Place
            | Mutation::Statement
            | Mutation::Store(_)
            | Mutation::System(_) => provider,
        }
    }

    /// The store, broken if this mutation breaks stores.
    pub fn store(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        match self {
            Mutation::Store(wrap) => wrap(store),
            Mutation::Adapter(_)
            | Mutation::Executor
            | Mutation::None
            | Mutation::Place
            | Mutation::Statement
            | Mutation::System(_) => store,
        }
    }

    /// The receiver that takes deliveries.
    pub fn receiver(&self, system: System) -> Arc<dyn Receiver> {
        match self {
            Mutation::System(wrap) => wrap(system),
            Mutation::Adapter(_)
            | Mutation::Executor
            | Mutation::None
            | Mutation::Place
            | Mutation::Statement
            | Mutation::Store(_) => Arc::new(system.engine),
        }
    }
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mutation::Adapter(_) => "Adapter",
            Mutation::Executor => "Executor",
            Mutation::None => "None",
            Mutation::Place => "Place",
            Mutation::Statement => "Statement",
            Mutation::Store(_) => "Store",
            Mutation::System(_) => "System",
        })
    }
}
