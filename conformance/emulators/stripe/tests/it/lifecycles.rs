//! Plays random lifecycles in the world, and compares what the adapter makes of the deliveries with the story's truth
//! and with the world's own.

use purchase_conformance::story::Properties;

use crate::{script::StripeScript, under_test};

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
