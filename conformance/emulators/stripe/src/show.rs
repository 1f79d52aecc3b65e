//! How objects look in answers and events, one place for each kind: the shapes of Stripe's OpenAPI document of
//! `2026-05-27.dahlia`.

mod billing;
mod catalog;
mod checkout;
mod customers;
mod money;

use serde_json::{Value, json};

use crate::stripe::Stripe;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Charge,
    Customer,
    Dispute,
    Intent,
    Invoice,
    InvoicePayment,
    Method,
    Portal,
    Price,
    Product,
    Refund,
    Session,
    Subscription,
}

impl Kind {
    /// The name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Customer => "customer",
            Self::Dispute => "dispute",
            Self::Intent => "payment_intent",
            Self::Invoice => "invoice",
            Self::InvoicePayment => "invoice_payment",
            Self::Method => "PaymentMethod",
            Self::Portal => "billing_portal.session",
            Self::Price => "price",
            Self::Product => "product",
            Self::Refund => "refund",
            Self::Session => "checkout.session",
            Self::Subscription => "subscription",
        }
    }
}

impl Stripe {
    /// An object as Stripe shows it; none when it doesn't exist.
    pub(crate) fn show(&self, kind: Kind, id: &str) -> Option<Value> {
        Some(match kind {
            Kind::Charge => self.show_charge(self.charges.find(id)?),
            Kind::Customer => self.show_customer(self.customers.find(id)?),
            Kind::Dispute => self.show_dispute(self.disputes.find(id)?),
            Kind::Intent => self.show_intent(self.intents.find(id)?),
            Kind::Invoice => self.show_invoice(self.invoices.find(id)?),
            Kind::InvoicePayment => self.show_invoice_payment(self.invoice_payments.find(id)?),
            Kind::Method => self.show_method(self.methods.find(id)?),
            Kind::Portal => self.show_portal(self.portals.find(id)?),
            Kind::Price => self.show_price(self.prices.find(id)?),
            Kind::Product => self.show_product(self.products.find(id)?),
            Kind::Refund => self.show_refund(self.refunds.find(id)?),
            Kind::Session => self.show_session(self.sessions.find(id)?),
            Kind::Subscription => self.show_subscription(self.subscriptions.find(id)?),
        })
    }

    /// An object that is known to exist.
    pub(crate) fn shown(&self, kind: Kind, id: &str) -> Value {
        self.show(kind, id).unwrap_or_else(|| panic!("{} {id} does not exist", kind.name()))
    }
}

/// A list inside an object.
pub(crate) fn list(data: Vec<Value>, url: String) -> Value {
    json!({ "object": "list", "data": data, "has_more": false, "url": url })
}

/// The description of a line: `2 × Pro`.
pub(crate) fn times(quantity: i64, name: &str) -> String {
    format!("{quantity} × {name}")
}
