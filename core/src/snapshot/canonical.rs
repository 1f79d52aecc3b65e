//! Decides the form of the canonical projection: JSON with sorted keys, its maps keyed by the provider's object ids. It
//! is an outside contract: a change to it is a version of the conformance kit.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    id::Subject,
    snapshot::{Projection, rows::Rows},
    time::Timestamp,
};

impl Projection {
    /// The canonical projection, raw provider ids and personal data included: for the kit, for operators, for tests.
    ///
    /// | map | entry |
    /// |---|---|
    /// | `customers` | `email`, `name`, `deleted`, `customer` (the application's id, or null) |
    /// | `checkouts` | `state`, `customer`, `subscription`, `payment` |
    /// | `subscriptions` | `state`, `provider_status`, `items`, `current_period`, `trial_end`, `cancel_at`, `ended_at`, `collection_paused`, `customer` |
    /// | `invoices` | `state`, `total`, `amount_paid`, `currency`, `deleted`, `customer`, `subscription` |
    /// | `payments` | `state`, `amount`, `currency`, `refunded`, `dispute`, `customer`, `invoice`, `subscription` |
    /// | `refunds`, `disputes` | `state`, `amount`, `currency`, `payment` |
    /// | `entitlements` | by customer, then by benefit: `access`, `until`, `quantity`, `sources` |
    /// | `wallets` | by customer |
    /// | `parked` | by object: `kind`, `waits_for` |
    /// | `ambiguous` | by object: `kind` |
    ///
    /// Amounts are minor units, currencies upper-case ISO 4217, times RFC 3339 in UTC.
    pub fn expose_canonical(&self) -> Value {
        let mut maps: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for name in [
            "customers",
            "checkouts",
            "subscriptions",
            "invoices",
            "payments",
            "refunds",
            "disputes",
            "entitlements",
            "wallets",
            "parked",
            "ambiguous",
        ] {
            maps.insert(name, Map::new());
        }
        let mut put = |map: &'static str, id: &str, entry: Value| {
            maps.entry(map).or_default().insert(id.to_owned(), entry);
        };
        for rows in self.rows() {
            agreements(rows, &mut put);
            money(rows, &self.invoiced, &mut put);
        }
        let mut entitlements: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for (customer, benefits) in self.sources().into_iter().flat_map(|source| self.benefits(source)) {
            let of_customer = entitlements.entry(customer).or_default();
            for (benefit, it) in benefits {
                let until = it.until.map(|until| until.to_string());
                let entry = json!({
                    "access": it.access, "until": until, "quantity": it.quantity, "sources": it.sources,
                });
                of_customer.entry(benefit).or_insert(entry);
            }
        }
        for (customer, benefits) in entitlements {
            put("entitlements", &customer, Value::Object(benefits));
        }
        for (subject, waits_for) in &self.parked {
            put("parked", subject.root.id.expose(), parked(subject, waits_for));
        }
        for (id, kind) in &self.ambiguous {
            put("ambiguous", id, json!({ "kind": kind.as_str() }));
        }
        json!(maps)
    }
}

fn parked(subject: &Subject, waits_for: &[Subject]) -> Value {
    let ids: Vec<&str> = waits_for.iter().map(|on| on.root.id.expose()).collect();
    json!({ "kind": subject.root.kind.as_str(), "waits_for": ids })
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
            json!({ "state": it.state, "customer": it.customer, "subscription": it.subscription, "payment": it.payment }),
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
                "collection_paused": it.collection_paused, "customer": it.customer,
            }),
        );
    }
}

fn money(rows: &Rows, invoiced: &BTreeMap<String, String>, put: &mut impl FnMut(&'static str, &str, Value)) {
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
        let through_invoice = it.invoice.as_deref().and_then(|invoice| invoiced.get(invoice).map(String::as_str));
        put(
            "payments",
            &it.id,
            json!({
                "state": it.state, "amount": it.amount, "currency": it.currency, "refunded": it.refunded,
                "dispute": it.dispute, "customer": it.customer, "invoice": it.invoice,
                "subscription": it.subscription.as_deref().or(through_invoice),
            }),
        );
    }
    for it in &rows.refunds {
        put(
            "refunds",
            &it.id,
            json!({ "state": it.state, "amount": it.amount, "currency": it.currency, "payment": it.payment }),
        );
    }
    for it in &rows.disputes {
        put(
            "disputes",
            &it.id,
            json!({ "state": it.state, "amount": it.amount, "currency": it.currency, "payment": it.payment }),
        );
    }
}

fn time(micros: Option<i64>) -> Option<String> {
    micros.and_then(|micros| Timestamp::from_micros(micros).ok()).map(|time| time.to_string())
}
