//! Decides how tests access the Worker and its database: the routes as callers do, and the database directly, by its
//! REST API.

use std::{
    env,
    sync::Arc,
    time::{Duration, SystemTime},
};

use purchase::{
    d1::{D1, D1Store, Options, Token},
    engine::{Engine, ProjectionQuery, Settings},
    error::{Cause, StoreError},
    store::{EventQuery, Store},
    time::Timestamp,
};
use purchase_conformance::{Signed, scenario::Scenario};
use purchase_sql::Tampering;
use reqwest::{Client, Url};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Mutex, MutexGuard, OnceCell},
    time::timeout,
};

/// The range of statuses for a refusal, which is the sender's fault.
pub(crate) const REFUSED: std::ops::Range<u16> = 400..500;

/// Set if a Worker is running with its database. The value is the secret for signing deliveries to it.
const SECRET: &str = "PURCHASE_TEST_WORKER_SECRET";

/// The Worker has one database, so tests run one at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// The Worker's answers about wrong schemas, before it has found the right one.
static SAID_OF_SCHEMAS: OnceCell<Vec<Said>> = OnceCell::const_new();

/// The longest time for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The fault, the route, and the status and error code of the answer.
pub(crate) type Said = (&'static str, &'static str, u16, String);

/// A running Worker.
pub(crate) struct Endpoint {
    client: Client,
    base: Url,
    token: String,
    /// The secret for signing deliveries.
    pub(crate) secret: String,
    database: Arc<D1Store>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Endpoint {
    /// Waits for the other tests. The first caller lets the Worker create its tables. `None` if no Worker was started.
    pub(crate) async fn take() -> Result<Option<Self>, Cause> {
        let Ok(secret) = env::var(SECRET) else {
            eprintln!("SKIPPED: {SECRET} is not set; `cargo xtask worker test` starts a Worker and sets it");
            return Ok(None);
        };
        let turn = TURN.lock().await;
        let variable =
            |name: &str| env::var(name).map_err(|_| format!("{name} is not set; run `cargo xtask worker test`"));
        let token = variable("PURCHASE_TEST_D1_TOKEN")?;
        let base = variable("PURCHASE_TEST_D1_URL")?;
        let databases = variable("PURCHASE_TEST_D1_DATABASES")?;
        // A bare workerd closes a connection without notice if it didn't read the request to its end.
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).build()?;
        // The first database is the Worker's.
        let place = format!("d1:tests/{}", databases.split(',').next().unwrap_or_default());
        let options = Options { base: base.clone(), ..Options::default() };
        let database = Arc::new(D1::connect(&place, Token::new(token.as_str())?, options)?);
        let endpoint = Self { client, base: Url::parse(&base)?, token, secret, database, _turn: Some(turn) };
        SAID_OF_SCHEMAS.get_or_try_init(|| endpoint.first()).await?;
        Ok(Some(endpoint))
    }

    /// The Worker's answers about wrong schemas.
    pub(crate) fn said_of_schemas() -> &'static [Said] {
        SAID_OF_SCHEMAS.get().map_or(&[], Vec::as_slice)
    }

    /// Gives a new Worker one wrong schema after the other, and finally the right one, which it creates itself.
    async fn first(&self) -> Result<Vec<Said>, Cause> {
        let found = self.database.check_schema().await;
        if !matches!(found, Err(StoreError::SchemaMissing { .. })) {
            return Err("the Worker must be new and its database empty; run `cargo xtask worker test`".into());
        }
        let mut said = Vec::new();
        self.ask("missing", &mut said).await?;
        let (status, answer) = self.migrate().await?;
        if status != 200 || answer != "migrated" {
            return Err(format!("the migration was answered {status}: {answer}").into());
        }
        self.database.tamper(Tampering::NewerSchema).await?;
        self.ask("newer", &mut said).await?;
        let (status, answer) = self.migrate().await?;
        said.push(("newer", "migrate", status, word(&serde_json::from_str(&answer)?)));
        for _ in 0..2 {
            self.database.tamper(Tampering::OlderSchema).await?;
        }
        self.ask("older", &mut said).await?;
        self.database.tamper(Tampering::NewerSchema).await?;
        Ok(said)
    }

    /// Sends a delivery without a valid signature, and asks about an unknown customer.
    async fn ask(&self, what: &'static str, said: &mut Vec<Said>) -> Result<(), Cause> {
        let (status, answer) = self.deliver("stripe", &Signed::default(), b"{}").await?;
        said.push((what, "webhooks", status, word(&answer)));
        let (status, answer) = self.customer("nobody", None).await?;
        said.push((what, "customers", status, word(&answer)));
        Ok(())
    }

    async fn migrate(&self) -> Result<(u16, String), Cause> {
        let answer = self.client.post(self.url(&["migrate"])?).bearer_auth(&self.token).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// The same endpoint with another token.
    pub(crate) fn as_caller(&self, token: &str) -> Self {
        let (client, base, secret) = (self.client.clone(), self.base.clone(), self.secret.clone());
        Self { client, base, token: token.to_owned(), secret, database: Arc::clone(&self.database), _turn: None }
    }

    /// Posts a delivery. Returns the status and the answer.
    pub(crate) async fn deliver(&self, provider: &str, signed: &Signed, body: &[u8]) -> Result<(u16, Value), Cause> {
        let mut request = self.client.post(self.url(&["webhooks", provider])?).body(body.to_vec());
        for (name, value) in &signed.0 {
            request = request.header(name.as_str(), value.as_slice());
        }
        answered(request).await
    }

    /// Posts a part of a delivery as it is on the wire: headers with their line ends, and a part of a body, in chunks
    /// if no header gives its length. The answer must arrive without any further bytes. Returns the status and the
    /// answer.
    pub(crate) async fn begin(&self, provider: &str, headers: &str, body: &[u8]) -> Result<(u16, Value), Cause> {
        let address = self.base.socket_addrs(|| None)?;
        let mut stream = TcpStream::connect(address.as_slice()).await?;
        let head = format!("POST /webhooks/{provider} HTTP/1.1\r\nhost: {}\r\n{headers}\r\n", self.base.authority());
        timeout(PATIENCE, async {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body).await?;
            let mut answer = Vec::new();
            loop {
                if stream.read_buf(&mut answer).await? == 0 {
                    return Err(format!("the answer is incomplete: {:?}", String::from_utf8_lossy(&answer)).into());
                }
                let text = String::from_utf8_lossy(&answer);
                let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
                let json = text.find('{').zip(text.rfind('}')).and_then(|(from, to)| text.get(from..=to));
                let json = json.and_then(|json| serde_json::from_str(json).ok());
                if let (Some(status), Some(json)) = (status, json) {
                    return Ok((status, json));
                }
            }
        })
        .await?
    }

    /// Reads variables like these. Returns the status and the answer.
    pub(crate) async fn configured(&self, variables: &Value) -> Result<(u16, Value), Cause> {
        answered(self.client.post(self.url(&["configured"])?).json(variables)).await
    }

    /// Replaces the database's schema.
    pub(crate) async fn tamper(&self, tampering: Tampering) -> Result<(), Cause> {
        Ok(self.database.tamper(tampering).await?)
    }

    /// Asks about a customer. Returns the status and the answer.
    pub(crate) async fn customer(&self, id: &str, as_of: Option<&str>) -> Result<(u16, Value), Cause> {
        let mut url = self.url(&["customers", id])?;
        if let Some(as_of) = as_of {
            url.query_pairs_mut().append_pair("as_of", as_of);
        }
        answered(self.client.get(url).bearer_auth(&self.token)).await
    }

    /// Empties the Worker's database.
    pub(crate) async fn empty(&self) -> Result<(), Cause> {
        self.tamper(Tampering::Empty).await
    }

    /// The content of the Worker's database, read directly, as a reader of the scenario sees it.
    pub(crate) async fn projection(&self, scenario: &Scenario) -> Result<Value, Cause> {
        let settings = Settings { catalog: scenario.catalog.clone(), ..Settings::default() };
        let query = ProjectionQuery { source: None, as_of: scenario.as_of };
        Ok(self.engine().with_settings(settings).projection(&query).await?.expose_canonical())
    }

    /// The number of events in the Worker's database.
    pub(crate) async fn events(&self) -> Result<usize, Cause> {
        Ok(self.engine().events(&EventQuery { limit: 100, ..EventQuery::default() }).await?.len())
    }

    fn engine(&self) -> Engine {
        Engine::new(Arc::clone(&self.database) as Arc<dyn Store>)
    }

    fn url(&self, segments: &[&str]) -> Result<Url, Cause> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| "the address can't have a path")?.clear().extend(segments);
        Ok(url)
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Result<(u16, Value), Cause> {
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// The error code of an answer.
fn word(answer: &Value) -> String {
    answer["error"].as_str().unwrap_or_default().to_owned()
}

/// The time for signing deliveries.
pub(crate) fn now() -> Result<Timestamp, Cause> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_micros(i64::try_from(since_1970.as_micros())?)?)
}
