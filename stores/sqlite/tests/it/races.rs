//! Tests of several handles on one file that write at once. Each handle has separate connections, like another process:
//! the handles share only the file.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, sync::Arc};

use crate::support::*;
use purchase_core::{
    error::CommitError,
    store::{Browse, Claim, Commit, EventQuery, EventStatus, Lease, Queue, Store, Wanted},
};
use purchase_sqlite::{Options, Sqlite};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_revision_is_won_by_one_of_many_handles() {
    const HANDLES: usize = 4;
    const ROUNDS: usize = 25;
    let place = place();
    drop(fresh(&place).await);
    let mut racers = JoinSet::new();
    for racer in 0..HANDLES {
        let path = place.path.clone();
        racers.spawn(async move {
            let store = Sqlite::open(path, Options::default()).await.unwrap();
            let mut won = Vec::new();
            let mut lost = 0;
            while won.len() < ROUNDS {
                let wanted = Wanted::subjects(vec![customer("c")]);
                let loaded = store.load(&wanted).await.unwrap();
                let revision = loaded.subjects.first().map_or(0, |it| it.revision);
                let name = format!("e{racer}-{}", won.len());
                let facts = vec![fact(&customer("c"), &name, revision, vec![])];
                let commit = Commit {
                    events: vec![insert(event(&name, b"{}"), EventStatus::Processed)],
                    subjects: vec![write(&customer("c"), revision, &facts, true)],
                    facts,
                    ..Commit::default()
                };
                match store.commit(&commit).await {
                    Ok(()) => won.push(revision + 1),
                    Err(CommitError::Stale) => lost += 1,
                    Err(error) => panic!("{error:?}"),
                }
            }
            (won, lost)
        });
    }
    let outcomes = racers.join_all().await;
    let mut won: Vec<i64> = outcomes.iter().flat_map(|(won, _)| won.clone()).collect();
    won.sort_unstable();
    assert_eq!(won, (1..=(HANDLES * ROUNDS) as i64).collect::<Vec<_>>(), "each revision is written exactly once");
    let store = Sqlite::open(&place.path, Options::default()).await.unwrap();
    let events = store.events(&EventQuery { limit: 1000, ..EventQuery::default() }).await.unwrap();
    assert_eq!(events.len(), HANDLES * ROUNDS, "a lost commit left no event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claims_of_several_workers_never_overlap() {
    let place = place();
    let store = fresh(&place).await;
    let events: Vec<_> = (0..300).map(|number| event(&format!("e{number}"), b"{}")).collect();
    store.accept(&events).await.unwrap();
    let mut workers = JoinSet::new();
    for worker in 0..4 {
        let path = place.path.clone();
        workers.spawn(async move {
            let store = Sqlite::open(path, Options::default()).await.unwrap();
            let mut taken = Vec::new();
            for round in 0.. {
                let lease = Lease { token: format!("w{worker}-{round}"), until: at(1000) };
                let claimed = store
                    .claim(&Claim { queue: Queue::Events, lease: lease.clone(), now: at(10), limit: 7 })
                    .await
                    .unwrap()
                    .events;
                if claimed.is_empty() {
                    break;
                }
                let done = |name: &str| update(name, EventStatus::Processed);
                let names: Vec<String> = claimed.iter().map(|it| it.event.key.id.expose().to_owned()).collect();
                let events = names.iter().map(|name| done(name)).collect();
                store.commit(&Commit { lease: Some(lease), events, ..Commit::default() }).await.unwrap();
                taken.extend(names);
            }
            taken
        });
    }
    let taken: Vec<String> = workers.join_all().await.concat();
    assert_eq!(taken.len(), 300);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_create_and_migrate_at_once() {
    for _ in 0..5 {
        let place = place();
        let mut racers = JoinSet::new();
        for racer in 0..6 {
            let path = place.path.clone();
            racers.spawn(async move {
                let store = Sqlite::open_and_migrate(path, creating()).await.unwrap();
                let name = format!("r{racer}");
                store.commit(&full_commit(&name, &name)).await.unwrap();
            });
        }
        racers.join_all().await;
        let store = Sqlite::open(&place.path, Options::default()).await.unwrap();
        assert_eq!(store.events(&EventQuery { limit: 100, ..EventQuery::default() }).await.unwrap().len(), 6);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_one_handle_queue() {
    let place = place();
    let store = Arc::new(fresh(&place).await);
    let mut writers = JoinSet::new();
    for writer in 0..50 {
        let store = Arc::clone(&store);
        let name = format!("e{writer}");
        writers.spawn(async move { store.commit(&full_commit(&name, &name)).await.unwrap() });
    }
    writers.join_all().await;
    assert_eq!(store.events(&EventQuery { limit: 100, ..EventQuery::default() }).await.unwrap().len(), 50);
}
