//! A world, and short words for what tests ask of it.

use std::path::{Path, PathBuf};

use purchase_core::{
    time::Timestamp,
    transport::{HttpRequest, HttpResponse, Method},
};
use purchase_emulator::{Emulated, Settings, World, world::Webhook};
use purchase_emulator_stripe::{Stripe, StripeSettings};
use serde_json::{Value, json};

/// 2026-06-01T08:00:00Z.
pub(crate) const START: i64 = 1_780_300_800;
pub(crate) const DAY: i64 = 24 * 3600;

/// A world with a clock, and the calls that were made.
pub(crate) struct Bench {
    pub(crate) world: World<Stripe>,
    /// Each answered call: method, path, status, body.
    pub(crate) calls: Vec<(Method, String, u16, Value)>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(StripeSettings::default())
    }

    pub(crate) fn with(settings: StripeSettings) -> Self {
        let webhook = Webhook { url: "http://localhost/webhook".to_owned(), secret: "whsec_1".to_owned() };
        let start = Timestamp::EPOCH.plus_seconds(START);
        let settings = (Stripe::new(settings), Settings { seed: 7, start, webhook: Some(webhook) });
        Self { world: World::new(settings.0, settings.1), calls: Vec::new() }
    }

    /// Makes a call, with these headers next to the key.
    pub(crate) fn send(&mut self, method: Method, target: &str, body: &str, headers: &[(&str, &str)]) -> HttpResponse {
        let mut request = HttpRequest::new(method, target);
        request.headers.push("Authorization", "Bearer sk_test_1");
        for (name, value) in headers {
            request.headers.push(*name, *value);
        }
        request.body = body.as_bytes().to_vec();
        let response = self.world.handle(&request);
        if target.starts_with("/v1") {
            let path = request.path().to_owned();
            self.calls.push((method, path, response.status, read(&response)));
        }
        response
    }

    fn json(&mut self, method: Method, target: &str, body: &str) -> Value {
        let response = self.send(method, target, body, &[]);
        let shown = read(&response);
        assert_eq!(response.status, 200, "{method:?} {target} {body}: {shown:#}");
        shown
    }

    pub(crate) fn get(&mut self, target: &str) -> Value {
        self.json(Method::Get, target, "")
    }

    pub(crate) fn post(&mut self, target: &str, body: &str) -> Value {
        self.json(Method::Post, target, body)
    }

    pub(crate) fn delete(&mut self, target: &str) -> Value {
        self.json(Method::Delete, target, "")
    }

    /// The error of a call: its status, and `type code param`.
    pub(crate) fn refused(&mut self, method: Method, target: &str, body: &str) -> (u16, String) {
        let response = self.send(method, target, body, &[]);
        let shown = read(&response);
        let text = |field: &str| shown["error"][field].as_str().unwrap_or("-").to_owned();
        (response.status, format!("{} {} {}", text("type"), text("code"), text("param")))
    }

    pub(crate) fn act(&mut self, act: Value) -> Value {
        let parsed: <Stripe as Emulated>::Act = serde_json::from_value(act.clone()).expect("it is an act");
        self.world.act(parsed).unwrap_or_else(|error| panic!("{act}: {error}"))
    }

    pub(crate) fn refused_act(&mut self, act: Value) -> String {
        let parsed: <Stripe as Emulated>::Act = serde_json::from_value(act).expect("it is an act");
        self.world.act(parsed).expect_err("it is refused")
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        let to = self.world.now().plus_seconds(seconds);
        self.world.advance(to).expect("it is later");
    }

    /// The types of all events, from this place on.
    pub(crate) fn events(&self, from: usize) -> Vec<&str> {
        self.world.shared().events()[from..].iter().map(|it| it.event_type.as_str()).collect()
    }

    /// How many events there are.
    pub(crate) fn told(&self) -> usize {
        self.world.shared().events().len()
    }

    /// The last event of a type.
    pub(crate) fn last(&self, event_type: &str) -> Value {
        let found = self.world.shared().events().iter().rev().find(|it| it.event_type == event_type);
        found.unwrap_or_else(|| panic!("there is no {event_type}")).body.clone()
    }

    /// A price of one product.
    pub(crate) fn price(&mut self, amount: i64, rest: &str) -> String {
        let product = self.post("/v1/products", "name=Pro");
        let product = text(&product, "id");
        let body = format!("currency=eur&unit_amount={amount}&product={product}{rest}");
        text(&self.post("/v1/prices", &body), "id")
    }

    /// A session in one of the modes, over one price.
    pub(crate) fn session(&mut self, mode: &str, price: &str, rest: &str) -> String {
        let body = format!(
            "mode={mode}&success_url=https://shop.example/ok?s={{CHECKOUT_SESSION_ID}}&line_items[0][price]={price}\
             &line_items[0][quantity]=1{rest}"
        );
        text(&self.post("/v1/checkout/sessions", &body), "id")
    }

    pub(crate) fn complete(&mut self, session: &str, method: &str) -> Value {
        self.act(json!({ "act": "complete_checkout", "session": session, "method": method }))
    }

    /// A subscription over one monthly price, and its customer.
    pub(crate) fn subscription(&mut self) -> (String, String) {
        let price = self.price(1500, "&recurring[interval]=month");
        let session = self.session("subscription", &price, "");
        let done = self.complete(&session, "visa");
        (text(&done["session"], "subscription"), text(&done["session"], "customer"))
    }

    /// The payment intent of a purchase over 4900.
    pub(crate) fn purchase(&mut self, method: &str) -> String {
        let price = self.price(4900, "");
        let session = self.session("payment", &price, "");
        let done = self.complete(&session, method);
        text(&done["session"], "payment_intent")
    }
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is no text in {value:#}")).to_owned()
}

pub(crate) fn read(response: &HttpResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{error}: {:?}", response.body))
}

/// A file of the shared material, which is next to the workspace and not part of it.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("SKIPPED: ../shared/{path} is not there, so nothing of it was tested");
    None
}
