//! Builds adapters that produce wrong facts. Users of other systems report these failures most often.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use purchase_core::{
    fact::{
        Fact, Link, Phase, Version,
        object_state::{ObjectState, PaymentState, Subscription, SubscriptionStatus},
    },
    id::{CustomerId, ObjectRef, ProviderId, Subject},
    provider::Provider,
    time::Timestamp,
};

use crate::{mutants::adapters::arrivals, wrapped::Wrapped};

/// Applies a change to every observation and to every prior state.
fn object_states(inner: Arc<dyn Provider>, spoil: fn(&mut ObjectState)) -> Arc<dyn Provider> {
    Wrapped::facts(inner, move |facts| {
        for observation in facts.iter_mut().filter_map(|fact| fact.observation.as_mut()) {
            std::iter::once(&mut observation.object_state).chain(&mut observation.prior).for_each(spoil);
        }
    })
}

fn subscriptions(inner: Arc<dyn Provider>, spoil: fn(&mut Subscription)) -> Arc<dyn Provider> {
    Wrapped::facts(inner, move |facts| {
        for observation in facts.iter_mut().filter_map(|fact| fact.observation.as_mut()) {
            for object_state in std::iter::once(&mut observation.object_state).chain(&mut observation.prior) {
                if let ObjectState::Subscription(subscription) = object_state {
                    spoil(subscription);
                }
            }
        }
    })
}

/// Gives an object another id. The subject gets the same id if the object is its root.
fn rename(fact: &mut Fact, name: &str) {
    let Ok(id) = ProviderId::new(name) else { return };
    let Some(observation) = &mut fact.observation else { return };
    if fact.subject.root == observation.object {
        fact.subject.root.id = id.clone();
    }
    observation.object.id = id;
}

pub(super) fn row_per_event(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let created: Mutex<BTreeSet<ObjectRef>> = Mutex::default();
    Wrapped::facts(inner, move |facts| {
        let mut created = created.lock().unwrap_or_else(PoisonError::into_inner);
        for fact in facts {
            let Some(observation) = &fact.observation else { continue };
            if observation.phase == Phase::Created {
                created.insert(observation.object.clone());
            } else if !created.contains(&observation.object) {
                let name = format!("{}#2", observation.object.id.expose());
                rename(fact, &name);
            }
        }
    })
}

pub(super) fn late_creation_wins(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let arrival = arrivals();
    let seen: Mutex<BTreeSet<ObjectRef>> = Mutex::default();
    Wrapped::facts(inner, move |facts| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        for fact in facts {
            let Some(observation) = &fact.observation else { continue };
            let known = !seen.insert(observation.object.clone());
            if known && observation.phase == Phase::Created {
                fact.version = Version::at(arrival());
            }
        }
    })
}

pub(super) fn one_watermark(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let last: Mutex<Timestamp> = Mutex::new(Timestamp::EPOCH);
    Wrapped::facts(inner, move |facts| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        facts.retain(|fact| fact.version.at >= *last);
        *last = facts.iter().map(|fact| fact.version.at).fold(*last, Timestamp::max);
    })
}

pub(super) fn first_owner_stays(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let owners: Mutex<BTreeMap<Subject, CustomerId>> = Mutex::default();
    Wrapped::facts(inner, move |facts| {
        let mut owners = owners.lock().unwrap_or_else(PoisonError::into_inner);
        for fact in facts {
            for link in &mut fact.links {
                if let Link::Owner(owner) = link {
                    *owner = owners.entry(fact.subject.clone()).or_insert_with(|| owner.clone()).clone();
                }
            }
        }
    })
}

pub(super) fn believes_old_copies(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| {
        let Some(now) = facts.iter().map(|fact| fact.version).max() else { return };
        for fact in facts {
            fact.version = now;
            for link in &mut fact.links {
                if let Link::InferredOwner { owner, .. } = link {
                    *link = Link::Owner(owner.clone());
                }
            }
        }
    })
}

pub(super) fn takes_customers_for_owners(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| {
        for fact in facts {
            let customers = fact.links.iter().filter_map(|link| match link {
                Link::Customer(id) => CustomerId::new(id.expose()).ok().map(Link::Owner),
                _ => None,
            });
            let owners: Vec<Link> = customers.collect();
            fact.links.extend(owners);
        }
    })
}

pub(super) fn begins_in_1970(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    subscriptions(inner, |subscription| subscription.started_at = Some(Timestamp::EPOCH))
}

pub(super) fn refund_per_event(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| {
        for fact in facts {
            let Some(observation) = &fact.observation else { continue };
            if matches!(observation.object_state, ObjectState::Refund(_)) {
                let name = format!("{}#{}", observation.object.id.expose(), fact.event.expose());
                rename(fact, &name);
            }
        }
    })
}

pub(super) fn attempts_overwrite(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| {
        for fact in facts {
            let subscription = fact.links.iter().find_map(|link| match link {
                Link::Subscription(id) => Some(id.expose().to_owned()),
                _ => None,
            });
            let pays = fact
                .observation
                .as_ref()
                .is_some_and(|observation| matches!(observation.object_state, ObjectState::Payment(_)));
            if let Some(name) = subscription.filter(|_| pays) {
                rename(fact, &name);
            }
        }
    })
}

pub(super) fn delivers_before_paid(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    object_states(inner, |object_state| {
        if let ObjectState::Payment(payment) = object_state
            && payment.state == PaymentState::Pending
        {
            payment.state = PaymentState::Succeeded;
        }
    })
}

pub(super) fn ignores_deletion(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    object_states(inner, |object_state| {
        if let ObjectState::Customer(customer) = object_state {
            customer.deleted = false;
        }
    })
}

pub(super) fn forgets_moved_fields(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    subscriptions(inner, |subscription| subscription.period = None)
}

pub(super) fn cancels_at_once(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    subscriptions(inner, |subscription| {
        if subscription.cancel_at.is_some() {
            subscription.status = SubscriptionStatus::Canceled;
        }
    })
}

pub(super) fn reverses_evidence(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| {
        for observation in facts
            .iter_mut()
            .filter_map(|fact| fact.observation.as_mut())
            .filter(|observation| observation.prior.is_some())
        {
            observation.prior = Some(observation.object_state.clone());
        }
    })
}

pub(super) fn makes_up_priors(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| {
        for observation in facts.iter_mut().filter_map(|fact| fact.observation.as_mut()) {
            observation.prior = Some(observation.object_state.clone());
        }
    })
}
