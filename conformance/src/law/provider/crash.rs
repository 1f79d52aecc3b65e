//! Decides whether crashes and concurrent workers affect the projection.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use purchase_core::{
    delivery::Delivery,
    id::EventKey,
    store::{EventStatus, Lease, Store},
};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::{
    fault::{FaultyStore, Interleaved, StoreFault, When},
    law::Trial,
    replay::{self, Reference, later, statuses},
    rig::{Bench, Setup},
    schedule::Schedule,
    verdict::{Broken, ensure},
};

/// The maximum number of crashes tried per schedule and way of processing. Above it, the crashes are drawn at random.
const CRASHES: usize = 48;

/// How often concurrent workers play a schedule, and how many of these runs must fail. Threads don't interleave the
/// same way twice. Only schedules for workers are played more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Races {
    pub(crate) max: u64,
    pub(crate) failures: u64,
}

impl Races {
    /// For one schedule among many.
    pub(crate) const ONE: Self = Self { max: 1, failures: 1 };
    /// For a smaller schedule. It is shown only if it fails often, so that somebody who plays it again sees it fail.
    pub(crate) const SMALLER: Self = Self { max: 16, failures: 4 };
    /// For a schedule that was seen to fail.
    pub(crate) const AGAIN: Self = Self { max: 100, failures: 1 };
}

/// The random numbers of one schedule. They are the same whenever it is played.
fn random_for(trial: &Trial, law: &str, schedule: &Schedule) -> StdRng {
    trial.random(&format!("{law}/{:?}", schedule.batches()))
}

/// Gives each batch of a schedule to one worker. All workers run at once, with a different interleaving each time.
pub(crate) async fn side_by_side(
    trial: &Trial,
    signed: &[Delivery],
    reference: &Reference,
    schedule: &Schedule,
    races: Races,
) -> Result<u64, Broken> {
    let mut random = random_for(trial, "P08", schedule);
    let workers = schedule.batches().len();
    let mut failures = 0;
    for _ in 0..races.max {
        let interleaving = StdRng::from_rng(&mut random);
        let between = |inner| Arc::new(Interleaved { inner, random: Mutex::new(interleaving) }) as Arc<dyn Store>;
        let setup = Setup { between: Some(Box::new(between)), ..Setup::of(&trial.scenario) };
        let bench = trial.rig.bench_of(setup).await?;
        let raced = async {
            race(&bench, signed, schedule).await?;
            same_end(&bench, reference).await
        };
        let Err(broken) = raced.await else { continue };
        failures += 1;
        if failures == races.failures {
            let place = format!("{workers} concurrent workers, one for each batch of the schedule");
            return Err(broken.context(&place));
        }
    }
    Ok(1)
}

async fn same_end(bench: &Bench, reference: &Reference) -> Result<(), Broken> {
    reference.compare_projection(&bench.projection().await?)?;
    let found = statuses(bench.events().await?);
    ensure(found == reference.statuses, || difference(&reference.statuses, &found))
}

/// Each worker sends its deliveries one by one. All workers run at once.
async fn race(bench: &Bench, signed: &[Delivery], schedule: &Schedule) -> Result<(), Broken> {
    let mut workers = Vec::new();
    for share in schedule.batches() {
        let receiver = Arc::clone(&bench.receiver);
        let share: Vec<(usize, Delivery)> = share.iter().map(|index| (*index, signed[*index].clone())).collect();
        workers.push(tokio::spawn(async move {
            for (place, (index, delivery)) in share.into_iter().enumerate() {
                replay::send(receiver.as_ref(), vec![(index, later(&delivery, place))]).await?;
            }
            Ok::<(), Broken>(())
        }));
    }
    for worker in workers {
        worker.await.map_err(|error| Broken::caused("a worker", &error))??;
    }
    Ok(())
}

/// Plays a schedule once for each store call that crashes, before its effect and after it, in both ways of processing.
pub(crate) async fn crashes(
    trial: &Trial,
    signed: &[Delivery],
    reference: &Reference,
    schedule: &Schedule,
) -> Result<u64, Broken> {
    let mut random = random_for(trial, "P09", schedule);
    let mut checks = 0;
    for way in [Way::Direct, Way::Queue] {
        let undisturbed = StoreFault::at(0, When::Before);
        crash(trial, signed, reference, schedule, way, &undisturbed)
            .await
            .map_err(|broken| broken.context(&format!("{way:?}, no crash")))?;
        let mut calls: Vec<usize> = (1..=undisturbed.calls()).collect();
        if calls.len() > CRASHES / 2 {
            calls.shuffle(&mut random);
            calls.truncate(CRASHES / 2);
        }
        for call in calls {
            for when in [When::Before, When::After] {
                let fault = StoreFault::at(call, when);
                crash(trial, signed, reference, schedule, way, &fault)
                    .await
                    .map_err(|broken| broken.context(&format!("{way:?}, crash {when:?} store call {call}")))?;
                checks += 1;
            }
        }
    }
    Ok(checks)
}

/// When deliveries are processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Processed before they are answered.
    Direct,
    /// Kept, answered, and processed later by a worker.
    Queue,
}

async fn crash(
    trial: &Trial,
    signed: &[Delivery],
    reference: &Reference,
    schedule: &Schedule,
    way: Way,
    fault: &Arc<StoreFault>,
) -> Result<(), Broken> {
    let mut bare: Option<Arc<dyn Store>> = None;
    let between = |inner: Arc<dyn Store>| {
        bare = Some(Arc::clone(&inner));
        Arc::new(FaultyStore { inner, fault: Arc::clone(fault) }) as Arc<dyn Store>
    };
    let setup = Setup { between: Some(Box::new(between)), ..Setup::of(&trial.scenario) };
    let bench = trial.rig.bench_of(setup).await?;
    match way {
        Way::Direct => drop(send_all(&bench, signed, schedule).await?),
        Way::Queue => queue(trial, &bench, signed, reference, schedule).await?,
    }
    // The crash is over. What is read from here on is what the store holds.
    let calls_so_far = fault.calls();
    let projection = bench.projection().await;
    let projection = match projection {
        Err(_) if fault.calls() > calls_so_far => bench.projection().await?,
        projection => projection?,
    };
    reference.compare_projection(&projection)?;
    let found = match bench.events().await {
        Err(_) => statuses(bench.events().await?),
        found => statuses(found?),
    };
    ensure(found == reference.statuses, || difference(&reference.statuses, &found))
}

fn difference(expected: &BTreeMap<EventKey, EventStatus>, found: &BTreeMap<EventKey, EventStatus>) -> String {
    let lost = expected.keys().filter(|key| !found.contains_key(key)).count();
    let other = expected.iter().filter(|(key, status)| found.get(key).is_some_and(|found| found != *status)).count();
    format!("of {} events, {lost} are lost and {other} have another status than in the undisturbed run", expected.len())
}

async fn send_all(bench: &Bench, signed: &[Delivery], schedule: &Schedule) -> Result<usize, Broken> {
    let mut sent = 0;
    for batch in schedule.batches() {
        let deliveries = batch.iter().map(|index| (*index, later(&signed[*index], sent))).collect();
        sent += replay::send(bench.receiver.as_ref(), deliveries).await?.len();
    }
    Ok(sent)
}

/// Accepts every delivery that the undisturbed run doesn't refuse, then works until nothing is due. When a worker
/// crashes, another one takes over after its lease has ended.
async fn queue(
    trial: &Trial,
    bench: &Bench,
    signed: &[Delivery],
    reference: &Reference,
    schedule: &Schedule,
) -> Result<(), Broken> {
    for index in schedule.order() {
        let mut tries = 0;
        while let Err(refusal) = bench.engine.accept(signed[index].clone()).await {
            if reference.refused[index] == Some(refusal.code()) {
                break;
            }
            tries += 1;
            ensure(tries < 10 && refusal.http_status() >= 500, || {
                format!("delivery {} is not accepted into the queue: {}", index + 1, refusal.code())
            })?;
        }
    }
    // Leases are short and the clock is slow, so that failed events don't become due again before the queue is empty.
    let mut now = trial.scenario.as_of.plus_seconds(1);
    for round in 0..50 {
        let lease = Lease { token: format!("worker-{round}"), until: now.plus_seconds(1) };
        match bench.engine.work(lease, 8, now).await {
            Ok(report) if report.claimed == 0 => return Ok(()),
            Ok(_) => {}
            Err(_) => now = now.plus_seconds(1),
        }
    }
    Err(Broken::new("the queue is not empty after 50 rounds of work"))
}
