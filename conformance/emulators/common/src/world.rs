//! How a request, a passing of time and a delivery go through a world.

use async_trait::async_trait;
use purchase_core::{
    delivery::{Delivery, Headers},
    id::ProviderName,
    time::Timestamp,
    transport::{HttpRequest, HttpResponse, Transport, TransportError},
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    call::{Call, Reply},
    chaos::{Failure, Planned, failure},
    control,
    emulated::Emulated,
    keys::{Keys, Known},
    log::{Entry, Log},
    queue::Attempt,
    shared::{Made, Shared},
    truth::Truth,
};

/// How a world begins.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The seed of ids, delays and whatever else is random.
    pub seed: u64,
    /// The clock at the beginning.
    pub start: Timestamp,
    /// The receiver of deliveries. Without one, events are only listed.
    pub webhook: Option<Webhook>,
}

/// A receiver of deliveries.
#[derive(Clone)]
pub struct Webhook {
    /// Where deliveries go.
    pub url: String,
    /// The secret that signs them.
    pub secret: String,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A signed delivery that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number, for [`World::answered`].
    pub number: u64,
    /// Where it goes.
    pub url: String,
    /// The event's type.
    pub event_type: String,
    /// The headers, the signature among them.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Outgoing {
    /// The delivery as an endpoint receives it at this time, under an adapter's name.
    pub fn received(&self, provider: &ProviderName, at: Timestamp) -> Delivery {
        Delivery { provider: provider.clone(), headers: self.headers.clone(), body: self.body.clone(), received_at: at }
    }
}

/// A provider with a clock.
#[derive(Clone)]
pub struct World<P> {
    state: State<P>,
    webhook: Option<Webhook>,
}

/// What a snapshot holds.
#[derive(Clone, Serialize, Deserialize)]
struct State<P> {
    provider: P,
    shared: Shared,
    keys: Keys,
    log: Log,
    planned: Vec<Planned>,
}

impl<P: Emulated> World<P> {
    /// A new world.
    pub fn new(provider: P, settings: Settings) -> Self {
        let shared = Shared::new(settings.seed, settings.start.micros(), settings.webhook.is_some());
        let state = State { provider, shared, keys: Keys::default(), log: Log::default(), planned: Vec::new() };
        Self { state, webhook: settings.webhook }
    }

    /// Answers a request. Routes under `/_emulator` control the world; all others are the provider's.
    ///
    /// Planned failures and chaos apply as in [`exchange`](Self::exchange). Where no answer would come, this gives the
    /// provider's answer all the same.
    pub fn handle(&mut self, request: &HttpRequest) -> HttpResponse {
        self.reply(request).0.into_response()
    }

    /// Answers a request, unless the answer is lost on purpose.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] when the connection can't be opened, and [`TransportError::Unknown`] when no answer
    /// comes, whether or not the request took effect.
    pub fn exchange(&mut self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let (reply, failure) = self.reply(request);
        let reason = |text: &str| text.to_owned();
        match failure {
            Some(Failure::NotConnected) => Err(TransportError::NotSent { reason: reason("the connection is refused") }),
            Some(Failure::TimeOut | Failure::AnswerLost) => {
                Err(TransportError::Unknown { reason: reason("the connection was closed before an answer came") })
            }
            _ => Ok(reply.into_response()),
        }
    }

    fn reply(&mut self, request: &HttpRequest) -> (Reply, Option<Failure>) {
        let call = Call::of(request);
        if call.path.first().is_some_and(|it| it == "_emulator") {
            return (control::answer(self, &call), None);
        }
        let State { provider, shared, keys, log, planned } = &mut self.state;
        let failure = failure(&shared.chaos, planned, &mut shared.draw, call.method.as_str(), &call.route());
        let request_id = P::request_id(&mut shared.draw);
        let idempotency_key = provider.key(&call).map(|key| key.key);
        shared.request = Some(Made { id: request_id.clone(), idempotency_key: idempotency_key.clone() });
        let (reply, original) = match failure {
            Some(failure) if !failure.applies() => (provider.failed(failure).unkept(), None),
            _ => answer(provider, shared, keys, &call, &request_id, failure),
        };
        shared.request = None;
        log.push(Entry {
            at: shared.time().to_string(),
            method: call.method.as_str().to_owned(),
            path: call.route(),
            status: reply.status,
            request_id: request_id.clone(),
            idempotency_key,
            replayed: original.is_some(),
            not_emulated: reply.not_emulated.clone(),
            failure: failure.map(|it| it.as_str().to_owned()),
        });
        (provider.finish(shared, &call, &request_id, original.as_deref(), reply), failure)
    }

    /// Lets time pass. Whatever happens by itself until then happens at its own time and in its order.
    ///
    /// # Errors
    /// [`ClockError`] when `to` has passed. Then nothing changed.
    pub fn advance(&mut self, to: Timestamp) -> Result<(), ClockError> {
        let now = self.now();
        if to < now {
            return Err(ClockError { now, to });
        }
        while self.step(to) {}
        self.state.shared.now = to.micros();
        Ok(())
    }

    /// Lets time pass until an event of this type is created, at most until `latest`. Returns whether one was.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn advance_until(&mut self, event_type: &str, latest: Timestamp) -> Result<bool, ClockError> {
        let mut seen = self.state.shared.events().len();
        let now = self.now();
        if latest < now {
            return Err(ClockError { now, to: latest });
        }
        while self.step(latest) {
            let events = &self.state.shared.events()[seen..];
            if events.iter().any(|event| event.event_type == event_type) {
                return Ok(true);
            }
            seen += events.len();
        }
        self.state.shared.now = latest.micros();
        Ok(false)
    }

    /// Does what happens by itself next, if that is not after `latest`.
    fn step(&mut self, latest: Timestamp) -> bool {
        let State { provider, shared, .. } = &mut self.state;
        let Some(due) = provider.next_due().filter(|due| *due <= latest.micros()) else { return false };
        shared.now = shared.now.max(due);
        provider.run_due(shared);
        assert!(provider.next_due().is_none_or(|next| next > shared.now), "what was due at {due} was not done");
        true
    }

    /// Does what somebody does outside the API.
    ///
    /// # Errors
    /// Why it can't be done, in words. Then nothing changed.
    pub fn act(&mut self, act: P::Act) -> Result<serde_json::Value, String> {
        self.state.provider.act(&mut self.state.shared, act)
    }

    /// Takes the deliveries that are due, signed at the world's clock.
    pub fn deliveries(&mut self) -> Vec<Outgoing> {
        self.deliveries_signed_at(self.now())
    }

    /// Takes the deliveries that are due, signed at another clock: a receiver compares the signature's time with its
    /// own.
    pub fn deliveries_signed_at(&mut self, at: Timestamp) -> Vec<Outgoing> {
        let Some(webhook) = &self.webhook else { return Vec::new() };
        let State { provider, shared, .. } = &mut self.state;
        let due = shared.queue.take(shared.now);
        let outgoing = due.into_iter().map(|pending| {
            let event = &shared.events()[pending.event];
            let body = provider.delivery(event, pending.number);
            Outgoing {
                number: pending.number,
                url: webhook.url.clone(),
                event_type: event.event_type.clone(),
                headers: P::sign(&webhook.secret, &body, at.seconds()).into_iter().collect(),
                body,
            }
        });
        outgoing.collect()
    }

    /// Records what a receiver answered to a delivery; no status when it could not be reached. A delivery that is not
    /// accepted comes again later. One that is never answered counts as on its way.
    pub fn answered(&mut self, number: u64, status: Option<u16>) {
        let now = self.state.shared.now;
        let accepted = status.is_some_and(P::accepts);
        self.state.shared.queue.attempted(number, Attempt { at: now, status });
        self.state.shared.queue.answered(number, accepted, now, P::RETRY_SECONDS);
    }

    /// The clock.
    pub fn now(&self) -> Timestamp {
        self.state.shared.time()
    }

    /// When something happens by itself or a delivery is due next.
    pub fn next_due(&self) -> Option<Timestamp> {
        let due = [self.state.provider.next_due(), self.state.shared.queue.next_due()];
        due.into_iter().flatten().min().and_then(|micros| Timestamp::from_micros(micros).ok())
    }

    /// The state in neutral words.
    pub fn truth(&self) -> Truth {
        self.state.provider.truth()
    }

    /// The provider's own part.
    pub fn provider(&self) -> &P {
        &self.state.provider
    }

    /// The clock, the events and the queue.
    pub fn shared(&self) -> &Shared {
        &self.state.shared
    }

    /// The same, to be changed.
    pub fn shared_mut(&mut self) -> &mut Shared {
        &mut self.state.shared
    }

    /// The requests that were made.
    pub fn log(&self) -> &Log {
        &self.state.log
    }

    /// Plans failures of the requests that come next.
    pub fn plan(&mut self, planned: Planned) {
        self.state.planned.push(planned);
    }

    /// The whole world as bytes, without the receiver of deliveries. Equal worlds give equal bytes.
    ///
    /// # Errors
    /// When the state can't be written as JSON.
    pub fn snapshot(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.state)
    }

    /// A world from a snapshot.
    ///
    /// # Errors
    /// When the bytes are no snapshot of this emulator.
    pub fn restore(snapshot: &[u8], webhook: Option<Webhook>) -> Result<Self, serde_json::Error> {
        let mut state: State<P> = serde_json::from_slice(snapshot)?;
        state.shared.delivers = webhook.is_some();
        state.shared.queue.resume();
        Ok(Self { state, webhook })
    }

    /// Replaces the whole world by a snapshot's, and keeps the receiver of deliveries.
    ///
    /// # Errors
    /// As [`restore`](Self::restore). Then nothing changed.
    pub fn rewind(&mut self, snapshot: &[u8]) -> Result<(), serde_json::Error> {
        *self = Self::restore(snapshot, self.webhook.clone())?;
        Ok(())
    }
}

/// Answers a request that takes effect: from its idempotency key, or by the provider.
fn answer<P: Emulated>(
    provider: &mut P,
    shared: &mut Shared,
    keys: &mut Keys,
    call: &Call<'_>,
    request_id: &str,
    failure: Option<Failure>,
) -> (Reply, Option<String>) {
    let key = provider.key(call);
    match key.as_ref().map_or(Known::New, |key| keys.known(key, shared.now)) {
        Known::Other => (provider.key_conflict(call).unkept(), None),
        Known::Same(reply, original) => (reply, Some(original)),
        Known::New => {
            let mut reply = provider.call(shared, call);
            if failure == Some(Failure::ServerError) && reply.kept {
                reply = provider.failed(Failure::ServerError);
            }
            if let Some(key) = key.filter(|_| reply.kept) {
                keys.keep(key, shared.now, request_id, &reply);
            }
            (reply, None)
        }
    }
}

/// The clock can't be put back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the clock shows {now} and can't be put back to {to}")]
pub struct ClockError {
    /// The clock.
    pub now: Timestamp,
    /// The time that was asked for.
    pub to: Timestamp,
}

/// A world that several holders share, as the transport of an engine.
#[derive(Clone)]
pub struct Local<P>(Arc<Mutex<World<P>>>);

impl<P: Emulated> Local<P> {
    /// Shares a world.
    pub fn new(world: World<P>) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// Uses the world, for as long as `act` takes.
    pub fn with<T>(&self, act: impl FnOnce(&mut World<P>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl<P: Emulated> Transport for Local<P> {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.with(|world| world.exchange(request))
    }
}
