//! Decides which deliveries share a commit: those that come while one is being committed go together in the next. It
//! does not know what is in them.

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

/// How deliveries are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSettings {
    /// How long a group is held open, counted from when the one before was answered, until it has as many members as that
    /// one. A delivery that comes later than that when nothing is in flight goes at once. Zero: what is there goes at once.
    pub wait: Duration,
    /// How many share a commit at most; never more than [`Limits::deliveries`](crate::delivery::Limits::deliveries).
    pub most: usize,
    /// How many may wait for a group. One more is refused with [`Refusal::Overloaded`].
    pub waiting: usize,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self { wait: Duration::from_millis(2), most: 64, waiting: 4096 }
    }
}

/// How many of a group that failed go alone side by side, at most.
const ALONE: usize = 4;

/// Takes deliveries the whole way, several in one commit where several come at once. A clone shares the queue.
///
/// What [`Engine::handle`] promises stands for each: its answer comes after the commit that holds it, and a refusal of
/// one is nothing to the others. When the last clone is gone, what was queued is still committed.
#[derive(Clone)]
pub struct GroupCommit {
    engine: Arc<Engine>,
    queue: mpsc::Sender<Waiting>,
    closing: watch::Sender<bool>,
    ended: watch::Receiver<()>,
}

impl GroupCommit {
    /// Starts to gather, in a task of its own.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn new(engine: Engine, settings: GroupSettings) -> Self {
        let engine = Arc::new(engine);
        let (queue, incoming) = mpsc::channel(settings.waiting.clamp(1, Semaphore::MAX_PERMITS));
        let (closing, closes) = watch::channel(false);
        let (running, ended) = watch::channel(());
        let gatherer = Gatherer {
            alone: Arc::new(Semaphore::new(ALONE)),
            running,
            most: settings.most.min(engine.settings().limits.deliveries).max(1),
            engine: Arc::clone(&engine),
            incoming,
            closes,
            wait: settings.wait,
        };
        tokio::spawn(gatherer.run());
        Self { engine, queue, closing, ended }
    }

    /// Takes one delivery the whole way, as [`Engine::handle`] does. A caller that doesn't wait for the answer changes
    /// nothing: what was queued is committed.
    ///
    /// # Errors
    /// As [`Engine::handle`]; and [`Refusal::Overloaded`] or [`Refusal::Closing`].
    ///
    /// # Panics
    /// When processing this delivery panics, as [`Engine::handle`] would.
    pub async fn handle(&self, delivery: Delivery) -> Result<WebhookReceipt, Refusal> {
        // What is not genuine takes no place in the queue.
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
            // The runtime ends, and the task with it.
            Err(_) => Err(Refusal::Closing),
        }
    }

    /// Takes no more deliveries, and returns when those that were queued are answered.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        // Nothing is ever sent: the other end is dropped when the task has ended.
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
    /// Permits for those that go alone.
    alone: Arc<Semaphore>,
    /// Dropped by the gatherer and by the last of those that go alone.
    running: watch::Sender<()>,
    engine: Arc<Engine>,
    incoming: mpsc::Receiver<Waiting>,
    closes: watch::Receiver<bool>,
    wait: Duration,
    most: usize,
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

    /// The next delivery; none after the end was asked for and what was queued is taken.
    async fn next(&mut self) -> Option<Waiting> {
        tokio::select! {
            biased;
            _ = self.closes.wait_for(|closes| *closes) => self.incoming.close(),
            waiting = self.incoming.recv() => return waiting,
        }
        self.incoming.recv().await
    }

    fn take_waiting(&mut self, group: &mut Vec<Waiting>) {
        // Under a load that never lets the queue become empty, this is where the end is noticed.
        if *self.closes.borrow() {
            self.incoming.close();
        }
        while group.len() < self.most {
            let Ok(waiting) = self.incoming.try_recv() else { return };
            group.push(waiting);
        }
    }

    /// Waits until as many have come as were answered last: whoever sent those is likely to send on at once. Not for more
    /// than them, and not for longer than was asked for.
    async fn hold_open(&mut self, group: &mut Vec<Waiting>, last: &Answered) {
        while group.len() < self.most.min(last.members) {
            match timeout(self.wait.saturating_sub(last.at.elapsed()), self.next()).await {
                Ok(Some(waiting)) => group.push(waiting),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Takes a group the rest of the way, and answers each member; tells what every other delivery would meet, too.
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
                tracing::warn!(deliveries = members.len(), "a group failed; each delivery goes alone");
                self.go_alone(Arc::unwrap_or_clone(members), answers).await;
            }
        }
        None
    }

    /// Each in a commit of its own, some side by side: one that waits for a lock holds up the next group only when there
    /// are as many of them.
    async fn go_alone(&self, members: Vec<Admitted>, answers: Vec<oneshot::Sender<Answer>>) {
        for (member, to) in members.into_iter().zip(answers) {
            // Nobody closes it.
            let Ok(permit) = Arc::clone(&self.alone).acquire_owned().await else { return };
            let (engine, running) = (Arc::clone(&self.engine), self.running.clone());
            tokio::spawn(async move {
                let answers = together(&engine, &Arc::new(vec![member])).await;
                give(to, answers.map(|given| given.and_then(|mut only| only.pop().unwrap_or(Err(Refusal::Closing)))));
                drop((permit, running));
            });
        }
    }

    /// Those that came meanwhile would only wait for the same.
    fn answer_waiting(&mut self, outage: &Outage) {
        while let Ok(waiting) = self.incoming.try_recv() {
            give(waiting.answer, Ok(Err(outage.refusal())));
        }
    }
}

/// The group that was answered last.
struct Answered {
    members: usize,
    at: Instant,
}

/// Why no delivery can be committed now, whatever it is.
enum Outage {
    /// The runtime ends.
    Closing,
    Store(Arc<StoreError>),
}

impl Outage {
    /// None where the refusal may be of one member alone.
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

/// Processes in a task of its own, so that a panic, which is a defect of an adapter, ends neither the gatherer nor the
/// others' deliveries.
async fn together(engine: &Arc<Engine>, members: &Arc<Vec<Admitted>>) -> Answers {
    let (engine, members) = (Arc::clone(engine), Arc::clone(members));
    match tokio::spawn(async move { engine.handle_admitted(&members).await }).await {
        Ok(answers) => Ok(answers),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => Err(panic),
            // Only the end of the runtime cancels it.
            Err(_) => Ok(Err(Refusal::Closing)),
        },
    }
}

/// A caller that has gone away needs no answer.
fn give(to: oneshot::Sender<Answer>, answer: Answer) {
    if to.send(answer).is_err() {
        tracing::debug!("a caller did not wait for its answer");
    }
}
