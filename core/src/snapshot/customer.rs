//! The snapshot of one customer for an application or an operator: agreements, benefits, why an object grants
//! nothing, and what is still unsettled. It contains no provider ids: objects have their public ids.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    entitlement::NoAccess,
    fact::object_state::{CheckoutMode, CheckoutState, InvoiceState, PaymentState},
    id::{CustomerId, CustomerKey, ObjectKind, Source, Subject},
    lifecycle::Lifecycle,
    snapshot::{
        Benefit, Owners, Projection,
        rows::{CheckoutRow, Rows},
        sale,
    },
    time::{Timestamp, rfc3339, rfc3339_option},
};

/// One customer at one source, as of an instant. As JSON, the source is `provider`, `account` (a public id, or null for
/// the endpoint's own account) and `mode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerSnapshot {
    /// Provider, account and mode. One snapshot never mixes two sources.
    #[serde(flatten, serialize_with = "public_source")]
    pub source: Source,
    /// The application's customer. `None` in the snapshot of a provider's customer that is linked to no
    /// customer of the application.
    pub customer: Option<CustomerId>,
    /// The instant.
    #[serde(serialize_with = "rfc3339")]
    pub as_of: Timestamp,
    /// Subscriptions and purchases, by public id.
    pub agreements: BTreeMap<String, Agreement>,
    /// What the customer may use, or could use earlier, by benefit.
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Objects of the customer that grant nothing at all, by public id, and why.
    pub without_grant: BTreeMap<String, NoGrant>,
    /// Public ids of objects that only a read from the provider's API can settle.
    pub ambiguous: Vec<String>,
}

/// The source, with a public id for the account.
fn public_source<S: Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    let mut shown = serializer.serialize_struct("Source", 3)?;
    shown.serialize_field("provider", &source.provider)?;
    shown.serialize_field("account", &source.public_account())?;
    shown.serialize_field("mode", &source.mode)?;
    shown.end()
}

/// Why an object of a customer grants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoGrant {
    /// It is settled, and no line, catalogue entry or metadata names what it sells.
    NamesNoOffer,
    /// It is unpaid, or not paid yet.
    NotPaid,
    /// Other objects name different owners, so it belongs to none of them. The object itself should name its owner.
    OwnersContradict,
    /// It bills a quantity of zero.
    QuantityZero,
}

/// A subscription or a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// `subscription`, `payment`, `invoice` or `checkout`.
    pub kind: ObjectKind,
    /// Lifecycle state.
    pub state: Lifecycle,
    /// When it entered that state.
    #[serde(serialize_with = "rfc3339_option")]
    pub since: Option<Timestamp>,
    /// Until when it is paid, according to the state. Providers begin a period before it is paid: while its payment
    /// is overdue, this is the period's start.
    #[serde(serialize_with = "rfc3339_option")]
    pub paid_until: Option<Timestamp>,
    /// When the current period ends, whether or not it is paid.
    #[serde(serialize_with = "rfc3339_option")]
    pub period_end: Option<Timestamp>,
    /// When it ends or ended, if that is decided.
    #[serde(serialize_with = "rfc3339_option")]
    pub ends_at: Option<Timestamp>,
    /// When it will be paused, if that is decided.
    #[serde(serialize_with = "rfc3339_option")]
    pub pause_at: Option<Timestamp>,
    /// When it will resume after a pause, if that is decided.
    #[serde(serialize_with = "rfc3339_option")]
    pub resume_at: Option<Timestamp>,
}

/// A benefit and whether it may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entitlement {
    /// Whether it may be used now.
    pub access: bool,
    /// Until when.
    #[serde(serialize_with = "rfc3339_option")]
    pub until: Option<Timestamp>,
    /// Why it may not be used now.
    pub reason: Option<NoAccess>,
    /// The quantity.
    pub quantity: Option<i64>,
    /// The agreements that grant it, by public id.
    pub agreements: Vec<String>,
}

impl Projection {
    /// The snapshots of one customer, one per source. Objects of another owner are excluded, even if the provider's
    /// customer is the same.
    pub fn customer(&self, key: &CustomerKey) -> Vec<CustomerSnapshot> {
        self.sources().into_iter().filter_map(|source| self.snapshot(source, key)).collect()
    }

    fn snapshot(&self, source: &Source, key: &CustomerKey) -> Option<CustomerSnapshot> {
        let owners = self.owners(source);
        let granting: BTreeSet<&Subject> =
            sale::granted(&self.rows, source).into_iter().map(|granted| granted.subject).collect();
        let reported = self.reported(source);
        let mut known = false;
        let mut snapshot = CustomerSnapshot {
            source: source.clone(),
            customer: self.linked_to(source, key),
            as_of: self.as_of,
            agreements: BTreeMap::new(),
            entitlements: BTreeMap::new(),
            without_grant: BTreeMap::new(),
            ambiguous: Vec::new(),
        };
        for (subject, rows) in self.rows.iter().filter(|(subject, _)| subject.source == *source) {
            known |= is_customer(subject, rows, key, &owners);
            if !is_of(subject, rows, key, &owners) {
                continue;
            }
            known = true;
            if granting.contains(subject) || !rows.subscriptions.is_empty() {
                snapshot.agreements.extend(agreement(rows).map(|it| (subject.public_id(), it)));
            }
            if let Some(reason) = self.no_grant(subject, rows, &reported) {
                snapshot.without_grant.insert(subject.public_id(), reason);
            }
            if self.ambiguous.contains(&(subject.source.clone(), subject.root.clone())) {
                snapshot.ambiguous.push(subject.public_id());
            }
        }
        for it in self.benefits(source).remove(key).unwrap_or_default().into_values() {
            known = true;
            let Benefit { access, until, reason, quantity, agreements, name, .. } = it;
            snapshot.entitlements.insert(name, Entitlement { access, until, reason, quantity, agreements });
        }
        known.then_some(snapshot)
    }

    /// The application's customer: the key's own, or the one that is linked to the provider's customer.
    fn linked_to(&self, source: &Source, key: &CustomerKey) -> Option<CustomerId> {
        match key {
            CustomerKey::Application(id) => Some(id.clone()),
            CustomerKey::Provider { id, .. } => {
                let owner = self.owners(source).linked.get(id.expose()).copied()?;
                CustomerId::new(owner).ok()
            }
        }
    }

    /// Why an object grants nothing, if it or the sale that it reports could grant something.
    fn no_grant(&self, subject: &Subject, rows: &Rows, reported: &BTreeSet<&str>) -> Option<NoGrant> {
        if self.contradicted_owners.contains(subject) {
            return Some(NoGrant::OwnersContradict);
        }
        if !rows.entitlements.is_empty() {
            return None;
        }
        if let Some(it) = rows.subscriptions.first() {
            let items = || rows.subscription_items.iter().filter(|item| item.subscription == it.id);
            let zero = items().next().is_some() && items().all(|item| item.quantity == Some(0));
            return Some(if zero { NoGrant::QuantityZero } else { NoGrant::NamesNoOffer });
        }
        let paid = if let Some(it) = rows.invoices.first() {
            (it.subscription.is_none() && !it.deleted).then_some(it.state == InvoiceState::Paid)
        } else if let Some(it) = rows.payments.first() {
            let alone = it.subscription.is_none() && it.invoice.is_none();
            alone.then_some(it.state == Some(PaymentState::Succeeded))
        } else {
            let alone =
                |it: &&CheckoutRow| it.payment.is_none() && it.invoice.is_none() && it.mode == CheckoutMode::Payment;
            rows.checkouts.first().filter(alone).map(|it| it.state == CheckoutState::Paid)
        };
        // Another object of the same sale may name what it sells.
        let paid = paid.filter(|_| !reported.contains(subject.root.id.expose()))?;
        Some(if paid { NoGrant::NamesNoOffer } else { NoGrant::NotPaid })
    }

    /// The invoices and payments of sales whose offer another object names.
    fn reported(&self, source: &Source) -> BTreeSet<&str> {
        let granting =
            self.rows.iter().filter(|(subject, rows)| subject.source == *source && !rows.entitlements.is_empty());
        let others = granting.flat_map(|(_, rows)| {
            let invoices = rows.payments.iter().map(|it| &it.invoice);
            invoices.chain(rows.checkouts.iter().flat_map(|it| [&it.invoice, &it.payment]))
        });
        others.flatten().map(String::as_str).collect()
    }
}

/// Whether the subject is the customer of the key.
fn is_customer(subject: &Subject, rows: &Rows, key: &CustomerKey, owners: &Owners<'_>) -> bool {
    match key {
        CustomerKey::Application(_) => {
            let is = |owner| owners.key(subject, None, owner).as_ref() == Some(key);
            rows.customers.iter().any(|it| is(it.owner.as_deref()))
        }
        CustomerKey::Provider { source, id } => {
            subject.source == *source && subject.root.kind == ObjectKind::Customer && subject.root.id == *id
        }
    }
}

/// Whether an agreement, or an object that could be one, belongs to a customer.
fn is_of(subject: &Subject, rows: &Rows, key: &CustomerKey, owners: &Owners<'_>) -> bool {
    let subscriptions = rows.subscriptions.iter().map(|it| (&it.customer, &it.owner));
    let payments = rows.payments.iter().map(|it| (&it.customer, &it.owner));
    let invoices = rows.invoices.iter().map(|it| (&it.customer, &it.owner));
    let checkouts = rows.checkouts.iter().map(|it| (&it.customer, &it.owner));
    subscriptions
        .chain(payments)
        .chain(invoices)
        .chain(checkouts)
        .any(|(customer, owner)| owners.key(subject, customer.as_deref(), owner.as_deref()).as_ref() == Some(key))
}

fn agreement(rows: &Rows) -> Option<Agreement> {
    if let Some(it) = rows.subscriptions.first() {
        let grant = rows.entitlements.first();
        let overdue = it.state == Lifecycle::Grace;
        return Some(Agreement {
            kind: ObjectKind::Subscription,
            state: it.state,
            since: grant.map(|grant| grant.since),
            paid_until: if overdue { it.period_start } else { it.period_end },
            period_end: it.period_end,
            ends_at: it.ended_at.or(it.cancel_at),
            pause_at: it.pause_at,
            resume_at: it.resume_at,
        });
    }
    let grant = rows.entitlements.first()?;
    Some(Agreement {
        kind: grant.origin_kind,
        state: grant.state,
        since: Some(grant.since),
        paid_until: None,
        period_end: None,
        ends_at: grant.ends_at,
        pause_at: None,
        resume_at: None,
    })
}
