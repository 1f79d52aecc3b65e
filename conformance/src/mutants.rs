//! Decides what the kit must be able to reject: systems that are broken on purpose, each with the law that has to find
//! it. A law that no mutant breaks proves nothing.

mod adapters;
mod failure;
mod stores;
mod systems;

use std::{fmt, sync::Arc};

use purchase_core::{engine::Engine, provider::Provider, store::Store};

pub use failure::{FAILURES, Failure};

use crate::{rig::Receiver, under_test::ProviderUnderTest};

/// A system that is broken on purpose.
#[derive(Debug, Clone, Copy)]
pub struct Mutant {
    /// Its name.
    pub name: &'static str,
    /// The kind of failure: F1 to F7 as seen in the wild, or what else it gets wrong.
    pub failure: &'static str,
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
    /// On the kit's own scenarios: whether an adapter's can show it depends on its provider. Not every provider has
    /// ties, signs a time, or leaves an object's owner to another object.
    Kit,
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
            Mutation::Executor | Mutation::None | Mutation::Place | Mutation::Store(_) | Mutation::System(_) => {
                provider
            }
        }
    }

    /// The store, broken if this breaks stores.
    pub fn store(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        match self {
            Mutation::Store(wrap) => wrap(store),
            Mutation::Adapter(_) | Mutation::Executor | Mutation::None | Mutation::Place | Mutation::System(_) => store,
        }
    }

    /// What takes deliveries.
    pub fn receiver(&self, system: System) -> Arc<dyn Receiver> {
        match self {
            Mutation::System(wrap) => wrap(system),
            Mutation::Adapter(_) | Mutation::Executor | Mutation::None | Mutation::Place | Mutation::Store(_) => {
                Arc::new(system.engine)
            }
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
            Mutation::Store(_) => "Store",
            Mutation::System(_) => "System",
        })
    }
}

macro_rules! mutant {
    ($name:literal $failure:literal $law:literal $ground:ident $sentence:literal $mutation:expr) => {
        Mutant {
            name: $name,
            failure: $failure,
            law: $law,
            sentence: $sentence,
            ground: Ground::$ground,
            mutation: $mutation,
        }
    };
}

use Mutation::{Adapter, Executor, Place, Store as InStore, System as Around};

/// Every mutant.
pub const MUTANTS: &[Mutant] = &[
    mutant!("believes-everybody" "signature" "P02" Anywhere "signs every body with the right secret itself before it checks it"
        Around(systems::believes_everybody)),
    mutant!("parses-before-checking" "signature" "P01" Anywhere "checks the signature over the body as it writes it again"
        Around(systems::parses_before_checking)),
    mutant!("ignores-the-time" "signature" "P03" Kit "checks no age" Adapter(adapters::ignores_the_time)),
    mutant!("first-signature-only" "signature" "P04" Kit "looks at the first signature only"
        Adapter(adapters::first_signature_only)),
    mutant!("last-signature-only" "signature" "P04" Kit "looks at the last signature only"
        Adapter(adapters::last_signature_only)),
    mutant!("first-secret-only" "signature" "P04" Anywhere "tries the first secret only" Adapter(adapters::first_secret_only)),
    mutant!("last-arrival-wins" "F1" "P06" Anywhere "orders photographs by their arrival" Adapter(adapters::last_arrival_wins)),
    mutant!("drops-the-tied" "F2" "P06" Kit "drops a photograph that is not newer than the last one"
        Adapter(adapters::drops_the_tied)),
    mutant!("last-of-the-tied" "F2" "P06" Kit "settles ties by arrival" Adapter(adapters::last_of_the_tied)),
    mutant!("drops-prior-states" "F2" "P14" Kit "takes no evidence of the state before" Adapter(adapters::drops_prior_states)),
    mutant!("drops-orphans" "F3" "P06" Kit "drops what is about an object it has not seen created"
        Adapter(adapters::drops_orphans)),
    mutant!("drops-waits" "F3" "P06" Kit "forgets who waits for whom" InStore(stores::drops_waits)),
    mutant!("drops-links" "F3" "P14" Anywhere "forgets what belongs to whom" Adapter(adapters::drops_links)),
    mutant!("forgets-the-ended" "F4" "P06" Kit "deletes an ended subscription, so that a late update makes a new one"
        InStore(stores::forgets_the_ended)),
    mutant!("swallows-errors" "F5" "P09" Anywhere "answers 200 when its store fails" Around(systems::swallows_errors)),
    mutant!("claims-before-effects" "F5" "P09" Anywhere "marks events as done before it writes what they bring"
        InStore(stores::claims_before_effects)),
    mutant!("half-a-commit" "F5" "P09" Anywhere "writes facts and subjects apart" InStore(stores::half_a_commit)),
    mutant!("answers-and-forgets" "F5" "P18" Kit "answers 200 and keeps nothing of what it ignores"
        InStore(stores::forgets_the_ignored)),
    mutant!("effect-per-delivery" "F6" "P05" Anywhere "takes each delivery for an event of its own"
        Adapter(adapters::effect_per_delivery)),
    mutant!("blind-writes" "F7" "P08" Anywhere "writes whatever revision there is" InStore(stores::blind_writes)),
    mutant!("blind-store" "F7" "S02" Anywhere "writes whatever revision there is" InStore(stores::blind_writes)),
    mutant!("goes-by-the-body" "conflict" "P13" Anywhere "names events by their bodies" Adapter(adapters::goes_by_the_body)),
    mutant!("accepts-conflicts" "conflict" "P13" Kit "takes another body under the same id for a repetition"
        Adapter(adapters::accepts_conflicts)),
    mutant!("refuses-unknown-types" "reading" "P10" Anywhere "takes an unknown type for an error"
        Adapter(adapters::refuses_unknown_types)),
    mutant!("refuses-unknown-values" "reading" "P12" Anywhere "takes an unknown state for an error"
        Adapter(adapters::refuses_unknown_values)),
    mutant!("guesses" "reading" "P17" Anywhere "takes a body that it can't read for one without meaning"
        Adapter(adapters::guesses)),
    mutant!("talks" "redaction" "P15" Anywhere "says in its errors which object they are about" Adapter(adapters::talks)),
    mutant!("first-of-each-batch" "batches" "P07" Anywhere "takes the first delivery of a batch for all of it"
        Around(systems::first_of_each_batch)),
    mutant!("loses-facts" "rebuild" "P16" Anywhere "keeps the state and not the facts" InStore(stores::loses_facts)),
    mutant!("accepts-twice" "store" "S01" Anywhere "accepts an event that is there as new" InStore(stores::accepts_twice)),
    mutant!("torn-batches" "store" "S03" Anywhere "runs the statements of a batch one by one" Executor),
    mutant!("forgets-leases" "store" "S04" Anywhere "commits under any lease" InStore(stores::forgets_leases)),
    mutant!("claims-twice" "store" "S05" Anywhere "gives an event that somebody holds to another worker"
        InStore(stores::claims_twice)),
    mutant!("reads-the-past" "store" "S06" Anywhere "answers with what it read before" InStore(stores::reads_the_past)),
    mutant!("forgets-on-closing" "store" "S08" Kit "keeps everything in memory" Place),
    mutant!("opens-anything" "store" "S10" Kit "looks at no schema" Place),
    mutant!("writes-only-news" "store" "S09" Anywhere "writes no subject whose state is as it was" InStore(stores::writes_only_news)),
    mutant!("drops-rows" "store" "S11" Anywhere "reads back only the first subjects of a page" InStore(stores::drops_rows)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mutant_has_a_law_and_each_failure_a_mutant() {
        for mutant in MUTANTS {
            assert!(crate::law::find(mutant.law).is_some(), "{}", mutant.name);
        }
        for failure in ["F1", "F2", "F3", "F4", "F5", "F6", "F7"] {
            assert!(MUTANTS.iter().any(|mutant| mutant.failure == failure), "{failure}");
        }
    }
}
