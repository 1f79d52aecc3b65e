//! Delivers as a provider does: several deliveries concurrently, each repeated until it is answered 2xx, and some once
//! more after that.

use std::{
    collections::{BTreeSet, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use purchase_core::verify::Secret;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use tokio::sync::watch;

use super::{DUPLICATES, server::READ_TOKEN};
use crate::scenarios::{self, Body, SECRET};

/// A delivery is abandoned after this many 4xx answers, because providers give up eventually too. Its event must still
/// be stored exactly as in the undisturbed run.
const PATIENCE: u32 = 3;

/// The deliveries still to be sent and the answers so far, shared by the senders and the task that kills.
pub(super) struct Board {
    bodies: Arc<[Body]>,
    state: Mutex<State>,
    address: watch::Sender<Option<SocketAddr>>,
    done: watch::Sender<bool>,
    /// The number of requests that are sent but not answered.
    pub(super) in_flight: AtomicU32,
}

struct State {
    queue: VecDeque<Task>,
    /// The number of tasks that senders are working on.
    taken: usize,
    acknowledged: BTreeSet<usize>,
    last_answer: String,
}

#[derive(Clone, Copy)]
struct Task {
    body: usize,
    /// The number of 4xx answers.
    refused: u32,
    /// Whether the last attempt got no answer or a 5xx answer.
    open: bool,
}

/// Counts of what the senders observed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// 2xx answers.
    pub(super) acknowledged: u32,
    /// 2xx answers that said "duplicate".
    pub(super) duplicates: u32,
    /// Requests without an answer.
    pub(super) cut_off: u32,
    /// 5xx answers, which ask for another delivery.
    pub(super) put_off: u32,
    /// Deliveries without an answer or with a 5xx answer, where the next answer said that the event was already stored.
    pub(super) stored_unanswered: u32,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.duplicates += other.duplicates;
        self.cut_off += other.cut_off;
        self.put_off += other.put_off;
        self.stored_unanswered += other.stored_unanswered;
    }
}

enum Answer {
    CutOff,
    Refused(u16),
    Taken { duplicate: bool },
}

impl Board {
    pub(super) fn new(bodies: Arc<[Body]>, order: Vec<usize>) -> Self {
        let queue = order.into_iter().map(|body| Task { body, refused: 0, open: false }).collect();
        let state = State { queue, taken: 0, acknowledged: BTreeSet::new(), last_answer: "none".to_owned() };
        Self {
            bodies,
            state: Mutex::new(state),
            address: watch::Sender::new(None),
            done: watch::Sender::new(false),
            in_flight: AtomicU32::new(0),
        }
    }

    /// Publishes the server's address to the senders, or that there is no server.
    pub(super) fn listen_at(&self, address: Option<SocketAddr>) {
        self.address.send_replace(address);
    }

    /// Waits until every delivery is settled.
    pub(super) async fn done(&self) {
        let mut done = self.done.subscribe();
        // The channel can't close: this board owns its sender.
        drop(done.wait_for(|done| *done).await);
    }

    /// The ids of the events that were answered 2xx.
    pub(super) fn acknowledged(&self) -> Vec<String> {
        self.state().acknowledged.iter().map(|body| self.bodies[*body].event.clone()).collect()
    }

    /// The last answer that wasn't 2xx, for messages.
    pub(super) fn last_answer(&self) -> String {
        self.state().last_answer.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Task> {
        let mut state = self.state();
        let task = state.queue.pop_front();
        state.taken += usize::from(task.is_some());
        task
    }

    /// Returns a task to the queue, or marks it as settled.
    fn give_back(&self, again: Option<Task>) {
        let mut state = self.state();
        state.queue.extend(again);
        state.taken -= 1;
        if state.queue.is_empty() && state.taken == 0 {
            self.done.send_replace(true);
        }
    }
}

/// Runs one sender: it takes tasks until all are settled.
pub(super) async fn send_all(board: Arc<Board>, seed: u64) -> anyhow::Result<Tally> {
    let mut random = StdRng::seed_from_u64(seed);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build()?;
    let secret = Secret::new(SECRET)?;
    let mut address = board.address.subscribe();
    let mut tally = Tally::default();
    while !*board.done.borrow() {
        let Some(task) = board.take() else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        let mut known = address.wait_for(Option::is_some).await?.to_owned();
        let Some(server) = known.take() else { continue };
        board.in_flight.fetch_add(1, Ordering::SeqCst);
        let answer = post(&client, server, &secret, &board.bodies[task.body].bytes).await?;
        board.in_flight.fetch_sub(1, Ordering::SeqCst);
        let again = match answer {
            Answer::Taken { duplicate } => {
                tally.acknowledged += 1;
                tally.duplicates += u32::from(duplicate);
                let first = board.state().acknowledged.insert(task.body);
                tally.stored_unanswered += u32::from(first && duplicate && task.open);
                (first && random.random_ratio(1, DUPLICATES)).then_some(Task { open: false, ..task })
            }
            Answer::Refused(status) => {
                board.state().last_answer = format!("{status} to {}", board.bodies[task.body].name);
                let put_off = status >= 500;
                tally.put_off += u32::from(put_off);
                let refused = task.refused + u32::from(!put_off);
                (refused < PATIENCE).then_some(Task { refused, open: put_off, ..task })
            }
            Answer::CutOff => {
                tally.cut_off += 1;
                // The task that kills announces the next server. Until then no delivery is possible.
                drop(tokio::time::timeout(Duration::from_millis(50), address.changed()).await);
                Some(Task { open: true, ..task })
            }
        };
        board.give_back(again);
    }
    Ok(tally)
}

async fn post(client: &reqwest::Client, server: SocketAddr, secret: &Secret, body: &[u8]) -> anyhow::Result<Answer> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let request = client
        .post(format!("http://{server}/webhooks/stripe"))
        .header("Stripe-Signature", scenarios::signature(secret, i64::try_from(now)?, body))
        .body(body.to_vec());
    let Ok(response) = request.send().await else { return Ok(Answer::CutOff) };
    let status = response.status();
    if !status.is_success() {
        return Ok(Answer::Refused(status.as_u16()));
    }
    // A provider that saw the status has its acknowledgement, even if the body doesn't arrive.
    let receipt: Value = response.json().await.unwrap_or_default();
    Ok(Answer::Taken { duplicate: receipt["duplicate"] == true })
}

/// The projection as of a time after all events, byte for byte.
pub(super) async fn projection(server: SocketAddr) -> anyhow::Result<String> {
    let address = format!("http://{server}/projection?as_of=2026-07-01T00:00:00Z");
    let client = reqwest::Client::builder().no_proxy().build()?;
    Ok(client.get(address).bearer_auth(READ_TOKEN).send().await?.error_for_status()?.text().await?)
}
