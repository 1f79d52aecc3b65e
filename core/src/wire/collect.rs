//! Assembles the facts of one event: one observation per object, one set of links per subject. It also reads the
//! attribution that any object may contain.

use std::collections::BTreeMap;

use crate::{
    fact::{Fact, Link, Observation, Version, object_state::Item},
    id::{CustomerId, IdError, ObjectKind, ObjectRef, OfferId, ProviderId, Subject},
    provider::{EventHead, ReadFault},
    time::Timestamp,
    wire::View,
};

/// The metadata key under which an application names its own customer.
const OWNER_KEY: &str = "purchase_customer_id";
/// The metadata key under which an application names the offer that was sold.
const OFFER_KEY: &str = "purchase_offer_id";

/// The facts of one event, by subject.
#[derive(Debug, Default)]
pub struct Collector {
    subjects: Vec<About>,
}

#[derive(Debug)]
struct About {
    root: ObjectRef,
    observations: Vec<Observation>,
    links: Vec<Link>,
    /// Older statements that the event repeats, by the time they were made.
    copies: BTreeMap<Timestamp, Vec<Link>>,
}

impl Collector {
    /// Adds an observation of a subject's root or member, unless the event has already shown that object.
    pub fn observation(&mut self, root: &ObjectRef, observation: Observation) {
        let observations = &mut self.about(root).observations;
        if observations.iter().all(|shown| shown.object != observation.object) {
            observations.push(observation);
        }
    }

    /// Adds links of a subject, each once.
    pub fn link(&mut self, root: &ObjectRef, links: impl IntoIterator<Item = Link>) {
        let known = &mut self.about(root).links;
        for link in links {
            if !known.contains(&link) {
                known.push(link);
            }
        }
    }

    /// Adds an object's own attribution: its customer at the provider, its owner, and the offer that it sells.
    pub fn belongs(&mut self, root: &ObjectRef, attribution: &Attribution) {
        self.link(root, attribution.customer().chain(attribution.owner()).chain(attribution.offer()));
    }

    /// Adds links of a subject that another object states, at the time of that statement: copied metadata has the
    /// time of the copy.
    pub fn infer(&mut self, root: &ObjectRef, said_at: Timestamp, links: impl IntoIterator<Item = Link>) {
        let known = self.about(root).copies.entry(said_at).or_default();
        for link in links {
            if !known.contains(&link) {
                known.push(link);
            }
        }
    }

    /// Returns one fact per observation; a subject's links are in its first fact. Copies become facts with their own,
    /// older version.
    pub fn into_facts(self, head: &EventHead, version: Version) -> Vec<Fact> {
        let mut facts = Vec::new();
        for About { root, observations, mut links, copies } in self.subjects {
            let mut fact = |version, observation, links| {
                facts.push(Fact {
                    subject: Subject { source: head.key.source.clone(), root: root.clone() },
                    event: head.key.id.clone(),
                    version,
                    observation,
                    links,
                });
            };
            if observations.is_empty() && !links.is_empty() {
                fact(version, None, std::mem::take(&mut links));
            }
            for observation in observations {
                fact(version, Some(observation), std::mem::take(&mut links));
            }
            for (said_at, links) in copies.into_iter().filter(|(_, links)| !links.is_empty()) {
                fact(Version::at(said_at).min(version), None, links);
            }
        }
        facts
    }

    fn about(&mut self, root: &ObjectRef) -> &mut About {
        let index = self.subjects.iter().position(|about| about.root == *root).unwrap_or_else(|| {
            self.subjects.push(About {
                root: root.clone(),
                observations: Vec::new(),
                links: Vec::new(),
                copies: BTreeMap::new(),
            });
            self.subjects.len() - 1
        });
        &mut self.subjects[index]
    }
}

/// The items that are billed or sold, one per price: two items of one price are added together.
#[derive(Debug, Default)]
pub struct Quantities(BTreeMap<ProviderId, Option<u64>>);

impl Quantities {
    /// Adds an item. Metered usage has no quantity.
    ///
    /// # Errors
    /// When the sum exceeds what [`View::quantity`] accepts.
    pub fn add(&mut self, price: ProviderId, place: &View<'_, '_>) -> Result<(), ReadFault> {
        self.add_or(price, place, None)
    }

    /// Adds an item; `missing` is its quantity if none is given.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_or(&mut self, price: ProviderId, place: &View<'_, '_>, missing: Option<u64>) -> Result<(), ReadFault> {
        let sum = self.0.entry(price).or_default();
        if let Some(quantity) = place.quantity()?.or(missing) {
            let total = sum.unwrap_or(0).checked_add(quantity).filter(|total| *total <= View::MAX_QUANTITY);
            *sum = Some(total.ok_or_else(|| place.fault("quantities whose sum is at most 2^53 - 1"))?);
        }
        Ok(())
    }

    /// The items, ordered by price.
    pub fn into_items(self) -> Vec<Item> {
        self.0.into_iter().map(|(price, quantity)| Item { price, quantity }).collect()
    }
}

/// An object's own attribution.
#[derive(Debug, Clone, Default)]
pub struct Attribution {
    /// The provider's customer.
    pub customer: Option<ProviderId>,
    /// The application's customer.
    pub owner: Option<CustomerId>,
    /// The offer that was sold.
    pub offer: Option<OfferId>,
}

impl Attribution {
    /// Reads what the application wrote into an object's metadata, in addition to the provider's customer.
    pub fn read(customer: Option<ProviderId>, metadata: &View<'_, '_>) -> Result<Self, ReadFault> {
        let offer = application_id(&metadata.at(OFFER_KEY), |text| OfferId::new(text))?;
        Ok(Self { customer, owner: owner(metadata)?, offer })
    }

    /// The provider's customer, as a link.
    pub fn customer(&self) -> impl Iterator<Item = Link> + use<> {
        self.customer.clone().map(Link::Customer).into_iter()
    }

    /// The provider's customer, as a subject.
    pub fn customer_ref(&self) -> Option<ObjectRef> {
        self.customer.clone().map(|customer| ObjectRef::new(ObjectKind::Customer, customer))
    }

    /// The application's customer, as a link.
    pub fn owner(&self) -> impl Iterator<Item = Link> + use<> {
        self.owner.clone().map(Link::Owner).into_iter()
    }

    /// The owner that this attribution implies for another object.
    pub fn inferred_owner(&self, by: Option<&ObjectRef>) -> impl Iterator<Item = Link> + use<> {
        let by = by.cloned();
        self.owner.clone().map(|owner| Link::InferredOwner { owner, by }).into_iter()
    }

    /// The offer that this attribution implies for another object.
    pub fn inferred_offer(&self, by: Option<&ObjectRef>) -> impl Iterator<Item = Link> + use<> {
        let by = by.cloned();
        self.offer.clone().map(|offer| Link::InferredOffer { offer, by }).into_iter()
    }

    /// The offer, as a link.
    pub fn offer(&self) -> impl Iterator<Item = Link> + use<> {
        self.offer.clone().map(Link::Offer).into_iter()
    }
}

/// The application's customer, from metadata.
pub fn owner(metadata: &View<'_, '_>) -> Result<Option<CustomerId>, ReadFault> {
    application_id(&metadata.at(OWNER_KEY), |text| CustomerId::new(text))
}

/// An id that the application wrote. An empty text or metadata that isn't an object gives none. Any other value that
/// can't be an id is recorded as a remark and ignored ([`View::excuse`]).
pub fn application_id<T>(
    place: &View<'_, '_>,
    new: impl Fn(&str) -> Result<T, IdError>,
) -> Result<Option<T>, ReadFault> {
    if place.blocked {
        return Ok(None);
    }
    place.excuse(match place.text() {
        Ok(None | Some("")) => Ok(None),
        Ok(Some(text)) => place.id_from(text, new).map(Some),
        Err(fault) => Err(fault),
    })
}
