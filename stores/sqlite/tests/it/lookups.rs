//! Tests a database of the version before public ids and before events that wait for a fetch: its migration and its
//! lookups.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::support::*;
use purchase_core::store::{
    Browse, Claim, Commit, EventQuery, EventStatus, Lease, Queue, Reason, Store, StoredEvent, SubjectQuery,
};
use purchase_sql::Tampering;
use purchase_sqlite::{Options, Sqlite, SqliteStore};
use sqlx::Executor as _;

async fn find(store: &SqliteStore, public_id: String) -> Option<StoredEvent> {
    let query = EventQuery { public_id: Some(public_id), limit: 9, ..EventQuery::default() };
    let mut found = store.events(&query).await.unwrap();
    assert!(found.len() < 2, "{found:?}");
    found.pop()
}

/// The number of rows without a public id.
async fn unnamed(place: &Place, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM purchase_{table} WHERE public_id IS NULL");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut raw(place).await).await.unwrap()
}

#[tokio::test]
async fn events_of_the_version_before_get_their_status_and_their_public_ids() {
    let place = place();
    let old = Sqlite::connect(&place.path, creating()).await.unwrap();
    old.migrate_to_version(3).await.unwrap();
    old.tamper(Tampering::OlderEvents).await.unwrap();
    drop(old);
    let store = Sqlite::open_and_migrate(&place.path, Options::default()).await.unwrap();
    let expect = [
        ("ev_thin", EventStatus::AwaitingFetch, None),
        ("ev_queued", EventStatus::Received, Some(2)),
        ("ev_done", EventStatus::Processed, None),
        ("ev_failed", EventStatus::Failed, None),
    ];
    for (name, status, due) in expect {
        let found = find(&store, key(name).public_id()).await.unwrap();
        assert_eq!((found.event.key.clone(), found.status), (key(name), status));
        assert_eq!(found.due_at.map(|due| due.micros()), due, "{name}");
    }
    // The row that can't be read stays without a public id.
    assert_eq!(unnamed(&place, "events").await, 1);

    let open = EventQuery { statuses: vec![EventStatus::AwaitingFetch], limit: 9, ..EventQuery::default() };
    let waiting = store.events(&open).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert!(matches!(waiting[0].reason, Some(Reason::Fetch(_))));
    let lease = Lease { token: "w".to_owned(), until: at(9) };
    let claimed = store.claim(&Claim { queue: Queue::Events, lease, now: at(5), limit: 9 }).await.unwrap().events;
    assert_eq!(claimed.iter().map(|it| it.event.key.clone()).collect::<Vec<_>>(), [key("ev_queued")]);
    let junk = raw(&place).await.execute("UPDATE purchase_events SET status = 'junk'").await.unwrap_err();
    assert!(junk.to_string().contains("CHECK"), "{junk}");
    store.commit(&full_commit("after", "after")).await.unwrap();
}

#[tokio::test]
async fn rows_without_a_public_id_are_found_and_a_migration_names_all_of_them() {
    let place = place();
    let store = fresh(&place).await;
    // More rows than fit in one page of the naming.
    let names: Vec<String> = (0..1203).map(|number| format!("e{number:04}")).collect();
    let events = names.iter().map(|name| insert(event(name, b"{}"), EventStatus::Ignored)).collect();
    let subjects = names.iter().map(|name| write(&customer(name), 0, &[], true)).collect();
    store.commit(&Commit { events, subjects, ..Commit::default() }).await.unwrap();
    assert_eq!([unnamed(&place, "events").await, unnamed(&place, "subjects").await], [0, 0]);
    store.tamper(Tampering::Unnamed).await.unwrap();
    assert_eq!([unnamed(&place, "events").await, unnamed(&place, "subjects").await], [1203, 1203]);

    let found = async |name: &str| {
        let subject = SubjectQuery { public_id: Some(customer(name).public_id()), limit: 9, ..SubjectQuery::default() };
        let subjects = store.subjects(&subject).await.unwrap();
        let event = find(&store, key(name).public_id()).await;
        (event.map(|it| it.event.key), subjects.into_iter().map(|it| it.subject).collect::<Vec<_>>())
    };
    for name in ["e0000", "e0499", "e0500", "e1202"] {
        assert_eq!(found(name).await, (Some(key(name)), vec![customer(name)]));
    }
    assert_eq!(found("none").await, (None, vec![]));
    // A write gives its row a public id.
    store
        .commit(&Commit { subjects: vec![write(&customer("e0007"), 1, &[], true)], ..Commit::default() })
        .await
        .unwrap();
    assert_eq!(unnamed(&place, "subjects").await, 1202);

    store.migrate().await.unwrap();
    assert_eq!([unnamed(&place, "events").await, unnamed(&place, "subjects").await], [0, 0]);
    for name in ["e0000", "e0499", "e0500", "e1202"] {
        assert_eq!(found(name).await, (Some(key(name)), vec![customer(name)]));
    }
}
