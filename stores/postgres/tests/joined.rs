//! An application's own row and this library's land in one commit, or neither does.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use purchase_core::{
    error::CommitError,
    store::{EventQuery, Store},
};
use purchase_postgres::{Join, Pooled, PostgresStore};
use support::*;

async fn with_orders(server: &Server) -> PostgresStore {
    let store = server.migrated().await;
    sqlx::query("CREATE TABLE orders (id TEXT PRIMARY KEY)").execute(store.pool()).await.unwrap();
    store
}

async fn counts(store: &PostgresStore) -> (i64, usize) {
    let orders = sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(store.pool()).await.unwrap();
    let events = store.events(&EventQuery { limit: 10, ..EventQuery::default() }).await.unwrap();
    (orders, events.len())
}

#[tokio::test]
async fn both_land_or_neither() {
    let Some(server) = server() else { return };
    let store = with_orders(&server).await;
    for (commits, expected) in [(false, (0, 0)), (true, (1, 1))] {
        let mut transaction = store.pool().begin().await.unwrap();
        sqlx::query("INSERT INTO orders VALUES ('o')").execute(&mut *transaction).await.unwrap();
        let joined = store.join(transaction);
        joined.commit(&commit("e", "c", 0)).await.unwrap();
        assert_eq!(joined.events(&EventQuery { limit: 10, ..EventQuery::default() }).await.unwrap().len(), 1);
        assert_eq!(counts(&store).await, (0, 0), "nobody else sees it yet");
        let transaction = joined.executor().take().await.unwrap();
        match commits {
            true => transaction.commit().await.unwrap(),
            false => transaction.rollback().await.unwrap(),
        }
        assert_eq!(counts(&store).await, expected);
    }
}

/// A commit that is refused leaves what the application did before it, and can be tried again.
#[tokio::test]
async fn a_refused_commit_leaves_the_transaction_as_it_was() {
    let Some(server) = server() else { return };
    let store = with_orders(&server).await;
    store.commit(&commit("e", "c", 0)).await.unwrap();
    let mut transaction = store.pool().begin().await.unwrap();
    sqlx::query("INSERT INTO orders VALUES ('o')").execute(&mut *transaction).await.unwrap();
    let joined = store.join(transaction);
    assert!(matches!(joined.commit(&commit("e", "c", 0)).await, Err(CommitError::Stale)));
    assert!(matches!(joined.commit(&commit("f", "c", 0)).await, Err(CommitError::Stale)));
    joined.commit(&commit("f", "c", 1)).await.unwrap();
    joined.executor().take().await.unwrap().commit().await.unwrap();
    assert_eq!(counts(&store).await, (1, 2));
    assert!(joined.executor().take().await.is_none());
    assert!(joined.commit(&commit("g", "c", 2)).await.is_err(), "the transaction is the application's again");
}
