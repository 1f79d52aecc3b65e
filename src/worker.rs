//! Processes stored deliveries: [`Worker`], for queue mode.
//!
//! [`Engine::accept`] verifies and stores a delivery, and a worker processes it later. Use it where the endpoint must
//! answer at once, or where other processes do the work. The price: a 2xx means *stored*, not *processed*, and the read
//! side follows a moment later.
//!
//! ```
//! use std::sync::Arc;
//!
//! use purchase::{
//!     engine::Engine,
//!     id::Mode,
//!     store::memory::MemoryStore,
//!     stripe::{self, ModePolicy, Stripe, StripeConfig},
//!     time::Timestamp,
//!     verify::Secret,
//!     worker::{Worker, WorkerSettings},
//! };
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let stripe = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), ["whsec_example"])?)?;
//!     let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(Arc::new(stripe));
//!     let worker = Worker::new(engine.clone(), WorkerSettings::default());
//!
//!     let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//!     let running = tokio::spawn({
//!         let worker = worker.clone();
//!         async move { worker.run(async { drop(stopped.await) }).await }
//!     });
//!
//!     let body = br#"{"id": "evt_1", "object": "event", "type": "customer.created", "created": 1767225599,
//!         "livemode": false, "data": {"object": {"id": "cus_1", "object": "customer", "created": 1767225599}}}"#;
//!     let now = Timestamp::from_seconds(1_767_225_600)?;
//!     let delivery = stripe::testing::delivery([&Secret::new("whsec_example")?], body.as_slice(), now);
//!     assert!(engine.accept(delivery).await?); // durable: answer 2xx
//!     worker.nudge(); // optional: the worker of this process need not wait for its next poll
//!
//!     drop(stop);
//!     running.await?;
//!     Ok(())
//! }
//! ```
//!
//! * **Nothing is lost.** A worker claims events under a lease. If the worker dies, the events are due again when the
//!   lease ends. At shutdown a worker finishes the batch that it has claimed.
//! * **Nothing happens twice.** Two claims never overlap, and a commit under a lost lease is refused. The projection is a
//!   function of the *set* of facts, so the order of processing doesn't show in it.
//! * **Events with the same ordering key are claimed in the order of their arrival.** The ordering key is the provider's
//!   customer, or else the object that the event is about. A backed-off event doesn't block later ones.
//! * **A bad event blocks no other.** If a batch fails, each event is retried in its own commit. A failed event waits a
//!   minute before the next attempt, then twice as long each time, up to a day. An event that was tried before is claimed
//!   alone, so it can't take others with it if it kills its worker.
//! * **Retries end.** After [`RetryPolicy`](crate::engine::RetryPolicy)'s attempts (20) an event is a *dead letter*:
//!   `failed` and no longer due ([`StoredEvent::is_dead_letter`]), logged as an error. The claim counts the attempt, so an
//!   event that kills its worker ends there as well. [`Engine::replay`] takes it up again, and so does its provider by
//!   sending it again. If the store is unavailable, events return to the queue and the attempt isn't counted.
//! * **Services can share a database.** A worker without an event's adapter returns the event to the queue, uncounted, for
//!   the service that has the adapter.
//!
//! Start as many workers as you like, each with its own store handle on the same database. Choose a lease that is longer
//! than a batch ever takes, and keep the clocks within a fraction of it. On SQLite one worker is enough, because commits
//! take turns there.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{
    clock::now,
    engine::{Engine, WorkReport},
    error::{Chain, Refusal},
    store::{EventStatus, Lease, StoredEvent},
    time::Timestamp,
};

/// Settings of a [`Worker`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSettings {
    /// The worker's name in leases and logs, for people who read them. Several workers may have the same name.
    pub name: String,
    /// The largest number of events in one claim.
    pub batch: u32,
    /// How long a lease lasts, in whole seconds. It must be longer than a batch can take when each event is processed
    /// separately. If a worker dies, its events stay leased for this long.
    pub lease: Duration,
    /// How long the worker sleeps when no event is due. The actual time is random, between 0.5 and 1.5 times this
    /// value, so that several workers don't poll at the same moment.
    pub idle: Duration,
    /// The longest sleep after a store failure. The first one is `idle`, and each further failure doubles it.
    pub idle_max: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            name: "worker".to_owned(),
            batch: 32,
            lease: Duration::from_secs(60),
            idle: Duration::from_secs(1),
            idle_max: Duration::from_secs(60),
        }
    }
}

/// Totals of a worker's run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerReport {
    /// Events whose processing succeeded: processed, parked, ignored, or waiting for a fetch.
    pub processed: u64,
    /// Failed attempts.
    pub failed: u64,
    /// Failed attempts that were the last one allowed: dead letters. They are also counted in `failed`.
    pub dead: u64,
    /// Events that were claimed again after an earlier attempt.
    pub retried: u64,
    /// Events that were returned to the queue because the store was unavailable.
    pub returned: u64,
    /// Claims of events that another engine serves. Such events are returned to the queue; each claim counts.
    pub elsewhere: u64,
    /// Events that another worker claimed in the meantime.
    pub lost: u64,
    /// Rounds that ended with a store failure.
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

/// Processes the events that [`Engine::accept`] stored, and failed events that are due for a retry. Any number of
/// workers, in one or several processes, may work on the same database. A clone is the same worker.
#[derive(Clone)]
pub struct Worker {
    engine: Arc<Engine>,
    settings: WorkerSettings,
    nudged: Arc<Notify>,
    observer: Option<Observer>,
}

impl Worker {
    /// Creates a worker. It does nothing until [`run`](Self::run) is called.
    pub fn new(engine: Engine, settings: WorkerSettings) -> Self {
        Self { engine: Arc::new(engine), settings, nudged: Arc::default(), observer: None }
    }

    /// Calls `observer` after each round that claimed events, for example to record metrics or to react to transitions.
    ///
    /// The call comes after the commit and isn't repeated: it is lost if the process dies in between, or if the
    /// connection to the store fails before the commit is confirmed. Read whatever must not be missed from the store.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Fn(&WorkReport) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The engine that processes the events.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Wakes the worker if it sleeps because no event is due. Call this after [`Engine::accept`] in the same process.
    pub fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// Processes events until `shutdown` completes. A batch that has been claimed is finished first.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime. A panic while an event is processed counts as a failed attempt of that event.
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
            // After a store failure the worker isn't woken early: a nudge doesn't repair the store.
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

    /// Makes one claim and processes the claimed events.
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
        tracing::error!(
            worker = self.settings.name,
            events = claimed.len(),
            "a batch panicked; each event is processed in its own commit"
        );
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
                tracing::warn!(worker = self.settings.name, code = fault.code(), "an event could not be processed");
                WorkReport { claimed: 1, retried, returned: 1, ..WorkReport::default() }
            }));
        }
        Ok(report)
    }

    /// Processes events in a separate task. A panic, which is a defect of an adapter, then doesn't end the loop, and
    /// stopping the loop doesn't interrupt a commit.
    async fn process(&self, lease: &Lease, claimed: Vec<StoredEvent>, now: Timestamp) -> Done {
        let (engine, lease) = (Arc::clone(&self.engine), lease.clone());
        match tokio::spawn(async move { engine.process(&lease, claimed, now).await }).await {
            Ok(answer) => Done::Answered(answer),
            Err(ended) if ended.is_panic() => Done::Panicked,
            // The task is cancelled only when the runtime shuts down.
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
        jitter(doubled.min(self.settings.idle_max))
    }
}

enum Done {
    Answered(Result<WorkReport, Refusal>),
    Panicked,
}

/// Multiplies a time by a random factor between 0.5 and 1.5.
fn jitter(rest: Duration) -> Duration {
    Duration::try_from_secs_f64(rest.as_secs_f64() * (0.5 + rand::random::<f64>())).unwrap_or(rest)
}
