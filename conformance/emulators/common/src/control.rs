//! The routes under `/_emulator`: the clock, chaos, what people do outside the API, the truth, logs, snapshots.

use purchase_core::{time::Timestamp, transport::Method};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    call::{Call, Reply},
    chaos::{Chaos, Planned},
    emulated::Emulated,
    world::World,
};

/// The routes, as `GET /_emulator` lists them.
const ROUTES: [(&str, &str); 13] = [
    ("GET /_emulator", "these routes"),
    ("GET /_emulator/clock", "the clock, and when something happens next"),
    ("POST /_emulator/clock", "{\"to\": RFC 3339} or {\"seconds\": n}; with \"until\": an event type, at most so far"),
    ("GET /_emulator/chaos", "how deliveries, events and answers misbehave"),
    ("PUT /_emulator/chaos", "the same object; fields that are left out are zero"),
    ("POST /_emulator/failures", "{\"failure\", \"method\", \"path\", \"after\", \"times\"}: the next requests fail"),
    ("POST /_emulator/acts", "what a buyer, a bank or somebody at the dashboard does"),
    ("GET /_emulator/truth", "the state in neutral words"),
    ("GET /_emulator/requests", "the requests that were made, oldest first"),
    ("GET /_emulator/events", "all events, in the order in which they were caused"),
    ("GET /_emulator/deliveries", "the deliveries that wait, and what became of the others"),
    ("GET /_emulator/snapshot", "the whole world"),
    ("PUT /_emulator/snapshot", "replaces the whole world"),
];

/// The longest time that passes at once: two years.
const LONGEST_SECONDS: i64 = 2 * 366 * 24 * 3600;

/// The deepest body. A stored world is deeper than what it stores, and can be read again all the same.
const DEPTH: usize = 64;

pub(crate) fn answer<P: Emulated>(world: &mut World<P>, call: &Call<'_>) -> Reply {
    let route = match route(world, call) {
        Ok(reply) => reply,
        Err(wrong) => Reply::json(400, &json!({ "error": wrong })),
    };
    route.unkept()
}

fn route<P: Emulated>(world: &mut World<P>, call: &Call<'_>) -> Result<Reply, String> {
    let segments = call.segments();
    Ok(match (call.method, segments.get(1..).unwrap_or_default()) {
        (Method::Get, []) => {
            let routes: Vec<Value> =
                ROUTES.iter().map(|(route, does)| json!({ "route": route, "does": does })).collect();
            ok(&json!({ "emulates": P::NAME, "routes": routes }))
        }
        (Method::Get, ["clock"]) => ok(&clock(world)),
        (Method::Post, ["clock"]) => {
            let reached = advance(world, body(call)?)?;
            let mut shown = clock(world);
            shown["reached"] = json!(reached);
            ok(&shown)
        }
        (Method::Get, ["chaos"]) => ok(&world.shared().chaos),
        (Method::Put, ["chaos"]) => {
            let chaos = body::<Chaos>(call)?;
            if let Some(percent) = chaos.percents().into_iter().find(|it| *it > 100) {
                return Err(format!("{percent} percent are more than all"));
            }
            world.shared_mut().chaos = chaos;
            ok(&world.shared().chaos)
        }
        (Method::Post, ["failures"]) => {
            let planned: Planned = body(call)?;
            world.plan(planned.clone());
            ok(&planned)
        }
        (Method::Post, ["acts"]) => ok(&world.act(body(call)?)?),
        (Method::Get, ["truth"]) => ok(&world.truth()),
        (Method::Get, ["requests"]) => ok(&world.log().entries().collect::<Vec<_>>()),
        (Method::Get, ["events"]) => ok(&world.shared().events().iter().map(|it| &it.body).collect::<Vec<_>>()),
        (Method::Get, ["deliveries"]) => {
            let queue = &world.shared().queue;
            ok(&json!({ "waiting": queue.waiting(), "sending": queue.sending(), "done": queue.done() }))
        }
        (Method::Get, ["snapshot"]) => {
            let snapshot = world.snapshot().map_err(|error| format!("the world can't be written: {error}"))?;
            Reply::new(200, "application/json", snapshot)
        }
        (Method::Put, ["snapshot"]) => {
            world.rewind(call.body).map_err(|error| format!("the body is no snapshot of this emulator: {error}"))?;
            ok(&clock(world))
        }
        _ => {
            return Err(format!(
                "there is no {} {}; GET /_emulator lists the routes",
                call.method.as_str(),
                call.route()
            ));
        }
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    to: Option<String>,
    seconds: Option<i64>,
    until: Option<String>,
}

fn advance<P: Emulated>(world: &mut World<P>, advance: Advance) -> Result<bool, String> {
    let to = match (&advance.to, advance.seconds) {
        (Some(text), None) => Timestamp::parse_rfc3339(text).map_err(|error| format!("at /to: {error}"))?,
        (None, Some(seconds)) => world.now().plus_seconds(seconds),
        _ => return Err("the body has exactly one of \"to\" and \"seconds\"".to_owned()),
    };
    if to.seconds_after(world.now()) > LONGEST_SECONDS {
        return Err(format!("the clock moves by at most {LONGEST_SECONDS} s at once"));
    }
    match &advance.until {
        None => world.advance(to).map(|()| true),
        Some(event_type) => world.advance_until(event_type, to),
    }
    .map_err(|error| error.to_string())
}

fn clock<P: Emulated>(world: &World<P>) -> Value {
    json!({ "now": world.now().to_string(), "next_due": world.next_due().map(|it| it.to_string()) })
}

fn body<T: DeserializeOwned>(call: &Call<'_>) -> Result<T, String> {
    if call.depth() > DEPTH {
        return Err(format!("the body is nested deeper than {DEPTH}"));
    }
    let read: Map<String, Value> =
        serde_json::from_slice(call.body).map_err(|error| format!("the body is no JSON object: {error}"))?;
    serde_json::from_value(Value::Object(read)).map_err(|error| format!("the body can't be read: {error}"))
}

fn ok<T: Serialize + ?Sized>(value: &T) -> Reply {
    match serde_json::to_vec(value) {
        Ok(bytes) => Reply::new(200, "application/json", bytes),
        Err(error) => Reply::json(500, &json!({ "error": format!("the answer can't be written: {error}") })),
    }
}
