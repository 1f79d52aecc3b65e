//! Reads an adjustment: a refund, a dispute or a credit of a transaction, or the reversal of one. This module does not
//! know what the transaction sold.
//!
//! An adjustment never changes its action, and the action determines the kind of object. (Source: Paddle's API
//! reference, "Adjustments".)

use purchase_core::{
    fact::{
        Link,
        object_state::{
            Credit, CreditState, Dispute, DisputeState, ObjectState, Refund, RefundState, RefundedLine, Reversal,
            Undone,
        },
    },
    id::{ObjectKind, ObjectRef},
    money::Money,
    provider::ReadFault,
    wire::collect::{Attribution, Collector},
};

use super::Reading;
use crate::wire::{Reads as _, View};

/// `adjustment`: a member of its transaction's payment, or of its invoice if no money is returned.
pub(super) fn adjustment(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let object = &reading.object;
    let transaction = object.at("transaction_id").need_id()?;
    let (root, object_state) = observation(object)?;
    let member = reading.root(object_state.kind())?;
    let counterpart = match root {
        ObjectKind::Invoice => Link::Payment(transaction.clone()),
        _ => Link::Invoice(transaction.clone()),
    };
    let root = ObjectRef::new(root, transaction);
    facts.observation(&root, reading.observation(&member, object_state));
    facts.belongs(&root, &Attribution { customer: object.at("customer_id").id()?, ..Attribution::default() });
    facts.link(&root, [counterpart].into_iter().chain(object.at("subscription_id").id()?.map(Link::Subscription)));
    Ok(())
}

/// Returns the observation, and the subject that it is a member of. An unknown action is kept as a reversal of nothing:
/// a later version that knows the action can read it when the events are replayed.
fn observation(object: &View<'_, '_>) -> Result<(ObjectKind, ObjectState), ReadFault> {
    let (action, status) = (object.at("action").need_text()?, object.at("status").need_text()?);
    let reversal = |undoes| match status {
        "approved" => ObjectState::Reversal(Reversal { undoes }),
        _ => ObjectState::Reversal(Reversal { undoes: Undone::Nothing }),
    };
    Ok(match action {
        "chargeback" | "chargeback_warning" => {
            let state = dispute_state(action, status);
            (ObjectKind::Payment, ObjectState::Dispute(Dispute { state, amount: amount(object)? }))
        }
        "chargeback_reverse" => (ObjectKind::Payment, reversal(Undone::Dispute)),
        "chargeback_warning_reverse" => (ObjectKind::Payment, reversal(Undone::Inquiry)),
        "credit" => {
            let state = credit_state(status);
            (ObjectKind::Invoice, ObjectState::Credit(Credit { state, amount: amount(object)? }))
        }
        "credit_reverse" => (ObjectKind::Invoice, reversal(Undone::Credit)),
        "refund" => {
            let state = refund_state(status);
            (
                ObjectKind::Payment,
                ObjectState::Refund(Refund { lines: lines(object)?, ..Refund::new(state, amount(object)?) }),
            )
        }
        _ => (ObjectKind::Payment, reversal(Undone::Nothing)),
    })
}

fn amount(object: &View<'_, '_>) -> Result<Money, ReadFault> {
    object.at("totals.total").need_money(object.at("currency_code").need_currency()?)
}

/// The lines that the adjustment names. (Source: Paddle's OpenAPI document, `adjustment.items`: `item_id` is a line of the
/// transaction, `type` is `full` for a whole line.)
fn lines(object: &View<'_, '_>) -> Result<Vec<RefundedLine>, ReadFault> {
    let currency = object.at("currency_code").need_currency()?;
    let list = object.at("items");
    let mut lines = Vec::new();
    if !list.is_there() {
        return Ok(lines);
    }
    for item in list.elements()? {
        let Some(line) = item.at("item_id").id()? else { continue };
        let total = item.at("totals.total");
        let amount_minor = if total.is_there() { total.need_money(currency)?.minor() } else { 0 };
        let whole = item.at("type").text()? == Some("full");
        lines.push(RefundedLine { line, amount_minor, whole });
    }
    lines.sort();
    Ok(lines)
}

fn refund_state(status: &str) -> RefundState {
    match status {
        "approved" => RefundState::Succeeded,
        "pending_approval" => RefundState::Pending,
        "rejected" | "reversed" => RefundState::Failed,
        _ => RefundState::Unknown,
    }
}

/// A chargeback takes the money at once, whatever its approval. A warning is an inquiry before a chargeback.
fn dispute_state(action: &str, status: &str) -> DisputeState {
    match (status, action) {
        ("approved" | "pending_approval", "chargeback") => DisputeState::Open,
        ("approved" | "pending_approval", _) => DisputeState::Inquiry,
        ("rejected", _) => DisputeState::Closed,
        ("reversed", "chargeback") => DisputeState::Won,
        ("reversed", _) => DisputeState::Closed,
        _ => DisputeState::Unknown,
    }
}

fn credit_state(status: &str) -> CreditState {
    match status {
        "approved" => CreditState::Issued,
        "pending_approval" => CreditState::Pending,
        "rejected" => CreditState::Rejected,
        "reversed" => CreditState::Reversed,
        _ => CreditState::Unknown,
    }
}
