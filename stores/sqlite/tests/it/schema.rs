//! Tests that the migrations create the described tables, and how an older library's rows and processes are handled.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::support::*;
use purchase_core::{
    error::{CommitError, StoreError},
    store::{Commit, Store},
};
use purchase_sql::{Executor, Tampering, described};
use purchase_sqlite::{Options, Sqlite};

/// The event and the time of each fact.
async fn times(place: &Place) -> Vec<(String, i64)> {
    let sql = "SELECT event_id, committed_at FROM purchase_facts ORDER BY event_id";
    sqlx::query_as(sql).fetch_all(&mut raw(place).await).await.unwrap()
}

#[tokio::test]
async fn the_tables_are_those_that_are_described() {
    let store = Sqlite::open_in_memory().await.unwrap();
    assert_eq!(store.shape().await.unwrap(), described(store.executor().dialect()));
}

#[tokio::test]
async fn a_fact_keeps_the_time_of_its_first_commit() {
    let place = place();
    let store = fresh(&place).await;
    let one = customer("c");
    let facts = vec![fact(&one, "e", 1, vec![]), fact(&one, "f", 2, vec![])];
    let first = Commit { at: at(10), facts: facts[..1].to_vec(), ..Commit::default() };
    store.commit(&first).await.unwrap();
    store.commit(&Commit { at: at(20), facts: facts.clone(), ..Commit::default() }).await.unwrap();
    let micros = |seconds| at(seconds).micros();
    let expect = [("e".to_owned(), micros(10)), ("f".to_owned(), micros(20))];
    assert_eq!(times(&place).await, expect);
    // The new reading differs, and the time of the first commit stays.
    let other =
        Commit { at: at(30), reread: vec![key("e")], facts: vec![fact(&one, "e", 3, vec![])], ..Commit::default() };
    store.commit(&other).await.unwrap();
    assert_eq!(times(&place).await, expect);
}

/// Two versions of the library run on one database while the newer is rolled out.
#[tokio::test]
async fn a_process_of_the_version_before_writes_nothing_half() {
    let place = place();
    let old = Sqlite::connect(&place.path, creating()).await.unwrap();
    old.migrate_to_version(5).await.unwrap();
    for write in [Tampering::OlderSubject, Tampering::OlderFacts, Tampering::OlderSubject] {
        old.tamper(write).await.unwrap();
    }
    Sqlite::migrate(&place.path, Options::default()).await.unwrap();
    let before = everything(&place).await;
    for write in [Tampering::OlderSubject, Tampering::OlderFacts] {
        let refused = old.tamper(write).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{write:?}: {refused:?}");
    }
    assert_eq!(everything(&place).await, before);
    assert_eq!(times(&place).await, [("ev_older_2".to_owned(), 2)], "the receipt of its event");

    let store = Sqlite::open(&place.path, Options::default()).await.unwrap();
    let next =
        |revision| Commit { subjects: vec![write(&customer("cus_older"), revision, &[], true)], ..Commit::default() };
    for stale in [0, 1, 3] {
        assert!(matches!(store.commit(&next(stale)).await, Err(CommitError::Stale)), "{stale}");
    }
    store.commit(&next(2)).await.unwrap();
}
