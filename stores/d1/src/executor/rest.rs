//! Runs a batch over HTTP: one request, which D1 runs as one transaction. A lost read is retried. A lost write is
//! reported as unknown.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use purchase_core::error::{Cause, StoreError};
use purchase_sql::{BatchKind, Dialect, ExecuteError, Executor, Row, SQLITE, SqlStore, Statement, TablePrefix};
use serde::Serialize;

use crate::{
    D1Store, Place, Token,
    error::of,
    executor::{answer::rows, fits, text, values},
};

/// The maximum number of attempts of a read.
const ASKED: u32 = 4;
/// The wait before the first retry. Each further wait is twice as long.
const WAIT: Duration = Duration::from_millis(100);
/// If the server asks for a longer wait than this, it counts as busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an idle connection may be reused. A bare workerd closes an idle connection after five seconds. A write sent
/// while the connection closes is lost, and its outcome is unknown.
const IDLE: Duration = Duration::from_secs(3);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The options of a store over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The address of the API, without its path: Cloudflare's, or that of a Worker that answers the same requests.
    /// Unless it is on this machine it must begin with `https:`, because requests contain the token.
    pub base: String,
    /// The prefix of every table's name.
    pub prefix: TablePrefix,
    /// The maximum size of an answer in bytes. Claimed events include their bodies.
    pub response_bytes: usize,
    /// The maximum duration of one request. A lost read is retried, up to four requests altogether.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            base: "https://api.cloudflare.com".to_owned(),
            prefix: TablePrefix::default(),
            response_bytes: 64 << 20,
            timeout: Duration::from_secs(30),
        }
    }
}

/// Opens stores on D1 over HTTP.
#[derive(Debug, Clone, Copy)]
pub struct D1;

impl D1 {
    /// Opens a database that has been migrated: `d1:ACCOUNT/DATABASE`, both by id.
    ///
    /// # Errors
    /// [`StoreError::SchemaMissing`], [`StoreError::SchemaOlder`] or [`StoreError::SchemaNewer`] when the tables have
    /// another version than this library; [`StoreError::Unavailable`] when the database can't be reached, or refuses
    /// the token.
    pub async fn open(place: &str, token: Token, options: Options) -> Result<D1Store, StoreError> {
        let store = Self::connect(place, token, options)?;
        store.check_schema().await?;
        Ok(store)
    }

    /// Creates a store without sending anything to its database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the place or the address is invalid.
    pub fn connect(place: &str, token: Token, options: Options) -> Result<D1Store, StoreError> {
        let place = place.parse().map_err(|error: crate::PlaceError| unusable(error.into()))?;
        let prefix = options.prefix.clone();
        Ok(SqlStore::new(RestExecutor::new(&place, token, options)?, prefix))
    }
}

/// An [`Executor`] on one D1 database over HTTP.
#[derive(Clone)]
pub struct RestExecutor {
    /// The client follows no redirect, because the redirect's target would receive the token.
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    place: Arc<str>,
    response_bytes: usize,
    timeout: Duration,
    token: Token,
    url: Uri,
}

impl RestExecutor {
    /// Prepares everything for requests. Sends nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the address is invalid, or this machine has no trusted certificates.
    pub fn new(place: &Place, token: Token, options: Options) -> Result<Self, StoreError> {
        let base = options.base.trim_end_matches('/');
        let url: Uri = format!("{base}{}", place.path()).parse().map_err(|_| unusable(Address::Form.into()))?;
        let authority = url.authority().ok_or_else(|| unusable(Address::Form.into()))?;
        if authority.as_str().contains('@') {
            return Err(unusable(Address::User.into()));
        }
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if is_this_machine(authority.host()) => {}
            _ => return Err(unusable(Address::Clear.into())),
        }
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT.min(options.timeout)));
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| unusable(Address::Nobody { cause: error.into() }.into()))?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(tls.https_or_http().enable_http1().wrap_connector(tcp));
        let Options { response_bytes, timeout, .. } = options;
        Ok(Self { client, place: place.to_string().into(), response_bytes, timeout, token, url })
    }

    /// Sends one request. The error is "unknown" if the server may have read the request, even if the request only
    /// reads.
    async fn exchange(&self, body: Bytes, statements: usize) -> Result<Vec<Vec<Row>>, Fault> {
        let mut bearer = header::HeaderValue::try_from(format!("Bearer {}", self.token.expose()))
            .map_err(|error| Fault::last(ExecuteError::Other { cause: error.into() }))?;
        bearer.set_sensitive(true);
        let request = Request::post(self.url.clone())
            .header(header::AUTHORIZATION, bearer)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Fault::last(ExecuteError::Other { cause: error.into() }))?;
        let answer = self.client.request(request).await.map_err(Fault::of_transport)?;
        let status = answer.status();
        let wait = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let limited = Limited::new(answer.into_body(), self.response_bytes);
        let bytes = limited.collect().await.map_err(|error| self.fault_of_body(error))?.to_bytes();
        rows(status, &bytes, statements, &self.place, self.token.expose()).map_err(|error| Fault {
            again: matches!(error, ExecuteError::Busy { .. } | ExecuteError::Unknown { .. }),
            error,
            wait: wait.map(Duration::from_secs),
        })
    }

    async fn in_time(&self, body: Bytes, statements: usize) -> Result<Vec<Vec<Row>>, Fault> {
        let seconds = self.timeout.as_secs_f64();
        let late = || Fault::again(ExecuteError::Unknown { cause: Exchange::Late { seconds }.into() });
        let exchange = self.exchange(body, statements);
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or_else(|_| Err(late()))
    }

    /// The error for an answer that ended early, or that was too long.
    fn fault_of_body(&self, error: Cause) -> Fault {
        match error.is::<LengthLimitError>() {
            true => {
                let cause = Exchange::TooLong { limit: self.response_bytes }.into();
                Fault::last(ExecuteError::Unknown { cause })
            }
            false => Fault::again(ExecuteError::Unknown { cause: error }),
        }
    }
}

/// Shows the database of the token, but not the token.
impl fmt::Debug for RestExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestExecutor").field("place", &self.place).field("token", &self.token).finish_non_exhaustive()
    }
}

#[async_trait]
impl Executor for RestExecutor {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        // D1 rejects an empty batch.
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        fits(statements)?;
        let body = encode(statements)?;
        let mut asked = 0;
        loop {
            asked += 1;
            let fault = match self.in_time(body.clone(), statements.len()).await {
                Ok(rows) => return Ok(rows),
                Err(fault) => fault,
            };
            // Wait at least as long as the server asks, plus a random time, so that clients don't retry all at once.
            let doubled = WAIT * 2_u32.pow(asked - 1);
            let wait = fault.wait.unwrap_or(doubled) + doubled.mul_f64(rand::random::<f64>());
            if access != BatchKind::Read || !fault.again || asked == ASKED || wait > PATIENCE {
                return Err(of(access, fault.error));
            }
            tracing::debug!(asked, "a read failed or was delayed; trying again");
            tokio::time::sleep(wait).await;
        }
    }

    fn dialect(&self) -> &Dialect {
        &SQLITE
    }
}

/// Why a request returned no rows.
struct Fault {
    error: ExecuteError,
    /// Whether a retry of the request may succeed.
    again: bool,
    /// The wait that the server asks for.
    wait: Option<Duration>,
}

impl Fault {
    fn again(error: ExecuteError) -> Self {
        Self { error, again: true, wait: None }
    }

    fn last(error: ExecuteError) -> Self {
        Self { error, again: false, wait: None }
    }

    /// The error for a request without an answer. If no connection was made, the request was not sent.
    fn of_transport(error: hyper_util::client::legacy::Error) -> Self {
        match error.is_connect() {
            true => Self::again(ExecuteError::Other { cause: Exchange::Unreachable { cause: error.into() }.into() }),
            false => Self::again(ExecuteError::Unknown { cause: error.into() }),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Exchange {
    #[error("no answer within {seconds} s")]
    Late { seconds: f64 },
    #[error("the answer is longer than {limit} bytes; request fewer events at once, or raise response_bytes")]
    TooLong { limit: usize },
    #[error("the API can't be reached, so nothing was sent; check its address and this machine's network")]
    Unreachable {
        #[source]
        cause: Cause,
    },
}

#[derive(Debug, thiserror::Error)]
enum Address {
    #[error("the API's address must begin with https: unless it is local, because requests contain the token")]
    Clear,
    #[error("the API's address is not a URL like https://api.cloudflare.com")]
    Form,
    #[error("this machine has no root certificates, so no server can be verified; install them")]
    Nobody {
        #[source]
        cause: Cause,
    },
    #[error("the API's address must not contain a user or a password; the token is passed separately")]
    User,
}

/// The request body of D1's API.
#[derive(Serialize)]
struct Batch<'a> {
    batch: Vec<Query<'a>>,
}

#[derive(Serialize)]
struct Query<'a> {
    sql: &'a str,
    params: Vec<Option<&'a str>>,
}

fn encode(statements: &[Statement]) -> Result<Bytes, ExecuteError> {
    let query = |it| Query { sql: text(it), params: values(&it.params).collect() };
    let batch = Batch { batch: statements.iter().map(query).collect() };
    let encoded = serde_json::to_vec(&batch).map_err(|error| ExecuteError::Refused { cause: error.into() })?;
    Ok(encoded.into())
}

fn unusable(cause: Cause) -> StoreError {
    StoreError::Unavailable { operation: "find the D1 database", cause }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
