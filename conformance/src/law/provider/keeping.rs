//! Decides whether anything is dropped: unknown types, unknown values, bodies that can't be read, contradictions, and
//! acknowledged events.

use std::collections::BTreeSet;

use purchase_core::{
    delivery::Delivery,
    error::Refusal,
    id::EventKey,
    provider::{Event, Meaning, Provider, ReadFault, Unreadable},
    store::{ConflictQuery, EventQuery, EventStatus, Reason, StoredEvent},
    verify,
};
use rand::RngExt;
use serde_json::Value;

use crate::{
    law::Trial,
    receiver::Answer,
    replay::{self, Reference, statuses},
    rig::Bench,
    schedule::{Schedule, shuffled},
    verdict::{Broken, Held, Verdict, ensure},
};

/// How many deliveries of a scenario are edited.
const DELIVERIES: usize = 4;

/// The event id of deliveries that the kit adds to a scenario.
pub(crate) const ADDED: &str = "evt_added_by_the_kit";

/// How the trial's adapter reads a genuine delivery.
pub(crate) fn reading(trial: &Trial, delivery: &Delivery) -> Result<Result<Event, Unreadable>, Broken> {
    reading_by(trial.rig.adapter(&[&trial.scenario.secret], None)?.as_ref(), delivery)
}

/// How an adapter reads a genuine delivery.
pub(crate) fn reading_by(provider: &dyn Provider, delivery: &Delivery) -> Result<Result<Event, Unreadable>, Broken> {
    let refused = |error| Broken::caused("a genuine delivery is refused", &error);
    let webhooks = provider.webhooks();
    let presented = webhooks.presented_signature(&delivery.headers, &Default::default()).map_err(refused)?;
    let verified = verify::verify(delivery.clone(), &presented, webhooks.trust()).map_err(refused)?;
    Ok(webhooks.read(&verified))
}

pub(crate) async fn unknown_type(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let reference = Reference::of(&trial.rig, &trial.scenario, &signed).await?;
    let mut random = trial.random("P10");
    let mut checks = 0;
    for recorded in trial.scenario.deliveries.iter().take(DELIVERIES) {
        let Some(body) = (trial.rig.provider.samples.unknown_type)(&recorded.body, ADDED) else { continue };
        let added = trial.rig.sign_body(&trial.scenario, body)?;
        let bench = trial.rig.bench(&trial.scenario).await?;
        let before = random.random_range(0..=signed.len());
        for delivery in &signed[..before] {
            drop(one(&bench, delivery).await?);
        }
        let receipt = one(&bench, &added).await?.map_err(|refusal| {
            let number = recorded.number;
            Broken::new(format!("delivery {number} with an unknown event type is refused ({})", refusal.code()))
        })?;
        let (status, http) = (receipt.status, receipt.http_status());
        ensure(status == EventStatus::Ignored && (200..300).contains(&http), || {
            let (number, status) = (recorded.number, status.as_str());
            format!("delivery {number} with an unknown event type is {status} and answered {http}")
        })?;
        for delivery in &signed[before..] {
            drop(one(&bench, delivery).await?);
        }
        reference.compare_projection(&bench.projection().await?)?;
        let again = one(&bench, &added).await?;
        ensure(matches!(&again, Ok(receipt) if receipt.duplicate), || {
            "when sent again, it is not answered as a duplicate".to_owned()
        })?;
        let kept = bench.events().await?.into_iter().filter(|stored| stored.event.body == added.body).count();
        ensure(kept == 1, || format!("it is stored {kept} times"))?;
        checks += 1;
    }
    Ok(Held { checks })
}

pub(crate) fn has_unknown_value(trial: &Trial) -> bool {
    let samples = &trial.rig.provider.samples;
    trial.scenario.deliveries.iter().any(|recorded| (samples.unknown_value)(&recorded.body, ADDED).is_some())
}

pub(crate) async fn unknown_value(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let mut random = trial.random("P12");
    let mut checks = 0;
    for (recorded, genuine) in trial.scenario.deliveries.iter().zip(&signed) {
        let Some(body) = (trial.rig.provider.samples.unknown_value)(&recorded.body, ADDED) else { continue };
        // A body that was unreadable for another reason stays so.
        if checks >= DELIVERIES as u64 || reading(trial, genuine)?.is_err() {
            continue;
        }
        let mut all = signed.clone();
        all.push(trial.rig.sign_body(&trial.scenario, body)?);
        let mut scenario = trial.scenario.clone();
        scenario.deliveries.push(crate::scenario::Recorded { late: false, ..recorded.clone() });
        let reference = Reference::of(&trial.rig, &scenario, &all).await?;
        let answer = reference.refused.last().copied().flatten();
        ensure(answer.is_none(), || {
            format!("delivery {} with an unknown value is refused ({})", recorded.number, answer.unwrap_or_default())
        })?;
        for schedule in [
            Schedule::one_by_one((0..all.len()).rev()),
            Schedule::one_by_one(shuffled(all.len(), &mut random)),
            Schedule::one_by_one(shuffled(all.len(), &mut random)).decorated(&mut random),
        ] {
            let bench = trial.rig.bench(&scenario).await?;
            let outcome = replay::play(&bench, &scenario, &all, &schedule).await?;
            reference.compare(&outcome).map_err(|broken| {
                let written =
                    schedule.order().iter().map(|index| (index + 1).to_string()).collect::<Vec<_>>().join(",");
                let what =
                    format!("delivery {} repeated with an unknown value, as the last in {written}", recorded.number);
                broken.context(&what)
            })?;
        }
        checks += 1;
    }
    Ok(Held { checks })
}

/// If events have no ids, two bodies never share one id, so none can contradict another.
pub(crate) fn has_contradiction(trial: &Trial) -> bool {
    let samples = &trial.rig.provider.samples;
    trial.scenario.deliveries.iter().any(|recorded| (samples.contradiction)(&recorded.body).is_some())
}

pub(crate) async fn conflict(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let reference = Reference::of(&trial.rig, &trial.scenario, &signed).await?;
    let samples = &trial.rig.provider.samples;
    let mut checks = 0;
    for (recorded, genuine) in trial.scenario.deliveries.iter().zip(&signed).take(DELIVERIES) {
        let Some(body) = (samples.contradiction)(&recorded.body) else { continue };
        let Ok(event) = reading(trial, genuine)? else { continue };
        let contradiction = trial.rig.sign_body(&trial.scenario, body)?;
        let bench = trial.rig.bench(&trial.scenario).await?;
        for delivery in &signed {
            drop(one(&bench, delivery).await?);
        }
        let number = recorded.number;
        for time in ["", " again"] {
            let answer = one(&bench, &contradiction).await?;
            let refused = matches!(&answer, Err(refusal @ Refusal::Conflict { .. }) if refusal.http_status() == 409);
            ensure(refused, || {
                format!("a different body with the event id of delivery {number} is{time} {}", told(&answer))
            })?;
        }
        reference.compare_projection(&bench.projection().await?)?;
        conflict_is_kept(&bench, &event.head.key, &contradiction.body).await?;
        if let Some(body) = (samples.repetition)(&recorded.body) {
            let answer = one(&bench, &trial.rig.sign_body(&trial.scenario, body)?).await?;
            ensure(matches!(&answer, Ok(receipt) if receipt.duplicate), || {
                format!("delivery {number}, in the form of a second sending by the provider, is {}", told(&answer))
            })?;
        }
        let together = trial.rig.bench(&trial.scenario).await?;
        let answers = together.receiver.receive(vec![genuine.clone(), contradiction]).await?;
        let right = matches!(answers.as_slice(), [Ok(_), Err(Refusal::Conflict { .. })]);
        ensure(right, || {
            format!("delivery {number} and a different body with its event id, in one batch, are answered wrongly")
        })?;
        checks += 1;
    }
    Ok(Held { checks })
}

async fn conflict_is_kept(bench: &Bench, key: &EventKey, body: &[u8]) -> Result<(), Broken> {
    let query = EventQuery { key: Some(key.clone()), limit: 10, ..EventQuery::default() };
    let kept: Vec<StoredEvent> = bench.engine.events(&query).await?;
    let query = ConflictQuery { key: Some(key.clone()), limit: 10, ..ConflictQuery::default() };
    let conflicts = bench.engine.conflicts(&query).await?;
    ensure(conflicts.len() == 1 && conflicts[0].event.body == body, || {
        format!("the different body is stored {} times as a conflict", conflicts.len())
    })?;
    ensure(kept.len() == 1 && kept[0].event.body != body, || "the first body was replaced".to_owned())
}

pub(crate) fn has_unreadable(trial: &Trial) -> bool {
    let samples = &trial.rig.provider.samples;
    trial.scenario.deliveries.iter().any(|recorded| (samples.unreadable)(&recorded.body, ADDED).is_some())
}

pub(crate) async fn unreadable(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let reference = Reference::of(&trial.rig, &trial.scenario, &signed).await?;
    let mut checks = 0;
    for recorded in &trial.scenario.deliveries {
        let Some(it) = (trial.rig.provider.samples.unreadable)(&recorded.body, ADDED) else { continue };
        if checks >= 2 * DELIVERIES as u64 {
            break;
        }
        spoil(trial, &signed, &reference, it.body, Some(&it.path)).await.map_err(|broken| {
            broken.context(&format!("delivery {} with a value of the wrong shape", recorded.number))
        })?;
        let half = recorded.body[..recorded.body.len() / 2].to_vec();
        spoil(trial, &signed, &reference, half, None)
            .await
            .map_err(|broken| broken.context(&format!("the first half of delivery {}", recorded.number)))?;
        checks += 2;
    }
    Ok(Held { checks })
}

/// Sends an unreadable body before, among and after the deliveries of the scenario, and in one batch with them.
async fn spoil(
    trial: &Trial,
    signed: &[Delivery],
    reference: &Reference,
    body: Vec<u8>,
    path: Option<&str>,
) -> Result<(), Broken> {
    let spoiled = trial.rig.sign_body(&trial.scenario, body)?;
    let bench = trial.rig.bench(&trial.scenario).await?;
    let middle = signed.len() / 2;
    for (place, delivery) in signed.iter().enumerate() {
        if place == 0 || place == middle {
            is_unreadable(&one(&bench, &spoiled).await?, path)?;
        }
        drop(one(&bench, delivery).await?);
    }
    is_unreadable(&one(&bench, &spoiled).await?, path)?;
    reference.compare_projection(&bench.projection().await?)?;
    let kept: Vec<StoredEvent> =
        bench.events().await?.into_iter().filter(|stored| stored.event.body == spoiled.body).collect();
    let failed = matches!(kept.as_slice(), [stored]
        if stored.status == EventStatus::Failed && matches!(&stored.reason, Some(Reason::Read(fault)) if names(fault, path)));
    ensure(failed, || format!("it is stored {} times, or not as failed with its reason", kept.len()))?;

    let together = trial.rig.bench(&trial.scenario).await?;
    let batch = std::iter::once(&spoiled).chain(signed).cloned().collect();
    let answers = together.receiver.receive(batch).await?;
    is_unreadable(answers.first().unwrap_or(&Err(Refusal::Contended { attempts: 0 })), path)?;
    reference.compare_projection(&together.projection().await?).map_err(|broken| broken.context("in one batch"))
}

fn is_unreadable(answer: &Answer, path: Option<&str>) -> Result<(), Broken> {
    let right = matches!(answer, Err(Refusal::Unreadable { fault, .. }) if names(fault, path));
    ensure(right, || match (answer, path) {
        (Err(refusal), Some(path)) => {
            format!("it is refused with {:?}, which does not name the path {path}", refusal.to_string())
        }
        (answer, _) => format!("it is {}", told(answer)),
    })
}

fn names(fault: &ReadFault, path: Option<&str>) -> bool {
    match (fault, path) {
        (ReadFault::Shape { path: found, .. }, Some(path)) => found == path,
        (ReadFault::NotJson { .. }, None) => true,
        _ => false,
    }
}

pub(crate) async fn acknowledged_is_stored(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let mut random = trial.random("P18");
    let deliveries = signed.len();
    let mut events = Vec::new();
    for delivery in &signed {
        events.push(reading(trial, delivery)?);
    }
    let schedules = [
        Schedule::in_order(deliveries),
        Schedule::one_by_one(shuffled(deliveries, &mut random)).decorated(&mut random),
    ];
    let mut checks = 0;
    for schedule in schedules {
        let bench = trial.rig.bench(&trial.scenario).await?;
        let mut acknowledged: BTreeSet<EventKey> = BTreeSet::new();
        for index in schedule.order() {
            let answer = one(&bench, &signed[index]).await?;
            if let (Ok(_), Ok(event)) = (&answer, &events[index]) {
                acknowledged.insert(event.head.key.clone());
            }
            statuses_agree(&bench, &acknowledged)
                .await
                .map_err(|broken| broken.context(&format!("after delivery {}", index + 1)).in_schedule(&schedule))?;
            checks += 1;
        }
    }
    Ok(Held { checks })
}

async fn statuses_agree(bench: &Bench, acknowledged: &BTreeSet<EventKey>) -> Result<(), Broken> {
    let events = bench.events().await?;
    let projection = bench.projection().await?;
    let parked = |id: &str| matches!(projection.pointer("/parked"), Some(Value::Object(map)) if map.contains_key(id));
    for stored in &events {
        let key = stored.event.key.clone();
        let facts = bench.engine.store().facts(std::slice::from_ref(&key)).await?;
        let waits = facts.iter().any(|stored| parked(stored.fact.subject.root.id.expose()));
        let final_status = match stored.status {
            EventStatus::Processed => !waits,
            EventStatus::Parked => waits,
            EventStatus::Ignored => facts.is_empty(),
            EventStatus::AwaitingFetch => facts.is_empty() && matches!(stored.reason, Some(Reason::Fetch(_))),
            EventStatus::Failed => !acknowledged.contains(&key),
            EventStatus::Received => false,
        };
        ensure(final_status, || {
            let (event_type, status) = (&stored.event.event_type, stored.status.as_str());
            format!("an event of type {event_type} is {status}, but one of its subjects is parked: {waits}")
        })?;
    }
    let kept = statuses(events);
    let lost = acknowledged.iter().filter(|key| !kept.contains_key(key)).count();
    ensure(lost == 0, || format!("{lost} acknowledged events are not in the store"))
}

async fn one(bench: &Bench, delivery: &Delivery) -> Result<Answer, Broken> {
    match bench.receiver.receive(vec![delivery.clone()]).await?.pop() {
        Some(answer) => Ok(answer),
        None => Err(Broken::new("one delivery was sent, but there is no answer")),
    }
}

fn told(answer: &Answer) -> String {
    match answer {
        Ok(receipt) => format!("accepted as {} (duplicate: {})", receipt.status.as_str(), receipt.duplicate),
        Err(refusal) => format!("refused ({})", refusal.code()),
    }
}

/// The facts of an event, if its meaning has any.
pub(crate) fn facts_of(event: &Event) -> &[purchase_core::fact::Fact] {
    match &event.meaning {
        Meaning::Facts(facts) => facts,
        Meaning::Fetch(_) | Meaning::Ignored => &[],
    }
}
