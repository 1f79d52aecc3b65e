//! How checkout sessions and their lines look.

use serde_json::{Value, json};

use crate::{
    state::{Mode, Session, SessionLine, SessionStatus},
    stripe::Stripe,
};

impl Stripe {
    pub(crate) fn show_session(&self, it: &Session) -> Value {
        let total = self.session_total(it);
        let payment = it.mode == Mode::Payment;
        let card = json!({ "request_three_d_secure": "automatic" });
        let options =
            if it.methods.iter().any(|method| method == "card") { json!({ "card": card }) } else { json!({}) };
        let customer_details =
            (it.buyer.is_some() || it.customer_email.is_some() || it.customer.is_some()).then(|| {
                json!({
                    "address": it.buyer.as_ref().map(|_| super::customers::address()), "business_name": null,
                    "email": self.session_email(it), "individual_name": null,
                    "name": it.buyer.as_ref().and_then(|buyer| buyer.name.clone()), "phone": null, "tax_exempt": "none",
                    "tax_ids": if it.buyer.is_some() { json!([]) } else { Value::Null },
                })
            });
        json!({
            "id": it.id, "object": "checkout.session", "adaptive_pricing": payment.then(|| json!({ "enabled": true })),
            "after_expiration": null, "allow_promotion_codes": null, "amount_subtotal": total, "amount_total": total,
            "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
            "billing_address_collection": null,
            "branding_settings": {
                "background_color": "#ffffff", "border_style": "rounded", "button_color": "#0074d4",
                "display_name": self.settings.account_name, "font_family": "default", "icon": null, "logo": null,
            },
            "cancel_url": it.cancel_url, "client_reference_id": it.client_reference_id, "client_secret": null,
            "collected_information": null, "consent": null, "consent_collection": null, "created": it.created,
            "currency": it.currency, "currency_conversion": null, "custom_fields": [],
            "custom_text": {
                "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
            },
            "customer": it.customer, "customer_account": null,
            "customer_creation": if it.always_creates_customer { Some("always") } else { payment.then_some("if_required") },
            "customer_details": customer_details, "customer_email": it.customer_email, "discounts": [],
            "expires_at": it.expires_at, "integration_identifier": null, "invoice": it.invoice,
            "invoice_creation": payment.then(no_invoice), "livemode": self.settings.livemode, "locale": it.locale,
            "managed_payments": { "enabled": false }, "metadata": it.metadata, "mode": it.mode.as_str(),
            "origin_context": null, "payment_intent": it.intent.as_ref().filter(|_| payment), "payment_link": null,
            "payment_method_collection": if payment { "if_required" } else { "always" },
            "payment_method_configuration_details": null, "payment_method_options": options,
            "payment_method_types": it.methods, "payment_status": it.payment.as_str(), "permissions": null,
            "phone_number_collection": { "enabled": false }, "recovered_from": null,
            "saved_payment_method_options": null, "setup_intent": null, "shipping_address_collection": null,
            "shipping_cost": null, "shipping_options": [], "status": it.status.as_str(), "submit_type": null,
            "subscription": it.subscription, "success_url": it.success_url,
            "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
            "ui_mode": "hosted_page",
            "url": (it.status == SessionStatus::Open).then(|| format!("{}/c/pay/{}", self.settings.page_base, it.id)),
            "wallet_options": null,
        })
    }

    pub(crate) fn show_session_line(&self, it: &SessionLine) -> Value {
        let price = self.prices.at(&it.price);
        let amount = price.unit_amount * it.quantity;
        json!({
            "id": it.id, "object": "item", "adjustable_quantity": null, "amount_discount": 0, "amount_subtotal": amount,
            "amount_tax": 0, "amount_total": amount, "currency": price.currency,
            "description": self.product_name(&it.price), "metadata": {}, "price": self.show_price(price),
            "quantity": it.quantity,
        })
    }

    /// What is due when the session is completed. Recurring prices are not while a trial runs.
    pub(crate) fn session_total(&self, it: &Session) -> i64 {
        let due = |line: &&SessionLine| it.led.trial.is_none() || self.prices.at(&line.price).recurring.is_none();
        it.lines.iter().filter(due).map(|line| self.prices.at(&line.price).unit_amount * line.quantity).sum()
    }

    /// The e-mail address of the buyer, as far as it is known.
    pub(crate) fn session_email(&self, it: &Session) -> Option<String> {
        let entered = it.buyer.as_ref().and_then(|buyer| buyer.email.clone());
        let known = || it.customer.as_ref().and_then(|id| self.customers.at(id).email.clone());
        entered.or_else(|| it.customer_email.clone()).or_else(known)
    }
}

fn no_invoice() -> Value {
    json!({
        "enabled": false,
        "invoice_data": {
            "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null,
            "metadata": {}, "rendering_options": null,
        },
    })
}
