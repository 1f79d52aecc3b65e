//! Decides which events Paddle sends when money is requested, paid, refunded or disputed.

use purchase_conformance::story::{Items, OWNER, cost, offer};
use serde_json::{Value, json};

use super::{
    shapes::{adjustment, attempt, details, time, transaction},
    teller::Telling,
};

/// Go's zero time.
const ZERO: &str = "0001-01-01T00:00:00Z";

impl Telling {
    /// A one-time item is bought.
    pub(super) fn buy(&mut self, price: usize, declined: u8, names_owner: bool) {
        let mut custom_data = json!({ "purchase_offer_id": offer(price) });
        if names_owner {
            custom_data["purchase_customer_id"] = json!(OWNER);
        }
        let transaction = self.checkout(&Items::from([(price, 1)]), false, None, &custom_data);
        self.names.payments.push(transaction.clone());
        (0..declined).for_each(|_| self.decline(&transaction));
        self.pay(&transaction, self.shop.second());
        self.complete(&transaction, None);
        if names_owner {
            self.name_owner();
        }
    }

    /// A buyer opens a checkout and fills it in. Its total is that of its items, or of the trial.
    pub(super) fn checkout(&mut self, items: &Items, recurs: bool, asks: Option<i64>, custom_data: &Value) -> String {
        let asks = asks.unwrap_or_else(|| cost(items));
        let mut draft = transaction("web", "draft", items, recurs, asks);
        draft["custom_data"] = custom_data.clone();
        let id = self.shop.make("txn", draft);
        let created = self.shop.object(&id).clone();
        if !self.odd {
            self.shop.send(&id, &["transaction.created"]);
        }
        let customer = if self.odd { self.customer() } else { self.meet() };
        self.shop.change(&id, json!({ "status": "ready", "customer_id": customer }));
        self.shop.send(&id, &self.counterparts("transaction.ready", "transaction.updated"));
        if self.odd {
            self.shop.send_state("transaction.created", created);
            self.meet();
        }
        id
    }

    /// A renewal is billed.
    pub(super) fn bill(&mut self, number: usize) -> String {
        let items = self.subscriptions[number].items.clone();
        let id = self.shop.make("txn", transaction("subscription_recurring", "billed", &items, true, cost(&items)));
        let mut values = self.copied(number);
        values["billed_at"] = time(self.shop.second());
        self.shop.change(&id, values);
        match self.odd {
            true => self.shop.send_at_once(&id, &["transaction.billed", "transaction.created"]),
            false => self.shop.send(&id, &["transaction.created", "transaction.billed"]),
        }
        self.names.payments.push(id.clone());
        id
    }

    /// Adds an attempt to a transaction, newest first, with some values.
    fn attempt(&mut self, transaction: &str, captured_at: Option<i64>, mut values: Value) {
        let attempt_id = self.shop.id("pay");
        let it = self.shop.object(transaction);
        let asks = asks(it);
        let known = it["payments"].as_array().cloned().unwrap_or_default();
        let newest = (asks > 0).then(|| attempt(&attempt_id, asks, captured_at));
        values["payments"] = Value::Array(newest.into_iter().chain(known).collect());
        self.shop.change(transaction, values);
    }

    pub(super) fn decline(&mut self, transaction: &str) {
        self.attempt(transaction, None, json!({}));
        self.shop.send(transaction, &self.counterparts("transaction.payment_failed", "transaction.updated"));
    }

    /// A renewal isn't paid. Its failed attempt may be reported after the events that followed from it.
    pub(super) fn fall_behind(&mut self, transaction: &str) {
        self.attempt(transaction, None, json!({}));
        let failed = self.shop.object(transaction).clone();
        if !self.late {
            self.shop.send(transaction, &["transaction.payment_failed"]);
        }
        self.shop.change(transaction, json!({ "status": "past_due" }));
        if self.misdated && !self.late {
            // Two states share one `updated_at`.
            self.shop.misdate(transaction, failed["updated_at"].clone());
        }
        self.shop.send(transaction, &self.counterparts("transaction.past_due", "transaction.updated"));
        if self.late {
            self.shop.send_state("transaction.payment_failed", failed);
        }
    }

    pub(super) fn pay(&mut self, transaction: &str, at: i64) {
        let asks = asks(self.shop.object(transaction));
        self.attempt(transaction, Some(at), json!({ "status": "paid", "details": details(asks, 0) }));
        self.shop.send(transaction, &self.counterparts("transaction.paid", "transaction.updated"));
    }

    /// Paddle has finished processing the payment.
    pub(super) fn complete(&mut self, transaction: &str, subscription: Option<&str>) {
        let paid = self.shop.object(transaction).clone();
        let known = if self.late { &paid["subscription_id"] } else { &json!(subscription) };
        let values = json!({ "status": "completed", "invoice_number": "1-1", "subscription_id": known });
        self.shop.change(transaction, values);
        self.shop.send(transaction, &["transaction.completed"]);
        if self.late {
            // The event of an older observation comes after the event of a newer one.
            self.shop.send_state("transaction.updated", paid);
            self.shop.change(transaction, json!({ "subscription_id": subscription }));
        }
        self.shop.send(transaction, &["transaction.updated"]);
    }

    fn adjust(&mut self, action: &str, status: &str, payment: usize, amount: i64) -> String {
        let transaction = self.shop.object(&self.names.payments[payment]).clone();
        let id = self.shop.make("adj", adjustment(action, status, &transaction, amount));
        if self.misdated {
            self.shop.misdate(&id, json!(ZERO));
        }
        self.shop.send(&id, &["adjustment.created"]);
        id
    }

    pub(super) fn refund(&mut self, payment: usize, amount: i64, settled: bool) {
        let approved = settled && self.odd;
        let refund = self.adjust("refund", if approved { "approved" } else { "pending_approval" }, payment, amount);
        self.names.refunds.push(refund);
        if settled && !approved {
            self.settle(self.names.refunds.len() - 1, true);
        }
    }

    pub(super) fn settle(&mut self, refund: usize, succeeds: bool) {
        let refund = self.names.refunds[refund].clone();
        self.shop.change(&refund, json!({ "status": if succeeds { "approved" } else { "rejected" } }));
        self.shop.send(&refund, &["adjustment.updated"]);
    }

    pub(super) fn dispute(&mut self, payment: usize) {
        let amount = asks(self.shop.object(&self.names.payments[payment]));
        let dispute = self.adjust("chargeback", "approved", payment, amount);
        self.names.disputes.push(dispute);
    }

    /// A dispute is won: another adjustment returns the money.
    pub(super) fn reverse(&mut self, dispute: usize) {
        let transaction = &self.shop.object(&self.names.disputes[dispute])["transaction_id"];
        let payment = self.names.payments.iter().position(|it| transaction == it).expect("a disputed payment");
        let amount = asks(self.shop.object(&self.names.payments[payment]));
        self.adjust("chargeback_reverse", "approved", payment, amount);
    }
}

/// A transaction's total.
fn asks(transaction: &Value) -> i64 {
    transaction["details"]["totals"]["grand_total"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}
