//! Tests the server's failures and the errors that report them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{num::NonZeroU32, time::Duration};

use crate::support::*;
use purchase_core::{
    error::{CommitError, StoreError},
    store::{Browse, EventQuery, Store},
};
use purchase_postgres::{Options, Pooled, Postgres, PostgresStore};

/// Ends a store's only connection, as an administrator or a restart would.
async fn end_connection(by: &PostgresStore, of: &PostgresStore) {
    let mut connection = of.pool().acquire().await.unwrap();
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await.unwrap();
    drop(connection);
    let ended: bool =
        sqlx::query_scalar("SELECT pg_terminate_backend($1, 5000)").bind(pid).fetch_one(by.pool()).await.unwrap();
    assert!(ended);
}

#[tokio::test]
async fn lost_connections_are_replaced_and_nothing_is_written_twice() {
    let Some(mut server) = server() else { return };
    server.options.connections = NonZeroU32::MIN;
    let (store, admin) = (server.migrated().await, server.another().await);
    let count = async || store.events(&EventQuery { limit: 100, ..EventQuery::default() }).await.unwrap().len();
    store.commit(&commit("e0", "c", 0)).await.unwrap();
    for round in 1..=3_usize {
        end_connection(&admin, &store).await;
        assert_eq!(count().await, round, "a read is tried again");
        end_connection(&admin, &store).await;
        let revision = i64::try_from(round).unwrap();
        // The outcome of the write is unknown, so the caller has to check. Here it was not written.
        let next = commit(&format!("e{round}"), "c", revision);
        match store.commit(&next).await {
            Ok(()) => {}
            Err(CommitError::Unknown(_)) => {
                assert_eq!(count().await, round);
                store.commit(&next).await.unwrap();
            }
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(count().await, round + 1);
    }
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_no_outage() {
    let Some(server) = server() else { return };
    let server = server.patient(Duration::from_millis(200));
    let store = server.migrated().await;
    let mut other = store.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE purchase_events IN ACCESS EXCLUSIVE MODE").execute(&mut *other).await.unwrap();
    let refused = store.commit(&commit("e", "c", 0)).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::TimedOut { .. }))), "{refused:?}");
    other.rollback().await.unwrap();
    store.commit(&commit("e", "c", 0)).await.unwrap();
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let Some(server) = server() else { return };
    let opened = Postgres::open(&server.url, server.options.clone()).await;
    assert!(matches!(opened, Err(StoreError::SchemaMissing { .. })), "{opened:?}");
    let store = server.migrated().await;
    sqlx::query(sqlx::AssertSqlSafe(format!("DROP FUNCTION {}", function(&store).await)))
        .execute(store.pool())
        .await
        .unwrap();
    let opened = Postgres::open(&server.url, server.options.clone()).await.unwrap_err();
    let said = format!("{opened}: {}", std::error::Error::source(&opened).unwrap());
    assert!(said.contains("find its batch function"), "{said}");
    Postgres::migrate(&server.url, server.options.clone()).await.unwrap();
    server.another().await.commit(&commit("e", "c", 0)).await.unwrap();
}

async fn function(store: &PostgresStore) -> String {
    let name = "SELECT proname::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace";
    sqlx::query_scalar(name).fetch_one(store.pool()).await.unwrap()
}

#[tokio::test]
async fn nobody_at_the_address_is_unavailable_and_the_password_stays_secret() {
    let options = Options { acquire_timeout: Duration::from_secs(2), ..Options::default() };
    let refused = Postgres::open("postgres://me:hunter2@127.0.0.1:1/d", options).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable { operation: "connect", .. }), "{refused:?}");
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.contains("no connection was made within 2s: the server is down"), "{cause}");
    assert!(!format!("{refused:?}").contains("hunter2"));
}
