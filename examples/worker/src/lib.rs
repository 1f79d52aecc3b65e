//! A webhook endpoint as a Cloudflare Worker over its own D1 database.
//!
//! Decides how requests reach the library and how they are answered. The Worker provides what the library doesn't have:
//! the clock, the bindings, the network.

#[cfg(feature = "judge")]
mod judge;
mod setup;

use futures_util::TryStreamExt;
use percent_encoding::percent_decode_str;
use purchase::{
    delivery::{Delivery, Limits},
    error::{Chain, Refusal, StoreError},
    id::{CustomerId, ProviderName},
    time::Timestamp,
    verify::Secret,
};
use serde_json::json;
use worker::{Context, Date, Env, Headers, Method, Request, Response, Result, console_error, event};

use crate::setup::{engine, providers, store};

/// Handles every request.
#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _context: Context) -> Result<Response> {
    let answered = match answer(&mut request, &env).await {
        Ok(response) => Ok(response),
        Err(failure) => failure.response(),
    };
    answered.map(|response| response.with_headers(no_cache()))
}

async fn answer(request: &mut Request, env: &Env) -> std::result::Result<Response, Failure> {
    let path = request.path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (request.method(), segments.as_slice()) {
        (Method::Post, ["webhooks", provider]) => webhook(request, env, provider).await,
        (Method::Get, ["customers", id]) => customer(request, env, id).await,
        (Method::Post, ["migrate"]) => migrate(request, env).await,
        #[cfg(feature = "judge")]
        (Method::Post, ["batch", binding]) => Ok(judge::batch(request, env, binding).await?),
        #[cfg(feature = "judge")]
        (Method::Post, ["configured"]) => judge::configured(request).await,
        (Method::Get, ["healthz"]) => Ok(Response::ok("ok")?),
        _ => Err(Failure::new(404, "no_route", "there is no such route")),
    }
}

async fn webhook(request: &mut Request, env: &Env, provider: &str) -> std::result::Result<Response, Failure> {
    let received_at = now()?;
    let unknown = || Refusal::UnknownProvider { provider: provider.to_owned() };
    let provider = ProviderName::new(provider).map_err(|_| unknown())?;
    let providers = providers(env)?;
    // The library refuses unknown providers too, but only after the body has been read.
    if !providers.iter().any(|it| *it.name() == provider) {
        return Err(unknown().into());
    }
    let body = body(request, Limits::default().body_bytes).await?;
    let headers = request.headers().entries().collect();
    let engine = engine(env, providers).await?;
    let receipt = engine.handle(Delivery { provider, headers, body, received_at }).await?;
    Ok(Response::from_json(&receipt)?.with_status(receipt.http_status()))
}

/// The body, up to the limit. Bytes beyond the limit are not read, whether or not the length was announced.
async fn body(request: &mut Request, limit: usize) -> std::result::Result<Vec<u8>, Failure> {
    let said = request.headers().get("content-length")?.and_then(|length| length.parse().ok());
    if let Some(bytes) = said.filter(|bytes| *bytes > limit) {
        return Err(Refusal::BodyTooLarge { bytes, limit }.into());
    }
    let mut body = Vec::new();
    // A request without a body has no stream.
    if request.inner().body().is_none() {
        return Ok(body);
    }
    let mut stream = request.stream()?;
    while let Some(chunk) = stream.try_next().await? {
        body.extend(chunk);
        if body.len() > limit {
            let failure = Failure::from(Refusal::BodyTooLarge { bytes: body.len(), limit });
            // The body's size is unknown.
            let message = format!("the body has more than {limit} bytes, which is the limit");
            return Err(Failure { message, ..failure });
        }
    }
    Ok(body)
}

/// The customer's access now, or at the instant of `?as_of=`.
async fn customer(request: &Request, env: &Env, id: &str) -> std::result::Result<Response, Failure> {
    authorize(request, env)?;
    let unknown = || Failure::new(404, "unknown_customer", "this customer is unknown");
    let id = percent_decode_str(id).decode_utf8().map_err(|_| unknown())?;
    let id = CustomerId::new(id.as_ref()).map_err(|_| unknown())?;
    let as_of = match query(request, "as_of") {
        Some(text) => Timestamp::parse_rfc3339(&text).map_err(|fault| Failure::new(400, "as_of", fault))?,
        None => now()?,
    };
    let snapshots = engine(env, Vec::new()).await?.customer(&id, as_of).await?;
    match snapshots.is_empty() {
        true => Err(unknown()),
        false => Ok(Response::from_json(&snapshots)?),
    }
}

/// A parameter of the URL's query. The crate's own URL type would add 200 KB for internationalized host names.
fn query(request: &Request, name: &str) -> Option<String> {
    let address = request.inner().url();
    let (_, query) = address.split_once('?')?;
    let value = query.split('&').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

async fn migrate(request: &Request, env: &Env) -> std::result::Result<Response, Failure> {
    authorize(request, env)?;
    match store(env)?.migrate().await.map_err(Failure::from) {
        Ok(()) => Ok(Response::ok("migrated")?),
        // Each version is one transaction. The request may use up the plan's queries before the last version.
        Err(failure) if failure.status == 503 => {
            let message =
                format!("{}; repeat the request to continue, until the answer is \"migrated\"", failure.message);
            Err(Failure { message, ..failure })
        }
        Err(failure) => Err(failure),
    }
}

/// Requires the token of the binding `API_TOKEN`. Keyed hashes are compared, so that the duration reveals nothing about
/// the token.
fn authorize(request: &Request, env: &Env) -> std::result::Result<(), Failure> {
    let wrong = || Failure::new(401, "unauthorized", "the request's token is missing or wrong");
    let expected = setup::variable(env, "API_TOKEN")?
        .ok_or_else(|| Failure::new(503, "no_token", "the secret API_TOKEN is not set; set it to enable this route"))?;
    let given = request.headers().get("authorization")?;
    let given = given.as_deref().and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(wrong)?;
    let key = Secret::new(expected.as_str()).map_err(|fault| Failure::new(503, "no_token", fault))?;
    match key.sign(&[given.as_bytes()]) == key.sign(&[expected.as_bytes()]) {
        true => Ok(()),
        false => Err(wrong()),
    }
}

/// The Worker's clock, the only one. It doesn't advance while a request computes.
fn now() -> std::result::Result<Timestamp, Failure> {
    let micros = i64::try_from(Date::now().as_millis()).ok().and_then(|millis| millis.checked_mul(1000));
    let wrong = || Failure::new(500, "clock", "the clock returned an invalid time");
    Timestamp::from_micros(micros.ok_or_else(wrong)?).map_err(|_| wrong())
}

/// The answer to a request that failed: a status, a stable code, and a message for people.
pub(crate) struct Failure {
    status: u16,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(crate) fn new(status: u16, code: &'static str, message: impl ToString) -> Self {
        Self { status, code, message: message.to_string() }
    }

    fn response(self) -> Result<Response> {
        if self.status >= 500 {
            console_error!("{}: {}", self.code, self.message);
        }
        let response = Response::from_json(&json!({ "error": self.code, "message": self.message }))?;
        Ok(response.with_status(self.status))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.http_status(), refusal.code(), Chain(&refusal).to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(fault: StoreError) -> Self {
        Refusal::from(fault).into()
    }
}

impl From<worker::Error> for Failure {
    fn from(fault: worker::Error) -> Self {
        Self::new(500, "internal", fault)
    }
}

fn no_cache() -> Headers {
    [("cache-control", "no-store"), ("content-type", "application/json")].into_iter().collect()
}
