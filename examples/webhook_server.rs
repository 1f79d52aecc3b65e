//! A webhook endpoint over a store of your choice: raw bytes and headers go into the library, its receipt or refusal comes back. All
//! that the library must not have is here: the clock, the environment, the network.
//!
//! ```text
//! STRIPE_WEBHOOK_SECRET=whsec_… cargo run --release --example webhook_server
//! ```
//!
//! `DATABASE_URL` names the store, `sqlite://purchase.sqlite` if nothing else; see [`purchase::open`].
//! It serves each provider whose signing secret is in the environment. Deliveries that come at once share a commit; with
//! `--queue` they are only kept before they are acknowledged, and a worker in the same process does the rest.

use std::{
    env,
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, bail};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use clap::Parser;
use purchase::{
    delivery::{Delivery, Limits},
    engine::{Engine, ProjectionQuery},
    error::{Chain, Refusal, StoreError},
    group::{GroupCommit, GroupSettings},
    id::{CustomerId, Mode, ProviderName},
    paddle::{CustomData, Paddle, PaddleConfig, Simulated},
    provider::Provider,
    stripe::{ModePolicy, Stripe, StripeConfig},
    time::Timestamp,
    worker::{Worker, WorkerSettings},
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tracing_subscriber::EnvFilter;

/// Receives webhooks.
#[derive(Parser)]
struct Args {
    /// How long, in milliseconds, a group of deliveries is held open for more; 0: what is there goes at once.
    #[arg(long, value_name = "MS", default_value_t = 2, conflicts_with = "queue")]
    group_wait_ms: u64,
    /// Queue mode: a delivery is acknowledged when it is kept, and a worker processes it afterwards.
    #[arg(long)]
    queue: bool,
}

/// What the routes share.
#[derive(Clone)]
struct Endpoint {
    engine: Engine,
    way: Way,
}

/// How a delivery is taken.
#[derive(Clone)]
enum Way {
    /// The whole way before it is acknowledged, with those that come at the same time.
    Grouped(GroupCommit),
    /// Kept, acknowledged, and left to the worker.
    Queued(Worker),
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let providers: Vec<Arc<dyn Provider>> = [stripe()?, paddle()?].into_iter().flatten().collect();
    if providers.is_empty() {
        bail!(
            "STRIPE_WEBHOOK_SECRET or PADDLE_WEBHOOK_SECRET is missing: an endpoint's signing secrets, with commas between"
        );
    }
    let url = variable("DATABASE_URL")?.unwrap_or("sqlite://purchase.sqlite".to_owned());
    let store = purchase::open::open(&url).await.context("DATABASE_URL")?;
    let engine = providers.into_iter().fold(Engine::new(store), Engine::with_provider);
    let way = match args.queue {
        true => Way::Queued(Worker::new(engine.clone(), WorkerSettings::default())),
        false => {
            let wait = Duration::from_millis(args.group_wait_ms);
            Way::Grouped(GroupCommit::new(engine.clone(), GroupSettings { wait, ..GroupSettings::default() }))
        }
    };
    // A little more than the library's own limit, so that it is the library that refuses what is over it.
    let body_bytes = Limits::default().body_bytes + (64 << 10);
    let app = Router::new()
        .route("/webhooks/{provider}", post(webhook))
        .route("/projection", get(projection))
        .route("/customers/{id}", get(customer))
        .route("/healthz", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(body_bytes))
        .with_state(Endpoint { engine, way: way.clone() });

    let address: SocketAddr = variable("ADDR")?.unwrap_or("127.0.0.1:8080".to_owned()).parse().context("ADDR")?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("could not listen on {address}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let shutdown = async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tracing::info!("shutting down: requests in flight are answered first");
    };
    let serving = axum::serve(listener, app).with_graceful_shutdown(shutdown);
    match way {
        Way::Grouped(group) => {
            serving.await?;
            group.close().await;
        }
        Way::Queued(worker) => {
            let (served, stop) = oneshot::channel::<()>();
            let working = tokio::spawn(async move { worker.run(async { drop(stop.await) }).await });
            serving.await?;
            drop(served);
            tracing::info!(report = ?working.await?, "the worker ended; what is left waits for the next one");
        }
    }
    Ok(())
}

async fn webhook(
    State(endpoint): State<Endpoint>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let provider = ProviderName::new(provider.as_str()).map_err(|_| Refusal::UnknownProvider { provider })?;
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let delivery = Delivery { provider, headers, body: body?.into(), received_at: now()? };
    match endpoint.way {
        Way::Grouped(group) => {
            let receipt = group.handle(delivery).await?;
            Ok((StatusCode::from_u16(receipt.http_status())?, Json(receipt)).into_response())
        }
        Way::Queued(worker) => {
            let new = endpoint.engine.accept(delivery).await?;
            worker.nudge();
            Ok((StatusCode::OK, Json(json!({ "queued": new }))).into_response())
        }
    }
}

async fn projection(
    State(Endpoint { engine, .. }): State<Endpoint>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<serde_json::Value>, Failure> {
    let query = ProjectionQuery { source: None, as_of: as_of(&query)? };
    Ok(Json(engine.projection(&query).await?.expose_canonical()))
}

async fn customer(
    State(Endpoint { engine, .. }): State<Endpoint>,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let as_of = as_of(&query)?;
    let snapshots = match CustomerId::new(id.as_str()) {
        Ok(id) => engine.customer(&id, as_of).await?,
        Err(_) => Vec::new(),
    };
    match snapshots.is_empty() {
        true => Err(Failure::new(404, "unknown_customer", "nobody has heard of this customer")),
        false => Ok(Json(snapshots).into_response()),
    }
}

/// What is answered when something could not be done: a status, a stable word, and a sentence for people.
struct Failure {
    status: u16,
    code: &'static str,
    message: String,
}

impl Failure {
    fn new(status: u16, code: &'static str, message: impl ToString) -> Self {
        Self { status, code, message: message.to_string() }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.http_status(), refusal.code(), refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(fault: StoreError) -> Self {
        tracing::warn!(code = fault.code(), cause = %Chain(&fault), "a read failed");
        Refusal::from(fault).into()
    }
}

impl From<BytesRejection> for Failure {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(413, "body_too_large", "the body is far over the limit; it was not read")
            }
            status => Self::new(status.as_u16(), "body_unread", rejection),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(fault: anyhow::Error) -> Self {
        Self::new(500, "internal", fault)
    }
}

impl From<axum::http::status::InvalidStatusCode> for Failure {
    fn from(fault: axum::http::status::InvalidStatusCode) -> Self {
        Self::new(500, "internal", fault)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(json!({ "error": self.code, "message": self.message }))).into_response()
    }
}

/// The wall clock.
fn now() -> anyhow::Result<Timestamp> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(Timestamp::from_micros(i64::try_from(since_1970.as_micros())?)?)
}

/// The reader's clock: `?as_of=` in RFC 3339, or now.
fn as_of(query: &[(String, String)]) -> Result<Timestamp, Failure> {
    match query.iter().find(|(name, _)| name == "as_of") {
        Some((_, text)) => Timestamp::parse_rfc3339(text).map_err(|fault| Failure::new(400, "as_of", fault)),
        None => Ok(now()?),
    }
}

fn stripe() -> anyhow::Result<Option<Arc<dyn Provider>>> {
    let Some(secrets) = variable("STRIPE_WEBHOOK_SECRET")? else { return Ok(None) };
    let mode = match variable("STRIPE_MODE")?.as_deref() {
        None => ModePolicy::Both,
        Some("live") => ModePolicy::Only(Mode::Live),
        Some("test") => ModePolicy::Only(Mode::Test),
        Some(_) => bail!("STRIPE_MODE is live, test, or not set"),
    };
    let mut config = StripeConfig::new(mode, secrets.split(',')).context("STRIPE_WEBHOOK_SECRET")?;
    if let Some(seconds) = variable("STRIPE_TOLERANCE_SECONDS")? {
        config.tolerance_seconds = Some(seconds.parse().context("STRIPE_TOLERANCE_SECONDS")?);
    }
    Ok(Some(Arc::new(Stripe::new(config).context("could not configure Stripe")?)))
}

fn paddle() -> anyhow::Result<Option<Arc<dyn Provider>>> {
    let Some(secrets) = variable("PADDLE_WEBHOOK_SECRET")? else { return Ok(None) };
    let mode = match variable("PADDLE_MODE")?.as_deref() {
        Some("live") => Mode::Live,
        None | Some("test") => Mode::Test,
        Some(_) => bail!("PADDLE_MODE is live or test"),
    };
    let mut config = PaddleConfig::new(mode, secrets.split(',')).context("PADDLE_WEBHOOK_SECRET")?;
    if let Some(seconds) = variable("PADDLE_TOLERANCE_SECONDS")? {
        config.tolerance_seconds = Some(seconds.parse().context("PADDLE_TOLERANCE_SECONDS")?);
    }
    config.simulated = match variable("PADDLE_SIMULATED")?.as_deref() {
        None | Some("refuse") => Simulated::Refuse,
        Some("mark") => Simulated::Mark,
        Some(_) => bail!("PADDLE_SIMULATED is refuse or mark"),
    };
    config.custom_data = match variable("PADDLE_CUSTOM_DATA")?.as_deref() {
        None | Some("customers") => CustomData::Customers,
        Some("everywhere") => CustomData::Everywhere,
        Some(_) => bail!("PADDLE_CUSTOM_DATA is customers or everywhere"),
    };
    Ok(Some(Arc::new(Paddle::new(config).context("could not configure Paddle")?)))
}

/// A variable of the environment; an empty one counts as not set.
fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => bail!("{name} is not UTF-8"),
    }
}
