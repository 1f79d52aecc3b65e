//! Decides how events and notifications are listed, and how a notification is replayed. A notification is one delivery
//! of an event.

use purchase_emulator::{
    Call, Event, Reply, Shared,
    queue::{Outcome, Record},
};
use serde_json::{Value, json};

use crate::{
    Paddle,
    event_types::EVENT_TYPES,
    fault::Fault,
    fields::Fields,
    ids,
    query::{Filter, KEPT_MICROS, Listing, Query, list},
    times,
};

/// The only destination of notifications.
const DESTINATION: &str = "ntfset_01emulator0000000000000000";

impl Paddle {
    pub(crate) fn event_types(call: &Call<'_>) -> Result<Reply, Fault> {
        Query::of(call).finish(&[])?;
        let all = EVENT_TYPES.iter().map(|(name, description)| {
            let group = name.split('.').next().unwrap_or_default().replace('_', " ");
            let group = format!("{}{}", group[..1].to_uppercase(), &group[1..]);
            json!({ "name": name, "description": description, "group": group, "available_versions": [1] })
        });
        Ok(Reply::json(200, &json!({ "data": all.collect::<Vec<_>>() })))
    }

    pub(crate) fn events(&self, shared: &Shared, call: &Call<'_>) -> Result<Reply, Fault> {
        let kept = shared.events().iter().filter(|it| it.created > shared.now - KEPT_MICROS);
        let listing = Listing {
            base_url: self.account.base_url.clone(),
            path: call.route(),
            per_page: (50, 200),
            filters: &[Filter::In("event_type", "/event_type")],
            applied: &[],
            missing: &[],
            id: "event_id",
        };
        list(call, &listing, kept.map(|it| it.body.clone()).collect())
    }

    pub(crate) fn notifications(&self, shared: &Shared, call: &Call<'_>) -> Result<Reply, Fault> {
        // The filter by an entity and the times are not those of other lists.
        let mut query = Query::of(call);
        let filter = query.read("filter");
        let (from, to) = (query.time("from"), query.time("to"));
        let listing = Listing {
            base_url: self.account.base_url.clone(),
            path: call.route(),
            per_page: (50, 200),
            filters: &[Filter::In("status", "/status")],
            applied: &["filter", "from", "to"],
            missing: &["notification_setting_id", "search"],
            id: "id",
        };
        let about = |event: &Event| {
            let data = &event.body["data"];
            let names = ["id", "customer_id", "subscription_id", "transaction_id"];
            filter.as_ref().is_none_or(|id| names.iter().any(|name| data[*name] == json!(id)))
        };
        let found = self.kept(shared).filter(|(_, _, event)| {
            let at = event.created;
            about(event) && from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
        });
        let views = found.map(|(number, record, event)| self.view(shared, number, record, event)).collect();
        list(call, &listing, views)
    }

    pub(crate) fn notification(&self, shared: &Shared, id: &str) -> Result<Reply, Fault> {
        let (number, record, event) = self.find(shared, id)?;
        Ok(Reply::json(200, &json!({ "data": self.view(shared, number, record, event) })))
    }

    pub(crate) fn notification_logs(&self, shared: &Shared, id: &str, call: &Call<'_>) -> Result<Reply, Fault> {
        let (number, record, _) = self.find(shared, id)?;
        let logs = record.attempts.iter().enumerate().map(|(place, attempt)| {
            let seed = number * 100 + place as u64;
            json!({
                "id": ids::notification(seed, attempt.at).replace("ntf_", "ntflog_"),
                // No document says what stands for a receiver that gave no answer.
                "response_code": attempt.status.unwrap_or(0), "response_content_type": null, "response_body": "",
                "attempted_at": times::text(attempt.at),
            })
        });
        let listing = Listing {
            base_url: self.account.base_url.clone(),
            path: call.route(),
            per_page: (50, 200),
            filters: &[],
            applied: &[],
            missing: &[],
            id: "id",
        };
        list(call, &listing, logs.collect())
    }

    pub(crate) fn replay(&mut self, shared: &mut Shared, id: &str, call: &Call<'_>) -> Result<Reply, Fault> {
        Fields::of_call(call)?.finish(&[])?;
        let (number, record, event) = self.find(shared, id)?;
        let (event_id, created) = (event.id.clone(), event.created);
        if record.replay {
            let detail = "Only notifications with the origin `event` can be replayed.";
            return Err(Fault::notification("notification_replay_invalid_origin_type", detail));
        }
        if !shared.queue().done().contains_key(&number) {
            let detail = format!("Notification {id} can't be replayed because it's not `delivered` or `failed`.");
            return Err(Fault::notification("notification_cannot_replay", detail));
        }
        let Some(again) = shared.deliver_again(&event_id) else { return Err(Fault::not_found(id)) };
        self.replayed.insert(number, shared.now);
        Ok(Reply::json(202, &json!({ "data": { "notification_id": ids::notification(again, created) } })))
    }

    /// The notifications that are not too old.
    fn kept<'a>(&self, shared: &'a Shared) -> impl Iterator<Item = (u64, &'a Record, &'a Event)> {
        let all = shared.queue().records().iter();
        let all = all.map(|(number, record)| (*number, record, &shared.events()[record.event]));
        all.filter(|(_, _, event)| event.created > shared.now - KEPT_MICROS)
    }

    fn find<'a>(&self, shared: &'a Shared, id: &str) -> Result<(u64, &'a Record, &'a Event), Fault> {
        let is_it = |(number, _, event): &(u64, &Record, &Event)| ids::notification(*number, event.created) == id;
        self.kept(shared).find(is_it).ok_or_else(|| Fault::not_found(id))
    }

    fn view(&self, shared: &Shared, number: u64, record: &Record, event: &Event) -> Value {
        let id = ids::notification(number, event.created);
        let mut payload = event.body.clone();
        payload["notification_id"] = json!(id);
        let queue = shared.queue();
        let waiting = queue.waiting().iter().find(|it| it.number == number);
        let status = match (queue.done().get(&number), record.attempts.is_empty()) {
            (Some(Outcome::Accepted), _) => "delivered",
            (Some(Outcome::Dropped | Outcome::GaveUp), _) => "failed",
            (None, true) => "not_attempted",
            (None, false) => "needs_retry",
        };
        let last = record.attempts.last().map(|it| it.at);
        json!({
            "id": id, "type": event.event_type, "status": status, "payload": payload,
            "occurred_at": event.body["occurred_at"],
            "delivered_at": times::maybe(last.filter(|_| status == "delivered")),
            "replayed_at": times::maybe(self.replayed.get(&number).copied()),
            "origin": if record.replay { "replay" } else { "event" }, "last_attempt_at": times::maybe(last),
            "retry_at": times::maybe(waiting.filter(|_| status == "needs_retry").map(|it| it.due)),
            "times_attempted": record.attempts.len(), "notification_setting_id": DESTINATION,
        })
    }
}
