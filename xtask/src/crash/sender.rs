//! Delivers as a provider does: several at once, each again and again until it is answered 2xx, some once more after that.

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

/// After so many answers 4xx a delivery is left alone, as providers do at last. The verdict wants its event stored all
/// the same, exactly as undisturbed.
const PATIENCE: u32 = 3;

/// What is still to be sent and what was answered, shared by the senders and the one who kills.
pub(super) struct Board {
    bodies: Arc<[Body]>,
    state: Mutex<State>,
    address: watch::Sender<Option<SocketAddr>>,
    done: watch::Sender<bool>,
    /// Requests that were sent and are not answered.
    pub(super) in_flight: AtomicU32,
}

struct State {
    queue: VecDeque<Task>,
    /// Tasks that a sender has in hand.
    taken: usize,
    acknowledged: BTreeSet<usize>,
    last_answer: String,
}

#[derive(Clone, Copy)]
struct Task {
    body: usize,
    /// How often it was answered 4xx.
    refused: u32,
    /// Whether the last try of it was cut off or put off.
    open: bool,
}

/// What the senders saw.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Answers 2xx.
    pub(super) acknowledged: u32,
    /// Those among them that said "duplicate".
    pub(super) duplicates: u32,
    /// Requests that were not answered.
    pub(super) cut_off: u32,
    /// Answers 5xx: the delivery is wanted again.
    pub(super) put_off: u32,
    /// Deliveries that were cut off or put off, and whose next answer said that they were there already.
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

    /// Tells the senders where the server is, or that there is none.
    pub(super) fn listen_at(&self, address: Option<SocketAddr>) {
        self.address.send_replace(address);
    }

    /// Waits until everything is settled.
    pub(super) async fn done(&self) {
        let mut done = self.done.subscribe();
        // The sender of this channel is this board itself, which lives.
        drop(done.wait_for(|done| *done).await);
    }

    /// The event ids that were answered 2xx.
    pub(super) fn acknowledged(&self) -> Vec<String> {
        self.state().acknowledged.iter().map(|body| self.bodies[*body].event.clone()).collect()
    }

    /// The last answer that was not 2xx, for messages.
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

    /// Puts a task back, or settles it.
    fn give_back(&self, again: Option<Task>) {
        let mut state = self.state();
        state.queue.extend(again);
        state.taken -= 1;
        if state.queue.is_empty() && state.taken == 0 {
            self.done.send_replace(true);
        }
    }
}

/// One sender: takes tasks until all are settled.
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
                // The one who kills says when there is a server again; until then nothing can be delivered.
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
    // A provider that saw the status has its acknowledgement, whether or not the body arrives.
    let receipt: Value = response.json().await.unwrap_or_default();
    Ok(Answer::Taken { duplicate: receipt["duplicate"] == true })
}

/// The projection at an instant after everything, byte for byte.
pub(super) async fn projection(server: SocketAddr) -> anyhow::Result<String> {
    let address = format!("http://{server}/projection?as_of=2026-07-01T00:00:00Z");
    let client = reqwest::Client::builder().no_proxy().build()?;
    Ok(client.get(address).bearer_auth(READ_TOKEN).send().await?.error_for_status()?.text().await?)
}
