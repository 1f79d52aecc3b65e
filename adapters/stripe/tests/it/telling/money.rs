//! Decides which events Stripe sends when money is requested, paid, refunded or disputed.

use purchase_conformance::story::{CURRENCY, cost};
use serde_json::{Value, json};

use super::{
    shop::Version,
    teller::{Billed, Due, Telling},
};

impl Telling {
    pub(super) fn next_invoice(&mut self, number: usize) -> String {
        let total = cost(&self.subscriptions[number].items);
        self.invoice(number, "subscription_cycle", total)
    }

    /// Opens an invoice and requests its payment.
    pub(super) fn bill(&mut self, number: usize, invoice: &str) -> Due {
        self.open(invoice);
        let customer = json!(self.customer);
        let due = self.intent(cost(&self.subscriptions[number].items), customer, json!({}), Some(invoice.to_owned()));
        self.subscriptions[number].last = Some(self.payments.len() - 1);
        due
    }

    pub(super) fn invoice(&mut self, number: usize, reason: &str, total: i64) -> String {
        let Billed { id, metadata, .. } = &self.subscriptions[number];
        let parent = json!({
            "quote_details": null, "type": "subscription_details",
            "subscription_details": { "metadata": metadata, "subscription": id },
        });
        let values = json!({
            "customer": self.customer, "parent": parent, "billing_reason": reason, "status": "draft", "total": total,
            "amount_due": total, "amount_paid": 0, "amount_remaining": total, "attempt_count": 0, "attempted": false,
            "currency": CURRENCY.to_lowercase(), "status_transitions": transitions(Value::Null, Value::Null),
            "number": null, "_payment_intent": null, "_charge": null,
        });
        let fixture = "dunning-ends-canceled/deliveries/002-invoice.paid.json";
        let invoice = self.shop.make("in", fixture, values);
        self.shop.change(&invoice, json!({ "lines": { "object": "list", "data": [], "has_more": false } }));
        if !self.untold {
            self.shop.send("invoice.created", &invoice);
        }
        invoice
    }

    pub(super) fn open(&mut self, invoice: &str) {
        let values = json!({
            "status": "open", "number": "LW-0001", "status_transitions": transitions(json!(self.shop.now), Value::Null),
        });
        let before = self.shop.change(invoice, values);
        if !self.untold {
            self.shop.send_change("invoice.updated", invoice, &before);
            self.shop.send("invoice.finalized", invoice);
        }
    }

    pub(super) fn paid(&mut self, invoice: &str) {
        let (total, finalized) = {
            let it = self.shop.object(invoice);
            (it["total"].clone(), it["status_transitions"]["finalized_at"].clone())
        };
        let values = json!({
            "status": "paid", "amount_paid": total, "amount_remaining": 0, "attempted": true,
            "status_transitions": transitions(finalized, json!(self.shop.now)),
        });
        let before = self.shop.change(invoice, values);
        match self.untold {
            true => {
                self.untold = false;
                self.shop.send("invoice.created", invoice);
                self.shop.send("invoice.finalized", invoice);
            }
            false => self.shop.send_change("invoice.updated", invoice, &before),
        }
        self.shop.send("invoice.paid", invoice);
        self.shop.send("invoice.payment_succeeded", invoice);
    }

    pub(super) fn intent(&mut self, amount: i64, customer: Value, metadata: Value, invoice: Option<String>) -> Due {
        let values = json!({
            "amount": amount, "amount_received": 0, "currency": CURRENCY.to_lowercase(), "customer": customer,
            "metadata": metadata, "status": "requires_payment_method", "last_payment_error": null,
            "latest_charge": null, "_invoice": invoice,
        });
        let fixture = "card-declined-then-paid/deliveries/003-payment_intent.succeeded.json";
        let intent = self.shop.make("pi", fixture, values);
        self.shop.send("payment_intent.created", &intent);
        if let Some(invoice) = &invoice {
            self.shop.change(invoice, json!({ "_payment_intent": intent }));
        }
        self.names.payments.push(intent.clone());
        let due = Due { intent, invoice };
        self.payments.push(due.clone());
        due
    }

    pub(super) fn charge(&mut self, due: &Due, status: &str) -> String {
        let intent = self.shop.object(&due.intent);
        let captured = if status == "succeeded" { intent["amount"].clone() } else { json!(0) };
        let values = json!({
            "amount": intent["amount"], "amount_captured": captured, "amount_refunded": 0, "refunded": false,
            "captured": status == "succeeded", "paid": status == "succeeded", "status": status,
            "currency": intent["currency"], "customer": intent["customer"], "metadata": intent["metadata"],
            "payment_intent": due.intent, "_invoice": due.invoice,
        });
        let charge = self.shop.make("ch", "refund-fails-later/deliveries/003-charge.refunded.json", values);
        self.shop.send(&format!("charge.{status}"), &charge);
        charge
    }

    pub(super) fn decline(&mut self, due: &Due) {
        let charge = self.charge(due, "failed");
        let error = json!({ "code": "card_declined", "decline_code": "generic_decline", "type": "card_error", "charge": charge });
        self.shop.change(&due.intent, json!({ "last_payment_error": error, "latest_charge": charge }));
        self.shop.send("payment_intent.payment_failed", &due.intent);
        if let Some(invoice) = &due.invoice {
            let attempts = self.shop.object(invoice)["attempt_count"].as_u64().unwrap_or(0) + 1;
            let values = json!({ "attempt_count": attempts, "attempted": true, "_charge": charge });
            let before = self.shop.change(invoice, values);
            self.shop.send_change("invoice.updated", invoice, &before);
            self.shop.send("invoice.payment_failed", invoice);
        }
    }

    pub(super) fn succeed(&mut self, due: &Due) {
        let charge = self.charge(due, "succeeded");
        let amount = self.shop.object(&due.intent)["amount"].clone();
        let values = json!({
            "status": "succeeded", "amount_received": amount, "last_payment_error": null, "latest_charge": charge,
        });
        self.shop.change(&due.intent, values);
        self.shop.send("payment_intent.succeeded", &due.intent);
        let Some(invoice) = &due.invoice else { return };
        self.shop.change(invoice, json!({ "_charge": charge }));
        self.paid(invoice);
        if self.shop.version != Version::Old {
            let payment = json!({ "payment_intent": due.intent, "type": "payment_intent" });
            let values = json!({ "amount_paid": amount, "invoice": invoice, "payment": payment, "status": "paid" });
            let fixture = "invoice-link-only-by-invoice-payment/deliveries/004-invoice_payment.paid.json";
            let link = self.shop.make("inpay", fixture, values);
            self.shop.send("invoice_payment.paid", &link);
        }
    }

    pub(super) fn refund(&mut self, payment: usize, amount: i64, settled: bool) {
        let intent = self.payments[payment].intent.clone();
        let charge = self.shop.object(&intent)["latest_charge"].as_str().expect("a charge").to_owned();
        let values = json!({
            "amount": amount, "currency": CURRENCY.to_lowercase(), "payment_intent": intent, "charge": charge,
            "status": if settled { "succeeded" } else { "pending" }, "metadata": {},
        });
        let fixture = "refund-fails-later/deliveries/002-refund.created.json";
        let refund = self.shop.make("re", fixture, values);
        self.names.refunds.push(refund.clone());
        self.shop.send("refund.created", &refund);
        let before = self.recount(&charge, amount);
        self.shop.send_change("charge.refunded", &charge, &before);
        if self.at_length {
            // Stripe documents that one change may cause two events.
            self.shop.send_change("charge.refunded", &charge, &before);
        }
    }

    /// Adds to a charge's refunded total, or subtracts from it.
    pub(super) fn recount(&mut self, charge: &str, amount: i64) -> Value {
        let it = self.shop.object(charge);
        let total = it["amount_refunded"].as_i64().unwrap_or(0) + amount;
        let whole = it["amount"] == total;
        self.shop.change(charge, json!({ "amount_refunded": total, "refunded": whole }))
    }

    /// A refund succeeds, or fails. The charge no longer counts a failed refund.
    pub(super) fn settle(&mut self, refund: usize, succeeds: bool) {
        let refund = self.names.refunds[refund].clone();
        let values = match succeeds {
            true => json!({ "status": "succeeded" }),
            false => json!({ "status": "failed", "failure_reason": "expired_or_canceled_card" }),
        };
        let before = self.shop.change(&refund, values);
        self.shop.send_change("refund.updated", &refund, &before);
        self.shop.send_change("charge.refund.updated", &refund, &before);
        if !succeeds {
            self.shop.send("refund.failed", &refund);
            let it = self.shop.object(&refund);
            let (charge, amount) = (it["charge"].as_str().expect("a charge").to_owned(), it["amount"].as_i64());
            self.recount(&charge, -amount.unwrap_or(0));
        }
    }

    pub(super) fn dispute(&mut self, payment: usize) {
        let intent = self.payments[payment].intent.clone();
        let it = self.shop.object(&intent);
        let values = json!({
            "amount": it["amount"], "currency": CURRENCY.to_lowercase(), "payment_intent": intent,
            "charge": it["latest_charge"], "status": "needs_response", "balance_transactions": [],
        });
        let fixture = "dispute-won-restores-access/deliveries/002-charge.dispute.created.json";
        let dispute = self.shop.make("du", fixture, values);
        self.names.disputes.push(dispute.clone());
        self.shop.send("charge.dispute.created", &dispute);
        self.shop.change(&dispute, json!({ "balance_transactions": [{ "id": "txn_1", "type": "adjustment" }] }));
        self.shop.send("charge.dispute.funds_withdrawn", &dispute);
    }

    pub(super) fn dispute_ends(&mut self, dispute: usize, won: bool) {
        let dispute = self.names.disputes[dispute].clone();
        let before = self.shop.change(&dispute, json!({ "status": "under_review" }));
        self.shop.send_change("charge.dispute.updated", &dispute, &before);
        let before = self.shop.change(&dispute, json!({ "status": if won { "won" } else { "lost" } }));
        self.shop.send_change("charge.dispute.closed", &dispute, &before);
        if won {
            self.shop.send("charge.dispute.funds_reinstated", &dispute);
        }
    }
}

fn transitions(finalized_at: Value, paid_at: Value) -> Value {
    json!({ "finalized_at": finalized_at, "marked_uncollectible_at": null, "paid_at": paid_at, "voided_at": null })
}
