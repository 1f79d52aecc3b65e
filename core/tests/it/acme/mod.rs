//! A provider for the engine's own tests: its events are facts in JSON, signed in the header `acme`.

use std::sync::Arc;

use purchase_core::{
    capability::Capabilities,
    delivery::{Delivery, Headers, Limits},
    engine::{Engine, ProjectionQuery},
    fact::{Fact, Link, Observation, Phase, Version, object_state::ObjectState},
    id::{EventKey, Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    provider::{Event, EventHead, FetchNeed, Meaning, Provider, ReadFault, Requests, Unreadable, Webhooks},
    store::{EventStatus, Store, memory::MemoryStore},
    time::Timestamp,
    verify::{PresentedSignature, Secret, SignatureError, Trust, VerifiedDelivery},
};
use serde::{Deserialize, Serialize};

pub(crate) fn id(text: &str) -> ProviderId {
    ProviderId::new(text).expect("id")
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}

pub(crate) fn money(minor: i64) -> Money {
    Money::new(minor, Currency::new("EUR").expect("EUR")).expect("in range")
}

pub(crate) fn source() -> Source {
    Source { provider: ProviderName::new("acme").expect("name"), account: None, mode: Mode::Test }
}

pub(crate) fn subject(kind: ObjectKind, name: &str) -> Subject {
    Subject { source: source(), root: ObjectRef::new(kind, id(name)) }
}

/// An event in acme's format.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct Body {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) at: i64,
    pub(crate) facts: Vec<Told>,
    #[serde(default)]
    pub(crate) attempt: u32,
}

#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct Told {
    pub(crate) subject: ObjectRef,
    pub(crate) object: Option<(ObjectRef, ObjectState, Option<ObjectState>)>,
    pub(crate) links: Vec<Link>,
}

pub(crate) fn told(kind: ObjectKind, name: &str, object_state: ObjectState, links: Vec<Link>) -> Told {
    let subject = ObjectRef::new(kind, id(name));
    Told { object: Some((subject.clone(), object_state, None)), subject, links }
}

pub(crate) fn linked(kind: ObjectKind, name: &str, links: Vec<Link>) -> Told {
    Told { subject: ObjectRef::new(kind, id(name)), object: None, links }
}

pub(crate) fn body(event: &str, seconds: i64, facts: Vec<Told>) -> Body {
    Body { id: event.to_owned(), kind: "told".to_owned(), at: seconds, facts, attempt: 0 }
}

pub(crate) struct Acme {
    name: ProviderName,
    trust: Trust,
}

impl Acme {
    pub(crate) fn new() -> Self {
        let secrets = vec![Secret::new("s3cret").expect("secret")];
        Self { name: ProviderName::new("acme").expect("name"), trust: Trust { secrets, tolerance_seconds: None } }
    }
}

impl Provider for Acme {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
    }

    fn longest_dunning_seconds(&self) -> i64 {
        30 * 24 * 3600
    }

    fn webhooks(&self) -> &dyn Webhooks {
        self
    }

    fn requests(&self) -> Option<&dyn Requests> {
        None
    }
}

impl Webhooks for Acme {
    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn presented_signature(&self, headers: &Headers, _: &Limits) -> Result<PresentedSignature, SignatureError> {
        let value = headers.all("acme").next().ok_or(SignatureError::Missing { header: "acme" })?;
        let mac = value.try_into().map_err(|_| SignatureError::Malformed { header: "acme", reason: "not 32 bytes" })?;
        Ok(PresentedSignature { signed_at: None, signed_prefix: Vec::new(), macs: vec![mac] })
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        let body: Body = serde_json::from_slice(delivery.body()).map_err(|error| Unreadable {
            head: None,
            fault: ReadFault::NotJson { line: error.line(), column: error.column() },
        })?;
        let event = id(&body.id);
        let head = EventHead {
            key: EventKey { source: source(), id: event.clone() },
            event_type: body.kind.clone(),
            occurred_at: at(body.at),
            occurred_at_path: "at",
            api_version: None,
        };
        let meaning = match body.kind.as_str() {
            "told" => Meaning::Facts(body.facts.into_iter().map(|told| fact(told, &event, body.at)).collect()),
            "thin" => Meaning::Fetch(FetchNeed { path: Some("/v1/things".to_owned()), snapshot_event: None }),
            "odd" => {
                let fault = ReadFault::Shape {
                    path: "facts[0]".to_owned(),
                    expected: "sense".to_owned(),
                    found: "nonsense".to_owned(),
                };
                return Err(Unreadable { head: Some(head), fault });
            }
            _ => Meaning::Ignored,
        };
        Ok(Event { head, meaning, remarks: Vec::new() })
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        let read = |body| serde_json::from_slice::<Body>(body).ok().map(|body| Body { attempt: 0, ..body });
        match (read(one), read(other)) {
            (Some(one), Some(other)) => serde_json::to_string(&one).ok() == serde_json::to_string(&other).ok(),
            _ => false,
        }
    }
}

fn fact(told: Told, event: &ProviderId, seconds: i64) -> Fact {
    Fact {
        subject: Subject { source: source(), root: told.subject },
        event: event.clone(),
        version: Version::at(at(seconds)),
        observation: told.object.map(|(object, object_state, prior)| Observation {
            object,
            phase: Phase::Changed,
            object_state,
            prior,
        }),
        links: told.links,
    }
}

pub(crate) fn engine() -> Engine {
    Engine::new(std::sync::Arc::new(MemoryStore::new())).with_provider(Arc::new(Acme::new()))
}

pub(crate) fn delivery(body: &Body) -> Delivery {
    raw(serde_json::to_vec(body).expect("JSON"))
}

pub(crate) fn raw(body: Vec<u8>) -> Delivery {
    let mut headers = Headers::new();
    headers.push("Acme", Secret::new("s3cret").expect("secret").sign(&[&body]));
    Delivery { provider: ProviderName::new("acme").expect("name"), headers, body, received_at: at(1000) }
}

pub(crate) async fn projection(engine: &Engine) -> serde_json::Value {
    let query = ProjectionQuery { source: None, as_of: at(1000) };
    engine.projection(&query).await.expect("memory store").expose_canonical()
}

pub(crate) async fn statuses(store: &dyn Store) -> Vec<(String, EventStatus)> {
    let query = purchase_core::store::EventQuery { limit: 100, ..Default::default() };
    let events = store.events(&query).await.expect("memory store");
    events.into_iter().map(|stored| (stored.event.key.id.expose().to_owned(), stored.status)).collect()
}
