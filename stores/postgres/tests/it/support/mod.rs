//! A server, a separate schema for each test, and minimal values to store in it.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses only what it needs")]
#![allow(clippy::unwrap_used, reason = "tests")]

pub mod proxy;

use std::{num::NonZeroU32, time::Duration};

use purchase_core::{
    error::Chain,
    fact::{
        Fact, Observation, Phase, Version,
        object_state::{Customer, ObjectState},
    },
    fold::SubjectState,
    id::{EventKey, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    snapshot::rows::Rows,
    store::{Commit, EventStatus, EventWrite, NewEvent, SubjectWrite},
    time::Timestamp,
};
use purchase_postgres::{Options, Postgres, PostgresStore, SchemaName};

/// A schema that no other test uses, on the tests' server. None, with a message, if there is no server.
pub struct Server {
    pub url: String,
    pub options: Options,
}

pub fn server() -> Option<Server> {
    const SERVER: &str = "PURCHASE_TEST_POSTGRES_URL";
    if purchase_conformance::lacks_server("postgres", SERVER) {
        return None;
    }
    let url = std::env::var(SERVER).expect(SERVER);
    let schema = SchemaName::new(format!("test_{:016x}", rand::random::<u64>())).unwrap();
    let connections = NonZeroU32::new(4).unwrap();
    Some(Server { url, options: Options { schema: Some(schema), connections, ..Options::default() } })
}

impl Server {
    pub async fn migrated(&self) -> PostgresStore {
        Postgres::open_and_migrate(&self.url, self.options.clone()).await.unwrap()
    }

    /// The store of another process.
    pub async fn another(&self) -> PostgresStore {
        Postgres::open(&self.url, self.options.clone()).await.unwrap()
    }

    pub fn patient(mut self, lock: Duration) -> Self {
        self.options.lock_timeout = lock;
        self
    }
}

/// An error and all its sources.
pub fn told(error: &(dyn std::error::Error + 'static)) -> String {
    Chain(error).to_string()
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds).unwrap()
}

fn source() -> Source {
    "acme//test".parse().unwrap()
}

pub fn customer(text: &str) -> Subject {
    Subject { source: source(), root: ObjectRef::new(ObjectKind::Customer, ProviderId::new(text).unwrap()) }
}

pub fn event(name: &str) -> NewEvent {
    NewEvent {
        key: EventKey { source: source(), id: ProviderId::new(name).unwrap() },
        event_type: "thing.happened".to_owned(),
        api_version: None,
        occurred_at: Some(at(1)),
        received_at: at(2),
        ordering_key: None,
        body: format!("{{\"id\":\"{name}\"}}").into_bytes(),
        digest: [7; 32],
    }
}

pub fn done(name: &str, expected: Option<EventStatus>) -> EventWrite {
    let status = EventStatus::Processed;
    EventWrite { event: event(name), expected, status, reason: None, attempts: 1, due_at: None }
}

/// A commit of one event with one fact about one customer.
pub fn commit(name: &str, subject: &str, revision: i64) -> Commit {
    let subject = customer(subject);
    let object_state =
        ObjectState::Customer(Customer { email: None, name: None, deleted: false, archived: false, bare: false });
    let observation = Observation { object: subject.root.clone(), phase: Phase::Changed, object_state, prior: None };
    let event = ProviderId::new(name).unwrap();
    let version = Version::at(at(revision));
    let facts =
        vec![Fact { subject: subject.clone(), event, version, observation: Some(observation), links: Vec::new() }];
    let (state, _) = SubjectState::fold(&subject, &facts);
    let written = SubjectWrite {
        subject,
        expected_revision: revision,
        state,
        rows: Rows::default(),
        transitions: Vec::new(),
        owner_settled: true,
    };
    Commit { events: vec![done(name, None)], facts, subjects: vec![written], ..Commit::default() }
}
