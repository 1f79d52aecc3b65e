//! Decides which schedules the laws about arrival play: orders, batches, repetitions, concurrent workers, and the
//! schedules on which crashes are tried.

use rand::seq::SliceRandom;

use crate::{
    law::{
        Trial,
        provider::scheduled::{Judge, Look},
    },
    schedule::{Schedule, permutations, shuffled},
    verdict::{Held, Verdict},
};

/// How many schedules are played by laws that examine each one more closely.
const CLOSE_LOOKS: usize = 8;

/// How many workers run at once.
const WORKERS: usize = 4;

pub(crate) async fn any_order(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Projection)?;
    let mut random = trial.random("P06");
    let deliveries = judge.signed.len();
    let exhaustive = deliveries <= trial.effort.exhaustive_on(&trial.rig.store);
    let mut checks = 0;
    let orders: Box<dyn Iterator<Item = Vec<usize>> + Send> = match exhaustive {
        true => Box::new(permutations(deliveries)),
        false => Box::new((0..trial.effort.samples).map(|_| Vec::new())),
    };
    for order in orders {
        let order = if exhaustive { order } else { shuffled(deliveries, &mut random) };
        checks += judge.judge(&Schedule::one_by_one(order).decorated(&mut random)).await?;
    }
    Ok(Held { checks })
}

pub(crate) async fn any_batches(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Projection)?;
    let deliveries = judge.signed.len();
    let cuts = deliveries.saturating_sub(1);
    let mut random = trial.random("P07");
    let all = cuts < 6;
    let total = if all { 1_usize << cuts } else { 32.min(trial.effort.samples.max(8)) };
    let mut checks = 0;
    for nth in 0..total {
        // The first schedules are one batch of all deliveries, in the true order and in reverse.
        let mask = if all { nth } else { rand::RngExt::random::<u64>(&mut random) as usize };
        let mask = if nth == 0 { 0 } else { mask };
        for order in [(0..deliveries).collect(), (0..deliveries).rev().collect(), shuffled(deliveries, &mut random)] {
            checks += judge.judge(&cut(order, mask)).await?;
        }
    }
    Ok(Held { checks })
}

/// Cuts an order after each position whose bit is set.
fn cut(order: Vec<usize>, mask: usize) -> Schedule {
    let mut batches = vec![Vec::new()];
    for (place, index) in order.into_iter().enumerate() {
        if place > 0 && mask >> ((place - 1) % 60) & 1 == 1 {
            batches.push(Vec::new());
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(index);
        }
    }
    Schedule::of_batches(batches)
}

pub(crate) async fn duplicates(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Duplicates)?;
    let deliveries = judge.signed.len();
    let mut random = trial.random("P05");
    let mut schedules = vec![
        Schedule::one_by_one((0..deliveries).flat_map(|index| [index, index])),
        Schedule::one_by_one((0..deliveries).chain(0..deliveries)),
        Schedule::one_by_one((0..deliveries).chain((0..deliveries).rev())),
        Schedule::of_batches((0..deliveries).map(|index| vec![index, index, index])),
    ];
    for _ in 0..CLOSE_LOOKS {
        let twice = [shuffled(deliveries, &mut random), shuffled(deliveries, &mut random)].concat();
        schedules.push(Schedule::one_by_one(twice));
    }
    let mut checks = 0;
    for schedule in schedules {
        checks += judge.judge(&schedule).await?;
    }
    Ok(Held { checks })
}

pub(crate) async fn concurrent_workers(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Workers)?;
    let deliveries = judge.signed.len();
    let mut random = trial.random("P08");
    let rounds = (trial.effort.samples / 20).clamp(3, 10);
    let mut checks = 0;
    for _ in 0..rounds {
        // Every delivery is sent twice, through any of the workers.
        let mut order = [shuffled(deliveries, &mut random), shuffled(deliveries, &mut random)].concat();
        order.shuffle(&mut random);
        let shares = order.chunks(order.len().div_ceil(WORKERS)).map(<[usize]>::to_vec);
        checks += judge.judge(&Schedule::of_batches(shares)).await?;
    }
    Ok(Held { checks })
}

pub(crate) async fn crash_at_every_call(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Crashes)?;
    let mut random = trial.random("P09");
    let deliveries = judge.signed.len();
    let mixed = shuffled(deliveries, &mut random);
    let schedules = [Schedule::in_order(deliveries), Schedule::of_batches(mixed.chunks(2).map(<[usize]>::to_vec))];
    let mut checks = 0;
    for schedule in schedules {
        checks += judge.judge(&schedule).await?;
    }
    Ok(Held { checks })
}

pub(crate) async fn rebuild_and_replay(trial: &Trial) -> Verdict {
    let judge = Judge::of(trial, Look::Rebuilds)?;
    let mut random = trial.random("P16");
    let deliveries = judge.signed.len();
    let mut schedules = vec![Schedule::in_order(deliveries), Schedule::one_by_one((0..deliveries).rev())];
    schedules.extend(
        (0..CLOSE_LOOKS / 2).map(|_| Schedule::one_by_one(shuffled(deliveries, &mut random)).decorated(&mut random)),
    );
    let mut checks = 0;
    for schedule in schedules {
        checks += judge.judge(&schedule).await?;
    }
    Ok(Held { checks })
}
