//! Lets deliveries that arrive together share a commit: [`GroupCommit`].
//!
//! A commit costs a sync of the disk or a round trip to the database, however much is in it. A delivery that arrives when
//! nothing is in flight is committed at once. Deliveries that arrive during a commit form the next group. Use it where an
//! endpoint sees bursts and answers with what really happened.
//!
//! ```
//! use std::sync::Arc;
//!
//! use purchase::{
//!     engine::Engine,
//!     group::{GroupCommit, GroupSettings},
//!     id::Mode,
//!     store::memory::MemoryStore,
//!     stripe::{self, ModePolicy, Stripe, StripeConfig},
//!     time::Timestamp,
//!     verify::Secret,
//! };
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let stripe = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), ["whsec_example"])?)?;
//!     let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(Arc::new(stripe));
//!     let group = GroupCommit::new(engine, GroupSettings::default());
//!
//!     let body = br#"{"id": "evt_1", "object": "event", "type": "customer.created", "created": 1767225599,
//!         "livemode": false, "data": {"object": {"id": "cus_1", "object": "customer", "created": 1767225599}}}"#;
//!     let now = Timestamp::from_seconds(1_767_225_600)?;
//!     let delivery = stripe::testing::delivery([&Secret::new("whsec_example")?], body.as_slice(), now);
//!
//!     let receipt = group.handle(delivery).await?;
//!     assert_eq!(receipt.facts, 1);
//!     group.close().await; // at the end: every queued delivery is answered
//!     Ok(())
//! }
//! ```
//!
//! * The answer arrives after the commit that contains the delivery. If a caller hangs up, its delivery is committed all
//!   the same.
//! * Deliveries in a group are isolated. A delivery that isn't genuine never enters the queue. If the group's commit fails
//!   because of one delivery, each delivery is retried in its own commit, and the next group doesn't wait for them. A
//!   panic reaches its own caller only.
//! * If the database is down, every waiting delivery is answered with 503. If the queue is full, the answer is 503
//!   (`overloaded`). The provider sends both again.

use std::{any::Any, panic, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, timeout},
};

use crate::{
    delivery::Delivery,
    engine::{Admitted, Engine},
    error::{Refusal, StoreError},
    receipt::WebhookReceipt,
};

/// Settings of a [`GroupCommit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSettings {
    /// How long a group stays open for more members, measured from the time the previous group was answered. The group
    /// closes earlier if it reaches the size of the previous one. If nothing is in flight and this time has passed, a
    /// delivery is committed immediately. Zero: a group contains what is already queued.
    pub wait: Duration,
    /// The largest number of deliveries in one commit. [`Limits::deliveries`](crate::delivery::Limits::deliveries) caps
    /// it.
    pub max_size: usize,
    /// The largest number of deliveries in the queue. Further deliveries are refused with [`Refusal::Overloaded`].
    pub waiting: usize,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self { wait: Duration::from_millis(2), max_size: 64, waiting: 4096 }
    }
}

/// The largest number of deliveries of failed groups that are retried concurrently, each in its own commit.
const ALONE: usize = 4;

/// Processes deliveries from admission to commit, and commits concurrent deliveries together. Clones share one queue.
///
/// Each delivery has the guarantees of [`Engine::handle`]: its answer comes after the commit that holds it, and a
/// refusal of one delivery doesn't affect the others. Queued deliveries are committed even after the last clone is
/// dropped.
#[derive(Clone)]
pub struct GroupCommit {
    engine: Arc<Engine>,
    queue: mpsc::Sender<Waiting>,
    closing: watch::Sender<bool>,
    ended: watch::Receiver<()>,
}

impl GroupCommit {
    /// Starts a Tokio task that gathers and commits groups.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime.
    pub fn new(engine: Engine, settings: GroupSettings) -> Self {
        let engine = Arc::new(engine);
        let (queue, incoming) = mpsc::channel(settings.waiting.clamp(1, Semaphore::MAX_PERMITS));
        let (closing, closes) = watch::channel(false);
        let (running, ended) = watch::channel(());
        let gatherer = Gatherer {
            alone: Arc::new(Semaphore::new(ALONE)),
            running,
            max_size: settings.max_size.min(engine.settings().limits.deliveries).max(1),
            engine: Arc::clone(&engine),
            incoming,
            closes,
            wait: settings.wait,
        };
        tokio::spawn(gatherer.run());
        Self { engine, queue, closing, ended }
    }

    /// The engine that commits the groups.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Processes one delivery from admission to commit, as [`Engine::handle`] does. A queued delivery is committed even
    /// if the caller stops waiting for the answer.
    ///
    /// # Errors
    /// Those of [`Engine::handle`], and [`Refusal::Overloaded`] or [`Refusal::Closing`].
    ///
    /// # Panics
    /// Panics if processing this delivery panics, as [`Engine::handle`] does.
    pub async fn handle(&self, delivery: Delivery) -> Result<WebhookReceipt, Refusal> {
        // Deliveries that aren't genuine must not take space in the queue.
        let admitted = self.engine.admit(delivery)?;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { admitted, answer };
        self.queue.try_send(waiting).map_err(|fault| match fault {
            mpsc::error::TrySendError::Full(_) => Refusal::Overloaded { limit: self.queue.max_capacity() },
            mpsc::error::TrySendError::Closed(_) => Refusal::Closing,
        })?;
        match answered.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => panic::resume_unwind(panic),
            // The runtime is shutting down and has dropped the task.
            Err(_) => Err(Refusal::Closing),
        }
    }

    /// Stops accepting deliveries. Returns once all queued deliveries are answered.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        // No value is ever sent. The channel closes when the last task has ended.
        let _dropped = self.ended.clone().changed().await;
    }
}

type Panic = Box<dyn Any + Send>;
type Answer = Result<Result<WebhookReceipt, Refusal>, Panic>;
type Answers = Result<Result<Vec<Result<WebhookReceipt, Refusal>>, Refusal>, Panic>;

struct Waiting {
    admitted: Admitted,
    answer: oneshot::Sender<Answer>,
}

struct Gatherer {
    /// Limits how many deliveries of failed groups are retried at the same time.
    alone: Arc<Semaphore>,
    /// Closes once the gatherer and the last single retry have dropped their copies.
    running: watch::Sender<()>,
    engine: Arc<Engine>,
    incoming: mpsc::Receiver<Waiting>,
    closes: watch::Receiver<bool>,
    wait: Duration,
    max_size: usize,
}

impl Gatherer {
    async fn run(mut self) {
        let mut last = Answered { members: 0, at: Instant::now() };
        while let Some(first) = self.next().await {
            let mut group = vec![first];
            self.take_waiting(&mut group);
            self.hold_open(&mut group, &last).await;
            let members = group.len();
            if let Some(outage) = self.commit(group).await {
                self.answer_waiting(&outage);
            }
            last = Answered { members, at: Instant::now() };
        }
    }

    /// The next delivery. `None` after `close` was called and the queue is empty.
    async fn next(&mut self) -> Option<Waiting> {
        tokio::select! {
            biased;
            _ = self.closes.wait_for(|closes| *closes) => self.incoming.close(),
            waiting = self.incoming.recv() => return waiting,
        }
        self.incoming.recv().await
    }

    fn take_waiting(&mut self, group: &mut Vec<Waiting>) {
        // Under constant load the queue is never empty, so `next` alone may not notice `close`.
        if *self.closes.borrow() {
            self.incoming.close();
        }
        while group.len() < self.max_size {
            let Ok(waiting) = self.incoming.try_recv() else { return };
            group.push(waiting);
        }
    }

    /// Waits until the group is as large as the previous one, because the same senders are likely to send again at
    /// once. It waits for at most `wait`.
    async fn hold_open(&mut self, group: &mut Vec<Waiting>, last: &Answered) {
        while group.len() < self.max_size.min(last.members) {
            match timeout(self.wait.saturating_sub(last.at.elapsed()), self.next()).await {
                Ok(Some(waiting)) => group.push(waiting),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Commits a group and answers each member. Returns an outage if every other delivery would fail for the same
    /// reason.
    async fn commit(&self, group: Vec<Waiting>) -> Option<Outage> {
        let (members, mut answers): (Vec<_>, Vec<_>) = group.into_iter().map(|it| (it.admitted, it.answer)).unzip();
        let members = Arc::new(members);
        tracing::debug!(deliveries = members.len(), "a group is committed");
        let failed = match together(&self.engine, &members).await {
            Ok(Ok(given)) => {
                for (to, answer) in answers.into_iter().zip(given) {
                    give(to, Ok(answer));
                }
                return None;
            }
            Ok(Err(refusal)) => match Outage::of(refusal) {
                Ok(outage) => {
                    for to in answers {
                        give(to, Ok(Err(outage.refusal())));
                    }
                    return Some(outage);
                }
                Err(refusal) => Ok(Err(refusal)),
            },
            Err(panic) => Err(panic),
        };
        match answers.pop() {
            Some(to) if answers.is_empty() => give(to, failed),
            last => {
                answers.extend(last);
                tracing::warn!(
                    deliveries = members.len(),
                    "a group failed; each delivery is retried in its own commit"
                );
                self.go_alone(Arc::unwrap_or_clone(members), answers).await;
            }
        }
        None
    }

    /// Retries each delivery in its own commit, up to [`ALONE`] of them concurrently. A delivery that waits for a lock
    /// delays the next group only if all permits are in use.
    async fn go_alone(&self, members: Vec<Admitted>, answers: Vec<oneshot::Sender<Answer>>) {
        for (member, to) in members.into_iter().zip(answers) {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&self.alone).acquire_owned().await else { return };
            let (engine, running) = (Arc::clone(&self.engine), self.running.clone());
            tokio::spawn(async move {
                let answers = together(&engine, &Arc::new(vec![member])).await;
                give(to, answers.map(|given| given.and_then(|mut only| only.pop().unwrap_or(Err(Refusal::Closing)))));
                drop((permit, running));
            });
        }
    }

    /// Refuses the deliveries queued during an outage, because they would fail for the same reason.
    fn answer_waiting(&mut self, outage: &Outage) {
        while let Ok(waiting) = self.incoming.try_recv() {
            give(waiting.answer, Ok(Err(outage.refusal())));
        }
    }
}

/// Size and time of the group that was answered last.
struct Answered {
    members: usize,
    at: Instant,
}

/// The reason why no delivery can be committed at the moment, whatever its content.
enum Outage {
    /// The runtime is shutting down.
    Closing,
    Store(Arc<StoreError>),
}

impl Outage {
    /// Returns the refusal as an error if a single member may have caused it.
    fn of(refusal: Refusal) -> Result<Self, Refusal> {
        match refusal {
            refusal if refusal.is_isolatable() => Err(refusal),
            Refusal::Store(fault) => Ok(Self::Store(Arc::new(fault))),
            _ => Ok(Self::Closing),
        }
    }

    fn refusal(&self) -> Refusal {
        match self {
            Self::Closing => Refusal::Closing,
            Self::Store(fault) => StoreError::again(fault).into(),
        }
    }
}

/// Commits the members in a separate task. A panic, which is a defect of an adapter, then stops neither the gatherer
/// nor the other deliveries.
async fn together(engine: &Arc<Engine>, members: &Arc<Vec<Admitted>>) -> Answers {
    let (engine, members) = (Arc::clone(engine), Arc::clone(members));
    match tokio::spawn(async move { engine.handle_admitted(&members).await }).await {
        Ok(answers) => Ok(answers),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => Err(panic),
            // The task is cancelled only when the runtime shuts down.
            Err(_) => Ok(Err(Refusal::Closing)),
        },
    }
}

/// Sends an answer. The caller may have stopped waiting for it.
fn give(to: oneshot::Sender<Answer>, answer: Answer) {
    if to.send(answer).is_err() {
        tracing::debug!("a caller did not wait for its answer");
    }
}
