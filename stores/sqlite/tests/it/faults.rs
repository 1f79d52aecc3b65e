//! Tests the store's errors when the database fails, and that nothing is written then.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    future::{Future, poll_fn},
    num::NonZeroU32,
    task::Poll,
    time::Duration,
};

use crate::support::*;
use purchase_core::{
    error::{CommitError, StoreError},
    store::{Browse, Claim, Commit, EventQuery, EventStatus, Lease, Queue, Store, StoredEvent},
};
use purchase_sql::SCHEMA_VERSION;
use purchase_sqlite::{Options, Sqlite, SqliteStore};
use sqlx::{Connection, Executor as _};

async fn count(store: &SqliteStore) -> usize {
    store.events(&EventQuery { limit: 10_000, ..EventQuery::default() }).await.unwrap().len()
}

#[tokio::test]
async fn a_read_only_database_is_read_and_refuses_writes() {
    let place = place();
    let store = fresh(&place).await;
    store.commit(&full_commit("e", "c")).await.unwrap();
    let before = everything(&place).await;
    let reader = Sqlite::open(&place.path, Options { read_only: true, ..Options::default() }).await.unwrap();
    assert_eq!(count(&reader).await, 1);
    let refused = reader.commit(&full_commit("f", "d")).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::ReadOnly { .. }))), "{refused:?}");
    assert!(matches!(reader.accept(&[event("f", b"")]).await, Err(StoreError::ReadOnly { .. })));
    assert_eq!(everything(&place).await, before);
}

#[tokio::test]
async fn a_database_that_another_process_locks_is_busy_and_works_afterwards() {
    let place = place();
    drop(fresh(&place).await);
    let options = Options { busy_timeout: Duration::from_millis(30), ..Options::default() };
    let store = Sqlite::open(&place.path, options).await.unwrap();
    let mut other = raw(&place).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let busy = store.commit(&full_commit("e", "c")).await;
    assert!(matches!(busy, Err(CommitError::Store(StoreError::Busy { .. }))), "{busy:?}");
    assert!(matches!(store.accept(&[event("e", b"")]).await, Err(StoreError::Busy { .. })));
    assert_eq!(count(&store).await, 0, "readers never wait");
    other.execute("ROLLBACK").await.unwrap();
    store.commit(&full_commit("e", "c")).await.unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_full_database_takes_nothing_in_part_and_works_once_there_is_room() {
    let place = place();
    drop(fresh(&place).await);
    let limited = Options { max_pages: NonZeroU32::new(120), ..Options::default() };
    let store = Sqlite::open(&place.path, limited).await.unwrap();
    let large = |number: usize| {
        let mut commit = full_commit(&format!("e{number}"), &format!("c{number}"));
        commit.events[0].event.body = vec![b'x'; 50_000];
        commit
    };
    let mut written = 0;
    let full = loop {
        match store.commit(&large(written)).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100);
    };
    assert!(matches!(full, CommitError::Store(StoreError::Full { .. })), "{full:?}");
    let before = everything(&place).await;
    for _ in 0..3 {
        let full = store.commit(&large(written)).await;
        assert!(matches!(full, Err(CommitError::Store(StoreError::Full { .. }))), "{full:?}");
        assert!(matches!(store.accept(&[large(written).events.remove(0).event]).await, Err(StoreError::Full { .. })));
    }
    assert_eq!(everything(&place).await, before);
    assert_eq!(count(&store).await, written);
    // Small data still fit, on the same handle.
    store.commit(&full_commit("small", "small")).await.unwrap();
    drop(store);
    let roomy = Sqlite::open(&place.path, Options::default()).await.unwrap();
    roomy.commit(&large(written)).await.unwrap();
    assert_eq!(count(&roomy).await, written + 2);
}

#[tokio::test]
async fn opening_says_which_schema_is_there() {
    let wanted = SCHEMA_VERSION;
    let place = place();
    let connected = Sqlite::connect(&place.path, creating()).await.unwrap();
    let missing = Sqlite::open(&place.path, Options::default()).await.unwrap_err();
    assert!(matches!(missing, StoreError::SchemaMissing { wanted: it } if it == wanted), "{missing:?}");
    assert_eq!(everything(&place).await, [], "checking the schema writes nothing");
    assert!(matches!(connected.check_schema().await, Err(StoreError::SchemaMissing { .. })));
    connected.migrate().await.unwrap();
    connected.check_schema().await.unwrap();

    let newer = wanted + 1;
    let sql = format!("INSERT INTO purchase_schema (version) VALUES ({newer})");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut raw(&place).await).await.unwrap();
    let before = everything(&place).await;
    for refused in
        [Sqlite::open(&place.path, creating()).await, Sqlite::open_and_migrate(&place.path, creating()).await]
    {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StoreError::SchemaNewer { found, .. } if found == newer), "{refused:?}");
    }
    assert_eq!(everything(&place).await, before);
    // The table of versions is empty, as if a migration had stopped at that point.
    raw(&place).await.execute("DELETE FROM purchase_schema").await.unwrap();
    assert!(matches!(Sqlite::open(&place.path, creating()).await, Err(StoreError::SchemaMissing { .. })));
    raw(&place).await.execute("INSERT INTO purchase_schema (version) VALUES (-1)").await.unwrap();
    assert!(matches!(Sqlite::open(&place.path, creating()).await, Err(StoreError::Corrupt { table: "schema", .. })));
}

#[tokio::test]
async fn a_failed_migration_leaves_nothing_and_can_be_done_again() {
    let place = place();
    let mut other = raw_created(&place).await;
    // The application has a table of this name already.
    other.execute("CREATE TABLE purchase_prices (x)").await.unwrap();
    let failed = Sqlite::migrate(&place.path, Options::default()).await;
    assert!(matches!(failed, Err(StoreError::Unavailable { operation: "migrate", .. })), "{failed:?}");
    let tables: Vec<_> = everything(&place).await.into_iter().map(|(name, rows, _)| (name, rows)).collect();
    assert_eq!(tables, [("purchase_prices".to_owned(), 0), ("purchase_schema".to_owned(), 0)]);
    other.execute("DROP TABLE purchase_prices").await.unwrap();
    Sqlite::migrate(&place.path, Options::default()).await.unwrap();
    Sqlite::migrate(&place.path, Options::default()).await.unwrap();
}

#[tokio::test]
async fn an_older_schema_is_refused_and_migrated_with_its_rows() {
    let place = place();
    Sqlite::connect(&place.path, creating()).await.unwrap().migrate_to_version(1).await.unwrap();
    let mut other = raw(&place).await;
    other
        .execute(
            "INSERT INTO purchase_payments (source, id, refunded, dispute) VALUES ('acme//test', 'pay_1', 5, 'none')",
        )
        .await
        .unwrap();
    let refused = Sqlite::open(&place.path, Options::default()).await.unwrap_err();
    assert!(matches!(refused, StoreError::SchemaOlder { found: 1, wanted: SCHEMA_VERSION }), "{refused:?}");

    Sqlite::migrate(&place.path, Options::default()).await.unwrap();
    let kept: (i64, i64) = sqlx::query_as("SELECT refunded, attempts FROM purchase_payments WHERE id = 'pay_1'")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(kept, (5, 0));
    let store = Sqlite::open(&place.path, Options::default()).await.unwrap();
    store.commit(&full_commit("after", "after")).await.unwrap();
}

async fn raw_created(place: &Place) -> sqlx::SqliteConnection {
    drop(Sqlite::connect(&place.path, creating()).await.unwrap());
    raw(place).await
}

/// The schema as a newer library may have left it during a rolling upgrade.
#[tokio::test]
async fn a_claimed_event_that_cannot_be_read_does_not_take_the_others_with_it() {
    let place = place();
    let store = fresh(&place).await;
    store.accept(&["a", "b", "c"].map(|name| event(name, b"{}"))).await.unwrap();
    let mut other = raw(&place).await;
    other.execute("UPDATE purchase_events SET reason = '{\"of_tomorrow\":1}' WHERE event_id = 'b'").await.unwrap();
    let claim = async |token: &str, now: i64| {
        let lease = Lease { token: token.to_owned(), until: at(now + 10) };
        store.claim(&Claim { queue: Queue::Events, lease, now: at(now), limit: 5 }).await
    };
    let names = |claimed: Vec<StoredEvent>| -> Vec<String> {
        claimed.into_iter().map(|it| format!("{} {}", it.event.key.id.expose(), it.attempts)).collect()
    };
    assert_eq!(names(claim("w1", 10).await.unwrap().events), ["a 1", "c 1"]);
    assert_eq!(names(claim("w2", 15).await.unwrap().events), [""; 0], "the unreadable event is leased like the others");
    let lease = Some(Lease { token: "w1".to_owned(), until: at(20) });
    let done = vec![update("a", EventStatus::Processed), update("c", EventStatus::Processed)];
    store.commit(&Commit { lease, events: done, ..Commit::default() }).await.unwrap();

    let none = claim("w3", 20).await.unwrap_err();
    assert!(matches!(none, StoreError::Corrupt { table: "events", .. }), "{none:?}");
    assert!(!format!("{none:?}").contains("of_tomorrow"));
    other.execute("UPDATE purchase_events SET reason = NULL WHERE event_id = 'b'").await.unwrap();
    assert_eq!(names(claim("w4", 30).await.unwrap().events), ["b 3"]);
}

#[tokio::test]
async fn what_is_no_database_is_said_to_be_none() {
    let place = place();
    let absent = Sqlite::open(&place.path, Options::default()).await.unwrap_err();
    assert!(matches!(absent, StoreError::Unavailable { operation: "open its file", .. }), "{absent:?}");
    let cause = std::error::Error::source(&absent).unwrap().to_string();
    assert!(cause.contains("create_if_missing") && cause.contains("billing.db"), "{cause}");
    let nowhere = Sqlite::open(place.path.join("no/folder"), creating()).await;
    assert!(matches!(nowhere, Err(StoreError::Unavailable { .. })), "{nowhere:?}");
    assert!(!place.path.exists());

    std::fs::write(&place.path, "This is a text of some length, and certainly no database. ".repeat(100)).unwrap();
    let text = Sqlite::open(&place.path, creating()).await.unwrap_err();
    assert!(matches!(text, StoreError::Corrupt { table: "the database file", .. }), "{text:?}");
}

#[tokio::test]
async fn a_commit_that_is_dropped_half_way_is_whole_or_absent() {
    let place = place();
    let store = fresh(&place).await;
    let mut landed = 0;
    let mut dropped = 0;
    for trial in 0..60_usize {
        // A commit ends after a handful of polls, so each small number is tried several times.
        let polls = trial % 6;
        let name = format!("e{trial}");
        let mut commit = full_commit(&name, &name);
        let second = full_commit(&format!("{name}-b"), &format!("{name}-b"));
        commit.events.extend(second.events);
        commit.facts.extend(second.facts);
        commit.subjects.extend(second.subjects);
        let mut future = Box::pin(store.commit(&commit));
        let mut left = polls;
        let outcome = poll_fn(|context| match left.checked_sub(1) {
            None => Poll::Ready(None),
            Some(fewer) => {
                left = fewer;
                future.as_mut().poll(context).map(Some)
            }
        });
        dropped += usize::from(outcome.await.is_none());
        drop(future);
        // The next commit finds no lock, and no half of the dropped commit.
        let next = Commit {
            events: vec![insert(event(&format!("next{trial}"), b""), EventStatus::Ignored)],
            ..Commit::default()
        };
        store.commit(&next).await.unwrap();
        let mut connection = raw(&place).await;
        let sql = "SELECT (SELECT count(*) FROM purchase_events WHERE status = 'processed'), \
                   (SELECT count(*) FROM purchase_facts), (SELECT count(*) FROM purchase_subjects), \
                   (SELECT count(*) FROM purchase_transitions)";
        let counts: (i64, i64, i64, i64) = sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let (events, facts, subjects, transitions) = counts;
        assert!([facts, subjects, transitions].iter().all(|it| *it == events), "{counts:?}");
        assert!(events == landed || events == landed + 2, "{counts:?}");
        landed = events;
    }
    assert!(landed > 0 && dropped > 5, "{landed} events of finished commits, {dropped} commits dropped");
}
