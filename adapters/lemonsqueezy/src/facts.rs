//! Translates each type of Lemon Squeezy event into facts, with one table by the exact type. This module does not know
//! which of two facts wins, or whether an event came before.

use std::collections::BTreeSet;

use purchase_core::{
    fact::{
        Link, Observation,
        Phase::{self, Changed, Created, Ended},
        Version,
        object_state::{
            Charge, ChargeState, Invoice, InvoiceState, Item, ObjectState, Payment, PaymentState, Period, Refund,
            RefundState, Subscription, SubscriptionStatus,
        },
    },
    id::{ObjectKind, ObjectRef, ProviderId},
    money::Money,
    provider::{EventHead, Meaning, ReadFault},
    wire::collect::{Attribution, Collector, owner},
};

use crate::{
    config::CustomData,
    wire::{self, View},
};

/// Extracts the facts from one kind of object.
type Extract = fn(&Reading<'_>, &mut Collector) -> Result<(), ReadFault>;

/// The settings of an endpoint that affect the meaning of events.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) one_time_variants: BTreeSet<ProviderId>,
    pub(crate) custom_data: CustomData,
}

/// The table: the event's type, the type of its object, the phase, and the function that reads it. (Source: Lemon
/// Squeezy's documentation "Event types".) Events of licence keys are not listed, because they sell nothing.
const TABLE: &[(&str, &str, Phase, Extract)] = &[
    ("order_created", "orders", Created, order),
    ("order_refunded", "orders", Changed, order),
    ("subscription_cancelled", "subscriptions", Changed, subscription),
    ("subscription_created", "subscriptions", Created, subscription),
    ("subscription_expired", "subscriptions", Ended, subscription),
    ("subscription_paused", "subscriptions", Changed, subscription),
    ("subscription_payment_failed", PAID_INVOICES, Changed, invoice),
    ("subscription_payment_recovered", PAID_INVOICES, Changed, invoice),
    ("subscription_payment_refunded", PAID_INVOICES, Changed, invoice),
    ("subscription_payment_success", PAID_INVOICES, Changed, invoice),
    ("subscription_resumed", "subscriptions", Changed, subscription),
    ("subscription_unpaused", "subscriptions", Changed, subscription),
    ("subscription_updated", "subscriptions", Changed, subscription),
];

/// The type of a subscription's invoices. It also begins the ids of their payments: every type of object has a separate
/// number sequence, so an order and an invoice may have the same number, and both are paid.
const PAID_INVOICES: &str = "subscription-invoices";

/// Returns the meaning of an event.
pub(crate) fn meaning(head: &EventHead, body: &View<'_, '_>, terms: &Terms) -> Result<Meaning, ReadFault> {
    let Some((_, shows, phase, extract)) = TABLE.iter().find(|(name, ..)| *name == head.event_type) else {
        return Ok(Meaning::Ignored);
    };
    let shown = body.at("data.type");
    if shown.need_text()? != *shows {
        return Err(shown.fault(&format!("the type {shows:?}")));
    }
    let object = body.at("data.attributes");
    let id = wire::need_id(&body.at("data.id"))?;
    let customer = wire::id(&object.at("customer_id"))?;
    let custom = body.at("meta.custom_data");
    // PHP writes an empty object as an empty list.
    let believed = terms.custom_data == CustomData::Believed && custom.is_object();
    let owner = if believed { owner(&custom)? } else { None };
    let attribution = Attribution { customer, owner, offer: None };
    let reading = Reading { head, phase: *phase, id, object, attribution, terms };
    let mut facts = Collector::default();
    extract(&reading, &mut facts)?;
    Ok(Meaning::Facts(facts.into_facts(head, version(head))))
}

/// Lemon Squeezy orders its own observations by `updated_at`, which the observed change has set. There is no other
/// clock and no sequence number. The microseconds are always zero, so two changes in one second tie.
fn version(head: &EventHead) -> Version {
    Version::at(head.occurred_at)
}

/// One event of a listed type.
struct Reading<'a> {
    head: &'a EventHead,
    phase: Phase,
    id: ProviderId,
    object: View<'a, 'a>,
    attribution: Attribution,
    terms: &'a Terms,
}

impl Reading<'_> {
    fn observation(&self, object: ObjectRef, object_state: ObjectState) -> Observation {
        Observation { object, phase: self.phase, object_state, prior: None }
    }

    /// Adds the observation of the event's own object, and its attribution.
    fn show(&self, facts: &mut Collector, root: &ObjectRef, object_state: ObjectState) {
        facts.observation(root, self.observation(root.clone(), object_state));
        facts.belongs(root, &self.attribution);
    }

    /// Adds a payment's refunds. Refunds have no ids and no events: the paid object holds their total. The charge
    /// contains the total, which only grows and so orders the observations. The refund says that there was one.
    fn show_refunds(&self, facts: &mut Collector, payment: &ObjectRef, charge: Charge) {
        let refunded = charge.refunded;
        let member = |kind| ObjectRef::new(kind, payment.id.clone());
        facts.observation(payment, self.observation(member(ObjectKind::Charge), ObjectState::Charge(charge)));
        if refunded.minor() > 0 {
            let refund = ObjectState::Refund(Refund::new(RefundState::Succeeded, refunded));
            facts.observation(payment, self.observation(member(ObjectKind::Refund), refund));
        }
    }

    /// Returns the object's total and the refunded amount. Bodies from before partial refunds have no refunded amount:
    /// their status `refunded` means a full refund.
    fn amounts(&self, status: &str) -> Result<(Money, Money), ReadFault> {
        let currency = self.object.at("currency").need_currency()?;
        let total = wire::need_money(&self.object.at("total"), currency)?;
        let place = self.object.at("refunded_amount");
        let refunded = match wire::money(&place, currency)? {
            Some(refunded) => refunded,
            None if status == "refunded" => total,
            None => Money::zero(currency),
        };
        Ok((total, refunded))
    }
}

/// An order is a purchase, or the first order of a subscription. The order doesn't say which. Each event of the
/// subscription does, and so does the endpoint's setting for the variant.
fn order(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let object = &reading.object;
    let root = ObjectRef::new(ObjectKind::Payment, reading.id.clone());
    let status = object.at("status").need_text()?;
    let (total, refunded) = reading.amounts(status)?;
    let state = match status {
        "pending" => PaymentState::Pending,
        "failed" => PaymentState::Failed,
        // Money that was refunded was received before.
        "paid" | "partial_refund" | "refunded" => PaymentState::Succeeded,
        // The documentation names "fraudulent" without saying what happened to the money.
        _ => PaymentState::Unknown,
    };
    let variant = wire::id(&object.at("first_order_item.variant_id"))?;
    let mut items = Vec::new();
    if let Some(price) = variant.filter(|variant| reading.terms.one_time_variants.contains(variant)) {
        let quantity = object.at("first_order_item.quantity").quantity()?;
        items.push(Item { price, quantity: quantity.or(Some(1)) });
    }
    reading.show(
        facts,
        &root,
        ObjectState::Payment(Payment { state, step: 0, amount: total, received: None, items, lines: Vec::new() }),
    );
    reading.show_refunds(facts, &root, charge(state, total, refunded));
    Ok(())
}

fn subscription(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let object = &reading.object;
    let root = ObjectRef::new(ObjectKind::Subscription, reading.id.clone());
    let provider_status = object.at("status").need_text()?;
    let pause = object.at("pause");
    let (status, collection_paused) = match (provider_status, pause.at("mode").text()?) {
        ("on_trial", _) => (SubscriptionStatus::Trialing, false),
        // A cancelled subscription can be used and resumed until `ends_at`. Until then it has the status from before
        // the cancellation.
        ("cancelled", Some("void")) => (SubscriptionStatus::Paused, false),
        ("cancelled", _) if in_trial(object)? => (SubscriptionStatus::Trialing, false),
        ("active" | "cancelled", _) => (SubscriptionStatus::Active, false),
        // The service continues for free.
        ("paused", Some("free")) => (SubscriptionStatus::Active, true),
        ("paused", Some("void") | None) => (SubscriptionStatus::Paused, false),
        ("past_due", _) => (SubscriptionStatus::PastDue, false),
        ("unpaid", _) => (SubscriptionStatus::Unpaid, false),
        ("expired", _) => (SubscriptionStatus::Canceled, false),
        _ => (SubscriptionStatus::Unknown, false),
    };
    let ends_at = object.at("ends_at");
    let object_state = Subscription {
        status,
        provider_status: provider_status.to_owned(),
        items: vec![sold(object)?],
        period: period(object, provider_status)?,
        trial_end: object.at("trial_ends_at").rfc3339()?,
        // A cancellation without its date would be read as no cancellation.
        cancel_at: if provider_status == "cancelled" { Some(ends_at.need_rfc3339()?) } else { None },
        ended_at: if provider_status == "expired" { ends_at.rfc3339()? } else { None },
        started_at: object.at("created_at").rfc3339()?,
        pause_at: None,
        resume_at: if status == SubscriptionStatus::Paused { pause.at("resumes_at").rfc3339()? } else { None },
        collection_paused,
    };
    reading.show(facts, &root, ObjectState::Subscription(Box::new(object_state)));
    if let Some(order) = wire::id(&object.at("order_id"))? {
        // The order doesn't say that it was the subscription's first order.
        let link = Link::Subscription(reading.id.clone());
        facts.link(&ObjectRef::new(ObjectKind::Payment, order), [link]);
    }
    Ok(())
}

/// Whether the trial was still running at the last change.
fn in_trial(object: &View<'_, '_>) -> Result<bool, ReadFault> {
    let ends = object.at("trial_ends_at").rfc3339()?.zip(object.at("updated_at").rfc3339()?);
    Ok(ends.is_some_and(|(trial_end, changed)| changed < trial_end))
}

/// The subscription's item: its variant, which every subscription names. A subscription's price changes with each new
/// price of the variant, and is missing during a trial.
fn sold(object: &View<'_, '_>) -> Result<Item, ReadFault> {
    let item = object.at("first_subscription_item");
    let metered = item.at("is_usage_based").flag()? == Some(true);
    let quantity = item.at("quantity").quantity()?.filter(|_| !metered);
    Ok(Item { price: wire::need_id(&object.at("variant_id"))?, quantity })
}

/// The billed period: from the subscription's beginning to the end of its current cycle, because the beginning of the
/// cycle is unknown. There is no period while a renewal is due, when `renews_at` is the next attempt, and none during a
/// pause, when `renews_at` doesn't change.
fn period(object: &View<'_, '_>, status: &str) -> Result<Option<Period>, ReadFault> {
    let ends = (object.at("created_at").rfc3339()?, object.at("renews_at").rfc3339()?);
    match (status, ends) {
        ("active" | "cancelled" | "on_trial", (Some(start), Some(end))) => Ok(Some(Period { start, end })),
        _ => Ok(None),
    }
}

/// An invoice of a subscription, and its payment. The first invoice is paid with the order, so its payment is not
/// reported again. Its refund is reported, so that the refund isn't lost.
fn invoice(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let object = &reading.object;
    let root = ObjectRef::new(ObjectKind::Invoice, reading.id.clone());
    let status = object.at("status").need_text()?;
    let (total, refunded) = reading.amounts(status)?;
    let (state, payment) = match status {
        "pending" if reading.head.event_type == "subscription_payment_failed" => {
            (InvoiceState::Open, PaymentState::Failed)
        }
        "pending" => (InvoiceState::Open, PaymentState::Pending),
        "paid" | "partial_refund" | "refunded" => (InvoiceState::Paid, PaymentState::Succeeded),
        "void" => (InvoiceState::Void, PaymentState::Canceled),
        _ => (InvoiceState::Unknown, PaymentState::Unknown),
    };
    let reason = object.at("billing_reason").need_text()?;
    let object_state = Invoice {
        state,
        total,
        amount_paid: if state == InvoiceState::Paid { total } else { Money::zero(total.currency()) },
        attempts: 0,
        renews: reason == "renewal",
        sold: Vec::new(),
        finalized_at: None,
        paid_at: None,
        voided_at: None,
        deleted: false,
    };
    reading.show(facts, &root, ObjectState::Invoice(object_state));
    let billed = wire::need_id(&object.at("subscription_id"))?;
    facts.link(&root, [Link::Subscription(billed.clone())]);

    let paid_by_the_order = reason == "initial";
    if paid_by_the_order && refunded.minor() == 0 {
        return Ok(());
    }
    let place = &object.at("subscription_id");
    let id = place.id_from(&format!("{PAID_INVOICES}:{}", reading.id.expose()), |text| ProviderId::new(text))?;
    facts.link(&root, [Link::Payment(id.clone())]);
    let paid = ObjectRef::new(ObjectKind::Payment, id);
    if !paid_by_the_order {
        let object_state =
            Payment { state: payment, step: 0, amount: total, received: None, items: Vec::new(), lines: Vec::new() };
        facts.observation(&paid, reading.observation(paid.clone(), ObjectState::Payment(object_state)));
    }
    reading.show_refunds(facts, &paid, charge(payment, total, refunded));
    facts.belongs(&paid, &reading.attribution);
    facts.link(&paid, [Link::Invoice(reading.id.clone()), Link::Subscription(billed)]);
    Ok(())
}

/// The charge of a payment that has a single attempt.
fn charge(payment: PaymentState, amount: Money, refunded: Money) -> Charge {
    Charge { state: charged(payment), amount, captured: None, refunded, may_count_release: false }
}

fn charged(payment: PaymentState) -> ChargeState {
    match payment {
        PaymentState::Succeeded => ChargeState::Succeeded,
        PaymentState::Failed | PaymentState::Canceled => ChargeState::Failed,
        PaymentState::Pending | PaymentState::Processing | PaymentState::Authorized => ChargeState::Pending,
        PaymentState::Unknown => ChargeState::Unknown,
    }
}
