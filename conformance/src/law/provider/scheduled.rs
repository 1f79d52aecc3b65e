//! Decides how a law judges one schedule, and which schedule the report shows for a broken law: the smallest that still
//! breaks it. If a schedule leaves deliveries out, it is compared with the true order of the remaining ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use purchase_core::delivery::Delivery;

use crate::{
    law::{
        Trial,
        provider::{
            crash::{self, Races},
            order,
        },
    },
    replay::{self, Reference},
    schedule::Schedule,
    verdict::Broken,
};

/// What a law examines when it plays a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// A crash at every store call.
    Crashes,
    /// How repeated deliveries are answered and kept.
    Duplicates,
    /// The projection at the end.
    Projection,
    /// The projection at the end, and again after rebuilding and replaying.
    Rebuilds,
    /// Concurrent workers, one for each batch.
    Workers,
}

/// The laws that play schedules.
pub(crate) const SCHEDULED: [(&str, Look); 6] = [
    ("P05", Look::Duplicates),
    ("P06", Look::Projection),
    ("P07", Look::Projection),
    ("P08", Look::Workers),
    ("P09", Look::Crashes),
    ("P16", Look::Rebuilds),
];

impl Look {
    /// What a law examines; none for a law that plays no schedules.
    pub(crate) fn of(law: &str) -> Option<Self> {
        SCHEDULED.iter().find(|(id, _)| id.eq_ignore_ascii_case(law)).map(|(_, look)| *look)
    }

    /// The steps that make a failing schedule smaller. Each batch belongs to one worker, so cutting a batch would add a
    /// worker.
    fn steps(self) -> fn(&Schedule) -> Vec<Schedule> {
        match self {
            Look::Workers => |schedule| [schedule.fewer(), schedule.nearer()].concat(),
            Look::Crashes | Look::Duplicates | Look::Projection | Look::Rebuilds => Schedule::simpler,
        }
    }
}

/// Judges the schedules of one trial.
pub(crate) struct Judge<'a> {
    trial: &'a Trial,
    pub(crate) signed: Vec<Delivery>,
    look: Look,
    references: Mutex<BTreeMap<BTreeSet<usize>, Arc<Reference>>>,
}

impl<'a> Judge<'a> {
    pub(crate) fn of(trial: &'a Trial, look: Look) -> Result<Self, Broken> {
        Ok(Self { trial, signed: trial.rig.sign(&trial.scenario)?, look, references: Mutex::default() })
    }

    /// Plays a schedule. If it fails, returns the smallest one that fails. Otherwise returns how many checks were made.
    pub(crate) async fn judge(&self, schedule: &Schedule) -> Result<u64, Broken> {
        let broken = match self.play(schedule, Races::ONE).await {
            Ok(checks) => return Ok(checks),
            Err(broken) => broken,
        };
        let fails = |simpler: Schedule| -> futures_util::future::BoxFuture<'_, Option<Broken>> {
            Box::pin(async move { self.play(&simpler, Races::SMALLER).await.err() })
        };
        Err(replay::shrink(schedule.clone(), broken, self.look.steps(), fails).await)
    }

    /// Plays a schedule that was seen to fail.
    pub(crate) async fn again(&self, schedule: &Schedule) -> Result<u64, Broken> {
        self.play(schedule, Races::AGAIN).await
    }

    async fn play(&self, schedule: &Schedule, races: Races) -> Result<u64, Broken> {
        let reference = self.reference(schedule).await?;
        let (trial, signed) = (self.trial, &self.signed);
        let found = match self.look {
            Look::Crashes => crash::crashes(trial, signed, &reference, schedule).await,
            Look::Duplicates => order::repeated(trial, signed, &reference, schedule).await.map(|()| 1),
            Look::Projection => order::compared(trial, signed, &reference, schedule).await.map(|()| 1),
            Look::Rebuilds => order::rebuilt(trial, signed, &reference, schedule).await.map(|()| 1),
            Look::Workers => crash::side_by_side(trial, signed, &reference, schedule, races).await,
        };
        found.map_err(|broken| broken.in_schedule(schedule))
    }

    /// The result of the schedule's deliveries in their true order.
    async fn reference(&self, schedule: &Schedule) -> Result<Arc<Reference>, Broken> {
        let who: BTreeSet<usize> = schedule.order().into_iter().collect();
        let known = self.references.lock().unwrap_or_else(PoisonError::into_inner).get(&who).cloned();
        if let Some(reference) = known {
            return Ok(reference);
        }
        let trial = self.trial;
        let reference = Reference::of_some(&trial.rig, &trial.scenario, &self.signed, who.iter().copied()).await?;
        let reference = Arc::new(reference);
        self.references.lock().unwrap_or_else(PoisonError::into_inner).insert(who, Arc::clone(&reference));
        Ok(reference)
    }
}

/// Plays one schedule as its law does. If all deliveries come and only the order is judged, it also checks the
/// expectations.
pub(crate) async fn one(trial: &Trial, look: Look, schedule: &Schedule) -> Result<(), Broken> {
    let judge = Judge::of(trial, look)?;
    judge.again(schedule).await?;
    let all_come = schedule.order().into_iter().collect::<BTreeSet<_>>().len() == judge.signed.len();
    let reference = judge.reference(schedule).await?;
    match look == Look::Projection && all_come {
        true => order::unmet(trial, &reference.projection).map_err(|broken| broken.in_schedule(schedule)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        acme::{ACME, scenarios},
        law::{self, Check, Effort},
        mutants::{MUTANTS, Mutation},
        rig::Rig,
        under_test::memory,
    };

    fn trials(mutation: Mutation) -> Vec<Trial> {
        let rig = Rig { provider: ACME, store: memory(), mutation };
        let trial = |scenario| Trial { rig: rig.clone(), scenario, effort: Effort::QUICK, seed: 7 };
        scenarios::all().into_iter().map(trial).collect()
    }

    /// The failures that a law finds in its mutants: the mutant, the trial and the schedule that the report shows.
    async fn found(id: &str, look: Look) -> Vec<(&'static str, Trial, Schedule)> {
        let law = law::find(id).expect("it is there");
        let Check::Provider(check) = law.check else { panic!("{id} judges adapters") };
        let mut found = Vec::new();
        for mutant in MUTANTS.iter().filter(|mutant| mutant.law == id) {
            for trial in trials(mutant.mutation) {
                let Err(broken) = check(&trial).await else { continue };
                let schedule = broken.schedule.unwrap_or_else(|| panic!("{} shows no schedule", mutant.name));
                let again = Judge::of(&trial, look).expect("it signs").again(&schedule).await;
                assert!(again.is_err(), "{} in {}: {schedule:?} holds", mutant.name, trial.scenario.name);
                found.push((mutant.name, trial, schedule));
            }
        }
        assert!(!found.is_empty(), "{id} finds none of its mutants");
        found
    }

    #[tokio::test]
    async fn the_schedule_shown_is_the_smallest_that_fails() {
        for (id, look) in SCHEDULED.into_iter().filter(|(_, look)| *look != Look::Workers) {
            for (mutant, trial, schedule) in found(id, look).await {
                let judge = Judge::of(&trial, look).expect("it signs");
                for simpler in schedule.simpler() {
                    let still = judge.again(&simpler).await;
                    assert!(still.is_ok(), "{id}, {mutant}: {schedule:?} is shown, but {simpler:?} fails too");
                }
            }
        }
    }

    // On one thread, the seed alone decides how workers interleave.
    #[tokio::test]
    async fn few_workers_are_enough_to_show_a_race() {
        for (mutant, _, schedule) in found("P08", Look::Workers).await {
            assert!((2..=3).contains(&schedule.batches().len()), "{mutant}: {schedule:?}");
            assert!(schedule.order().len() <= 4, "{mutant}: {schedule:?}");
        }
    }

    #[tokio::test]
    async fn a_schedule_may_leave_deliveries_out() {
        for trial in trials(Mutation::None) {
            for (id, look) in SCHEDULED {
                let schedule = Schedule::of_batches([vec![1], vec![0, 1]]);
                let played = one(&trial, look, &schedule).await;
                assert_eq!(played, Ok(()), "{id} in {}", trial.scenario.name);
            }
        }
    }
}
