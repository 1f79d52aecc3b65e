//! Decides how the well-behaved sender works: it sends genuine deliveries at a steady rate, each on a new connection,
//! whether or not the earlier ones are answered. If the server stalls, every delivery during that time shows it.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use purchase_core::verify::Secret;
use reqwest::Client;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::scenarios::{self, Body, SECRET};

/// The interval between deliveries.
const EVERY: Duration = Duration::from_millis(20);
/// How long the sender waits for an answer, which is at least as long as providers wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// The results of the deliveries.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) sent: u32,
    /// Answered 2xx.
    pub(super) taken: u32,
    /// Answered 4xx.
    pub(super) refused: u32,
    /// Answered 5xx.
    pub(super) put_off: u32,
    /// Not answered.
    pub(super) lost: u32,
    /// The time that each answer took, in ascending order.
    times: Vec<Duration>,
}

impl Seen {
    /// The time within which this fraction of the answers arrived.
    pub(super) fn quantile(&self, part: f64) -> Duration {
        let place = (self.times.len() as f64 * part).ceil() as usize;
        self.times.get(place.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// Delivers for `time`, and waits for the answers.
pub(super) async fn deliver(server: SocketAddr, bodies: &Arc<[Body]>, time: Duration) -> anyhow::Result<Seen> {
    // A provider has many machines, so no connection is reused.
    let client = Client::builder().timeout(PATIENCE).no_proxy().pool_max_idle_per_host(0).build()?;
    let secret = Secret::new(SECRET)?;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut deliveries = JoinSet::new();
    let begin = Instant::now();
    let mut seen = Seen::default();
    for number in (0..bodies.len()).cycle() {
        ticks.tick().await;
        if begin.elapsed() > time {
            break;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let body = bodies[number].bytes.clone();
        let request = client
            .post(format!("http://{server}/webhooks/stripe"))
            .header("Stripe-Signature", scenarios::signature(&secret, i64::try_from(now)?, &body))
            .body(body);
        seen.sent += 1;
        deliveries.spawn(async move {
            let begin = Instant::now();
            (request.send().await.ok().map(|response| response.status().as_u16()), begin.elapsed())
        });
    }
    while let Some(delivery) = deliveries.join_next().await {
        let (status, took) = delivery?;
        let count = match status {
            Some(200..300) => &mut seen.taken,
            Some(500..) => &mut seen.put_off,
            Some(_) => &mut seen.refused,
            None => &mut seen.lost,
        };
        *count += 1;
        seen.times.extend(status.map(|_| took));
    }
    seen.times.sort_unstable();
    Ok(seen)
}
