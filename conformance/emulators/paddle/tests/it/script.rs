//! Plays stories against a fresh account at an emulated Paddle: with requests, with acts, and with the clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use purchase_conformance::story::{
    CURRENCY, DAY_SECONDS, EMAILS, Items, Names, OWNER, Scene, Sent, Standing, Step, Story, Teller, Told, UNIT_AMOUNTS,
    Ways, World as Truth, offer,
};
use purchase_core::time::Timestamp;
use purchase_emulator::{Emulated, chaos::Chaos, lifecycles, world::Outgoing};
use purchase_emulator_paddle::{
    Account,
    account::{Approval, Oddities},
};
use serde_json::{Value, json};

use super::common::Shop;

/// The teller that lets an emulated Paddle tell.
#[derive(Default)]
pub(crate) struct Script {
    /// The payments of pending refunds, by refund, in the story that is being made.
    pending: Mutex<BTreeMap<usize, usize>>,
}

impl Teller for Script {
    /// There are no guests and no unpaid subscriptions. An approved refund stays approved, nothing says that a dispute
    /// was lost, and a transaction has at most one pending refund: "You can't create an adjustment for a transaction
    /// that has a refund that's pending approval" (OpenAPI, `adjustment-create`).
    fn can(&self, step: &Step) -> bool {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Buy { guest: true, .. }
            | Step::DisputeEnds { won: false, .. }
            | Step::FailRefund { .. }
            | Step::GiveUp { becomes: Standing::Unpaid, .. } => return false,
            Step::Refund { payment, .. } if pending.values().any(|it| it == payment) => return false,
            Step::Refund { refund, payment, settled: false, .. } => {
                pending.insert(*refund, *payment);
            }
            Step::SettleRefund { refund, .. } => {
                pending.remove(refund);
            }
            // Nothing is refunded before the first payment, so a new story begins at the latest here.
            Step::Buy { payment: 0, .. }
            | Step::SignUp { payment: Some(0), .. }
            | Step::Renew { payment: 0, .. }
            | Step::Resume { payment: 0, .. } => pending.clear(),
            _ => {}
        }
        true
    }

    fn tell(&self, story: &Story) -> Told {
        let played = play(story);
        let sent = played.sent.into_iter().map(|it| Sent { event_type: it.event_type, body: it.body }).collect();
        Told { sent, names: played.names }
    }

    fn ways(&self) -> Ways {
        Ways { dunning_seconds: 30 * DAY_SECONDS, rejected_refund: "failed", keeps_period: false }
    }
}

impl lifecycles::Script for Script {
    fn play(&self, story: &Story, chaos: &Chaos) -> lifecycles::Played {
        let Played { shop, names, prologue, .. } = play_in(story, &bearable(story, chaos));
        // All events, also those that are so late that their deliveries aren't due yet.
        let events = &shop.world.shared().events()[prologue..];
        let sent = events.iter().zip(0..).map(|(event, number)| Sent {
            event_type: event.event_type.clone(),
            body: shop.world.provider().delivery(event, number),
        });
        lifecycles::Played { told: Told { sent: sent.collect(), names }, truth: shop.world.truth() }
    }

    fn teller(&self) -> &dyn Teller {
        self
    }

    fn hidden(&self) -> &'static [&'static str] {
        &[]
    }

    fn moment(&self, body: &[u8]) -> Option<(String, String)> {
        let event: Value = serde_json::from_slice(body).ok()?;
        Some((event["data"]["id"].as_str()?.to_owned(), event["occurred_at"].as_str()?.to_owned()))
    }

    /// Two events of the object have one time and one time of last change, and show different states.
    fn is_undecidable(&self, bodies: &[Vec<u8>], object: &str) -> bool {
        let mut states: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for body in bodies {
            let event: Value = serde_json::from_slice(body).unwrap_or_default();
            if event["data"]["id"] == object {
                let times = (event["occurred_at"].to_string(), event["data"]["updated_at"].to_string());
                states.entry(times).or_default().insert(event["data"].to_string());
            }
        }
        states.values().any(|states| states.len() > 1)
    }
}

/// Chaos without late events for stories whose times of change are zero or in the future. Such an event has only the time
/// at which it occurred, so if it is seconds late, a change within these seconds seems to be older, and no later event
/// corrects it. Recorded events with such times are late by milliseconds.
fn bearable(story: &Story, chaos: &Chaos) -> Chaos {
    let Oddities { future_time, zero_time, .. } = oddities(story.dialect);
    match future_time + zero_time {
        0 => chaos.clone(),
        _ => Chaos::default(),
    }
}

/// A story that was played.
pub(crate) struct Played {
    pub(crate) shop: Shop,
    pub(crate) names: Names,
    pub(crate) sent: Vec<Outgoing>,
    /// How many events there were before the story: those of the catalogue.
    prologue: usize,
}

/// Plays a story.
pub(crate) fn play(story: &Story) -> Played {
    play_in(story, &Chaos::default())
}

/// Plays a story whose events misbehave.
fn play_in(story: &Story, chaos: &Chaos) -> Played {
    let account =
        Account { automatic: false, refunds: Approval::ByAct, oddities: oddities(story.dialect), ..Account::default() };
    let mut shop = Shop::new(story.seed, account);
    let cycle = json!({ "interval": "day", "frequency": 30 });
    let mut catalogue = |cycle: &Value| -> Vec<String> {
        let price = |amount: &i64| {
            let amount = u32::try_from(*amount).expect("small");
            shop.price("of a story", amount, cycle.clone(), Value::Null)
        };
        UNIT_AMOUNTS.iter().map(price).collect()
    };
    let (once, prices) = (catalogue(&Value::Null), catalogue(&cycle));
    // The application listens when its catalogue stands.
    shop.deliveries();
    let prologue = shop.world.shared().events().len();
    shop.world.shared_mut().chaos = chaos.clone();
    let names = Names { prices, ..Names::default() };
    let trials = vec![false; UNIT_AMOUNTS.len()];
    let mut player =
        Player { shop, names, once, trials, truth: Truth::default(), by_api: story.seed.is_multiple_of(2) };
    for scene in &story.scenes {
        player.clock(scene.at);
        player.scene(scene);
        player.truth.take(scene);
    }
    let sent = player.shop.deliveries();
    Played { shop: player.shop, names: player.names, sent, prologue }
}

fn oddities(dialect: u8) -> Oddities {
    if dialect >= 8 {
        return Oddities::all(50);
    }
    let on = |bit: u8| if dialect & bit == bit { 100 } else { 0 };
    let (early, late, misdated) = (on(1), on(2), on(4));
    Oddities {
        activated_before_created: early,
        customer_after_ready: early,
        ready_before_created: early,
        same_microsecond: early,
        status_before_updated: early,
        failure_after_past_due: late,
        stale_after_completed: late,
        subscription_after_completed: late,
        future_time: misdated,
        nanoseconds: misdated,
        shared_time: misdated,
        zero_time: misdated,
    }
}

struct Player {
    shop: Shop,
    names: Names,
    /// The prices that are sold once.
    once: Vec<String>,
    /// Which recurring prices begin with a trial.
    trials: Vec<bool>,
    /// The story's state before the scene.
    truth: Truth,
    /// Whether the application makes the customer before the first checkout.
    by_api: bool,
}

impl Player {
    fn clock(&mut self, seconds: i64) {
        self.shop.world.advance(Timestamp::from_seconds(seconds).expect("in range")).expect("forward");
    }

    fn scene(&mut self, scene: &Scene) {
        match &scene.step {
            Step::Buy { price, declined, names_owner, .. } => {
                let mut custom_data = json!({ "purchase_offer_id": offer(*price) });
                if *names_owner {
                    custom_data["purchase_customer_id"] = json!(OWNER);
                }
                let items = json!([{ "price_id": self.once[*price], "quantity": 1 }]);
                let (transaction, _) = self.checkout(items, custom_data, *declined, *names_owner);
                self.names.payments.push(transaction);
            }
            Step::SignUp { payment, items, declined, names_owner, .. } => {
                self.sign_up(payment.is_none(), items, *declined, *names_owner);
            }
            Step::NameOwner => self.name_owner(),
            Step::Rename { email } => self.edit_customer(json!({ "email": EMAILS[*email] })),
            Step::Noise => {
                let product = self.shop.product.clone();
                self.shop.patch(&format!("/products/{product}"), json!({ "description": "noise" }));
            }
            Step::Refund { payment, amount, settled, .. } => self.refund(*payment, *amount, *settled),
            Step::SettleRefund { refund, succeeds } => self.settle(*refund, *succeeds),
            Step::Dispute { payment, .. } => {
                let act = json!({ "act": "chargeback", "transaction": self.names.payments[*payment] });
                let dispute = text(&self.shop.act(act)["adjustment"]);
                self.names.disputes.push(dispute);
            }
            Step::DisputeEnds { dispute, .. } => {
                self.shop.act(json!({ "act": "reverse", "adjustment": self.names.disputes[*dispute] }));
            }
            step => self.subscription(step, scene.at),
        }
    }

    fn subscription(&mut self, step: &Step, at: i64) {
        let act = |name: &str, id: &str| json!({ "act": name, "subscription": id });
        match step {
            Step::Renew { subscription, lag, paid, .. } => {
                self.card(*paid);
                let mut bill = act("bill", &self.names.subscriptions[*subscription]);
                bill["collect_after_seconds"] = json!(lag);
                let transaction = text(&self.shop.act(bill)["transaction"]);
                self.names.payments.push(transaction);
                self.clock(at + lag);
            }
            Step::Retry { subscription, paid } => {
                self.card(*paid);
                self.shop.act(act("retry", &self.names.subscriptions[*subscription]));
            }
            Step::Resume { subscription, .. } => {
                self.card(true);
                let id = self.names.subscriptions[*subscription].clone();
                self.shop.post(&format!("/subscriptions/{id}/resume"), json!({ "effective_from": "immediately" }));
                let newest = self.shop.get(&format!("/transactions?subscription_id={id}&per_page=1"));
                self.names.payments.push(text(&newest[0]["id"]));
            }
            Step::Change { subscription, items } => {
                let mut change = act("change_items", &self.names.subscriptions[*subscription]);
                change["items"] = self.items(items);
                self.shop.act(change);
            }
            Step::GiveUp { subscription, becomes } => {
                let mut end = act("give_up", &self.names.subscriptions[*subscription]);
                end["end"] = json!(if *becomes == Standing::Paused { "pause" } else { "cancel" });
                self.shop.act(end);
            }
            Step::End { subscription } => self.end(*subscription),
            Step::Pause { subscription } => self.steer(*subscription, "pause", json!("immediately")),
            Step::ScheduleEnd { subscription } => self.steer(*subscription, "cancel", Value::Null),
            Step::SchedulePause { subscription } => self.steer(*subscription, "pause", Value::Null),
            Step::Unschedule { subscription } => self.unschedule(*subscription),
            Step::PeriodEnds { subscription } => {
                self.shop.act(act("take_effect", &self.names.subscriptions[*subscription]));
            }
            _ => {}
        }
    }

    /// A transaction is paid at its checkout. Returns its id, and the subscription's if one begins.
    fn checkout(&mut self, items: Value, custom_data: Value, declined: u8, names_owner: bool) -> (String, Value) {
        let mut body = json!({ "items": items, "custom_data": custom_data });
        if self.names.customer.is_empty() && self.by_api && names_owner {
            let owner = json!({ "purchase_customer_id": OWNER });
            self.names.customer =
                self.shop.id("/customers", json!({ "email": EMAILS[self.truth.email], "custom_data": owner }));
            body["customer_id"] = json!(self.names.customer);
        }
        let transaction = match self.by_api {
            true => self.shop.id("/transactions", body),
            false => {
                let act = json!({ "act": "open_checkout", "items": body["items"], "custom_data": body["custom_data"] });
                text(&self.shop.act(act)["transaction"])
            }
        };
        let mut buyer = json!({ "email": EMAILS[self.truth.email], "country": "DE", "card": "declined" });
        for _ in 0..declined {
            self.shop.act(json!({ "act": "checkout", "transaction": transaction, "buyer": buyer }));
        }
        buyer["card"] = json!("success");
        let paid = self.shop.act(json!({ "act": "checkout", "transaction": transaction, "buyer": buyer }));
        self.names.customer = text(&paid["customer"]);
        if names_owner {
            self.name_owner();
        }
        (transaction, paid["subscription"].clone())
    }

    fn sign_up(&mut self, trial: bool, items: &Items, declined: u8, names_owner: bool) {
        for price in items.keys().filter(|price| self.trials[**price] != trial).copied().collect::<Vec<_>>() {
            self.trials[price] = trial;
            let period = trial.then(|| json!({ "interval": "day", "frequency": 14 }));
            let price = self.names.prices[price].clone();
            self.shop.patch(&format!("/prices/{price}"), json!({ "trial_period": period }));
        }
        let custom_data = if names_owner { json!({ "purchase_customer_id": OWNER }) } else { Value::Null };
        let (transaction, subscription) = self.checkout(self.items(items), custom_data, declined, names_owner);
        match trial {
            true => self.names.empty_payments.push(transaction),
            false => self.names.payments.push(transaction),
        }
        self.names.subscriptions.push(text(&subscription));
    }

    fn items(&self, items: &Items) -> Value {
        let item =
            |(price, quantity): (&usize, &u64)| json!({ "price_id": self.names.prices[*price], "quantity": quantity });
        items.iter().map(item).collect()
    }

    fn name_owner(&mut self) {
        self.edit_customer(json!({ "custom_data": { "purchase_customer_id": OWNER } }));
    }

    fn edit_customer(&mut self, fields: Value) {
        let customer = self.names.customer.clone();
        self.shop.patch(&format!("/customers/{customer}"), fields);
    }

    fn card(&mut self, works: bool) {
        self.shop.act(json!({ "act": "card", "customer": self.names.customer, "works": works }));
    }

    fn refund(&mut self, payment: usize, amount: i64, settled: bool) {
        let transaction = self.names.payments[payment].clone();
        let mut body = json!({ "action": "refund", "transaction_id": transaction, "reason": "of a story" });
        match amount == self.truth.refundable(payment) {
            true => body["type"] = json!("full"),
            false => body["items"] = self.parts(payment, amount),
        }
        let refund = self.shop.id("/adjustments", body);
        self.names.refunds.push(refund);
        if settled {
            self.settle(self.names.refunds.len() - 1, true);
        }
    }

    /// An amount, taken from what remains of the lines in their order.
    fn parts(&mut self, payment: usize, amount: i64) -> Value {
        let transaction = self.names.payments[payment].clone();
        let shown = self.shop.get(&format!("/transactions/{transaction}"));
        let adjustments = self.shop.get(&format!("/adjustments?transaction_id={transaction}&per_page=50"));
        let taken = |line: &Value| -> i64 {
            let adjustments = adjustments.as_array().into_iter().flatten();
            let counts = |it: &&Value| it["status"] == "approved" && it["action"] == "refund";
            let items = adjustments.filter(counts).flat_map(|it| it["items"].as_array().cloned().unwrap_or_default());
            items.filter(|item| item["item_id"] == line["id"]).map(|item| number(&item["amount"])).sum()
        };
        let (mut left, mut parts) = (amount, Vec::new());
        for line in shown["details"]["line_items"].as_array().into_iter().flatten() {
            let part = (number(&line["totals"]["total"]) - taken(line)).min(left);
            left -= part;
            if part > 0 {
                parts.push(json!({ "item_id": line["id"], "type": "partial", "amount": part.to_string() }));
            }
        }
        assert_eq!(left, 0, "the lines of {transaction} don't have {amount}");
        Value::Array(parts)
    }

    fn settle(&mut self, refund: usize, succeeds: bool) {
        let act = if succeeds { "approve_refund" } else { "reject_refund" };
        self.shop.act(json!({ "act": act, "adjustment": self.names.refunds[refund] }));
    }

    fn steer(&mut self, number: usize, call: &str, effective_from: Value) {
        let id = self.names.subscriptions[number].clone();
        self.shop.post(&format!("/subscriptions/{id}/{call}"), json!({ "effective_from": effective_from }));
    }

    fn unschedule(&mut self, number: usize) {
        let id = self.names.subscriptions[number].clone();
        self.shop.patch(&format!("/subscriptions/{id}"), json!({ "scheduled_change": null }));
    }

    fn end(&mut self, number: usize) {
        if self.truth.subscriptions[number].standing == Standing::PastDue {
            // A request would void what is owed, and the story keeps it as failed. When Paddle gives up, nothing
            // documents that it is voided.
            let id = self.names.subscriptions[number].clone();
            self.shop.act(json!({ "act": "give_up", "subscription": id, "end": "cancel" }));
            return;
        }
        if self.truth.subscriptions[number].is_scheduled() {
            self.unschedule(number);
        }
        self.steer(number, "cancel", json!("immediately"));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn number(value: &Value) -> i64 {
    text(value).parse().unwrap_or_else(|_| panic!("{value} is no number"))
}

/// The currency of the shop is that of the stories.
const _: () = assert!(matches!(CURRENCY.as_bytes(), b"EUR"));
