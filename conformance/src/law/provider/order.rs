//! Decides whether arrival affects the projection: order, repetition, batches, and the way of folding.

use std::{collections::BTreeSet, sync::Arc};

use purchase_core::{delivery::Delivery, engine::Selection, id::EventKey, lifecycle::Transition};
use serde_json::Value;

use crate::{
    law::{Trial, provider::keeping::reading},
    replay::{self, Outcome, Reference, statuses},
    rig::Bench,
    scenario::Unmet,
    schedule::Schedule,
    verdict::{Broken, Held, Verdict, ensure},
};

/// Plays a schedule on a fresh store and compares it with the true order.
pub(crate) async fn compared(
    trial: &Trial,
    signed: &[Delivery],
    reference: &Reference,
    schedule: &Schedule,
) -> Result<(), Broken> {
    let scenario = &trial.scenario;
    let bench = trial.rig.bench(scenario).await?;
    reference.compare(&replay::play(&bench, scenario, signed, schedule).await?)
}

/// Plays a schedule and checks how each delivery is answered, which events are kept, and which transitions are
/// reported.
pub(crate) async fn repeated(
    trial: &Trial,
    signed: &[Delivery],
    reference: &Reference,
    schedule: &Schedule,
) -> Result<(), Broken> {
    let scenario = &trial.scenario;
    let mut events: Vec<Option<EventKey>> = Vec::new();
    for delivery in signed {
        events.push(reading(trial, delivery)?.ok().map(|event| event.head.key));
    }
    let bench = trial.rig.bench(scenario).await?;
    let outcome = replay::play(&bench, scenario, signed, schedule).await?;
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
        // Several deliveries may record one event.
        let again = !seen.insert(&events[*index]);
        ensure(receipt.duplicate == again, || {
            let nth = if again { "again" } else { "for the first time" };
            format!("delivery {} was sent {nth} and answered with duplicate: {}", index + 1, receipt.duplicate)
        })?;
        for transition in &receipt.transitions {
            ensure(transitions.insert(transition.transition()), || {
                format!("{:?} of {} at {} was reported twice", transition.change, transition.object, transition.at)
            })?;
        }
    }
    let events = bench.events().await?;
    let kept = events.len();
    ensure(kept == reference.statuses.len(), || {
        format!("{} events are stored in the undisturbed run, {kept} here", reference.statuses.len())
    })?;
    let keys: Vec<_> = events.into_iter().map(|stored| stored.event.key).collect();
    let facts = bench.engine.store().facts(&keys).await?;
    for (place, fact) in facts.iter().enumerate() {
        ensure(!facts[..place].iter().any(|known| known.fact == fact.fact), || "a fact is stored twice".to_owned())?;
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

/// Compares a projection with the scenario's expectations.
pub(crate) fn unmet(trial: &Trial, projection: &Value) -> Result<(), Broken> {
    let expectations = &trial.scenario.expectations;
    let unmet: Vec<Unmet> = expectations.iter().filter_map(|expectation| expectation.check(projection).err()).collect();
    let Some(first) = unmet.first() else { return Ok(()) };
    let what: Vec<String> = unmet.iter().map(Unmet::to_string).collect();
    Err(Broken::new(what.join("\n")).differing(first.difference()))
}

/// Plays a schedule, then folds the result in every other way.
pub(crate) async fn rebuilt(
    trial: &Trial,
    signed: &[Delivery],
    reference: &Reference,
    schedule: &Schedule,
) -> Result<(), Broken> {
    let scenario = &trial.scenario;
    let bench = trial.rig.bench(scenario).await?;
    let outcome = replay::play(&bench, scenario, signed, schedule).await?;
    reference.compare(&outcome).map_err(|broken| broken.context("folded step by step"))?;
    other_ways(trial, &bench, reference).await
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
    ensure(before == reference.statuses, || "some events have another status after a replay in place".to_owned())?;

    let empty = trial.rig.bench(&trial.scenario).await?;
    bench.engine.replay_into(&Selection::EVERYTHING, Arc::clone(empty.engine.store())).await?;
    same(&empty, reference, "replayed into an empty store").await
}

async fn same(bench: &Bench, reference: &Reference, how: &str) -> Result<(), Broken> {
    let projection = bench.projection().await?;
    reference.compare_projection(&projection).map_err(|broken| broken.context(how))
}
