//! How subscriptions, invoices and their payments look.

use serde_json::{Value, json};

use super::{list, times};
use crate::{
    state::{Bills, Invoice, InvoiceLine, InvoicePayment, Subscription},
    stripe::Stripe,
};

impl Stripe {
    pub(crate) fn show_subscription(&self, it: &Subscription) -> Value {
        let item = |item: &crate::state::SubscriptionItem| {
            json!({
                "id": item.id, "object": "subscription_item", "billing_thresholds": null, "created": item.created,
                "current_period_end": it.period.end, "current_period_start": it.period.start, "discounts": [],
                "metadata": {}, "price": self.show_price(self.prices.at(&item.price)), "quantity": item.quantity,
                "subscription": it.id, "tax_rates": [],
            })
        };
        let items = it.items.iter().map(item).collect();
        json!({
            "id": it.id, "object": "subscription", "application": null, "application_fee_percent": null,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor": it.anchor, "billing_cycle_anchor_config": null,
            // The default of new subscriptions since 2025-09-30.clover.
            "billing_mode": { "flexible": { "proration_discounts": "included" }, "type": "flexible", "updated_at": it.created },
            "billing_schedules": [], "billing_thresholds": null, "cancel_at": it.cancel_at,
            "cancel_at_period_end": it.cancel_at_period_end, "canceled_at": it.canceled_at,
            "cancellation_details": {
                "comment": it.cancellation.comment, "feedback": it.cancellation.feedback,
                "reason": it.cancellation.reason,
            },
            "collection_method": "charge_automatically", "created": it.created, "currency": it.currency,
            "customer": it.customer, "customer_account": null, "days_until_due": null,
            "default_payment_method": it.method, "default_source": null, "default_tax_rates": [],
            "description": it.description, "discounts": [], "ended_at": it.ended_at,
            "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } },
            "items": list(items, format!("/v1/subscription_items?subscription={}", it.id)),
            "latest_invoice": it.latest_invoice, "livemode": self.settings.livemode,
            "managed_payments": { "enabled": false }, "metadata": it.metadata,
            "next_pending_invoice_item_invoice": null, "on_behalf_of": null,
            "pause_collection": it.pause_collection.map(|pause| {
                json!({ "behavior": pause.behavior.as_str(), "resumes_at": pause.resumes_at })
            }),
            "payment_settings": {
                "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off",
            },
            "pending_invoice_item_interval": null, "pending_setup_intent": null, "pending_update": null,
            "schedule": null, "start_date": it.created, "status": it.status.as_str(), "test_clock": null,
            "transfer_data": null, "trial_end": it.trial.map(|trial| trial.end),
            "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
            "trial_start": it.trial.map(|trial| trial.start),
        })
    }

    pub(crate) fn show_invoice(&self, it: &Invoice) -> Value {
        let lines = it.lines.iter().map(|line| self.show_line(it, line)).collect();
        let page =
            it.times.finalized.map(|_| format!("https://invoice.stripe.com/i/acct_1{}/{}", self.account, it.secret));
        json!({
            "id": it.id, "object": "invoice", "account_country": self.settings.account_country,
            "account_name": self.settings.account_name, "account_tax_ids": null, "amount_due": it.total,
            "amount_overpaid": 0, "amount_paid": it.amount_paid, "amount_paid_off_stripe": 0,
            "amount_remaining": it.total - it.amount_paid, "amount_shipping": 0, "application": null,
            "attempt_count": it.attempts, "attempted": it.attempted, "auto_advance": it.auto_advance,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null },
            "automatically_finalizes_at": it.finalizes_at, "billing_reason": it.reason.as_str(),
            "collection_method": "charge_automatically", "created": it.created, "currency": it.currency,
            "custom_fields": null, "customer": it.customer, "customer_account": null, "customer_address": null,
            "customer_email": it.customer_email, "customer_name": it.customer_name, "customer_phone": null,
            "customer_shipping": null, "customer_tax_exempt": "none", "customer_tax_ids": [],
            "default_payment_method": null, "default_source": null, "default_tax_rates": [], "description": null,
            "discounts": [], "due_date": null, "effective_at": it.times.finalized,
            "ending_balance": it.times.finalized.map(|_| 0), "footer": null, "from_invoice": null,
            "hosted_invoice_url": page, "invoice_pdf": page.as_ref().map(|page| format!("{page}/pdf")),
            "issuer": { "type": "self" }, "last_finalization_error": null, "latest_revision": null,
            "lines": list(lines, format!("/v1/invoices/{}/lines", it.id)), "livemode": self.settings.livemode,
            "metadata": {}, "next_payment_attempt": it.next_attempt, "number": it.number, "on_behalf_of": null,
            "parent": {
                "quote_details": null, "type": "subscription_details",
                "subscription_details": { "metadata": it.subscription_metadata, "subscription": it.subscription },
            },
            "payment_settings": { "default_mandate": null, "payment_method_options": null, "payment_method_types": null },
            "period_end": it.period.end, "period_start": it.period.start, "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0, "receipt_number": null, "rendering": null, "shipping_cost": null,
            "shipping_details": null, "starting_balance": 0, "statement_descriptor": null,
            "status": it.status.as_str(),
            "status_transitions": {
                "finalized_at": it.times.finalized, "marked_uncollectible_at": it.times.uncollectible,
                "paid_at": it.times.paid, "voided_at": it.times.voided,
            },
            "subtotal": it.total, "subtotal_excluding_tax": it.total, "test_clock": null, "total": it.total,
            "total_discount_amounts": [], "total_excluding_tax": it.total, "total_pretax_credit_amounts": [],
            "total_taxes": [], "webhooks_delivered_at": it.created,
        })
    }

    fn show_line(&self, invoice: &Invoice, it: &InvoiceLine) -> Value {
        let price = self.prices.at(&it.price);
        let name = self.product_name(&it.price);
        let proration = json!({ "credited_items": null });
        let (parent, description, unit) = match &it.bills {
            Bills::Once { item } => {
                let details = json!({
                    "invoice_item": item, "proration": false, "proration_details": proration,
                    "subscription": invoice.subscription,
                });
                let parent = json!({
                    "invoice_item_details": details, "subscription_item_details": null, "type": "invoice_item_details",
                });
                (parent, name.to_owned(), price.unit_amount)
            }
            Bills::Subscription { item } | Bills::Trial { item } => {
                let details = json!({
                    "invoice_item": null, "proration": false, "proration_details": proration,
                    "subscription": invoice.subscription, "subscription_item": item,
                });
                let parent = json!({
                    "invoice_item_details": null, "subscription_item_details": details,
                    "type": "subscription_item_details",
                });
                match it.bills {
                    Bills::Trial { .. } => (parent, format!("Trial period for {name}"), 0),
                    _ => (parent, times(it.quantity, name), price.unit_amount),
                }
            }
        };
        json!({
            "id": it.id, "object": "line_item", "amount": it.amount, "currency": invoice.currency,
            "description": description, "discount_amounts": [], "discountable": true, "discounts": [],
            "invoice": invoice.id, "livemode": self.settings.livemode, "metadata": {}, "parent": parent,
            "period": { "end": it.period.end, "start": it.period.start }, "pretax_credit_amounts": [],
            "pricing": {
                "price_details": { "price": it.price, "product": price.product }, "type": "price_details",
                "unit_amount_decimal": unit.to_string(),
            },
            "quantity": it.quantity, "quantity_decimal": it.quantity.to_string(), "subtotal": it.amount, "taxes": [],
        })
    }

    pub(crate) fn show_invoice_payment(&self, it: &InvoicePayment) -> Value {
        json!({
            "id": it.id, "object": "invoice_payment", "amount_paid": it.paid_at.map(|_| it.amount),
            "amount_requested": it.amount, "created": it.created, "currency": it.currency, "invoice": it.invoice,
            "is_default": true, "livemode": self.settings.livemode,
            "payment": { "payment_intent": it.intent, "type": "payment_intent" }, "status": it.status(),
            "status_transitions": { "canceled_at": it.canceled_at, "paid_at": it.paid_at },
        })
    }
}
