//! Translates each type of Stripe event into facts, with one table by the exact type. This module does not know which
//! of two facts wins, or whether an event came before.
//!
//! An observation's version is the event's `created`, in whole seconds. Stripe's events have no other clock, so ties
//! are the normal case, and core settles them by evidence. The evidence is `previous_attributes`, laid over the object
//! and read by the same code ([`Reading::observation`]).
//!
//! Sources for types and objects: Stripe's API reference ("Types of events") and its OpenAPI document of
//! `2026-05-27.dahlia`.

mod billing;
mod catalogue;
mod checkout;
mod customers;
mod payments;

use purchase_core::{
    fact::{
        Observation,
        Phase::{self, Changed, Created, Ended},
        Version,
        object_state::ObjectState,
    },
    id::{ObjectKind, ObjectRef, ProviderId},
    provider::{EventHead, Meaning, ReadFault},
    time::Timestamp,
    wire::collect::{Attribution, Collector},
};

use crate::{
    config::{ClientReference, ConnectedMetadata},
    wire::View,
};

/// Extracts the facts from one kind of object.
type Extract = fn(&Reading<'_>, &mut Collector) -> Result<(), ReadFault>;

/// Returns the meaning of a snapshot event.
pub(crate) fn meaning(
    head: &EventHead,
    body: &View<'_, '_>,
    client_reference: ClientReference,
    connected_metadata: ConnectedMetadata,
) -> Result<Meaning, ReadFault> {
    let Some((phase, extract)) = entry(&head.event_type) else { return Ok(Meaning::Ignored) };
    let object = body.at("data.object");
    if !object.is_object() {
        return Err(object.fault("object"));
    }
    let prior = match phase {
        Created => None,
        Changed if SECOND_WORD.contains(&head.event_type.as_str()) => None,
        Changed | Ended if !tells_whole_arrays(head) => None,
        Changed | Ended => object.before(body.at("data.previous_attributes").value()?),
    };
    let believed = head.key.source.account.is_none() || connected_metadata == ConnectedMetadata::Believed;
    let reading = Reading {
        event_type: &head.event_type,
        api_version: head.api_version.as_deref(),
        occurred_at: head.occurred_at,
        phase,
        object,
        prior,
        client_reference: if believed { client_reference } else { ClientReference::Ignore },
        believed,
    };
    let mut facts = Collector::default();
    extract(&reading, &mut facts)?;
    Ok(Meaning::Facts(facts.into_facts(head, Version::at(head.occurred_at))))
}

/// Before API version 2017-05-25, `previous_attributes` contained only the changed elements of an array, so the prior
/// state can't be reconstructed. (Source: Stripe's changelog of that version.)
fn tells_whole_arrays(head: &EventHead) -> bool {
    head.api_version.as_deref().is_none_or(|version| version >= "2017-05-25")
}

/// Whether the table lists a thin event's counterpart: the thin event's type is `v1.` followed by the snapshot event's
/// type.
pub(crate) fn lists_thin(event_type: &str) -> bool {
    event_type.strip_prefix("v1.").is_some_and(|event_type| entry(event_type).is_some())
}

/// The table, ordered by type.
const TABLE: &[(&str, Phase, Extract)] = &[
    ("charge.captured", Changed, payments::charge),
    ("charge.dispute.closed", Changed, payments::dispute),
    ("charge.dispute.created", Created, payments::dispute),
    ("charge.dispute.funds_reinstated", Changed, payments::dispute),
    ("charge.dispute.funds_withdrawn", Changed, payments::dispute),
    ("charge.dispute.updated", Changed, payments::dispute),
    ("charge.expired", Changed, payments::charge),
    ("charge.failed", Changed, payments::charge),
    ("charge.pending", Changed, payments::charge),
    ("charge.refund.updated", Changed, payments::refund),
    ("charge.refunded", Changed, payments::charge),
    ("charge.succeeded", Changed, payments::charge),
    ("charge.updated", Changed, payments::charge),
    ("checkout.session.async_payment_failed", Changed, checkout::session),
    ("checkout.session.async_payment_succeeded", Changed, checkout::session),
    ("checkout.session.completed", Changed, checkout::session),
    ("checkout.session.expired", Changed, checkout::session),
    ("credit_note.created", Created, billing::credit_note),
    ("credit_note.updated", Changed, billing::credit_note),
    ("credit_note.voided", Changed, billing::credit_note),
    ("customer.created", Created, customers::customer),
    ("customer.deleted", Ended, customers::customer),
    ("customer.subscription.created", Created, billing::subscription),
    ("customer.subscription.deleted", Ended, billing::subscription),
    ("customer.subscription.paused", Changed, billing::subscription),
    ("customer.subscription.pending_update_applied", Changed, billing::subscription),
    ("customer.subscription.pending_update_expired", Changed, billing::subscription),
    ("customer.subscription.resumed", Changed, billing::subscription),
    ("customer.subscription.trial_will_end", Changed, billing::subscription),
    ("customer.subscription.updated", Changed, billing::subscription),
    ("customer.updated", Changed, customers::customer),
    ("invoice.created", Created, billing::invoice),
    ("invoice.deleted", Ended, billing::invoice),
    ("invoice.finalization_failed", Changed, billing::invoice),
    ("invoice.finalized", Changed, billing::invoice),
    ("invoice.marked_uncollectible", Changed, billing::invoice),
    ("invoice.overdue", Changed, billing::invoice),
    ("invoice.overpaid", Changed, billing::invoice),
    ("invoice.paid", Changed, billing::invoice),
    ("invoice.payment_action_required", Changed, billing::invoice),
    ("invoice.payment_attempt_required", Changed, billing::invoice),
    ("invoice.payment_failed", Changed, billing::invoice),
    ("invoice.payment_succeeded", Changed, billing::invoice),
    ("invoice.sent", Changed, billing::invoice),
    ("invoice.upcoming", Changed, billing::announced_invoice),
    ("invoice.updated", Changed, billing::invoice),
    ("invoice.voided", Changed, billing::invoice),
    ("invoice.will_be_due", Changed, billing::announced_invoice),
    ("invoice_payment.paid", Changed, billing::invoice_payment),
    ("payment_intent.amount_capturable_updated", Changed, payments::payment_intent),
    ("payment_intent.canceled", Changed, payments::payment_intent),
    ("payment_intent.created", Created, payments::payment_intent),
    ("payment_intent.partially_funded", Changed, payments::payment_intent),
    ("payment_intent.payment_failed", Changed, payments::payment_intent),
    ("payment_intent.processing", Changed, payments::payment_intent),
    ("payment_intent.requires_action", Changed, payments::payment_intent),
    ("payment_intent.succeeded", Changed, payments::payment_intent),
    ("price.created", Created, catalogue::price),
    ("price.deleted", Ended, catalogue::price),
    ("price.updated", Changed, catalogue::price),
    ("product.created", Created, catalogue::product),
    ("product.deleted", Ended, catalogue::product),
    ("product.updated", Changed, catalogue::product),
    ("refund.created", Created, payments::refund),
    ("refund.failed", Changed, payments::refund),
    ("refund.updated", Changed, payments::refund),
    ("subscription_schedule.aborted", Changed, billing::schedule),
    ("subscription_schedule.canceled", Changed, billing::schedule),
    ("subscription_schedule.completed", Changed, billing::schedule),
    ("subscription_schedule.created", Created, billing::schedule),
    ("subscription_schedule.expiring", Changed, billing::schedule),
    ("subscription_schedule.released", Changed, billing::schedule),
    ("subscription_schedule.updated", Changed, billing::schedule),
];

/// The types for whose change Stripe also sends `….updated`. Their evidence would report the same change twice. If an
/// object then returns to an earlier state, core could not distinguish the duplicate report from a second change.
const SECOND_WORD: &[&str] = &[
    "charge.refund.updated",
    "credit_note.voided",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "refund.failed",
];

fn entry(event_type: &str) -> Option<(Phase, Extract)> {
    let index = TABLE.binary_search_by_key(&event_type, |(name, ..)| name).ok()?;
    let (_, phase, extract) = TABLE[index];
    Some((phase, extract))
}

/// One snapshot event of a listed type.
struct Reading<'a> {
    event_type: &'a str,
    api_version: Option<&'a str>,
    occurred_at: Timestamp,
    phase: Phase,
    object: View<'a, 'a>,
    /// The object before the change, if the event contains that evidence.
    prior: Option<View<'a, 'a>>,
    client_reference: ClientReference,
    /// Whether the application wrote the metadata, so that they are read.
    believed: bool,
}

impl Reading<'_> {
    /// The attribution in the event's object. With Accounts v2, an object may name an account instead of a customer.
    fn attribution(&self) -> Result<Attribution, ReadFault> {
        let customer = match self.object.at("customer").id()? {
            Some(customer) => Some(customer),
            None => self.object.at("customer_account").id()?,
        };
        self.attribution_of(customer, &self.object.at("metadata"))
    }

    /// The attribution in the metadata in addition to a customer, if the metadata are read.
    fn attribution_of(&self, customer: Option<ProviderId>, metadata: &View<'_, '_>) -> Result<Attribution, ReadFault> {
        if self.believed {
            Attribution::read(customer, metadata)
        } else {
            Ok(Attribution { customer, ..Attribution::default() })
        }
    }

    /// Whether the API version creates a refund for an authorized amount that was not captured. (Source: Stripe's
    /// changelog of `2025-03-31.basil`.) Stripe stores this effect when it happens, so the version only decides if the
    /// amounts don't.
    fn releases_are_refunds(&self) -> bool {
        self.api_version.is_some_and(|version| version < "2025-03-31")
    }

    /// Returns a reference to the event's object.
    fn root(&self, kind: ObjectKind) -> Result<ObjectRef, ReadFault> {
        Ok(ObjectRef::new(kind, self.object.at("id").need_id()?))
    }

    /// Returns the observation of the event's object, after the change and before it. An unreadable prior state is not
    /// evidence, and not an error.
    fn observation(
        &self,
        object: &ObjectRef,
        observation: impl Fn(&View<'_, '_>, Moment<'_>) -> Result<ObjectState, ReadFault>,
    ) -> Result<Observation, ReadFault> {
        let after = Moment::After { phase: self.phase, event_type: self.event_type };
        Ok(Observation {
            object: object.clone(),
            phase: self.phase,
            object_state: observation(&self.object, after)?,
            prior: self.prior.as_ref().and_then(|view| observation(view, Moment::Before).ok()),
        })
    }
}

/// When an observation was taken. The event's type only describes the state after the event.
#[derive(Clone, Copy)]
enum Moment<'a> {
    After { phase: Phase, event_type: &'a str },
    Before,
}

impl Moment<'_> {
    /// Whether the event's type says that the object was deleted.
    fn is_end(self) -> bool {
        matches!(self, Moment::After { phase: Ended, .. })
    }

    /// Whether the event is of this type.
    fn is(self, name: &str) -> bool {
        matches!(self, Moment::After { event_type, .. } if event_type == name)
    }
}

#[cfg(test)]
mod tests;
