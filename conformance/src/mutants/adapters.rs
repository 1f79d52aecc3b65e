//! Builds broken adapters. Each wraps a correct adapter and breaks one thing. Its state lives as long as its system.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use purchase_core::{
    fact::{Fact, Phase, Version, object_state::ObjectState},
    id::{ObjectRef, ProviderId},
    provider::{Event, Meaning, Provider, ReadFault, Unreadable},
    time::Timestamp,
    verify::{PresentedSignature, Trust, VerifiedDelivery},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::wrapped::Wrapped;

pub(super) fn ignores_the_time(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let right = Wrapped::new(inner);
    Arc::new(Wrapped { trust: Trust { tolerance_seconds: None, ..right.trust.clone() }, ..right })
}

pub(super) fn first_signature_only(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let presented = |mut presented: PresentedSignature| {
        presented.macs.truncate(1);
        presented
    };
    Arc::new(Wrapped { presented, ..Wrapped::new(inner) })
}

pub(super) fn last_signature_only(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let presented = |mut presented: PresentedSignature| {
        presented.macs.drain(..presented.macs.len().saturating_sub(1));
        presented
    };
    Arc::new(Wrapped { presented, ..Wrapped::new(inner) })
}

pub(super) fn first_secret_only(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let mut right = Wrapped::new(inner);
    right.trust.secrets.truncate(1);
    Arc::new(right)
}

/// Counts arrivals and gives later ones later times, long after every real time.
pub(super) fn arrivals() -> impl Fn() -> Timestamp + Send + Sync {
    let count = AtomicI64::new(0);
    move || Timestamp::EPOCH.plus_seconds(4_000_000_000 + count.fetch_add(1, Ordering::SeqCst))
}

pub(super) fn last_arrival_wins(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let arrival = arrivals();
    Wrapped::facts(inner, move |facts| {
        let version = Version::at(arrival());
        facts.iter_mut().for_each(|fact| fact.version = version);
    })
}

pub(super) fn last_of_the_tied(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let arrival = arrivals();
    Wrapped::facts(inner, move |facts| {
        let then = arrival();
        facts.iter_mut().for_each(|fact| fact.version.then = then);
    })
}

pub(super) fn drops_the_tied(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let seen: Mutex<BTreeMap<ObjectRef, (Version, ProviderId)>> = Mutex::default();
    Wrapped::facts(inner, move |facts| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        for fact in facts {
            let Some(observation) = &fact.observation else { continue };
            match seen.get(&observation.object) {
                Some((version, event)) if fact.version <= *version && fact.event != *event => fact.observation = None,
                _ => drop(seen.insert(observation.object.clone(), (fact.version, fact.event.clone()))),
            }
        }
    })
}

pub(super) fn drops_prior_states(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| {
        facts.iter_mut().filter_map(|fact| fact.observation.as_mut()).for_each(|observation| observation.prior = None);
    })
}

pub(super) fn drops_orphans(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let created: Mutex<BTreeSet<ObjectRef>> = Mutex::default();
    Wrapped::facts(inner, move |facts| {
        let mut created = created.lock().unwrap_or_else(PoisonError::into_inner);
        facts.retain(|fact| {
            let Some(observation) = &fact.observation else { return true };
            if observation.phase == Phase::Created {
                created.insert(observation.object.clone());
            }
            created.contains(&observation.object)
        });
    })
}

pub(super) fn drops_links(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| facts.iter_mut().for_each(|fact| fact.links.clear()))
}

pub(super) fn effect_per_delivery(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let count = AtomicI64::new(0);
    rename(inner, move |_, id| format!("{id}#{}", count.fetch_add(1, Ordering::SeqCst)))
}

pub(super) fn goes_by_the_body(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    rename(inner, |body, _| hex::encode(Sha256::digest(body)))
}

/// Gives events other ids.
pub(super) fn rename(
    inner: Arc<dyn Provider>,
    name: impl Fn(&[u8], &str) -> String + Send + Sync + 'static,
) -> Arc<dyn Provider> {
    let read = move |delivery: &VerifiedDelivery, event: Result<Event, Unreadable>| {
        event.map(|mut event| {
            let id = name(delivery.body(), event.head.key.id.expose());
            if let Ok(id) = ProviderId::new(id) {
                if let Meaning::Facts(facts) = &mut event.meaning {
                    facts.iter_mut().for_each(|fact| fact.event = id.clone());
                }
                event.head.key.id = id;
            }
            event
        })
    };
    Wrapped::reading(inner, read)
}

pub(super) fn accepts_conflicts(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Arc::new(Wrapped { same_content: Box::new(|_, _, _| true), ..Wrapped::new(inner) })
}

fn nonsense(event: Event) -> Result<Event, Unreadable> {
    let fault =
        ReadFault::Shape { path: "type".to_owned(), expected: "a known word".to_owned(), found: "text".to_owned() };
    Err(Unreadable { head: Some(event.head), fault })
}

pub(super) fn refuses_unknown_types(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| match event {
        Ok(event) if event.meaning == Meaning::Ignored => nonsense(event),
        other => other,
    };
    Wrapped::reading(inner, read)
}

pub(super) fn refuses_unknown_values(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| match event {
        Ok(event) => {
            let unknown =
                |fact: &Fact| fact.observation.as_ref().is_some_and(|observation| !is_known(&observation.object_state));
            match &event.meaning {
                Meaning::Facts(facts) if facts.iter().any(unknown) => nonsense(event),
                Meaning::Facts(_) | Meaning::Fetch(_) | Meaning::Ignored => Ok(event),
            }
        }
        error => error,
    };
    Wrapped::reading(inner, read)
}

fn is_known(object_state: &ObjectState) -> bool {
    match object_state {
        ObjectState::Charge(_)
        | ObjectState::Customer(_)
        | ObjectState::Price(_)
        | ObjectState::Product(_)
        | ObjectState::Schedule(_) => true,
        _ => object_state.is_readable(),
    }
}

pub(super) fn reads_new_shapes_only(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| {
        event.map(|mut event| {
            if let (Some(_), Meaning::Facts(facts)) = (&event.head.api_version, &mut event.meaning) {
                for observation in facts.iter_mut().filter_map(|fact| fact.observation.as_mut()) {
                    if let ObjectState::Subscription(subscription) = &mut observation.object_state {
                        subscription.items.iter_mut().for_each(|item| item.quantity = None);
                    }
                }
            }
            event
        })
    };
    Wrapped::reading(inner, read)
}

pub(super) fn guesses(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| match event {
        Err(Unreadable { head: Some(head), .. }) => Ok(Event { head, meaning: Meaning::Ignored, remarks: Vec::new() }),
        other => other,
    };
    Wrapped::reading(inner, read)
}

pub(super) fn reads_strictly(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |delivery: &VerifiedDelivery, event: Result<Event, Unreadable>| {
        let strict = serde_json::from_slice::<Value>(delivery.body());
        strict.map_or_else(
            |error| {
                let fault = ReadFault::NotJson { line: error.line(), column: error.column() };
                Err(Unreadable { head: None, fault })
            },
            |_| event,
        )
    };
    Wrapped::reading(inner, read)
}

pub(super) fn talks(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |delivery: &VerifiedDelivery, event: Result<Event, Unreadable>| {
        event.map_err(|mut unreadable| {
            if let ReadFault::Shape { found, .. } = &mut unreadable.fault {
                *found = format!("{found} in {}", String::from_utf8_lossy(delivery.body()));
            }
            unreadable
        })
    };
    Wrapped::reading(inner, read)
}
