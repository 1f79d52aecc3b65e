//! Reads a transaction: an invoice, its payment with every attempt, and the checkout that it went through. All except
//! the attempts have the transaction's id. This module does not know what happened to the money later.

use std::collections::BTreeSet;

use purchase_core::{
    fact::{
        Link, Observation, Phase,
        object_state::{
            Charge, ChargeState, Checkout, CheckoutMode, CheckoutState, Invoice, InvoiceState, Item, Line, ObjectState,
            Payment, PaymentState,
        },
    },
    id::{ObjectKind, ObjectRef, ProviderId},
    money::{Currency, Money},
    provider::ReadFault,
    time::Timestamp,
    wire::collect::{Attribution, Collector, Quantities},
};

use super::Reading;
use crate::wire::{Reads as _, View};

/// `transaction`.
pub(super) fn transaction(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let object = &reading.object;
    let id = object.at("id").need_id()?;
    let bill = Bill::read(object)?;
    let attribution = reading.attribution()?;
    let subscription = object.at("subscription_id").id()?;
    let root = |kind| ObjectRef::new(kind, id.clone());
    let (invoice, payment) = (root(ObjectKind::Invoice), root(ObjectKind::Payment));

    facts.observation(&invoice, reading.observation(&invoice, bill.invoice(object)?));
    facts.belongs(&invoice, &Attribution { offer: None, ..attribution.clone() });
    facts.link(&invoice, [Link::Payment(id.clone())]);

    facts.observation(&payment, reading.observation(&payment, bill.payment()));
    for attempt in &bill.attempts {
        facts.observation(&payment, attempt.observation());
    }
    // Paddle copies a subscription's custom data into its later transactions: their offer is then the subscription's.
    let offer = attribution.offer.clone().filter(|_| bill.through_checkout && !bill.recurs);
    facts.belongs(&payment, &Attribution { offer, ..attribution.clone() });
    facts.link(&payment, [Link::Invoice(id.clone())]);

    if bill.through_checkout {
        let checkout = root(ObjectKind::Checkout);
        facts.observation(&checkout, reading.observation(&checkout, bill.checkout()));
        facts.belongs(&checkout, &attribution);
        facts.link(&checkout, [Link::Payment(id.clone())]);
        facts.link(&checkout, subscription.clone().map(Link::Subscription));
    }
    for root in [&invoice, &payment] {
        facts.link(root, subscription.clone().map(Link::Subscription));
    }
    Ok(())
}

/// The values of a transaction that several of its observations need.
struct Bill<'v> {
    status: &'v str,
    origin: Option<&'v str>,
    totals: Totals,
    /// Newest first, in Paddle's order.
    attempts: Vec<Attempt<'v>>,
    /// Whether a buyer pays the transaction in a checkout.
    through_checkout: bool,
    /// Whether the transaction bills anything that recurs.
    recurs: bool,
    /// The one-time items.
    sold: Vec<Item>,
    /// The lines of the one-time items, which adjustments name.
    lines: Vec<Line>,
}

impl<'v> Bill<'v> {
    fn read(object: &View<'_, 'v>) -> Result<Self, ReadFault> {
        let status = object.at("status").need_text()?;
        let origin = object.at("origin").text()?;
        let currency = object.at("currency_code").need_currency()?;
        let totals = Totals::read(object, status, currency)?;
        let mut attempts = Vec::new();
        let payments = object.at("payments");
        if payments.is_there() {
            for attempt in payments.elements()? {
                attempts.push(Attempt::read(&attempt, currency)?);
            }
        }
        // A charge may wait for the renewal, and charges of 2023 came as updates. A change of the payment method sells
        // nothing.
        let sells = matches!(
            origin,
            Some("api" | "subscription_charge" | "subscription_recurring" | "subscription_update" | "web")
        );
        let (mut recurs, mut sold) = (false, Quantities::default());
        for item in object.at("items").elements()? {
            if item.at("price.billing_cycle").is_there() {
                recurs = true;
            } else if sells {
                sold.add(item.at("price").need_id()?, &item.at("quantity"))?;
            }
        }
        let automatic = object.at("collection_mode").text()? == Some("automatic");
        let through_checkout = automatic && matches!(origin, Some("api" | "web"));
        let sold = sold.into_items();
        let lines = lines_of(object, &sold, currency)?;
        Ok(Self { status, origin, totals, attempts, through_checkout, recurs, sold, lines })
    }

    fn invoice(&self, object: &View<'_, '_>) -> Result<ObjectState, ReadFault> {
        let tried: BTreeSet<&ProviderId> = self.attempts.iter().map(|attempt| &attempt.id).collect();
        let captured_at = self.attempts.iter().find_map(|attempt| attempt.captured_at);
        Ok(ObjectState::Invoice(Invoice {
            state: match self.status {
                "billed" | "past_due" | "ready" => InvoiceState::Open,
                "canceled" => InvoiceState::Void,
                "completed" | "paid" => InvoiceState::Paid,
                "draft" => InvoiceState::Draft,
                _ => InvoiceState::Unknown,
            },
            total: self.totals.total,
            amount_paid: self.totals.paid,
            attempts: u32::try_from(tried.len()).unwrap_or(u32::MAX),
            renews: self.origin == Some("subscription_recurring"),
            sold: Vec::new(),
            finalized_at: object.at("billed_at").rfc3339()?,
            paid_at: captured_at.filter(|_| is_paid(self.status)),
            voided_at: None,
            deleted: false,
        }))
    }

    fn payment(&self) -> ObjectState {
        let newest = self.attempts.first().map(|attempt| attempt.status);
        let (state, step) = match (self.status, newest) {
            ("completed" | "paid", _) => (PaymentState::Succeeded, 0),
            ("canceled", _) => (PaymentState::Canceled, 0),
            ("past_due", _) => (PaymentState::Failed, 0),
            ("billed" | "draft" | "ready", newest) => match newest {
                Some("canceled" | "dropped" | "error") => (PaymentState::Failed, 0),
                Some("authorized" | "authorized_flagged" | "captured" | "pending_no_action_required") => {
                    (PaymentState::Processing, 0)
                }
                Some("action_required") => (PaymentState::Pending, 2),
                Some(_) => (PaymentState::Pending, 1),
                None => (PaymentState::Pending, 0),
            },
            _ => (PaymentState::Unknown, 0),
        };
        ObjectState::Payment(Payment {
            state,
            step,
            amount: self.totals.due,
            received: None,
            items: self.sold.clone(),
            lines: self.lines.clone(),
        })
    }

    fn checkout(&self) -> ObjectState {
        let state = match self.status {
            "billed" | "draft" | "past_due" | "ready" => CheckoutState::Open,
            "canceled" => CheckoutState::Expired,
            "completed" | "paid" => CheckoutState::Paid,
            _ => CheckoutState::Unknown,
        };
        let mode = if self.recurs { CheckoutMode::Subscription } else { CheckoutMode::Payment };
        ObjectState::Checkout(Checkout { state, mode })
    }
}

/// The lines of the one-time items, by the ids that adjustments name. A draft may not have lines yet.
fn lines_of(object: &View<'_, '_>, sold: &[Item], currency: Currency) -> Result<Vec<Line>, ReadFault> {
    let list = object.at("details.line_items");
    let mut lines = Vec::new();
    if sold.is_empty() || !list.is_there() {
        return Ok(lines);
    }
    for line in list.elements()? {
        let Some(price) = line.at("price_id").id()? else { continue };
        if let Some(id) = line.at("id").id()?.filter(|_| sold.iter().any(|item| item.price == price)) {
            lines.push(Line { id, price, total_minor: line.at("totals.total").need_money(currency)?.minor() });
        }
    }
    lines.sort();
    Ok(lines)
}

fn is_paid(status: &str) -> bool {
    matches!(status, "completed" | "paid")
}

/// The amounts of a transaction.
struct Totals {
    /// The invoice's total.
    total: Money,
    /// The amount due after credits.
    due: Money,
    /// The paid part of the amount due.
    paid: Money,
}

impl Totals {
    /// A draft may not be calculated yet: its amounts are zero.
    fn read(object: &View<'_, '_>, status: &str, currency: Currency) -> Result<Self, ReadFault> {
        if status == "draft" && !object.at("details").is_there() {
            let nothing = Money::zero(currency);
            return Ok(Self { total: nothing, due: nothing, paid: nothing });
        }
        let totals = object.at("details.totals");
        let due = totals.at("grand_total").need_money(currency)?;
        let balance = totals.at("balance");
        let open = balance.need_money(currency)?.minor();
        // Paddle's examples and simulator keep the old balance on paid transactions.
        let paid = if is_paid(status) { due } else { balance.money_of(due.minor() - open, currency)? };
        Ok(Self { total: totals.at("total").need_money(currency)?, due, paid })
    }
}

/// One attempt to pay a transaction.
struct Attempt<'v> {
    id: ProviderId,
    status: &'v str,
    amount: Money,
    captured_at: Option<Timestamp>,
}

impl<'v> Attempt<'v> {
    fn read(view: &View<'_, 'v>, currency: Currency) -> Result<Self, ReadFault> {
        Ok(Self {
            id: view.at("payment_attempt_id").need_id()?,
            status: view.at("status").need_text()?,
            amount: view.at("amount").need_money(currency)?,
            captured_at: view.at("captured_at").rfc3339()?,
        })
    }

    /// The event is about the transaction: it doesn't say when the attempt began.
    fn observation(&self) -> Observation {
        let state = match self.status {
            "canceled" | "dropped" | "error" => ChargeState::Failed,
            "captured" => ChargeState::Succeeded,
            _ => ChargeState::Pending,
        };
        let nothing = Money::zero(self.amount.currency());
        let object_state = ObjectState::Charge(Charge {
            state,
            amount: self.amount,
            captured: None,
            refunded: nothing,
            may_count_release: false,
        });
        let object = ObjectRef::new(ObjectKind::Charge, self.id.clone());
        Observation { object, phase: Phase::Changed, object_state, prior: None }
    }
}
