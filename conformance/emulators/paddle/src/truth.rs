//! States what is true in neutral words: the meaning that Paddle's OpenAPI document gives to the states of its objects.
//!
//! A transaction is an invoice, its payment and, where a buyer can pay it by card at a checkout, a checkout. An
//! adjustment is a refund or a dispute.

use purchase_emulator::Truth;
use serde_json::{Map, Value, json};

use crate::{
    Paddle,
    adjustment::{Action, Adjustment, Status as Approved},
    customers::Customer,
    subscription::{Action as Change, Status as Standing, Subscription},
    times::{maybe, text},
    transaction::{AttemptStatus, Origin, Status, Transaction},
};

impl Paddle {
    pub(crate) fn all_truth(&self) -> Truth {
        let mut truth = Truth::new();
        for it in self.customers.values() {
            truth.put("customers", &it.id, customer(it));
        }
        for it in self.subscriptions.values() {
            truth.put("subscriptions", &it.id, subscription(it));
        }
        for it in self.transactions.values() {
            truth.put("invoices", &it.id, invoice(it));
            truth.put("payments", &it.id, self.payment(it));
            if it.manual.is_none() && it.origin != Origin::SubscriptionRecurring {
                truth.put("checkouts", &it.id, checkout(it));
            }
        }
        for it in self.adjustments.values() {
            let fields = |state: &str| {
                json!({
                    "state": state, "amount": it.total(), "currency": it.currency, "payment": it.transaction,
                })
            };
            match (it.action, dispute(it)) {
                (Action::Refund, _) => truth.put("refunds", &it.id, fields(refund(it.status))),
                (_, Some(state)) => truth.put("disputes", &it.id, fields(state)),
                _ => {}
            }
        }
        truth
    }

    fn payment(&self, it: &Transaction) -> Value {
        let is = |action: Action| self.adjustments_of(&it.id).filter(move |it| it.action == action);
        let refunded: i64 =
            is(Action::Refund).filter(|it| it.status == Approved::Approved).map(Adjustment::total).sum();
        let mut chargebacks: Vec<&Adjustment> = is(Action::Chargeback).collect();
        chargebacks.sort_by_key(|it| it.times.created);
        let newest = it.attempts.first().map(|it| it.status);
        let state = match (it.status, newest) {
            (Status::Completed | Status::Paid, _) => "succeeded",
            (Status::Canceled, _) => "canceled",
            (Status::PastDue, _) | (_, Some(AttemptStatus::Error)) => "failed",
            (_, Some(AttemptStatus::PendingNoActionRequired | AttemptStatus::Captured)) => "processing",
            (_, Some(AttemptStatus::ActionRequired) | None) => "pending",
        };
        json!({
            "state": state, "amount": it.grand_total(), "currency": it.currency, "refunded": refunded,
            "dispute": chargebacks.last().and_then(|it| dispute(it)).unwrap_or("none"),
            "attempts": it.attempts.len(), "customer": it.customer, "invoice": it.id, "subscription": it.subscription,
        })
    }
}

/// An archived customer is the nearest that Paddle has to a deleted one.
fn customer(it: &Customer) -> Value {
    json!({ "email": it.email, "name": it.name, "deleted": it.status == "archived" })
}

fn subscription(it: &Subscription) -> Value {
    let state = match it.status {
        Standing::Active => "active",
        Standing::Canceled => "canceled",
        Standing::PastDue => "grace",
        Standing::Paused => "paused",
        Standing::Trialing => "trialing",
    };
    let items: Map<String, Value> = it.items.iter().map(|it| (it.price.id.clone(), json!(it.quantity))).collect();
    let period = json!({ "start": text(it.period.start), "end": text(it.period.end) });
    let at = |action| it.scheduled.filter(|it| it.action == action);
    let resume_at = at(Change::Resume).map(|it| it.effective_at).or(at(Change::Pause).and_then(|it| it.resume_at));
    json!({
        "state": state, "provider_status": it.status, "items": items,
        "current_period": it.status.runs().then_some(period),
        "trial_end": maybe(it.items.iter().filter_map(|it| it.trial).map(|it| it.end).max()),
        "cancel_at": maybe(at(Change::Cancel).map(|it| it.effective_at)), "ended_at": maybe(it.canceled),
        "pause_at": maybe(at(Change::Pause).map(|it| it.effective_at)), "resume_at": maybe(resume_at),
        "collection_paused": false, "customer": it.customer,
    })
}

fn invoice(it: &Transaction) -> Value {
    let state = match it.status {
        Status::Billed | Status::PastDue | Status::Ready => "open",
        Status::Canceled => "void",
        Status::Completed | Status::Paid => "paid",
        Status::Draft => "draft",
    };
    let paid = if it.status.is_paid() { it.grand_total() } else { 0 };
    json!({
        "state": state, "total": it.total(), "amount_paid": paid, "currency": it.currency, "deleted": false,
        "customer": it.customer, "subscription": it.subscription,
    })
}

fn checkout(it: &Transaction) -> Value {
    let state = match it.status {
        Status::Billed | Status::Draft | Status::PastDue | Status::Ready => "open",
        Status::Canceled => "expired",
        Status::Completed | Status::Paid => "paid",
    };
    json!({ "state": state, "customer": it.customer, "subscription": it.subscription, "payment": it.id })
}

fn refund(status: Approved) -> &'static str {
    match status {
        Approved::Approved => "succeeded",
        Approved::PendingApproval => "pending",
        Approved::Rejected | Approved::Reversed => "failed",
    }
}

/// A chargeback takes the money at once. A warning is an inquiry before it. Nothing says that a dispute is lost.
fn dispute(it: &Adjustment) -> Option<&'static str> {
    match (it.action, it.status) {
        (Action::Chargeback, Approved::Reversed) => Some("won"),
        (Action::Chargeback, _) => Some("open"),
        (Action::ChargebackWarning, Approved::Reversed) => Some("closed"),
        (Action::ChargebackWarning, _) => Some("inquiry"),
        _ => None,
    }
}
