//! Decides how a schedule is played, by a sender that retries every delivery without an answer, and what is compared at
//! the end. It also finds the simplest schedule that still fails.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use purchase_core::{
    delivery::Delivery,
    error::Refusal,
    id::EventKey,
    store::{EventStatus, StoredEvent},
};
use serde_json::Value;

use crate::{
    receiver::{Answer, Receiver},
    rig::{Bench, Rig},
    scenario::Scenario,
    schedule::Schedule,
    verdict::{Broken, ensure, ensure_equal},
};

/// How often a sender tries. Providers retry for days; a delivery that fails more often than this is stuck.
const TRIES: usize = 40;

/// How far the time of receipt advances during a schedule, in seconds. It stays within any tolerance.
const DRIFT_SECONDS: usize = 240;

/// How many schedules are tried when a failing one is made simpler.
const SHRINK_STEPS: usize = 400;

/// The result of a schedule.
#[derive(Debug)]
pub struct Outcome {
    /// The canonical projection.
    pub projection: Value,
    /// The answer to each delivery, in the order of sending.
    pub answers: Vec<(usize, Answer)>,
}

/// The result of the undisturbed true order.
#[derive(Debug)]
pub struct Reference {
    /// The canonical projection.
    pub projection: Value,
    /// The same as bytes.
    pub bytes: Vec<u8>,
    /// The status of every event.
    pub statuses: BTreeMap<EventKey, EventStatus>,
    /// For each delivery, the code of its refusal, if it is refused.
    pub refused: Vec<Option<&'static str>>,
}

impl Reference {
    /// Plays the true order of all deliveries on a fresh store.
    ///
    /// # Errors
    /// When the order can't be played.
    pub async fn of(rig: &Rig, scenario: &Scenario, signed: &[Delivery]) -> Result<Self, Broken> {
        Self::of_some(rig, scenario, signed, 0..signed.len()).await
    }

    /// Plays the true order of some deliveries, by their indices, on a fresh store.
    ///
    /// # Errors
    /// When the order can't be played.
    pub async fn of_some(
        rig: &Rig,
        scenario: &Scenario,
        signed: &[Delivery],
        indices: impl IntoIterator<Item = usize>,
    ) -> Result<Self, Broken> {
        let bench = rig.bench(scenario).await?;
        let schedule = Schedule::one_by_one(indices);
        let outcome =
            play(&bench, scenario, signed, &schedule).await.map_err(|broken| broken.in_schedule(&schedule))?;
        let mut refused = vec![None; signed.len()];
        for (index, answer) in &outcome.answers {
            refused[*index] = answer.as_ref().err().map(Refusal::code);
        }
        let statuses = statuses(bench.events().await?);
        let bytes = outcome.projection.to_string().into_bytes();
        Ok(Self { projection: outcome.projection, bytes, statuses, refused })
    }

    /// Compares the result of another schedule.
    ///
    /// # Errors
    /// The first difference between the projections, or an answer that differs from the undisturbed one.
    pub fn compare(&self, outcome: &Outcome) -> Result<(), Broken> {
        for (index, answer) in &outcome.answers {
            let code = answer.as_ref().err().map(Refusal::code);
            ensure(code == self.refused[*index], || {
                let word = |code: Option<&'static str>| code.unwrap_or("taken");
                let (expected, found) = (word(self.refused[*index]), word(code));
                format!("delivery {} of the true order is {expected} in the undisturbed run, {found} here", index + 1)
            })?;
        }
        self.compare_projection(&outcome.projection)
    }

    /// Compares a projection, byte by byte.
    ///
    /// # Errors
    /// The first difference.
    pub fn compare_projection(&self, projection: &Value) -> Result<(), Broken> {
        if projection.to_string().into_bytes() == self.bytes {
            return Ok(());
        }
        ensure_equal(&self.projection, projection, "here")?;
        Err(Broken::new("the projections are equal as values, but differ as bytes"))
    }
}

/// The status of each event.
pub fn statuses(events: Vec<StoredEvent>) -> BTreeMap<EventKey, EventStatus> {
    events.into_iter().map(|stored| (stored.event.key, stored.status)).collect()
}

/// Plays a schedule, and reads the projection before the first late delivery and at the end.
///
/// # Errors
/// When a delivery gets no answer, or the projection can't be read.
pub async fn play(
    bench: &Bench,
    scenario: &Scenario,
    signed: &[Delivery],
    schedule: &Schedule,
) -> Result<Outcome, Broken> {
    let mut answers = Vec::new();
    let mut late_read = false;
    for batch in schedule.batches() {
        if !late_read && batch.iter().any(|index| scenario.deliveries[*index].late) {
            late_read = true;
            bench.projection().await?;
        }
        let drift = answers.len().min(DRIFT_SECONDS);
        let deliveries = batch.iter().map(|index| (*index, later(&signed[*index], drift))).collect();
        answers.extend(send(bench.receiver.as_ref(), deliveries).await?);
    }
    Ok(Outcome { projection: bench.projection().await?, answers })
}

/// The delivery, received some seconds later.
pub fn later(delivery: &Delivery, seconds: usize) -> Delivery {
    let seconds = i64::try_from(seconds).unwrap_or_default();
    Delivery { received_at: delivery.received_at.plus_seconds(seconds), ..delivery.clone() }
}

/// Sends a batch, and retries the deliveries that the endpoint could not take through no fault of theirs.
///
/// # Errors
/// When the retries don't succeed within the limit.
pub async fn send(receiver: &dyn Receiver, deliveries: Vec<(usize, Delivery)>) -> Result<Vec<(usize, Answer)>, Broken> {
    let mut done = Vec::with_capacity(deliveries.len());
    let mut open = deliveries;
    let mut last = String::new();
    for _ in 0..TRIES {
        let answers = match receiver.receive(open.iter().map(|(_, delivery)| delivery.clone()).collect()).await {
            Ok(answers) => answers,
            Err(refusal) => {
                last = refusal.code().to_owned();
                continue;
            }
        };
        ensure(answers.len() == open.len(), || {
            format!("{} deliveries were sent, but there are {} answers", open.len(), answers.len())
        })?;
        let mut again = Vec::new();
        for ((index, delivery), answer) in open.into_iter().zip(answers) {
            match &answer {
                Err(refusal) if refusal.http_status() >= 500 => {
                    last = refusal.code().to_owned();
                    again.push((index, delivery));
                }
                _ => done.push((index, answer)),
            }
        }
        if again.is_empty() {
            return Ok(done);
        }
        open = again;
    }
    Err(Broken::new(format!("a sender tried {TRIES} times without success; the last answer was {last}")))
}

/// Makes a failing schedule simpler as long as it still fails, with the steps that the caller allows. At the end, no
/// further step fails, unless the limit of tries was reached.
pub async fn shrink<'a>(
    schedule: Schedule,
    broken: Broken,
    simpler: fn(&Schedule) -> Vec<Schedule>,
    fails: impl Fn(Schedule) -> BoxFuture<'a, Option<Broken>>,
) -> Broken {
    let (mut schedule, mut broken) = (schedule, broken);
    let mut steps = 0;
    'simpler: loop {
        for simpler in simpler(&schedule) {
            steps += 1;
            if steps > SHRINK_STEPS {
                break 'simpler;
            }
            if let Some(found) = fails(simpler.clone()).await {
                (schedule, broken) = (simpler, found);
                continue 'simpler;
            }
        }
        break;
    }
    Broken { schedule: Some(schedule), ..broken }
}
