//! Tests the store's guarantees, one per test.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::support::*;
use purchase_core::{
    error::{CommitError, StoreError},
    fact::Link,
    id::{CustomerId, ObjectKind},
    lifecycle::Change,
    provider::ReadFault,
    store::{
        Browse, Claim, Commit, Conflict, ConflictQuery, EventQuery, EventStatus, EventWrite, Lease, NewEvent,
        PendingOwner, Queue, Reason, Store, SubjectQuery, TransitionWrite, Wanted,
    },
};
use purchase_sql::{BatchKind, Cell, Executor, SQLITE, Statement, TablePrefix};
use purchase_sqlite::{Options, Sqlite};

fn all() -> EventQuery {
    EventQuery { limit: 1000, ..EventQuery::default() }
}

async fn statuses(store: &dyn Store) -> Vec<(String, EventStatus)> {
    let events = store.events(&all()).await.unwrap();
    events.into_iter().map(|it| (it.event.key.id.expose().to_owned(), it.status)).collect()
}

fn lease(token: &str, until: i64) -> Lease {
    Lease { token: token.to_owned(), until: at(until) }
}

async fn facts_of(store: &dyn Store, events: &[purchase_core::id::EventKey]) -> Vec<purchase_core::fact::Fact> {
    store.facts(events).await.unwrap().into_iter().map(|stored| stored.fact).collect()
}

#[tokio::test]
async fn a_failure_at_any_statement_leaves_nothing() {
    let place = place();
    let store = faulty(&place.path).await;
    store.commit(&full_commit("e0", "c0")).await.unwrap();
    let before = everything(&place).await;

    let mut second = full_commit("e1", "c1");
    second.conflicts = vec![Conflict { event: event("e0", b"other") }];
    second.events.push(EventWrite { expected: Some(EventStatus::Processed), ..update("e0", EventStatus::Processed) });
    let mut statements = 1;
    let mut at = 0;
    while at < statements {
        *store.executor().fail_at.lock().unwrap() = Some(at);
        let failed = store.commit(&second).await;
        statements = store.executor().ran.lock().unwrap().len();
        assert!(matches!(failed, Err(CommitError::Store(StoreError::Unavailable { .. }))), "{failed:?}");
        assert_eq!(everything(&place).await, before, "after a failure before statement {at}");
        at += 1;
    }
    assert!(statements >= 10, "{statements}");
    store.commit(&second).await.unwrap();
    assert_ne!(everything(&place).await, before);
}

#[tokio::test]
async fn every_statement_prepares_and_no_commit_has_many() {
    let place = place();
    let store = faulty(&place.path).await;
    for (name, sql) in purchase_sql::statements(&SQLITE, store.prefix()) {
        let explain = Statement { name, sql: format!("EXPLAIN {sql}").into(), params: Vec::new() };
        store.executor().batch(BatchKind::Read, &[explain]).await.expect(name);
    }
    let mut large = full_commit("e", "c");
    for number in 0..500 {
        let more = full_commit(&format!("e{number}"), &format!("c{number}"));
        large.events.extend(more.events);
        large.facts.extend(more.facts);
        large.subjects.extend(more.subjects);
        large.pending_owners.extend(more.pending_owners);
    }
    store.commit(&large).await.unwrap();
    assert_eq!(
        *store.executor().ran.lock().unwrap(),
        [
            "events_insert",
            "facts_insert",
            "subjects_put",
            "customers_put",
            "transitions_clear",
            "transitions_insert",
            "pending_owners_insert"
        ]
    );
}

#[tokio::test]
async fn an_event_is_accepted_once() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let [a, b] = [event("a", b"1"), event("b", b"2")];
    assert_eq!(store.accept(&[a.clone(), a.clone(), b.clone()]).await.unwrap(), [true, false, true]);
    assert_eq!(store.accept(&[b, event("a", b"other"), event("c", b"3")]).await.unwrap(), [false, false, true]);
    let listed = store.events(&all()).await.unwrap();
    assert_eq!(listed.iter().map(|it| it.event.key.id.expose()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(listed[0].event, a);
    assert!(listed.iter().all(|it| it.status == EventStatus::Received && it.due_at == Some(it.event.received_at)));
    assert_eq!(store.accept(&[]).await.unwrap(), [false; 0]);
}

#[tokio::test]
async fn bodies_come_back_byte_for_byte() {
    let place = place();
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{\"text\":\"\\u0000 \\ud83d \xc3\xa9 \xf0\x9f\x92\xb6\"}".to_vec(),
        b"\0zero\0".to_vec(),
        vec![0xff, 0xfe, 0x00, 0x80],
        (0..=255).collect(),
        b"line\r\nline\t\x01\x7f\"quote\" back\\slash 'single'".to_vec(),
        vec![b'x'; 3 << 20],
    ];
    let events: Vec<_> = bodies.iter().enumerate().map(|(at, body)| event(&format!("e{at}"), body)).collect();
    let store = fresh(&place).await;
    store.accept(&events[..3]).await.unwrap();
    let events_written = events[3..].iter().map(|it| insert(it.clone(), EventStatus::Ignored)).collect();
    store.commit(&Commit { events: events_written, ..Commit::default() }).await.unwrap();
    let claimed =
        store.claim(&Claim { queue: Queue::Events, lease: lease("w", 9), now: at(5), limit: 10 }).await.unwrap().events;
    assert_eq!(claimed.into_iter().map(|it| it.event).collect::<Vec<_>>(), events[..3]);
    drop(store);

    let store = Sqlite::open(&place.path, Options::default()).await.unwrap();
    let listed = store.events(&all()).await.unwrap();
    assert_eq!(listed.into_iter().map(|it| it.event).collect::<Vec<_>>(), events);
    let wanted = Wanted::events(vec![key("e3")]);
    assert_eq!(store.load(&wanted).await.unwrap().events[0].event.body, b"");
}

#[tokio::test]
async fn a_commit_survives_reopening() {
    let place = place();
    let commit = full_commit("e", "c");
    let store = fresh(&place).await;
    store.commit(&commit).await.unwrap();
    let dump = store.dump_read_model().await.unwrap();
    drop(store);
    let store = Sqlite::open(&place.path, Options::default()).await.unwrap();
    let wanted = Wanted {
        events: vec![key("e"), key("none")],
        subjects: vec![customer("c"), customer("other")],
        ..Wanted::default()
    };
    let loaded = store.load(&wanted).await.unwrap();
    assert_eq!(loaded.events.len(), 1);
    assert_eq!(loaded.subjects.len(), 1);
    assert_eq!((loaded.subjects[0].revision, &loaded.subjects[0].state), (1, &commit.subjects[0].state));
    assert_eq!(loaded.pending_owners, commit.pending_owners);
    assert_eq!(store.load(&Wanted::facts(vec![customer("c")])).await.unwrap().facts, commit.facts);
    assert_eq!(facts_of(&store, &[key("e")]).await, commit.facts);
    assert_eq!(store.dump_read_model().await.unwrap(), dump);
    let customers = r#"{"source":"acme//test","id":"c","email":null,"name":"1 facts","deleted":0,"owner":null}"#;
    assert_eq!(dump[0], ("customers".to_owned(), vec![customers.to_owned()]));
}

#[tokio::test]
async fn a_stale_commit_writes_nothing() {
    let place = place();
    let store = fresh(&place).await;
    store.commit(&full_commit("e", "c")).await.unwrap();
    let before = everything(&place).await;
    let stale = |commit: Commit| {
        let (store, place, before) = (&store, &place, &before);
        async move {
            let outcome = store.commit(&commit).await;
            assert!(matches!(outcome, Err(CommitError::Stale)), "{outcome:?}");
            assert_eq!(&everything(place).await, before);
        }
    };
    // The cases: the event exists; the subject exists; the revision differs; the subject is missing; the event is
    // missing.
    stale(full_commit("e", "d")).await;
    stale(full_commit("f", "c")).await;
    let mut later = full_commit("f", "c");
    later.subjects[0].expected_revision = 2;
    stale(later).await;
    let mut absent = full_commit("f", "d");
    absent.subjects[0].expected_revision = 1;
    stale(absent).await;
    stale(Commit { events: vec![update("none", EventStatus::Processed)], ..Commit::default() }).await;
    store.commit(&Commit::default()).await.unwrap();
    assert_eq!(everything(&place).await, before);
}

#[tokio::test]
async fn due_events_are_claimed_by_one_worker_at_a_time() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let events: Vec<_> = ["a", "b", "c"].iter().map(|name| event(name, b"{}")).collect();
    store.accept(&events).await.unwrap();
    let claim = |token: &str, now: i64, until: i64, limit: u32| Claim {
        queue: Queue::Events,
        lease: lease(token, until),
        now: at(now),
        limit,
    };
    let names = |claimed: Vec<purchase_core::store::StoredEvent>| -> Vec<String> {
        claimed.into_iter().map(|it| it.event.key.id.expose().to_owned()).collect()
    };
    assert_eq!(names(store.claim(&claim("w0", 1, 9, 5)).await.unwrap().events), [""; 0], "not due yet");
    assert_eq!(names(store.claim(&claim("w1", 2, 10, 2)).await.unwrap().events), ["a", "b"]);
    assert_eq!(names(store.claim(&claim("w2", 9, 20, 5)).await.unwrap().events), ["c"]);
    assert_eq!(names(store.claim(&claim("w3", 10, 30, 5)).await.unwrap().events), ["a", "b"], "the first lease ended");

    let under = |token: &str, name: &str| Commit {
        lease: Some(lease(token, 30)),
        events: vec![update(name, EventStatus::Processed)],
        ..Commit::default()
    };
    assert!(matches!(store.commit(&under("w1", "a")).await, Err(CommitError::LeaseLost)));
    store.commit(&under("w3", "a")).await.unwrap();
    let mut again = under("w3", "a");
    again.events[0].expected = Some(EventStatus::Processed);
    assert!(matches!(store.commit(&again).await, Err(CommitError::LeaseLost)), "the commit ended the lease");
    assert!(matches!(store.commit(&under("w3", "none")).await, Err(CommitError::Stale)));
    // A commit without a lease takes the event from the worker that holds it.
    store.commit(&Commit { events: vec![update("b", EventStatus::Ignored)], ..Commit::default() }).await.unwrap();
    let mut late = under("w3", "b");
    late.events[0].expected = Some(EventStatus::Ignored);
    assert!(matches!(store.commit(&late).await, Err(CommitError::LeaseLost)));
    assert_eq!(names(store.claim(&claim("w4", 99, 199, 5)).await.unwrap().events), ["c"]);
}

#[tokio::test]
async fn a_parked_event_is_processed_when_its_last_subject_is_released() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let [one, two] = [subject(ObjectKind::Payment, "p1"), subject(ObjectKind::Payment, "p2")];
    let facts = vec![fact(&one, "e", 1, vec![]), fact(&two, "e", 1, vec![])];
    let parked = Commit {
        events: vec![insert(event("e", b"{}"), EventStatus::Parked), insert(event("f", b"{}"), EventStatus::Failed)],
        facts: [facts.clone(), vec![fact(&one, "f", 2, vec![])]].concat(),
        subjects: vec![write(&one, 0, &facts[..1], false), write(&two, 0, &facts[1..], false)],
        ..Commit::default()
    };
    store.commit(&parked).await.unwrap();
    let release = |subject, revision, released| Commit {
        subjects: vec![write(subject, revision, &[], released)],
        ..Commit::default()
    };
    let expect = |e: EventStatus| vec![("e".to_owned(), e), ("f".to_owned(), EventStatus::Failed)];
    store.commit(&release(&one, 1, true)).await.unwrap();
    assert_eq!(statuses(&store).await, expect(EventStatus::Parked));
    let mut both = release(&two, 1, true);
    both.subjects.push(write(&one, 2, &[], false));
    store.commit(&both).await.unwrap();
    assert_eq!(statuses(&store).await, expect(EventStatus::Parked), "the other event is leased again");
    store.commit(&release(&one, 3, true)).await.unwrap();
    assert_eq!(statuses(&store).await, expect(EventStatus::Processed));
}

#[tokio::test]
async fn conflicts_are_kept_once_and_listed_with_their_event() {
    let store = Sqlite::open_in_memory().await.unwrap();
    store.accept(&[event("a", b"1")]).await.unwrap();
    let conflict = |body: &[u8]| Conflict { event: event("a", body) };
    for bodies in [vec![conflict(b"2"), conflict(b"3")], vec![conflict(b"2")]] {
        store.commit(&Commit { conflicts: bodies, ..Commit::default() }).await.unwrap();
    }
    store.accept(&[event("b", b"1")]).await.unwrap();
    let row = |stored: NewEvent| (stored.key.id.expose().to_owned(), stored.body);
    let events = async |query: EventQuery| -> Vec<(String, Vec<u8>)> {
        store.events(&query).await.unwrap().into_iter().map(|it| row(it.event)).collect()
    };
    let shown = |name: &str, body: &[u8]| (name.to_owned(), body.to_vec());
    assert_eq!(events(all()).await, [shown("a", b"1"), shown("b", b"1")]);
    assert_eq!(events(EventQuery { key: Some(key("a")), ..all() }).await, [shown("a", b"1")]);
    // Page by page, no event is repeated and none is missing.
    let mut paged = Vec::new();
    let mut query = ConflictQuery { key: Some(key("a")), limit: 1, ..ConflictQuery::default() };
    while let Some(last) = store.conflicts(&query).await.unwrap().pop() {
        query.after = Some(last.sequence);
        paged.push(row(last.event));
    }
    assert_eq!(paged, [shown("a", b"2"), shown("a", b"3")]);
    let of_b = ConflictQuery { key: Some(key("b")), limit: 10, ..ConflictQuery::default() };
    assert_eq!(store.conflicts(&of_b).await.unwrap(), []);
}

#[tokio::test]
async fn events_are_listed_by_every_filter() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let stored = EventStatus::ALL.iter();
    let mut events: Vec<_> = stored.clone().map(|status| insert(event(status.as_str(), b"{}"), *status)).collect();
    events[0].reason = Some(Reason::Read(ReadFault::NotUtf8 { at: 3 }));
    events[0].due_at = Some(at(50));
    events[1].event.received_at = at(100);
    store.commit(&Commit { events, ..Commit::default() }).await.unwrap();
    for status in stored {
        let query = EventQuery { statuses: vec![*status], ..all() };
        let listed = store.events(&query).await.unwrap();
        assert_eq!(listed.len(), 1, "{status:?}");
        assert_eq!(listed[0].status, *status);
    }
    let failed = store.events(&EventQuery { limit: 1, ..all() }).await.unwrap().remove(0);
    assert_eq!(failed.reason, Some(Reason::Read(ReadFault::NotUtf8 { at: 3 })));
    assert_eq!((failed.attempts, failed.due_at), (1, Some(at(50))));
    let count = async |query| store.events(&query).await.unwrap().len();
    assert_eq!(count(EventQuery { since: Some(at(3)), ..all() }).await, 1);
    assert_eq!(count(EventQuery { until: Some(at(100)), ..all() }).await, 5);
    assert_eq!(count(EventQuery { after: Some(failed.sequence), ..all() }).await, 5);
    assert_eq!(count(EventQuery { key: Some(key("parked")), since: Some(at(3)), ..all() }).await, 0);
    assert_eq!(count(EventQuery { limit: 0, ..all() }).await, 0);
}

#[tokio::test]
async fn facts_are_kept_once_and_taken_away_when_an_event_is_read_again() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let [one, two] = [customer("c1"), customer("c2")];
    let of_e = vec![fact(&one, "e", 3, vec![]), fact(&one, "e", 2, vec![]), fact(&two, "e", 1, vec![])];
    let of_f = vec![fact(&one, "f", 1, vec![])];
    let commit = Commit { facts: [of_e.clone(), of_f.clone()].concat(), ..Commit::default() };
    store.commit(&commit).await.unwrap();
    store.commit(&commit).await.unwrap();
    let both = Wanted::facts(vec![one.clone(), two.clone()]);
    let expect = vec![of_f[0].clone(), of_e[1].clone(), of_e[0].clone(), of_e[2].clone()];
    assert_eq!(store.load(&both).await.unwrap().facts, expect);
    let anew = Commit { reread: vec![key("e")], facts: vec![of_e[2].clone()], ..Commit::default() };
    store.commit(&anew).await.unwrap();
    assert_eq!(store.load(&both).await.unwrap().facts, [of_f[0].clone(), of_e[2].clone()]);
    assert_eq!(facts_of(&store, &[key("e"), key("none")]).await, [of_e[2].clone()]);
    assert_eq!(facts_of(&store, &[]).await, []);
}

#[tokio::test]
async fn waits_and_transitions_of_a_written_subject_are_replaced() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let [one, two] = [customer("c1"), customer("c2")];
    let wait = |subject: &_, on: &str| PendingOwner { subject: Clone::clone(subject), on: customer(on) };
    let transitions =
        async |store: &purchase_sqlite::SqliteStore| store.dump_read_model().await.unwrap().pop().unwrap().1;
    let mut first = write(&one, 0, &[], false);
    let changes = [Change::Activated, Change::PastDue, Change::Recovered];
    let changes: Vec<_> = changes.iter().enumerate().map(|(n, it)| transition("o", n as i64, *it)).collect();
    first.transitions = vec![TransitionWrite { object: "o".to_owned(), since: at(0), changes: changes.clone() }];
    let pending_owners = vec![wait(&one, "a"), wait(&one, "b"), wait(&two, "a"), wait(&two, "c2")];
    let commit = Commit { subjects: vec![first, write(&two, 0, &[], false)], pending_owners, ..Commit::default() };
    store.commit(&commit).await.unwrap();
    let mut second = write(&one, 1, &[], false);
    let later = vec![transition("o", 1, Change::Canceled)];
    second.transitions = vec![TransitionWrite { object: "o".to_owned(), since: at(1), changes: later }];
    store
        .commit(&Commit { subjects: vec![second], pending_owners: vec![wait(&one, "c")], ..Commit::default() })
        .await
        .unwrap();

    let on = |names: &[&str]| Wanted::subjects(names.iter().map(|name| customer(name)).collect());
    let loaded = store.load(&on(&["a", "b", "c", "c2"])).await.unwrap();
    assert_eq!(loaded.pending_owners, [wait(&one, "c"), wait(&two, "a"), wait(&two, "c2")]);
    assert_eq!(loaded.subjects.iter().map(|it| &it.subject).collect::<Vec<_>>(), [&two], "pending owners are absent");
    let row = |n: i64, change: &str| format!(r#"{{"object":"o","at":{},"change":"{change}"}}"#, at(n).micros());
    assert_eq!(transitions(&store).await, [row(0, "activated"), row(1, "canceled")]);
}

#[tokio::test]
async fn subjects_are_listed_in_order_and_by_every_filter() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let owner = CustomerId::new("app").unwrap();
    let linked = fact(&subject(ObjectKind::Invoice, "i1"), "e", 1, vec![Link::Customer(id("c1"))]);
    let owned = fact(&subject(ObjectKind::Payment, "p1"), "e", 1, vec![Link::Owner(owner.clone())]);
    let mut elsewhere = customer("c1");
    elsewhere.source = "acme/acct/test".parse().unwrap();
    let mut writes = vec![
        write(&linked.subject, 0, std::slice::from_ref(&linked), true),
        write(&owned.subject, 0, std::slice::from_ref(&owned), true),
    ];
    for subject in [customer("c2"), customer("c1"), subject(ObjectKind::Product, "c1"), elsewhere.clone()] {
        writes.push(write(&subject, 0, &[], true));
    }
    let mut keys: Vec<_> = writes.iter().map(|it| it.subject.clone()).collect();
    keys.sort();
    store.commit(&Commit { subjects: writes, ..Commit::default() }).await.unwrap();
    let list = async |query: SubjectQuery| -> Vec<_> {
        let query = SubjectQuery { limit: if query.limit == 0 { 100 } else { query.limit }, ..query };
        store.subjects(&query).await.unwrap().into_iter().map(|it| it.subject).collect::<Vec<_>>()
    };
    let any = SubjectQuery::default;
    assert_eq!(list(any()).await, keys);
    assert_eq!(list(SubjectQuery { limit: 2, ..any() }).await, keys[..2]);
    for (at, after) in keys.iter().enumerate() {
        assert_eq!(list(SubjectQuery { after: Some(after.clone()), ..any() }).await, keys[at + 1..]);
    }
    assert_eq!(list(SubjectQuery { source: Some(elsewhere.source.clone()), ..any() }).await, [elsewhere.clone()]);
    let here = SubjectQuery { source: Some(source()), ..any() };
    assert_eq!(list(here.clone()).await.len(), 5);
    // A customer with the same id in another account is another customer.
    let customers = Some(vec![(source(), id("c1"))]);
    let expect = [customer("c1"), linked.subject.clone()];
    assert_eq!(list(SubjectQuery { customers: customers.clone(), ..here.clone() }).await, expect);
    assert_eq!(list(SubjectQuery { customers: customers.clone(), ..any() }).await, expect);
    let there = (elsewhere.source.clone(), id("c1"));
    assert_eq!(list(SubjectQuery { customers: Some(vec![there.clone()]), ..here }).await, []);
    assert_eq!(list(SubjectQuery { customers: Some(vec![there.clone()]), ..any() }).await, [elsewhere.clone()]);
    let both = Some(vec![there, (source(), id("c1"))]);
    let all_of_both = [customer("c1"), linked.subject.clone(), elsewhere];
    assert_eq!(list(SubjectQuery { customers: both, ..any() }).await, all_of_both);
    assert_eq!(list(SubjectQuery { customers: Some(vec![]), ..any() }).await, []);
    assert_eq!(list(SubjectQuery { owner: Some(owner.clone()), ..any() }).await, [owned.subject]);
    assert_eq!(list(SubjectQuery { owner: Some(owner), customers, ..any() }).await, []);
}

#[tokio::test]
async fn stored_data_that_cannot_be_read_is_reported() {
    let place = place();
    let store = fresh(&place).await;
    store.commit(&full_commit("e", "c")).await.unwrap();
    let spoil = async |sql: &'static str| {
        sqlx::query(sql).execute(&mut raw(&place).await).await.unwrap();
    };
    let corrupt = |error: StoreError| match error {
        StoreError::Corrupt { table, .. } => table,
        other => panic!("{other:?}"),
    };
    let wanted = Wanted { events: vec![key("e")], subjects: vec![customer("c")], ..Wanted::default() };
    spoil("UPDATE purchase_subjects SET state = json_set(state, '$.registers[0][1].tied', json('[]'))").await;
    assert_eq!(corrupt(store.load(&wanted).await.unwrap_err()), "subjects", "an object without an observation");
    spoil("UPDATE purchase_subjects SET state = '{}' || state").await;
    assert_eq!(corrupt(store.load(&wanted).await.unwrap_err()), "subjects");
    spoil("UPDATE purchase_events SET digest = 'zz'").await;
    assert_eq!(corrupt(store.events(&all()).await.unwrap_err()), "events");
    spoil("UPDATE purchase_facts SET document = 'null'").await;
    assert_eq!(corrupt(store.facts(&[key("e")]).await.unwrap_err()), "facts");
    spoil("UPDATE purchase_subjects SET state = CAST(x'ff' AS TEXT)").await;
    assert_eq!(corrupt(store.load(&wanted).await.unwrap_err()), "the database file");
}

#[tokio::test]
async fn a_prefix_keeps_two_stores_in_one_file_apart() {
    let place = place();
    let with = |prefix: &str| Options { prefix: TablePrefix::new(prefix).unwrap(), ..creating() };
    let one = Sqlite::open_and_migrate(&place.path, with("one_")).await.unwrap();
    let two = Sqlite::open_and_migrate(&place.path, with("")).await.unwrap();
    one.commit(&full_commit("e", "c")).await.unwrap();
    assert!(matches!(one.commit(&full_commit("e", "c")).await, Err(CommitError::Stale)));
    two.commit(&full_commit("e", "c")).await.unwrap();
    assert!(matches!(two.commit(&full_commit("e", "c")).await, Err(CommitError::Stale)));
    let count = Statement { name: "count", sql: "SELECT count(*) FROM one_events".into(), params: Vec::new() };
    assert_eq!(two.executor().batch(BatchKind::Read, &[count]).await.unwrap(), [[[Cell::from("1")]]]);
}

#[tokio::test]
async fn an_event_that_moved_on_is_not_moved_back() {
    let place = place();
    let store = fresh(&place).await;
    let commit = |events| Commit { events, ..Commit::default() };
    store.commit(&commit(vec![insert(event("e1", b"body"), EventStatus::Failed)])).await.unwrap();
    let step = |expected, status| commit(vec![EventWrite { expected: Some(expected), ..update("e1", status) }]);
    store.commit(&step(EventStatus::Failed, EventStatus::Processed)).await.unwrap();
    let overtaken = store.commit(&step(EventStatus::Failed, EventStatus::Failed)).await;
    assert!(matches!(overtaken, Err(CommitError::Stale)), "{overtaken:?}");
    let query = EventQuery { limit: 1, ..EventQuery::default() };
    assert_eq!(store.events(&query).await.unwrap()[0].status, EventStatus::Processed);
}
