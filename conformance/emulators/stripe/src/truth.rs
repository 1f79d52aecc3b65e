//! What is true, in the words of the canonical projection, from the world's own state and Stripe's documents.
//!
//! Only what Stripe tells in events is stated: an open session has none.

use purchase_core::time::Timestamp;
use purchase_emulator::Truth;
use serde_json::{Map, Value, json};

use crate::{
    state::{
        DisputeStatus, Intent, IntentStatus, InvoiceStatus, Mode, RefundStatus, Session, SessionPayment, SessionStatus,
        SubscriptionStatus,
    },
    stripe::Stripe,
};

impl Stripe {
    pub(crate) fn state_truth(&self) -> Truth {
        let mut truth = Truth::new();
        for it in self.customers.all() {
            truth.put("customers", &it.id, json!({ "email": it.email, "name": it.name, "deleted": it.deleted }));
        }
        for it in self.sessions.all().filter(|it| it.status != SessionStatus::Open) {
            let payment = it.intent.as_ref().filter(|_| it.mode == Mode::Payment);
            let fields = json!({
                "state": checkout(it), "customer": it.customer, "subscription": it.subscription, "payment": payment,
            });
            truth.put("checkouts", &it.id, fields);
        }
        self.billing_truth(&mut truth);
        for it in self.intents.all() {
            truth.put("payments", &it.id, self.payment_truth(it));
        }
        for it in self.refunds.all() {
            let fields = json!({
                "state": it.status.as_str(), "amount": it.amount, "currency": currency(&it.currency),
                "payment": it.intent,
            });
            truth.put("refunds", &it.id, fields);
        }
        for it in self.disputes.all() {
            let fields = json!({
                "state": dispute(it.status), "amount": it.amount, "currency": currency(&it.currency),
                "payment": it.intent,
            });
            truth.put("disputes", &it.id, fields);
        }
        truth
    }

    fn billing_truth(&self, truth: &mut Truth) {
        for it in self.subscriptions.all() {
            let mut items = Map::new();
            for item in &it.items {
                let before = items.get(&item.price).and_then(Value::as_i64).unwrap_or(0);
                items.insert(item.price.clone(), json!(before + item.quantity));
            }
            let state = match it.status {
                SubscriptionStatus::Active => "active",
                SubscriptionStatus::Canceled => "canceled",
                SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid => "grace",
                SubscriptionStatus::Paused => "paused",
                SubscriptionStatus::Trialing => "trialing",
            };
            let fields = json!({
                "state": state, "provider_status": it.status.as_str(), "items": items,
                "current_period": { "start": time(Some(it.period.start)), "end": time(Some(it.period.end)) },
                "trial_end": time(it.trial.map(|trial| trial.end)), "cancel_at": time(it.cancel_at),
                "ended_at": time(it.ended_at), "collection_paused": it.pause_collection.is_some(),
                "customer": it.customer,
            });
            truth.put("subscriptions", &it.id, fields);
        }
        for it in self.invoices.all() {
            let state = match it.status {
                InvoiceStatus::Draft => "draft",
                InvoiceStatus::Open => "open",
                InvoiceStatus::Paid => "paid",
                InvoiceStatus::Uncollectible => "uncollectible",
                InvoiceStatus::Void => "void",
            };
            let fields = json!({
                "state": state, "total": it.total, "amount_paid": it.amount_paid, "currency": currency(&it.currency),
                "deleted": false, "customer": it.customer, "subscription": it.subscription,
            });
            truth.put("invoices", &it.id, fields);
        }
    }

    /// Stripe links a payment to its invoice once the invoice is paid (`invoice_payment.paid`): until then nothing
    /// of the link is stated.
    fn payment_truth(&self, it: &Intent) -> Value {
        let state = match it.status {
            IntentStatus::Canceled => "canceled",
            IntentStatus::Processing => "processing",
            IntentStatus::RequiresAction => "pending",
            IntentStatus::RequiresPaymentMethod if it.error.is_some() => "failed",
            IntentStatus::RequiresPaymentMethod => "pending",
            IntentStatus::Succeeded => "succeeded",
        };
        let own = |intent: &str| intent == it.id;
        let refunds =
            self.refunds.all().filter(|refund| own(&refund.intent) && refund.status == RefundStatus::Succeeded);
        let refunded: i64 = refunds.map(|refund| refund.amount).sum();
        let attempts = self.charges.all().filter(|charge| own(&charge.intent)).count();
        let mut fields = json!({
            "state": state, "amount": it.amount, "currency": currency(&it.currency), "refunded": refunded,
            "attempts": attempts, "customer": it.customer, "dispute": self.dispute_of(&it.id),
        });
        let invoice = it.invoice.as_ref().map(|id| self.invoices.at(id));
        if let Some(invoice) = invoice.filter(|_| it.status == IntentStatus::Succeeded) {
            fields["invoice"] = json!(invoice.id);
            fields["subscription"] = json!(invoice.subscription);
        }
        fields
    }

    /// What the disputes of a payment come to. An inquiry takes no money, and doesn't count.
    fn dispute_of(&self, intent: &str) -> &'static str {
        let all = self.disputes.all().filter(|it| it.intent == intent);
        let states: Vec<&str> = all.map(|it| dispute(it.status)).collect();
        ["open", "lost", "won"].into_iter().find(|state| states.contains(state)).unwrap_or("none")
    }
}

fn checkout(it: &Session) -> &'static str {
    match (it.status, it.payment) {
        (SessionStatus::Expired, _) => "expired",
        (SessionStatus::Open, _) => "open",
        (SessionStatus::Complete, _) if it.failed_later => "failed",
        (SessionStatus::Complete, SessionPayment::Unpaid) => "completed",
        (SessionStatus::Complete, SessionPayment::NotRequired | SessionPayment::Paid) => "paid",
    }
}

fn dispute(status: DisputeStatus) -> &'static str {
    match status {
        DisputeStatus::Lost => "lost",
        DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => "open",
        DisputeStatus::WarningClosed => "closed",
        DisputeStatus::WarningNeedsResponse => "inquiry",
        DisputeStatus::Won => "won",
    }
}

fn currency(code: &str) -> String {
    code.to_uppercase()
}

fn time(seconds: Option<i64>) -> Option<String> {
    seconds.map(|seconds| Timestamp::EPOCH.plus_seconds(seconds).to_string())
}
