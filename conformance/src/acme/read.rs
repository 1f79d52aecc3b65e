//! Decides what acme's events mean. Their types are `<kind>.created`, `.changed` and `.ended`. Each contains the whole
//! object, and the old values of changed fields under `before`.

use purchase_core::{
    fact::{
        Fact, Link, Observation, Phase, Version,
        object_state::{
            Customer, Item, ObjectState, Payment, PaymentState, Period, Private, Refund, RefundState, Subscription,
            SubscriptionStatus,
        },
    },
    id::{CustomerId, EventKey, Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    provider::{Event, EventHead, Meaning, ReadFault, Unreadable},
    time::Timestamp,
    wire,
};
use serde_json::Value;

/// Whether the table contains a type.
pub(super) fn is_listed(event_type: &str) -> bool {
    entry(event_type).is_some()
}

fn entry(event_type: &str) -> Option<(ObjectKind, Phase)> {
    let (kind, phase) = event_type.split_once('.')?;
    let kind = match kind {
        "customer" => ObjectKind::Customer,
        "payment" => ObjectKind::Payment,
        "refund" => ObjectKind::Refund,
        "subscription" => ObjectKind::Subscription,
        _ => return None,
    };
    let phase = match phase {
        "changed" => Phase::Changed,
        "created" => Phase::Created,
        "ended" => Phase::Ended,
        _ => return None,
    };
    Some((kind, phase))
}

/// Reads an event at an endpoint that serves one mode or both.
pub(super) fn event(name: &ProviderName, served: Option<Mode>, body: &[u8]) -> Result<Event, Unreadable> {
    let headless = |fault| Unreadable { head: None, fault };
    let value = wire::parse(body).map_err(headless)?;
    let mode = if value["live"] == Value::Bool(true) { Mode::Live } else { Mode::Test };
    let source = Source { provider: name.clone(), account: None, mode };
    let event_type = text(&value, "type").map_err(headless)?.to_owned();
    let seconds = value["at"].as_i64().ok_or_else(|| headless(fault("at", "seconds", &value["at"])))?;
    let head = EventHead {
        key: EventKey { source, id: id(&value, "id").map_err(headless)? },
        event_type,
        occurred_at: Timestamp::from_seconds(seconds).map_err(|_| headless(fault("at", "a time", &value["at"])))?,
        occurred_at_path: "at",
        api_version: value["version"].as_str().map(str::to_owned),
    };
    if let Some(expected) = served.filter(|served| *served != mode) {
        return Err(Unreadable { head: Some(head), fault: ReadFault::WrongMode { expected, found: mode } });
    }
    let meaning = match entry(&head.event_type) {
        None => Ok(Meaning::Ignored),
        Some((kind, phase)) => facts(&head, kind, phase, &value).map(Meaning::Facts),
    };
    match meaning {
        Ok(meaning) => Ok(Event { head, meaning, remarks: Vec::new() }),
        Err(fault) => Err(Unreadable { head: Some(head), fault }),
    }
}

fn facts(head: &EventHead, kind: ObjectKind, phase: Phase, event: &Value) -> Result<Vec<Fact>, ReadFault> {
    let object = &event["object"];
    let reference = ObjectRef::new(kind, id(object, "object.id")?);
    let prior = event["before"].as_object().filter(|_| phase == Phase::Changed).and_then(|before| {
        let mut earlier = object.clone();
        earlier.as_object_mut()?.extend(before.clone());
        object_state(kind, phase, &earlier).ok()
    });
    let observation =
        Observation { object: reference.clone(), phase, object_state: object_state(kind, phase, object)?, prior };
    let root = match kind {
        ObjectKind::Refund => ObjectRef::new(ObjectKind::Payment, id(object, "object.payment")?),
        _ => reference,
    };
    let mut links = Vec::new();
    links.extend(ProviderId::new(object["customer"].as_str().unwrap_or_default()).ok().map(Link::Customer));
    links.extend(ProviderId::new(object["subscription"].as_str().unwrap_or_default()).ok().map(Link::Subscription));
    links.extend(CustomerId::new(object["owner"].as_str().unwrap_or_default()).ok().map(Link::Owner));
    let fact = Fact {
        subject: Subject { source: head.key.source.clone(), root },
        event: head.key.id.clone(),
        version: Version::at(head.occurred_at),
        observation: Some(observation),
        links,
    };
    Ok(std::iter::once(fact).chain(subscriber(head, object)).collect())
}

/// A payment's copy of its subscription's owner. The copy states its own age.
fn subscriber(head: &EventHead, payment: &Value) -> Option<Fact> {
    let copy = &payment["subscriber"];
    let root = ObjectRef::new(ObjectKind::Subscription, ProviderId::new(payment["subscription"].as_str()?).ok()?);
    let owner = CustomerId::new(copy["owner"].as_str()?).ok()?;
    Some(Fact {
        subject: Subject { source: head.key.source.clone(), root: root.clone() },
        event: head.key.id.clone(),
        version: Version::at(Timestamp::from_seconds(copy["said_at"].as_i64()?).ok()?),
        observation: None,
        links: vec![Link::InferredOwner { owner, by: Some(root) }],
    })
}

fn object_state(kind: ObjectKind, phase: Phase, object: &Value) -> Result<ObjectState, ReadFault> {
    Ok(match kind {
        ObjectKind::Customer => ObjectState::Customer(Customer {
            email: object["email"].as_str().map(Private::new),
            name: None,
            deleted: phase == Phase::Ended,
            archived: false,
            bare: false,
        }),
        ObjectKind::Payment => ObjectState::Payment(Payment::new(
            match text(object, "object.status")? {
                "failed" => PaymentState::Failed,
                "pending" => PaymentState::Pending,
                "succeeded" => PaymentState::Succeeded,
                _ => PaymentState::Unknown,
            },
            amount(object)?,
        )),
        ObjectKind::Refund => ObjectState::Refund(Refund::new(
            match text(object, "object.status")? {
                "pending" => RefundState::Pending,
                "succeeded" => RefundState::Succeeded,
                _ => RefundState::Unknown,
            },
            amount(object)?,
        )),
        _ => ObjectState::Subscription(Box::new(subscription(object)?)),
    })
}

fn subscription(object: &Value) -> Result<Subscription, ReadFault> {
    let status = text(object, "object.status")?;
    let time = |value: &Value| value.as_i64().and_then(|seconds| Timestamp::from_seconds(seconds).ok());
    let period = time(&object["period"][0]).zip(time(&object["period"][1]));
    Ok(Subscription {
        status: match status {
            "active" => SubscriptionStatus::Active,
            "canceled" => SubscriptionStatus::Canceled,
            "pending" => SubscriptionStatus::Pending,
            "trialing" => SubscriptionStatus::Trialing,
            _ => SubscriptionStatus::Unknown,
        },
        provider_status: status.to_owned(),
        items: vec![Item {
            price: id(object, "object.price")?,
            quantity: object["quantity"].as_u64().or(object["seats"].as_u64()),
        }],
        period: period.map(|(start, end)| Period { start, end }),
        trial_end: time(&object["trial_end"]),
        cancel_at: time(&object["cancel_at"]),
        ended_at: time(&object["ended_at"]),
        started_at: None,
        pause_at: None,
        resume_at: None,
        collection_paused: false,
    })
}

fn amount(object: &Value) -> Result<Money, ReadFault> {
    let wrong = || fault("object.amount", "minor units", &object["amount"]);
    let minor = object["amount"].as_i64().ok_or_else(wrong)?;
    Money::new(minor, Currency::new("EUR").map_err(|_| wrong())?).map_err(|_| wrong())
}

/// Reads a text. The key is the last part of the path.
fn text<'a>(object: &'a Value, path: &str) -> Result<&'a str, ReadFault> {
    let value = &object[path.rsplit('.').next().unwrap_or(path)];
    value.as_str().ok_or_else(|| fault(path, "text", value))
}

fn id(object: &Value, path: &str) -> Result<ProviderId, ReadFault> {
    let value = text(object, path)?;
    ProviderId::new(value).map_err(|_| fault(path, "an id", &object[path]))
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
