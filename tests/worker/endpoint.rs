//! Decides how the Worker and its database are reached: the routes as its callers do, the database by its REST API, past
//! the Worker.

use std::{env, sync::Arc, time::SystemTime};

use purchase::{
    d1::{D1, D1Store, Options, Token},
    engine::{Engine, ProjectionQuery, Settings},
    error::Cause,
    store::{EventQuery, Store},
    time::Timestamp,
};
use purchase_conformance::{Signed, scenario::Scenario};
use purchase_sql::Tampering;
use reqwest::{Client, Url};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

/// How a refusal may be answered: by the sender's fault.
pub(crate) const REFUSED: std::ops::Range<u16> = 400..500;

/// Set where a Worker runs beside its database: what deliveries to it are signed with.
const SECRET: &str = "PURCHASE_TEST_WORKER_SECRET";

/// The Worker has one database, so tests take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// A Worker that runs.
pub(crate) struct Endpoint {
    client: Client,
    base: Url,
    token: String,
    /// What deliveries are signed with.
    pub(crate) secret: String,
    database: Arc<D1Store>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Endpoint {
    /// Waits for the others, and has the Worker make its tables. None where no Worker was started.
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
        let client = Client::builder().no_proxy().build()?;
        let parsed = Url::parse(&base)?;
        let answer = client.post(parsed.join("migrate")?).bearer_auth(&token).send().await?;
        let (status, said) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("migrating is answered {status}: {said}").into());
        }
        // The Worker's own is the first.
        let place = format!("d1:tests/{}", databases.split(',').next().unwrap_or_default());
        let options = Options { base, ..Options::default() };
        let database = Arc::new(D1::open(&place, Token::new(token.as_str())?, options).await?);
        Ok(Some(Self { client, base: parsed, token, secret, database, _turn: Some(turn) }))
    }

    /// The same, for somebody who bears another token.
    pub(crate) fn as_caller(&self, token: &str) -> Self {
        let (client, base, secret) = (self.client.clone(), self.base.clone(), self.secret.clone());
        Self { client, base, token: token.to_owned(), secret, database: Arc::clone(&self.database), _turn: None }
    }

    /// Posts a delivery: status and answer.
    pub(crate) async fn deliver(&self, provider: &str, signed: &Signed, body: &[u8]) -> Result<(u16, Value), Cause> {
        let mut request = self.client.post(self.url(&["webhooks", provider])?).body(body.to_vec());
        for (name, value) in &signed.0 {
            request = request.header(name.as_str(), value.as_slice());
        }
        answered(request).await
    }

    /// Asks about a customer: status and answer.
    pub(crate) async fn customer(&self, id: &str, as_of: Option<&str>) -> Result<(u16, Value), Cause> {
        let mut url = self.url(&["customers", id])?;
        if let Some(as_of) = as_of {
            url.query_pairs_mut().append_pair("as_of", as_of);
        }
        answered(self.client.get(url).bearer_auth(&self.token)).await
    }

    /// Takes everything out of the Worker's database.
    pub(crate) async fn empty(&self) -> Result<(), Cause> {
        Ok(self.database.tamper(Tampering::Empty).await?)
    }

    /// What is in the Worker's database, read past the Worker as a scenario's reader does.
    pub(crate) async fn projection(&self, scenario: &Scenario) -> Result<Value, Cause> {
        let settings = Settings { catalog: scenario.catalog.clone(), ..Settings::default() };
        let query = ProjectionQuery { source: None, as_of: scenario.as_of };
        Ok(self.engine().with_settings(settings).projection(&query).await?.expose_canonical())
    }

    /// How many events are in the Worker's database.
    pub(crate) async fn events(&self) -> Result<usize, Cause> {
        Ok(self.engine().events(&EventQuery { limit: 100, ..EventQuery::default() }).await?.len())
    }

    fn engine(&self) -> Engine {
        Engine::new(Arc::clone(&self.database) as Arc<dyn Store>)
    }

    fn url(&self, segments: &[&str]) -> Result<Url, Cause> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| "the address has no path")?.clear().extend(segments);
        Ok(url)
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Result<(u16, Value), Cause> {
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// The clock by which deliveries are signed.
pub(crate) fn now() -> Result<Timestamp, Cause> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_micros(i64::try_from(since_1970.as_micros())?)?)
}
