//! Decides whether arrival shows in the projection: order, repetition, batches, and the way it was folded.

use std::{collections::BTreeSet, sync::Arc};

use purchase_core::{engine::Selection, id::EventKey, lifecycle::Transition};
use serde_json::Value;

use crate::{
    law::{
        Trial,
        provider::{
            keeping::reading,
            scheduled::{Judge, Look},
        },
    },
    replay::{self, Outcome, Reference, statuses},
    rig::Bench,
    scenario::Unmet,
    schedule::{Schedule, permutations, shuffled},
    verdict::{Broken, Held, Verdict, ensure},
};

/// How many schedules are played for laws that look closer at each.
const CLOSE_LOOKS: usize = 8;

pub(crate) async fn any_order(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Projection)?;
    let mut random = trial.random("P06");
    let deliveries = judge.signed.len();
    let exhaustive = deliveries <= trial.effort.exhaustive_on(&trial.rig.store);
    let mut checks = 0;
    let orders: Box<dyn Iterator<Item = Vec<usize>> + Send> = match exhaustive {
        true => Box::new(permutations(deliveries)),
        false => Box::new((0..trial.effort.samples).map(|_| Vec::new())),
    };
    for order in orders {
        let order = if exhaustive { order } else { shuffled(deliveries, &mut random) };
        checks += judge.judge(&Schedule::one_by_one(order).decorated(&mut random)).await?;
    }
    Ok(Held { checks })
}

/// Plays a schedule on a fresh store, and compares it with the true order.
pub(crate) async fn compared(judge: &Judge<'_>, reference: &Reference, schedule: &Schedule) -> Result<(), Broken> {
    let scenario = &judge.trial.scenario;
    let bench = judge.trial.rig.bench(scenario).await?;
    reference.compare(&replay::play(&bench, scenario, &judge.signed, schedule).await?)
}

pub(crate) async fn any_batches(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Projection)?;
    let deliveries = judge.signed.len();
    let cuts = deliveries.saturating_sub(1);
    let mut random = trial.random("P07");
    let all = cuts < 6;
    let total = if all { 1_usize << cuts } else { 32.min(trial.effort.samples.max(8)) };
    let mut checks = 0;
    for nth in 0..total {
        // The first schedules are one batch of everything, in the true order and backwards.
        let mask = if all { nth } else { rand::RngExt::random::<u64>(&mut random) as usize };
        let mask = if nth == 0 { 0 } else { mask };
        for order in [(0..deliveries).collect(), (0..deliveries).rev().collect(), shuffled(deliveries, &mut random)] {
            checks += judge.judge(&cut(order, mask)).await?;
        }
    }
    Ok(Held { checks })
}

/// Cuts an order after each place whose bit is set.
fn cut(order: Vec<usize>, mask: usize) -> Schedule {
    let mut batches = vec![Vec::new()];
    for (place, index) in order.into_iter().enumerate() {
        if place > 0 && mask >> ((place - 1) % 60) & 1 == 1 {
            batches.push(Vec::new());
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(index);
        }
    }
    Schedule::of_batches(batches)
}

pub(crate) async fn duplicates(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Duplicates)?;
    let deliveries = judge.signed.len();
    let mut random = trial.random("P05");
    let mut schedules = vec![
        Schedule::one_by_one((0..deliveries).flat_map(|index| [index, index])),
        Schedule::one_by_one((0..deliveries).chain(0..deliveries)),
        Schedule::one_by_one((0..deliveries).chain((0..deliveries).rev())),
        Schedule::of_batches((0..deliveries).map(|index| vec![index, index, index])),
    ];
    for _ in 0..CLOSE_LOOKS {
        let twice = [shuffled(deliveries, &mut random), shuffled(deliveries, &mut random)].concat();
        schedules.push(Schedule::one_by_one(twice));
    }
    let mut checks = 0;
    for schedule in schedules {
        checks += judge.judge(&schedule).await?;
    }
    Ok(Held { checks })
}

/// Plays a schedule, and looks at how each delivery is answered, at what is kept, and at the transitions that are reported.
pub(crate) async fn repeated(judge: &Judge<'_>, reference: &Reference, schedule: &Schedule) -> Result<(), Broken> {
    let scenario = &judge.trial.scenario;
    let mut events: Vec<Option<EventKey>> = Vec::new();
    for delivery in &judge.signed {
        events.push(reading(judge.trial, delivery)?.ok().map(|event| event.head.key));
    }
    let bench = judge.trial.rig.bench(scenario).await?;
    let outcome = replay::play(&bench, scenario, &judge.signed, schedule).await?;
    look_at_duplicates(&bench, reference, &events, &outcome).await
}

async fn look_at_duplicates(
    bench: &Bench,
    reference: &Reference,
    events: &[Option<EventKey>],
    outcome: &Outcome,
) -> Result<(), Broken> {
    reference.compare(outcome)?;
    let mut seen = BTreeSet::new();
    let mut transitions: BTreeSet<Transition> = BTreeSet::new();
    for (index, answer) in &outcome.answers {
        let Ok(receipt) = answer else { continue };
        // One event may be recorded in several deliveries.
        let again = !seen.insert(&events[*index]);
        ensure(receipt.duplicate == again, || {
            let nth = if again { "again" } else { "for the first time" };
            format!("delivery {} came {nth} and was answered duplicate: {}", index + 1, receipt.duplicate)
        })?;
        for transition in &receipt.transitions {
            ensure(transitions.insert(transition.transition()), || {
                format!("{:?} of {} at {} was told twice", transition.change, transition.object, transition.at)
            })?;
        }
    }
    let events = bench.events().await?;
    let kept = events.len();
    ensure(kept == reference.statuses.len(), || {
        format!("{} events are kept undisturbed, {kept} here", reference.statuses.len())
    })?;
    let keys: Vec<_> = events.into_iter().map(|stored| stored.event.key).collect();
    let facts = bench.engine.store().facts(&keys).await?;
    for (place, fact) in facts.iter().enumerate() {
        ensure(!facts[..place].iter().any(|known| known.fact == fact.fact), || "a fact is kept twice".to_owned())?;
    }
    Ok(())
}

pub(crate) async fn expectations(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let bench = trial.rig.bench(&trial.scenario).await?;
    let schedule = Schedule::in_order(signed.len());
    let outcome = replay::play(&bench, &trial.scenario, &signed, &schedule).await?;
    unmet(trial, &outcome.projection).map_err(|broken| broken.in_schedule(&schedule))?;
    Ok(Held { checks: trial.scenario.expectations.len() as u64 })
}

/// Compares a projection with what the scenario expects.
pub(crate) fn unmet(trial: &Trial, projection: &Value) -> Result<(), Broken> {
    let expectations = &trial.scenario.expectations;
    let unmet: Vec<Unmet> = expectations.iter().filter_map(|expectation| expectation.check(projection).err()).collect();
    let Some(first) = unmet.first() else { return Ok(()) };
    let what: Vec<String> = unmet.iter().map(Unmet::to_string).collect();
    Err(Broken::new(what.join("\n")).differing(first.difference()))
}

pub(crate) async fn rebuild_and_replay(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Rebuilds)?;
    let mut random = trial.random("P16");
    let deliveries = judge.signed.len();
    let mut schedules = vec![Schedule::in_order(deliveries), Schedule::one_by_one((0..deliveries).rev())];
    schedules.extend(
        (0..CLOSE_LOOKS / 2).map(|_| Schedule::one_by_one(shuffled(deliveries, &mut random)).decorated(&mut random)),
    );
    let mut checks = 0;
    for schedule in schedules {
        checks += judge.judge(&schedule).await?;
    }
    Ok(Held { checks })
}

/// Plays a schedule, then folds what it left in every other way.
pub(crate) async fn rebuilt(judge: &Judge<'_>, reference: &Reference, schedule: &Schedule) -> Result<(), Broken> {
    let scenario = &judge.trial.scenario;
    let bench = judge.trial.rig.bench(scenario).await?;
    let outcome = replay::play(&bench, scenario, &judge.signed, schedule).await?;
    reference.compare(&outcome).map_err(|broken| broken.context("folded step by step"))?;
    other_ways(judge.trial, &bench, reference).await
}

async fn other_ways(trial: &Trial, bench: &Bench, reference: &Reference) -> Result<(), Broken> {
    let now = trial.scenario.as_of;
    let report = bench.engine.rebuild().await?;
    ensure(report.changed == 0, || {
        format!("{} subjects changed when they were rebuilt from their facts", report.changed)
    })?;
    same(bench, reference, "rebuilt").await?;
    bench.engine.replay(&Selection::EVERYTHING, now).await?;
    same(bench, reference, "replayed in place").await?;
    let before = statuses(bench.events().await?);
    ensure(before == reference.statuses, || "events have other statuses after a replay in place".to_owned())?;

    let empty = trial.rig.bench(&trial.scenario).await?;
    bench.engine.replay_into(&Selection::EVERYTHING, Arc::clone(empty.engine.store())).await?;
    same(&empty, reference, "replayed into an empty store").await
}

async fn same(bench: &Bench, reference: &Reference, how: &str) -> Result<(), Broken> {
    let projection = bench.projection().await?;
    reference.compare_projection(&projection).map_err(|broken| broken.context(how))
}
