//! Decides whether engines that share a database leave each other's events alone, in a replay and in the queue.

use std::sync::Arc;

use purchase_core::{
    engine::{Engine, Selection},
    id::Mode,
    provider::{Provider, ReadFault, Unreadable},
    store::{EventStatus, Lease},
    time::Timestamp,
};

use crate::{
    law::Trial,
    mutants::Mutation,
    replay::{self, Reference},
    rig::{Bench, Rig},
    schedule::Schedule,
    verdict::{Broken, Held, Verdict, ensure},
    wrapped::Wrapped,
};

/// How many events one claim takes.
const BATCH: u32 = 20;

/// An upper limit: no scenario's queue needs this many rounds.
const ROUNDS: usize = 200;

/// The adapter, configured for an account that has no events.
fn of_another_account(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::reading(inner, |_, reading| {
        let head = reading.map_or_else(|unreadable| unreadable.head, |event| Some(event.head));
        Err(Unreadable { head, fault: ReadFault::WrongAccount })
    })
}

/// Engines over the bench's store that serve none or only some of its events. Each entry holds a description, whether
/// the engine serves some events, and the engine.
fn others(trial: &Trial, bench: &Bench) -> Result<Vec<(&'static str, bool, Engine)>, Broken> {
    let over = || Engine::new(Arc::clone(bench.engine.store())).with_settings(bench.engine.settings().clone());
    let secrets = [trial.scenario.secret.as_str()];
    let right = Rig { mutation: Mutation::None, ..trial.rig.clone() }.adapter(&secrets, None)?;
    let other_account = trial.rig.mutation.provider(of_another_account(right));
    let mut others = vec![
        ("an engine without the adapter", false, over()),
        ("an engine for another account", false, over().with_provider(other_account)),
    ];
    for (what, mode) in [("an engine for live events", Mode::Live), ("an engine for test events", Mode::Test)] {
        others.push((what, true, over().with_provider(trial.rig.adapter(&secrets, Some(mode))?)));
    }
    Ok(others)
}

/// The result of reading each event: its status without the number of attempts, and all facts.
async fn kept(bench: &Bench) -> Result<Vec<String>, Broken> {
    let events = bench.events().await?;
    let keys: Vec<_> = events.iter().map(|stored| stored.event.key.clone()).collect();
    let facts = bench.engine.store().facts(&keys).await?;
    let mut facts: Vec<String> = facts.iter().map(|fact| format!("a fact {fact:?}")).collect();
    facts.sort();
    let fate = |stored: &purchase_core::store::StoredEvent| {
        let (key, status) = (&stored.event.key, stored.status.as_str());
        format!("{} is {status}, {:?}, due {:?}", key.public_id(), stored.reason, stored.due_at)
    };
    Ok(events.iter().map(fate).chain(facts).collect())
}

pub(crate) async fn replay_changes_nothing(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let reference = Reference::of(&trial.rig, &trial.scenario, &signed).await?;
    let bench = trial.rig.bench(&trial.scenario).await?;
    let in_order = Schedule::in_order(signed.len());
    replay::play(&bench, &trial.scenario, &signed, &in_order).await?;
    let before = kept(&bench).await?;
    let mut checks = 0;
    for (what, serves_some, engine) in others(trial, &bench)? {
        let report = engine.replay(&Selection::EVERYTHING, trial.scenario.as_of).await?;
        let context = |broken: Broken| broken.context(&format!("after a replay by {what}"));
        let left: u64 = report.left.values().sum();
        ensure(serves_some || left == report.read, || {
            format!("it read {} events and serves none of them, but left only {left} unchanged", report.read)
        })
        .map_err(context)?;
        let after = kept(&bench).await?;
        ensure(before == after, || {
            let lost = before.iter().filter(|line| !after.contains(line));
            let new = after.iter().filter(|line| !before.contains(line));
            let lines: Vec<String> =
                lost.map(|line| format!("- {line}")).chain(new.map(|line| format!("+ {line}"))).take(6).collect();
            format!("stored events or facts changed:\n{}", lines.join("\n"))
        })
        .map_err(context)?;
        reference.compare_projection(&bench.projection().await?).map_err(context)?;
        checks += 1;
    }
    Ok(Held { checks })
}

pub(crate) async fn queue_is_shared(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let reference = Reference::of(&trial.rig, &trial.scenario, &signed).await?;
    let bench = trial.rig.bench(&trial.scenario).await?;
    for delivery in &signed {
        // An unreadable delivery is refused here, just as when it is processed in one commit.
        drop(bench.engine.accept(delivery.clone()).await);
    }
    let queue = bench.events().await?.iter().filter(|stored| stored.status == EventStatus::Received).count() as u64;
    let mut now = trial.scenario.as_of;
    let mut checks = 0;
    for (what, serves_some, engine) in others(trial, &bench)? {
        if serves_some {
            continue;
        }
        // Events that the previous engine gave back are due again.
        now = now.plus_seconds(10);
        let (claimed, elsewhere) = work(&engine, what, now).await?;
        let context = |broken: Broken| broken.context(&format!("after {what} has worked"));
        ensure(claimed == queue && elsewhere == queue, || {
            format!("of {queue} events in the queue, it claimed {claimed} and returned {elsewhere}")
        })
        .map_err(context)?;
        for stored in bench.events().await? {
            if stored.status == EventStatus::Failed && stored.reason.is_some() && stored.attempts > 0 {
                continue;
            }
            let waits = stored.status == EventStatus::Received && stored.due_at.is_some();
            ensure(waits && stored.attempts == 0 && stored.reason.is_none(), || {
                let (status, attempts) = (stored.status.as_str(), stored.attempts);
                format!("an event in the queue is {status} with {attempts} attempts and the reason {:?}", stored.reason)
            })
            .map_err(context)?;
        }
        checks += 1;
    }
    // No event is delayed by more than a day.
    let later = now.plus_seconds(2 * 86_400);
    let (_, elsewhere) = work(&bench.engine, "the engine that serves them", later).await?;
    ensure(elsewhere == 0, || format!("the engine that serves the events returned {elsewhere} of them"))?;
    let as_of = bench.projection().await?;
    let context = |broken: Broken| broken.context("after the engine that serves the events has worked");
    reference.compare_projection(&as_of).map_err(context)?;
    Ok(Held { checks: checks + 1 })
}

/// Works until nothing is due. Returns how many events were claimed, and how many were given back because another
/// engine serves them.
async fn work(engine: &Engine, who: &str, now: Timestamp) -> Result<(u64, u64), Broken> {
    let (mut claimed, mut elsewhere) = (0, 0);
    for round in 0..ROUNDS {
        let lease = Lease { token: format!("{who} {round}"), until: now.plus_seconds(60) };
        let report = engine.work(lease, BATCH, now).await?;
        if report.claimed == 0 {
            return Ok((claimed, elsewhere));
        }
        claimed += report.claimed;
        elsewhere += report.elsewhere;
    }
    Err(Broken::new(format!("after {ROUNDS} rounds, events are still due for {who}")))
}
