//! How customers, payment methods and portal sessions look.

use serde_json::{Value, json};

use crate::{
    state::{Customer, PaymentMethod, Portal},
    stripe::Stripe,
};

impl Stripe {
    pub(crate) fn show_customer(&self, it: &Customer) -> Value {
        if it.deleted {
            return json!({ "id": it.id, "object": "customer", "deleted": true });
        }
        self.show_whole_customer(it)
    }

    /// A customer as the event of its deletion shows it.
    pub(crate) fn show_whole_customer(&self, it: &Customer) -> Value {
        json!({
            "id": it.id, "object": "customer", "address": null, "balance": 0, "created": it.created,
            "currency": it.currency, "customer_account": null, "default_source": null, "delinquent": it.delinquent,
            "description": it.description, "discount": null, "email": it.email, "invoice_prefix": it.invoice_prefix,
            "invoice_settings": {
                "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null,
            },
            "livemode": self.settings.livemode, "metadata": it.metadata, "name": it.name,
            "next_invoice_sequence": it.next_invoice, "phone": it.phone, "preferred_locales": [], "shipping": null,
            "tax_exempt": "none", "test_clock": null,
        })
    }

    pub(crate) fn show_method(&self, it: &PaymentMethod) -> Value {
        let kind = it.test.kind();
        let mut shown = json!({
            "id": it.id, "object": "payment_method", "allow_redisplay": "limited",
            "billing_details": {
                "address": address(), "email": it.buyer.email, "name": it.buyer.name, "phone": null, "tax_id": null,
            },
            "created": it.created, "customer": it.customer, "customer_account": null,
            "livemode": self.settings.livemode, "metadata": {}, "type": kind,
        });
        shown[kind] = match it.test.is_debit() {
            true => json!({
                "bank_code": "19043", "branch_code": "", "country": "AT", "fingerprint": fingerprint(it),
                "generated_from": { "charge": null, "setup_attempt": null }, "last4": it.test.last4(),
            }),
            false => json!({
                "brand": "visa", "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
                "country": "US", "display_brand": "visa", "exp_month": 12, "exp_year": 2034,
                "fingerprint": fingerprint(it), "funding": "credit", "generated_from": null, "last4": it.test.last4(),
                "networks": { "available": ["visa"], "preferred": null }, "regulated_status": "unregulated",
                "three_d_secure_usage": { "supported": true }, "wallet": null,
            }),
        };
        shown
    }

    pub(crate) fn show_portal(&self, it: &Portal) -> Value {
        json!({
            "id": it.id, "object": "billing_portal.session",
            "configuration": format!("bpc_1{}{}", "A1b2C", self.account), "created": it.created,
            "customer": it.customer, "customer_account": null, "flow": null, "livemode": self.settings.livemode,
            "locale": it.locale, "on_behalf_of": null, "return_url": it.return_url,
            "url": format!("{}/p/session/{}", self.settings.page_base, it.secret),
        })
    }
}

pub(crate) fn address() -> Value {
    json!({ "city": null, "country": "US", "line1": null, "line2": null, "postal_code": null, "state": null })
}

/// Cards with one number have one fingerprint.
pub(crate) fn fingerprint(it: &PaymentMethod) -> String {
    format!("emulated{:0>8}", it.test.last4())
}
