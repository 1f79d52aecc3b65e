//! Decides what the kit must be able to reject: systems that are broken on purpose, each with the law that has to find
//! it. A law that no mutant breaks proves nothing.

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

/// A system that is broken on purpose.
#[derive(Debug, Clone, Copy)]
pub struct Mutant {
    /// Its name.
    pub name: &'static str,
    /// The kind of failure: F1 to F7 as seen in the wild, or what else it gets wrong.
    pub failure: &'static str,
    /// What people report who use systems like it; empty where none is known.
    pub like: &'static str,
    /// What it does.
    pub sentence: &'static str,
    /// The law that must find it.
    pub law: &'static str,
    /// Where it must show itself.
    pub ground: Ground,
    /// How it is broken.
    pub mutation: Mutation,
}

/// Where a mutant must show itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// With every adapter whose fixtures are all there.
    Anywhere,
    /// On acme's scenarios: whether an adapter's can show it depends on its provider. Not every provider has
    /// ties, signs a time, or leaves an object's owner to another object.
    Kit,
    /// On plain's scenarios: it is wrong about what an adapter doesn't declare.
    Undeclared,
}

/// Where a system is broken.
#[derive(Clone, Copy, Default)]
pub enum Mutation {
    /// Nowhere.
    #[default]
    None,
    /// In its adapter.
    Adapter(fn(Arc<dyn Provider>) -> Arc<dyn Provider>),
    /// In its executor, which tears batches into single statements.
    Executor,
    /// Where it is kept: nothing outlives its process, and any schema will do.
    Place,
    /// In one of its statements.
    Statement,
    /// In its store.
    Store(fn(Arc<dyn Store>) -> Arc<dyn Store>),
    /// Around its engine.
    System(fn(System) -> Arc<dyn Receiver>),
}

/// What a mutant around the engine is made of.
pub struct System {
    /// The engine, right as it is.
    pub engine: Engine,
    /// The adapter, for its signer.
    pub provider: ProviderUnderTest,
    /// The endpoint's secrets.
    pub secrets: Vec<String>,
}

impl Mutation {
    /// The adapter, broken if this breaks adapters.
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

    /// The store, broken if this breaks stores.
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

    /// What takes deliveries.
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
