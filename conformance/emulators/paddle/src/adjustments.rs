//! Decides how refunds, credits and chargebacks come about, and how they are approved, rejected and reversed.

use purchase_emulator::{Call, Reply, Shared};
use serde_json::Value;

use crate::{
    Paddle,
    account::Approval,
    adjustment::{Action, Adjustment, Item, Status},
    events::ZERO_TIME,
    fault::Fault,
    fields::Fields,
    ids,
    money::Amount,
    times::Times,
    transaction::{Line, Status as Billing, Transaction},
};

/// The parts of lines that are adjusted: the line, the amount, and whether that is all that remained.
type Parts = Vec<(String, i64, bool)>;

impl Paddle {
    pub(crate) fn create_adjustment(&mut self, shared: &mut Shared, call: &Call<'_>) -> Result<Reply, Fault> {
        let mut fields = Fields::of_call(call)?;
        if !fields.has("action") {
            fields.refuse("action", "must be provided as part of the request");
        }
        // Documented: all other actions are Paddle's own.
        let action = fields.word("action", &["credit", "refund"]);
        let transaction: Option<String> = fields.need("transaction_id");
        let reason: Option<String> = fields.need("reason");
        let full = fields.word("type", &["full", "partial"]).as_deref() == Some("full");
        let items: Option<Option<Vec<Value>>> = fields.read("items");
        let items = items.flatten();
        let tax_mode = fields.word("tax_mode", &["external", "internal"]);
        match (full, &items) {
            (false, None) => fields.refuse("items", "must be provided when the type is partial"),
            (false, Some(items)) if items.is_empty() => fields.refuse("items", "must have at least one item"),
            (true, Some(_)) => fields.refuse("items", "must be left out when the type is full"),
            _ => {}
        }
        fields.finish(&[])?;
        if tax_mode.as_deref() == Some("external") {
            return Err(Fault::not_emulated("the value external of tax_mode"));
        }
        let action = if action.as_deref() == Some("credit") { Action::Credit } else { Action::Refund };
        let id = transaction.unwrap_or_default();
        let transaction = self.transactions.get(&id).cloned().ok_or_else(|| Fault::not_found(&id))?;
        self.check_adjustable(&transaction, action)?;
        let parts = match items {
            Some(items) => self.parts_of(&transaction, items)?,
            None => self.all_parts(&transaction)?,
        };
        let id = self.adjust(shared, &transaction, action, &reason.unwrap_or_default(), full, parts);
        Ok(self.shown(201, &id))
    }

    fn check_adjustable(&self, transaction: &Transaction, action: Action) -> Result<(), Fault> {
        if self.adjustments_of(&transaction.id).any(|it| it.status == Status::PendingApproval) {
            let detail = "You are unable to create further adjustments against this transaction as there is a pending \
                          refund request";
            return Err(Fault::adjustment("adjustment_pending_refund_request", detail));
        }
        let (code, word, allowed) = match action {
            Action::Credit => {
                let issued = matches!(transaction.status, Billing::Billed | Billing::PastDue);
                let allowed = transaction.manual.is_some() && issued;
                ("adjustment_transaction_invalid_status_for_credit", "credit", allowed)
            }
            _ => {
                let allowed = transaction.status == Billing::Completed;
                ("adjustment_transaction_invalid_status_for_refund", "refund", allowed)
            }
        };
        let detail =
            format!("The transaction being adjusted ({word}) has a non supported status. ID: {}", transaction.id);
        if allowed { Ok(()) } else { Err(Fault::adjustment(code, detail)) }
    }

    fn parts_of(&self, transaction: &Transaction, items: Vec<Value>) -> Result<Parts, Fault> {
        let (mut parts, mut wrong) = (Parts::new(), Vec::new());
        for (place, item) in items.into_iter().enumerate() {
            let inside = |fault: Fault| fault.inside(&format!("items[{place}]"));
            let mut fields = Fields::of(item).map_err(inside)?;
            let line: Option<String> = fields.need("item_id");
            if !fields.has("type") {
                fields.refuse("type", "must be provided as part of the request");
            }
            let full = fields.word("type", &["full", "partial"]).as_deref() == Some("full");
            let amount: Option<Option<Amount>> = fields.read("amount");
            let amount = amount.flatten();
            if !full && amount.is_none() {
                fields.refuse("amount", "must be provided when the type is partial");
            }
            fields.finish(&[]).map_err(inside)?;
            let line = line.unwrap_or_default();
            let known = transaction.lines.iter().any(|it| it.id == line);
            let taken: i64 = parts.iter().filter(|(id, ..)| *id == line).map(|(_, amount, _)| amount).sum();
            let remaining = self.remaining(transaction, &line) - taken;
            let asked = if full { remaining } else { amount.map_or(0, |it| it.0) };
            match () {
                () if !known => wrong.push((place, format!("Transaction item {line} not found"))),
                () if remaining <= 0 => {
                    wrong.push((place, format!("Adjustment item {line} has already been fully adjusted")));
                }
                () if asked > remaining => wrong
                    .push((place, format!("adjustment amount for item {line} is over remaining allowed {remaining}"))),
                () if asked == 0 => wrong.push((
                    place,
                    format!(
                        "You are attempting to make an adjustment with zero amount on a transaction item. ID {line}"
                    ),
                )),
                () => parts.push((line, asked, full)),
            }
        }
        if wrong.is_empty() { Ok(parts) } else { Err(Fault::adjustment_items(wrong)) }
    }

    /// All that remains of each line.
    fn all_parts(&self, transaction: &Transaction) -> Result<Parts, Fault> {
        let remaining = |line: &Line| (line.id.clone(), self.remaining(transaction, &line.id), true);
        let parts: Parts = transaction.lines.iter().map(remaining).filter(|(_, amount, _)| *amount > 0).collect();
        if parts.is_empty() {
            let line = transaction.lines.first().map_or("", |line| &line.id);
            let detail = format!("One of the transaction items has already been adjusted in full. ID: {line}");
            return Err(Fault::adjustment("adjustment_transaction_item_has_already_been_fully_adjusted", detail));
        }
        Ok(parts)
    }

    fn adjust(
        &mut self,
        shared: &mut Shared,
        transaction: &Transaction,
        action: Action,
        reason: &str,
        full: bool,
        parts: Parts,
    ) -> String {
        let at = self.tick(shared);
        let mut items = Vec::new();
        for (line, amount, full) in parts {
            items.push(Item { id: ids::id("adjitm", at, &mut shared.draw), line, full, amount });
        }
        let total: i64 = items.iter().map(|it| it.amount).sum();
        // Recorded: the fee goes with its share of the total.
        let share = |fee: i64| (fee * total + transaction.total() / 2) / transaction.total().max(1);
        let waits = action == Action::Refund && self.account.refunds != Approval::AtOnce;
        let adjustment = Adjustment {
            id: ids::id("adj", at, &mut shared.draw),
            times: Times::new(at),
            asked: shared.now,
            action,
            status: if waits { Status::PendingApproval } else { Status::Approved },
            full,
            transaction: transaction.id.clone(),
            subscription: transaction.subscription.clone(),
            customer: transaction.customer.clone().unwrap_or_default(),
            reason: reason.to_owned(),
            currency: transaction.currency.clone(),
            items,
            fee: transaction.fee().map_or(0, share),
        };
        let id = adjustment.id.clone();
        self.adjustments.insert(id.clone(), adjustment);
        if shared.draw.percent(self.account.oddities.zero_time) {
            self.misdate(&id, ZERO_TIME.to_owned());
        }
        self.emit(shared, "adjustment.created", &id);
        self.credit(shared, &transaction.id, action, total);
        id
    }

    /// A credit reduces its invoice, and its reversal puts it back.
    fn credit(&mut self, shared: &mut Shared, transaction: &str, action: Action, total: i64) {
        let credited = match action {
            Action::Credit => total,
            Action::CreditReverse => -total,
            _ => return,
        };
        self.change_transaction(shared, transaction, |it| it.credited += credited);
        self.emit(shared, "transaction.updated", transaction);
    }

    /// Paddle decides about a refund.
    pub(crate) fn decide(&mut self, shared: &mut Shared, id: &str, approves: bool) -> Result<(), Fault> {
        let now = self.tick(shared);
        let it = self.adjustments.get_mut(id).ok_or_else(|| Fault::not_found(id))?;
        if it.status != Status::PendingApproval {
            return Err(Fault::adjustment("adjustment_pending_refund_request", "The refund is decided already"));
        }
        it.status = if approves { Status::Approved } else { Status::Rejected };
        it.times.changed = now;
        self.misdated.remove(id);
        self.emit(shared, "adjustment.updated", id);
        Ok(())
    }

    /// The bank takes a payment back, or warns that it will. It takes whole lines, in their order, up to an amount.
    pub(crate) fn charge_back(
        &mut self,
        shared: &mut Shared,
        id: &str,
        amount: Option<i64>,
        is_warning: bool,
    ) -> Result<String, Fault> {
        let transaction = self.transactions.get(id).cloned().ok_or_else(|| Fault::not_found(id))?;
        let total = transaction.grand_total();
        let mut left = amount.unwrap_or(total);
        if transaction.status != Billing::Completed || left < 1 || left > total {
            let detail = format!("The transaction can't be charged back by this amount. ID: {id}");
            return Err(Fault::adjustment("adjustment_transaction_invalid_status_for_refund", detail));
        }
        let full = left == total;
        let mut parts = Parts::new();
        for line in &transaction.lines {
            let part = line.total().min(left);
            left -= part;
            if part > 0 {
                parts.push((line.id.clone(), part, part == line.total()));
            }
        }
        let action = if is_warning { Action::ChargebackWarning } else { Action::Chargeback };
        Ok(self.adjust(shared, &transaction, action, "chargeback", full, parts))
    }

    /// A chargeback is won back, a warning is called off, or a credit is taken back: another adjustment says so.
    pub(crate) fn reverse(&mut self, shared: &mut Shared, id: &str) -> Result<String, Fault> {
        let it = self.adjustments.get(id).cloned().ok_or_else(|| Fault::not_found(id))?;
        let action = match (it.action, it.status) {
            (Action::Chargeback, Status::Approved) => Action::ChargebackReverse,
            (Action::ChargebackWarning, Status::Approved) => Action::ChargebackWarningReverse,
            (Action::Credit, Status::Approved) => Action::CreditReverse,
            _ => return Err(Fault::adjustment("adjustment_invalid_credit_action", "It can't be reversed")),
        };
        let transaction = self.transactions.get(&it.transaction).cloned();
        let transaction = transaction.ok_or_else(|| Fault::not_found(&it.transaction))?;
        let now = self.tick(shared);
        if let Some(it) = self.adjustments.get_mut(id) {
            // Documented: `reversed`, and no event; `adjustment.updated` is only for refunds.
            (it.status, it.times.changed) = (Status::Reversed, now);
        }
        let parts = it.items.iter().map(|item| (item.line.clone(), item.amount, item.full)).collect();
        Ok(self.adjust(shared, &transaction, action, "reversal", it.full, parts))
    }
}
