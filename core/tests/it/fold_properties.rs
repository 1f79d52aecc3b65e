//! Tests that joining is associative, commutative and idempotent, and the practical consequence: folding one fact at a
//! time gives the same result as folding all facts at once.

mod facts;

use std::collections::BTreeMap;

use facts::{facts, id, links, subject, subscription, version};
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use purchase_core::{
    fact::{
        Fact, Links, Phase,
        history::History,
        object_state::ObjectState,
        order::{self, TiedObservation},
    },
    fold::SubjectState,
    id::{ObjectKind, ObjectRef},
};

/// Failures are stored under an absolute path, because a workspace's tests don't run in the folder to which the path of
/// their source is relative.
fn config() -> ProptestConfig {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/fold_properties.txt");
    let standard = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { standard.cases } else { 512 };
    ProptestConfig { cases, failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))), ..standard }
}

fn tied(fact: &Fact) -> Option<(ObjectRef, TiedObservation)> {
    let observation = fact.observation.clone()?;
    let tied = TiedObservation {
        event: fact.event.clone(),
        phase: observation.phase,
        object_state: observation.object_state,
        prior: observation.prior,
    };
    Some((observation.object, tied))
}

/// Every object's history.
#[derive(Debug, Clone, Default, PartialEq)]
struct Histories(BTreeMap<ObjectRef, History>);

impl Histories {
    fn of(facts: &[Fact]) -> Self {
        let mut all = Self::default();
        for fact in facts {
            if let Some((object, observation)) = tied(fact) {
                all.0.entry(object).or_default().insert(fact.version, observation);
            }
        }
        all
    }

    fn merge(mut self, other: Self) -> Self {
        for (object, history) in other.0 {
            self.0.entry(object).or_default().merge(history);
        }
        self
    }
}

fn joined<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Links {
    let mut all = Links::default();
    for fact in facts {
        fact.links.iter().for_each(|link| all.join(link.clone(), fact.version));
    }
    all
}

/// Facts, and the same facts in another order with some duplicates.
fn shuffled() -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
    facts().prop_flat_map(|facts| {
        let twice: Vec<Fact> = facts.iter().chain(facts.iter().take(facts.len() / 2)).cloned().collect();
        (Just(facts), Just(twice).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn joining_is_associative_commutative_and_idempotent(facts in facts(), cut in 0..14_usize, other in 0..14_usize) {
        let (cut, other) = (cut.min(facts.len()), other.min(facts.len()));
        let (low, high) = (cut.min(other), cut.max(other));
        let [a, b, c] = [&facts[..low], &facts[low..high], &facts[high..]].map(Histories::of);
        let all = a.clone().merge(b.clone().merge(c.clone()));
        prop_assert_eq!(&a.clone().merge(b.clone()).merge(c.clone()), &all);
        prop_assert_eq!(&c.merge(b).merge(a), &all);
        prop_assert_eq!(&all.clone().merge(all.clone()), &all);
    }

    #[test]
    fn links_join_in_any_order_and_any_number((facts, shuffled) in shuffled()) {
        prop_assert_eq!(joined(&shuffled), joined(&facts));
    }

    #[test]
    fn links_only_grow(facts in facts(), cut in 0..14_usize) {
        let fewer = joined(facts.iter().take(cut));
        let more = joined(&facts);
        prop_assert!(fewer.iter().all(|link| more.iter().any(|known| known == link)));
    }

    /// Covered facts may be left out, whatever arrives later.
    #[test]
    fn covered_links_say_nothing_new(before in facts(), told in links(), version in version(), after in facts()) {
        let mut with = joined(&before);
        prop_assume!(with.cover(&told, version));
        let without = joined(before.iter().chain(&after));
        told.iter().for_each(|link| with.join(link.clone(), version));
        after.iter().for_each(|fact| fact.links.iter().for_each(|link| with.join(link.clone(), fact.version)));
        prop_assert_eq!(with, without);
    }

    #[test]
    fn any_order_folds_to_the_same_state_and_transitions((facts, shuffled) in shuffled()) {
        prop_assert_eq!(SubjectState::fold(&subject(), &shuffled), SubjectState::fold(&subject(), &facts));
    }

    /// As in the engine, the state is stored and loaded between any two facts.
    #[test]
    fn one_at_a_time_ends_where_all_at_once_does((facts, shuffled) in shuffled(), in_order in any::<bool>()) {
        let mut arriving = shuffled;
        if in_order {
            arriving.sort_by_key(|fact| fact.version);
        }
        let mut state = SubjectState::default();
        let mut taken: Vec<Fact> = Vec::new();
        for fact in &arriving {
            taken.push(fact.clone());
            let stored = serde_json::to_string(&state).expect("JSON");
            state = serde_json::from_str(&stored).expect("a state");
            if state.apply(fact).is_err() {
                state = SubjectState::fold(&subject(), &taken).0;
            }
        }
        prop_assert_eq!(state, SubjectState::fold(&subject(), &facts).0);
    }

    #[test]
    fn in_order_arrival_is_never_late(mut facts in facts()) {
        facts.sort_by_key(|fact| fact.version);
        let mut state = SubjectState::default();
        for fact in &facts {
            prop_assert_eq!(state.apply(fact), Ok(()));
        }
    }

    #[test]
    fn settling_is_a_function_of_the_set(facts in facts(), before in proptest::option::of(subscription())) {
        let mut tied: Vec<TiedObservation> = facts
            .iter()
            .filter_map(tied)
            .filter(|(object, _)| object.kind == ObjectKind::Subscription)
            .map(|(_, observation)| observation)
            .collect();
        let Some(expect) = order::settle(&tied, before.as_ref()).map(|verdict| (verdict.winner.clone(), verdict.ambiguous))
        else { return Ok(()) };
        for _ in 0..tied.len() {
            tied.rotate_left(1);
            let verdict = order::settle(&tied, before.as_ref()).expect("not empty");
            prop_assert_eq!((verdict.winner.clone(), verdict.ambiguous), expect.clone());
        }
    }

    /// The oracle: a walk over states at one instant, given as edges in any order, ends where it ended, unless it is a
    /// closed walk whose start is unknown.
    #[test]
    fn a_walk_that_arrives_in_any_order_ends_where_it_ended(
        steps in proptest::collection::vec(0..4_usize, 1..8),
        object_states in proptest::collection::hash_set(subscription(), 4..5),
        created in any::<bool>(),
        rotate in 0..8_usize,
    ) {
        let object_states: Vec<ObjectState> = object_states.into_iter().filter(|object_state| !object_state.is_terminal()).collect();
        prop_assume!(object_states.len() >= 2);
        let walk: Vec<&ObjectState> = steps.iter().map(|step| &object_states[step % object_states.len()]).collect();
        let mut tied: Vec<TiedObservation> = walk
            .windows(2)
            .enumerate()
            .map(|(place, step)| TiedObservation {
                event: id(format!("e{}", 90 - place)),
                phase: Phase::Changed,
                object_state: step[1].clone(),
                prior: Some(step[0].clone()),
            })
            .collect();
        if created {
            tied.push(TiedObservation { event: id("e99"), phase: Phase::Created, object_state: walk[0].clone(), prior: None });
        }
        prop_assume!(!tied.is_empty());
        let len = tied.len();
        tied.rotate_left(rotate % len);
        let before = (!created).then(|| walk[0].clone());
        let verdict = order::settle(&tied, before.as_ref()).expect("not empty");
        prop_assert_eq!(&verdict.winner.object_state, walk[walk.len() - 1]);
        prop_assert!(!verdict.ambiguous);
    }
}
