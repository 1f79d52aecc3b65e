//! Tests of migrations that take long, or that wait for others.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use crate::support::*;
use purchase_core::{
    error::{CommitError, StoreError},
    store::{Browse, Commit, EventQuery, EventStatus, Store, SubjectQuery},
};
use purchase_postgres::{Options, Pooled, Postgres, TablePrefix};
use purchase_sql::{Executor, Tampering, described};

/// The time limits of any other statement, and of its wait for a lock.
const LIMIT: Duration = Duration::from_millis(500);

/// The options of a store with a prefix that no other test locks.
fn hurried(server: &Server) -> Options {
    let prefix = TablePrefix::new(format!("turn_{:08x}_", rand::random::<u32>())).unwrap();
    Options { prefix, lock_timeout: LIMIT, statement_timeout: LIMIT, ..server.options.clone() }
}

#[tokio::test]
async fn a_turn_that_comes_late_is_a_turn() {
    let Some(server) = server() else { return };
    let options = hurried(&server);
    let admin = Postgres::connect(&server.url, Options { schema: None, ..Options::default() }).await.unwrap();
    let mut other = admin.pool().begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(x'70757263'::integer, hashtext($1))")
        .bind(options.prefix.as_str())
        .execute(&mut *other)
        .await
        .unwrap();
    let (url, own) = (server.url.clone(), options.clone());
    let migration = tokio::spawn(async move { Postgres::open_and_migrate(&url, own).await });
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid::bigint = \
                   (hashtext($1)::bigint & 4294967295)";
    loop {
        let waits: i64 =
            sqlx::query_scalar(waiting).bind(options.prefix.as_str()).fetch_one(admin.pool()).await.unwrap();
        if waits > 0 {
            break;
        }
        assert!(!migration.is_finished(), "the migration did not wait for the lock");
    }
    // Longer than each of the limits.
    tokio::time::sleep(3 * LIMIT).await;
    assert!(!migration.is_finished(), "the migration has given up");
    other.rollback().await.unwrap();
    let store = migration.await.unwrap().unwrap();
    store.commit(&commit("e", "c", 0)).await.unwrap();
    let limits: (String, String) =
        sqlx::query_as("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
            .fetch_one(store.pool())
            .await
            .unwrap();
    assert_eq!(limits, ("500ms".to_owned(), "500ms".to_owned()), "a migration lifts the time limits only for itself");
}

/// Other users of a table queue behind a migration that waits for it.
#[tokio::test]
async fn a_table_that_is_in_use_is_not_waited_for_without_end() {
    let Some(server) = server() else { return };
    let options = hurried(&server);
    let store = Postgres::connect(&server.url, options.clone()).await.unwrap();
    store.executor().prepare().await.unwrap();
    store.migrate_to_version(1).await.unwrap();
    let mut other = store.pool().begin().await.unwrap();
    let lock = format!("LOCK TABLE {}payments, {}events IN ACCESS EXCLUSIVE MODE", options.prefix, options.prefix);
    sqlx::query(sqlx::AssertSqlSafe(lock)).execute(&mut *other).await.unwrap();
    let refused = told(&store.migrate().await.unwrap_err());
    assert!(refused.contains("55P03"), "{refused}");
    other.rollback().await.unwrap();
    assert!(matches!(store.check_schema().await, Err(StoreError::SchemaOlder { found: 1, .. })));
    store.migrate().await.unwrap();
    assert_eq!(store.events(&EventQuery { limit: 1, ..EventQuery::default() }).await.unwrap(), []);
}

#[tokio::test]
async fn events_of_the_version_before_get_their_status_and_their_public_ids() {
    let Some(server) = server() else { return };
    let store = Postgres::connect(&server.url, server.options.clone()).await.unwrap();
    store.executor().prepare().await.unwrap();
    store.migrate_to_version(3).await.unwrap();
    store.tamper(Tampering::OlderEvents).await.unwrap();
    store.migrate().await.unwrap();
    let find = async |name: &str| {
        let public_id = Some(event(name).key.public_id());
        let found = store.events(&EventQuery { public_id, limit: 9, ..EventQuery::default() }).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
        found[0].status
    };
    assert_eq!(find("ev_thin").await, EventStatus::AwaitingFetch);
    assert_eq!(find("ev_queued").await, EventStatus::Received);
    assert_eq!(find("ev_done").await, EventStatus::Processed);
    assert_eq!(find("ev_failed").await, EventStatus::Failed);

    store.commit(&commit("ev_new", "cus_new", 0)).await.unwrap();
    store.tamper(Tampering::Unnamed).await.unwrap();
    let subject =
        SubjectQuery { public_id: Some(customer("cus_new").public_id()), limit: 9, ..SubjectQuery::default() };
    for _ in 0..2 {
        assert_eq!(find("ev_new").await, EventStatus::Processed);
        assert_eq!(store.subjects(&subject).await.unwrap()[0].subject, customer("cus_new"));
        // The second search uses the index.
        store.migrate().await.unwrap();
    }
}

/// Two versions of the library run on one database while the newer is rolled out.
#[tokio::test]
async fn a_process_of_the_version_before_writes_nothing_half() {
    let Some(server) = server() else { return };
    let store = Postgres::connect(&server.url, server.options.clone()).await.unwrap();
    store.executor().prepare().await.unwrap();
    store.migrate_to_version(5).await.unwrap();
    store.tamper(Tampering::OlderSubject).await.unwrap();
    store.tamper(Tampering::OlderFacts).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.shape().await.unwrap(), described(store.executor().dialect()));
    for write in [Tampering::OlderSubject, Tampering::OlderFacts] {
        let refused = store.tamper(write).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{write:?}: {refused:?}");
    }
    let prefix = &server.options.prefix;
    let sql = format!("SELECT (SELECT count(*) FROM {prefix}events), count(*), min(committed_at) FROM {prefix}facts");
    let found: (i64, i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(store.pool()).await.unwrap();
    assert_eq!(found, (2, 1, 2), "events, facts, and the receipt of the fact's event");

    let next = |revision| Commit { subjects: commit("e", "cus_older", revision).subjects, ..Commit::default() };
    for stale in [0, 2] {
        assert!(matches!(store.commit(&next(stale)).await, Err(CommitError::Stale)), "{stale}");
    }
    store.commit(&next(1)).await.unwrap();
}
