//! Translates each type of Paddle event into facts, with one table by the exact type. Also decides which of two
//! observations is newer ([`version`]). This module does not know whether an event came before.
//!
//! Sources for types and objects: Paddle's API reference ("Webhooks"), its OpenAPI document of 2025-05-27, and the
//! types of its Python SDK 1.16.1.

mod adjustments;
mod catalogue;
mod customers;
mod subscriptions;
mod transactions;

use purchase_core::{
    fact::{Observation, Phase, Version, object_state::ObjectState},
    id::{ObjectKind, ObjectRef},
    provider::{EventHead, Meaning, ReadFault},
    time::Timestamp,
    wire::collect::{Attribution, Collector},
};

use crate::{config::CustomData, wire::View};

/// Extracts the facts from one kind of object.
type Extract = fn(&Reading<'_>, &mut Collector) -> Result<(), ReadFault>;

/// Returns the meaning of an event.
pub(crate) fn meaning(head: &EventHead, body: &View<'_, '_>, custom_data: CustomData) -> Result<Meaning, ReadFault> {
    let Some((phase, extract)) = entry(&head.event_type) else { return Ok(Meaning::Ignored) };
    let object = body.at("data");
    if !object.is_object() {
        return Err(object.fault("object"));
    }
    let version = version(head.occurred_at, &object);
    let mut facts = Collector::default();
    extract(&Reading { phase, object, custom_data }, &mut facts)?;
    Ok(Meaning::Facts(facts.into_facts(head, version)))
}

/// Returns an observation's version: when its object was last changed, as far as the event can know, and then when the
/// event occurred.
///
/// * Neither time is sufficient alone: an event may occur later and show an earlier state of the object, and events
///   that show different states may share one `updated_at`. (Recorded: a failed payment reported after the invoice
///   became past due.)
/// * `updated_at` may be in the future (recorded: a renewal in the sandbox), so it counts only up to `occurred_at`.
/// * It may be missing, or zero: Go writes the year 1 (recorded: an adjustment of 2023). `occurred_at` is then used,
///   also if the text can't be read, because an odd time must not make the delivery fail.
/// * Paddle sends nanoseconds first and microseconds later. Microseconds are compared.
fn version(occurred_at: Timestamp, object: &View<'_, '_>) -> Version {
    let updated_at = object.at("updated_at").rfc3339().ok().flatten();
    let updated_at = updated_at.filter(|time| *time > Timestamp::EPOCH);
    Version { at: updated_at.map_or(occurred_at, |time| time.min(occurred_at)), then: occurred_at }
}

/// A line of the table: an event's type, and how its object is read. None if the event has no commercial content.
type Line = (&'static str, Option<(Phase, Extract)>);

/// The event begins an object's life.
const fn begins(extract: Extract) -> Option<(Phase, Extract)> {
    Some((Phase::Created, extract))
}

/// The event shows a later state. No type says that an object was deleted.
const fn changes(extract: Extract) -> Option<(Phase, Extract)> {
    Some((Phase::Changed, extract))
}

/// The table, ordered by type: every type that Paddle lists.
const TABLE: &[Line] = &[
    ("address.created", None),
    ("address.imported", None),
    ("address.updated", None),
    ("adjustment.created", begins(adjustments::adjustment)),
    ("adjustment.updated", changes(adjustments::adjustment)),
    ("api_key.created", None),
    ("api_key.expired", None),
    ("api_key.expiring", None),
    ("api_key.revoked", None),
    ("api_key.updated", None),
    ("api_key_exposure.created", None),
    ("business.created", None),
    ("business.imported", None),
    ("business.updated", None),
    ("client_token.created", None),
    ("client_token.revoked", None),
    ("client_token.updated", None),
    ("customer.created", begins(customers::customer)),
    ("customer.imported", begins(customers::customer)),
    ("customer.updated", changes(customers::customer)),
    ("discount.created", None),
    ("discount.imported", None),
    ("discount.updated", None),
    ("discount_group.created", None),
    ("discount_group.updated", None),
    ("invoice.canceled", None),
    ("invoice.created", None),
    ("invoice.issued", None),
    ("invoice.overdue", None),
    ("invoice.paid", None),
    ("invoice.scheduled", None),
    ("payment_method.deleted", None),
    ("payment_method.saved", None),
    ("payout.created", None),
    ("payout.paid", None),
    ("price.created", begins(catalogue::price)),
    ("price.imported", begins(catalogue::price)),
    ("price.updated", changes(catalogue::price)),
    ("product.created", begins(catalogue::product)),
    ("product.imported", begins(catalogue::product)),
    ("product.updated", changes(catalogue::product)),
    ("report.created", None),
    ("report.updated", None),
    ("subscription.activated", changes(subscriptions::subscription)),
    ("subscription.canceled", changes(subscriptions::subscription)),
    ("subscription.created", begins(subscriptions::subscription)),
    ("subscription.imported", begins(subscriptions::subscription)),
    ("subscription.past_due", changes(subscriptions::subscription)),
    ("subscription.paused", changes(subscriptions::subscription)),
    ("subscription.resumed", changes(subscriptions::subscription)),
    ("subscription.trialing", changes(subscriptions::subscription)),
    ("subscription.updated", changes(subscriptions::subscription)),
    ("transaction.billed", changes(transactions::transaction)),
    ("transaction.canceled", changes(transactions::transaction)),
    ("transaction.completed", changes(transactions::transaction)),
    ("transaction.created", begins(transactions::transaction)),
    ("transaction.paid", changes(transactions::transaction)),
    ("transaction.past_due", changes(transactions::transaction)),
    ("transaction.payment_failed", changes(transactions::transaction)),
    ("transaction.ready", changes(transactions::transaction)),
    ("transaction.revised", changes(transactions::transaction)),
    ("transaction.updated", changes(transactions::transaction)),
];

fn entry(event_type: &str) -> Option<(Phase, Extract)> {
    let index = TABLE.binary_search_by_key(&event_type, |(name, _)| name).ok()?;
    TABLE[index].1
}

/// One event of a type with commercial content.
struct Reading<'a> {
    phase: Phase,
    object: View<'a, 'a>,
    custom_data: CustomData,
}

impl Reading<'_> {
    /// Names the event's object.
    fn root(&self, kind: ObjectKind) -> Result<ObjectRef, ReadFault> {
        Ok(ObjectRef::new(kind, self.object.at("id").need_id()?))
    }

    fn observation(&self, object: &ObjectRef, object_state: ObjectState) -> Observation {
        Observation { object: object.clone(), phase: self.phase, object_state, prior: None }
    }

    /// The attribution in a transaction or a subscription.
    fn attribution(&self) -> Result<Attribution, ReadFault> {
        let customer = self.object.at("customer_id").id()?;
        match self.custom_data {
            CustomData::Customers => Ok(Attribution { customer, ..Attribution::default() }),
            CustomData::Everywhere => Attribution::read(customer, &self.object.at("custom_data")),
        }
    }
}

#[cfg(test)]
mod tests;
