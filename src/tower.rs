//! Receives webhooks in any server that speaks the types of `http`: [`WebhookService`] answers a request on its raw
//! bytes, from its head to its receipt. What a delivery means is the engine's.
//!
//! A delivery that is taken is answered with its receipt as JSON. Everything else is answered with
//! `{"error": code, "message": text}`: a stable word and a sentence for people, with the status that
//! [`Refusal::http_status`] says. 503 comes with `Retry-After`.
//!
//! How long a client may take, and how many may come, is for the server around it to bound. Where a server has to read
//! bodies its own way, under a budget for instance, it calls the two halves itself: [`Intake::precheck`], then
//! [`Prechecked::take`].
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::Arc, time::{Duration, SystemTime}};
//!
//! use http::Request;
//! use http_body_util::Full;
//! use purchase::{
//!     engine::Engine,
//!     id::Mode,
//!     store::memory::MemoryStore,
//!     stripe::{self, ModePolicy, Stripe, StripeConfig},
//!     time::Timestamp,
//!     tower::{Intake, WebhookService},
//!     verify::Secret,
//! };
//! use tower_service::Service;
//!
//! let stripe = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), ["whsec_example"])?)?;
//! let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(Arc::new(stripe));
//! let mut service = WebhookService::new(Intake::inline(engine));
//!
//! // What Stripe would send; the feature `testing` signs it.
//! let body: &[u8] = br#"{"id": "evt_1", "object": "event", "type": "customer.created", "created": 1767225599,
//!     "livemode": false, "data": {"object": {"id": "cus_1", "object": "customer", "created": 1767225599}}}"#;
//! let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
//! let now = Timestamp::from_seconds(seconds.try_into()?)?;
//! let mut request = Request::post("/webhooks/stripe");
//! for (name, value) in stripe::testing::headers([&Secret::new("whsec_example")?], body, now) {
//!     request = request.header(name, value);
//! }
//! let answer = service.call(request.body(Full::new(body))?).await?;
//! assert_eq!(answer.status(), 200);
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
//! ```

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes};
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower_service::Service;

use crate::{
    clock,
    delivery::{Delivery, Headers},
    engine::Engine,
    error::Refusal,
    id::ProviderName,
};
#[cfg(feature = "runtime")]
use crate::{group::GroupCommit, worker::Worker};

/// What is answered. The body is JSON.
pub type Response = http::Response<Full<Bytes>>;

/// How deliveries are taken.
#[derive(Clone)]
pub struct Intake(Way);

#[derive(Clone)]
enum Way {
    Inline(Engine),
    #[cfg(feature = "runtime")]
    Grouped(GroupCommit),
    #[cfg(feature = "runtime")]
    Queued(Worker),
}

impl Intake {
    /// Each in a commit of its own, before it is answered: [`Engine::handle`]. When a client goes away the work ends
    /// where it is, with all of the delivery committed or nothing.
    pub fn inline(engine: Engine) -> Self {
        Self(Way::Inline(engine))
    }

    /// Those that come at once in one commit, before they are answered: [`GroupCommit::handle`]. Close the group when
    /// the server has ended.
    #[cfg(feature = "runtime")]
    pub fn grouped(group: GroupCommit) -> Self {
        Self(Way::Grouped(group))
    }

    /// Kept, answered with `{"queued": true}`, and left to the worker, which is woken: [`Engine::accept`]. A repetition
    /// is answered with `{"queued": false}`. Somebody has to [`run`](Worker::run) the worker.
    #[cfg(feature = "runtime")]
    pub fn queued(worker: Worker) -> Self {
        Self(Way::Queued(worker))
    }

    /// The engine that takes them.
    pub fn engine(&self) -> &Engine {
        match &self.0 {
            Way::Inline(engine) => engine,
            #[cfg(feature = "runtime")]
            Way::Grouped(group) => group.engine(),
            #[cfg(feature = "runtime")]
            Way::Queued(worker) => worker.engine(),
        }
    }

    /// The first half: refuses what the name of the provider and the headers alone condemn, before the body is read.
    ///
    /// # Errors
    /// As [`Engine::precheck`].
    pub fn precheck(&self, provider: &str, headers: &HeaderMap) -> Result<Prechecked<'_>, Refusal> {
        let unknown = |_| Refusal::UnknownProvider { provider: provider.to_owned() };
        let provider = ProviderName::new(provider).map_err(unknown)?;
        let headers: Headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        self.engine().precheck(&provider, &headers)?;
        Ok(Prechecked { intake: self, provider, headers })
    }
}

/// A delivery whose body is still to be read. Nothing of it is believed yet.
#[derive(Clone)]
pub struct Prechecked<'i> {
    intake: &'i Intake,
    provider: ProviderName,
    headers: Headers,
}

impl Prechecked<'_> {
    /// How many bytes of the body are taken: [`Limits::body_bytes`](crate::delivery::Limits::body_bytes).
    pub fn body_limit(&self) -> usize {
        self.intake.engine().settings().limits.body_bytes
    }

    /// The second half: takes the delivery with its body, as it came, byte for byte. It came in now, by the clock of
    /// this machine.
    ///
    /// # Errors
    /// [`Failure`] with what to answer instead.
    pub async fn take(self, body: Vec<u8>) -> Result<Response, Failure> {
        let Self { intake, provider, headers } = self;
        let delivery = Delivery { provider, headers, body, received_at: clock::now() };
        let receipt = match &intake.0 {
            Way::Inline(engine) => engine.handle(delivery).await?,
            #[cfg(feature = "runtime")]
            Way::Grouped(group) => group.handle(delivery).await?,
            #[cfg(feature = "runtime")]
            Way::Queued(worker) => {
                let new = worker.engine().accept(delivery).await?;
                worker.nudge();
                return Ok(json(StatusCode::OK, serde_json::json!({ "queued": new }).to_string()));
            }
        };
        match (StatusCode::from_u16(receipt.http_status()), serde_json::to_string(&receipt)) {
            (Ok(status), Ok(text)) => Ok(json(status, text)),
            _ => Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the receipt can't be serialized")),
        }
    }
}

/// What is answered when something was not done: a status, a stable word, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    /// A failure of the server around, to be answered in the same shape.
    pub fn new(status: StatusCode, code: &'static str, message: impl ToString) -> Self {
        Self { status, code, message: message.to_string() }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable word.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The answer: `{"error": code, "message": text}`. 503 says to try again after a second.
    pub fn response(&self) -> Response {
        let text = serde_json::json!({ "error": self.code, "message": self.message }).to_string();
        let mut response = json(self.status, text);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, refusal.code(), refusal)
    }
}

/// Answers webhook deliveries. Requests with another method than POST are answered 405. A clone shares the intake.
#[derive(Clone)]
pub struct WebhookService {
    intake: Arc<Intake>,
    provider: Option<ProviderName>,
}

impl WebhookService {
    /// The last segment of a request's path names the provider, as it stands there: `/webhooks/stripe` for one.
    pub fn new(intake: Intake) -> Self {
        Self { intake: Arc::new(intake), provider: None }
    }

    /// Takes every request for this provider's, whatever its path is.
    #[must_use]
    pub fn with_provider(mut self, provider: ProviderName) -> Self {
        self.provider = Some(provider);
        self
    }

    async fn answer<B: Body>(self, request: Request<B>) -> Response {
        if request.method() != Method::POST {
            let message = "a delivery must be sent with POST";
            let mut response = Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).response();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        self.take(request).await.unwrap_or_else(|failure| failure.response())
    }

    async fn take<B: Body>(&self, request: Request<B>) -> Result<Response, Failure> {
        let (head, body) = request.into_parts();
        let provider = match &self.provider {
            Some(provider) => provider.as_str(),
            None => head.uri.path().rsplit('/').next().unwrap_or_default(),
        };
        let prechecked = self.intake.precheck(provider, &head.headers)?;
        let body = read(body, prechecked.body_limit()).await?;
        prechecked.take(body).await
    }
}

impl<B> Service<Request<B>> for WebhookService
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

/// How much memory a body gets because it is announced. More it gets as it comes.
const ANNOUNCED: usize = 16 << 10;

/// Reads a body of at most `limit` bytes. One that announces more is refused before it is read, another one where it
/// passes the limit.
async fn read<B: Body>(body: B, limit: usize) -> Result<Vec<u8>, Failure> {
    let within = |bytes: usize| if bytes > limit { Err(Refusal::BodyTooLarge { bytes, limit }) } else { Ok(()) };
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    within(announced)?;
    let mut bytes = Vec::with_capacity(announced.min(ANNOUNCED));
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let unread = |_| Failure::new(StatusCode::BAD_REQUEST, "body_unread", "the body could not be read completely");
        // What is no data is trailers, and nobody signs those.
        let Ok(data) = frame.map_err(unread)?.into_data() else { continue };
        within(bytes.len().saturating_add(bytes::Buf::remaining(&data)))?;
        bytes.put(data);
    }
    Ok(bytes)
}

fn json(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
