//! Decides how faults are injected: a store call that fails before or after its effect, a statement that fails inside
//! its batch, and delayed calls that let other tasks run in between.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use purchase_core::{
    error::{CommitError, StoreError},
    id::EventKey,
    lifecycle::Transition,
    store::{
        Browse, Claim, Claimed, Commit, ConflictQuery, EventQuery, Loaded, Maintain, NewEvent, Store, StoredConflict,
        StoredEvent, StoredFact, StoredSubject, SubjectQuery, TransitionQuery, Wanted,
    },
};
use purchase_sql::{BatchKind, Dialect, ExecuteError, Executor, Row, Statement};
use rand::{RngExt, rngs::StdRng};

/// The moment at which a store call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before its effect.
    Before,
    /// After its full effect. Only the caller doesn't learn that it succeeded.
    After,
}

/// The fault of one store call.
#[derive(Debug)]
pub struct StoreFault {
    call: usize,
    when: When,
    calls: AtomicUsize,
}

impl StoreFault {
    /// Makes the call with this number fail, counted from 1. 0 lets all calls through.
    pub fn at(call: usize, when: When) -> Arc<Self> {
        Arc::new(Self { call, when, calls: AtomicUsize::new(0) })
    }

    /// The number of calls so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn around<T, E: From<StoreError>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = || StoreError::Unavailable { operation: "answer", cause: "the kit made this call fail".into() };
        match (number == self.call, self.when) {
            (true, When::Before) => Err(fault().into()),
            (true, When::After) => {
                call.await?;
                Err(fault().into())
            }
            (false, _) => call.await,
        }
    }
}

/// A store with one failing call.
pub struct FaultyStore {
    /// The wrapped store.
    pub inner: Arc<dyn Store>,
    /// The fault.
    pub fault: Arc<StoreFault>,
}

#[async_trait]
impl Store for FaultyStore {
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        self.fault.around(self.inner.accept(events)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        self.fault.around(self.inner.claim(claim)).await
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        self.fault.around(self.inner.load(wanted)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.fault.around(self.inner.commit(commit)).await
    }
}

#[async_trait]
impl Browse for FaultyStore {
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.fault.around(self.inner.events(query)).await
    }

    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        self.fault.around(self.inner.conflicts(query)).await
    }

    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError> {
        self.fault.around(self.inner.facts(events)).await
    }

    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError> {
        self.fault.around(self.inner.transitions(query)).await
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        self.fault.around(self.inner.subjects(query)).await
    }
}

#[async_trait]
impl Maintain for FaultyStore {
    async fn ready(&self) -> Result<(), StoreError> {
        self.fault.around(self.inner.ready()).await
    }
}

/// A store that yields to other tasks around each call, for varying times, so that concurrent workers can run between
/// any two calls of each other.
pub struct Interleaved {
    /// The wrapped store.
    pub inner: Arc<dyn Store>,
    /// How often it yields.
    pub random: Mutex<StdRng>,
}

impl Interleaved {
    async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        self.give_way().await;
        let answer = call.await;
        self.give_way().await;
        answer
    }

    async fn give_way(&self) {
        let times = self.random.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..4);
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Store for Interleaved {
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        self.around(self.inner.accept(events)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        self.around(self.inner.claim(claim)).await
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        self.around(self.inner.load(wanted)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.around(self.inner.commit(commit)).await
    }
}

#[async_trait]
impl Browse for Interleaved {
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.around(self.inner.events(query)).await
    }

    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        self.around(self.inner.conflicts(query)).await
    }

    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError> {
        self.around(self.inner.facts(events)).await
    }

    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError> {
        self.around(self.inner.transitions(query)).await
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        self.around(self.inner.subjects(query)).await
    }
}

#[async_trait]
impl Maintain for Interleaved {
    async fn ready(&self) -> Result<(), StoreError> {
        self.around(self.inner.ready()).await
    }
}

/// The fault of one statement inside a writing batch.
#[derive(Debug, Default)]
pub struct StatementFault {
    /// The number of statements that run before the failing one; [`usize::MAX`] for no failure.
    after: AtomicUsize,
    armed: AtomicBool,
    tripped: AtomicBool,
    /// Whether batches are run as single statements, which no executor may do. Only the kit's own mutant sets this.
    torn: bool,
}

impl StatementFault {
    /// The fault of a mutant whose executor doesn't run batches atomically.
    pub(crate) fn torn() -> Self {
        Self { torn: true, ..Self::default() }
    }

    /// Makes the next writing batch fail after this number of statements. A batch with fewer statements succeeds.
    pub fn arm(&self, after: usize) {
        self.after.store(after, Ordering::SeqCst);
        self.tripped.store(false, Ordering::SeqCst);
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Lets every statement through again, and returns whether the fault occurred.
    pub fn disarm(&self) -> bool {
        self.armed.store(false, Ordering::SeqCst);
        self.tripped.load(Ordering::SeqCst)
    }
}

/// An executor with one failing statement. It replaces that statement with one that no database can run.
#[derive(Debug)]
pub struct FaultyExecutor<E> {
    /// The wrapped executor.
    pub inner: E,
    /// The fault.
    pub fault: Arc<StatementFault>,
}

#[async_trait]
impl<E: Executor> Executor for FaultyExecutor<E> {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let after = self.fault.after.load(Ordering::SeqCst);
        let strikes =
            access == BatchKind::Write && after <= statements.len() && self.fault.armed.swap(false, Ordering::SeqCst);
        let mut statements = statements.to_vec();
        if strikes {
            self.fault.tripped.store(true, Ordering::SeqCst);
            let sql = "the kit made this statement fail".into();
            statements.insert(after, Statement { name: "fault", sql, params: Vec::new() });
        }
        if !self.fault.torn || access == BatchKind::Read {
            return self.inner.batch(access, &statements).await;
        }
        let mut rows = Vec::new();
        for statement in statements {
            rows.extend(self.inner.batch(access, &[statement]).await?);
        }
        Ok(rows)
    }

    fn dialect(&self) -> &Dialect {
        self.inner.dialect()
    }
}
