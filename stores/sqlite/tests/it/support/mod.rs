//! Events, subjects and commits for the tests of this store. Only the helpers at the end use SQL.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses only what it needs")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use async_trait::async_trait;
use purchase_core::{
    fact::{
        Fact, Link, Observation, Phase, Version,
        object_state::{Customer, ObjectState},
    },
    fold::SubjectState,
    id::{CustomerId, EventKey, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    lifecycle::{Change, Transition},
    snapshot::rows::{CustomerRow, Rows},
    store::{Commit, EventStatus, EventWrite, NewEvent, PendingOwner, SubjectWrite, TransitionWrite},
    time::Timestamp,
};
use purchase_sql::{BatchKind, Dialect, ExecuteError, Executor, Row, SqlStore, Statement, TablePrefix};
use purchase_sqlite::{Options, Sqlite, SqliteExecutor, SqliteStore};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds).unwrap()
}

pub fn source() -> Source {
    "acme//test".parse().unwrap()
}

pub fn id(text: &str) -> ProviderId {
    ProviderId::new(text).unwrap()
}

pub fn key(event: &str) -> EventKey {
    EventKey { source: source(), id: id(event) }
}

pub fn subject(kind: ObjectKind, text: &str) -> Subject {
    Subject { source: source(), root: ObjectRef::new(kind, id(text)) }
}

pub fn customer(text: &str) -> Subject {
    subject(ObjectKind::Customer, text)
}

pub fn event(name: &str, body: &[u8]) -> NewEvent {
    let mut digest = [0; 32];
    for (at, byte) in body.iter().enumerate() {
        digest[at % 32] ^= byte.wrapping_add(at as u8);
    }
    NewEvent {
        key: key(name),
        event_type: "thing.happened".to_owned(),
        api_version: Some("1".to_owned()),
        occurred_at: Some(at(1)),
        received_at: at(2),
        ordering_key: None,
        body: body.to_vec(),
        digest,
    }
}

pub fn insert(event: NewEvent, status: EventStatus) -> EventWrite {
    EventWrite { event, expected: None, status, reason: None, attempts: 1, due_at: None }
}

/// A received event that changes its status.
pub fn update(name: &str, status: EventStatus) -> EventWrite {
    EventWrite { expected: Some(EventStatus::Received), ..insert(event(name, b""), status) }
}

pub fn fact(subject: &Subject, event: &str, seconds: i64, links: Vec<Link>) -> Fact {
    let object_state = ObjectState::Customer(Customer {
        email: None,
        name: None,
        deleted: seconds % 2 == 1,
        archived: false,
        bare: false,
    });
    let observation = Observation { object: subject.root.clone(), phase: Phase::Changed, object_state, prior: None };
    Fact {
        subject: subject.clone(),
        event: id(event),
        version: Version::at(at(seconds)),
        observation: Some(observation),
        links,
    }
}

pub fn rows_of(subject: &Subject, facts: usize) -> Rows {
    let mut rows = Rows::default();
    if subject.root.kind == ObjectKind::Customer {
        rows.customers.push(CustomerRow {
            id: subject.root.id.expose().to_owned(),
            email: None,
            name: Some(format!("{facts} facts")),
            deleted: false,
            owner: None,
        });
    }
    rows
}

pub fn write(subject: &Subject, expected_revision: i64, facts: &[Fact], released: bool) -> SubjectWrite {
    let (state, _) = SubjectState::fold(subject, facts);
    SubjectWrite {
        subject: subject.clone(),
        expected_revision,
        state,
        rows: rows_of(subject, facts.len()),
        transitions: Vec::new(),
        owner_settled: released,
    }
}

pub fn transition(object: &str, seconds: i64, change: Change) -> Transition {
    Transition { object: object.to_owned(), at: at(seconds), change }
}

/// A commit that writes every table except the conflicts: an event with a fact about a new customer.
pub fn full_commit(event_name: &str, customer_name: &str) -> Commit {
    let subject = customer(customer_name);
    let owner = Link::Owner(CustomerId::new("app").unwrap());
    let facts = vec![fact(&subject, event_name, 1, vec![owner])];
    let mut written = write(&subject, 0, &facts, true);
    written.transitions = vec![TransitionWrite {
        object: subject.public_id(),
        since: at(0),
        changes: vec![transition(&subject.public_id(), 1, Change::Activated)],
    }];
    Commit {
        events: vec![insert(event(event_name, b"{\"a\":1}"), EventStatus::Processed)],
        pending_owners: vec![PendingOwner { subject: subject.clone(), on: customer("other") }],
        facts,
        subjects: vec![written],
        ..Commit::default()
    }
}

/// A file that is deleted with the test.
pub struct Place {
    _folder: TempDir,
    pub path: PathBuf,
}

pub fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("billing.db");
    Place { _folder: folder, path }
}

pub fn creating() -> Options {
    Options { create_if_missing: true, ..Options::default() }
}

pub async fn fresh(place: &Place) -> SqliteStore {
    Sqlite::open_and_migrate(&place.path, creating()).await.unwrap()
}

/// A store whose batches can be made to fail.
pub async fn faulty(path: &Path) -> SqlStore<Faulty<SqliteExecutor>> {
    let executor = SqliteExecutor::connect(path, creating()).await.unwrap();
    let store = SqlStore::new(Faulty::new(executor), TablePrefix::default());
    store.migrate().await.unwrap();
    store
}

pub async fn raw(place: &Place) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{}", place.path.display())).await.unwrap()
}

/// The whole content of the database, by table, to check that nothing was written.
pub async fn everything(place: &Place) -> Vec<(String, i64, Option<String>)> {
    let mut connection = raw(place).await;
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut found = Vec::new();
    for name in names {
        let columns: Vec<String> = sqlx::query_scalar("SELECT '\"' || name || '\"' FROM pragma_table_info(?1)")
            .bind(&name)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let columns = columns.join(", ");
        let rows = format!("SELECT json_array({columns}) AS row FROM {name} ORDER BY row");
        let sql = format!("SELECT count(*), json_group_array(row) FROM ({rows})");
        let (count, text) = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        found.push((name, count, text));
    }
    connection.close().await.unwrap();
    found
}

/// Fails at the statement with this number, in a real batch, so that the earlier statements must be rolled back.
pub struct Faulty<E> {
    pub inner: E,
    pub fail_at: Mutex<Option<usize>>,
    /// The names of the statements of the last batch.
    pub ran: Mutex<Vec<&'static str>>,
}

impl<E> Faulty<E> {
    pub fn new(inner: E) -> Self {
        Self { inner, fail_at: Mutex::new(None), ran: Mutex::default() }
    }
}

#[async_trait]
impl<E: Executor> Executor for Faulty<E> {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let mut statements = statements.to_vec();
        *self.ran.lock().unwrap() = statements.iter().map(|statement| statement.name).collect();
        if let Some(at) = self.fail_at.lock().unwrap().take() {
            let sql = "SELECT 1 FROM no_such_table".into();
            statements.insert(at, Statement { name: "fault", sql, params: Vec::new() });
        }
        self.inner.batch(access, &statements).await
    }

    fn dialect(&self) -> &Dialect {
        self.inner.dialect()
    }
}
