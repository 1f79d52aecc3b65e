//! Decides what an event says of a subscription, a schedule or an invoice. It doesn't know whether the customer may
//! use what is billed.
//!
//! Since `2025-03-31.basil` a subscription's period stands on its items, and an invoice names its subscription under
//! `parent` and its payments under `payments`; before, all stood at the top. Both places are read, by their shape.

use purchase_core::{
    fact::{
        Link,
        photo::{
            Credit, CreditState, Invoice, InvoiceState, Item, Period, Photo, Schedule, ScheduleState, Subscription,
            SubscriptionStatus,
        },
    },
    id::{ObjectKind, ObjectRef, ProviderId},
    provider::ReadFault,
    wire::collect::{Collector, Quantities, Ties, owner},
};

use super::{Moment, Reading, payments, ties};
use crate::wire::{Reads as _, View};

/// `subscription`. Its latest invoice is one of its own.
pub(super) fn subscription(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let root = reading.root(ObjectKind::Subscription)?;
    let ties = ties(&reading.object)?;
    facts.sight(&root, reading.sight(&root, photograph_subscription)?);
    facts.belongs(&root, &ties);
    if let Some(invoice) = reading.object.at("latest_invoice").id()? {
        let links = ties.customer().chain([Link::Subscription(root.id)]);
        facts.link(&ObjectRef::new(ObjectKind::Invoice, invoice), links);
    }
    Ok(())
}

/// `subscription_schedule`. After its release it still names the subscription that it steered.
pub(super) fn schedule(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Schedule)?, &reading.object);
    let subscription = match object.at("subscription").id()? {
        Some(subscription) => Some(subscription),
        None => object.at("released_subscription").id()?,
    };
    facts.sight(&root, reading.sight(&root, photograph_schedule)?);
    facts.belongs(&root, &ties(object)?);
    facts.link(&root, subscription.map(Link::Subscription));
    Ok(())
}

/// `credit_note`: a member of its invoice's subject. What of it is paid out is a refund of its own.
pub(super) fn credit_note(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let credit = reading.root(ObjectKind::Credit)?;
    let invoice = ObjectRef::new(ObjectKind::Invoice, reading.object.at("invoice").need_id()?);
    facts.sight(&invoice, reading.sight(&credit, photograph_credit)?);
    facts.belongs(&invoice, &Ties { offer: None, ..ties(&reading.object)? });
    Ok(())
}

fn photograph_credit(view: &View<'_, '_>, _: Moment<'_>) -> Result<Photo, ReadFault> {
    let state = match view.at("status").need_text()? {
        "issued" => CreditState::Issued,
        "void" => CreditState::Reversed,
        _ => CreditState::Unknown,
    };
    let amount = view.at("amount").need_money(view.at("currency").need_currency()?)?;
    Ok(Photo::Credit(Credit { state, amount }))
}

/// `invoice`. The subscription's metadata is copied into the invoice when that is made, so it is old news of the
/// subscription: its owner is taken, for owners don't change, its offer is not.
pub(super) fn invoice(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Invoice)?, &reading.object);
    let mut ties = ties(object)?;
    let subscription = match object.at("parent.subscription_details.subscription").id()? {
        Some(subscription) => Some(subscription),
        None => object.at("subscription").id()?,
    };
    let subscriber = match owner(&object.at("parent.subscription_details.metadata"))? {
        Some(owner) => Some(owner),
        None => owner(&object.at("subscription_details.metadata"))?,
    };
    ties.owner = ties.owner.or_else(|| subscriber.clone());
    let payments = payments_of(object)?;

    facts.sight(&root, reading.sight(&root, photograph_invoice)?);
    facts.belongs(&root, &ties);
    facts.link(&root, subscription.clone().map(Link::Subscription));
    for payment in payments {
        facts.link(&root, [Link::Payment(payment.clone())]);
        let told = ties.customer().chain(ties.owner()).chain([Link::Invoice(root.id.clone())]);
        let payment = ObjectRef::new(ObjectKind::Payment, payment);
        facts.link(&payment, told.chain(subscription.clone().map(Link::Subscription)));
    }
    if let Some(subscription) = subscription {
        let told = ties.customer().chain(subscriber.map(Link::Owner));
        facts.link(&ObjectRef::new(ObjectKind::Subscription, subscription), told);
    }
    Ok(())
}

/// `invoice.upcoming` shows an invoice that isn't there yet: it has no id, or the id of a preview. The other
/// announcement shows a real one, where it names it.
pub(super) fn announced_invoice(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    match reading.event_type {
        "invoice.will_be_due" if reading.object.at("id").is_there() => invoice(reading, facts),
        _ => Ok(()),
    }
}

/// `invoice_payment`: since `2025-03-31.basil` the only thing that ties a payment to its invoice. It has no photograph.
pub(super) fn invoice_payment(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let invoice = reading.object.at("invoice").need_id()?;
    if let Some(payment) = payments::paid_by(&reading.object.at("payment"))? {
        facts.link(&ObjectRef::new(ObjectKind::Payment, payment.clone()), [Link::Invoice(invoice.clone())]);
        facts.link(&ObjectRef::new(ObjectKind::Invoice, invoice), [Link::Payment(payment)]);
    }
    Ok(())
}

/// The payments of an invoice that were not called off, each once.
fn payments_of(invoice: &View<'_, '_>) -> Result<Vec<ProviderId>, ReadFault> {
    let mut payments: Vec<ProviderId> = payments::paid_by(invoice)?.into_iter().collect();
    let list = invoice.at("payments.data");
    if list.is_there() {
        for element in list.elements()? {
            if element.at("status").text()? != Some("canceled") {
                payments.extend(payments::paid_by(&element.at("payment"))?);
            }
        }
    }
    payments.sort();
    payments.dedup();
    Ok(payments)
}

fn photograph_subscription(view: &View<'_, '_>, _: Moment<'_>) -> Result<Photo, ReadFault> {
    let provider_status = view.at("status").need_text()?;
    let period = period(view)?;
    let cancel_at = match view.at("cancel_at").time()? {
        Some(time) => Some(time),
        None if view.at("cancel_at_period_end").flag()? == Some(true) => period.map(|period| period.end),
        None => None,
    };
    Ok(Photo::Subscription(Box::new(Subscription {
        status: match provider_status {
            "active" => SubscriptionStatus::Active,
            "canceled" => SubscriptionStatus::Canceled,
            "incomplete" => SubscriptionStatus::Pending,
            "incomplete_expired" => SubscriptionStatus::Expired,
            "past_due" => SubscriptionStatus::PastDue,
            "paused" => SubscriptionStatus::Paused,
            "trialing" => SubscriptionStatus::Trialing,
            "unpaid" => SubscriptionStatus::Unpaid,
            _ => SubscriptionStatus::Unknown,
        },
        provider_status: provider_status.to_owned(),
        items: items(view)?,
        period,
        trial_end: view.at("trial_end").time()?,
        cancel_at,
        ended_at: view.at("ended_at").time()?,
        pause_at: None,
        resume_at: None,
        collection_paused: view.at("pause_collection").value()?.is_some(),
    })))
}

fn items(subscription: &View<'_, '_>) -> Result<Vec<Item>, ReadFault> {
    let mut quantities = Quantities::default();
    for item in subscription.at("items.data").elements()? {
        let (price, plan) = (item.at("price"), item.at("plan"));
        let price = match plan.is_there() && !price.is_there() {
            true => plan.need_id()?,
            false => price.need_id()?,
        };
        quantities.add(price, item.at("quantity").count()?);
    }
    Ok(quantities.into_items())
}

/// From the first start to the last end of the items' periods, which may differ; else the subscription's own.
fn period(subscription: &View<'_, '_>) -> Result<Option<Period>, ReadFault> {
    let mut whole: Option<Period> = None;
    for item in subscription.at("items.data").elements()? {
        let Some(period) = period_at(&item)? else { continue };
        whole =
            Some(whole.map_or(period, |whole| Period {
                start: whole.start.min(period.start),
                end: whole.end.max(period.end),
            }));
    }
    match whole {
        Some(period) => Ok(Some(period)),
        None => period_at(subscription),
    }
}

fn period_at(view: &View<'_, '_>) -> Result<Option<Period>, ReadFault> {
    let (start, end) = (view.at("current_period_start").time()?, view.at("current_period_end").time()?);
    Ok(start.zip(end).map(|(start, end)| Period { start, end }))
}

fn photograph_schedule(view: &View<'_, '_>, _: Moment<'_>) -> Result<Photo, ReadFault> {
    let state = match view.at("status").need_text()? {
        "active" => ScheduleState::Active,
        "canceled" => ScheduleState::Canceled,
        "completed" => ScheduleState::Completed,
        "not_started" => ScheduleState::NotStarted,
        "released" => ScheduleState::Released,
        _ => ScheduleState::Unknown,
    };
    Ok(Photo::Schedule(Schedule { state }))
}

fn photograph_invoice(view: &View<'_, '_>, moment: Moment<'_>) -> Result<Photo, ReadFault> {
    let currency = view.at("currency").need_currency()?;
    let status = view.at("status").text()?;
    let state = match status {
        // Only a draft can be deleted; some API versions then show the status `deleted`.
        Some("draft" | "deleted") => InvoiceState::Draft,
        Some("open") => InvoiceState::Open,
        Some("paid") => InvoiceState::Paid,
        Some("uncollectible") => InvoiceState::Uncollectible,
        Some("void") => InvoiceState::Void,
        Some(_) => InvoiceState::Unknown,
        None if view.at("paid").flag()? == Some(true) => InvoiceState::Paid,
        None => InvoiceState::Unknown,
    };
    Ok(Photo::Invoice(Invoice {
        state,
        total: view.at("total").need_money(currency)?,
        amount_paid: view.at("amount_paid").need_money(currency)?,
        attempts: view.at("attempt_count").small_count()?.unwrap_or(0),
        renews: view.at("billing_reason").text()? == Some("subscription_cycle"),
        finalized_at: view.at("status_transitions.finalized_at").time()?,
        paid_at: view.at("status_transitions.paid_at").time()?,
        voided_at: view.at("status_transitions.voided_at").time()?,
        deleted: moment.is_end() || status == Some("deleted"),
    }))
}
