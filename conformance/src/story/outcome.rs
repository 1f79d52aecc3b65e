//! Decides what the canonical projection must show at the end of a story, read at several clocks. Access follows the
//! documented default policy. A trialing or active subscription gives access until three days after the last known
//! period. A past-due one gives access while the provider still tries, up to its longest dunning. A paused, unpaid or
//! ended one gives none. A purchase gives access unless its money went back.

use std::collections::BTreeMap;

use purchase_core::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    scenario::{Expectation, Expected},
    story::{
        CURRENCY, DAY_SECONDS, EMAILS, Movement, Names, OWNER, Payment, Standing, Subscription, Ways, World, offer,
    },
};

/// How long access continues after a period if there is no news of the next one.
const SLACK_SECONDS: i64 = 3 * DAY_SECONDS;

/// The largest difference between the provider's clock and the story's when a renewal fails.
const UNSURE_SECONDS: i64 = 60;

/// The clocks at which the projection is read: now, around every known end, and long after.
pub fn clocks(world: &World, ways: Ways) -> Vec<i64> {
    let ends = world.subscriptions.iter().flat_map(|it| {
        let slack = it.period.end + SLACK_SECONDS;
        [Some(it.period.end), it.cancel_at, it.pause_at, it.ended_at, Some(slack)]
    });
    let mut clocks: Vec<i64> = ends.flatten().flat_map(|end| [end - 1, end]).filter(|at| *at >= world.now).collect();
    let behind = world.subscriptions.iter().filter_map(|it| it.behind_since);
    let lapses: Vec<i64> = behind.map(|since| since + ways.dunning_seconds).collect();
    // Closer to a lapse, the result is not determined.
    clocks.retain(|at| lapses.iter().all(|lapse| (at - lapse).abs() >= UNSURE_SECONDS));
    let around = lapses.iter().flat_map(|lapse| [lapse - UNSURE_SECONDS, lapse + UNSURE_SECONDS]);
    clocks.extend(around.filter(|at| *at >= world.now));
    clocks.extend([world.now, world.now + 400 * DAY_SECONDS]);
    clocks.sort_unstable();
    clocks.dedup();
    clocks
}

/// The expectations at the end of a story, read at a clock.
pub fn expectations(world: &World, names: &Names, ways: Ways, as_of: i64) -> Vec<Expectation> {
    let mut all = Outcome { names, ways, expectations: Vec::new() };
    all.count("/parked", 0);
    all.count("/ambiguous", 0);
    if world.met {
        let customer = format!("/customers/{}", names.customer);
        all.is(format!("{customer}/email"), json!(EMAILS[world.email]));
        all.maybe(format!("{customer}/customer"), world.owned.then(|| json!(OWNER)));
    }
    all.count("/customers", usize::from(world.met));
    all.subscriptions(world);
    all.payments(world);
    all.movements(world);
    all.entitlements(world, as_of);
    all.expectations
}

struct Outcome<'a> {
    names: &'a Names,
    ways: Ways,
    expectations: Vec<Expectation>,
}

impl Outcome<'_> {
    fn subscriptions(&mut self, world: &World) {
        self.count("/subscriptions", world.subscriptions.len());
        for (it, id) in world.subscriptions.iter().zip(&self.names.subscriptions) {
            let at = |field: &str| format!("/subscriptions/{id}/{field}");
            let items: Map<String, Value> =
                it.items.iter().map(|(price, quantity)| (self.names.prices[*price].clone(), json!(quantity))).collect();
            let stopped = matches!(it.standing, Standing::Canceled | Standing::Paused);
            let period = json!({ "start": time(it.period.start), "end": time(it.period.end) });
            self.is(at("state"), json!(state(it.standing)));
            self.is(at("items"), Value::Object(items));
            self.is(at("customer"), json!(self.names.customer));
            if self.ways.keeps_period || !stopped {
                self.is(at("current_period"), period);
            }
            self.maybe(at("trial_end"), it.trial_end.map(time));
            self.maybe(at("ended_at"), it.ended_at.map(time));
            self.maybe(at("pause_at"), it.pause_at.map(time));
            // After the end has come, some providers still show it as scheduled, and others don't.
            if it.standing != Standing::Canceled {
                self.maybe(at("cancel_at"), it.cancel_at.map(time));
            }
        }
    }

    fn payments(&mut self, world: &World) {
        self.count("/payments", world.payments.len() + self.names.empty_payments.len());
        for (number, (it, id)) in world.payments.iter().zip(&self.names.payments).enumerate() {
            let at = |field: &str| format!("/payments/{id}/{field}");
            let dispute = match world.dispute_of(number).map(|dispute| dispute.won) {
                None => "none",
                Some(None) => "open",
                Some(Some(true)) => "won",
                Some(Some(false)) => "lost",
            };
            self.is(at("state"), json!(if it.paid { "succeeded" } else { "failed" }));
            self.is(at("amount"), json!(it.amount));
            self.is(at("currency"), json!(CURRENCY));
            self.is(at("refunded"), json!(world.refunded(number)));
            self.is(at("dispute"), json!(dispute));
            self.is(at("attempts"), json!(it.attempts));
            self.maybe(at("customer"), (!it.guest).then(|| json!(self.names.customer)));
            if it.paid {
                let subscription = it.subscription.map(|number| json!(self.names.subscriptions[number]));
                self.maybe(at("subscription"), subscription);
            }
        }
    }

    fn movements(&mut self, world: &World) {
        self.count("/refunds", world.refunds.len());
        for (it, id) in world.refunds.iter().zip(&self.names.refunds) {
            let state = match it.movement {
                Movement::Failed => "failed",
                Movement::Pending => "pending",
                Movement::Rejected => self.ways.rejected_refund,
                Movement::Succeeded => "succeeded",
            };
            let payment = &self.names.payments[it.payment];
            let entry = json!({ "state": state, "amount": it.amount, "currency": CURRENCY, "payment": payment });
            self.is(format!("/refunds/{id}"), entry);
        }
        self.count("/disputes", world.disputes.len());
        for (it, id) in world.disputes.iter().zip(&self.names.disputes) {
            let state = match it.won {
                None => "open",
                Some(true) => "won",
                Some(false) => "lost",
            };
            self.is(format!("/disputes/{id}/state"), json!(state));
            self.is(format!("/disputes/{id}/amount"), json!(world.payments[it.payment].amount));
            self.is(format!("/disputes/{id}/payment"), json!(self.names.payments[it.payment]));
        }
    }

    fn entitlements(&mut self, world: &World, as_of: i64) {
        let customer = if world.owned { ("entitlements", OWNER) } else { ("unlinked", self.names.customer.as_str()) };
        let mut all: BTreeMap<(&str, &str), BTreeMap<String, Benefit>> = BTreeMap::new();
        for (it, id) in world.subscriptions.iter().zip(&self.names.subscriptions) {
            let benefits = all.entry(customer).or_default();
            let access = subscription_access(it, self.ways);
            for (price, quantity) in &it.items {
                benefits.entry(offer(*price)).or_default().join(id, *quantity, access, as_of);
            }
        }
        for (number, (it, id)) in world.payments.iter().zip(&self.names.payments).enumerate() {
            let Some(price) = it.bought else { continue };
            let benefits = all.entry(if it.guest { ("entitlements", OWNER) } else { customer }).or_default();
            benefits.entry(offer(price)).or_default().join(id, 1, purchase_access(world, number, it), as_of);
        }
        for map in ["entitlements", "unlinked"] {
            self.count(&format!("/{map}"), all.keys().filter(|(of, _)| *of == map).count());
        }
        for ((map, key), benefits) in all {
            self.count(&format!("/{map}/{key}"), benefits.len());
            for (name, it) in benefits {
                let at = |field: &str| format!("/{map}/{key}/{name}/{field}");
                let access = !it.ends.is_empty();
                self.is(at("access"), json!(access));
                self.maybe(at("quantity"), access.then_some(json!(it.quantity)));
                self.is(at("sources"), json!(it.sources));
                if !it.unsure {
                    let ends: Option<Vec<i64>> = it.ends.iter().copied().collect();
                    self.maybe(at("until"), ends.and_then(|ends| ends.into_iter().max()).map(time));
                }
            }
        }
    }

    fn is(&mut self, at: String, value: Value) {
        self.expectations.push(Expectation { at, expected: Expected::Is(value), line: 0 });
    }

    fn maybe(&mut self, at: String, value: Option<Value>) {
        let expected = value.map_or(Expected::Absent, Expected::Is);
        self.expectations.push(Expectation { at, expected, line: 0 });
    }

    fn count(&mut self, at: &str, count: usize) {
        self.expectations.push(Expectation { at: at.to_owned(), expected: Expected::Count(count), line: 0 });
    }
}

/// How long access lasts.
#[derive(Clone, Copy)]
enum Access {
    None,
    Until(i64),
    /// Until approximately then, because a provider reports a failed renewal a moment later.
    About(i64),
    Unlimited,
}

fn subscription_access(it: &Subscription, ways: Ways) -> Access {
    let scheduled = [it.cancel_at, it.pause_at].into_iter().flatten().min();
    match it.standing {
        Standing::PastDue => {
            let lapse = it.behind_since.unwrap_or(i64::MAX).saturating_add(ways.dunning_seconds);
            scheduled.filter(|end| *end < lapse).map_or(Access::About(lapse), Access::Until)
        }
        Standing::Active | Standing::Trialing => {
            let slack = it.period.end + SLACK_SECONDS;
            Access::Until(scheduled.map_or(slack, |end| end.min(slack)))
        }
        Standing::Canceled | Standing::Paused | Standing::Unpaid => Access::None,
    }
}

fn purchase_access(world: &World, number: usize, it: &Payment) -> Access {
    let disputed = world.dispute_of(number).is_some_and(|dispute| dispute.won != Some(true));
    match it.paid && !disputed && world.refunded(number) < it.amount {
        true => Access::Unlimited,
        false => Access::None,
    }
}

/// One benefit, combined over all its sources.
#[derive(Default)]
struct Benefit {
    sources: Vec<String>,
    /// The end of access of each source that gives it.
    ends: Vec<Option<i64>>,
    /// Whether one of the ends is approximate.
    unsure: bool,
    quantity: u64,
}

impl Benefit {
    fn join(&mut self, source: &str, quantity: u64, access: Access, as_of: i64) {
        self.sources.push(source.to_owned());
        self.sources.sort();
        let end = match access {
            Access::None => return,
            Access::Until(end) | Access::About(end) if as_of >= end => return,
            Access::Until(end) => Some(end),
            Access::About(end) => {
                self.unsure = true;
                Some(end)
            }
            Access::Unlimited => None,
        };
        self.ends.push(end);
        self.quantity += quantity;
    }
}

fn state(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Canceled => "canceled",
        Standing::PastDue | Standing::Unpaid => "grace",
        Standing::Paused => "paused",
        Standing::Trialing => "trialing",
    }
}

fn time(seconds: i64) -> Value {
    json!(Timestamp::EPOCH.plus_seconds(seconds).to_string())
}
