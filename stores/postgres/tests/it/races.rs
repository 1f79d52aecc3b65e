//! Tests of several processes that write at once: each store has a separate pool, and the stores share only the
//! database.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use crate::support::*;
use purchase_core::{
    error::CommitError,
    store::{Browse, Claim, Commit, EventQuery, EventStatus, EventWrite, Lease, Queue, Store, Wanted},
};
use purchase_postgres::Postgres;
use tokio::task::JoinSet;

const PROCESSES: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_revision_is_won_by_one_of_many_processes() {
    const ROUNDS: usize = 20;
    let Some(server) = server() else { return };
    let first = server.migrated().await;
    let mut racers = JoinSet::new();
    for racer in 0..PROCESSES {
        let store = server.another().await;
        racers.spawn(async move {
            let mut won = Vec::new();
            while won.len() < ROUNDS {
                let wanted = Wanted::subjects(vec![customer("c")]);
                let loaded = store.load(&wanted).await.unwrap();
                let revision = loaded.subjects.first().map_or(0, |it| it.revision);
                match store.commit(&commit(&format!("e{racer}-{}", won.len()), "c", revision)).await {
                    Ok(()) => won.push(revision + 1),
                    Err(CommitError::Stale) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            won
        });
    }
    let mut won = racers.join_all().await.concat();
    won.sort_unstable();
    assert_eq!(won, (1..=(PROCESSES * ROUNDS) as i64).collect::<Vec<_>>(), "each revision is written exactly once");
    let events = first.events(&EventQuery { limit: 1000, ..EventQuery::default() }).await.unwrap();
    assert_eq!(events.len(), PROCESSES * ROUNDS, "a lost commit left no event");
}

/// Commits that write the same subjects in opposite orders would deadlock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_the_same_subjects_in_other_orders_do_not_wait_for_each_other() {
    const ROUNDS: i64 = 30;
    let Some(server) = server() else { return };
    let store = server.migrated().await;
    let mut racers = JoinSet::new();
    for racer in 0..4 {
        let store = server.another().await;
        racers.spawn(async move {
            for round in 0..ROUNDS {
                loop {
                    let subjects = vec![customer("a"), customer("b"), customer("c")];
                    let loaded = store.load(&Wanted::subjects(subjects.clone())).await.unwrap();
                    let revision = |of| loaded.subjects.iter().find(|it| it.subject == of).map_or(0, |it| it.revision);
                    let parts = subjects.into_iter().enumerate().map(|(at, subject)| {
                        let name = format!("e{racer}-{round}-{at}");
                        let root = subject.root.id.expose().to_owned();
                        commit(&name, &root, revision(subject))
                    });
                    let mut parts: Vec<Commit> = parts.collect();
                    if racer % 2 == 1 {
                        parts.reverse();
                    }
                    let mut whole = Commit::default();
                    for part in parts {
                        whole.events.extend(part.events);
                        whole.facts.extend(part.facts);
                        whole.subjects.extend(part.subjects);
                    }
                    match store.commit(&whole).await {
                        Ok(()) => break,
                        Err(CommitError::Stale) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        });
    }
    racers.join_all().await;
    let wanted = Wanted::subjects(vec![customer("a"), customer("b"), customer("c")]);
    let revisions: Vec<i64> = store.load(&wanted).await.unwrap().subjects.iter().map(|it| it.revision).collect();
    assert_eq!(revisions, [4 * ROUNDS; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claims_of_several_processes_never_overlap() {
    const EVENTS: usize = 400;
    let Some(server) = server() else { return };
    let store = server.migrated().await;
    let events: Vec<_> = (0..EVENTS).map(|number| event(&format!("e{number}"))).collect();
    store.accept(&events).await.unwrap();
    let mut workers = JoinSet::new();
    for worker in 0..PROCESSES {
        let store = server.another().await;
        workers.spawn(async move {
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
                assert!(claimed.iter().all(|it| it.attempts == 1), "a claim counts as an attempt");
                let names: Vec<String> = claimed.iter().map(|it| it.event.key.id.expose().to_owned()).collect();
                let events = names.iter().map(|name| done(name, Some(EventStatus::Received))).collect();
                store.commit(&Commit { lease: Some(lease), events, ..Commit::default() }).await.unwrap();
                taken.extend(names);
            }
            taken
        });
    }
    let mut taken = workers.join_all().await.concat();
    // A claim that found the rest locked by others ended early, so one more claim takes the rest.
    let lease = Lease { token: "last".to_owned(), until: at(1000) };
    let rest = store.claim(&Claim { queue: Queue::Events, lease, now: at(10), limit: 1000 }).await.unwrap().events;
    taken.extend(rest.iter().map(|it| it.event.key.id.expose().to_owned()));
    assert_eq!(taken.len(), EVENTS);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), EVENTS);
}

/// Two commits each release one of the two subjects that hold an event back: the second commit must see the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_is_released_by_the_last_of_two_commits_at_once() {
    let Some(server) = server() else { return };
    let store = server.migrated().await;
    for round in 0..40 {
        let (one, other, name) = (format!("a{round}"), format!("b{round}"), format!("e{round}"));
        let mut parked = commit(&name, &one, 0);
        let second = commit(&name, &other, 0);
        parked.facts.extend(second.facts);
        parked.subjects.extend(second.subjects);
        parked.subjects.iter_mut().for_each(|write| write.owner_settled = false);
        parked.events = vec![EventWrite { status: EventStatus::Parked, ..done(&name, None) }];
        store.commit(&parked).await.unwrap();
        let mut racers = JoinSet::new();
        for subject in [one, other] {
            let store = server.another().await;
            racers.spawn(async move {
                let name = format!("release-{subject}");
                store.commit(&commit(&name, &subject, 1)).await.unwrap();
            });
        }
        racers.join_all().await;
        let query = EventQuery { key: Some(event(&name).key), limit: 1, ..EventQuery::default() };
        assert_eq!(store.events(&query).await.unwrap()[0].status, EventStatus::Processed, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_migrate_at_once() {
    for _ in 0..3 {
        let Some(server) = server() else { return };
        let mut racers = JoinSet::new();
        for racer in 0..6 {
            let (url, options) = (server.url.clone(), server.options.clone());
            racers.spawn(async move {
                let store = Postgres::open_and_migrate(&url, options).await.unwrap();
                let name = format!("r{racer}");
                store.commit(&commit(&name, &name, 0)).await.unwrap();
            });
        }
        racers.join_all().await;
        let events = server.another().await.events(&EventQuery { limit: 100, ..EventQuery::default() }).await.unwrap();
        assert_eq!(events.len(), 6);
    }
}
