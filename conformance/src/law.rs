//! Decides what conformant means, in one table of laws. Law ids are permanent: an id is never given to another law.

pub mod counterpart;
pub mod provider;
pub mod store;

use futures_util::future::BoxFuture;
use purchase_core::capability::Capability;

use crate::{
    law::counterpart::CounterpartTrial,
    mutants::Mutation,
    rig::Rig,
    scenario::Scenario,
    schedule::random_of,
    under_test::StoreUnderTest,
    verdict::{Broken, Verdict},
};

/// A law, with its check.
#[derive(Clone, Copy)]
pub struct Law {
    /// The permanent id.
    pub id: &'static str,
    /// What must hold, in one sentence.
    pub sentence: &'static str,
    /// How binding the law is.
    pub severity: Severity,
    /// The promise or failure that the law comes from.
    pub source: &'static str,
    /// How the law is checked.
    pub check: Check,
}

/// The part of a law that documents and reports show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The permanent id.
    pub id: &'static str,
    /// What must hold, in one sentence.
    pub sentence: &'static str,
    /// How binding the law is.
    pub severity: Severity,
    /// The promise or failure that the law comes from.
    pub source: &'static str,
    /// What the law judges: adapters, stores or counterparts.
    pub judges: &'static str,
}

/// The version of the laws, separate from the kit's version. It changes when a law is added, removed or reworded.
pub const SPEC: &str = "1.3";

/// The law that there is something to judge. A scenario that can't be read breaks it, and so does an adapter without
/// scenarios.
pub const COMPLETENESS: Statement = Statement {
    id: "P00",
    sentence: "Every scenario can be read, and every adapter has scenarios.",
    severity: Severity::Must,
    source: "nothing passes by doing nothing",
    judges: "the run",
};

/// The statements of all laws, in the order of their ids.
pub fn statements() -> impl Iterator<Item = Statement> {
    std::iter::once(COMPLETENESS).chain(LAWS.iter().map(Law::statement))
}

impl Law {
    /// The law's statement, without its check.
    pub fn statement(&self) -> Statement {
        let Law { id, sentence, severity, source, check } = *self;
        let judges = match check {
            Check::Declared(..) => "adapters that declare the capability",
            Check::Durable(_) => "durable stores",
            Check::Provider(_) => "adapters",
            Check::Some(..) => "adapters, on suitable scenarios",
            Check::Sql(_) => "SQL stores",
            Check::Store(_) => "stores",
            Check::Counterpart(_) => "counterparts",
        };
        Statement { id, sentence, severity, source, judges }
    }
}

/// How binding a law is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// A system that breaks the law is not conformant.
    Must,
    /// A system that breaks the law must say why.
    Should,
}

impl Severity {
    /// The word that standards use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Must => "MUST",
            Severity::Should => "SHOULD",
        }
    }
}

/// How a law is checked.
#[derive(Clone, Copy)]
pub enum Check {
    /// Checked for each scenario, on each store.
    Provider(for<'a> fn(&'a Trial) -> BoxFuture<'a, Verdict>),
    /// As `Provider`, but only for adapters that declare the capability, and only on suitable scenarios. Another law
    /// says what holds for an adapter that doesn't declare it.
    Declared(Capability, fn(&Trial) -> bool, for<'a> fn(&'a Trial) -> BoxFuture<'a, Verdict>),
    /// As `Provider`, but only on suitable scenarios.
    Some(fn(&Trial) -> bool, for<'a> fn(&'a Trial) -> BoxFuture<'a, Verdict>),
    /// Checked for each store.
    Store(for<'a> fn(&'a StoreTrial) -> BoxFuture<'a, Verdict>),
    /// Checked for each store that outlives its process.
    Durable(for<'a> fn(&'a StoreTrial) -> BoxFuture<'a, Verdict>),
    /// Checked for each store that uses SQL.
    Sql(for<'a> fn(&'a StoreTrial) -> BoxFuture<'a, Verdict>),
    /// Checked for each counterpart, on each store.
    Counterpart(for<'a> fn(&'a CounterpartTrial) -> BoxFuture<'a, Verdict>),
}

impl Law {
    /// Whether the law must be judged on a scenario. An adapter that can't be built is judged too, so that the report
    /// shows the failure.
    pub fn applies(&self, trial: &Trial) -> bool {
        match self.check {
            Check::Declared(capability, applies, _) => trial.declares(capability).unwrap_or(true) && applies(trial),
            Check::Provider(_) => true,
            Check::Some(applies, _) => applies(trial),
            Check::Durable(_) | Check::Sql(_) | Check::Store(_) | Check::Counterpart(_) => false,
        }
    }
}

/// How many schedules a law tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// How many random schedules are tried if there are too many to try all.
    pub samples: usize,
    /// The largest number of deliveries for which every permutation is executed, in memory.
    pub exhaustive: usize,
}

impl Effort {
    /// For a run by hand or in CI.
    pub const FULL: Self = Self { samples: 200, exhaustive: Scenario::EXHAUSTIVE };
    /// For tests that run all the time.
    pub const QUICK: Self = Self { samples: 24, exhaustive: 4 };

    /// The largest number of deliveries for which every permutation is executed on this store. The in-memory store
    /// already decides what depends on the order. A store on disk is slower, and one behind a server slower still. Both
    /// only have to keep what they receive, so longer scenarios are sampled there.
    pub fn exhaustive_on(self, store: &StoreUnderTest) -> usize {
        self.exhaustive.min(match (store.server, &store.durable) {
            (Some(_), _) => Scenario::EXHAUSTIVE_ON_SERVER,
            (None, Some(_)) => Scenario::EXHAUSTIVE_ON_DISK,
            (None, None) => Scenario::EXHAUSTIVE,
        })
    }
}

/// One adapter on one store with one scenario.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The adapter and the store.
    pub rig: Rig,
    /// The scenario.
    pub scenario: Scenario,
    /// How many schedules are tried.
    pub effort: Effort,
    /// The seed of every random choice.
    pub seed: u64,
}

impl Trial {
    /// The random numbers of one law.
    pub fn random(&self, law: &str) -> rand::rngs::StdRng {
        random_of(self.seed, &format!("{law}/{}", self.scenario.name))
    }

    /// Whether the adapter declares a capability.
    ///
    /// # Errors
    /// When the adapter can't be built.
    pub fn declares(&self, capability: Capability) -> Result<bool, Broken> {
        Ok(self.rig.declared(&self.scenario)?.contains(&capability))
    }
}

/// One store under test.
#[derive(Debug, Clone)]
pub struct StoreTrial {
    /// The store.
    pub store: StoreUnderTest,
    /// The mutation, if any.
    pub mutation: Mutation,
    /// How many schedules are tried.
    pub effort: Effort,
    /// The seed of every random choice.
    pub seed: u64,
}

macro_rules! law {
    ($id:literal $severity:ident $sentence:literal $source:literal $kind:ident($($check:expr),*)) => {
        Law {
            id: $id,
            sentence: $sentence,
            severity: Severity::$severity,
            source: $source,
            check: Check::$kind($($check),*),
        }
    };
}

/// Every law.
pub const LAWS: &[Law] = &[
    law!("P01" Must "A body that was changed in transit is refused, and the genuine body is accepted in the same run."
        "only genuine bytes" Provider(|trial| Box::pin(provider::signature::tampered_body(trial)))),
    law!("P02" Must "A signature that was changed or made with another secret is refused."
        "only genuine senders" Provider(|trial| Box::pin(provider::signature::tampered_signature(trial)))),
    law!("P03" Must "A delivery whose signed time is off by more than the tolerance is refused; at exactly the tolerance it is accepted."
        "nothing is replayed" Declared(Capability::SignedTime, |_| true, |trial| Box::pin(provider::signature::replay_window(trial)))),
    law!("P04" Must "A request is accepted if at least one of its signatures was made with a live secret, and refused otherwise."
        "secrets are rolled without a gap" Provider(|trial| Box::pin(provider::signature::rotation(trial)))),
    law!("P05" Must "A repeated delivery is answered as a duplicate and changes nothing: one event, one transition."
        "effects once; F6" Provider(|trial| Box::pin(provider::arrival::duplicates(trial)))),
    law!("P06" Must "The deliveries lead to the same projection, byte by byte, in every order."
        "set law; F1, F2, F3, F4" Provider(|trial| Box::pin(provider::arrival::any_order(trial)))),
    law!("P07" Must "The deliveries lead to the same projection, however they are split into batches."
        "set law" Provider(|trial| Box::pin(provider::arrival::any_batches(trial)))),
    law!("P08" Must "Concurrent workers on one store lead to the same projection."
        "set law; F7" Provider(|trial| Box::pin(provider::arrival::concurrent_workers(trial)))),
    law!("P09" Must "A crash before or after any store call loses nothing: after the sender retries, the result is the same."
        "durable before acknowledged; F5" Provider(|trial| Box::pin(provider::arrival::crash_at_every_call(trial)))),
    law!("P10" Must "An event of an unknown type is recorded as ignored, answered 2xx, and changes nothing."
        "nothing is dropped" Provider(|trial| Box::pin(provider::keeping::unknown_type(trial)))),
    law!("P11" Must "When two providers report the same story, the entitlements and subscriptions are the same."
        "truth law" Counterpart(|trial| Box::pin(counterpart::same_story(trial)))),
    law!("P12" Must "An unknown value of an enumeration is accepted, in every order."
        "nothing is dropped" Some(provider::keeping::has_unknown_value, |trial| Box::pin(provider::keeping::unknown_value(trial)))),
    law!("P13" Must "A different body under a known event id is refused as a conflict, stored, and changes nothing."
        "nothing is dropped; same key, same answer" Declared(Capability::EventIds, provider::keeping::has_contradiction, |trial| Box::pin(provider::keeping::conflict(trial)))),
    law!("P14" Must "After all deliveries have arrived, the scenario's expectations hold."
        "truth law; F2, F3" Provider(|trial| Box::pin(provider::order::expectations(trial)))),
    law!("P15" Must "No secret, raw provider id or e-mail address appears in an error, a receipt, a snapshot, the log, or Debug output."
        "redacted by construction" Provider(|trial| Box::pin(provider::redaction::nothing_leaks(trial)))),
    law!("P16" Must "Folding step by step, rebuilding from the facts and replaying the events give the same projection."
        "set law; closed, never deleted" Provider(|trial| Box::pin(provider::arrival::rebuild_and_replay(trial)))),
    law!("P17" Must "An unreadable body is stored as failed, with the JSON path of the fault, and affects no other delivery."
        "nothing is dropped" Some(provider::keeping::has_unreadable, |trial| Box::pin(provider::keeping::unreadable(trial)))),
    law!("P18" Must "Every acknowledged event is stored with a final status; it is parked exactly while one of its subjects is parked."
        "nothing is dropped; F5" Provider(|trial| Box::pin(provider::keeping::acknowledged_is_stored(trial)))),
    law!("P19" Must "An event's id is the id in its body; without the capability, it is the digest of the body."
        "capabilities" Provider(|trial| Box::pin(provider::capability::event_ids(trial)))),
    law!("P20" Must "An event's mode is the mode in its body; without the capability, it is the configured mode."
        "capabilities" Provider(|trial| Box::pin(provider::capability::mode_in_event(trial)))),
    law!("P21" Must "A prior state is a state that the object had before; without the capability, there are no prior states."
        "capabilities" Provider(|trial| Box::pin(provider::capability::prior_states(trial)))),
    law!("P22" Must "The signed time is read, and old deliveries are refused; without the capability, no time is invented and no tolerance is promised."
        "capabilities" Provider(|trial| Box::pin(provider::capability::signed_time(trial)))),
    law!("P23" Must "Two sources with the same raw ids in one database never mix: each has the same projection as if it were alone."
        "set law" Provider(|trial| Box::pin(provider::apart::sources_stay_apart(trial)))),
    law!("P24" Must "An application's customer and a provider's customer with the same id never share anything."
        "two namespaces of customers" Some(provider::apart::is_about_somebody, |trial| Box::pin(provider::apart::namespaces_stay_apart(trial)))),
    law!("P25" Must "An event about one object never changes the owner of another object that names its own owner, in any order."
        "what an object says of itself counts" Some(provider::meaning::names_owners, |trial| Box::pin(provider::meaning::own_owner_counts(trial)))),
    law!("P26" Must "The same object in two API shapes gives the same object state."
        "truth law" Some(provider::meaning::has_older_shape, |trial| Box::pin(provider::meaning::any_shape(trial)))),
    law!("P27" Must "Nothing grants access before it begins."
        "truth law" Provider(|trial| Box::pin(provider::meaning::nothing_before_it_began(trial)))),
    law!("P28" Must "Content that the adapter does not read changes nothing: half a surrogate pair, a number beyond floats, deep nesting, a byte order mark."
        "nothing is dropped" Some(provider::unread::has_object, |trial| Box::pin(provider::unread::changes_nothing(trial)))),
    law!("P29" Must "A replay by an engine without the adapter, for another mode or for another account changes nothing."
        "nothing is dropped" Provider(|trial| Box::pin(provider::elsewhere::replay_changes_nothing(trial)))),
    law!("P30" Must "A worker returns events that another engine serves: no attempt is counted, and that engine processes them."
        "nothing is dropped" Provider(|trial| Box::pin(provider::elsewhere::queue_is_shared(trial)))),
    law!("S01" Must "An event is accepted once; accepting it again changes nothing."
        "effects once; F6" Store(|trial| Box::pin(store::promises::accept_once(trial)))),
    law!("S02" Must "A commit at a stale revision is refused, and nothing of it is written."
        "one winner per revision; F7" Store(|trial| Box::pin(store::promises::stale_revision(trial)))),
    law!("S03" Must "If any statement of a commit fails, nothing of the commit is written."
        "all or nothing; F5" Sql(|trial| Box::pin(store::sql::failure_leaves_nothing(trial)))),
    law!("S04" Must "A commit under a lost lease is refused, and nothing of it is written."
        "one worker per event; F6" Store(|trial| Box::pin(store::promises::lost_lease(trial)))),
    law!("S05" Must "Claims never overlap, even when they race, and every due event is claimed."
        "one worker per event; F6" Store(|trial| Box::pin(store::promises::claims_apart(trial)))),
    law!("S06" Must "Every later call sees what was committed."
        "durable before acknowledged; F1" Store(|trial| Box::pin(store::promises::read_your_writes(trial)))),
    law!("S07" Must "Every SQL statement can be prepared."
        "ready before the first delivery" Sql(|trial| Box::pin(store::sql::statements_prepare(trial)))),
    law!("S08" Must "What was committed survives closing and reopening the store."
        "durable before acknowledged; F5" Durable(|trial| Box::pin(store::durable::survives_reopening(trial)))),
    law!("S09" Must "A rebuild restores every row of a read model that was tampered with."
        "the read model is derived" Sql(|trial| Box::pin(store::sql::rebuild_restores(trial)))),
    law!("S10" Must "An older, newer or missing schema is refused with the matching error."
        "ready before the first delivery" Durable(|trial| Box::pin(store::durable::schema_is_checked(trial)))),
    law!("S11" Must "The store gives the same projection as the in-memory store."
        "set law" Store(|trial| Box::pin(store::promises::same_as_memory(trial)))),
    law!("S12" Must "An event is not claimed while a worker holds an earlier event with the same ordering key; other events are claimed."
        "one worker per customer" Store(|trial| Box::pin(store::ordering_keys::in_order(trial)))),
    law!("S13" Must "A claim counts as an attempt, even if its worker never reports back."
        "nothing is dropped; F5" Store(|trial| Box::pin(store::ordering_keys::attempts_are_counted(trial)))),
    law!("S14" Must "A body is stored byte for byte, whatever it contains and whichever call stores it."
        "nothing is dropped" Store(|trial| Box::pin(store::bodies::to_the_byte(trial)))),
    law!("S15" Must "Events and subjects are found by their public ids, and an unknown public id finds nothing."
        "what a receipt names can be found" Store(|trial| Box::pin(store::lookups::by_public_id(trial)))),
    law!("S16" Must "Requests with the same idempotency key have one effect and one answer; a request with different content is refused."
        "same key, same answer; same key, other content: conflict" Store(|trial| Box::pin(store::keys::once_for_all(trial)))),
    law!("S17" Must "A parked event becomes processed when the last of its subjects is released, and not earlier; its reason is kept."
        "nothing is dropped; F3" Store(|trial| Box::pin(store::history::released_by_the_last(trial)))),
    law!("S18" Must "A subject waits exactly for the owners that its last commit names."
        "nothing is dropped; F3" Store(|trial| Box::pin(store::history::waits_are_replaced(trial)))),
    law!("S19" Must "A commit replaces an object's transitions from an instant on; earlier transitions and those of other objects stay."
        "effects once; F6" Store(|trial| Box::pin(store::history::transitions_are_replaced(trial)))),
    law!("S20" Must "A subject's facts are listed once each, in the order of their versions; reading an event again replaces its facts."
        "set law; F2" Store(|trial| Box::pin(store::history::facts_are_in_order(trial)))),
    law!("S21" Must "Events are listed once each, in the order of arrival, with every filter and every page size."
        "nothing is dropped" Store(|trial| Box::pin(store::pages::events_are_listed(trial)))),
    law!("S22" Must "A body in conflict is stored once, next to the accepted event, and listed only by the query for conflicts."
        "same key, other content: conflict" Store(|trial| Box::pin(store::pages::conflicts_stand_beside(trial)))),
    law!("S23" Must "A commit changes an event only if its status is the expected one, and inserts it only once; otherwise nothing is written."
        "one winner; F7" Store(|trial| Box::pin(store::pages::moved_on(trial)))),
    law!("S24" Must "Subjects are listed once each, in the order of their keys, with every filter and every page size."
        "two namespaces of customers" Store(|trial| Box::pin(store::pages::subjects_are_listed(trial)))),
    law!("S25" Must "A fact keeps the time of the first commit that contained it, even if its event is read again."
        "what was known, and when" Store(|trial| Box::pin(store::history::facts_keep_their_time(trial)))),
];

/// Finds a law by its id.
pub fn find(id: &str) -> Option<&'static Law> {
    LAWS.iter().find(|law| law.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<&str> = LAWS.iter().map(|law| law.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), LAWS.len());
        assert!(find("P00").is_none() && find("p01").is_some());
    }

    #[test]
    fn every_law_is_told_once_in_the_order_of_ids() {
        let ids: Vec<&str> = statements().map(|law| law.id).collect();
        assert!(ids.is_sorted() && ids.len() == LAWS.len() + 1, "{ids:?}");
        for law in statements() {
            assert!(law.sentence.ends_with('.') && !law.source.is_empty(), "{}", law.id);
        }
    }
}
