//! Which call is meant: the routes that are emulated, keys and versions.

mod catalog;
mod checkout;
mod customers;
mod events;
mod expand;
mod lists;
mod money;
mod reading;
mod subscriptions;

use purchase_core::transport::Method;
use purchase_emulator::{Call, Reply, Shared};
use serde_json::Value;

use crate::{
    fault::{Fault, pretty},
    params::Params,
    show::Kind,
    stripe::{Stripe, is_api},
};

/// What a call answers.
pub(crate) type Answer = Result<Value, Fault>;

impl Stripe {
    pub(crate) fn answer(&mut self, shared: &mut Shared, call: &Call<'_>) -> Reply {
        if !is_api(call) {
            return self.page(shared, call);
        }
        match self.admit(call).and_then(|()| self.route(shared, call)) {
            Ok(body) => pretty(200, &body),
            Err(fault) => fault.reply(),
        }
    }

    /// Refuses calls without a key of the account's mode, and calls in the words of another API version.
    fn admit(&self, call: &Call<'_>) -> Result<(), Fault> {
        let prefix = if self.settings.livemode { "live" } else { "test" };
        let Some(key) = api_key(call) else {
            return Err(Fault::unauthorized(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using \
                 Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            ));
        };
        if !["sk", "rk"].iter().any(|kind| key.starts_with(&format!("{kind}_{prefix}_"))) {
            return Err(Fault::unauthorized("Invalid API Key provided."));
        }
        if call.header("idempotency-key").is_some_and(|key| key.len() > 255) {
            return Err(Fault::unreadable("The idempotency key may be at most 255 characters."));
        }
        for (name, what) in [("stripe-account", "Connect"), ("stripe-context", "Connect")] {
            if call.header(name).is_some() {
                return Err(Fault::not_emulated(format!("{what} (the header {name})")));
            }
        }
        match call.header("stripe-version") {
            Some(version) if !version.ends_with(".dahlia") => {
                Err(Fault::not_emulated(format!("Stripe-Version {version}: only versions of dahlia are")))
            }
            _ => Ok(()),
        }
    }

    fn route(&mut self, shared: &mut Shared, call: &Call<'_>) -> Answer {
        use Method::{Delete, Get, Post};
        let segments = call.segments();
        let read = |route| Params::of(call, route);
        match (call.method, segments.get(1..).unwrap_or_default()) {
            (Post, ["customers"]) => self.create_customer(shared, read("POST /v1/customers")?),
            (Post, ["customers", id]) => self.update_customer(shared, id, read("POST /v1/customers/{customer}")?),
            (Delete, ["customers", id]) => self.delete_customer(shared, id, read("DELETE /v1/customers/{customer}")?),
            (Post, ["products"]) => self.create_product(shared, read("POST /v1/products")?),
            (Post, ["products", id]) => self.update_product(shared, id, read("POST /v1/products/{id}")?),
            (Post, ["prices"]) => self.create_price(shared, read("POST /v1/prices")?),
            (Post, ["prices", id]) => self.update_price(shared, id, read("POST /v1/prices/{price}")?),
            (Post, ["checkout", "sessions"]) => self.create_session(shared, read("POST /v1/checkout/sessions")?),
            (Post, ["checkout", "sessions", id, "expire"]) => {
                self.expire(shared, id, read("POST /v1/checkout/sessions/{session}/expire")?)
            }
            (Get, ["checkout", "sessions", id, "line_items"]) => {
                self.session_lines(id, read("GET /v1/checkout/sessions/{session}/line_items")?)
            }
            (Post, ["subscriptions", id]) => {
                self.update_subscription(shared, id, read("POST /v1/subscriptions/{subscription_exposed_id}")?)
            }
            (Delete, ["subscriptions", id]) => {
                self.cancel_subscription(shared, id, read("DELETE /v1/subscriptions/{subscription_exposed_id}")?)
            }
            (Post, ["subscriptions", id, "resume"]) => {
                self.resume_subscription(shared, id, read("POST /v1/subscriptions/{subscription}/resume")?)
            }
            (Post, ["invoices", id, "pay"]) => self.pay_invoice(shared, id, read("POST /v1/invoices/{invoice}/pay")?),
            (Post, ["refunds"]) => self.create_refund(shared, read("POST /v1/refunds")?),
            (Post, ["refunds", id]) => self.update_refund(shared, id, read("POST /v1/refunds/{refund}")?),
            (Post, ["billing_portal", "sessions"]) => {
                self.create_portal(shared, read("POST /v1/billing_portal/sessions")?)
            }
            (Get, ["events"]) => self.list_events(shared, read("GET /v1/events")?),
            (Get, ["events", id]) => self.retrieve_event(shared, id, read("GET /v1/events/{id}")?),
            (Get, path) => self.read(call, path),
            _ => Err(missing(call)),
        }
    }

    /// Retrieves an object or lists its kind.
    fn read(&self, call: &Call<'_>, path: &[&str]) -> Answer {
        let (kind, list, one) = match path {
            ["customers", ..] => (Kind::Customer, "GET /v1/customers", "GET /v1/customers/{customer}"),
            ["products", ..] => (Kind::Product, "GET /v1/products", "GET /v1/products/{id}"),
            ["prices", ..] => (Kind::Price, "GET /v1/prices", "GET /v1/prices/{price}"),
            ["checkout", "sessions", ..] => {
                (Kind::Session, "GET /v1/checkout/sessions", "GET /v1/checkout/sessions/{session}")
            }
            ["subscriptions", ..] => {
                let one = "GET /v1/subscriptions/{subscription_exposed_id}";
                (Kind::Subscription, "GET /v1/subscriptions", one)
            }
            ["invoices", ..] => (Kind::Invoice, "GET /v1/invoices", "GET /v1/invoices/{invoice}"),
            ["invoice_payments", ..] => {
                (Kind::InvoicePayment, "GET /v1/invoice_payments", "GET /v1/invoice_payments/{invoice_payment}")
            }
            ["payment_intents", ..] => (Kind::Intent, "GET /v1/payment_intents", "GET /v1/payment_intents/{intent}"),
            ["charges", ..] => (Kind::Charge, "GET /v1/charges", "GET /v1/charges/{charge}"),
            ["refunds", ..] => (Kind::Refund, "GET /v1/refunds", "GET /v1/refunds/{refund}"),
            ["disputes", ..] => (Kind::Dispute, "GET /v1/disputes", "GET /v1/disputes/{dispute}"),
            ["payment_methods", _] => (Kind::Method, "", "GET /v1/payment_methods/{payment_method}"),
            _ => return Err(missing(call)),
        };
        let rest = if path[0] == "checkout" { &path[2..] } else { &path[1..] };
        match rest {
            [] => self.list(kind, Params::of(call, list)?),
            [id] if !matches!(*id, "search" | "upcoming") => self.retrieve(kind, id, Params::of(call, one)?),
            _ => Err(missing(call)),
        }
    }
}

fn missing(call: &Call<'_>) -> Fault {
    Fault::not_emulated(format!("{} {}", call.method.as_str(), call.route()))
}

/// The key of `Authorization: Bearer` or, as the user's name, of `Authorization: Basic`.
fn api_key(call: &Call<'_>) -> Option<String> {
    if let Some(key) = call.credentials("bearer") {
        return Some(key.to_owned());
    }
    let decoded = base64(call.credentials("basic")?)?;
    decoded.split(':').next().map(str::to_owned)
}

/// Decodes base64 of the standard alphabet.
fn base64(text: &str) -> Option<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|it| *it == letter)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_keys_are_decoded() {
        assert_eq!(base64("c2tfdGVzdF8xMjM6").as_deref(), Some("sk_test_123:"));
        assert_eq!(base64("c2s=").as_deref(), Some("sk"));
        assert_eq!(base64("!"), None);
    }
}
