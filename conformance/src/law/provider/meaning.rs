//! Decides whether the projection is true about the customer in cases that no scenario has to state: who owns an
//! object, that the API version of a body doesn't matter, and that nothing is granted before it began.

use std::collections::{BTreeMap, BTreeSet};

use purchase_core::{
    delivery::Delivery,
    engine::ProjectionQuery,
    fact::{Fact, Link, Phase, Version},
    id::{CustomerId, Subject},
    store::Wanted,
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    law::{
        Trial,
        provider::keeping::{facts_of, reading},
    },
    mutants::Mutation,
    replay,
    rig::Rig,
    scenario::Recorded,
    schedule::{Schedule, shuffled},
    verdict::{Broken, Held, Verdict, ensure, ensure_equal},
};

/// How many schedules are played besides the true order and its reverse.
const SCHEDULES: usize = 6;

/// Whether an object of the scenario names its owner.
pub(crate) fn names_owners(trial: &Trial) -> bool {
    let signed = trial.rig.sign(&trial.scenario);
    // A scenario that can't be signed or read is judged too, so that the report shows the failure.
    signed.and_then(|signed| named_by_themselves(trial, &signed)).map_or(true, |named| !named.is_empty())
}

pub(crate) async fn own_owner_counts(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let named = named_by_themselves(trial, &signed)?;
    let subjects: Vec<Subject> = named.keys().cloned().collect();
    let mut checks = 0;
    for schedule in schedules(trial, "P25", signed.len()) {
        let bench = trial.rig.bench(&trial.scenario).await?;
        replay::play(&bench, &trial.scenario, &signed, &schedule).await?;
        let wanted = Wanted::subjects(subjects.clone());
        for stored in bench.engine.store().load(&wanted).await?.subjects {
            let owner = stored.state.application_customer();
            ensure(owner == named.get(&stored.subject), || {
                format!("{} has another owner than the one that it names itself", stored.subject.public_id())
            })
            .map_err(|broken| broken.in_schedule(&schedule))?;
            checks += 1;
        }
    }
    Ok(Held { checks })
}

/// The owner that each object last names for itself, as a correct adapter reads it. Only an event that shows the object
/// counts. If two such events are equally late and differ, the owner is unknown.
fn named_by_themselves(trial: &Trial, signed: &[Delivery]) -> Result<BTreeMap<Subject, CustomerId>, Broken> {
    let right = Trial { rig: Rig { mutation: Mutation::None, ..trial.rig.clone() }, ..trial.clone() };
    let mut latest: BTreeMap<Subject, ((Version, Phase), BTreeSet<CustomerId>)> = BTreeMap::new();
    for delivery in signed {
        let Ok(event) = reading(&right, delivery)? else { continue };
        for (fact, phase) in facts_of(&event).iter().filter_map(|fact| Some((fact, speaks_for_itself(fact)?))) {
            let owners = fact.links.iter().filter_map(|link| match link {
                Link::Owner(owner) => Some(owner.clone()),
                _ => None,
            });
            for owner in owners {
                let at = (fact.version, phase);
                let (last, said) = latest.entry(fact.subject.clone()).or_insert((at, BTreeSet::new()));
                if at > *last {
                    (*last, *said) = (at, BTreeSet::new());
                }
                if at == *last {
                    said.insert(owner);
                }
            }
        }
    }
    let one = latest.into_iter().filter(|(_, (_, said))| said.len() == 1);
    Ok(one.filter_map(|(subject, (_, said))| Some((subject, said.into_iter().next()?))).collect())
}

/// The phase that a fact shows, if it shows its subject's root.
fn speaks_for_itself(fact: &Fact) -> Option<Phase> {
    fact.observation
        .as_ref()
        .filter(|observation| observation.object == fact.subject.root)
        .map(|observation| observation.phase)
}

pub(crate) fn has_older_shape(trial: &Trial) -> bool {
    trial.scenario.deliveries.iter().any(|recorded| older(trial, recorded).is_some())
}

/// A delivery in the older shape. A body recorded with its signature can't be rewritten.
fn older(trial: &Trial, recorded: &Recorded) -> Option<Vec<u8>> {
    let reshape = trial.rig.provider.samples.older_shape.filter(|_| recorded.headers.is_none())?;
    reshape(&recorded.body)
}

/// Plays all deliveries in the older shape, and then each delivery in either shape.
pub(crate) async fn any_shape(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let mut reshaped = Vec::new();
    for (recorded, delivery) in trial.scenario.deliveries.iter().zip(&signed) {
        reshaped.push(match older(trial, recorded) {
            Some(body) => trial.rig.sign_body(&trial.scenario, body)?,
            None => delivery.clone(),
        });
    }
    let expect = played(trial, &signed, &Schedule::in_order(signed.len())).await?;
    let mut random = trial.random("P26");
    let mut checks = 0;
    for nth in 0..=SCHEDULES {
        let mixed: Vec<Delivery> = match nth {
            0 => reshaped.clone(),
            _ => signed
                .iter()
                .zip(&reshaped)
                .map(|(new, old)| if rand::RngExt::random::<bool>(&mut random) { new.clone() } else { old.clone() })
                .collect(),
        };
        let schedule = Schedule::one_by_one(shuffled(signed.len(), &mut random));
        let found = played(trial, &mixed, &schedule).await?;
        ensure_equal(&expect, &found, "in an older shape").map_err(|broken| broken.in_schedule(&schedule))?;
        checks += 1;
    }
    Ok(Held { checks })
}

async fn played(trial: &Trial, deliveries: &[Delivery], schedule: &Schedule) -> Result<Value, Broken> {
    let bench = trial.rig.bench(&trial.scenario).await?;
    Ok(replay::play(&bench, &trial.scenario, deliveries, schedule).await?.projection)
}

/// Long before the first event, nobody may use anything.
pub(crate) async fn nothing_before_it_began(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let bench = trial.rig.bench(&trial.scenario).await?;
    replay::play(&bench, &trial.scenario, &signed, &Schedule::in_order(signed.len())).await?;
    let query = ProjectionQuery { source: None, as_of: Timestamp::EPOCH };
    let projection = bench.engine.projection(&query).await?.expose_canonical();
    let mut checks = 1;
    for map in ["entitlements", "unlinked"] {
        let customers = projection[map].as_object().into_iter().flat_map(|customers| customers.values());
        for benefit in customers.filter_map(Value::as_object).flat_map(|benefits| benefits.values()) {
            ensure(benefit["access"] == Value::Bool(false), || "there is access before the start".to_owned())?;
            checks += 1;
        }
    }
    Ok(Held { checks })
}

/// The true order, its reverse, and some random orders.
fn schedules(trial: &Trial, law: &str, deliveries: usize) -> Vec<Schedule> {
    let mut random = trial.random(law);
    let mut schedules = vec![Schedule::in_order(deliveries), Schedule::one_by_one((0..deliveries).rev())];
    schedules.extend((0..SCHEDULES).map(|_| Schedule::one_by_one(shuffled(deliveries, &mut random))));
    schedules
}
