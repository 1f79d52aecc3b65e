//! Decides when a queue's worker looks for due events, and how long it rests. What becomes of an event is the engine's.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::sync::Notify;

use crate::{
    engine::{Engine, WorkReport},
    error::{Chain, Refusal},
    store::{EventStatus, Lease, StoredEvent},
    time::Timestamp,
};

/// How a worker works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Its name in leases and logs, which tells workers apart to people. Two workers may have the same.
    pub name: String,
    /// How many events it claims at once.
    pub batch: u32,
    /// How long a claim holds, in whole seconds: more than a batch ever takes, event by event. When a worker dies, its
    /// events rest so long.
    pub lease: Duration,
    /// How long it rests when nothing is due: between half of this and one and a half, so that several workers don't
    /// ask in step.
    pub idle: Duration,
    /// How long it rests at most when the store fails. It begins with `idle` and doubles.
    pub idle_most: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            name: "worker".to_owned(),
            batch: 32,
            lease: Duration::from_secs(60),
            idle: Duration::from_secs(1),
            idle_most: Duration::from_secs(60),
        }
    }
}

/// What a worker did, in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerReport {
    /// Events that have what they wanted: processed, parked, ignored, or waiting for a fetch.
    pub processed: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Those among them that were the last: dead letters.
    pub dead: u64,
    /// Events that were claimed after an earlier attempt.
    pub retried: u64,
    /// Events that were given back, because the store was in the way.
    pub returned: u64,
    /// Events that another engine serves, each time that one was claimed here and given back.
    pub elsewhere: u64,
    /// Events that somebody else took up meanwhile.
    pub lost: u64,
    /// Rounds that the store failed.
    pub faults: u64,
}

impl WorkerReport {
    fn add(&mut self, round: &WorkReport) {
        let failed = round.statuses.get(&EventStatus::Failed).copied().unwrap_or(0);
        self.processed += round.statuses.values().sum::<u64>() - failed;
        self.failed += failed;
        self.dead += round.dead;
        self.retried += round.retried;
        self.returned += round.returned;
        self.elsewhere += round.elsewhere;
        self.lost += round.lost;
    }
}

type Observer = Arc<dyn Fn(&WorkReport) + Send + Sync>;

/// Processes what [`Engine::accept`] kept, and what failed and is due again. As many as one likes work on one database,
/// in one process or several. A clone is the same worker.
#[derive(Clone)]
pub struct Worker {
    engine: Arc<Engine>,
    settings: WorkerSettings,
    nudged: Arc<Notify>,
    observer: Option<Observer>,
}

impl Worker {
    /// A worker that does nothing yet.
    pub fn new(engine: Engine, settings: WorkerSettings) -> Self {
        Self { engine: Arc::new(engine), settings, nudged: Arc::default(), observer: None }
    }

    /// Calls `observer` after each round that claimed something: for metrics, and for what an application does about
    /// transitions. It is called after the commit, and not again when the process dies in between, or the store is lost
    /// before it says that the commit has happened: what must not be missed is read from the store.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Fn(&WorkReport) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Wakes it when it rests because nothing is due: after [`Engine::accept`] in the same process.
    pub fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// Works until `shutdown` is done; the batch in hand is finished first.
    ///
    /// # Panics
    /// Outside of a Tokio runtime. A panic while an event is processed is an attempt of that event that failed.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) -> WorkerReport {
        let mut report = WorkerReport::default();
        let mut faults = 0;
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let round = self.round().await;
            let rest = match &round {
                Ok(round) if round.returned > 0 => self.rest_after_fault(&mut faults),
                Ok(round) => {
                    faults = 0;
                    if round.claimed > 0 { Duration::ZERO } else { jitter(self.settings.idle) }
                }
                Err(fault) => {
                    tracing::warn!(worker = self.settings.name, code = fault.code(), cause = %Chain(fault), "a round failed");
                    report.faults += 1;
                    self.rest_after_fault(&mut faults)
                }
            };
            if let Ok(round) = round {
                report.add(&round);
                self.tell(&round);
            }
            // Only who is idle is woken: a nudge doesn't make a store well again.
            let nudged = async {
                match faults {
                    0 => self.nudged.notified().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut shutdown => return report,
                () = nudged => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Claims once, and processes what was claimed.
    async fn round(&self) -> Result<WorkReport, Refusal> {
        let now = now();
        let seconds = i64::try_from(self.settings.lease.as_secs().max(1)).unwrap_or(i64::MAX);
        let token = format!("{}-{:032x}", self.settings.name, rand::random::<u128>());
        let lease = Lease { token, until: now.plus_seconds(seconds) };
        let claimed = self.engine.claim(&lease, self.settings.batch.max(1), now).await?;
        if claimed.is_empty() {
            return Ok(WorkReport::default());
        }
        if let Done::Answered(answer) = self.process(&lease, claimed.clone(), now).await {
            return answer;
        }
        tracing::error!(worker = self.settings.name, events = claimed.len(), "a batch panicked; each event goes alone");
        let mut report = WorkReport::default();
        for stored in claimed {
            let retried = u64::from(stored.attempts > 1);
            let part = match self.process(&lease, vec![stored.clone()], now).await {
                Done::Answered(part) => part,
                Done::Panicked => {
                    let part = self.engine.record_failure(&lease, stored, "panicked", now).await;
                    part.map(|part| WorkReport { claimed: 1, retried, ..part })
                }
            };
            report.add(part.unwrap_or_else(|fault| {
                tracing::warn!(worker = self.settings.name, code = fault.code(), "an event is not done");
                WorkReport { claimed: 1, retried, returned: 1, ..WorkReport::default() }
            }));
        }
        Ok(report)
    }

    /// Processes in a task of its own: a panic, which is a defect of an adapter, doesn't end the loop, and the end of
    /// the loop doesn't cut off a commit.
    async fn process(&self, lease: &Lease, claimed: Vec<StoredEvent>, now: Timestamp) -> Done {
        let (engine, lease) = (Arc::clone(&self.engine), lease.clone());
        match tokio::spawn(async move { engine.process(&lease, claimed, now).await }).await {
            Ok(answer) => Done::Answered(answer),
            Err(ended) if ended.is_panic() => Done::Panicked,
            // Only the end of the runtime cancels it.
            Err(_) => Done::Answered(Err(Refusal::Closing)),
        }
    }

    fn tell(&self, round: &WorkReport) {
        if round.claimed == 0 {
            return;
        }
        tracing::debug!(
            worker = self.settings.name,
            claimed = round.claimed,
            retried = round.retried,
            dead = round.dead,
            returned = round.returned,
            elsewhere = round.elsewhere,
            lost = round.lost,
            "worked"
        );
        if let Some(observer) = &self.observer {
            observer(round);
        }
    }

    fn rest_after_fault(&self, faults: &mut u32) -> Duration {
        let doubled = self.settings.idle.saturating_mul(1_u32 << (*faults).min(16));
        *faults = faults.saturating_add(1);
        jitter(doubled.min(self.settings.idle_most))
    }
}

enum Done {
    Answered(Result<WorkReport, Refusal>),
    Panicked,
}

/// Between half and one and a half.
fn jitter(rest: Duration) -> Duration {
    Duration::try_from_secs_f64(rest.as_secs_f64() * (0.5 + rand::random::<f64>())).unwrap_or(rest)
}

/// The wall clock. One that stands before 1970 is taken for 1970: nothing is due then.
fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros())
        .ok()
        .and_then(|micros| Timestamp::from_micros(micros).ok())
        .unwrap_or(Timestamp::EPOCH)
}
