//! A shop at an emulated Paddle, for tests.

use std::path::{Path, PathBuf};

use purchase_core::{
    time::Timestamp,
    transport::{HttpRequest, Method},
};
use purchase_emulator::{
    Settings, World,
    world::{Outgoing, Webhook},
};
use purchase_emulator_paddle::{Account, Paddle};
use serde_json::{Value, json};

/// The secret that signs deliveries.
pub(crate) const SECRET: &str = "pdl_ntfset_of_a_test";
/// The clock at the beginning: 2026-10-05T08:00:00Z.
pub(crate) const START: i64 = 1_791_187_200;
/// The seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// A file of the shared material. None without it, loudly.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared").join(path);
    if !file.exists() {
        eprintln!("SKIPPED: there is no {}", file.display());
        return None;
    }
    Some(file)
}

/// A world and what is sold in it.
pub(crate) struct Shop {
    pub(crate) world: World<Paddle>,
    pub(crate) product: String,
    pub(crate) monthly: String,
    pub(crate) once: String,
    /// Every answer so far: method, path, status and body.
    pub(crate) answers: Vec<(Method, String, u16, Value)>,
}

impl Shop {
    pub(crate) fn new(seed: u64, account: Account) -> Self {
        let webhook = Webhook { url: "http://localhost/hooks".to_owned(), secret: SECRET.to_owned() };
        let start = Timestamp::from_seconds(START).expect("in range");
        let world = World::new(Paddle::new(account), Settings { seed, start, webhook: Some(webhook) });
        let (product, monthly, once) = Default::default();
        let mut shop = Self { world, product, monthly, once, answers: Vec::new() };
        shop.product = shop.id("/products", json!({ "name": "Kettle", "tax_category": "standard" }));
        shop.monthly = shop.price("Monthly", 1500, json!({ "interval": "month", "frequency": 1 }), Value::Null);
        shop.once = shop.price("Once", 4900, Value::Null, Value::Null);
        shop
    }

    pub(crate) fn price(&mut self, name: &str, amount: u32, cycle: Value, trial: Value) -> String {
        let unit_price = json!({ "amount": amount.to_string(), "currency_code": "EUR" });
        let body = json!({
            "product_id": self.product, "description": name, "name": name, "unit_price": unit_price,
            "billing_cycle": cycle, "trial_period": trial,
        });
        self.id("/prices", body)
    }

    /// Calls the API. Returns the status and the body.
    pub(crate) fn call(&mut self, method: Method, target: &str, body: Value) -> (u16, Value) {
        let mut request = HttpRequest::new(method, target);
        request.headers.push("authorization", "Bearer pdl_sdbx_apikey_test");
        if !body.is_null() {
            request.headers.push("content-type", "application/json");
            request.body = body.to_string().into_bytes();
        }
        let response = self.world.handle(&request);
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        self.answers.push((method, request.path().to_owned(), response.status, body.clone()));
        (response.status, body)
    }

    /// Calls the API, which must accept it. Returns the data.
    pub(crate) fn done(&mut self, method: Method, target: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, target, body);
        assert!(status < 300, "{method:?} {target}: {answer}");
        answer["data"].clone()
    }

    pub(crate) fn get(&mut self, target: &str) -> Value {
        self.done(Method::Get, target, Value::Null)
    }

    pub(crate) fn post(&mut self, target: &str, body: Value) -> Value {
        self.done(Method::Post, target, body)
    }

    pub(crate) fn patch(&mut self, target: &str, body: Value) -> Value {
        self.done(Method::Patch, target, body)
    }

    /// Creates an object, and returns its id.
    pub(crate) fn id(&mut self, target: &str, body: Value) -> String {
        self.post(target, body)["id"].as_str().expect("an id").to_owned()
    }

    /// Calls the API, which must refuse it. Returns the status and the code.
    pub(crate) fn refused(&mut self, method: Method, target: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(method, target, body);
        (status, answer["error"]["code"].as_str().unwrap_or_else(|| panic!("accepted: {answer}")).to_owned())
    }

    /// Does what somebody does outside the API.
    pub(crate) fn act(&mut self, act: Value) -> Value {
        let read = serde_json::from_value(act.clone()).unwrap_or_else(|error| panic!("{act}: {error}"));
        self.world.act(read).unwrap_or_else(|error| panic!("{act}: {error}"))
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: i64) {
        let to = self.world.now().plus_seconds(seconds);
        self.world.advance(to).expect("forward");
    }

    /// A transaction of one item, without a customer.
    pub(crate) fn open(&mut self, price: &str) -> String {
        self.id("/transactions", json!({ "items": [{ "price_id": price, "quantity": 1 }] }))
    }

    /// A buyer pays a transaction.
    pub(crate) fn pay(&mut self, transaction: &str, card: &str) -> Value {
        let buyer = json!({ "email": "sam@example.com", "country": "DE", "card": card });
        self.act(json!({ "act": "checkout", "transaction": transaction, "buyer": buyer }))
    }

    /// Buys a price. Returns the ids of the transaction and of the subscription.
    pub(crate) fn buy(&mut self, price: &str) -> (String, String) {
        let transaction = self.open(price);
        let paid = self.pay(&transaction, "success");
        (transaction, paid["subscription"].as_str().unwrap_or_default().to_owned())
    }

    /// The deliveries since the last call, each accepted.
    pub(crate) fn deliveries(&mut self) -> Vec<Outgoing> {
        let deliveries = self.world.deliveries();
        deliveries.iter().for_each(|it| self.world.answered(it.number, Some(200)));
        deliveries
    }
}
