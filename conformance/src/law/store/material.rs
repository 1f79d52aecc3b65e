//! Supplies the data that the store laws write: invented events and facts, and the subjects that follow from them.

use std::sync::Arc;

use purchase_core::{
    catalog::Catalog,
    engine::{Engine, ProjectionQuery},
    fact::{
        Fact, Link, Observation, Phase, Version,
        object_state::{Item, ObjectState, Subscription, SubscriptionStatus},
    },
    fold::SubjectState,
    id::{CustomerId, EventKey, Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    snapshot::derive,
    store::{Commit, EventStatus, EventWrite, NewEvent, PendingOwner, Store, SubjectWrite},
    time::Timestamp,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    acme::{ACME, scenarios},
    law::StoreTrial,
    replay::{self, send},
    rig::{Rig, TOLERANCE_SECONDS},
    scenario::Scenario,
    schedule::Schedule,
    under_test::{Endpoint, StoreUnderTest},
    verdict::Broken,
};

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::EPOCH.plus_seconds(1_750_000_000 + seconds)
}

fn id(text: &str) -> Result<ProviderId, Broken> {
    ProviderId::new(text).map_err(|error| Broken::caused("an id of the kit", &error))
}

fn source() -> Result<Source, Broken> {
    let provider = ProviderName::new("acme").map_err(|error| Broken::caused("a name of the kit", &error))?;
    Ok(Source { provider, account: None, mode: Mode::Test })
}

pub(super) fn subject(name: &str) -> Result<Subject, Broken> {
    Ok(Subject { source: source()?, root: ObjectRef::new(ObjectKind::Subscription, id(name)?) })
}

/// An event with a unique name and body, received at its number of seconds.
pub(super) fn event(number: i64) -> Result<NewEvent, Broken> {
    let body = format!("{{\"number\":{number}}}").into_bytes();
    Ok(NewEvent {
        key: EventKey { source: source()?, id: id(&format!("ev_{number:04}"))? },
        event_type: "subscription.changed".to_owned(),
        api_version: Some("1".to_owned()),
        occurred_at: Some(at(number)),
        received_at: at(number),
        ordering_key: None,
        digest: Sha256::digest(&body).into(),
        body,
    })
}

/// A fact of an event about a subject: its quantity is the number.
pub(super) fn fact(event: &NewEvent, subject: &Subject, number: i64) -> Result<Fact, Broken> {
    let object_state = ObjectState::Subscription(Box::new(Subscription {
        items: vec![Item { price: id("price_seats")?, quantity: u64::try_from(number).ok() }],
        ..Subscription::new(SubscriptionStatus::Active, "active")
    }));
    let owner = CustomerId::new("user-of-acme").map_err(|error| Broken::caused("an id of the kit", &error))?;
    Ok(Fact {
        subject: subject.clone(),
        event: event.key.id.clone(),
        version: Version::at(at(number)),
        observation: Some(Observation {
            object: subject.root.clone(),
            phase: Phase::Changed,
            object_state,
            prior: None,
        }),
        links: vec![Link::Owner(owner)],
    })
}

/// A subject as all its facts determine it.
pub(super) fn write(subject: &Subject, facts: &[Fact], expected_revision: i64) -> SubjectWrite {
    let state = SubjectState::fold(subject, facts).0;
    let rows = derive::rows(subject, &state, &Catalog::default());
    SubjectWrite {
        subject: subject.clone(),
        expected_revision,
        state,
        rows,
        transitions: Vec::new(),
        owner_settled: true,
    }
}

/// The write that marks an event as processed and requires the expected status.
pub(super) fn event_write(event: &NewEvent, expected: Option<EventStatus>) -> EventWrite {
    let event = event.clone();
    EventWrite { event, expected, status: EventStatus::Processed, reason: None, attempts: 1, due_at: None }
}

/// A commit of one event with one new fact about a subject. `known` holds the facts that the subject already has.
pub(super) fn commit(number: i64, subject: &Subject, known: &[Fact], revision: i64) -> Result<Commit, Broken> {
    let event = event(number)?;
    let fact = fact(&event, subject, number)?;
    let all = [known, std::slice::from_ref(&fact)].concat();
    let pending_owners = vec![PendingOwner { subject: subject.clone(), on: self::subject("sub_waited_for")? }];
    Ok(Commit {
        events: vec![event_write(&event, None)],
        facts: vec![fact],
        subjects: vec![write(subject, &all, revision)],
        pending_owners,
        ..Commit::default()
    })
}

/// A rig with acme on one store of the trial.
pub(super) fn rig(trial: &StoreTrial, store: &StoreUnderTest) -> Rig {
    Rig { provider: ACME, store: store.clone(), mutation: trial.mutation }
}

/// An engine with acme on a store.
pub(super) fn engine(store: Arc<dyn Store>, scenario: &Scenario) -> Result<Engine, Broken> {
    let endpoint = Endpoint { secrets: &[&scenario.secret], tolerance_seconds: Some(TOLERANCE_SECONDS), mode: None };
    let provider = (ACME.build)(&endpoint).map_err(|error| Broken::caused("acme", error.as_ref()))?;
    Ok(Engine::new(store).with_provider(provider))
}

/// Sends the deliveries of an acme scenario to an engine and reads the projection.
pub(super) async fn play(
    engine: &Engine,
    trial: &StoreTrial,
    scenario: &Scenario,
    schedule: &Schedule,
) -> Result<Value, Broken> {
    let signed = rig(trial, &trial.store).sign(scenario)?;
    for (sent, index) in schedule.order().into_iter().enumerate() {
        send(engine, vec![(index, replay::later(&signed[index], sent))]).await?;
    }
    projection(engine, scenario).await
}

pub(super) async fn projection(engine: &Engine, scenario: &Scenario) -> Result<Value, Broken> {
    let query = ProjectionQuery { source: None, as_of: scenario.as_of };
    Ok(engine.projection(&query).await?.expose_canonical())
}

/// Acme's scenarios.
pub(super) fn scenarios() -> Vec<Scenario> {
    scenarios::all()
}
