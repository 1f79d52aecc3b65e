//! Tells random lifecycles as Stripe would, and compares what becomes of them with what is true.

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
use telling::StripeTeller;

const BUDGET: Budget = Budget {
    cases: 96,
    wishes: 36,
    simpler: 500,
    regressions: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/lifecycles.txt")),
};

/// How closely each story is looked at by a law: a few schedules each.
const EFFORT: Effort = Effort { samples: 3, exhaustive: 3 };

fn judge(mutation: Mutation) -> Judge<'static> {
    Judge { rig: Rig { provider: under_test::under_test(), store: memory(), mutation }, teller: &StripeTeller }
}

fn done<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn each(budget: Budget, check: impl Fn(&Story) -> Result<(), Broken>) {
    if let Err(told) = hold(budget, |step| StripeTeller.can(step), check) {
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

#[test]
fn nothing_is_told_twice_and_nothing_is_left_open() {
    let judge = judge(Mutation::None);
    each(Budget { cases: 12, ..BUDGET }, |story| {
        done(judge.holds(story, "P05", EFFORT))?;
        done(judge.holds(story, "P18", EFFORT))
    });
}

/// What is proved here can be disproved: each of these is wrong in one way, and some story shows it.
#[test]
fn broken_systems_are_found() {
    let budget = Budget { cases: 40, wishes: 12, simpler: 0, regressions: None };
    let found = |name: &str, check: &dyn Fn(&Judge<'_>, &Story) -> Result<(), Broken>| {
        let mutant = MUTANTS.iter().find(|mutant| mutant.name == name).unwrap_or_else(|| panic!("no mutant {name}"));
        let judge = judge(mutant.mutation);
        assert!(hold(budget, |step| StripeTeller.can(step), |story| check(&judge, story)).is_err(), "{name} survives");
    };
    found("last-arrival-wins", &|judge, story| done(judge.holds(story, "P06", EFFORT)));
    // These come with duplicates, in orders that are not made simpler.
    for name in ["drops-orphans", "drops-the-tied", "last-of-the-tied"] {
        found(name, &|judge, story| done(judge.holds(story, "P05", EFFORT)));
    }
    for name in ["drops-links", "drops-prior-states"] {
        found(name, &|judge, story| done(judge.told_truly(story)));
    }
}
