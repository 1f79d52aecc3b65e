//! Decides how adapters are broken: each wraps a right one and spoils one thing. State lives as long as its system.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use purchase_core::{
    capability::Capabilities,
    delivery::{Headers, Limits},
    fact::{Fact, Phase, Version, photo::Photo},
    id::{ObjectRef, ProviderId, ProviderName, Source},
    provider::{Event, Meaning, Provider, ReadFault, Unreadable},
    time::Timestamp,
    verify::{SignatureClaim, SignatureError, Trust, VerifiedDelivery},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub(super) type Respoken =
    dyn Fn(&VerifiedDelivery, Result<Event, Unreadable>) -> Result<Event, Unreadable> + Send + Sync;

/// A right adapter, and what is done to what it says.
pub(super) struct Spoiled {
    pub(super) inner: Arc<dyn Provider>,
    pub(super) capabilities: Capabilities,
    pub(super) trust: Trust,
    pub(super) claim: fn(SignatureClaim) -> SignatureClaim,
    pub(super) read: Box<Respoken>,
    pub(super) same_content: fn(bool) -> bool,
}

impl Spoiled {
    pub(super) fn new(inner: Arc<dyn Provider>) -> Self {
        let (capabilities, trust) = (inner.capabilities(), inner.trust().clone());
        let read = Box::new(|_: &VerifiedDelivery, event| event);
        Self { inner, capabilities, trust, claim: |claim| claim, read, same_content: |same| same }
    }

    /// Spoils where every event and its facts live.
    pub(super) fn sources(inner: Arc<dyn Provider>, spoil: fn(&mut Source)) -> Arc<dyn Provider> {
        let read = move |_: &VerifiedDelivery, event: Result<Event, Unreadable>| {
            event.map(|mut event| {
                spoil(&mut event.head.key.source);
                if let Meaning::Facts(facts) = &mut event.meaning {
                    facts.iter_mut().for_each(|fact| spoil(&mut fact.subject.source));
                }
                event
            })
        };
        Arc::new(Self { read: Box::new(read), ..Self::new(inner) })
    }

    /// Spoils the facts of every event.
    pub(super) fn facts(
        inner: Arc<dyn Provider>,
        spoil: impl Fn(&mut Vec<Fact>) + Send + Sync + 'static,
    ) -> Arc<dyn Provider> {
        let read = move |_: &VerifiedDelivery, event: Result<Event, Unreadable>| {
            event.map(|mut event| {
                if let Meaning::Facts(facts) = &mut event.meaning {
                    spoil(facts);
                }
                event
            })
        };
        Arc::new(Self { read: Box::new(read), ..Self::new(inner) })
    }
}

impl Provider for Spoiled {
    fn name(&self) -> &ProviderName {
        self.inner.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn longest_dunning_seconds(&self) -> i64 {
        self.inner.longest_dunning_seconds()
    }

    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn claim(&self, headers: &Headers, limits: &Limits) -> Result<SignatureClaim, SignatureError> {
        self.inner.claim(headers, limits).map(self.claim)
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        (self.read)(delivery, self.inner.read(delivery))
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        (self.same_content)(self.inner.same_content(one, other))
    }
}

pub(super) fn ignores_the_time(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let right = Spoiled::new(inner);
    Arc::new(Spoiled { trust: Trust { tolerance_seconds: None, ..right.trust.clone() }, ..right })
}

pub(super) fn first_signature_only(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let claim = |mut claim: SignatureClaim| {
        claim.macs.truncate(1);
        claim
    };
    Arc::new(Spoiled { claim, ..Spoiled::new(inner) })
}

pub(super) fn last_signature_only(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let claim = |mut claim: SignatureClaim| {
        claim.macs.drain(..claim.macs.len().saturating_sub(1));
        claim
    };
    Arc::new(Spoiled { claim, ..Spoiled::new(inner) })
}

pub(super) fn first_secret_only(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let mut right = Spoiled::new(inner);
    right.trust.secrets.truncate(1);
    Arc::new(right)
}

/// Counts arrivals: later ones get later times, far behind every real one.
pub(super) fn arrivals() -> impl Fn() -> Timestamp + Send + Sync {
    let count = AtomicI64::new(0);
    move || Timestamp::EPOCH.plus_seconds(4_000_000_000 + count.fetch_add(1, Ordering::SeqCst))
}

pub(super) fn last_arrival_wins(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let arrival = arrivals();
    Spoiled::facts(inner, move |facts| {
        let version = Version::at(arrival());
        facts.iter_mut().for_each(|fact| fact.version = version);
    })
}

pub(super) fn last_of_the_tied(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let arrival = arrivals();
    Spoiled::facts(inner, move |facts| {
        let then = arrival();
        facts.iter_mut().for_each(|fact| fact.version.then = then);
    })
}

pub(super) fn drops_the_tied(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let seen: Mutex<BTreeMap<ObjectRef, (Version, ProviderId)>> = Mutex::default();
    Spoiled::facts(inner, move |facts| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        for fact in facts {
            let Some(sight) = &fact.sight else { continue };
            match seen.get(&sight.object) {
                Some((version, event)) if fact.version <= *version && fact.event != *event => fact.sight = None,
                _ => drop(seen.insert(sight.object.clone(), (fact.version, fact.event.clone()))),
            }
        }
    })
}

pub(super) fn drops_prior_states(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Spoiled::facts(inner, |facts| {
        facts.iter_mut().filter_map(|fact| fact.sight.as_mut()).for_each(|sight| sight.prior = None);
    })
}

pub(super) fn drops_orphans(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let created: Mutex<BTreeSet<ObjectRef>> = Mutex::default();
    Spoiled::facts(inner, move |facts| {
        let mut created = created.lock().unwrap_or_else(PoisonError::into_inner);
        facts.retain(|fact| {
            let Some(sight) = &fact.sight else { return true };
            if sight.phase == Phase::Created {
                created.insert(sight.object.clone());
            }
            created.contains(&sight.object)
        });
    })
}

pub(super) fn drops_links(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Spoiled::facts(inner, |facts| facts.iter_mut().for_each(|fact| fact.links.clear()))
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
    Arc::new(Spoiled { read: Box::new(read), ..Spoiled::new(inner) })
}

pub(super) fn accepts_conflicts(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Arc::new(Spoiled { same_content: |_| true, ..Spoiled::new(inner) })
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
    Arc::new(Spoiled { read: Box::new(read), ..Spoiled::new(inner) })
}

pub(super) fn refuses_unknown_values(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| match event {
        Ok(event) => {
            let unknown = |fact: &Fact| fact.sight.as_ref().is_some_and(|sight| !is_known(&sight.photo));
            match &event.meaning {
                Meaning::Facts(facts) if facts.iter().any(unknown) => nonsense(event),
                Meaning::Facts(_) | Meaning::Fetch(_) | Meaning::Ignored => Ok(event),
            }
        }
        error => error,
    };
    Arc::new(Spoiled { read: Box::new(read), ..Spoiled::new(inner) })
}

fn is_known(photo: &Photo) -> bool {
    match photo {
        Photo::Charge(_) | Photo::Customer(_) | Photo::Price(_) | Photo::Product(_) | Photo::Schedule(_) => true,
        _ => photo.is_readable(),
    }
}

pub(super) fn reads_new_shapes_only(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| {
        event.map(|mut event| {
            if let (Some(_), Meaning::Facts(facts)) = (&event.head.api_version, &mut event.meaning) {
                for sight in facts.iter_mut().filter_map(|fact| fact.sight.as_mut()) {
                    if let Photo::Subscription(subscription) = &mut sight.photo {
                        subscription.items.iter_mut().for_each(|item| item.quantity = None);
                    }
                }
            }
            event
        })
    };
    Arc::new(Spoiled { read: Box::new(read), ..Spoiled::new(inner) })
}

pub(super) fn guesses(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let read = |_: &VerifiedDelivery, event: Result<Event, Unreadable>| match event {
        Err(Unreadable { head: Some(head), .. }) => Ok(Event { head, meaning: Meaning::Ignored, remarks: Vec::new() }),
        other => other,
    };
    Arc::new(Spoiled { read: Box::new(read), ..Spoiled::new(inner) })
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
    Arc::new(Spoiled { read: Box::new(read), ..Spoiled::new(inner) })
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
    Arc::new(Spoiled { read: Box::new(read), ..Spoiled::new(inner) })
}
