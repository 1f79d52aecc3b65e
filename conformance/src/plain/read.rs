//! Decides what plain's events mean. Each names an object and what happened to it in `what`, contains the whole object,
//! and gives the time of that state to the microsecond in `as_of`. No two observations of one object have the same
//! microsecond.

use purchase_core::{
    fact::{
        Fact, Link, Observation, Phase, Version,
        object_state::{
            Item, ObjectState, Payment, PaymentState, Period, Refund, RefundState, Subscription, SubscriptionStatus,
        },
    },
    id::{CustomerId, EventKey, Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    provider::{Event, EventHead, Meaning, ReadFault, Unreadable},
    time::Timestamp,
    wire,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Whether the table contains a type.
pub(super) fn is_listed(what: &str) -> bool {
    entry(what).is_some()
}

fn entry(what: &str) -> Option<(ObjectKind, Phase)> {
    match what {
        "money/came" => Some((ObjectKind::Payment, Phase::Changed)),
        "money/returned" => Some((ObjectKind::Refund, Phase::Changed)),
        "seat/changed" => Some((ObjectKind::Subscription, Phase::Changed)),
        "seat/sold" => Some((ObjectKind::Subscription, Phase::Created)),
        "seat/withdrawn" => Some((ObjectKind::Subscription, Phase::Ended)),
        _ => None,
    }
}

/// Reads an event at an endpoint of one mode. The event's id is the digest of its body.
pub(super) fn event(name: &ProviderName, mode: Mode, body: &[u8]) -> Result<Event, Unreadable> {
    let headless = |fault| Unreadable { head: None, fault };
    let value = wire::parse(body).map_err(headless)?;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(body)));
    let id = ProviderId::new(digest).map_err(|_| headless(fault("", "a body", &Value::Null)))?;
    let event_type = text(&value, "what").map_err(headless)?.to_owned();
    let head = EventHead {
        key: EventKey { source: Source { provider: name.clone(), account: None, mode }, id },
        event_type,
        occurred_at: time(&value["as_of"]).ok_or_else(|| headless(fault("as_of", "a time", &value["as_of"])))?,
        occurred_at_path: "as_of",
        api_version: None,
    };
    let meaning = match entry(&head.event_type) {
        None => Ok(Meaning::Ignored),
        Some((kind, phase)) => fact(&head, kind, phase, &value["thing"]).map(|fact| Meaning::Facts(vec![fact])),
    };
    match meaning {
        Ok(meaning) => Ok(Event { head, meaning, remarks: Vec::new() }),
        Err(fault) => Err(Unreadable { head: Some(head), fault }),
    }
}

fn fact(head: &EventHead, kind: ObjectKind, phase: Phase, thing: &Value) -> Result<Fact, ReadFault> {
    let object = ObjectRef::new(kind, id(thing, "thing.ref")?);
    let object_state = match kind {
        ObjectKind::Payment => ObjectState::Payment(Payment::new(
            match text(thing, "thing.standing")? {
                "held" => PaymentState::Pending,
                "here" => PaymentState::Succeeded,
                _ => PaymentState::Unknown,
            },
            cents(thing)?,
        )),
        ObjectKind::Refund => ObjectState::Refund(Refund::new(
            match text(thing, "thing.standing")? {
                "back" => RefundState::Succeeded,
                _ => RefundState::Unknown,
            },
            cents(thing)?,
        )),
        _ => ObjectState::Subscription(Box::new(subscription(thing)?)),
    };
    let root = match kind {
        ObjectKind::Refund => ObjectRef::new(ObjectKind::Payment, id(thing, "thing.of")?),
        _ => object.clone(),
    };
    let mut links = Vec::new();
    if kind == ObjectKind::Payment {
        links.extend(ProviderId::new(thing["for"].as_str().unwrap_or_default()).ok().map(Link::Subscription));
    }
    links.extend(CustomerId::new(thing["user"].as_str().unwrap_or_default()).ok().map(Link::Owner));
    Ok(Fact {
        subject: Subject { source: head.key.source.clone(), root },
        event: head.key.id.clone(),
        version: Version::at(head.occurred_at),
        observation: Some(Observation { object, phase, object_state, prior: None }),
        links,
    })
}

fn subscription(thing: &Value) -> Result<Subscription, ReadFault> {
    let standing = text(thing, "thing.standing")?;
    let period = time(&thing["from"]).zip(time(&thing["until"]));
    Ok(Subscription {
        status: match standing {
            "on" => SubscriptionStatus::Active,
            "over" => SubscriptionStatus::Canceled,
            "trying" => SubscriptionStatus::Trialing,
            _ => SubscriptionStatus::Unknown,
        },
        provider_status: standing.to_owned(),
        items: vec![Item { price: id(thing, "thing.plan")?, quantity: thing["seats"].as_u64() }],
        period: period.map(|(start, end)| Period { start, end }),
        trial_end: time(&thing["free_until"]),
        cancel_at: time(&thing["stops"]),
        ended_at: time(&thing["stopped"]),
        started_at: None,
        pause_at: None,
        resume_at: None,
        collection_paused: false,
    })
}

fn time(value: &Value) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(value.as_str()?).ok()
}

fn cents(thing: &Value) -> Result<Money, ReadFault> {
    let wrong = || fault("thing.cents", "minor units", &thing["cents"]);
    let currency = Currency::new("EUR").map_err(|_| wrong())?;
    Money::new(thing["cents"].as_i64().ok_or_else(wrong)?, currency).map_err(|_| wrong())
}

/// Reads a text. The key is the last part of the path.
fn text<'a>(object: &'a Value, path: &str) -> Result<&'a str, ReadFault> {
    let value = &object[path.rsplit('.').next().unwrap_or(path)];
    value.as_str().ok_or_else(|| fault(path, "text", value))
}

fn id(thing: &Value, path: &str) -> Result<ProviderId, ReadFault> {
    ProviderId::new(text(thing, path)?).map_err(|_| fault(path, "an id", &Value::Null))
}

fn fault(path: &str, expected: &str, found: &Value) -> ReadFault {
    let found = match found {
        Value::Array(_) => "list",
        Value::Bool(_) => "flag",
        Value::Null => "nothing",
        Value::Number(_) => "number",
        Value::Object(_) => "object",
        Value::String(_) => "text",
    };
    ReadFault::Shape { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
}
