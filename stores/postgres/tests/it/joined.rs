//! Tests that an application's own row and this library's are committed together, or neither is.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use crate::support::*;
use purchase_conformance::{Endpoint, acme::ACME};
use purchase_core::{
    delivery::Delivery,
    engine::Engine,
    error::{CommitError, Refusal, StoreError},
    id::ProviderName,
    store::{Browse, EventQuery, EventStatus, Store},
};
use purchase_postgres::{Join, Pooled, PostgresStore};

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

/// A refused commit keeps the application's earlier work in the transaction, and can be retried.
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

/// In such a transaction, a commit that lost a race would lose again at each retry.
#[tokio::test]
async fn a_transaction_of_another_isolation_is_refused() {
    let Some(server) = server() else { return };
    let store = with_orders(&server).await;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let begin = sqlx::AssertSqlSafe(format!("BEGIN ISOLATION LEVEL {level}"));
        let joined = store.join(store.pool().begin_with(begin).await.unwrap());
        for _ in 0..2 {
            let Err(CommitError::Store(refused)) = joined.commit(&commit("e", "c", 0)).await else { panic!("{level}") };
            assert!(matches!(refused, StoreError::Unavailable { operation: "commit", .. }), "{refused:?}");
            let said = told(&refused);
            assert!(said.contains(&format!("is {:?}", level.to_lowercase())), "{said}");
            assert!(said.contains("BEGIN ISOLATION LEVEL READ COMMITTED"), "{said}");
        }
        // The application's own work is unaffected.
        let mut transaction = joined.executor().take().await.unwrap();
        sqlx::query("INSERT INTO orders VALUES ($1)").bind(level).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }
    assert_eq!(counts(&store).await, (2, 0));
}

/// A genuine delivery whose body can't be read; it can be created repeatedly.
fn unreadable() -> Delivery {
    let body = br#"{"id":"e1","type":"customer.changed","live":false,"at":1700000000,"object":{"id":7}}"#;
    let headers = (ACME.sign)(&["joined"], body, at(0)).headers();
    Delivery { provider: ProviderName::new("acme").unwrap(), headers, body: body.to_vec(), received_at: at(0) }
}

/// A refused delivery is kept only if the application commits, so the application must commit before it answers.
#[tokio::test]
async fn a_refused_body_is_kept_by_the_application_s_commit() {
    let Some(server) = server() else { return };
    let store = with_orders(&server).await;
    let endpoint = Endpoint { secrets: &["joined"], tolerance_seconds: None, mode: None };
    let provider = (ACME.build)(&endpoint).unwrap();
    for (commits, kept) in [(false, 0), (true, 1)] {
        let joined = Arc::new(store.join(store.pool().begin().await.unwrap()));
        let engine = Engine::new(joined.clone()).with_provider(provider.clone());
        let refused = engine.handle(unreadable()).await.unwrap_err();
        assert!(matches!(refused, Refusal::Unreadable { .. }), "{refused:?}");
        let transaction = joined.executor().take().await.unwrap();
        match commits {
            true => transaction.commit().await.unwrap(),
            false => drop(transaction),
        }
        let events = store.events(&EventQuery { limit: 10, ..EventQuery::default() }).await.unwrap();
        assert_eq!(events.len(), kept, "committed: {commits}");
        assert!(events.iter().all(|event| event.status == EventStatus::Failed && event.reason.is_some()), "{events:?}");
    }
}
