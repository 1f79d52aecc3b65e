//! Decides which events Paddle sends for each step of a story, in which order, as documented and recorded: a status
//! event and its counterpart `….updated` with the same observation, in either order.
//!
//! The dialect says which of the recorded oddities a story has: events before an object's creation, older states after
//! newer ones, a transaction that completes before its subscription is known, times that are zero or in the future.

use purchase_conformance::story::{
    DAY_SECONDS, EMAILS, Items, Names, OWNER, Scene, Span, Standing, Step, Story, Teller, Told, UNIT_AMOUNTS, Ways,
};
use serde_json::{Value, json};

use super::{
    shapes::{customer, items, period, price_name, subscription, time},
    shop::Shop,
};

/// The generator of Paddle's events.
pub(crate) struct PaddleTeller;

impl Teller for PaddleTeller {
    /// There are no guests and no unpaid subscriptions. An approved refund stays approved, and no event says that a
    /// dispute was lost.
    fn can(&self, step: &Step) -> bool {
        !matches!(
            step,
            Step::Buy { guest: true, .. }
                | Step::DisputeEnds { won: false, .. }
                | Step::FailRefund { .. }
                | Step::GiveUp { becomes: Standing::Unpaid, .. }
        )
    }

    fn tell(&self, story: &Story) -> Told {
        let mut telling = Telling {
            shop: Shop::new(story.seed),
            names: Names { prices: (0..UNIT_AMOUNTS.len()).map(price_name).collect(), ..Names::default() },
            met: false,
            subscriptions: Vec::new(),
            odd: story.dialect & 1 == 1,
            late: story.dialect & 2 == 2,
            misdated: story.dialect & 4 == 4,
        };
        for scene in &story.scenes {
            telling.shop.at(scene.at);
            telling.scene(scene);
        }
        Told { sent: telling.shop.sent, names: telling.names }
    }

    fn ways(&self) -> Ways {
        Ways { dunning_seconds: 30 * DAY_SECONDS, rejected_refund: "failed", keeps_period: false }
    }
}

pub(super) struct Telling {
    pub(super) shop: Shop,
    pub(super) names: Names,
    /// Whether the event of the customer's creation was sent.
    met: bool,
    pub(super) subscriptions: Vec<Billed>,
    /// Whether the later event comes first: `ready` before `created`, `activated` before `created`.
    pub(super) odd: bool,
    /// Whether events with older states come after newer ones, and a transaction completes before its subscription is known.
    pub(super) late: bool,
    /// Whether `updated_at` is zero on adjustments, and in the future on renewals.
    pub(super) misdated: bool,
}

pub(super) struct Billed {
    pub(super) id: String,
    pub(super) items: Items,
    pub(super) period: Span,
    trial: Option<Span>,
    custom_data: Value,
    pub(super) owed: Option<usize>,
}

impl Telling {
    fn scene(&mut self, scene: &Scene) {
        match &scene.step {
            Step::Buy { price, declined, names_owner, .. } => self.buy(*price, *declined, *names_owner),
            Step::SignUp { payment, items, period, declined, names_owner, .. } => {
                self.sign_up(payment.is_some(), items, *period, *declined, *names_owner);
            }
            Step::NameOwner => self.name_owner(),
            Step::Rename { email } => self.rewrite(json!({ "email": EMAILS[*email] })),
            Step::Noise => {
                self.shop.send_state("address.updated", json!({ "id": "add_01story0000000000000000000" }));
                self.shop.send_state("subscription.teleported", json!({ "id": "sub_1" }));
            }
            Step::Refund { payment, amount, settled, .. } => self.refund(*payment, *amount, *settled),
            Step::SettleRefund { refund, succeeds } => self.settle(*refund, *succeeds),
            Step::Dispute { payment, .. } => self.dispute(*payment),
            Step::DisputeEnds { dispute, .. } => self.reverse(*dispute),
            Step::Renew { subscription, period, lag, paid, .. } => {
                self.renew(*subscription, *period, scene.at + lag, *paid);
            }
            Step::Resume { subscription, period, .. } => self.resume(*subscription, *period, scene.at),
            Step::Retry { subscription, paid } => self.retry(*subscription, *paid, scene.at),
            Step::Change { subscription, items } => {
                self.subscriptions[*subscription].items.clone_from(items);
                let values = self.shown(*subscription);
                self.update(*subscription, values, &["subscription.updated"]);
            }
            Step::GiveUp { subscription, becomes: Standing::Paused, .. } | Step::Pause { subscription } => {
                self.pause(*subscription, scene.at);
            }
            Step::End { subscription } | Step::GiveUp { subscription, .. } => self.end(*subscription, scene.at),
            Step::PeriodEnds { subscription } => {
                let id = &self.subscriptions[*subscription].id;
                match self.shop.object(id)["scheduled_change"]["action"] == "pause" {
                    true => self.pause(*subscription, scene.at),
                    false => self.end(*subscription, scene.at),
                }
            }
            Step::ScheduleEnd { subscription } => self.schedule(*subscription, Some("cancel")),
            Step::SchedulePause { subscription } => self.schedule(*subscription, Some("pause")),
            Step::Unschedule { subscription } => self.schedule(*subscription, None),
            Step::FailRefund { .. } => {}
        }
    }

    /// The customer, who exists from the first purchase on.
    pub(super) fn customer(&mut self) -> String {
        if self.names.customer.is_empty() {
            self.names.customer = self.shop.make("ctm", customer(EMAILS[0]));
        }
        self.names.customer.clone()
    }

    /// The customer, whom the application knows.
    pub(super) fn meet(&mut self) -> String {
        let id = self.customer();
        if !self.met {
            self.met = true;
            self.shop.send(&id, &["customer.created"]);
        }
        id
    }

    /// The application names the owner of the customer; the custom data that a buyer can write into a checkout don't.
    pub(super) fn name_owner(&mut self) {
        self.rewrite(json!({ "custom_data": { "purchase_customer_id": OWNER } }));
    }

    fn rewrite(&mut self, values: Value) {
        let customer = self.meet();
        self.shop.change(&customer, values);
        self.shop.send(&customer, &["customer.updated"]);
    }

    /// The status event of a change and its counterpart.
    pub(super) fn counterparts<'a>(&self, word: &'a str, counterpart: &'a str) -> [&'a str; 2] {
        if self.odd { [counterpart, word] } else { [word, counterpart] }
    }

    /// Changes a subscription and sends the event.
    pub(super) fn update(&mut self, number: usize, values: Value, types: &[&str]) {
        let id = self.subscriptions[number].id.clone();
        self.shop.change(&id, values);
        self.shop.send(&id, types);
    }

    /// A subscription's items and period.
    fn shown(&self, number: usize) -> Value {
        let it = &self.subscriptions[number];
        json!({
            "items": items(&it.items, it.trial), "current_billing_period": period(it.period),
            "next_billed_at": time(it.period.end),
        })
    }

    fn sign_up(&mut self, paid: bool, bought: &Items, span: Span, declined: u8, names_owner: bool) {
        let custom_data = if names_owner { json!({ "purchase_customer_id": OWNER }) } else { Value::Null };
        let transaction = self.checkout(bought, true, if paid { None } else { Some(0) }, &custom_data);
        match paid {
            true => self.names.payments.push(transaction.clone()),
            false => self.names.empty_payments.push(transaction.clone()),
        }
        (0..declined).for_each(|_| self.decline(&transaction));
        self.pay(&transaction, span.start);

        let customer = self.meet();
        if names_owner {
            self.name_owner();
        }
        let number = self.subscriptions.len();
        let trial = (!paid).then_some(span);
        let id = self.shop.make("sub", subscription(&customer, if paid { "active" } else { "trialing" }));
        let billed = Billed {
            id: id.clone(),
            items: bought.clone(),
            period: span,
            trial,
            custom_data: custom_data.clone(),
            owed: None,
        };
        self.names.subscriptions.push(id.clone());
        self.subscriptions.push(billed);
        let mut values = self.shown(number);
        (values["custom_data"], values["started_at"]) = (custom_data, time(span.start));
        self.shop.change(&id, values);
        let begins = if paid { "subscription.activated" } else { "subscription.trialing" };
        if self.odd {
            self.shop.send(&id, &[begins]);
        }
        let mut created = self.shop.object(&id).clone();
        created["transaction_id"] = json!(transaction);
        self.shop.send_state("subscription.created", created);
        if !self.odd {
            self.shop.send(&id, &[begins]);
        }
        self.complete(&transaction, Some(&id));
    }

    fn renew(&mut self, number: usize, span: Span, collected_at: i64, paid: bool) {
        self.subscriptions[number].period = span;
        let mut values = self.shown(number);
        values["status"] = json!("active");
        let id = self.subscriptions[number].id.clone();
        let activates = self.shop.object(&id)["status"] == "trialing";
        self.shop.change(&id, values);
        if self.misdated {
            self.shop.misdate(&id, time(span.end));
        }
        match activates {
            true => self.shop.send(&id, &self.counterparts("subscription.activated", "subscription.updated")),
            false => self.shop.send(&id, &["subscription.updated"]),
        }
        let transaction = self.bill(number);
        self.shop.at(collected_at);
        match paid {
            true => {
                self.pay(&transaction, collected_at);
                self.complete(&transaction, Some(&id));
            }
            false => {
                self.subscriptions[number].owed = Some(self.names.payments.len() - 1);
                self.fall_behind(&transaction);
                let counterparts = self.counterparts("subscription.past_due", "subscription.updated");
                self.update(number, json!({ "status": "past_due" }), &counterparts);
            }
        }
    }

    fn retry(&mut self, number: usize, paid: bool, at: i64) {
        let owed = self.subscriptions[number].owed.expect("an open payment");
        let transaction = self.names.payments[owed].clone();
        if !paid {
            self.decline(&transaction);
            return;
        }
        self.pay(&transaction, at);
        let id = self.subscriptions[number].id.clone();
        self.complete(&transaction, Some(&id));
        self.update(number, json!({ "status": "active" }), &["subscription.updated"]);
    }

    fn resume(&mut self, number: usize, span: Span, at: i64) {
        self.subscriptions[number].period = span;
        let mut values = self.shown(number);
        (values["status"], values["paused_at"]) = (json!("active"), Value::Null);
        self.update(number, values, &self.counterparts("subscription.resumed", "subscription.updated"));
        let transaction = self.bill(number);
        self.pay(&transaction, at);
        let id = self.subscriptions[number].id.clone();
        self.complete(&transaction, Some(&id));
        self.shop.send(&id, &["subscription.updated"]);
    }

    fn pause(&mut self, number: usize, at: i64) {
        let values = json!({
            "status": "paused", "paused_at": time(at), "current_billing_period": null, "next_billed_at": null,
            "scheduled_change": null,
        });
        self.update(number, values, &self.counterparts("subscription.paused", "subscription.updated"));
    }

    fn end(&mut self, number: usize, at: i64) {
        let values = json!({
            "status": "canceled", "canceled_at": time(at), "current_billing_period": null, "next_billed_at": null,
            "scheduled_change": null,
        });
        self.update(number, values, &self.counterparts("subscription.canceled", "subscription.updated"));
    }

    /// Schedules a change for the end of the period, or cancels it.
    fn schedule(&mut self, number: usize, action: Option<&str>) {
        let end = time(self.subscriptions[number].period.end);
        let change = action.map(|action| json!({ "action": action, "effective_at": end, "resume_at": null }));
        let next = if action.is_some() { &Value::Null } else { &end };
        self.update(number, json!({ "scheduled_change": change, "next_billed_at": next }), &["subscription.updated"]);
    }

    /// The data that a subscription's transactions copy from it.
    pub(super) fn copied(&self, number: usize) -> Value {
        let it = &self.subscriptions[number];
        json!({
            "subscription_id": it.id, "customer_id": self.names.customer, "custom_data": it.custom_data,
            "billing_period": period(it.period),
        })
    }
}
