//! Decides which events Stripe sends for each step of a story, in which order, as documented and recorded.
//!
//! The dialect says which API version the endpoint is pinned to, or that it is upgraded in the middle; whether a
//! session follows a second later and is the only object that names what was sold; whether bursts continue past a
//! second; and whether one change causes two events.

use purchase_conformance::story::{
    CURRENCY, DAY_SECONDS, EMAILS, Items, Names, OWNER, Scene, Span, Standing, Step, Story, Teller, Told, UNIT_AMOUNTS,
    Ways, cost, offer,
};
use serde_json::{Value, json};

use super::shop::{Shop, Version, template};

/// The generator of Stripe's events.
pub(crate) struct StripeTeller;

impl Teller for StripeTeller {
    /// A pause can't be scheduled without a schedule.
    fn can(&self, step: &Step) -> bool {
        !matches!(step, Step::SchedulePause { .. })
    }

    fn tell(&self, story: &Story) -> Told {
        let (pinned, manner) = (story.dialect % 3, story.dialect / 3);
        let newest = if manner & 1 == 0 { Version::Endive } else { Version::Dahlia };
        let mut telling = Telling {
            shop: Shop::new(story.seed),
            names: Names {
                prices: (0..UNIT_AMOUNTS.len()).map(|it| format!("price_{it}")).collect(),
                ..Names::default()
            },
            customer: None,
            subscriptions: Vec::new(),
            payments: Vec::new(),
            at_length: manner & 2 == 2,
            untold: false,
        };
        telling.shop.slow = manner & 3 == 3;
        for (place, scene) in story.scenes.iter().enumerate() {
            telling.shop.version = match pinned {
                0 => newest,
                1 => Version::Old,
                _ if place < story.scenes.len() / 2 => Version::Old,
                _ => newest,
            };
            telling.shop.now = scene.at;
            telling.scene(scene);
        }
        Told { sent: telling.shop.sent, names: telling.names }
    }

    fn ways(&self) -> Ways {
        Ways { dunning_seconds: 61 * DAY_SECONDS, rejected_refund: "failed", keeps_period: true }
    }
}

pub(super) struct Telling {
    pub(super) shop: Shop,
    pub(super) names: Names,
    pub(super) customer: Option<String>,
    pub(super) subscriptions: Vec<Billed>,
    pub(super) payments: Vec<Due>,
    /// Whether sessions follow a second later and are the only objects that name what was sold, and the first event of
    /// a first invoice comes when it is paid: then even `invoice.created` shows it as paid.
    pub(super) at_length: bool,
    /// Whether no event of an invoice was sent yet.
    pub(super) untold: bool,
}

pub(super) struct Billed {
    pub(super) id: String,
    pub(super) items: Items,
    pub(super) period: Span,
    pub(super) metadata: Value,
    pub(super) last: Option<usize>,
}

/// A requested payment: an intent, and the invoice that it pays.
#[derive(Clone)]
pub(super) struct Due {
    pub(super) intent: String,
    pub(super) invoice: Option<String>,
}

impl Telling {
    fn scene(&mut self, scene: &Scene) {
        match &scene.step {
            Step::Buy { price, declined, guest, names_owner, .. } => self.buy(*price, *declined, *guest, *names_owner),
            Step::SignUp { payment, items, period, declined, names_owner, .. } => {
                self.sign_up(payment.is_some(), items, *period, *declined, *names_owner);
            }
            Step::NameOwner => self.name_owner(),
            Step::Rename { email } => self.rewrite(json!({ "email": EMAILS[*email] })),
            Step::Noise => {
                self.shop
                    .raw("payment_method.attached", json!({ "object": { "id": "pm_1", "object": "payment_method" } }));
                self.shop.raw("billing.quantum_meter.entangled", json!({ "object": { "object": "quantum_meter" } }));
            }
            Step::Refund { payment, amount, settled, .. } => self.refund(*payment, *amount, *settled),
            Step::SettleRefund { refund, succeeds } => self.settle(*refund, *succeeds),
            Step::FailRefund { refund } => self.settle(*refund, false),
            Step::Dispute { payment, .. } => self.dispute(*payment),
            Step::DisputeEnds { dispute, won } => self.dispute_ends(*dispute, *won),
            Step::Renew { subscription, period, lag, paid, .. } => self.renew(*subscription, *period, *lag, *paid),
            Step::Resume { subscription, period, .. } => self.resume(*subscription, *period),
            Step::Retry { subscription, paid } => self.retry(*subscription, *paid),
            Step::Change { subscription, items } => {
                self.subscriptions[*subscription].items.clone_from(items);
                self.update(*subscription, json!({}));
            }
            Step::End { subscription } | Step::PeriodEnds { subscription } => self.end(*subscription),
            Step::GiveUp { subscription, becomes } => match becomes {
                Standing::Canceled => self.end(*subscription),
                Standing::Paused => self.pause(*subscription, "final_payment_failure"),
                _ => self.update(*subscription, json!({ "status": "unpaid" })),
            },
            Step::Pause { subscription } => self.pause(*subscription, "pause_requested"),
            Step::ScheduleEnd { subscription } => {
                let end = self.subscriptions[*subscription].period.end;
                self.update(
                    *subscription,
                    canceling(json!(end), true, json!(scene.at), json!("cancellation_requested")),
                );
            }
            Step::Unschedule { subscription } => {
                self.update(*subscription, canceling(Value::Null, false, Value::Null, Value::Null));
            }
            Step::SchedulePause { .. } => {}
        }
    }

    fn meet(&mut self) -> String {
        if let Some(customer) = &self.customer {
            return customer.clone();
        }
        let values = json!({ "email": EMAILS[0], "metadata": {} });
        let customer = self.shop.make("cus", "checkout-expired/deliveries/001-customer.created.json", values);
        self.shop.send("customer.created", &customer);
        self.names.customer.clone_from(&customer);
        self.customer = Some(customer.clone());
        customer
    }

    /// The owner is named on a running subscription, or on the customer.
    fn name_owner(&mut self) {
        let metadata = json!({ "purchase_customer_id": OWNER });
        let runs = |it: &&Billed| self.shop.object(&it.id)["ended_at"].is_null();
        match self.subscriptions.iter().rfind(runs).map(|it| it.id.clone()).filter(|_| self.at_length) {
            None => self.rewrite(json!({ "metadata": metadata })),
            Some(subscription) => {
                let before = self.shop.change(&subscription, json!({ "metadata": metadata }));
                self.shop.send_change("customer.subscription.updated", &subscription, &before);
            }
        }
    }

    /// Changes the customer.
    fn rewrite(&mut self, values: Value) {
        let customer = self.meet();
        let before = self.shop.change(&customer, values);
        self.shop.send_change("customer.updated", &customer, &before);
    }

    fn buy(&mut self, price: usize, declined: u8, guest: bool, names_owner: bool) {
        let customer = if guest { Value::Null } else { json!(self.meet()) };
        let mut metadata = json!({ "purchase_offer_id": offer(price) });
        if names_owner {
            metadata["purchase_customer_id"] = json!(OWNER);
        }
        let of_payment = if self.at_length { json!({}) } else { metadata.clone() };
        let amount = cost(&Items::from([(price, 1)]));
        let due = self.intent(amount, customer.clone(), of_payment, None);
        (0..declined).for_each(|_| self.decline(&due));
        self.succeed(&due);
        self.complete(json!({
            "mode": "payment", "customer": customer, "subscription": null, "invoice": null,
            "payment_intent": due.intent, "payment_status": "paid", "metadata": metadata,
        }));
    }

    fn sign_up(&mut self, paid: bool, items: &Items, period: Span, declined: u8, names_owner: bool) {
        let customer = self.meet();
        let metadata = if names_owner { json!({ "purchase_customer_id": OWNER }) } else { json!({}) };
        let trial = (!paid).then_some(period);
        // Before basil the subscription comes first and waits for its payment.
        let waits = self.shop.version == Version::Old && paid;
        let status = match trial {
            Some(_) => "trialing",
            None if waits => "incomplete",
            None => "active",
        };
        let fixture = "pause-and-resume/deliveries/001-customer.subscription.created.json";
        let id =
            self.shop.make("sub", fixture, json!({ "customer": customer, "status": status, "metadata": metadata }));
        self.names.subscriptions.push(id.clone());
        let number = self.subscriptions.len();
        self.subscriptions.push(Billed {
            id: id.clone(),
            items: items.clone(),
            period,
            metadata: metadata.clone(),
            last: None,
        });
        self.untold = self.at_length && declined == 0;
        let invoice = self.invoice(number, "subscription_create", if paid { cost(items) } else { 0 });
        let shown = self.shown(
            number,
            json!({
                "latest_invoice": invoice, "trial_start": trial.map(|it| it.start), "trial_end": trial.map(|it| it.end),
                "cancel_at": null, "cancel_at_period_end": false, "canceled_at": null, "ended_at": null,
            }),
        );
        self.shop.change(&id, shown);
        if waits {
            self.shop.send("customer.subscription.created", &id);
        }
        self.open(&invoice);
        if paid {
            let due = self.intent(cost(items), json!(customer), json!({}), Some(invoice.clone()));
            self.subscriptions[number].last = Some(self.payments.len() - 1);
            (0..declined).for_each(|_| self.decline(&due));
            self.succeed(&due);
        } else {
            self.paid(&invoice);
        }
        match waits {
            true => self.update(number, json!({ "status": "active" })),
            false => self.shop.send("customer.subscription.created", &id),
        }
        self.complete(json!({
            "mode": "subscription", "customer": customer, "subscription": id, "invoice": invoice,
            "payment_intent": null, "payment_status": if paid { "paid" } else { "no_payment_required" },
            "metadata": metadata,
        }));
    }

    fn complete(&mut self, mut values: Value) {
        values["status"] = json!("complete");
        values["currency"] = json!(CURRENCY.to_lowercase());
        let fixture = "purchase-by-card/deliveries/004-checkout.session.completed.json";
        let session = self.shop.make("cs", fixture, values);
        self.shop.now += i64::from(self.at_length);
        self.shop.send("checkout.session.completed", &session);
        self.shop.now -= i64::from(self.at_length);
    }

    /// Changes a subscription and sends the event.
    fn update(&mut self, number: usize, values: Value) {
        let shown = self.shown(number, values);
        let id = self.subscriptions[number].id.clone();
        let before = self.shop.change(&id, shown);
        self.shop.send_change("customer.subscription.updated", &id, &before);
    }

    /// Some values of a subscription, and its items.
    fn shown(&self, number: usize, mut values: Value) -> Value {
        let it = &self.subscriptions[number];
        let sample = template("pause-and-resume/deliveries/001-customer.subscription.created.json");
        let line = |(price, quantity): (&usize, &u64)| {
            let mut line = sample["items"]["data"][0].clone();
            let name = &self.names.prices[*price];
            line["id"] = json!(format!("si_{name}_{}", it.id));
            (line["price"]["id"], line["plan"]["id"]) = (json!(name), json!(name));
            (line["quantity"], line["subscription"]) = (json!(quantity), json!(it.id));
            (line["current_period_start"], line["current_period_end"]) = (json!(it.period.start), json!(it.period.end));
            line
        };
        let lines: Vec<Value> = it.items.iter().map(line).collect();
        let mut items = sample["items"].clone();
        (items["total_count"], items["data"]) = (json!(lines.len()), Value::Array(lines));
        values["items"] = items;
        values["quantity"] = if it.items.len() == 1 { json!(it.items.values().next()) } else { Value::Null };
        values
    }

    fn renew(&mut self, number: usize, period: Span, lag: i64, paid: bool) {
        self.subscriptions[number].period = period;
        let invoice = self.next_invoice(number);
        self.update(number, json!({ "latest_invoice": invoice, "status": "active" }));
        self.shop.now += lag;
        let due = self.bill(number, &invoice);
        match paid {
            true => self.succeed(&due),
            false => {
                self.decline(&due);
                self.update(number, json!({ "status": "past_due" }));
            }
        }
    }

    fn retry(&mut self, number: usize, paid: bool) {
        let due = self.payments[self.subscriptions[number].last.expect("an open payment")].clone();
        match paid {
            true => {
                self.succeed(&due);
                self.update(number, json!({ "status": "active" }));
            }
            false => self.decline(&due),
        }
    }

    fn resume(&mut self, number: usize, period: Span) {
        self.subscriptions[number].period = period;
        let invoice = self.next_invoice(number);
        let values = json!({
            "status": "active", "latest_invoice": invoice, "billing_cycle_anchor": period.start, "status_details": null,
        });
        self.update(number, values);
        self.shop.send("customer.subscription.resumed", &self.subscriptions[number].id.clone());
        let due = self.bill(number, &invoice);
        self.succeed(&due);
    }

    fn pause(&mut self, number: usize, reason: &str) {
        let details = json!({ "paused": { "type": reason, "transitioned_at": self.shop.now } });
        self.update(number, json!({ "status": "paused", "status_details": details }));
        self.shop.send("customer.subscription.paused", &self.subscriptions[number].id.clone());
    }

    fn end(&mut self, number: usize) {
        let id = self.subscriptions[number].id.clone();
        let now = self.shop.now;
        self.shop.change(&id, json!({ "status": "canceled", "ended_at": now, "canceled_at": now }));
        self.shop.send("customer.subscription.deleted", &id);
    }
}

fn canceling(cancel_at: Value, at_period_end: bool, canceled_at: Value, reason: Value) -> Value {
    json!({
        "cancel_at": cancel_at, "cancel_at_period_end": at_period_end, "canceled_at": canceled_at,
        "cancellation_details": { "comment": null, "feedback": null, "reason": reason },
    })
}
