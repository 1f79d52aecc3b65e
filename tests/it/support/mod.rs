//! Shared code of the tests of group commit and of the queue: an adapter that panics on demand, and a store whose calls
//! can be observed, delayed, or made to fail. Nothing here measures time.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use purchase::{
    delivery::Delivery,
    engine::{Engine, RetryPolicy, Settings},
    error::{CommitError, StoreError},
    id::EventKey,
    lifecycle::Transition,
    store::{
        Browse, Claim, Claimed, Commit, ConflictQuery, EventQuery, Loaded, Maintain, NewEvent, Store, StoredConflict,
        StoredEvent, StoredFact, StoredSubject, SubjectQuery, TransitionQuery, Wanted, memory::MemoryStore,
    },
    stripe::{ModePolicy, Stripe, StripeConfig, testing},
    time::Timestamp,
    verify::Secret,
};
use purchase_conformance::wrapped::Wrapped;
use tokio::sync::Semaphore;

pub(crate) const SECRET: &str = "whsec_queue";
/// The time at which every delivery arrives, long before the time of any worker's clock.
pub(crate) const RECEIVED: i64 = 1_767_225_600;

/// An event that creates a customer. Its body contains the mark.
pub(crate) fn delivery(event: &str, mark: &str) -> Delivery {
    customers_event(event, &format!("cus_{event}"), mark)
}

/// An event about the given customer.
pub(crate) fn customers_event(event: &str, customer: &str, mark: &str) -> Delivery {
    let body = format!(
        r#"{{"id": "{event}", "object": "event", "type": "customer.created", "created": {created}, "livemode": false,
        "api_version": "2026-03-25.dahlia", "data": {{"object": {{"id": "{customer}", "object": "customer",
        "created": {created}, "email": "{mark}@example.com"}}}}}}"#,
        created = RECEIVED - 1,
    );
    let received = Timestamp::from_seconds(RECEIVED).expect("in range");
    testing::delivery([&Secret::new(SECRET).expect("a secret")], body, received)
}

/// Stripe's adapter with a defect: when armed, it panics on bodies that contain the word `panic`.
fn defective(inner: Stripe, armed: Arc<AtomicBool>) -> Wrapped {
    let panic_over = move |body: &[u8]| {
        let marked = body.windows(5).any(|word| word == b"panic");
        assert!(!(marked && armed.load(Ordering::SeqCst)), "the test makes the adapter panic");
    };
    let compared = panic_over.clone();
    Wrapped {
        read: Box::new(move |delivery, reading| {
            panic_over(delivery.body());
            reading
        }),
        same_content: Box::new(move |one, _, same| {
            compared(one);
            same
        }),
        ..Wrapped::new(Arc::new(inner))
    }
}

/// How the store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    Fair,
    /// A commit of more than one event is always stale.
    Crowded,
    /// Commits fail.
    Down,
    /// Commits and claims fail.
    Gone,
    /// An event whose body contains the word `poison` waits for a lock that is never released.
    Locked,
    /// The connection is lost before the store answers, and the commit has not happened.
    Lost,
    /// Loads are never answered.
    Mute,
    /// An event whose body contains the word `poison` is refused.
    Poison,
    /// Like `Poison`, and events without facts can't be written either.
    Stuck,
    /// The connection is lost before the store answers, but the commit has happened.
    Swallowed,
}

/// Called with each commit that reaches the gate.
type Witness = Box<dyn Fn(&Commit) + Send + Sync>;

/// A store whose commits wait for a permit of `gate`.
pub(crate) struct Gate {
    inner: Arc<dyn Store>,
    witness: Witness,
    pub(crate) gate: Semaphore,
    /// A permit for each commit that has reached the gate, and for each load that is never answered.
    pub(crate) began: Semaphore,
    /// A permit for each claim that found nothing.
    pub(crate) idle: Semaphore,
    weather: Mutex<(Weather, usize)>,
    /// The number of attempted commits.
    pub(crate) tried: AtomicUsize,
    commits: Mutex<Vec<Vec<String>>>,
    tokens: Mutex<Vec<String>>,
}

impl Gate {
    /// A memory store whose gate is always open.
    pub(crate) fn open() -> Arc<Self> {
        Self::before(Arc::new(MemoryStore::new()), Box::new(|_| {}))
    }

    /// A memory store whose gate is closed.
    pub(crate) fn closed() -> Arc<Self> {
        Self::with_permits(0, Arc::new(MemoryStore::new()), Box::new(|_| {}))
    }

    /// Wraps another store; the gate is always open.
    pub(crate) fn before(inner: Arc<dyn Store>, witness: Witness) -> Arc<Self> {
        Self::with_permits(Semaphore::MAX_PERMITS / 2, inner, witness)
    }

    fn with_permits(permits: usize, inner: Arc<dyn Store>, witness: Witness) -> Arc<Self> {
        Arc::new(Self {
            inner,
            witness,
            gate: Semaphore::new(permits),
            began: Semaphore::new(0),
            idle: Semaphore::new(0),
            weather: Mutex::new((Weather::Fair, 0)),
            tried: AtomicUsize::new(0),
            commits: Mutex::default(),
            tokens: Mutex::default(),
        })
    }

    /// Lets every commit through from now on.
    pub(crate) fn lift(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Waits until this many commits have reached the gate.
    pub(crate) async fn begun(&self, commits: u32) {
        self.began.acquire_many(commits).await.expect("open").forget();
    }

    /// Sets the behaviour of the next `calls` calls. Afterwards it is `Fair` again.
    pub(crate) fn turn(&self, weather: Weather, calls: usize) {
        *self.weather.lock().expect("weather") = (weather, calls);
    }

    /// The events of each commit, by id.
    pub(crate) fn commits(&self) -> Vec<Vec<String>> {
        self.commits.lock().expect("commits").clone()
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.tokens.lock().expect("tokens").clone()
    }

    /// The behaviour of a call to which the current weather applies.
    fn weather(&self, minds: impl Fn(Weather) -> bool) -> Weather {
        let mut turned = self.weather.lock().expect("weather");
        if turned.1 == 0 || !minds(turned.0) {
            return Weather::Fair;
        }
        turned.1 -= 1;
        turned.0
    }

    /// Every stored event, by id.
    pub(crate) async fn stored(&self) -> BTreeMap<String, StoredEvent> {
        let all = self.inner.events(&EventQuery { limit: 10_000, ..EventQuery::default() }).await.expect("events");
        all.into_iter().map(|stored| (stored.event.key.id.expose().to_owned(), stored)).collect()
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable { operation: "answer", cause: "the test makes it fail".into() }
}

#[async_trait]
impl Store for Gate {
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        self.inner.accept(events).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        if self.weather(|it| it == Weather::Gone) == Weather::Gone {
            return Err(unavailable());
        }
        let claimed = self.inner.claim(claim).await?;
        self.tokens.lock().expect("tokens").push(claim.lease.token.clone());
        self.idle.add_permits(usize::from(claimed.events.is_empty()));
        Ok(claimed)
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        self.inner.load(wanted).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.tried.fetch_add(1, Ordering::SeqCst);
        self.began.add_permits(1);
        self.gate.acquire().await.expect("open").forget();
        (self.witness)(commit);
        let has_facts = !commit.facts.is_empty();
        let poison = commit.facts.iter().any(|fact| format!("{:?}", fact.subject.root.id.expose()).contains("poison"));
        let crowd = commit.events.len() > 1;
        let weather = self.weather(|weather| match weather {
            Weather::Crowded => crowd,
            Weather::Down | Weather::Lost | Weather::Swallowed => has_facts,
            Weather::Locked | Weather::Poison => poison,
            Weather::Stuck => poison || !has_facts,
            Weather::Fair | Weather::Gone | Weather::Mute => false,
        });
        match weather {
            Weather::Fair | Weather::Gone | Weather::Mute => {}
            Weather::Crowded => return Err(CommitError::Stale),
            Weather::Down => return Err(unavailable().into()),
            Weather::Stuck if !has_facts => return Err(unavailable().into()),
            Weather::Locked => {
                let cause = "the test holds the lock".into();
                return Err(StoreError::TimedOut { operation: "commit", cause }.into());
            }
            Weather::Lost => return Err(CommitError::Unknown(unavailable())),
            Weather::Swallowed => {
                self.inner.commit(commit).await?;
                return Err(CommitError::Unknown(unavailable()));
            }
            Weather::Poison | Weather::Stuck => {
                let cause = "the test refuses it".into();
                return Err(StoreError::Refused { operation: "commit", cause }.into());
            }
        }
        self.inner.commit(commit).await?;
        let names = commit.events.iter().map(|write| write.event.key.id.expose().to_owned()).collect();
        self.commits.lock().expect("commits").push(names);
        Ok(())
    }
}

#[async_trait]
impl Browse for Gate {
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.inner.events(query).await
    }

    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        self.inner.conflicts(query).await
    }

    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError> {
        self.inner.facts(events).await
    }

    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError> {
        self.inner.transitions(query).await
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        self.inner.subjects(query).await
    }
}

#[async_trait]
impl Maintain for Gate {
    async fn ready(&self) -> Result<(), StoreError> {
        if self.weather(|it| it == Weather::Mute) == Weather::Mute {
            self.began.add_permits(1);
            return std::future::pending().await;
        }
        self.inner.ready().await
    }
}

/// An engine on a store, and the switch for its adapter's defect.
pub(crate) fn engine(store: &Arc<Gate>, retry: RetryPolicy) -> (Engine, Arc<AtomicBool>) {
    let armed = Arc::new(AtomicBool::new(false));
    let config = StripeConfig::new(ModePolicy::Both, [SECRET]).expect("a config");
    let inner = Stripe::new(config).expect("an adapter");
    let engine = Engine::new(Arc::clone(store) as Arc<dyn Store>)
        .with_provider(Arc::new(defective(inner, Arc::clone(&armed))))
        .with_settings(Settings { retry, ..Settings::default() });
    (engine, armed)
}

/// Three attempts without a delay between them.
pub(crate) const AT_ONCE: RetryPolicy = RetryPolicy { attempts: 3, first_seconds: 0, most_seconds: 0 };

/// Polls a future once, which queues its delivery, and returns whether it is still pending.
pub(crate) fn is_waiting<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> bool {
    matches!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
}
