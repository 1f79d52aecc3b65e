//! Decides what an application and an operator see of one customer: agreements, benefits, and what is still open. No
//! provider ids: objects go by their public ids.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    id::{ObjectKind, ObjectRef, ProviderId, Subject},
    snapshot::{Projection, rows::Rows},
    time::{Timestamp, rfc3339, rfc3339_option},
};

/// One customer, as of an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerSnapshot {
    /// The instant.
    #[serde(serialize_with = "rfc3339")]
    pub as_of: Timestamp,
    /// Subscriptions and purchases, by public id.
    pub agreements: BTreeMap<String, Agreement>,
    /// What the customer may use, and may not use any more, by benefit.
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Public ids of objects that only a reading of the provider can settle.
    pub ambiguous: Vec<String>,
}

/// A subscription or a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// `subscription` or `payment`.
    pub kind: String,
    /// Lifecycle state.
    pub state: String,
    /// Since when.
    #[serde(serialize_with = "rfc3339_option")]
    pub since: Option<Timestamp>,
    /// When the paid period ends.
    #[serde(serialize_with = "rfc3339_option")]
    pub period_end: Option<Timestamp>,
    /// When it ends or ended, as far as that is decided.
    #[serde(serialize_with = "rfc3339_option")]
    pub ends_at: Option<Timestamp>,
}

/// A benefit and whether it may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entitlement {
    /// Whether it may be used now.
    pub access: bool,
    /// Until when.
    #[serde(serialize_with = "rfc3339_option")]
    pub until: Option<Timestamp>,
    /// How many.
    pub quantity: Option<i64>,
    /// The agreements that it comes from, by public id.
    pub agreements: Vec<String>,
}

impl Projection {
    /// The snapshot of one customer, from a projection that holds this customer's subjects only.
    pub fn customer(&self) -> CustomerSnapshot {
        let mut agreements = BTreeMap::new();
        let mut public: BTreeMap<String, String> = BTreeMap::new();
        for (subject, rows) in &self.rows {
            let id = subject.public_id();
            public.insert(subject.root.id.expose().to_owned(), id.clone());
            // Where no offer is known the price stands for what is granted, and it is a provider id too.
            for item in &rows.subscription_items {
                if let Ok(price) = ProviderId::new(item.price.as_str()) {
                    let root = ObjectRef::new(ObjectKind::Price, price);
                    let price = Subject { source: subject.source.clone(), root }.public_id();
                    public.insert(item.price.clone(), price);
                }
            }
            if let Some(agreement) = agreement(rows) {
                agreements.insert(id, agreement);
            }
        }
        let mut entitlements: BTreeMap<String, Entitlement> = BTreeMap::new();
        for (benefit, it) in self.benefits().into_values().flatten() {
            let agreements = it.sources.iter().filter_map(|source| public.get(source).cloned()).collect();
            let benefit = public.get(&benefit).cloned().unwrap_or(benefit);
            entitlements
                .insert(benefit, Entitlement { access: it.access, until: it.until, quantity: it.quantity, agreements });
        }
        let source = self.rows.first().map(|(subject, _)| subject.source.clone());
        let ambiguous = self
            .ambiguous
            .iter()
            .filter_map(|(id, kind)| {
                let root = ObjectRef::new(*kind, ProviderId::new(id.as_str()).ok()?);
                Some(Subject { source: source.clone()?, root }.public_id())
            })
            .collect();
        CustomerSnapshot { as_of: self.as_of, agreements, entitlements, ambiguous }
    }
}

fn agreement(rows: &Rows) -> Option<Agreement> {
    let time = |micros: Option<i64>| micros.and_then(|micros| Timestamp::from_micros(micros).ok());
    if let Some(it) = rows.subscriptions.first() {
        let grant = rows.entitlements.first();
        return Some(Agreement {
            kind: ObjectKind::Subscription.as_str().to_owned(),
            state: it.state.clone(),
            since: time(grant.map(|grant| grant.since)),
            period_end: time(it.period_end),
            ends_at: time(it.ended_at.or(it.cancel_at)),
        });
    }
    let grant = rows.entitlements.first()?;
    Some(Agreement {
        kind: grant.source_kind.clone(),
        state: grant.state.clone(),
        since: time(Some(grant.since)),
        period_end: None,
        ends_at: time(grant.ends_at),
    })
}
