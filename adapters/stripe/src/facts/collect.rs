//! Decides how the facts of one event are put together: one photograph per object, one statement of links per
//! subject. It also reads what every object may say of whom it belongs to.

use purchase_core::{
    fact::{Fact, Link, Sight, Version},
    id::{CustomerId, IdError, ObjectKind, ObjectRef, OfferId, ProviderId, Subject},
    provider::{EventHead, ReadFault},
};

use crate::wire::View;

/// The metadata key under which an application names its own customer.
const OWNER_KEY: &str = "purchase_customer_id";
/// The metadata key under which an application names the offer that was sold.
const OFFER_KEY: &str = "purchase_offer_id";

/// The facts of one event, by subject.
#[derive(Default)]
pub(super) struct Collector {
    subjects: Vec<About>,
}

struct About {
    root: ObjectRef,
    sights: Vec<Sight>,
    links: Vec<Link>,
}

impl Collector {
    /// Adds a photograph of a subject's root or member, unless the event has already shown that object.
    pub(super) fn sight(&mut self, root: &ObjectRef, sight: Sight) {
        let sights = &mut self.about(root).sights;
        if sights.iter().all(|shown| shown.object != sight.object) {
            sights.push(sight);
        }
    }

    /// Adds what a subject belongs to.
    pub(super) fn link(&mut self, root: &ObjectRef, links: impl IntoIterator<Item = Link>) {
        self.about(root).links.extend(links);
    }

    /// Adds what an object says of whom it belongs to: to its own subject, and its owner to its customer.
    pub(super) fn belongs(&mut self, root: &ObjectRef, ties: &Ties) {
        self.link(root, ties.customer().chain(ties.owner()).chain(ties.offer()));
        if let Some(customer) = &ties.customer {
            self.link(&ObjectRef::new(ObjectKind::Customer, customer.clone()), ties.owner());
        }
    }

    /// One fact per photograph; a subject's links go with its first.
    pub(super) fn into_facts(self, head: &EventHead) -> Vec<Fact> {
        let mut facts = Vec::new();
        for About { root, sights, mut links } in self.subjects {
            let mut fact = |sight, links| {
                facts.push(Fact {
                    subject: Subject { source: head.key.source.clone(), root: root.clone() },
                    event: head.key.id.clone(),
                    version: Version::at(head.occurred_at),
                    sight,
                    links,
                });
            };
            if sights.is_empty() && !links.is_empty() {
                fact(None, std::mem::take(&mut links));
            }
            for sight in sights {
                fact(Some(sight), std::mem::take(&mut links));
            }
        }
        facts
    }

    fn about(&mut self, root: &ObjectRef) -> &mut About {
        let index = self.subjects.iter().position(|about| about.root == *root).unwrap_or_else(|| {
            self.subjects.push(About { root: root.clone(), sights: Vec::new(), links: Vec::new() });
            self.subjects.len() - 1
        });
        &mut self.subjects[index]
    }
}

/// What an object says of whom it belongs to.
pub(super) struct Ties {
    pub(super) customer: Option<ProviderId>,
    pub(super) owner: Option<CustomerId>,
    pub(super) offer: Option<OfferId>,
}

impl Ties {
    /// Reads the places that objects have in common. Where Accounts v2 name no customer, its account stands for it.
    pub(super) fn read(object: &View<'_, '_>) -> Result<Self, ReadFault> {
        let metadata = object.at("metadata");
        let customer = match object.at("customer").id()? {
            Some(customer) => Some(customer),
            None => object.at("customer_account").id()?,
        };
        Ok(Self { customer, owner: owner(&metadata)?, offer: offer(&metadata)? })
    }

    pub(super) fn customer(&self) -> impl Iterator<Item = Link> + use<> {
        self.customer.clone().map(Link::Customer).into_iter()
    }

    pub(super) fn owner(&self) -> impl Iterator<Item = Link> + use<> {
        self.owner.clone().map(Link::Owner).into_iter()
    }

    pub(super) fn offer(&self) -> impl Iterator<Item = Link> + use<> {
        self.offer.clone().map(Link::Offer).into_iter()
    }
}

/// The application's customer, from metadata. Stripe takes an empty text as "no such key".
pub(super) fn owner(metadata: &View<'_, '_>) -> Result<Option<CustomerId>, ReadFault> {
    application_id(&metadata.at(OWNER_KEY), |text| CustomerId::new(text))
}

fn offer(metadata: &View<'_, '_>) -> Result<Option<OfferId>, ReadFault> {
    application_id(&metadata.at(OFFER_KEY), |text| OfferId::new(text))
}

/// An id that the application wrote.
pub(super) fn application_id<T>(
    place: &View<'_, '_>,
    new: impl Fn(&str) -> Result<T, IdError>,
) -> Result<Option<T>, ReadFault> {
    match place.text()? {
        None | Some("") => Ok(None),
        Some(text) => place.id_from(text, new).map(Some),
    }
}
