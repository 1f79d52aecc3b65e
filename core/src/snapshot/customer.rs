//! Decides what an application and an operator see of one customer: agreements, benefits, and what is still open. No
//! provider ids: objects go by their public ids.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde::Serialize;

use crate::{
    id::{Mode, ObjectKind, ProviderName, Source},
    snapshot::{Benefit, Projection, owner_key, owners, rows::Rows},
    time::{Timestamp, rfc3339, rfc3339_option},
};

/// One customer at one provider, account and mode, as of an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerSnapshot {
    /// The adapter.
    pub provider: ProviderName,
    /// Live, test or simulated: never two in one snapshot.
    pub mode: Mode,
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
    /// When it is going to be paused, if that is decided.
    #[serde(serialize_with = "rfc3339_option")]
    pub pause_at: Option<Timestamp>,
    /// When it is going to go on after a pause, if that is decided.
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
    /// How many.
    pub quantity: Option<i64>,
    /// The agreements that it comes from, by public id.
    pub agreements: Vec<String>,
}

impl Projection {
    /// The snapshots of one customer, by the application's id or by the provider's: one for each source. What belongs
    /// to somebody else, although the provider's customer is the same, is not in them.
    pub fn customer(&self, id: &str) -> Vec<CustomerSnapshot> {
        self.sources().into_iter().filter_map(|source| self.snapshot(source, id)).collect()
    }

    fn snapshot(&self, source: &Source, id: &str) -> Option<CustomerSnapshot> {
        let of_source = || self.rows.iter().filter(|(subject, _)| subject.source == *source);
        let owners = owners(of_source().map(|(_, rows)| rows));
        let keys: BTreeSet<&str> = owners.get(id).copied().into_iter().chain([id]).collect();

        let mut snapshot = CustomerSnapshot {
            provider: source.provider.clone(),
            mode: source.mode,
            as_of: self.as_of,
            agreements: BTreeMap::new(),
            entitlements: BTreeMap::new(),
            ambiguous: Vec::new(),
        };
        let mut known = false;
        for (subject, rows) in of_source() {
            let belongs = |customer: Option<&str>, owner: Option<&str>| {
                owner_key(customer, owner, &owners).is_some_and(|key| keys.contains(key))
            };
            known |= rows.customers.iter().any(|it| belongs(Some(&it.id), it.owner.as_deref()));
            let mine = rows
                .subscriptions
                .iter()
                .map(|it| (&it.customer, &it.owner))
                .chain(rows.payments.iter().map(|it| (&it.customer, &it.owner)))
                .chain(rows.checkouts.iter().map(|it| (&it.customer, &it.owner)))
                .any(|(customer, owner)| belongs(customer.as_deref(), owner.as_deref()));
            known |= mine;
            if !mine {
                continue;
            }
            snapshot.agreements.extend(agreement(rows).map(|it| (subject.public_id(), it)));
            if self.ambiguous.contains(&(subject.source.clone(), subject.root.clone())) {
                snapshot.ambiguous.push(subject.public_id());
            }
        }
        for (key, benefits) in self.benefits(source) {
            for it in benefits.into_values().filter(|_| keys.contains(key.as_str())) {
                known = true;
                let Benefit { access, until, quantity, agreements, name, .. } = it;
                let shown = Entitlement { access, until, quantity, agreements };
                match snapshot.entitlements.entry(name) {
                    Entry::Vacant(entry) => {
                        entry.insert(shown);
                    }
                    // The provider's id and the application's can be the same text; access counts.
                    Entry::Occupied(mut entry) if shown.access && !entry.get().access => {
                        entry.insert(shown);
                    }
                    Entry::Occupied(_) => {}
                }
            }
        }
        known.then_some(snapshot)
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
            pause_at: time(it.pause_at),
            resume_at: time(it.resume_at),
        });
    }
    let grant = rows.entitlements.first()?;
    Some(Agreement {
        kind: grant.source_kind.clone(),
        state: grant.state.clone(),
        since: time(Some(grant.since)),
        period_end: None,
        ends_at: time(grant.ends_at),
        pause_at: None,
        resume_at: None,
    })
}
