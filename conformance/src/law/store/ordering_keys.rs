//! Decides whether a store gives out each customer's events in order and those of different customers concurrently, and
//! whether it counts the attempts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use purchase_core::{
    id::{ObjectKind, ObjectRef, ProviderId},
    store::{Claim, Commit, EventQuery, EventStatus, EventWrite, Lease, NewEvent, Queue, Store, Wanted},
    time::Timestamp,
};

use crate::{
    fault::Interleaved,
    law::{
        StoreTrial,
        store::{
            material::{at, event, event_write},
            promises::open,
        },
    },
    schedule::random_of,
    verdict::{Broken, Held, Verdict, ensure},
};

/// An event with the customer's ordering key, or without one.
fn event_of(number: i64, customer: Option<&str>) -> Result<NewEvent, Broken> {
    let id = |text| ProviderId::new(text).map_err(|error| Broken::caused("an id of the kit", &error));
    let ordering_key =
        customer.map(|text| Ok::<_, Broken>(ObjectRef::new(ObjectKind::Customer, id(text)?))).transpose()?;
    Ok(NewEvent { ordering_key, ..event(number)? })
}

fn lease(token: &str, until: i64) -> Lease {
    Lease { token: token.to_owned(), until: at(until) }
}

/// The numbers of the events that a claim returns, in its order.
async fn given(store: &dyn Store, lease: &Lease, now: i64, limit: u32) -> Result<Vec<i64>, Broken> {
    let claimed = store.claim(&Claim { queue: Queue::Events, lease: lease.clone(), now: at(now), limit }).await?.events;
    Ok(claimed.iter().map(|stored| number_of(&stored.event)).collect())
}

fn number_of(event: &NewEvent) -> i64 {
    event.received_at.seconds() - at(0).seconds()
}

async fn end(
    store: &dyn Store,
    lease: &Lease,
    event: &NewEvent,
    status: EventStatus,
    due_at: Option<Timestamp>,
) -> Result<(), Broken> {
    let known = store.load(&Wanted::events(vec![event.key.clone()])).await?.events;
    let write = EventWrite { status, due_at, ..event_write(event, known.first().map(|stored| stored.status)) };
    let commit = Commit { lease: Some(lease.clone()), events: vec![write], ..Commit::default() };
    store.commit(&commit).await.map_err(|fault| Broken::caused("a commit under a valid lease", &fault))
}

pub(crate) async fn in_order(trial: &StoreTrial) -> Verdict {
    let told = one_after_another(trial).await?;
    Ok(Held { checks: told + side_by_side(trial).await? })
}

/// Events 1, 2, 4 and 7 are Ann's, 3 is Bob's, 5 and 6 are nobody's.
async fn one_after_another(trial: &StoreTrial) -> Result<u64, Broken> {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let customers = [Some("ann"), Some("ann"), Some("bob"), Some("ann"), None, None, Some("ann")];
    let events: Vec<NewEvent> =
        customers.iter().zip(1..).map(|(customer, number)| event_of(number, *customer)).collect::<Result<_, _>>()?;
    store.accept(&events[..6]).await?;
    let (one, two, three) = (lease("one", 50), lease("two", 50), lease("three", 90));
    let check = |what: &str, given: &[i64], expect: &[i64]| {
        ensure(given == expect, || format!("{what}: events {given:?} were claimed, expected {expect:?}"))
    };
    check("the first claim", &given(store, &one, 10, 1).await?, &[1])?;
    check("while Ann's first event is held", &given(store, &two, 10, 2).await?, &[3, 5])?;
    check("while Ann's first event is held, the rest", &given(store, &two, 10, 9).await?, &[6])?;
    end(store, &one, &events[0], EventStatus::Processed, None).await?;
    check("after Ann's first event is done", &given(store, &one, 11, 1).await?, &[2])?;
    check("while Ann's second event is held", &given(store, &two, 12, 9).await?, &[])?;
    // Both leases have ended: the events under them and the later ones are due again.
    check("after the leases have ended", &given(store, &three, 60, 9).await?, &[2, 3, 4, 5, 6])?;
    end(store, &three, &events[1], EventStatus::Failed, Some(at(70))).await?;
    end(store, &three, &events[3], EventStatus::Processed, None).await?;
    store.accept(&events[6..]).await?;
    check("while Ann's second event is backed off", &given(store, &lease("four", 65), 61, 9).await?, &[7])?;
    check("when Ann's second event is due again", &given(store, &lease("five", 99), 75, 9).await?, &[2, 7])?;
    Ok(8)
}

/// Which worker holds which event: for each customer, the numbers of events and their workers.
type Hands = Mutex<BTreeMap<ObjectRef, BTreeMap<i64, usize>>>;

async fn side_by_side(trial: &StoreTrial) -> Result<u64, Broken> {
    const EVENTS: i64 = 60;
    const CUSTOMERS: [&str; 5] = ["ann", "bob", "cyd", "dan", "eve"];
    let mut done = 0;
    for round in 0..3 {
        let fresh = open(trial).await?;
        let random = random_of(trial.seed, &format!("S12/{round}"));
        let store: Arc<dyn Store> =
            Arc::new(Interleaved { inner: Arc::clone(&fresh.store), random: Mutex::new(random) });
        // Customers change every three events, so that a claim of seven cuts through a run.
        let customer = |number: i64| usize::try_from(number / 3).map_or("ann", |at| CUSTOMERS[at % CUSTOMERS.len()]);
        let events =
            (1..=EVENTS).map(|number| event_of(number, Some(customer(number)))).collect::<Result<Vec<_>, _>>()?;
        store.accept(&events).await?;
        let hands = Arc::new(Hands::default());
        let workers: Vec<_> =
            (0..6).map(|worker| tokio::spawn(work(Arc::clone(&store), Arc::clone(&hands), worker))).collect();
        for worker in workers {
            done += worker.await.map_err(|error| Broken::caused("a worker", &error))??;
        }
        let left = EventQuery { statuses: vec![EventStatus::Received], limit: 100, ..EventQuery::default() };
        let left = store.events(&left).await?.len();
        ensure(left == 0, || format!("{left} events were claimed by no worker"))?;
    }
    Ok(done)
}

/// Claims and finishes events until nothing is left for a while.
async fn work(store: Arc<dyn Store>, hands: Arc<Hands>, worker: usize) -> Result<u64, Broken> {
    let (mut done, mut idle) = (0, 0);
    let hands = || hands.lock().unwrap_or_else(PoisonError::into_inner);
    for round in 0.. {
        let lease = lease(&format!("worker-{worker}-{round}"), 10_000);
        let claimed =
            store.claim(&Claim { queue: Queue::Events, lease: lease.clone(), now: at(1000), limit: 7 }).await?.events;
        idle = if claimed.is_empty() { idle + 1 } else { 0 };
        if idle > 200 || done > 200 {
            break;
        }
        for stored in &claimed {
            let ordering_key =
                stored.event.ordering_key.clone().ok_or_else(|| Broken::new("a claimed event has no ordering key"))?;
            let mut hands = hands();
            let others = hands.entry(ordering_key).or_default();
            let other = others.values().find(|other| **other != worker).copied();
            ensure(other.is_none(), || {
                format!("event {} was claimed while another worker held one with its ordering key", stored.sequence)
            })?;
            others.insert(number_of(&stored.event), worker);
        }
        for stored in claimed {
            let number = number_of(&stored.event);
            hands().values_mut().for_each(|events| {
                events.remove(&number);
            });
            end(store.as_ref(), &lease, &stored.event, EventStatus::Processed, None).await?;
            done += 1;
        }
    }
    Ok(done)
}

pub(crate) async fn attempts_are_counted(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let event = event_of(1, None)?;
    store.accept(std::slice::from_ref(&event)).await?;
    for attempt in 1..=3_u32 {
        let now = i64::from(attempt) * 10;
        let claim =
            Claim { queue: Queue::Events, lease: lease(&format!("worker-{attempt}"), now + 5), now: at(now), limit: 5 };
        let told: Vec<u32> = store.claim(&claim).await?.events.iter().map(|stored| stored.attempts).collect();
        ensure(told == [attempt], || format!("claim {attempt} returns {told:?} attempts"))?;
        let query = EventQuery { limit: 5, ..EventQuery::default() };
        let kept: Vec<u32> = store.events(&query).await?.iter().map(|stored| stored.attempts).collect();
        ensure(kept == [attempt], || format!("after claim {attempt}, the store lists {kept:?} attempts"))?;
    }
    Ok(Held { checks: 6 })
}
