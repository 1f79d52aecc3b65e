//! Reads stored subjects into the canonical projection of everything and the snapshot of one customer. Both are pure
//! functions of the stored subjects, the catalogue, the policy and the reader's clock.
//!
//! # Example
//!
//! ```
//! use purchase_core::{
//!     catalog::Catalog,
//!     entitlement::{AccessPolicy, Dunning},
//!     fact::{Fact, Link, Observation, Phase, Version, object_state::{ObjectState, Subscription, SubscriptionStatus}},
//!     fold::SubjectState,
//!     id::{CustomerId, CustomerKey, ObjectKind, ObjectRef, ProviderId, Subject},
//!     lifecycle::Lifecycle,
//!     snapshot::{Projection, Reading},
//!     time::Timestamp,
//! };
//!
//! let (now, ada) = (Timestamp::from_seconds(1_767_225_600)?, CustomerId::new("ada")?);
//! let object = ObjectRef::new(ObjectKind::Subscription, ProviderId::new("sub_1")?);
//! let subject = Subject { source: "stripe//test".parse()?, root: object.clone() };
//! let object_state = ObjectState::Subscription(Box::new(Subscription::new(SubscriptionStatus::PastDue, "past_due")));
//! let observation = Some(Observation { object, phase: Phase::Changed, object_state, prior: None });
//! let (event, links) = (ProviderId::new("evt_1")?, vec![Link::Owner(ada.clone())]);
//! let fact = Fact { subject: subject.clone(), event, version: Version::at(now), observation, links };
//! let (state, _) = SubjectState::fold(&subject, &[fact]);
//!
//! let (catalog, policy, dunning) = (&Catalog::default(), &AccessPolicy::default(), &Dunning::default());
//! let projection = Projection::of([(&subject, &state)], Reading { catalog, policy, dunning, as_of: now });
//! let snapshots = projection.customer(&CustomerKey::Application(ada)); // from a store: `Engine::customer`
//! assert_eq!(snapshots[0].agreements[&subject.public_id()].state, Lifecycle::Grace);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod canonical;
pub mod columns;
pub mod customer;
pub mod derive;
pub mod rows;
mod sale;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalog::Catalog,
    entitlement::{Access, AccessPolicy, Dunning, NoAccess, Standing},
    fold::SubjectState,
    id::{CustomerId, CustomerKey, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    snapshot::{
        rows::{EntitlementRow, Rows},
        sale::Granted,
    },
    time::Timestamp,
};

/// The reader's inputs.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Prices and offers.
    pub catalog: &'a Catalog,
    /// Which states give access.
    pub policy: &'a AccessPolicy,
    /// How long each provider's dunning lasts.
    pub dunning: &'a Dunning,
    /// The reader's clock.
    pub as_of: Timestamp,
}

/// A reading of stored subjects: their rows joined, and what is still unsettled about them.
pub struct Projection {
    rows: Vec<(Subject, Rows)>,
    /// Subjects without a known owner, each with the subjects that it waits for.
    parked: BTreeMap<Subject, Vec<Subject>>,
    /// The subscription of each invoice, including invoices known only by reference.
    invoiced: BTreeMap<(Source, String), String>,
    /// Objects whose versions only event ids ordered.
    ambiguous: BTreeSet<(Source, ObjectRef)>,
    /// Subjects that name no owner themselves, and for which other objects name different owners.
    contradicted_owners: BTreeSet<Subject>,
    policy: AccessPolicy,
    dunning: Dunning,
    as_of: Timestamp,
}

/// One benefit of one customer, over all its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benefit {
    /// Whether it may be used now.
    pub access: bool,
    /// Until when, if known; `None` without access or without an end.
    pub until: Option<Timestamp>,
    /// Why it may not be used now. If several sources give reasons, the last in the order of [`NoAccess`].
    pub reason: Option<NoAccess>,
    /// The total quantity of the sources that give access; `None` for metered usage.
    pub quantity: Option<i64>,
    /// The provider ids of its sources.
    pub sources: Vec<String>,
    /// The offer's name, or a public id in place of an offer.
    pub(crate) name: String,
    /// The public ids of its sources.
    pub(crate) agreements: Vec<String>,
}

impl Benefit {
    /// A benefit that grants nothing yet.
    fn named(name: String) -> Self {
        Self {
            access: false,
            until: None,
            reason: None,
            quantity: None,
            sources: Vec::new(),
            name,
            agreements: Vec::new(),
        }
    }
}

impl Projection {
    /// Reads folded subjects of any number of sources. Sources don't affect each other.
    pub fn of<'a>(subjects: impl IntoIterator<Item = (&'a Subject, &'a SubjectState)>, reading: Reading<'_>) -> Self {
        let mut projection = Self {
            rows: Vec::new(),
            parked: BTreeMap::new(),
            invoiced: BTreeMap::new(),
            ambiguous: BTreeSet::new(),
            contradicted_owners: BTreeSet::new(),
            policy: reading.policy.clone(),
            dunning: reading.dunning.clone(),
            as_of: reading.as_of,
        };
        for (subject, state) in subjects {
            projection.rows.push((subject.clone(), derive::rows(subject, state, reading.catalog)));
            if subject.needs_owner() && !state.is_empty() && state.owner().is_none() {
                projection.parked.insert(subject.clone(), state.relatives(subject));
            }
            if state.links().owners_contradict() {
                projection.contradicted_owners.insert(subject.clone());
            }
            if let (ObjectKind::Invoice, Some(subscription)) = (subject.root.kind, state.links().subscription()) {
                let invoice = (subject.source.clone(), subject.root.id.expose().to_owned());
                projection.invoiced.insert(invoice, subscription.expose().to_owned());
            }
            let objects = state.ambiguous().map(|object| (subject.source.clone(), object.clone()));
            projection.ambiguous.extend(objects);
        }
        projection
    }

    /// The rows of every subject.
    pub fn rows(&self) -> impl Iterator<Item = &Rows> {
        self.rows.iter().map(|(_, rows)| rows)
    }

    /// Each customer's benefits at one source.
    pub(crate) fn benefits(&self, source: &Source) -> BTreeMap<CustomerKey, BTreeMap<String, Benefit>> {
        let owners = self.owners(source);
        let mut benefits: BTreeMap<CustomerKey, BTreeMap<String, Benefit>> = BTreeMap::new();
        for granted in sale::granted(&self.rows, source) {
            let row = granted.row;
            let key = owners.key(granted.subject, row.customer.as_deref(), row.owner.as_deref());
            let Some(key) = key else { continue };
            let access = self.policy.access(&self.standing(&granted), self.as_of);
            let benefit = benefits.entry(key).or_default().entry(row.benefit.clone());
            let benefit = benefit.or_insert_with(|| Benefit::named(public_name(granted.subject, row)));
            benefit.agreements.push(granted.subject.public_id());
            join(benefit, row, access);
        }
        for benefit in benefits.values_mut().flat_map(BTreeMap::values_mut) {
            benefit.sources.sort();
            benefit.agreements.sort();
        }
        benefits
    }

    fn standing(&self, granted: &Granted<'_>) -> Standing {
        let row = granted.row;
        Standing {
            state: granted.state,
            began_at: row.began_at,
            since: row.since,
            ends_at: row.ends_at,
            pause_at: row.pause_at,
            period_end: row.period_end,
            given_up: row.given_up,
            disputed: granted.disputed,
            dunning_seconds: self.dunning.seconds(&granted.subject.source.provider),
        }
    }

    /// The owners of everything at one source.
    fn owners<'a>(&'a self, source: &'a Source) -> Owners<'a> {
        let rows = self.rows.iter().filter(|(subject, _)| subject.source == *source);
        let customers = rows.flat_map(|(_, rows)| &rows.customers);
        let linked = customers.filter_map(|customer| Some((customer.id.as_str(), customer.owner.as_deref()?)));
        Owners { source, linked: linked.collect(), contradicted: &self.contradicted_owners }
    }

    /// Every source that has subjects here.
    fn sources(&self) -> BTreeSet<&Source> {
        self.rows.iter().map(|(subject, _)| &subject.source).collect()
    }
}

/// For each linked customer of one source, the application's customer that it is linked to.
struct Owners<'a> {
    source: &'a Source,
    linked: BTreeMap<&'a str, &'a str>,
    contradicted: &'a BTreeSet<Subject>,
}

impl Owners<'_> {
    /// The owner of a row: the owner that it names, else the application's customer that is linked to its provider
    /// customer, else the provider's customer. If other objects name different owners, it belongs to the provider's
    /// customer alone.
    fn key(&self, subject: &Subject, customer: Option<&str>, owner: Option<&str>) -> Option<CustomerKey> {
        let linked = || customer.and_then(|customer| self.linked.get(customer).copied());
        let owner = owner.or_else(linked).filter(|_| !self.contradicted.contains(subject));
        if let Some(owner) = owner {
            return CustomerId::new(owner).ok().map(CustomerKey::Application);
        }
        let id = ProviderId::new(customer?).ok()?;
        Some(CustomerKey::Provider { source: self.source.clone(), id })
    }
}

/// The name of a grant without provider ids: the offer, or a public id of the price or the payment where no offer is
/// known.
fn public_name(subject: &Subject, row: &EntitlementRow) -> String {
    let price =
        row.price.as_deref().filter(|price| *price == row.benefit).and_then(|price| ProviderId::new(price).ok());
    match price {
        Some(price) => {
            let root = ObjectRef::new(ObjectKind::Price, price);
            Subject { source: subject.source.clone(), root }.public_id()
        }
        None if row.benefit == row.origin_id => subject.public_id(),
        None => row.benefit.clone(),
    }
}

fn join(benefit: &mut Benefit, row: &EntitlementRow, access: Access) {
    benefit.sources.push(row.origin_id.clone());
    let until = match access {
        Access::Denied(reason) => {
            benefit.reason = benefit.reason.max(Some(reason)).filter(|_| !benefit.access);
            return;
        }
        Access::Granted(until) => until,
    };
    benefit.until = match benefit.access {
        true => benefit.until.zip(until).map(|(one, other)| one.max(other)),
        false => until,
    };
    benefit.quantity = match (benefit.quantity, row.quantity) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    };
    (benefit.access, benefit.reason) = (true, None);
}
