//! Decides which connection is closed when there is no room for another one: of those whose client keeps the server
//! waiting, the one that has done so for the longest. A good sender is quick, so silent connections go first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The answer is ready, and the client has to take it; afterwards the connection is idle.
    Answering,
    /// The client has to send the head of a request, which may be its first.
    Idle,
    /// The client has to send a body.
    Reading,
    /// The server works on a request.
    Working,
}

/// The connections that are open.
pub(super) struct Slots {
    most: usize,
    open: Mutex<Open>,
    /// Whether one has ended, or its client is waited for.
    changed: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    slots: BTreeMap<u64, Arc<Slot>>,
}

/// One connection's place.
pub(super) struct Slot {
    state: Mutex<State>,
    changed: Notify,
    displaced: Notify,
    all: Arc<Slots>,
}

struct State {
    stage: Stage,
    since: Instant,
    displaced: bool,
}

/// A place that is taken until this is dropped.
pub(super) struct TakenSlot {
    number: u64,
    pub(super) slot: Arc<Slot>,
}

impl Slots {
    /// Room for so many.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default(), changed: Notify::new() })
    }

    /// Takes a place. Where there is none, a connection that keeps the server waiting has to go; where the server works for
    /// all of them, this waits.
    pub(super) async fn take(self: &Arc<Self>) -> TakenSlot {
        loop {
            if let Some(taken) = self.try_take() {
                return taken;
            }
            self.displace_one();
            self.changed.notified().await;
        }
    }

    fn try_take(self: &Arc<Self>) -> Option<TakenSlot> {
        let mut open = self.open();
        if open.slots.len() >= self.most {
            return None;
        }
        let number = open.next;
        open.next += 1;
        let slot = Arc::new(Slot {
            state: Mutex::new(State { stage: Stage::Idle, since: Instant::now(), displaced: false }),
            changed: Notify::new(),
            displaced: Notify::new(),
            all: Arc::clone(self),
        });
        open.slots.insert(number, Arc::clone(&slot));
        Some(TakenSlot { number, slot })
    }

    /// One at a time: whoever was displaced makes room as soon as its task runs.
    fn displace_one(&self) {
        let open = self.open();
        if open.slots.values().any(|slot| slot.state().displaced) {
            return;
        }
        let waited_for = open.slots.values().filter_map(|slot| Some((slot.waits_for_client_since()?, slot)));
        if let Some((_, slot)) = waited_for.min_by_key(|(since, _)| *since) {
            slot.state().displaced = true;
            slot.displaced.notify_one();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Says what the connection does from now on.
    pub(super) fn set(&self, stage: Stage) {
        {
            let mut state = self.state();
            (state.stage, state.since) = (stage, Instant::now());
        }
        self.changed.notify_one();
        self.all.changed.notify_one();
    }

    /// Waits until another connection needs the place.
    pub(super) async fn displaced(&self) {
        self.displaced.notified().await;
    }

    /// Waits until an answer has been ready for so long, and no other request has come.
    pub(super) async fn answer_overdue(&self, patience: Duration) {
        loop {
            let (stage, since) = {
                let state = self.state();
                (state.stage, state.since)
            };
            let changed = self.changed.notified();
            match stage {
                Stage::Answering => {
                    if timeout_at(since + patience, changed).await.is_err() {
                        return;
                    }
                }
                Stage::Idle | Stage::Reading | Stage::Working => changed.await,
            }
        }
    }

    fn waits_for_client_since(&self) -> Option<Instant> {
        let state = self.state();
        match state.stage {
            Stage::Answering | Stage::Idle | Stage::Reading => Some(state.since),
            Stage::Working => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TakenSlot {
    fn drop(&mut self) {
        self.slot.all.open().slots.remove(&self.number);
        self.slot.all.changed.notify_one();
    }
}
