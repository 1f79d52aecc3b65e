//! Decides which routes there are and what they answer.

use std::{sync::Arc, time::SystemTime};

use anyhow::Context;
use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::StatusCode,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use purchase::{
    engine::{Engine, ProjectionQuery},
    error::Chain,
    group::GroupCommit,
    id::CustomerId,
    time::Timestamp,
    tower::Intake,
    worker::Worker,
};
use tokio::time::timeout;

use super::{
    Bounds, ReadToken,
    answers::Failure,
    bodies::{Budget, HeldBody},
    reads,
    slots::{Slot, Stage},
};

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(super) bounds: Bounds,
    budget: Budget,
    engine: Engine,
    intake: Intake,
    pub(super) read_token: Option<ReadToken>,
    pub(super) way: Way,
}

/// How a delivery is taken.
#[derive(Clone)]
pub(crate) enum Way {
    /// The whole way before it is acknowledged, with those that come at the same time.
    Grouped(GroupCommit),
    /// Kept, acknowledged, and left to the worker.
    Queued(Worker),
}

impl Endpoint {
    /// An endpoint of an engine.
    pub(crate) fn new(engine: Engine, way: Way, read_token: Option<ReadToken>, bounds: Bounds) -> Self {
        let intake = match way.clone() {
            Way::Grouped(group) => Intake::grouped(group),
            Way::Queued(worker) => Intake::queued(worker),
        };
        Self { bounds, budget: Budget::new(bounds.body_budget_bytes), engine, intake, read_token, way }
    }
}

pub(super) fn router(endpoint: Endpoint) -> Router {
    let reads = Router::new()
        .route("/projection", get(projection))
        .route("/customers/{id}", get(customer))
        .route_layer(from_fn_with_state(endpoint.clone(), reads::require_token));
    Router::new()
        .route("/webhooks/{provider}", post(webhook))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .merge(reads)
        .with_state(endpoint)
}

async fn webhook(
    State(endpoint): State<Endpoint>,
    Path(provider): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let prechecked = endpoint.intake.precheck(&provider, request.headers())?;
    // The part of the budget is given back when the delivery is answered.
    let HeldBody { bytes: body, reserved: _reserved } = read(&endpoint, request, prechecked.body_limit()).await?;
    Ok(prechecked.take(body).await?.into_response())
}

/// Bodies are read under the budget and the time-out of this server, and not by the library's own service.
async fn read(endpoint: &Endpoint, request: Request, limit: usize) -> Result<HeldBody, Failure> {
    let slot = request.extensions().get::<Arc<Slot>>().cloned();
    let reading = endpoint.budget.read(request.into_body(), limit);
    if let Some(slot) = &slot {
        slot.set(Stage::Reading);
    }
    let body = timeout(endpoint.bounds.body, reading).await;
    if let Some(slot) = &slot {
        slot.set(Stage::Working);
    }
    body.map_err(|_| Failure::new(StatusCode::REQUEST_TIMEOUT, "body_timed_out", "the body did not arrive in time"))?
}

async fn ready(State(Endpoint { bounds, engine, .. }): State<Endpoint>) -> Result<&'static str, Failure> {
    match timeout(bounds.ready, engine.ready()).await {
        Ok(Ok(())) => Ok("ready"),
        Ok(Err(fault)) => {
            tracing::warn!(code = fault.code(), cause = %Chain(&fault), "the store is not ready");
            Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, fault.code(), fault))
        }
        Err(_) => {
            tracing::warn!("the store is not ready: it does not answer in time");
            Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "store_timed_out", "the store does not answer in time"))
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
        true => Err(Failure::new(StatusCode::NOT_FOUND, "unknown_customer", "this customer is unknown")),
        false => Ok(Json(snapshots).into_response()),
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
        Some((_, text)) => {
            Timestamp::parse_rfc3339(text).map_err(|fault| Failure::new(StatusCode::BAD_REQUEST, "as_of", fault))
        }
        None => Ok(now()?),
    }
}
