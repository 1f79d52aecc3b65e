//! Reads a subscription, a schedule, an invoice or a credit note. This module does not know whether the customer may
//! use what is billed.
//!
//! Since `2025-03-31.basil` a subscription's period is on its items, and an invoice names its subscription under
//! `parent` and its payments under `payments`. Before, all of these were at the top level. Both shapes are read.

use purchase_core::{
    fact::{
        Link,
        object_state::{
            Credit, CreditState, Invoice, InvoiceState, Item, ObjectState, Period, Schedule, ScheduleState,
            Subscription, SubscriptionStatus,
        },
    },
    id::{ObjectKind, ObjectRef, ProviderId},
    provider::ReadFault,
    wire::collect::{Attribution, Collector, Quantities},
};

use super::{Moment, Reading, payments};
use crate::wire::{Reads as _, View};

/// `subscription`. Its latest invoice belongs to it.
pub(super) fn subscription(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let root = reading.root(ObjectKind::Subscription)?;
    let attribution = reading.attribution()?;
    facts.observation(&root, reading.observation(&root, state_of_subscription)?);
    facts.belongs(&root, &attribution);
    if let Some(customer) = attribution.customer_ref() {
        facts.infer(&customer, reading.occurred_at, attribution.inferred_owner(Some(&root)));
    }
    if let Some(invoice) = reading.object.at("latest_invoice").id()? {
        let links = attribution.customer().chain([Link::Subscription(root.id)]);
        facts.link(&ObjectRef::new(ObjectKind::Invoice, invoice), links);
    }
    Ok(())
}

/// `subscription_schedule`. After its release it still names the subscription that it controlled.
pub(super) fn schedule(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Schedule)?, &reading.object);
    let subscription = match object.at("subscription").id()? {
        Some(subscription) => Some(subscription),
        None => object.at("released_subscription").id()?,
    };
    facts.observation(&root, reading.observation(&root, state_of_schedule)?);
    facts.belongs(&root, &reading.attribution()?);
    facts.link(&root, subscription.map(Link::Subscription));
    Ok(())
}

/// `credit_note`: a member of its invoice's subject. The amount that is paid out has a separate refund.
pub(super) fn credit_note(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let credit = reading.root(ObjectKind::Credit)?;
    let invoice = ObjectRef::new(ObjectKind::Invoice, reading.object.at("invoice").need_id()?);
    facts.observation(&invoice, reading.observation(&credit, state_of_credit)?);
    facts.link(&invoice, reading.attribution()?.customer());
    Ok(())
}

fn state_of_credit(view: &View<'_, '_>, _: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let state = match view.at("status").need_text()? {
        "issued" => CreditState::Issued,
        "void" => CreditState::Reversed,
        _ => CreditState::Unknown,
    };
    let amount = view.at("amount").need_money(view.at("currency").need_currency()?)?;
    Ok(ObjectState::Credit(Credit { state, amount }))
}

/// `invoice`. It contains a copy of the subscription's metadata, taken when it was finalized, or when it was created
/// while it is a draft. So the copy is an older statement of the subscription. (Source: Stripe's OpenAPI document,
/// `invoice.parent.subscription_details.metadata`: "an immutable snapshot … at the time of invoice finalization".)
pub(super) fn invoice(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Invoice)?, &reading.object);
    let attribution = reading.attribution()?;
    let subscription = match object.at("parent.subscription_details.subscription").id()? {
        Some(subscription) => Some(subscription),
        None => object.at("subscription").id()?,
    };
    let subscription = subscription.map(|id| ObjectRef::new(ObjectKind::Subscription, id));
    let copy = Attribution { offer: None, ..reading.attribution_of(None, &subscription_metadata(object))? };
    let copied_at = match object.at("status_transitions.finalized_at").time()? {
        Some(finalized_at) => finalized_at,
        None => object.at("created").time()?.unwrap_or(reading.occurred_at),
    };
    let said = || copy.inferred_owner(subscription.as_ref());

    facts.observation(&root, reading.observation(&root, state_of_invoice)?);
    facts.belongs(&root, &attribution);
    facts.infer(&root, copied_at, said());
    let of_subscription = || subscription.iter().map(|it| Link::Subscription(it.id.clone()));
    facts.link(&root, of_subscription());
    for payment in payments_of(object)? {
        facts.link(&root, [Link::Payment(payment.clone())]);
        let payment = ObjectRef::new(ObjectKind::Payment, payment);
        facts.link(&payment, attribution.customer().chain([Link::Invoice(root.id.clone())]).chain(of_subscription()));
        facts.infer(&payment, reading.occurred_at, attribution.inferred_owner(Some(&root)));
        facts.infer(&payment, copied_at, said().filter(|_| attribution.owner.is_none()));
    }
    let customer = attribution.customer_ref();
    match (&subscription, customer) {
        (Some(subscription), customer) => {
            facts.link(subscription, attribution.customer());
            facts.infer(subscription, copied_at, said());
            if let Some(customer) = customer {
                facts.infer(&customer, copied_at, said());
            }
        }
        (None, Some(customer)) => facts.infer(&customer, reading.occurred_at, attribution.inferred_owner(None)),
        (None, None) => {}
    }
    Ok(())
}

/// The copy of the subscription's metadata: since `2025-03-31.basil` under `parent`.
fn subscription_metadata<'s, 'v>(invoice: &'s View<'s, 'v>) -> View<'s, 'v> {
    let new = invoice.at("parent.subscription_details.metadata");
    if new.is_there() { new } else { invoice.at("subscription_details.metadata") }
}

/// `invoice.upcoming` shows an invoice that doesn't exist yet: it has no id, or the id of a preview. The other
/// announcement shows a real invoice, if it names one.
pub(super) fn announced_invoice(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    match reading.event_type {
        "invoice.will_be_due" if reading.object.at("id").is_there() => invoice(reading, facts),
        _ => Ok(()),
    }
}

/// `invoice_payment`: since `2025-03-31.basil` the only object that links a payment to its invoice. It has no
/// observation.
pub(super) fn invoice_payment(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let invoice = reading.object.at("invoice").need_id()?;
    if let Some(payment) = payments::paid_by(&reading.object.at("payment"))? {
        facts.link(&ObjectRef::new(ObjectKind::Payment, payment.clone()), [Link::Invoice(invoice.clone())]);
        facts.link(&ObjectRef::new(ObjectKind::Invoice, invoice), [Link::Payment(payment)]);
    }
    Ok(())
}

/// The payments of an invoice that were not canceled, each once.
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

fn state_of_subscription(view: &View<'_, '_>, _: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let provider_status = view.at("status").need_text()?;
    let period = period(view)?;
    let cancel_at = match view.at("cancel_at").time()? {
        Some(time) => Some(time),
        None if view.at("cancel_at_period_end").flag()? == Some(true) => period.map(|period| period.end),
        None => None,
    };
    Ok(ObjectState::Subscription(Box::new(Subscription {
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
        started_at: match view.at("start_date").time()? {
            Some(started_at) => Some(started_at),
            None => view.at("created").time()?,
        },
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
        quantities.add(price, &item.at("quantity"))?;
    }
    Ok(quantities.into_items())
}

/// From the earliest start to the latest end of the items' periods, which may differ; otherwise the subscription's own
/// period.
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

fn state_of_schedule(view: &View<'_, '_>, _: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let state = match view.at("status").need_text()? {
        "active" => ScheduleState::Active,
        "canceled" => ScheduleState::Canceled,
        "completed" => ScheduleState::Completed,
        "not_started" => ScheduleState::NotStarted,
        "released" => ScheduleState::Released,
        _ => ScheduleState::Unknown,
    };
    Ok(ObjectState::Schedule(Schedule { state }))
}

fn state_of_invoice(view: &View<'_, '_>, moment: Moment<'_>) -> Result<ObjectState, ReadFault> {
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
    Ok(ObjectState::Invoice(Invoice {
        state,
        total: view.at("total").need_money(currency)?,
        amount_paid: view.at("amount_paid").need_money(currency)?,
        attempts: view.at("attempt_count").small_count()?.unwrap_or(0),
        renews: view.at("billing_reason").text()? == Some("subscription_cycle"),
        sold: sold(view)?,
        finalized_at: view.at("status_transitions.finalized_at").time()?,
        paid_at: view.at("status_transitions.paid_at").time()?,
        voided_at: view.at("status_transitions.voided_at").time()?,
        deleted: moment.is_end() || status == Some("deleted"),
    }))
}

/// The one-time items of an invoice. On a subscription's invoice these are the one-time lines of the first invoice.
/// (Source: Stripe's API reference, `line_items` of a checkout session: one-time prices are added to the initial
/// invoice.) Later invoice items are fees and corrections.
fn sold(invoice: &View<'_, '_>) -> Result<Vec<Item>, ReadFault> {
    let bills_subscription =
        invoice.at("parent.subscription_details.subscription").is_there() || invoice.at("subscription").is_there();
    let first = invoice.at("billing_reason").text()? == Some("subscription_create");
    let lines = invoice.at("lines.data");
    let mut quantities = Quantities::default();
    if (bills_subscription && !first) || !lines.is_there() {
        return Ok(quantities.into_items());
    }
    for line in lines.elements()? {
        if let Some(price) = one_time_price(&line)? {
            quantities.add_or(price, &line.at("quantity"), Some(1))?;
        }
    }
    Ok(quantities.into_items())
}

/// The price of a line that comes from an invoice item, is not a proration, and is not negative. Before
/// `2025-03-31.basil` the line's type says where it comes from.
fn one_time_price(line: &View<'_, '_>) -> Result<Option<ProviderId>, ReadFault> {
    let parent = line.at("parent");
    let (from_item, proration) = match parent.is_there() {
        true => (
            parent.at("type").text()? == Some("invoice_item_details"),
            parent.at("invoice_item_details.proration").flag()?,
        ),
        false => (line.at("type").text()? == Some("invoiceitem"), line.at("proration").flag()?),
    };
    if !from_item || proration == Some(true) || line.at("amount").value()?.and_then(|it| it.as_i64()) < Some(0) {
        return Ok(None);
    }
    match line.at("pricing.price_details.price").id()? {
        Some(price) => Ok(Some(price)),
        None => line.at("price").id(),
    }
}
