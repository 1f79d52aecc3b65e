//! Decides what events show, and when they occurred. Every change and every event has a microsecond of its own, unless
//! one of the account's oddities says otherwise.

use purchase_emulator::{Event, Reply, Shared};
use serde_json::{Value, json};

use crate::{Paddle, fault::Fault, ids, times};

/// Go's zero time.
pub(crate) const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

impl Paddle {
    /// The next microsecond that nothing else has. It may be some milliseconds ahead of the clock.
    pub(crate) fn tick(&mut self, shared: &mut Shared) -> i64 {
        let step = 1 + i64::try_from(shared.draw.below(1500)).unwrap_or_default();
        self.clock = self.clock.max(shared.now) + step;
        self.clock
    }

    /// An object as webhooks show it.
    pub(crate) fn entity(&self, id: &str) -> Option<Value> {
        let kind = id.split('_').next().unwrap_or_default();
        let view = match kind {
            "add" => self.addresses.get(id).map(crate::customers::Address::view),
            "adj" => self.adjustments.get(id).map(crate::adjustment::Adjustment::view),
            "ctm" => self.customers.get(id).map(crate::customers::Customer::view),
            "pri" => self.prices.get(id).map(crate::catalog::Price::view),
            "pro" => self.products.get(id).map(crate::catalog::Product::view),
            "sub" => self.subscriptions.get(id).map(crate::subscription::Subscription::view),
            "txn" => self.transactions.get(id).map(|it| self.transaction_view(it)),
            _ => None,
        };
        view.map(|view| self.dated(view))
    }

    /// Answers with an object as the API shows it.
    pub(crate) fn shown(&self, status: u16, id: &str) -> Reply {
        let view = match self.subscriptions.get(id) {
            Some(subscription) => Some(self.dated(self.subscription_view(subscription))),
            None => self.entity(id),
        };
        match view {
            Some(data) => Reply::json(status, &json!({ "data": data })),
            None => Fault::not_found(id).reply(),
        }
    }

    /// An object as the next event about it shows it.
    pub(crate) fn told(&mut self, shared: &mut Shared, id: &str) -> Value {
        let mut data = self.entity(id).unwrap_or_default();
        if let Some(time) = self.misdated.get(id) {
            data["updated_at"] = json!(time);
        } else if let Some(changed) = self.transactions.get(id).map(|it| it.times.changed) {
            let is_first = self.told.insert(id.to_owned(), changed) != Some(changed);
            if is_first && shared.draw.percent(self.account.oddities.nanoseconds) {
                data["updated_at"] = json!(times::nanoseconds(changed, shared.draw.below(1000)));
            }
        }
        data
    }

    /// Events show another time of the last change, until the object changes again.
    pub(crate) fn misdate(&mut self, id: &str, updated_at: String) {
        self.misdated.insert(id.to_owned(), updated_at);
    }

    /// Adds an event that shows an object as it is.
    pub(crate) fn emit(&mut self, shared: &mut Shared, event_type: &str, id: &str) {
        let data = self.told(shared, id);
        self.emit_data(shared, event_type, id, data);
    }

    /// Adds an event that shows something else of an object.
    pub(crate) fn emit_data(&mut self, shared: &mut Shared, event_type: &str, id: &str, data: Value) {
        self.tick(shared);
        self.record(shared, event_type, id, data);
    }

    /// Adds two events with one time.
    pub(crate) fn emit_at_once(&mut self, shared: &mut Shared, types: [&str; 2], id: &str) {
        self.tick(shared);
        for event_type in types {
            let data = self.told(shared, id);
            self.record(shared, event_type, id, data);
        }
    }

    /// Adds the events of a new status: the update, and the one of the status itself.
    pub(crate) fn emit_status(&mut self, shared: &mut Shared, status: &str, id: &str) {
        let kind = status.split('.').next().unwrap_or_default();
        let updated = format!("{kind}.updated");
        let types = match shared.draw.percent(self.account.oddities.status_before_updated) {
            true => [status, updated.as_str()],
            false => [updated.as_str(), status],
        };
        for event_type in types {
            self.emit(shared, event_type, id);
        }
    }

    fn record(&mut self, shared: &mut Shared, event_type: &str, id: &str, data: Value) {
        let created = shared.stamp(id);
        let occurred = created + self.clock - shared.now;
        let event_id = ids::id("evt", occurred, &mut shared.draw);
        let body = json!({
            "event_id": event_id, "event_type": event_type, "occurred_at": times::text(occurred), "data": data,
        });
        let event_type = event_type.to_owned();
        shared.emit(Event { id: event_id, event_type, object: id.to_owned(), created, body });
    }
}
