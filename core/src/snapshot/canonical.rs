//! Builds the canonical projection: JSON with sorted keys, its maps keyed by the provider's object ids. This format
//! is an external contract: changing it requires a new version of the conformance kit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    id::{CustomerKey, ObjectRef, Source, Subject},
    money::Currency,
    snapshot::{Benefit, Projection, rows::Rows},
    time::Timestamp,
};

impl Projection {
    /// The canonical projection, including raw provider ids and personal data: for the kit, for operators, for tests.
    ///
    /// | map | entry |
    /// |---|---|
    /// | `customers` | `email`, `name`, `deleted`, `customer` (the application's id, or null) |
    /// | `checkouts` | `state`, `customer`, `subscription`, `payment`, `invoice` |
    /// | `subscriptions` | `state`, `provider_status`, `items`, `current_period`, `trial_end`, `cancel_at`, `ended_at`, `pause_at`, `resume_at`, `collection_paused`, `customer` |
    /// | `invoices` | `state`, `total`, `amount_paid`, `currency`, `deleted`, `customer`, `subscription` |
    /// | `payments` | `state`, `amount`, `currency`, `authorized`, `captured`, `received`, `refunded`, `disputed`, `dispute`, `attempts`, `customer`, `invoice`, `subscription` |
    /// | `refunds`, `disputes` | `state`, `amount`, `currency`, `payment` |
    /// | `credits` | `state`, `amount`, `currency`, `invoice` |
    /// | `entitlements` | by the application's customer, then by benefit: `access`, `until`, `quantity`, `sources` |
    /// | `unlinked` | the same by the provider's customer, while it is linked to no customer of the application |
    /// | `wallets` | by customer |
    /// | `parked` | by object: `kind`, `waits_for` |
    /// | `ambiguous` | by object: `kind` |
    ///
    /// Amounts are minor units, currencies upper-case ISO 4217, times RFC 3339 in UTC.
    ///
    /// Two sources can use the same id. Each such id is then written with its source: `provider/account/mode/id`.
    pub fn expose_canonical(&self) -> Value {
        let mut maps: BTreeMap<&str, Entries<'_>> = MAPS.iter().map(|name| (*name, Entries::new())).collect();
        let mut put = |map: &'static str, source, id: &str, entry: Value| {
            maps.entry(map).or_default().entry(id.to_owned()).or_default().insert(source, entry);
        };
        for (subject, rows) in &self.rows {
            agreements(rows, &mut |map, id, entry| put(map, &subject.source, id, entry));
            self.money(&subject.source, rows, &mut |map, id, entry| put(map, &subject.source, id, entry));
        }
        for source in self.sources() {
            for (customer, benefits) in self.benefits(source) {
                let (map, id) = match &customer {
                    CustomerKey::Application(id) => ("entitlements", id.as_str()),
                    CustomerKey::Provider { id, .. } => ("unlinked", id.expose()),
                };
                put(map, source, id, benefits.iter().map(|(name, it)| (name, entitled(it))).collect());
            }
            for (id, kinds) in self.parked_at(source) {
                put("parked", source, id, parked(&kinds));
            }
            for (id, kinds) in by_id(self.ambiguous.iter().filter(|(at, _)| at == source).map(|(_, object)| object)) {
                put("ambiguous", source, id, json!({ "kind": kinds.join("+") }));
            }
        }
        maps.into_iter().map(|(map, entries)| (map, named(entries))).collect()
    }

    /// The parked subjects of a source, by raw id: an invoice and its payment may share one.
    fn parked_at<'a>(&'a self, source: &Source) -> BTreeMap<&'a str, Vec<Parked<'a>>> {
        let mut parked: BTreeMap<&str, Vec<Parked<'_>>> = BTreeMap::new();
        for (subject, waits_for) in self.parked.iter().filter(|(subject, _)| subject.source == *source) {
            parked.entry(subject.root.id.expose()).or_default().push((subject, waits_for.as_slice()));
        }
        parked
    }

    fn money(&self, source: &Source, rows: &Rows, put: &mut impl FnMut(&'static str, &str, Value)) {
        for it in &rows.invoices {
            put(
                "invoices",
                &it.id,
                json!({
                    "state": it.state, "total": it.total, "amount_paid": it.amount_paid, "currency": it.currency,
                    "deleted": it.deleted, "customer": it.customer, "subscription": it.subscription,
                }),
            );
        }
        for it in &rows.payments {
            let invoice = it.invoice.clone().map(|invoice| (source.clone(), invoice));
            let through_invoice = invoice.and_then(|invoice| self.invoiced.get(&invoice)).map(String::as_str);
            put(
                "payments",
                &it.id,
                json!({
                    "state": it.state, "amount": it.amount, "currency": it.currency,
                    "authorized": it.authorized, "captured": it.captured, "received": it.received,
                    "refunded": it.refunded, "disputed": it.disputed, "dispute": it.dispute, "attempts": it.attempts, "customer": it.customer, "invoice": it.invoice,
                    "subscription": it.subscription.as_deref().or(through_invoice),
                }),
            );
        }
        let movement = |state: Value, amount: i64, currency: Currency, of: &str, id: &str| {
            let entry = [("state", state), ("amount", json!(amount)), ("currency", json!(currency))];
            entry.into_iter().chain([(of, json!(id))]).collect::<Value>()
        };
        for it in &rows.refunds {
            put("refunds", &it.id, movement(json!(it.state), it.amount, it.currency, "payment", &it.payment));
        }
        for it in &rows.disputes {
            put("disputes", &it.id, movement(json!(it.state), it.amount, it.currency, "payment", &it.payment));
        }
        for it in &rows.credits {
            put("credits", &it.id, movement(json!(it.state), it.amount, it.currency, "invoice", &it.invoice));
        }
    }
}

/// A subject that waits, and the subjects it waits for.
type Parked<'a> = (&'a Subject, &'a [Subject]);

/// One map: by raw id, then by source.
type Entries<'a> = BTreeMap<String, BTreeMap<&'a Source, Value>>;

/// Every map. Some may be empty.
const MAPS: [&str; 13] = [
    "customers",
    "checkouts",
    "subscriptions",
    "invoices",
    "payments",
    "refunds",
    "disputes",
    "credits",
    "entitlements",
    "unlinked",
    "wallets",
    "parked",
    "ambiguous",
];

/// Names each entry by its id, or by source and id if two sources use the same one.
fn named(entries: Entries<'_>) -> Value {
    let mut map = Map::new();
    for (id, by_source) in entries {
        let shared = by_source.len() > 1;
        for (source, entry) in by_source {
            map.insert(if shared { format!("{}/{id}", source.expose()) } else { id.clone() }, entry);
        }
    }
    Value::Object(map)
}

/// Kinds of objects by raw id.
fn by_id<'a>(objects: impl Iterator<Item = &'a ObjectRef>) -> BTreeMap<&'a str, Vec<&'static str>> {
    let mut kinds: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for object in objects {
        kinds.entry(object.id.expose()).or_default().push(object.kind.as_str());
    }
    kinds
}

fn entitled(it: &Benefit) -> Value {
    let until = it.until.map(|until| until.to_string());
    json!({ "access": it.access, "until": until, "quantity": it.quantity, "sources": it.sources })
}

/// Kinds that share an id are joined: `invoice+payment`.
fn parked(subjects: &[Parked<'_>]) -> Value {
    let kinds: Vec<&str> = subjects.iter().map(|(subject, _)| subject.root.kind.as_str()).collect();
    let others = subjects.iter().flat_map(|(subject, on)| on.iter().map(|on| (&subject.root.id, &on.root.id)));
    let waits_for: BTreeSet<&str> = others.filter(|(id, on)| id != on).map(|(_, on)| on.expose()).collect();
    json!({ "kind": kinds.join("+"), "waits_for": waits_for })
}

fn agreements(rows: &Rows, put: &mut impl FnMut(&'static str, &str, Value)) {
    for it in &rows.customers {
        put(
            "customers",
            &it.id,
            json!({ "email": it.email, "name": it.name, "deleted": it.deleted, "customer": it.owner }),
        );
    }
    for it in &rows.checkouts {
        put(
            "checkouts",
            &it.id,
            json!({ "state": it.state, "customer": it.customer, "subscription": it.subscription, "payment": it.payment, "invoice": it.invoice }),
        );
    }
    for it in &rows.subscriptions {
        let items: Map<String, Value> = rows
            .subscription_items
            .iter()
            .filter(|item| item.subscription == it.id)
            .map(|item| (item.price.clone(), json!(item.quantity)))
            .collect();
        let period = it
            .period_start
            .zip(it.period_end)
            .map(|(start, end)| json!({ "start": time(Some(start)), "end": time(Some(end)) }));
        put(
            "subscriptions",
            &it.id,
            json!({
                "state": it.state, "provider_status": it.provider_status, "items": items, "current_period": period,
                "trial_end": time(it.trial_end), "cancel_at": time(it.cancel_at), "ended_at": time(it.ended_at),
                "pause_at": time(it.pause_at), "resume_at": time(it.resume_at),
                "collection_paused": it.collection_paused, "customer": it.customer,
            }),
        );
    }
}

fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}
