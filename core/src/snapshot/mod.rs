//! Decides what is shown: the canonical projection of everything, and the snapshot of one customer. Both are pure
//! functions of the stored subjects, the catalogue, the policy and the reader's clock.

pub mod canonical;
pub mod customer;
pub mod derive;
pub mod rows;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalog::Catalog,
    entitlement::{Access, AccessPolicy, Standing},
    id::{ObjectKind, ObjectRef, ProviderId, Source, Subject},
    lifecycle::Lifecycle,
    snapshot::rows::{EntitlementRow, Rows},
    store::StoredSubject,
    time::Timestamp,
};

/// What a reader brings along.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Prices and offers.
    pub catalog: &'a Catalog,
    /// Which states give access.
    pub policy: &'a AccessPolicy,
    /// The reader's clock.
    pub as_of: Timestamp,
}

/// Stored subjects, read: their rows joined, and what is still open about them.
pub struct Projection {
    rows: Vec<(Subject, Rows)>,
    /// Subjects that nobody is known to own, and for whom they wait.
    parked: BTreeMap<Subject, Vec<Subject>>,
    /// The subscription of each invoice, also of one that is only known by reference.
    invoiced: BTreeMap<(Source, String), String>,
    /// Objects that only event ids ordered.
    ambiguous: BTreeSet<(Source, ObjectRef)>,
    policy: AccessPolicy,
    as_of: Timestamp,
}

/// One benefit of one customer, over all its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benefit {
    /// Whether it may be used now.
    pub access: bool,
    /// Until when, as far as is known; none without access or without an end.
    pub until: Option<Timestamp>,
    /// How many, over the sources that give access; none for metered usage.
    pub quantity: Option<i64>,
    /// The provider ids of its sources.
    pub sources: Vec<String>,
    /// Its own name where it is an offer; what stands for one has a public id.
    pub(crate) name: String,
    /// The public ids of its sources.
    pub(crate) agreements: Vec<String>,
}

impl Benefit {
    /// One that gives nothing yet.
    fn named(name: String) -> Self {
        Self { access: false, until: None, quantity: None, sources: Vec::new(), name, agreements: Vec::new() }
    }
}

impl Projection {
    /// Reads subjects, of any number of sources: nothing of one shows in what another gives.
    pub fn of<'a>(subjects: impl IntoIterator<Item = &'a StoredSubject>, reading: Reading<'_>) -> Self {
        let mut projection = Self {
            rows: Vec::new(),
            parked: BTreeMap::new(),
            invoiced: BTreeMap::new(),
            ambiguous: BTreeSet::new(),
            policy: reading.policy.clone(),
            as_of: reading.as_of,
        };
        for stored in subjects {
            let (subject, state) = (&stored.subject, &stored.state);
            projection.rows.push((subject.clone(), derive::rows(subject, state, reading.catalog)));
            if subject.needs_owner() && !state.is_empty() && state.owner().is_none() {
                projection.parked.insert(subject.clone(), state.relatives(subject));
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

    /// Each customer's benefits at one source. Keyed by the application's customer, or by the provider's while it is
    /// unlinked.
    pub(crate) fn benefits(&self, source: &Source) -> BTreeMap<String, BTreeMap<String, Benefit>> {
        let of_source = || self.rows.iter().filter(|(subject, _)| subject.source == *source);
        let owners = owners(of_source().map(|(_, rows)| rows));
        let mut benefits: BTreeMap<String, BTreeMap<String, Benefit>> = BTreeMap::new();
        let grants = of_source().flat_map(|(subject, rows)| rows.entitlements.iter().map(move |row| (subject, row)));
        for (subject, row) in grants {
            let Some(owner) = owner_key(row.customer.as_deref(), row.owner.as_deref(), &owners) else {
                continue;
            };
            let access = self.policy.access(&standing(row));
            let benefit = benefits.entry(owner.to_owned()).or_default().entry(row.benefit.clone());
            let benefit = benefit.or_insert_with(|| Benefit::named(public_name(subject, row)));
            benefit.agreements.push(subject.public_id());
            join(benefit, row, access, self.as_of);
        }
        for benefit in benefits.values_mut().flat_map(BTreeMap::values_mut) {
            benefit.sources.sort();
            benefit.agreements.sort();
        }
        benefits
    }

    /// Every source that has subjects here.
    fn sources(&self) -> BTreeSet<&Source> {
        self.rows.iter().map(|(subject, _)| &subject.source).collect()
    }
}

/// The application's customer of each customer of the provider.
fn owners<'a>(rows: impl Iterator<Item = &'a Rows>) -> BTreeMap<&'a str, &'a str> {
    rows.flat_map(|rows| &rows.customers)
        .filter_map(|customer| Some((customer.id.as_str(), customer.owner.as_deref()?)))
        .collect()
}

/// To whom something belongs: the owner that it names itself, else the one that its customer is linked to, else the
/// provider's customer.
fn owner_key<'a>(
    customer: Option<&'a str>,
    owner: Option<&'a str>,
    owners: &BTreeMap<&'a str, &'a str>,
) -> Option<&'a str> {
    owner.or_else(|| customer.and_then(|customer| owners.get(customer).copied())).or(customer)
}

/// What a grant is called without provider ids: where no offer is known, the price or the payment stands for it.
fn public_name(subject: &Subject, row: &EntitlementRow) -> String {
    let price =
        row.price.as_deref().filter(|price| *price == row.benefit).and_then(|price| ProviderId::new(price).ok());
    match price {
        Some(price) => {
            let root = ObjectRef::new(ObjectKind::Price, price);
            Subject { source: subject.source.clone(), root }.public_id()
        }
        None if row.benefit == row.source_id => subject.public_id(),
        None => row.benefit.clone(),
    }
}

fn join(benefit: &mut Benefit, row: &EntitlementRow, access: Access, as_of: Timestamp) {
    benefit.sources.push(row.source_id.clone());
    if !access.at(as_of) {
        return;
    }
    benefit.until = match benefit.access {
        true => benefit.until.zip(access.until()).map(|(one, other)| one.max(other)),
        false => access.until(),
    };
    benefit.quantity = match (benefit.quantity, row.quantity) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    };
    benefit.access = true;
}

fn standing(row: &EntitlementRow) -> Standing {
    let time = |micros: Option<i64>| micros.and_then(|micros| Timestamp::from_micros(micros).ok());
    Standing {
        state: state_of(row),
        since: time(Some(row.since)).unwrap_or(Timestamp::EPOCH),
        ends_at: time(row.ends_at),
        pause_at: time(row.pause_at),
        period_end: time(row.period_end),
        given_up: row.given_up,
    }
}

/// The lifecycle state that a row names; one that it can't name gives no access.
fn state_of(row: &EntitlementRow) -> Lifecycle {
    serde_json::from_value(serde_json::Value::String(row.state.clone())).unwrap_or(Lifecycle::Pending)
}
