//! Decides what an event says of a payment: a payment intent, and its charges, refunds and disputes, which are members
//! of the payment's subject. It doesn't know what was bought.
//!
//! A payment is named by its payment intent. Direct charges, which are older than payment intents and still possible,
//! have none: there the charge's id stands for the payment's.

use purchase_core::{
    fact::{
        Link, Phase, Sight,
        photo::{Charge, ChargeState, Dispute, DisputeState, Payment, PaymentState, Photo, Refund, RefundState},
    },
    id::{ObjectKind, ObjectRef, ProviderId},
    money::Money,
    provider::ReadFault,
    wire::collect::Collector,
};

use super::{Moment, Reading, ties};
use crate::wire::{Reads as _, View};

/// `payment_intent`. API versions before `2025-03-31.basil` name the invoice.
pub(super) fn payment_intent(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let root = reading.root(ObjectKind::Payment)?;
    facts.sight(&root, reading.sight(&root, photograph_intent)?);
    facts.belongs(&root, &ties(&reading.object)?);
    facts.link(&root, reading.object.at("invoice").id()?.map(Link::Invoice));
    Ok(())
}

/// `charge`. A charge without a payment intent is the payment as well.
pub(super) fn charge(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (object, charge) = (&reading.object, reading.root(ObjectKind::Charge)?);
    let intent = object.at("payment_intent").id()?;
    let direct = intent.is_none();
    let root = ObjectRef::new(ObjectKind::Payment, intent.unwrap_or_else(|| charge.id.clone()));

    facts.sight(&root, reading.sight(&charge, photograph_charge)?);
    if direct {
        facts.sight(&root, reading.sight(&root, photograph_direct)?);
    }
    facts.belongs(&root, &ties(object)?);
    facts.link(&root, object.at("invoice").id()?.map(Link::Invoice));
    if reading.event_type == "charge.refunded" {
        refunds_of(object, &root, facts)?;
    }
    Ok(())
}

/// Up to API version 2022-08-01 a refunded charge brings its refunds along.
fn refunds_of(charge: &View<'_, '_>, root: &ObjectRef, facts: &mut Collector) -> Result<(), ReadFault> {
    let list = charge.at("refunds.data");
    if !list.is_there() {
        return Ok(());
    }
    for refund in list.elements()? {
        let object = ObjectRef::new(ObjectKind::Refund, refund.at("id").need_id()?);
        let photo = photograph_refund(&refund, Moment::Before)?;
        facts.sight(root, Sight { object, phase: Phase::Changed, photo, prior: None });
    }
    Ok(())
}

/// `refund`.
pub(super) fn refund(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let refund = reading.root(ObjectKind::Refund)?;
    let root = payment_behind(reading, &refund)?;
    facts.sight(&root, reading.sight(&refund, photograph_refund)?);
    facts.belongs(&root, &ties(&reading.object)?);
    Ok(())
}

/// `dispute`.
pub(super) fn dispute(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let dispute = reading.root(ObjectKind::Dispute)?;
    let root = payment_behind(reading, &dispute)?;
    facts.sight(&root, reading.sight(&dispute, photograph_dispute)?);
    facts.belongs(&root, &ties(&reading.object)?);
    Ok(())
}

/// The payment that an object names by its intent, else by its charge. A payment outside Stripe has neither.
pub(super) fn paid_by(view: &View<'_, '_>) -> Result<Option<ProviderId>, ReadFault> {
    match view.at("payment_intent").id()? {
        Some(intent) => Ok(Some(intent)),
        None => view.at("charge").id(),
    }
}

/// The payment of a refund or a dispute; its own id stands for one that is not named.
fn payment_behind(reading: &Reading<'_>, member: &ObjectRef) -> Result<ObjectRef, ReadFault> {
    let payment = paid_by(&reading.object)?.unwrap_or_else(|| member.id.clone());
    Ok(ObjectRef::new(ObjectKind::Payment, payment))
}

fn photograph_intent(view: &View<'_, '_>, _: Moment<'_>) -> Result<Photo, ReadFault> {
    let (state, step) = match view.at("status").need_text()? {
        "canceled" => (PaymentState::Canceled, 0),
        "processing" => (PaymentState::Processing, 0),
        "requires_action" => (PaymentState::Pending, 2),
        "requires_capture" => (PaymentState::Authorized, 0),
        "requires_confirmation" => (PaymentState::Pending, 1),
        // After a failed attempt Stripe goes back to the first status and keeps the error.
        "requires_payment_method" if view.at("last_payment_error").is_there() => (PaymentState::Failed, 0),
        "requires_payment_method" => (PaymentState::Pending, 0),
        "succeeded" => (PaymentState::Succeeded, 0),
        _ => (PaymentState::Unknown, 0),
    };
    let currency = view.at("currency").need_currency()?;
    let amount = view.at("amount").need_money(currency)?;
    let received = match state {
        PaymentState::Succeeded => view.at("amount_received").money(currency)?,
        _ => None,
    };
    Ok(Photo::Payment(Payment { state, step, amount, received, items: Vec::new() }))
}

/// The payment that a direct charge is.
fn photograph_direct(view: &View<'_, '_>, _: Moment<'_>) -> Result<Photo, ReadFault> {
    let state = match view.at("status").need_text()? {
        "failed" => PaymentState::Failed,
        "pending" => PaymentState::Processing,
        "succeeded" if is_captured(view)? => PaymentState::Succeeded,
        "succeeded" => PaymentState::Authorized,
        _ => PaymentState::Unknown,
    };
    let currency = view.at("currency").need_currency()?;
    let amount = view.at("amount").need_money(currency)?;
    let received = match state {
        PaymentState::Succeeded => view.at("amount_captured").money(currency)?,
        _ => None,
    };
    Ok(Photo::Payment(Payment { state, step: 0, amount, received, items: Vec::new() }))
}

fn photograph_charge(view: &View<'_, '_>, _: Moment<'_>) -> Result<Photo, ReadFault> {
    let currency = view.at("currency").need_currency()?;
    let amount = view.at("amount").need_money(currency)?;
    let state = match view.at("status").need_text()? {
        "failed" => ChargeState::Failed,
        "pending" => ChargeState::Pending,
        "succeeded" if is_captured(view)? => ChargeState::Succeeded,
        // Authorized: Stripe says `succeeded`, but no money has come.
        "succeeded" => ChargeState::Pending,
        _ => ChargeState::Unknown,
    };
    let total = view.at("amount_refunded").need_money(currency)?.minor();
    // Stripe counts what was authorized and not captured as refunded; it never came. Charges of old API versions don't
    // say what was captured: all of it, or nothing.
    let captured = match view.at("amount_captured").money(currency)? {
        Some(captured) => captured.minor(),
        None if is_captured(view)? => amount.minor(),
        None => 0,
    };
    let released = amount.minor().saturating_sub(captured).max(0);
    let refunded = Money::new(total.saturating_sub(released).max(0), currency);
    let refunded = refunded.map_err(|_| view.at("amount_refunded").fault("integer minor units within 2^53"))?;
    Ok(Photo::Charge(Charge { state, amount, refunded }))
}

fn is_captured(charge: &View<'_, '_>) -> Result<bool, ReadFault> {
    Ok(charge.at("captured").flag()?.unwrap_or(true))
}

fn photograph_refund(view: &View<'_, '_>, _: Moment<'_>) -> Result<Photo, ReadFault> {
    let state = match view.at("status").text()? {
        Some("canceled") => RefundState::Canceled,
        Some("failed") => RefundState::Failed,
        Some("pending") => RefundState::Pending,
        Some("requires_action") => RefundState::RequiresAction,
        Some("succeeded") => RefundState::Succeeded,
        _ => RefundState::Unknown,
    };
    let amount = view.at("amount").need_money(view.at("currency").need_currency()?)?;
    Ok(Photo::Refund(Refund { state, amount }))
}

fn photograph_dispute(view: &View<'_, '_>, _: Moment<'_>) -> Result<Photo, ReadFault> {
    let state = match view.at("status").need_text()? {
        "lost" => DisputeState::Lost,
        "needs_response" | "under_review" => DisputeState::Open,
        "prevented" | "warning_closed" => DisputeState::Closed,
        "warning_needs_response" | "warning_under_review" => DisputeState::Inquiry,
        "won" => DisputeState::Won,
        _ => DisputeState::Unknown,
    };
    let amount = view.at("amount").need_money(view.at("currency").need_currency()?)?;
    Ok(Photo::Dispute(Dispute { state, amount }))
}
