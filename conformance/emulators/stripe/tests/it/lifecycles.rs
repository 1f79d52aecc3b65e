//! Plays random lifecycles in the world, and compares what the adapter makes of the deliveries with the story's truth
//! and with the world's own.

use purchase_conformance::{
    StoreUnderTest,
    mutants::{MUTANTS, Mutation},
    rig::Rig,
    story::Properties,
    under_test::memory,
};
use purchase_emulator::lifecycles::{Budget, run};

use crate::{script::StripeScript, sqlite_under_test, under_test};

fn properties() -> Properties<'static> {
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/lifecycles.txt");
    Properties { provider: under_test::under_test(), teller: &StripeScript, regressions }
}

fn holds(told: Result<(), String>) {
    if let Err(told) = told {
        panic!("{told}");
    }
}

#[test]
fn the_true_order_ends_as_the_story_does() {
    holds(properties().truth());
}

#[test]
fn every_order_ends_where_the_true_one_does() {
    holds(properties().any_order());
}

#[test]
fn every_way_to_fold_ends_the_same() {
    holds(properties().any_fold());
}

#[test]
fn nothing_is_told_twice_and_nothing_is_left_open() {
    holds(properties().once_and_whole());
}

/// Each of these readers is wrong in one way, and at least one story detects it.
#[test]
fn broken_systems_are_found() {
    for mutant in [
        "last-arrival-wins",
        "drops-orphans",
        "drops-the-tied",
        "last-of-the-tied",
        "drops-links",
        "drops-prior-states",
    ] {
        holds(properties().finds(mutant));
    }
}

/// The projection is what the world says, in random orders with duplicates, late events and bursts.
#[test]
fn random_lifecycles_end_in_the_truth() {
    compare(memory());
}

#[test]
fn random_lifecycles_end_in_the_truth_on_sqlite() {
    compare(sqlite_under_test::under_test());
}

/// A comparison that finds nothing wrong with a broken reader proves nothing.
#[test]
fn random_lifecycles_find_broken_systems() {
    for name in ["last-arrival-wins", "drops-orphans"] {
        let mutant = MUTANTS.iter().find(|it| it.name == name).expect("it exists");
        let rig = Rig { provider: under_test::under_test(), store: memory(), mutation: mutant.mutation };
        let found = run(&rig, &StripeScript, Budget { lifecycles: 40, seed: 1 });
        assert!(found.is_err(), "{name} survives");
    }
}

fn compare(store: StoreUnderTest) {
    let rig = Rig { provider: under_test::under_test(), store, mutation: Mutation::None };
    match run(&rig, &StripeScript, Budget::of(1000)) {
        Ok(figures) => println!("{figures}"),
        Err(told) => panic!("{told}"),
    }
}
