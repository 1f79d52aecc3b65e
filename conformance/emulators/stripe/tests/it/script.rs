//! Plays stories in a world: API calls, what people do, and the clock. What it returns is what the world delivered.

use purchase_conformance::story::{
    DAY_SECONDS, EMAILS, Items, Names, OWNER, START_SECONDS, Scene, Sent, Standing, Step, Story, Teller, Told,
    UNIT_AMOUNTS, Ways, offer,
};
use purchase_conformance::under_test::Reshape;
use purchase_core::{
    time::Timestamp,
    transport::{HttpRequest, Method},
};
use purchase_emulator::{
    Emulated, Settings, World,
    chaos::Chaos,
    lifecycles::{Played, Script},
    world::Webhook,
};
use purchase_emulator_stripe::{Stripe, StripeSettings};
use serde_json::{Value, json};

use super::{evidence, under_test::under_test};

/// Plays stories in a world of Stripe.
pub(crate) struct StripeScript;

impl Teller for StripeScript {
    /// A pause can't be scheduled.
    fn can(&self, step: &Step) -> bool {
        !matches!(step, Step::SchedulePause { .. })
    }

    /// Some dialects have bursts: all events of two seconds carry one time.
    fn tell(&self, story: &Story) -> Told {
        let burst_seconds = if story.dialect % 3 == 1 { 2 } else { 0 };
        self.play(story, &Chaos { burst_seconds, ..Chaos::default() }).told
    }

    fn ways(&self) -> Ways {
        Ways { dunning_seconds: 61 * DAY_SECONDS, rejected_refund: "failed", keeps_period: true }
    }
}

impl Script for StripeScript {
    fn play(&self, story: &Story, chaos: &Chaos) -> Played {
        let mut stage = Stage::new(story, &bearable(story, chaos));
        for scene in &story.scenes {
            stage.scene(scene);
        }
        let events = &stage.world.shared().events()[stage.prologue..];
        let shape = Shape::of(story);
        let sent = events.iter().zip(0..).map(|(event, number)| {
            let body = stage.world.provider().delivery(event, number);
            let is_older = shape.is_older(usize::try_from(number).unwrap_or_default(), events.len());
            let older = older_shape().filter(|_| is_older).and_then(|reshape| reshape(&body));
            Sent { event_type: event.event_type.clone(), body: older.unwrap_or(body) }
        });
        Played { told: Told { sent: sent.collect(), names: stage.names }, truth: stage.world.truth() }
    }

    fn teller(&self) -> &dyn Teller {
        self
    }

    fn hidden(&self) -> &'static [&'static str] {
        &[]
    }

    fn moment(&self, body: &[u8]) -> Option<(String, String)> {
        let event: Value = serde_json::from_slice(body).ok()?;
        Some((event["data"]["object"]["id"].as_str()?.to_owned(), event["created"].to_string()))
    }

    fn is_undecidable(&self, bodies: &[Vec<u8>], object: &str) -> bool {
        evidence::is_undecidable(bodies, object)
    }
}

/// The API versions that the endpoint of a story is pinned to.
#[derive(Clone, Copy)]
enum Shape {
    /// That of the world.
    Newest,
    /// One before basil.
    Older,
    /// The older one in the first half of the story.
    Upgraded,
}

impl Shape {
    fn of(story: &Story) -> Self {
        [Self::Newest, Self::Older, Self::Upgraded][usize::try_from(story.seed % 3).unwrap_or_default()]
    }

    fn is_older(self, number: usize, events: usize) -> bool {
        match self {
            Self::Newest => false,
            Self::Older => true,
            Self::Upgraded => number < events / 2,
        }
    }
}

fn older_shape() -> Option<Reshape> {
    under_test().samples.older_shape
}

/// Chaos without late events for stories in which a refund fails within seconds of a refund of the same payment. The
/// total of `charge.refunded` would then seem to be newer than the failure, and no later event corrects it. A bank needs
/// days to send a refund back.
fn bearable(story: &Story, chaos: &Chaos) -> Chaos {
    let mut made: Vec<(usize, i64)> = Vec::new();
    for scene in &story.scenes {
        let failed = match &scene.step {
            Step::Refund { payment, .. } => {
                made.push((*payment, scene.at));
                None
            }
            Step::FailRefund { refund } | Step::SettleRefund { refund, succeeds: false } => Some(made[*refund].0),
            _ => None,
        };
        let is_close =
            |(payment, at): &(usize, i64)| failed == Some(*payment) && scene.at - at <= i64::from(chaos.late_seconds);
        if made.iter().any(is_close) {
            return Chaos { late_seconds: 0, ..chaos.clone() };
        }
    }
    chaos.clone()
}

struct Stage {
    world: World<Stripe>,
    names: Names,
    /// How many events there were before the story: those of the catalog.
    prologue: usize,
    customer: Option<String>,
    /// One-time prices.
    once: Vec<String>,
    /// Whether sessions alone name what was sold.
    sessions_name: bool,
}

impl Stage {
    fn new(story: &Story, chaos: &Chaos) -> Self {
        let (late, manner) = (i64::from(story.dialect % 3 == 2), story.dialect / 3);
        let settings = StripeSettings {
            session_event_late_seconds: late,
            first_invoice_by_steps: manner & 1 == 0,
            refunded_twice: manner & 2 == 2,
            ..StripeSettings::default()
        };
        let webhook = Webhook { url: "http://localhost/".to_owned(), secret: "whsec_of_a_story".to_owned() };
        let start = Timestamp::EPOCH.plus_seconds(START_SECONDS);
        let world = World::new(Stripe::new(settings), Settings { seed: story.seed, start, webhook: Some(webhook) });
        let mut stage = Self {
            world,
            names: Names::default(),
            prologue: 0,
            customer: None,
            once: Vec::new(),
            sessions_name: manner & 2 == 2,
        };
        stage.act(json!({ "act": "hold_billing", "held": true }));
        stage.sell();
        stage.prologue = stage.world.shared().events().len();
        stage.world.shared_mut().chaos = chaos.clone();
        stage
    }

    /// A recurring and a one-time price for every offer. A period of a story has 30 days.
    fn sell(&mut self) {
        for (place, amount) in UNIT_AMOUNTS.iter().enumerate() {
            let product = self.post("/v1/products", &[("name", offer(place).as_str())]);
            let product = text(&product, "id");
            let amount = amount.to_string();
            let one = [("currency", "eur"), ("unit_amount", amount.as_str()), ("product", product.as_str())];
            let every = [("recurring[interval]", "day"), ("recurring[interval_count]", "30")];
            let recurring = self.post("/v1/prices", &[one.as_slice(), every.as_slice()].concat());
            let once = self.post("/v1/prices", &one);
            self.names.prices.push(text(&recurring, "id"));
            self.once.push(text(&once, "id"));
        }
    }

    fn scene(&mut self, scene: &Scene) {
        let at = Timestamp::EPOCH.plus_seconds(scene.at);
        self.world.advance(at).expect("time goes on");
        match &scene.step {
            Step::Buy { price, declined, guest, names_owner, .. } => self.buy(*price, *declined, *guest, *names_owner),
            Step::SignUp { payment, items, declined, names_owner, .. } => {
                self.sign_up(payment.is_some(), items, *declined, *names_owner);
            }
            Step::NameOwner => self.name_owner(),
            Step::Rename { email } => self.change_customer(("email", EMAILS[*email])),
            Step::Noise => self.noise(),
            Step::Refund { payment, amount, settled, .. } => self.refund(*payment, *amount, *settled),
            Step::SettleRefund { refund, succeeds } => self.settle(*refund, *succeeds),
            Step::FailRefund { refund } => self.settle(*refund, false),
            Step::Dispute { payment, .. } => {
                let dispute =
                    self.act(json!({ "act": "open_dispute", "payment_intent": self.names.payments[*payment] }));
                self.names.disputes.push(text(&dispute, "id"));
            }
            Step::DisputeEnds { dispute, won } => {
                let outcome = if *won { "won" } else { "lost" };
                let dispute = &self.names.disputes[*dispute];
                self.act(json!({ "act": "close_dispute", "dispute": dispute, "outcome": outcome }));
            }
            Step::Renew { subscription, lag, paid, .. } => self.renew(*subscription, *lag, *paid),
            Step::Resume { subscription, .. } => {
                self.cards(true);
                let path = format!("/v1/subscriptions/{}/resume", self.names.subscriptions[*subscription]);
                let resumed = self.post(&path, &[]);
                self.name_payment(&resumed);
            }
            Step::Retry { subscription, paid } => {
                self.cards(*paid);
                let invoice = text(&self.subscription(*subscription), "latest_invoice");
                self.act(json!({ "act": "retry_invoice", "invoice": invoice }));
            }
            Step::Change { subscription, items } => self.change(*subscription, items),
            Step::End { .. }
            | Step::GiveUp { .. }
            | Step::Pause { .. }
            | Step::PeriodEnds { .. }
            | Step::ScheduleEnd { .. }
            | Step::SchedulePause { .. }
            | Step::Unschedule { .. } => self.steer(&scene.step),
        }
    }

    fn steer(&mut self, step: &Step) {
        let id = |number: &usize| self.names.subscriptions[*number].clone();
        match step {
            Step::End { subscription } => {
                self.send(Method::Delete, &format!("/v1/subscriptions/{}", id(subscription)), &[]);
            }
            Step::PeriodEnds { subscription } => {
                self.act(json!({ "act": "end_period", "subscription": id(subscription) }));
            }
            Step::GiveUp { subscription, becomes } => {
                let becomes = match becomes {
                    Standing::Canceled => "cancel",
                    Standing::Paused => "pause",
                    _ => "unpaid",
                };
                self.act(json!({ "act": "give_up", "subscription": id(subscription), "becomes": becomes }));
            }
            Step::Pause { subscription } => {
                self.act(json!({ "act": "pause_subscription", "subscription": id(subscription) }));
            }
            Step::ScheduleEnd { subscription } => {
                let path = format!("/v1/subscriptions/{}", id(subscription));
                self.post(&path, &[("cancel_at_period_end", "true")]);
            }
            Step::Unschedule { subscription } => {
                let path = format!("/v1/subscriptions/{}", id(subscription));
                self.post(&path, &[("cancel_at_period_end", "false")]);
            }
            _ => {}
        }
    }

    fn buy(&mut self, price: usize, declined: u8, guest: bool, names_owner: bool) {
        let customer = self.customer.clone();
        let (sold, once) = (offer(price), self.once[price].clone());
        let mut fields = vec![("mode", "payment"), ("line_items[0][price]", &once), ("line_items[0][quantity]", "1")];
        match &customer {
            _ if guest => fields.push(("customer_email", "guest@example.com")),
            Some(customer) => fields.push(("customer", customer)),
            None => fields.extend([("customer_creation", "always"), ("customer_email", EMAILS[0])]),
        }
        fields.push(("metadata[purchase_offer_id]", &sold));
        if names_owner {
            fields.push(("metadata[purchase_customer_id]", OWNER));
        }
        if !self.sessions_name {
            fields.push(("payment_intent_data[metadata][purchase_offer_id]", &sold));
            if names_owner {
                fields.push(("payment_intent_data[metadata][purchase_customer_id]", OWNER));
            }
        }
        let done = self.check_out(&fields, declined);
        self.names.payments.push(text(&done, "payment_intent"));
    }

    fn sign_up(&mut self, paid: bool, items: &Items, declined: u8, names_owner: bool) {
        let customer = self.customer.clone();
        let lines: Vec<(String, String, String, String)> = items
            .iter()
            .enumerate()
            .map(|(place, (price, quantity))| {
                let at = |field: &str| format!("line_items[{place}][{field}]");
                (at("price"), self.names.prices[*price].clone(), at("quantity"), quantity.to_string())
            })
            .collect();
        let mut fields = vec![("mode", "subscription")];
        for (price, id, quantity, count) in &lines {
            fields.extend([(price.as_str(), id.as_str()), (quantity.as_str(), count.as_str())]);
        }
        match &customer {
            Some(customer) => fields.push(("customer", customer)),
            None => fields.push(("customer_email", EMAILS[0])),
        }
        if names_owner {
            fields.push(("metadata[purchase_customer_id]", OWNER));
            fields.push(("subscription_data[metadata][purchase_customer_id]", OWNER));
        }
        if !paid {
            fields.push(("subscription_data[trial_period_days]", "14"));
        }
        let done = self.check_out(&fields, declined);
        self.names.subscriptions.push(text(&done["session"], "subscription"));
        if paid {
            self.names.payments.push(text(&done, "payment_intent"));
        }
    }

    /// Creates a session, and plays its buyer.
    fn check_out(&mut self, fields: &[(&str, &str)], declined: u8) -> Value {
        let success = [("success_url", "https://shop.example/")];
        let session = self.post("/v1/checkout/sessions", &[success.as_slice(), fields].concat());
        let complete = |method: &str| json!({ "act": "complete_checkout", "session": session["id"], "method": method });
        for _ in 0..declined {
            self.act(complete("declined"));
        }
        let done = self.act(complete("visa"));
        if let Some(customer) = done["session"]["customer"].as_str() {
            self.customer = Some(customer.to_owned());
            self.names.customer = customer.to_owned();
        }
        done
    }

    /// The owner is named on a running subscription, or on the customer.
    fn name_owner(&mut self) {
        let running = |it: &&String| {
            let path = format!("/v1/subscriptions/{it}");
            self.world.truth().get("subscriptions", it).is_some_and(|it| it["ended_at"].is_null()).then_some(path)
        };
        let found = self.names.subscriptions.iter().rev().find_map(|it| running(&it)).filter(|_| self.sessions_name);
        match found {
            Some(path) => _ = self.post(&path, &[("metadata[purchase_customer_id]", OWNER)]),
            None => self.change_customer(("metadata[purchase_customer_id]", OWNER)),
        }
    }

    fn change_customer(&mut self, field: (&str, &str)) {
        let path = format!("/v1/customers/{}", self.names.customer);
        self.post(&path, &[field]);
    }

    /// An event without meaning for the library.
    fn noise(&mut self) {
        if let Some(customer) = self.customer.clone() {
            self.post("/v1/billing_portal/sessions", &[("customer", &customer)]);
        }
    }

    fn refund(&mut self, payment: usize, amount: i64, settled: bool) {
        let intent = self.names.payments[payment].clone();
        let begin = if settled { "succeeded" } else { "pending" };
        self.act(json!({ "act": "refunds_begin", "payment_intent": intent, "begin": begin }));
        let refund = self.post("/v1/refunds", &[("payment_intent", &intent), ("amount", &amount.to_string())]);
        self.names.refunds.push(text(&refund, "id"));
    }

    fn settle(&mut self, refund: usize, succeeds: bool) {
        let refund = &self.names.refunds[refund];
        self.act(json!({ "act": "settle_refund", "refund": refund, "succeeds": succeeds }));
    }

    fn renew(&mut self, number: usize, lag: i64, paid: bool) {
        let id = self.names.subscriptions[number].clone();
        let renewed = self.act(json!({ "act": "end_period", "subscription": id }));
        let at = self.world.now().plus_seconds(lag);
        self.world.advance(at).expect("time goes on");
        self.cards(paid);
        self.act(json!({ "act": "finalize_invoice", "invoice": text(&renewed, "latest_invoice") }));
        self.name_payment(&renewed);
    }

    /// Names the payment of a subscription's latest invoice.
    fn name_payment(&mut self, subscription: &Value) {
        let path = format!("/v1/invoice_payments?invoice={}", text(subscription, "latest_invoice"));
        let payments = self.send(Method::Get, &path, &[]);
        self.names.payments.push(text(&payments["data"][0]["payment"], "payment_intent"));
    }

    /// Makes the customer's cards work or fail.
    fn cards(&mut self, work: bool) {
        let decline = if work { Value::Null } else { json!("generic") };
        self.act(json!({ "act": "set_payment_methods", "customer": self.names.customer, "decline": decline }));
    }

    fn change(&mut self, number: usize, items: &Items) {
        let shown = self.subscription(number);
        let mut fields = vec![("proration_behavior".to_owned(), "none".to_owned())];
        let mut place = 0;
        let mut field =
            |name: &str, value: String, place: usize| fields.push((format!("items[{place}][{name}]"), value));
        let old: Vec<(String, String)> = shown["items"]["data"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| (text(item, "id"), text(&item["price"], "id")))
            .collect();
        for (id, price) in &old {
            field("id", id.clone(), place);
            match items.iter().find(|(number, _)| self.names.prices[**number] == *price) {
                Some((_, quantity)) => field("quantity", quantity.to_string(), place),
                None => field("deleted", "true".to_owned(), place),
            }
            place += 1;
        }
        for (number, quantity) in items {
            let price = &self.names.prices[*number];
            if !old.iter().any(|(_, old)| old == price) {
                field("price", price.clone(), place);
                field("quantity", quantity.to_string(), place);
                place += 1;
            }
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(&format!("/v1/subscriptions/{}", self.names.subscriptions[number]), &fields);
    }

    fn subscription(&mut self, number: usize) -> Value {
        self.send(Method::Get, &format!("/v1/subscriptions/{}", self.names.subscriptions[number]), &[])
    }

    fn act(&mut self, act: Value) -> Value {
        let parsed: <Stripe as Emulated>::Act = serde_json::from_value(act.clone()).expect("it is an act");
        self.world.act(parsed).unwrap_or_else(|error| panic!("{act}: {error}"))
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Value {
        self.send(Method::Post, path, fields)
    }

    fn send(&mut self, method: Method, target: &str, fields: &[(&str, &str)]) -> Value {
        let mut request = HttpRequest::new(method, target);
        request.headers.push("Authorization", "Bearer sk_test_1");
        request.body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        let response = self.world.handle(&request);
        let shown: Value = serde_json::from_slice(&response.body).expect("it is JSON");
        assert_eq!(response.status, 200, "{method:?} {target} {fields:?}: {shown:#}");
        shown
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is no text in {value:#}")).to_owned()
}
