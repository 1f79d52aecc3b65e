//! Tests the stories themselves: they are legal, they cover every kind of step, and their end is what their steps
//! imply.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fs,
};

use purchase_conformance::{
    story::{Budget, Items, START_SECONDS, Scene, Span, Standing, Step, Story, World, hold},
    verdict::{Broken, ensure},
};

const BUDGET: Budget = Budget { cases: 400, wishes: 36, simpler: 0, regressions: None };

/// A step's name.
fn name(step: &Step) -> String {
    format!("{step:?}").split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn stories_are_about_everything_and_often_about_two_things_in_one_second() {
    let counts: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let told = hold(
        BUDGET,
        |_| true,
        |story| {
            let mut counts = counts.borrow_mut();
            for scene in &story.scenes {
                *counts.entry(name(&scene.step)).or_default() += 1;
            }
            let ties = story.scenes.windows(2).filter(|pair| pair[0].at == pair[1].at).count();
            *counts.entry("tie".to_owned()).or_default() += ties;
            Ok(())
        },
    );
    assert_eq!(told, Ok(()));
    let counts = counts.into_inner();
    // Every kind of step occurs, and so do ties.
    assert_eq!(counts.len(), 22, "{counts:?}");
    assert!(counts.values().all(|count| *count >= 40), "{counts:?}");
    assert!(counts["tie"] > 1000, "{counts:?}");
}

#[test]
fn time_never_runs_backwards_nor_past_what_has_to_happen() {
    let told = hold(
        BUDGET,
        |_| true,
        |story| {
            let mut world = World::default();
            for scene in &story.scenes {
                assert!(scene.at >= world.now, "{story:?}");
                let due = world.due().map_or(i64::MAX, |(due, _)| due);
                assert!(scene.at <= due.max(world.now), "{story:?}");
                world.take(scene);
            }
            Ok(())
        },
    );
    assert_eq!(told, Ok(()));
}

/// A wrong property: nothing is ever refunded.
fn no_refunds(story: &Story) -> Result<(), Broken> {
    let refund = story.scenes.iter().any(|scene| matches!(scene.step, Step::Refund { .. }));
    ensure(!refund, || "there is a refund".to_owned())
}

#[test]
fn a_story_that_fails_is_made_simple_and_told_first_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proptest-regressions/stories.txt");
    let path: &'static str = path.to_str().expect("a path").to_owned().leak();
    let budget = Budget { simpler: 2000, regressions: Some(path), ..BUDGET };
    let told = hold(budget, |_| true, no_refunds).expect_err("some story has a refund");
    assert!(told.contains("there is a refund") && told.contains("PURCHASE_CONFORMANCE_SEED="), "{told}");
    assert!(told.lines().filter(|line| line.starts_with("  +")).count() <= 3, "{told}");
    assert!(fs::read_to_string(path).expect("it is kept").lines().any(|line| line.starts_with("cc ")));

    let stories = Cell::new(0);
    let again = hold(
        Budget { simpler: 0, ..budget },
        |_| true,
        |story| {
            stories.set(stories.get() + 1);
            no_refunds(story)
        },
    );
    assert!(again.is_err());
    assert_eq!(stories.get(), 1, "the stored story was not tried first");
}

#[test]
fn the_world_after_a_life_is_what_its_steps_say() {
    let items = Items::from([(0, 2)]);
    let period = Span::period(START_SECONDS);
    let next = Span::period(period.end);
    let steps = [
        (0, sign_up(&items, period)),
        (0, Step::Change { subscription: 0, items: Items::from([(1, 3)]) }),
        (0, Step::ScheduleEnd { subscription: 0 }),
        (0, Step::Unschedule { subscription: 0 }),
        (period.end - START_SECONDS, Step::Renew { subscription: 0, payment: 1, period: next, lag: 3600, paid: false }),
        (period.end - START_SECONDS + 3600, Step::Retry { subscription: 0, paid: true }),
        (period.end - START_SECONDS + 3600, Step::Refund { refund: 0, payment: 1, amount: 500, settled: true }),
        (period.end - START_SECONDS + 3600, Step::FailRefund { refund: 0 }),
        (period.end - START_SECONDS + 7200, Step::End { subscription: 0 }),
    ];
    let story = Story {
        seed: 1,
        dialect: 0,
        scenes: steps.map(|(after, step)| Scene { at: START_SECONDS + after, step }).to_vec(),
    };
    let world = World::after(&story.scenes);
    let it = &world.subscriptions[0];
    assert_eq!((it.standing, it.period, it.cancel_at), (Standing::Canceled, next, None));
    assert_eq!((it.items.clone(), it.ended_at), (Items::from([(1, 3)]), Some(period.end + 7200)));
    let paid: Vec<(i64, bool, u32)> = world.payments.iter().map(|it| (it.amount, it.paid, it.attempts)).collect();
    assert_eq!(paid, [(2000, true, 1), (7500, true, 2)]);
    assert_eq!((world.refunded(1), world.refundable(1)), (0, 7500));
    assert!(world.owned && world.met);
}

fn sign_up(items: &Items, period: Span) -> Step {
    Step::SignUp { subscription: 0, payment: Some(0), items: items.clone(), period, declined: 0, names_owner: true }
}
