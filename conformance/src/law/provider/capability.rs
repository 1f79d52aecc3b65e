//! Decides whether an adapter's declared capabilities are accurate in both directions. A declared capability works. An
//! undeclared one is absent, so that nobody relies on it.

use std::collections::BTreeMap;

use purchase_core::{
    capability::Capability,
    delivery::{Delivery, Limits},
    error::Refusal,
    fact::{Fact, Phase, object_state::ObjectState},
    id::{Mode, ObjectRef},
    provider::{Event, ReadFault, Unreadable},
    verify::SignatureError,
};
use sha2::{Digest, Sha256};

use crate::{
    law::{
        Trial,
        provider::{
            keeping::{ADDED, facts_of, reading, reading_by},
            signature::{is_accepted, one, told},
        },
    },
    replay::{Reference, statuses},
    rig::TOLERANCE_SECONDS,
    scenario::Recorded,
    verdict::{Broken, Held, Verdict, ensure},
};

/// How many deliveries of a scenario are examined.
const DELIVERIES: usize = 4;

/// The prefix of an event id that is the digest of the body.
const DIGEST: &str = "sha256:";

/// The seconds of a year.
const YEAR: i64 = 365 * 24 * 3600;

pub(crate) async fn event_ids(trial: &Trial) -> Verdict {
    match trial.declares(Capability::EventIds)? {
        true => events_are_named(trial).await,
        false => bodies_are_names(trial).await,
    }
}

async fn events_are_named(trial: &Trial) -> Verdict {
    let samples = &trial.rig.provider.samples;
    let mut checks = 0;
    for (recorded, genuine) in trial.scenario.deliveries.iter().zip(trial.rig.sign(&trial.scenario)?).take(DELIVERIES) {
        let number = recorded.number;
        let edited = |body| trial.rig.sign_body(&trial.scenario, body).and_then(|delivery| reading(trial, &delivery));
        for id in [ADDED, "evt_another_of_the_kit"] {
            let Some(body) = (samples.unknown_type)(&recorded.body, id) else { continue };
            let read = edited(body)?;
            let named = head(&read).is_some_and(|head| head.key.id.expose() == id);
            ensure(named, || {
                format!("delivery {number} was edited to have the event id {id:?}, but its event has another id")
            })?;
            checks += 1;
        }
        let Ok(event) = reading(trial, &genuine)? else { continue };
        let digested = event.head.key.id.expose().starts_with(DIGEST);
        ensure(!digested, || {
            format!("event_ids is declared, but the event id of delivery {number} is the digest of its body")
        })?;
        if let Some(body) = (samples.contradiction)(&recorded.body) {
            let same = head(&edited(body)?).is_some_and(|head| head.key == event.head.key);
            ensure(same, || {
                format!("a different body with the event id of delivery {number} is read as another event")
            })?;
        }
        if let Some(body) = rewritten(&recorded.body) {
            let again = trial.rig.sign_body(&trial.scenario, body)?;
            let same = head(&reading(trial, &again)?).is_some_and(|head| head.key == event.head.key);
            ensure(same, || {
                format!("delivery {number}, as the same JSON in different bytes, is read as another event")
            })?;
            let bench = trial.rig.bench(&trial.scenario).await?;
            one(&bench, genuine).await?.map_err(|refusal| refused(number, &refusal))?;
            let answer = one(&bench, again).await?;
            ensure(matches!(&answer, Ok(receipt) if receipt.duplicate), || {
                format!("delivery {number}, as the same JSON in different bytes, is not a duplicate: {}", told(&answer))
            })?;
        }
        checks += 1;
    }
    Ok(Held { checks })
}

async fn bodies_are_names(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let reference = Reference::of(&trial.rig, &trial.scenario, &signed).await?;
    let ambiguous = reference.projection["ambiguous"].as_object().is_some_and(|objects| !objects.is_empty());
    let mut checks = 0;
    for (recorded, genuine) in trial.scenario.deliveries.iter().zip(&signed).take(DELIVERIES) {
        let number = recorded.number;
        let digest = format!("{DIGEST}{}", hex::encode(Sha256::digest(&genuine.body)));
        let read = reading(trial, genuine)?;
        let named = head(&read).is_none_or(|head| head.key.id.expose() == digest);
        ensure(named, || {
            format!("event_ids is not declared, but the event id of delivery {number} is not the digest of its body")
        })?;
        checks += 1;
        let (Ok(event), Some(other)) = (read, rewritten(&recorded.body)) else { continue };
        let bench = trial.rig.bench(&trial.scenario).await?;
        for delivery in &signed {
            drop(one(&bench, delivery.clone()).await?);
        }
        let again = one(&bench, genuine.clone()).await?;
        ensure(matches!(&again, Ok(receipt) if receipt.duplicate), || {
            format!("delivery {number}, byte for byte the same, is not a duplicate: {}", told(&again))
        })?;
        let answer = one(&bench, trial.rig.sign_body(&trial.scenario, other)?).await?;
        ensure(matches!(&answer, Ok(receipt) if !receipt.duplicate), || {
            format!("delivery {number} in different bytes is not accepted as a new event: {}", told(&answer))
        })?;
        // If only the ids decide a tie, another id may decide it differently.
        if !ambiguous {
            reference.compare_projection(&bench.projection().await?)?;
        }
        let kept = statuses(bench.events().await?);
        ensure(kept.len() == reference.statuses.len() + 1 && kept.contains_key(&event.head.key), || {
            format!("after two bodies of delivery {number}, {} events are stored", kept.len())
        })?;
    }
    Ok(Held { checks })
}

/// The same JSON in different bytes.
fn rewritten(body: &[u8]) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let compact = value.to_string().into_bytes();
    if compact != body {
        return Some(compact);
    }
    serde_json::to_vec_pretty(&value).ok()
}

fn head(read: &Result<Event, Unreadable>) -> Option<&purchase_core::provider::EventHead> {
    match read {
        Ok(event) => Some(&event.head),
        Err(unreadable) => unreadable.head.as_ref(),
    }
}

fn refused(number: u32, refusal: &Refusal) -> Broken {
    Broken::new(format!("delivery {number} is refused ({})", refusal.code()))
}

pub(crate) async fn mode_in_event(trial: &Trial) -> Verdict {
    match trial.declares(Capability::ModeInEvent)? {
        true => events_say_their_mode(trial).await,
        false => the_configured_mode_counts(trial),
    }
}

async fn events_say_their_mode(trial: &Trial) -> Verdict {
    let mut checks = 0;
    for (recorded, genuine) in trial.scenario.deliveries.iter().zip(trial.rig.sign(&trial.scenario)?).take(DELIVERIES) {
        let number = recorded.number;
        let Ok(event) = reading(trial, &genuine)? else { continue };
        let sample = (trial.rig.provider.samples.other_mode)(&recorded.body);
        let says_none = || Broken::new(format!("mode_in_event is declared, but delivery {number} contains no mode"));
        let body = sample.ok_or_else(says_none)?;
        let flipped = trial.rig.sign_body(&trial.scenario, body)?;
        let other = reading(trial, &flipped)?
            .map_err(|unreadable| Broken::new(format!("delivery {number} in the other mode: {}", unreadable.fault)))?;
        let mode = event.head.key.source.mode;
        let mut expected = event.head.key.clone();
        expected.source.mode = opposite(mode);
        if !trial.declares(Capability::EventIds)? {
            // Without event ids, the id is the digest of the body, and the two bodies differ.
            expected.id = other.head.key.id.clone();
        }
        ensure(other.head.key == expected, || {
            let (expected, found) = (opposite(mode), other.head.key.source.mode);
            format!("delivery {number} contains the mode {expected}, but its event has the mode {found}")
        })?;
        of_its_source(&event, number)?;
        of_its_source(&other, number)?;

        let served = trial.rig.adapter(&[&trial.scenario.secret], Some(mode))?;
        ensure(reading_by(served.as_ref(), &genuine)? == Ok(event), || {
            format!("delivery {number} is read differently at an endpoint for {mode} events")
        })?;
        let answer = reading_by(served.as_ref(), &flipped)?.map_err(|unreadable| unreadable.fault);
        let wrong = ReadFault::WrongMode { expected: mode, found: opposite(mode) };
        ensure(answer.as_ref().err() == Some(&wrong), || {
            format!("an endpoint for {mode} events accepts delivery {number} of the other mode")
        })?;

        let bench = trial.rig.bench(&trial.scenario).await?;
        for (delivery, which) in [(genuine, "genuine"), (flipped, "in the other mode")] {
            let answer = one(&bench, delivery).await?;
            ensure(matches!(&answer, Ok(receipt) if !receipt.duplicate), || {
                format!("delivery {number}, {which}, is not accepted as a new event: {}", told(&answer))
            })?;
        }
        checks += 1;
    }
    match checks {
        // A body that can't be read proves nothing. A floor requires some that can be read.
        0 => Ok(Held { checks: 1 }),
        checks => Ok(Held { checks }),
    }
}

fn the_configured_mode_counts(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let mut checks = 0;
    for mode in [Mode::Live, Mode::Test] {
        let adapter = trial.rig.adapter(&[&trial.scenario.secret], Some(mode))?;
        for (recorded, delivery) in trial.scenario.deliveries.iter().zip(&signed) {
            let number = recorded.number;
            let sample = (trial.rig.provider.samples.other_mode)(&recorded.body);
            ensure(sample.is_none(), || {
                format!("mode_in_event is not declared, but delivery {number} can be edited to contain another mode")
            })?;
            let read = reading_by(adapter.as_ref(), delivery)?;
            ensure(head(&read).is_none_or(|head| head.key.source.mode == mode), || {
                format!("at an endpoint for {mode} events, the event of delivery {number} is not {mode}")
            })?;
            if let Ok(event) = read {
                of_its_source(&event, number)?;
            }
            checks += 1;
        }
    }
    Ok(Held { checks })
}

fn opposite(mode: Mode) -> Mode {
    match mode {
        Mode::Live | Mode::Simulated => Mode::Test,
        Mode::Test => Mode::Live,
    }
}

fn of_its_source(event: &Event, number: u32) -> Result<(), Broken> {
    let apart = facts_of(event).iter().any(|fact| fact.subject.source != event.head.key.source);
    ensure(!apart, || format!("a fact of delivery {number} has another source than its event"))
}

pub(crate) async fn prior_states(trial: &Trial) -> Verdict {
    let declared = trial.declares(Capability::PriorStates)?;
    let mut history: BTreeMap<ObjectRef, Vec<ObjectState>> = BTreeMap::new();
    let mut checks = 0;
    let mut sent: Vec<(&Recorded, Delivery)> =
        trial.scenario.deliveries.iter().zip(trial.rig.sign(&trial.scenario)?).collect();
    // Late deliveries too, in their true order.
    sent.sort_by_key(|(recorded, _)| recorded.number);
    // If a delivery never comes, the scenario doesn't show its state.
    let whole = sent.windows(2).all(|pair| pair[0].0.number + 1 == pair[1].0.number);
    for (recorded, delivery) in sent {
        let Ok(event) = reading(trial, &delivery)? else { continue };
        for fact in facts_of(&event) {
            let seen =
                fact.observation.as_ref().and_then(|observation| history.get(&observation.object)).filter(|_| whole);
            is_right_about_before(fact, declared, seen)
                .map_err(|broken| broken.context(&format!("delivery {}", recorded.number)))?;
            if let Some(observation) = &fact.observation {
                history.entry(observation.object.clone()).or_default().push(observation.object_state.clone());
            }
        }
        checks += 1;
    }
    Ok(Held { checks: checks.max(1) })
}

/// If prior states are not declared, the fact has none. If they are, the prior state is one that the object had before,
/// as far as the scenario shows.
fn is_right_about_before(fact: &Fact, declared: bool, seen: Option<&Vec<ObjectState>>) -> Result<(), Broken> {
    let Some(observation) = &fact.observation else { return Ok(()) };
    let Some(prior) = &observation.prior else { return Ok(()) };
    let what = observation.object.kind.as_str();
    ensure(declared, || format!("prior_states is not declared, but the {what} has a prior state"))?;
    ensure(observation.phase != Phase::Created, || format!("the {what} was just created, but has a prior state"))?;
    ensure(prior.kind() == observation.object_state.kind(), || {
        format!("the {what}'s prior state belongs to another kind of object")
    })?;
    ensure(seen.is_none_or(|seen| seen.contains(prior)), || format!("the {what} never had the prior state before"))
}

pub(crate) async fn signed_time(trial: &Trial) -> Verdict {
    let scenario = &trial.scenario;
    let Some(recorded) = scenario.deliveries.first() else { return Err(Broken::new("the scenario has no delivery")) };
    let signed = trial.rig.sign_body(scenario, recorded.body.clone())?;
    let adapter = trial.rig.adapter(&[&scenario.secret], None)?;
    let presented = adapter
        .webhooks()
        .presented_signature(&signed.headers, &Limits::default())
        .map_err(|error| Broken::caused("a genuine signature is not found", &error))?;
    let after = |seconds| Delivery { received_at: signed.received_at.plus_seconds(seconds), ..signed.clone() };
    if trial.declares(Capability::SignedTime)? {
        let said = presented.signed_at.map(|at| at.seconds());
        ensure(said == Some(scenario.as_of.seconds()), || {
            format!("signed_time is declared, but a signature made at {} is read as made at {said:?}", scenario.as_of)
        })?;
        let stale = one(&trial.rig.bench(scenario).await?, after(i64::from(TOLERANCE_SECONDS) + 1)).await?;
        let right = matches!(stale, Err(Refusal::Signature(SignatureError::Stale { .. })));
        ensure(right, || format!("signed_time is declared, but a stale delivery is {}", told(&stale)))?;
        return Ok(Held { checks: 2 });
    }
    ensure(presented.signed_at.is_none(), || "signed_time is not declared, but the signature has a time".to_owned())?;
    ensure(adapter.webhooks().trust().tolerance_seconds.is_none(), || {
        "signed_time is not declared, but the adapter promises a tolerance, which it can't keep".to_owned()
    })?;
    for seconds in [0, YEAR, -YEAR] {
        let answer = one(&trial.rig.bench(scenario).await?, after(seconds)).await?;
        ensure(is_accepted(&answer), || {
            format!("a delivery received {seconds} s after it was signed is {}", told(&answer))
        })?;
    }
    Ok(Held { checks: 5 })
}
