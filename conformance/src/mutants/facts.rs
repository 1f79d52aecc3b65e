//! Decides how adapters tell wrong facts: what users of other systems report most.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use purchase_core::{
    fact::{
        Fact, Link, Phase, Version,
        photo::{PaymentState, Photo, Subscription, SubscriptionStatus},
    },
    id::{CustomerId, ObjectRef, ProviderId, Subject},
    provider::Provider,
    time::Timestamp,
};

use crate::{mutants::adapters::arrivals, wrapped::Wrapped};

/// Spoils every photograph, and prior states with it.
fn photos(inner: Arc<dyn Provider>, spoil: fn(&mut Photo)) -> Arc<dyn Provider> {
    Wrapped::facts(inner, move |facts| {
        for sight in facts.iter_mut().filter_map(|fact| fact.sight.as_mut()) {
            std::iter::once(&mut sight.photo).chain(&mut sight.prior).for_each(spoil);
        }
    })
}

fn subscriptions(inner: Arc<dyn Provider>, spoil: fn(&mut Subscription)) -> Arc<dyn Provider> {
    Wrapped::facts(inner, move |facts| {
        for sight in facts.iter_mut().filter_map(|fact| fact.sight.as_mut()) {
            for photo in std::iter::once(&mut sight.photo).chain(&mut sight.prior) {
                if let Photo::Subscription(subscription) = photo {
                    spoil(subscription);
                }
            }
        }
    })
}

/// Gives an object another id, and its subject with it where the object names it.
fn rename(fact: &mut Fact, name: &str) {
    let Ok(id) = ProviderId::new(name) else { return };
    let Some(sight) = &mut fact.sight else { return };
    if fact.subject.root == sight.object {
        fact.subject.root.id = id.clone();
    }
    sight.object.id = id;
}

pub(super) fn row_per_event(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let created: Mutex<BTreeSet<ObjectRef>> = Mutex::default();
    Wrapped::facts(inner, move |facts| {
        let mut created = created.lock().unwrap_or_else(PoisonError::into_inner);
        for fact in facts {
            let Some(sight) = &fact.sight else { continue };
            if sight.phase == Phase::Created {
                created.insert(sight.object.clone());
            } else if !created.contains(&sight.object) {
                let name = format!("{}#2", sight.object.id.expose());
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
            let Some(sight) = &fact.sight else { continue };
            let known = !seen.insert(sight.object.clone());
            if known && sight.phase == Phase::Created {
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
            let Some(sight) = &fact.sight else { continue };
            if matches!(sight.photo, Photo::Refund(_)) {
                let name = format!("{}#{}", sight.object.id.expose(), fact.event.expose());
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
            let pays = fact.sight.as_ref().is_some_and(|sight| matches!(sight.photo, Photo::Payment(_)));
            if let Some(name) = subscription.filter(|_| pays) {
                rename(fact, &name);
            }
        }
    })
}

pub(super) fn delivers_before_paid(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    photos(inner, |photo| {
        if let Photo::Payment(payment) = photo
            && payment.state == PaymentState::Pending
        {
            payment.state = PaymentState::Succeeded;
        }
    })
}

pub(super) fn ignores_deletion(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    photos(inner, |photo| {
        if let Photo::Customer(customer) = photo {
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
        for sight in facts.iter_mut().filter_map(|fact| fact.sight.as_mut()).filter(|sight| sight.prior.is_some()) {
            sight.prior = Some(sight.photo.clone());
        }
    })
}

pub(super) fn makes_up_priors(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Wrapped::facts(inner, |facts| {
        for sight in facts.iter_mut().filter_map(|fact| fact.sight.as_mut()) {
            sight.prior = Some(sight.photo.clone());
        }
    })
}
