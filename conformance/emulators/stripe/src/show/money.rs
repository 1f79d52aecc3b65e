//! How payment intents, charges, refunds and disputes look.

use serde_json::{Value, json};

use super::customers::{address, fingerprint};
use crate::{
    cards::Decline,
    settings::DAY,
    state::{
        Charge, ChargeStatus, Dispute, DisputeStatus, Intent, IntentStatus, PaymentError, PaymentMethod, Refund,
        RefundStatus,
    },
    stripe::Stripe,
};

impl Stripe {
    pub(crate) fn show_intent(&self, it: &Intent) -> Value {
        let card = json!({
            "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic",
        });
        let options =
            if it.methods.iter().any(|method| method == "card") { json!({ "card": card }) } else { json!({}) };
        let next_action = (it.status == IntentStatus::RequiresAction).then(|| {
            let page = it.session.as_ref().map(|id| format!("{}/c/pay/{id}", self.settings.page_base));
            json!({ "type": "redirect_to_url", "redirect_to_url": { "return_url": page, "url": page } })
        });
        json!({
            "id": it.id, "object": "payment_intent", "amount": it.amount, "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": if it.status == IntentStatus::Succeeded { it.amount } else { 0 }, "application": null,
            "application_fee_amount": null, "automatic_payment_methods": null, "canceled_at": it.canceled_at,
            "cancellation_reason": it.canceled_at.map(|_| "automatic"), "capture_method": "automatic_async",
            "client_secret": format!("{}_secret_{}", it.id, it.secret), "confirmation_method": "automatic",
            "created": it.created, "currency": it.currency, "customer": it.customer, "customer_account": null,
            "description": it.description, "excluded_payment_method_types": null,
            "last_payment_error": it.error.as_ref().map(|error| self.show_error(error)),
            "latest_charge": it.latest_charge, "livemode": self.settings.livemode,
            "managed_payments": { "enabled": false }, "metadata": it.metadata, "next_action": next_action,
            "on_behalf_of": null, "payment_method": it.method, "payment_method_configuration_details": null,
            "payment_method_options": options, "payment_method_types": it.methods, "processing": null,
            "receipt_email": null, "review": null,
            "setup_future_usage": it.keeps_method.then_some("off_session"), "shipping": null,
            "statement_descriptor": null, "statement_descriptor_suffix": null, "status": it.status.as_str(),
            "transfer_data": null, "transfer_group": null,
        })
    }

    fn show_error(&self, it: &PaymentError) -> Value {
        let decline = it.decline;
        let mut shown = json!({
            "type": "card_error", "code": decline.code(), "message": decline.message(),
            "doc_url": format!("https://stripe.com/docs/error-codes/{}", decline.code().replace('_', "-")),
            "payment_method": self.show_method(self.methods.at(&it.method)),
        });
        if decline == Decline::Authentication || decline == Decline::DebitReturned {
            shown["type"] = json!("invalid_request_error");
        }
        if let Some(code) = decline.decline_code() {
            shown["decline_code"] = json!(code);
        }
        if let Some(charge) = &it.charge {
            shown["charge"] = json!(charge);
        }
        shown
    }

    pub(crate) fn show_charge(&self, it: &Charge) -> Value {
        let (refunded, method) = (self.counted_refunds(&it.id), self.methods.at(&it.method));
        let succeeded = it.status == ChargeStatus::Succeeded;
        let receipt = it.id.trim_start_matches(|letter: char| letter != '_').trim_start_matches('_');
        json!({
            "id": it.id, "object": "charge", "amount": it.amount,
            "amount_captured": if succeeded { it.amount } else { 0 }, "amount_refunded": refunded, "application": null,
            "application_fee": null, "application_fee_amount": null, "balance_transaction": it.balance_transaction,
            "billing_details": {
                "address": address(), "email": method.buyer.email, "name": method.buyer.name, "phone": null,
                "tax_id": null,
            },
            "calculated_statement_descriptor": self.settings.account_name.to_uppercase(),
            "captured": it.status != ChargeStatus::Failed && succeeded, "created": it.created,
            "currency": it.currency, "customer": it.customer, "description": it.description, "disputed": it.disputed,
            "failure_balance_transaction": null, "failure_code": it.decline.map(Decline::code),
            "failure_message": it.decline.map(Decline::message), "fraud_details": {},
            "livemode": self.settings.livemode, "metadata": it.metadata, "on_behalf_of": null,
            "outcome": outcome(it), "paid": succeeded, "payment_intent": it.intent, "payment_method": it.method,
            "payment_method_details": details(it, method), "radar_options": {}, "receipt_email": null,
            "receipt_number": null,
            // A receipt's address changes with its refunds: recorded in `previous_attributes` of `charge.refunded`.
            "receipt_url": succeeded.then(|| format!("https://pay.stripe.com/receipts/payment/{receipt}?refunded={refunded}")),
            "refunded": succeeded && refunded == it.amount, "review": null, "shipping": null, "source_transfer": null,
            "statement_descriptor": null, "statement_descriptor_suffix": null, "status": it.status.as_str(),
            "transfer_data": null, "transfer_group": null,
        })
    }

    /// The refunded amount that a charge shows. A pending refund counts; a failed one doesn't.
    pub(crate) fn counted_refunds(&self, charge: &str) -> i64 {
        let counts = |it: &&Refund| it.charge == charge && it.status != RefundStatus::Failed;
        self.refunds.all().filter(counts).map(|it| it.amount).sum()
    }

    pub(crate) fn show_refund(&self, it: &Refund) -> Value {
        let mut shown = json!({
            "id": it.id, "object": "refund", "amount": it.amount, "balance_transaction": it.balance_transaction,
            "charge": it.charge, "created": it.created, "currency": it.currency,
            "destination_details": destination(it, self.methods.at(&self.charges.at(&it.charge).method)),
            "metadata": it.metadata, "payment_intent": it.intent, "reason": it.reason, "receipt_number": null,
            "source_transfer_reversal": null, "status": it.status.as_str(), "transfer_reversal": null,
        });
        if it.status == RefundStatus::Pending {
            shown["pending_reason"] = json!("processing");
        }
        if let Some(transaction) = &it.failure_balance_transaction {
            shown["failure_balance_transaction"] = json!(transaction);
            shown["failure_reason"] = json!("expired_or_canceled_card");
        }
        shown
    }

    pub(crate) fn show_dispute(&self, it: &Dispute) -> Value {
        let inquiry = matches!(it.status, DisputeStatus::WarningClosed | DisputeStatus::WarningNeedsResponse);
        let mut movements = Vec::new();
        if let Some(taken) = &it.withdrawn {
            // Stripe's fee for a dispute in the US: 15.00.
            movements.push(movement(it, (&taken.id, taken.created), -it.amount, 1500, "Chargeback withdrawal"));
        }
        if let Some(back) = &it.reinstated {
            movements.push(movement(it, (&back.id, back.created), it.amount, 0, "Chargeback reversal"));
        }
        let card = json!({
            "brand": "visa", "case_type": if inquiry { "inquiry" } else { "chargeback" },
            "network_reason_code": "10.4",
        });
        let mut shown = json!({
            "id": it.id, "object": "dispute", "amount": it.amount, "balance_transactions": movements,
            "charge": it.charge, "created": it.created, "currency": it.currency, "enhanced_eligibility_types": [],
            "evidence": evidence(),
            "evidence_details": {
                "due_by": it.created + 9 * DAY, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
                "submission_count": 0,
            },
            "is_charge_refundable": inquiry, "livemode": self.settings.livemode, "metadata": {},
            "payment_intent": it.intent, "reason": it.reason, "status": it.status.as_str(),
        });
        if !self.methods.at(&self.charges.at(&it.charge).method).test.is_debit() {
            shown["payment_method_details"] = json!({ "card": card, "type": "card" });
        }
        shown
    }
}

fn outcome(it: &Charge) -> Value {
    let declined = it.decline.is_some();
    json!({
        "advice_code": declined.then_some("try_again_later"), "network_advice_code": null, "network_decline_code": null,
        "network_status": if declined { "declined_by_network" } else { "approved_by_network" },
        "reason": it.decline.and_then(Decline::decline_code), "risk_level": "normal", "risk_score": 20,
        "seller_message": if declined { "The bank did not return any further details with this decline." } else { "Payment complete." },
        "type": if declined { "issuer_declined" } else { "authorized" },
    })
}

fn details(it: &Charge, method: &PaymentMethod) -> Value {
    if method.test.is_debit() {
        let debit = json!({
            "bank_code": "19043", "branch_code": "", "country": "AT", "fingerprint": fingerprint(method),
            "last4": method.test.last4(), "mandate": null,
        });
        return json!({ "sepa_debit": debit, "type": "sepa_debit" });
    }
    let card = json!({
        "amount_authorized": it.decline.is_none().then_some(it.amount), "authorization_code": null, "brand": "visa",
        "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
        "country": "US", "exp_month": 12, "exp_year": 2034,
        "extended_authorization": { "status": "disabled" }, "fingerprint": fingerprint(method), "funding": "credit",
        "incremental_authorization": { "status": "unavailable" }, "installments": null, "last4": method.test.last4(),
        "mandate": null, "multicapture": { "status": "unavailable" }, "network": "visa",
        "network_token": { "used": false }, "network_transaction_id": null,
        "overcapture": { "maximum_amount_capturable": it.amount, "status": "unavailable" },
        "regulated_status": "unregulated", "three_d_secure": null, "wallet": null,
    });
    json!({ "card": card, "type": "card" })
}

fn destination(it: &Refund, method: &PaymentMethod) -> Value {
    if method.test.is_debit() {
        return json!({ "type": "sepa_debit" });
    }
    let card = match it.status {
        RefundStatus::Failed | RefundStatus::Pending => {
            json!({ "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund" })
        }
        RefundStatus::Succeeded => json!({
            "reference": "123456789012", "reference_status": "available",
            "reference_type": "acquirer_reference_number", "type": "refund",
        }),
    };
    json!({ "card": card, "type": "card" })
}

fn movement(it: &Dispute, (id, created): (&str, i64), amount: i64, fee: i64, what: &str) -> Value {
    let fees = match fee {
        0 => json!([]),
        _ => json!([{
            "amount": fee, "application": null, "currency": it.currency, "description": "Dispute fee", "type": "stripe_fee",
        }]),
    };
    json!({
        "id": id, "object": "balance_transaction", "amount": amount, "available_on": created + DAY,
        "balance_type": "payments", "created": created, "currency": it.currency,
        "description": format!("{what} for {}", it.charge), "exchange_rate": null, "fee": fee, "fee_details": fees,
        "net": amount - fee, "reporting_category": if amount < 0 { "dispute" } else { "dispute_reversal" },
        "source": it.id, "status": "available", "type": "adjustment",
    })
}

fn evidence() -> Value {
    let empty = [
        "access_activity_log",
        "billing_address",
        "cancellation_policy",
        "cancellation_policy_disclosure",
        "cancellation_rebuttal",
        "customer_communication",
        "customer_email_address",
        "customer_name",
        "customer_purchase_ip",
        "customer_signature",
        "duplicate_charge_documentation",
        "duplicate_charge_explanation",
        "duplicate_charge_id",
        "product_description",
        "receipt",
        "refund_policy",
        "refund_policy_disclosure",
        "refund_refusal_explanation",
        "service_date",
        "service_documentation",
        "shipping_address",
        "shipping_carrier",
        "shipping_date",
        "shipping_documentation",
        "shipping_tracking_number",
        "uncategorized_file",
        "uncategorized_text",
    ];
    let mut evidence: Value = empty.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    evidence["enhanced_evidence"] = json!({});
    evidence
}
