//! Defines a fact: "object X of provider P looked like this at time T, according to event E". Adapters produce facts;
//! no code after this step knows a provider.
//!
//! # Example
//!
//! ```
//! use purchase_core::{
//!     fact::{Fact, Link, Observation, Phase, Version, object_state::{Invoice, InvoiceState, ObjectState}},
//!     id::{CustomerId, ObjectKind, ObjectRef, ProviderId, Subject},
//!     money::{Currency, Money},
//!     time::Timestamp,
//! };
//!
//! // An adapter reads from event `evt_1` that Ada's invoice `in_1` over 12.99 EUR was paid.
//! let paid_at = Timestamp::from_seconds(1_767_225_600)?;
//! let total = Money::new(1299, Currency::new("eur")?)?;
//! let invoice = Invoice { amount_paid: total, paid_at: Some(paid_at), ..Invoice::new(InvoiceState::Paid, total) };
//! let object = ObjectRef::new(ObjectKind::Invoice, ProviderId::new("in_1")?);
//! let object_state = ObjectState::Invoice(invoice);
//! assert!(object_state.is_terminal()); // a later observation can't make it unpaid
//! let fact = Fact {
//!     subject: Subject { source: "stripe//test".parse()?, root: object.clone() },
//!     event: ProviderId::new("evt_1")?,
//!     version: Version::at(paid_at),
//!     observation: Some(Observation { object, phase: Phase::Changed, object_state, prior: None }),
//!     links: vec![Link::Owner(CustomerId::new("ada")?), Link::Subscription(ProviderId::new("sub_1")?)],
//! };
//! assert!(!format!("{fact:?}").contains("in_1")); // provider ids are not shown
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod history;
pub mod object_state;
pub mod order;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    fact::object_state::ObjectState,
    id::{CustomerId, EventKey, ObjectRef, OfferId, ProviderId, Subject, exposed},
    time::Timestamp,
};

/// An observation's position in its provider's order. Each adapter documents how it fills this in.
///
/// Observations with equal versions are tied; [`order`] settles ties by evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// The first key.
    pub at: Timestamp,
    /// The second key; equal to the first if the provider has only one clock.
    pub then: Timestamp,
}

impl Version {
    /// A version from a provider with one clock.
    pub fn at(at: Timestamp) -> Self {
        Self { at, then: at }
    }
}

/// The part of an object's life that the event's type names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The object was created.
    Created,
    /// The object changed, or something happened to it.
    Changed,
    /// The object was deleted or ended.
    Ended,
}

/// What an event shows of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The object; it is the subject's root or a member of it.
    pub object: ObjectRef,
    /// The part of the object's life.
    pub phase: Phase,
    /// Its whole state, as the event shows it. Schema versions before 8 wrote `photo`.
    #[serde(alias = "photo")]
    pub object_state: ObjectState,
    /// Its whole state before the change, if the event contains evidence of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prior: Option<ObjectState>,
}

/// A link of a subject, named by the subject itself or by another object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The checkout that created it.
    Checkout(#[serde(with = "exposed")] ProviderId),
    /// The customer at the provider.
    Customer(#[serde(with = "exposed")] ProviderId),
    /// The offer that was sold, as named by another object.
    InferredOffer {
        /// The offer.
        offer: OfferId,
        /// The object that names it; see [`Link::InferredOwner`].
        by: Option<ObjectRef>,
    },
    /// The application's customer, as named by another object. It counts only while the subject names none itself.
    InferredOwner {
        /// The application's customer.
        owner: CustomerId,
        /// The object that names the owner. Its later statement replaces its earlier one. `None` means one of many
        /// objects whose statements are stored as one, so that a customer's state doesn't grow with every purchase.
        by: Option<ObjectRef>,
    },
    /// The invoice that it pays.
    Invoice(#[serde(with = "exposed")] ProviderId),
    /// The offer that was sold, from the subject's own metadata, which the application set.
    Offer(OfferId),
    /// The application's customer, from the subject's own metadata, which the application set.
    Owner(CustomerId),
    /// The payment that it created.
    Payment(#[serde(with = "exposed")] ProviderId),
    /// The product that a price belongs to.
    Product(#[serde(with = "exposed")] ProviderId),
    /// The subscription that it is for.
    Subscription(#[serde(with = "exposed")] ProviderId),
}

impl Link {
    /// Whether this link may be replaced, and later restored: metadata can change, and at some providers a
    /// subscription can move to another customer. References to other objects are permanent.
    fn is_changeable(&self) -> bool {
        match self {
            Link::Customer(_)
            | Link::InferredOffer { .. }
            | Link::InferredOwner { .. }
            | Link::Offer(_)
            | Link::Owner(_) => true,
            Link::Checkout(_) | Link::Invoice(_) | Link::Payment(_) | Link::Product(_) | Link::Subscription(_) => false,
        }
    }
}

/// One provider-neutral statement of one event about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The subject of the statement.
    pub subject: Subject,
    /// The event that contains it.
    #[serde(with = "exposed")]
    pub event: ProviderId,
    /// The fact's position in the provider's order: the event's position, or an earlier one if the event repeats an
    /// older copy of another object's statement.
    pub version: Version,
    /// The event's observation of the subject's root or a member, if it has one. Schema versions before 8 wrote
    /// `sight`.
    #[serde(skip_serializing_if = "Option::is_none", default, alias = "sight")]
    pub observation: Option<Observation>,
    /// The subject's links in this event. Links only ever grow.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub links: Vec<Link>,
}

impl Fact {
    /// The event's key.
    pub fn event_key(&self) -> EventKey {
        EventKey { source: self.subject.source.clone(), id: self.event.clone() }
    }
}

/// The known links of a subject: a map that only grows. If one kind of link has several targets, the target with the
/// greatest version counts.
///
/// A reference to another object is never withdrawn, so it keeps the version of its first statement. The customer,
/// and the application's metadata, can change and change back, so they keep the latest version.
///
/// A subject's own statement overrides statements by other objects, whatever the versions. Inferences that contradict
/// each other are ignored: it is better that a purchase has no owner than that a stranger owns it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Links(#[serde(with = "pairs")] BTreeMap<Link, Version>);

impl Links {
    /// Joins the links of one fact. Within one instant, the links of a change override those of a creation.
    pub(crate) fn join_fact(&mut self, fact: &Fact) {
        let phase = fact.observation.as_ref().map_or(Phase::Created, |observation| observation.phase);
        let then = Timestamp::from_micros(fact.version.then.micros().saturating_add(phase as i64));
        let version = Version { then: then.unwrap_or(fact.version.then), ..fact.version };
        for link in &fact.links {
            self.join(link.clone(), if link.is_changeable() { version } else { fact.version });
        }
    }

    /// Joins one link.
    pub fn join(&mut self, link: Link, version: Version) {
        let changeable = link.is_changeable();
        let known = self.0.entry(link).or_insert(version);
        *known = if changeable { version.max(*known) } else { version.min(*known) };
    }

    /// Whether joining these links would change nothing, now or after further joins.
    pub fn cover(&self, links: &[Link], version: Version) -> bool {
        links.iter().all(|link| {
            self.0.get(link).is_some_and(|known| match link.is_changeable() {
                true => *known >= version,
                false => *known <= version,
            })
        })
    }

    /// Whether there is no link.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every link.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.0.keys()
    }

    /// The latest target that `pick` accepts; among equal versions, the greatest id.
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

    /// The offer: the subject's own, else the one that other objects agree on.
    pub fn offer(&self) -> Option<&OfferId> {
        self.latest(|link| if let Link::Offer(id) = link { Some(id) } else { None }).or_else(|| {
            let offers = self.inferred(|link| match link {
                Link::InferredOffer { offer, by } => Some((offer, by.as_ref())),
                _ => None,
            });
            agreed(&offers)
        })
    }

    /// The application's customer: the subject's own, else the one that other objects agree on.
    pub fn owner(&self) -> Option<&CustomerId> {
        self.latest(|link| if let Link::Owner(id) = link { Some(id) } else { None })
            .or_else(|| agreed(&self.inferred_owners()))
    }

    /// Whether the subject names no owner, and other objects name different ones.
    pub fn owners_contradict(&self) -> bool {
        let own = self.0.keys().any(|link| matches!(link, Link::Owner(_)));
        !own && self.inferred_owners().len() > 1
    }

    fn inferred_owners(&self) -> BTreeSet<&CustomerId> {
        self.inferred(|link| match link {
            Link::InferredOwner { owner, by } => Some((owner, by.as_ref())),
            _ => None,
        })
    }

    /// The statements of other objects. Each identified object contributes its latest statement, or both if two are
    /// equally late; unidentified objects contribute every statement.
    fn inferred<'a, T: Ord>(
        &'a self,
        pick: impl Fn(&'a Link) -> Option<(&'a T, Option<&'a ObjectRef>)>,
    ) -> BTreeSet<&'a T> {
        let mut said = BTreeSet::new();
        let mut latest: BTreeMap<&ObjectRef, (Version, BTreeSet<&T>)> = BTreeMap::new();
        for (link, version) in &self.0 {
            match pick(link) {
                Some((word, None)) => {
                    said.insert(word);
                }
                Some((word, Some(by))) => {
                    let (since, words) = latest.entry(by).or_insert((*version, BTreeSet::new()));
                    if *version > *since {
                        (*since, *words) = (*version, BTreeSet::new());
                    }
                    if *version == *since {
                        words.insert(word);
                    }
                }
                None => {}
            }
        }
        said.extend(latest.into_values().flat_map(|(_, words)| words));
        said
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

/// The single value, if there is exactly one.
fn agreed<'a, T: Ord>(said: &BTreeSet<&'a T>) -> Option<&'a T> {
    if said.len() == 1 { said.first().copied() } else { None }
}

/// A map whose keys are not strings, serialized as a list of pairs.
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
