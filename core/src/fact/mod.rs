//! Decides what a fact is: "object X of provider P looked like this at time T, according to event E". Adapters make
//! facts; everything behind this file knows no provider.

pub mod history;
pub mod order;
pub mod photo;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    fact::photo::Photo,
    id::{CustomerId, EventKey, ObjectRef, OfferId, ProviderId, Subject, exposed},
    time::Timestamp,
};

/// Where a photograph stands in its provider's own order. Each adapter documents how it fills this in.
///
/// Photographs with equal versions are tied; [`order`] settles them by evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// The first key.
    pub at: Timestamp,
    /// The second key; equal to the first where the provider has only one clock.
    pub then: Timestamp,
}

impl Version {
    /// A version of a provider that has one clock.
    pub fn at(at: Timestamp) -> Self {
        Self { at, then: at }
    }
}

/// Which part of an object's life the event's type speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The object came to be.
    Created,
    /// The object changed, or something happened to it.
    Changed,
    /// The object is gone or over.
    Ended,
}

/// What an event shows of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// The object; it is the subject's root or a member of it.
    pub object: ObjectRef,
    /// The part of its life.
    pub phase: Phase,
    /// Its whole state, as the event shows it.
    pub photo: Photo,
    /// Its whole state before the change, where the event brings evidence of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prior: Option<Photo>,
}

/// What another object or the metadata says a subject belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The checkout that led to it.
    Checkout(#[serde(with = "exposed")] ProviderId),
    /// The customer at the provider.
    Customer(#[serde(with = "exposed")] ProviderId),
    /// The invoice that it pays.
    Invoice(#[serde(with = "exposed")] ProviderId),
    /// The offer that was sold, from metadata that the application set.
    Offer(OfferId),
    /// The application's customer, from metadata that the application set.
    Owner(CustomerId),
    /// The payment that it led to.
    Payment(#[serde(with = "exposed")] ProviderId),
    /// The product that a price belongs to.
    Product(#[serde(with = "exposed")] ProviderId),
    /// The subscription that it is for.
    Subscription(#[serde(with = "exposed")] ProviderId),
}

impl Link {
    /// Whether another of its kind can take its place, and it that one's again: metadata can, and at some providers a
    /// subscription is moved to another customer. Other references stay.
    fn is_changeable(&self) -> bool {
        match self {
            Link::Customer(_) | Link::Offer(_) | Link::Owner(_) => true,
            Link::Checkout(_) | Link::Invoice(_) | Link::Payment(_) | Link::Product(_) | Link::Subscription(_) => false,
        }
    }
}

/// One neutral statement of one event about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub subject: Subject,
    /// The event that says so.
    #[serde(with = "exposed")]
    pub event: ProviderId,
    /// Where the event stands in the provider's order.
    pub version: Version,
    /// What the event shows of the subject's root or a member, if it shows one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sight: Option<Sight>,
    /// What the subject belongs to. Links only ever grow.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub links: Vec<Link>,
}

impl Fact {
    /// The event's key.
    pub fn event_key(&self) -> EventKey {
        EventKey { source: self.subject.source.clone(), id: self.event.clone() }
    }
}

/// What a subject is known to belong to: a map that only grows. Where one kind of link has several targets, the one
/// with the greatest version is read.
///
/// A reference to another object is never taken back, so it keeps the version at which it was first told. The customer,
/// and what the application writes into metadata, can change and change back: they keep the latest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Links(#[serde(with = "pairs")] BTreeMap<Link, Version>);

impl Links {
    /// Joins one statement.
    pub fn join(&mut self, link: Link, version: Version) {
        let changeable = link.is_changeable();
        let known = self.0.entry(link).or_insert(version);
        *known = if changeable { version.max(*known) } else { version.min(*known) };
    }

    /// Whether joining the statements would change nothing, now or after more has been joined.
    pub fn cover(&self, links: &[Link], version: Version) -> bool {
        links.iter().all(|link| !link.is_changeable() && self.0.get(link).is_some_and(|known| *known <= version))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every link.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.0.keys()
    }

    /// The latest target that `pick` takes; equal versions fall to the greater id.
    fn latest<'a, T: Ord + ?Sized>(&'a self, pick: impl Fn(&'a Link) -> Option<&'a T>) -> Option<&'a T> {
        self.0.iter().filter_map(|(link, version)| Some((*version, pick(link)?))).max().map(|(_, target)| target)
    }

    /// The checkout.
    pub fn checkout(&self) -> Option<&ProviderId> {
        self.latest(|link| if let Link::Checkout(id) = link { Some(id) } else { None })
    }

    /// The provider's customer.
    pub fn customer(&self) -> Option<&ProviderId> {
        self.latest(|link| if let Link::Customer(id) = link { Some(id) } else { None })
    }

    /// The invoice.
    pub fn invoice(&self) -> Option<&ProviderId> {
        self.latest(|link| if let Link::Invoice(id) = link { Some(id) } else { None })
    }

    /// The offer.
    pub fn offer(&self) -> Option<&OfferId> {
        self.latest(|link| if let Link::Offer(id) = link { Some(id) } else { None })
    }

    /// The application's customer.
    pub fn owner(&self) -> Option<&CustomerId> {
        self.latest(|link| if let Link::Owner(id) = link { Some(id) } else { None })
    }

    /// The payment.
    pub fn payment(&self) -> Option<&ProviderId> {
        self.latest(|link| if let Link::Payment(id) = link { Some(id) } else { None })
    }

    /// The product.
    pub fn product(&self) -> Option<&ProviderId> {
        self.latest(|link| if let Link::Product(id) = link { Some(id) } else { None })
    }

    /// The subscription.
    pub fn subscription(&self) -> Option<&ProviderId> {
        self.latest(|link| if let Link::Subscription(id) = link { Some(id) } else { None })
    }
}

/// A map whose keys are no strings, written as a list of pairs.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
