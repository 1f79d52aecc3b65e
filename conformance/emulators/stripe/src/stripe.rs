//! The state of the emulated account, and what the shared machinery asks of it.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use purchase_core::transport::Method;
use purchase_emulator::{Call, Emulated, Event, Reply, Shared, Truth, chaos::Failure, draw::Draw, keys::Key};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    acts::Act,
    agenda::Agenda,
    fault::Fault,
    ids,
    settings::{DAY, StripeSettings},
    shelf::Shelf,
    state::{
        Charge, Customer, Dispute, Intent, Invoice, InvoicePayment, PaymentMethod, Portal, Price, Product, Refund,
        Session, Subscription,
    },
    tell::VERSION,
};

/// Stripe, with one account in one mode.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stripe {
    pub(crate) settings: StripeSettings,
    /// The letters that the account's ids have in common.
    pub(crate) account: String,
    pub(crate) agenda: Agenda,
    /// The last event of each object that was created later than it was caused, in microseconds since 1970.
    pub(crate) late: BTreeMap<String, i64>,
    pub(crate) charges: Shelf<Charge>,
    pub(crate) customers: Shelf<Customer>,
    pub(crate) disputes: Shelf<Dispute>,
    pub(crate) intents: Shelf<Intent>,
    pub(crate) invoice_payments: Shelf<InvoicePayment>,
    pub(crate) invoices: Shelf<Invoice>,
    pub(crate) methods: Shelf<PaymentMethod>,
    pub(crate) portals: Shelf<Portal>,
    pub(crate) prices: Shelf<Price>,
    pub(crate) products: Shelf<Product>,
    pub(crate) refunds: Shelf<Refund>,
    pub(crate) sessions: Shelf<Session>,
    pub(crate) subscriptions: Shelf<Subscription>,
}

impl Stripe {
    /// An empty account.
    pub fn new(settings: StripeSettings) -> Self {
        // The account is as old as its settings, and not drawn from the world's seed.
        let mut draw = Draw::new(u64::from(settings.livemode));
        Self {
            settings,
            account: ids::account(&mut draw),
            agenda: Agenda::default(),
            late: BTreeMap::new(),
            charges: Shelf::default(),
            customers: Shelf::default(),
            disputes: Shelf::default(),
            intents: Shelf::default(),
            invoice_payments: Shelf::default(),
            invoices: Shelf::default(),
            methods: Shelf::default(),
            portals: Shelf::default(),
            prices: Shelf::default(),
            products: Shelf::default(),
            refunds: Shelf::default(),
            sessions: Shelf::default(),
            subscriptions: Shelf::default(),
        }
    }

    /// The settings.
    pub fn settings(&self) -> &StripeSettings {
        &self.settings
    }
}

impl Emulated for Stripe {
    type Act = Act;

    const NAME: &'static str = "stripe";

    /// Documented: exponential back-off for up to three days. These steps add up to 70 hours and 20 minutes.
    const RETRY_SECONDS: &'static [i64] = &[300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY, DAY];

    fn accepts(status: u16) -> bool {
        (200..300).contains(&status)
    }

    fn call(&mut self, shared: &mut Shared, call: &Call<'_>) -> Reply {
        self.answer(shared, call)
    }

    fn act(&mut self, shared: &mut Shared, act: Act) -> Result<Value, String> {
        self.do_act(shared, act)
    }

    fn next_due(&self) -> Option<i64> {
        self.agenda.next_due()
    }

    fn run_due(&mut self, shared: &mut Shared) {
        self.run_agenda(shared);
    }

    /// Only `POST` takes a key, and Stripe forgets a key after 24 hours. (Source: API reference, "Idempotent requests".)
    fn key(&self, call: &Call<'_>) -> Option<Key> {
        let key = call.header("idempotency-key").filter(|_| call.method == Method::Post && is_api(call))?;
        let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(call.body).into_owned().collect();
        pairs.extend(call.query.iter().cloned());
        pairs.sort();
        let content = format!("{} {}", call.route(), json!(pairs));
        Some(Key { key: key.to_owned(), content, remembered_seconds: DAY })
    }

    fn key_conflict(&self, call: &Call<'_>) -> Reply {
        let key = call.header("idempotency-key").unwrap_or_default();
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try \
             using a key other than '{key}' if you meant to execute a different request."
        );
        Fault::idempotency(message).reply()
    }

    fn failed(&self, failure: Failure) -> Reply {
        match failure {
            Failure::RateLimited => {
                Fault::broken(429, Some("rate_limit"), "Too many requests hit the API too quickly.")
            }
            Failure::Unavailable => Fault::broken(503, None, "Stripe is unavailable. Please try again later."),
            _ => Fault::broken(500, None, "An unknown error occurred."),
        }
        .reply()
    }

    fn request_id(draw: &mut Draw) -> String {
        ids::short(draw, "req")
    }

    fn finish(
        &self,
        shared: &Shared,
        call: &Call<'_>,
        request_id: &str,
        original: Option<&str>,
        reply: Reply,
    ) -> Reply {
        if !is_api(call) {
            return reply;
        }
        let mut reply = reply.with("Date", crate::calendar::http_date(shared.second()));
        // Recorded: the answers to requests without a usable key have neither of these.
        if reply.status != 401 {
            let version = call.header("stripe-version").unwrap_or(VERSION).to_owned();
            reply = reply.with("Request-Id", request_id).with("Stripe-Version", version);
        }
        if let Some(key) = self.key(call) {
            reply = reply.with("Idempotency-Key", key.key).with("Original-Request", original.unwrap_or(request_id));
        }
        if original.is_some() {
            reply = reply.with("Idempotent-Replayed", "true");
        }
        reply
    }

    /// Pretty-printed, and with the one endpoint that has not answered yet.
    fn delivery(&self, event: &Event, _: u64) -> Vec<u8> {
        let mut body = event.body.clone();
        body["pending_webhooks"] = json!(1);
        format!("{body:#}").into_bytes()
    }

    fn sign(secret: &str, body: &[u8], at: i64) -> Vec<(String, String)> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
        mac.update(format!("{at}.").as_bytes());
        mac.update(body);
        let signature = hex::encode(mac.finalize().into_bytes());
        vec![
            ("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned()),
            ("User-Agent".to_owned(), "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
            ("Stripe-Signature".to_owned(), format!("t={at},v1={signature}")),
        ]
    }

    fn truth(&self) -> Truth {
        self.state_truth()
    }
}

/// Whether a call is one of the API, and not of a page.
pub(crate) fn is_api(call: &Call<'_>) -> bool {
    call.path.first().is_some_and(|first| first.starts_with('v') && first.len() == 2)
}
