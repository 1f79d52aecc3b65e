//! Reads a payment: a payment intent, and its charges, refunds and disputes, which are members of the payment's
//! subject. This module does not know what was bought.
//!
//! A payment's id is the id of its payment intent. Direct charges, which are older than payment intents and still
//! possible, have no payment intent. Their payment's id is the charge's id.

use purchase_core::{
    fact::{
        Link, Observation, Phase,
        object_state::{
            Charge, ChargeState, Dispute, DisputeState, ObjectState, Payment, PaymentState, Refund, RefundState,
            Release,
        },
    },
    id::{ObjectKind, ObjectRef, ProviderId},
    money::Money,
    provider::ReadFault,
    wire::collect::Collector,
};

use super::{Moment, Reading};
use crate::wire::{Reads as _, View};

/// `payment_intent`. API versions before `2025-03-31.basil` name the invoice.
pub(super) fn payment_intent(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let root = reading.root(ObjectKind::Payment)?;
    let attribution = reading.attribution()?;
    facts.observation(&root, reading.observation(&root, state_of_intent)?);
    facts.belongs(&root, &attribution);
    if let Some(customer) = attribution.customer_ref() {
        facts.infer(&customer, reading.occurred_at, attribution.inferred_owner(None));
    }
    pays(reading, &root, facts)
}

/// Links a payment and the invoice that it names, in both directions.
fn pays(reading: &Reading<'_>, payment: &ObjectRef, facts: &mut Collector) -> Result<(), ReadFault> {
    if let Some(invoice) = reading.object.at("invoice").id()? {
        facts.link(payment, [Link::Invoice(invoice.clone())]);
        facts.link(&ObjectRef::new(ObjectKind::Invoice, invoice), [Link::Payment(payment.id.clone())]);
    }
    Ok(())
}

/// `charge`. A charge without a payment intent is also the payment, and its metadata are the payment's. Any other
/// charge has a copy of its intent's metadata from the charge's creation.
pub(super) fn charge(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (object, charge) = (&reading.object, reading.root(ObjectKind::Charge)?);
    let intent = object.at("payment_intent").id()?;
    let direct = intent.is_none();
    let root = ObjectRef::new(ObjectKind::Payment, intent.unwrap_or_else(|| charge.id.clone()));
    let attribution = reading.attribution()?;

    facts.observation(&root, reading.observation(&charge, state_of_charge)?);
    let totals = Totals::read(object, reading.event_type == "charge.captured")?;
    if let Some(counted) = totals.release_counted() {
        let object = ObjectRef::new(ObjectKind::Release, charge.id.clone());
        let object_state = ObjectState::Release(Release { counted, by_version: false });
        facts.observation(&root, Observation { object, phase: Phase::Changed, object_state, prior: None });
    } else if totals.went_back().1 {
        likely_release(reading, &root, facts)?;
    }
    if direct {
        facts.observation(&root, reading.observation(&root, state_of_direct)?);
        facts.belongs(&root, &attribution);
    } else {
        let copied_at = object.at("created").time()?.unwrap_or(reading.occurred_at);
        facts.link(&root, attribution.customer());
        facts.infer(
            &root,
            copied_at,
            attribution.inferred_owner(Some(&charge)).chain(attribution.inferred_offer(Some(&charge))),
        );
    }
    pays(reading, &root, facts)?;
    if reading.event_type == "charge.refunded" {
        refunds_of(reading, &root, facts)?;
    }
    Ok(())
}

/// Adds that a release may count as a refund, if the API version makes that likely.
fn likely_release(reading: &Reading<'_>, root: &ObjectRef, facts: &mut Collector) -> Result<(), ReadFault> {
    if reading.releases_are_refunds() {
        // This is not an object of Stripe's, and must not be mistaken for a charge's own release.
        let id = format!("version:{}", root.id.expose());
        let id = reading.object.at("id").id_from(&id, |text| ProviderId::new(text))?;
        let object = ObjectRef::new(ObjectKind::Release, id);
        let object_state = ObjectState::Release(Release { counted: true, by_version: true });
        facts.observation(root, Observation { object, phase: Phase::Changed, object_state, prior: None });
    }
    Ok(())
}

/// The amounts of a charge.
struct Totals {
    amount: Money,
    captured: Money,
    /// Stripe's total of refunds.
    refunded: Money,
    /// Whether these are the amounts at the capture, when nothing can have been refunded yet.
    at_capture: bool,
}

impl Totals {
    fn read(view: &View<'_, '_>, at_capture: bool) -> Result<Self, ReadFault> {
        let currency = view.at("currency").need_currency()?;
        let amount = view.at("amount").need_money(currency)?;
        // Charges of old API versions don't say how much was captured: it was the whole amount, or nothing.
        let captured = match view.at("amount_captured").money(currency)? {
            Some(captured) => captured,
            None if is_captured(view)? => amount,
            None => Money::zero(currency),
        };
        let refunded = view.at("amount_refunded").need_money(currency)?;
        Ok(Self { amount, captured, refunded, at_capture })
    }

    /// The amount that was authorized and not captured, in minor units.
    fn released(&self) -> i64 {
        self.amount.minor().saturating_sub(self.captured.minor()).max(0)
    }

    /// Whether Stripe counts a partial release as refunded, if the amounts decide it. No more than the captured amount
    /// can be refunded, and a total that includes the release is never less than the release.
    fn release_counted(&self) -> Option<bool> {
        let (total, released) = (self.refunded.minor(), self.released());
        match () {
            () if released == 0 || self.captured.minor() == 0 => None,
            () if total > self.captured.minor() => Some(true),
            () if total < released => Some(false),
            () if self.at_capture && total == released => Some(true),
            () => None,
        }
    }

    /// The refunded part of the captured amount, and whether it is still undecided.
    fn went_back(&self) -> (i64, bool) {
        let (total, released) = (self.refunded.minor(), self.released());
        match self.release_counted() {
            _ if released == 0 => (total, false),
            _ if self.captured.minor() == 0 => (0, false),
            Some(true) => (total.saturating_sub(released).max(0), false),
            Some(false) => (total, false),
            None => (total, true),
        }
    }
}

/// Up to API version 2022-08-01 a refunded charge contains its refunds.
fn refunds_of(reading: &Reading<'_>, root: &ObjectRef, facts: &mut Collector) -> Result<(), ReadFault> {
    let list = reading.object.at("refunds.data");
    if !list.is_there() {
        return Ok(());
    }
    for refund in list.elements()? {
        let object = ObjectRef::new(ObjectKind::Refund, refund.at("id").need_id()?);
        let object_state = state_of_refund(&refund, Moment::Before)?;
        facts.observation(root, Observation { object, phase: Phase::Changed, object_state, prior: None });
    }
    Ok(())
}

/// `refund`. Its metadata describe only the refund: they don't name the payment's owner.
pub(super) fn refund(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let refund = reading.root(ObjectKind::Refund)?;
    let root = payment_behind(reading, &refund)?;
    facts.observation(&root, reading.observation(&refund, state_of_refund)?);
    likely_release(reading, &root, facts)
}

/// `dispute`. Its metadata describe only the dispute.
pub(super) fn dispute(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let dispute = reading.root(ObjectKind::Dispute)?;
    let root = payment_behind(reading, &dispute)?;
    facts.observation(&root, reading.observation(&dispute, state_of_dispute)?);
    Ok(())
}

/// The payment that an object names by its intent, otherwise by its charge. A payment outside Stripe has neither.
pub(super) fn paid_by(view: &View<'_, '_>) -> Result<Option<ProviderId>, ReadFault> {
    match view.at("payment_intent").id()? {
        Some(intent) => Ok(Some(intent)),
        None => view.at("charge").id(),
    }
}

/// The payment of a refund or a dispute. If none is named, the object's own id is used.
fn payment_behind(reading: &Reading<'_>, member: &ObjectRef) -> Result<ObjectRef, ReadFault> {
    let payment = paid_by(&reading.object)?.unwrap_or_else(|| member.id.clone());
    Ok(ObjectRef::new(ObjectKind::Payment, payment))
}

fn state_of_intent(view: &View<'_, '_>, _: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let (state, step) = match view.at("status").need_text()? {
        "canceled" => (PaymentState::Canceled, 0),
        "processing" => (PaymentState::Processing, 0),
        "requires_action" => (PaymentState::Pending, 2),
        "requires_capture" => (PaymentState::Authorized, 0),
        "requires_confirmation" => (PaymentState::Pending, 1),
        // After a failed attempt Stripe returns to the first status and keeps the error.
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
    Ok(ObjectState::Payment(Payment { state, step, amount, received, items: Vec::new(), lines: Vec::new() }))
}

/// The payment of a direct charge.
fn state_of_direct(view: &View<'_, '_>, _: Moment<'_>) -> Result<ObjectState, ReadFault> {
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
    Ok(ObjectState::Payment(Payment { state, step: 0, amount, received, items: Vec::new(), lines: Vec::new() }))
}

fn state_of_charge(view: &View<'_, '_>, moment: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let totals = Totals::read(view, moment.is("charge.captured"))?;
    let state = match view.at("status").need_text()? {
        "failed" => ChargeState::Failed,
        "pending" => ChargeState::Pending,
        "succeeded" if is_captured(view)? => ChargeState::Succeeded,
        // The charge is authorized: Stripe says `succeeded`, but no money has been received.
        "succeeded" => ChargeState::Pending,
        _ => ChargeState::Unknown,
    };
    let (refunded, open) = totals.went_back();
    Ok(ObjectState::Charge(Charge {
        state,
        amount: totals.amount,
        captured: Some(totals.captured),
        refunded: view.at("amount_refunded").money_of(refunded, totals.amount.currency())?,
        may_count_release: open,
    }))
}

fn is_captured(charge: &View<'_, '_>) -> Result<bool, ReadFault> {
    Ok(charge.at("captured").flag()?.unwrap_or(true))
}

fn state_of_refund(view: &View<'_, '_>, _: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let state = match view.at("status").text()? {
        Some("canceled") => RefundState::Canceled,
        Some("failed") => RefundState::Failed,
        Some("pending") => RefundState::Pending,
        Some("requires_action") => RefundState::RequiresAction,
        Some("succeeded") => RefundState::Succeeded,
        _ => RefundState::Unknown,
    };
    let amount = view.at("amount").need_money(view.at("currency").need_currency()?)?;
    Ok(ObjectState::Refund(Refund::new(state, amount)))
}

/// Whether money moved decides the outcome. The status only gives the dispute's stage: an inquiry takes no money. A
/// dispute that was resolved before it became a chargeback (`prevented`, case type `resolution`) returned the money to
/// the cardholder. A dispute whose payment was blocked (case type `block`) took none. (Source: Stripe's changelog of
/// 2025-08-27.basil, "preventions", and its OpenAPI document, `dispute.balance_transactions`.)
fn state_of_dispute(view: &View<'_, '_>, _: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let currency = view.at("currency").need_currency()?;
    let case = view.at("payment_method_details.card.case_type").text()?;
    let inquiry = case == Some("inquiry") && withdrawn(view)? != Some(true);
    let state = match view.at("status").need_text()? {
        "lost" if inquiry => DisputeState::Closed,
        "lost" => DisputeState::Lost,
        "needs_response" | "under_review" if inquiry => DisputeState::Inquiry,
        "needs_response" | "under_review" => DisputeState::Open,
        "prevented" => match withdrawn(view)? {
            Some(true) => DisputeState::Lost,
            Some(false) => DisputeState::Closed,
            // The event of the withdrawal comes after the event of the dispute, so here the case type decides.
            None if case == Some("resolution") => DisputeState::Lost,
            None => DisputeState::Closed,
        },
        "warning_closed" => DisputeState::Closed,
        "warning_needs_response" | "warning_under_review" => DisputeState::Inquiry,
        "won" => DisputeState::Won,
        _ => DisputeState::Unknown,
    };
    let amount = view.at("amount").need_money(currency)?;
    Ok(ObjectState::Dispute(Dispute { state, amount }))
}

/// Whether the dispute has taken money, as the sum of all its movements: a withdrawal may have been reinstated. None if
/// there is no movement yet.
fn withdrawn(view: &View<'_, '_>) -> Result<Option<bool>, ReadFault> {
    let list = view.at("balance_transactions");
    if !list.is_there() {
        return Ok(None);
    }
    let mut sum = None;
    for movement in list.elements()? {
        let amount = movement.at("amount").value()?.and_then(|it| it.as_i64()).unwrap_or(0);
        sum = Some(sum.unwrap_or(0_i64).saturating_add(amount));
    }
    Ok(sum.map(|sum| sum < 0))
}
