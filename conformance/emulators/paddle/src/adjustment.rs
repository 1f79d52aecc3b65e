//! Decides what an adjustment is, and how it is shown.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Paddle,
    money::Currency,
    times::{Times, text},
    transaction::Transaction,
};

/// An adjustment of a transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Adjustment {
    pub(crate) id: String,
    pub(crate) times: Times,
    /// When it was asked for, by the clock.
    pub(crate) asked: i64,
    pub(crate) action: Action,
    pub(crate) status: Status,
    /// Whether it is for the whole transaction.
    pub(crate) full: bool,
    pub(crate) transaction: String,
    pub(crate) subscription: Option<String>,
    pub(crate) customer: String,
    pub(crate) reason: String,
    pub(crate) currency: Currency,
    pub(crate) items: Vec<Item>,
    /// The part of Paddle's fee that goes with it.
    pub(crate) fee: i64,
}

/// What an adjustment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Chargeback,
    ChargebackReverse,
    ChargebackWarning,
    ChargebackWarningReverse,
    Credit,
    CreditReverse,
    Refund,
}

/// Where an adjustment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Approved,
    PendingApproval,
    Rejected,
    Reversed,
}

/// A line of the transaction that is adjusted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    /// The line of the transaction.
    pub(crate) line: String,
    /// Whether what remained of the line is adjusted.
    pub(crate) full: bool,
    pub(crate) amount: i64,
}

impl Adjustment {
    pub(crate) fn total(&self) -> i64 {
        self.items.iter().map(|it| it.amount).sum()
    }

    /// Whether it takes money from the transaction. A pending refund doesn't, but nothing else can be adjusted meanwhile.
    /// Credits are part of the transaction's own totals, and warnings take nothing.
    pub(crate) fn takes(&self) -> bool {
        matches!(self.action, Action::Chargeback | Action::Refund) && self.status == Status::Approved
    }

    pub(crate) fn view(&self) -> Value {
        let total = self.total();
        let items = self.items.iter().map(|it| {
            let amount = it.amount.to_string();
            json!({
                "id": it.id, "item_id": it.line, "type": if it.full { "full" } else { "partial" }, "amount": amount,
                "proration": null, "totals": { "subtotal": amount, "tax": "0", "total": amount },
            })
        });
        let totals = json!({
            "subtotal": total.to_string(), "tax": "0", "total": total.to_string(), "fee": self.fee.to_string(),
            "earnings": (total - self.fee).to_string(), "currency_code": self.currency,
        });
        // Documented: only returned for credits. The credit of an invoice reduces the invoice.
        let to_balance = matches!(self.action, Action::Credit | Action::CreditReverse).then_some(false);
        json!({
            "id": self.id, "action": self.action, "type": if self.full { "full" } else { "partial" },
            "transaction_id": self.transaction, "subscription_id": self.subscription, "customer_id": self.customer,
            "reason": self.reason, "credit_applied_to_balance": to_balance, "currency_code": self.currency,
            "status": self.status, "items": items.collect::<Vec<_>>(), "totals": totals,
            "payout_totals": self.currency.is_paid_out().then(|| totals.clone()),
            "tax_rates_used": [{ "tax_rate": "0", "totals": {
                "subtotal": total.to_string(), "tax": "0", "total": total.to_string(),
            } }],
            "created_at": text(self.times.created), "updated_at": text(self.times.changed),
        })
    }
}

impl Paddle {
    pub(crate) fn adjustments_of(&self, transaction: &str) -> impl Iterator<Item = &Adjustment> {
        self.adjustments.values().filter(move |it| it.transaction == transaction)
    }

    /// What can still be refunded of a line.
    pub(crate) fn remaining(&self, transaction: &Transaction, line: &str) -> i64 {
        let total = transaction.lines.iter().find(|it| it.id == line).map_or(0, crate::transaction::Line::total);
        let of_line =
            |it: &Adjustment| -> i64 { it.items.iter().filter(|item| item.line == line).map(|item| item.amount).sum() };
        let counts = |it: &&Adjustment| it.takes() || (it.action == Action::Credit && it.status == Status::Approved);
        total - self.adjustments_of(&transaction.id).filter(counts).map(of_line).sum::<i64>()
    }
}
