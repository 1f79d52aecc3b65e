//! `GET /v1/events`: events of the last 30 days, newest first.

use purchase_emulator::{Event, Shared, shared::SECOND};
use serde_json::Value;

use super::{
    Answer,
    expand::Expand,
    lists::{Paging, Range, paged},
};
use crate::{fault::Fault, params::Params, settings::DAY, stripe::Stripe};

/// Documented: "List events, going back up to 30 days."
const KEPT_SECONDS: i64 = 30 * DAY;

impl Stripe {
    pub(crate) fn list_events(&self, shared: &Shared, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let (paging, created) = (Paging::of(&mut params)?, Range::of(&mut params, "created")?);
        let (one, types) = (params.text("type")?, params.texts("types")?);
        params.end()?;
        if one.is_some() && !types.is_empty() {
            return Err(Fault::invalid(None, "types", "You may only specify one of these parameters: type, types."));
        }
        if types.len() > 20 {
            return Err(Fault::invalid(None, "types", "You may pass up to 20 event types."));
        }
        let wanted = |name: &str| {
            one.as_deref().is_none_or(|one| matches_type(one, name))
                && (types.is_empty() || types.iter().any(|one| matches_type(one, name)))
        };
        // An event that chaos makes late doesn't exist before its time.
        let mut events: Vec<&Event> = shared.events().iter().filter(|it| is_kept(shared, it)).collect();
        events.sort_by_key(|it| it.created.div_euclid(SECOND));
        let events = events.into_iter().rev().filter(|it| wanted(&it.event_type));
        let events: Vec<Value> =
            events.filter(|it| created.has(it.created.div_euclid(SECOND))).map(|it| it.body.clone()).collect();
        let (page, has_more) = paging.cut(&events, "event")?;
        Ok(paged((self.expanded_items(page, &expand)?, has_more), "/v1/events"))
    }

    pub(crate) fn retrieve_event(&self, shared: &Shared, id: &str, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        params.end()?;
        let event = shared.events().iter().find(|it| it.id == id && is_kept(shared, it));
        let event = event.ok_or_else(|| Fault::no_such("event", "id", id))?;
        self.expanded(event.body.clone(), expand)
    }
}

fn is_kept(shared: &Shared, event: &Event) -> bool {
    event.created <= shared.now && event.created > shared.now - KEPT_SECONDS * SECOND
}

/// A type of the document, or one with a star at its end: `charge.*`.
fn matches_type(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => wanted == name,
    }
}
