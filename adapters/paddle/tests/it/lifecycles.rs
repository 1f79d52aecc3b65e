//! Generates the events of random lifecycles as Paddle would send them, and compares the resulting state with the
//! truth.

use crate::{telling::PaddleTeller, under_test};
use purchase_conformance::story::Properties;

fn properties() -> Properties<'static> {
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/lifecycles.txt");
    Properties { provider: under_test::under_test(), teller: &PaddleTeller, regressions }
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
fn nothing_is_reported_twice_and_nothing_is_left_open() {
    holds(properties().once_and_whole());
}

/// Each of these readers is wrong in one way, and at least one story detects it.
#[test]
fn broken_systems_are_found() {
    for mutant in ["last-arrival-wins", "drops-orphans", "drops-links"] {
        holds(properties().finds(mutant));
    }
}
