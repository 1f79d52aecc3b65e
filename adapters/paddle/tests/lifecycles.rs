//! Tells random lifecycles as Paddle would, and compares what becomes of them with what is true.

#[path = "lifecycles/mod.rs"]
mod telling;
#[path = "conformance/under_test.rs"]
mod under_test;

use std::future::Future;

use purchase_conformance::{
    law::Effort,
    mutants::{MUTANTS, Mutation},
    rig::Rig,
    story::{Budget, Judge, Story, Teller, hold},
    trials::memory,
    verdict::Broken,
};
use telling::PaddleTeller;
use under_test::PADDLE;

const BUDGET: Budget = Budget {
    cases: 96,
    wishes: 36,
    simpler: 500,
    regressions: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/lifecycles.txt")),
};

/// How closely each story is looked at by a law: a few schedules each.
const EFFORT: Effort = Effort { samples: 3, exhaustive: 3 };

fn judge(mutation: Mutation) -> Judge<'static> {
    Judge { rig: Rig { provider: PADDLE, store: memory(), mutation }, teller: &PaddleTeller }
}

fn done<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn each(budget: Budget, check: impl Fn(&Story) -> Result<(), Broken>) {
    if let Err(told) = hold(budget, |step| PaddleTeller.can(step), check) {
        panic!("{told}");
    }
}

#[test]
fn the_true_order_ends_as_the_story_does() {
    let judge = judge(Mutation::None);
    each(BUDGET, |story| done(judge.told_truly(story)));
}

#[test]
fn every_order_ends_where_the_true_one_does() {
    let judge = judge(Mutation::None);
    each(BUDGET, |story| done(judge.holds(story, "P06", EFFORT)));
}

#[test]
fn every_way_to_fold_ends_the_same() {
    let judge = judge(Mutation::None);
    each(Budget { cases: 12, ..BUDGET }, |story| done(judge.holds(story, "P16", EFFORT)));
}

/// What is proved here can be disproved: each of these is wrong in one way, and some story shows it.
#[test]
fn broken_systems_are_found() {
    let budget = Budget { cases: 40, wishes: 12, simpler: 0, regressions: None };
    for name in ["last-arrival-wins", "drops-orphans"] {
        let mutant = MUTANTS.iter().find(|mutant| mutant.name == name).unwrap_or_else(|| panic!("no mutant {name}"));
        let judge = judge(mutant.mutation);
        let found = hold(budget, |step| PaddleTeller.can(step), |story| done(judge.holds(story, "P06", EFFORT)));
        assert!(found.is_err(), "{name} survives every order");
    }
}
