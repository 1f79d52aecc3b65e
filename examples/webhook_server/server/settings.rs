//! Decides what the server is configured with: every variable, its default, and what is refused at the start.

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use purchase::{
    catalog::Catalog,
    delivery::Limits,
    engine::{self, Engine},
    id::Mode,
    paddle::{CustomData, Paddle, PaddleConfig, Simulated},
    provider::Provider,
    store::Store,
    stripe::{ModePolicy, Stripe, StripeConfig},
};

use super::{ReadToken, Variables};

/// What the server takes at most, and how long it waits for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How long a client may take for the head of a request; also how long a connection may be idle between two.
    pub(crate) header: Duration,
    /// How long a client may take for a body.
    pub(crate) body: Duration,
    /// How long a request may take from the end of its head to its answer, and then once more until the client has taken
    /// the answer.
    pub(crate) request: Duration,
    /// How long `GET /readyz` waits for the store.
    pub(crate) ready: Duration,
    /// How long requests in flight are waited for at the end.
    pub(crate) shutdown: Duration,
    /// How many connections are open at most.
    pub(crate) connections: usize,
    /// How many bytes of bodies that are not answered are held at most, not counting the first
    /// 16 KiB of each.
    pub(crate) body_budget_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            body: Duration::from_secs(15),
            request: Duration::from_secs(30),
            ready: Duration::from_secs(2),
            shutdown: Duration::from_secs(20),
            connections: 512,
            body_budget_bytes: 32 << 20,
        }
    }
}

/// What the server is configured with.
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    pub(crate) bounds: Bounds,
    pub(crate) catalog: Catalog,
    /// It may hold a password.
    pub(crate) database_url: String,
    pub(crate) providers: Vec<Arc<dyn Provider>>,
    /// Without one, nothing can be read.
    pub(crate) read_token: Option<ReadToken>,
}

impl Settings {
    /// Reads every variable.
    ///
    /// # Errors
    /// The first one that is missing or unusable.
    pub(crate) fn read(variables: &Variables<'_>) -> anyhow::Result<Self> {
        let providers: Vec<_> = [stripe(variables)?, paddle(variables)?].into_iter().flatten().collect();
        if providers.is_empty() {
            bail!(
                "set STRIPE_WEBHOOK_SECRET or PADDLE_WEBHOOK_SECRET to an endpoint's signing secrets, comma-separated"
            );
        }
        let address = variables.text("ADDR")?.unwrap_or("127.0.0.1:8080".to_owned());
        let catalog =
            variables.text("CATALOG")?.map(|path| catalog(Path::new(&path))).transpose().context("CATALOG")?;
        let read_token = variables.text("READ_TOKEN")?.map(ReadToken::new).transpose().context("READ_TOKEN")?;
        Ok(Self {
            address: address.parse().ok().context("ADDR must be an IP address with a port, such as 127.0.0.1:8080")?,
            bounds: bounds(variables)?,
            catalog: catalog.unwrap_or_default(),
            database_url: variables.text("DATABASE_URL")?.unwrap_or("sqlite://purchase.sqlite".to_owned()),
            providers,
            read_token,
        })
    }

    /// An engine over a store, with the adapters and the catalogue.
    pub(crate) fn engine(&self, store: Arc<dyn Store>) -> Engine {
        let settings = engine::Settings { catalog: self.catalog.clone(), ..engine::Settings::default() };
        self.providers.iter().cloned().fold(Engine::new(store), Engine::with_provider).with_settings(settings)
    }
}

fn bounds(variables: &Variables<'_>) -> anyhow::Result<Bounds> {
    let default = Bounds::default();
    // Below one body's limit, the largest delivery could never be taken.
    let least = u32::try_from(Limits::default().body_bytes)?;
    let budget = variables.number("BODY_BUDGET_BYTES", least..=1 << 30)?;
    let connections = variables.number("MAX_CONNECTIONS", 1..=65_536)?;
    Ok(Bounds {
        header: variables.seconds("HEADER_TIMEOUT_SECONDS", default.header)?,
        body: variables.seconds("BODY_TIMEOUT_SECONDS", default.body)?,
        request: variables.seconds("REQUEST_TIMEOUT_SECONDS", default.request)?,
        ready: variables.seconds("READY_TIMEOUT_SECONDS", default.ready)?,
        shutdown: variables.seconds("SHUTDOWN_TIMEOUT_SECONDS", default.shutdown)?,
        connections: connections.map_or(Ok(default.connections), usize::try_from)?,
        body_budget_bytes: budget.map_or(Ok(default.body_budget_bytes), usize::try_from)?,
    })
}

fn stripe(variables: &Variables<'_>) -> anyhow::Result<Option<Arc<dyn Provider>>> {
    const SECRET: &str = "STRIPE_WEBHOOK_SECRET";
    let Some(secrets) = variables.text(SECRET)? else { return Ok(None) };
    let modes =
        [("live", ModePolicy::Only(Mode::Live)), ("test", ModePolicy::Only(Mode::Test)), ("both", ModePolicy::Both)];
    let mode = variables.must_choose("STRIPE_MODE", &modes, SECRET)?;
    let mut config = StripeConfig::new(mode, secrets.split(',')).context(SECRET)?;
    if let Some(seconds) = variables.number("STRIPE_TOLERANCE_SECONDS", 0..=u32::MAX)? {
        config.tolerance_seconds = Some(seconds);
    }
    Ok(Some(Arc::new(Stripe::new(config).context("could not configure Stripe")?)))
}

fn paddle(variables: &Variables<'_>) -> anyhow::Result<Option<Arc<dyn Provider>>> {
    const SECRET: &str = "PADDLE_WEBHOOK_SECRET";
    let Some(secrets) = variables.text(SECRET)? else { return Ok(None) };
    let modes = [("live", Mode::Live), ("test", Mode::Test)];
    let mode = variables.must_choose("PADDLE_MODE", &modes, SECRET)?;
    let mut config = PaddleConfig::new(mode, secrets.split(',')).context(SECRET)?;
    if let Some(seconds) = variables.number("PADDLE_TOLERANCE_SECONDS", 0..=u32::MAX)? {
        config.tolerance_seconds = Some(seconds);
    }
    let simulated = [("refuse", Simulated::Refuse), ("mark", Simulated::Mark)];
    config.simulated = variables.choice("PADDLE_SIMULATED", &simulated)?.unwrap_or(Simulated::Refuse);
    let custom_data = [("customers", CustomData::Customers), ("everywhere", CustomData::Everywhere)];
    config.custom_data = variables.choice("PADDLE_CUSTOM_DATA", &custom_data)?.unwrap_or(CustomData::Customers);
    Ok(Some(Arc::new(Paddle::new(config).context("could not configure Paddle")?)))
}

/// Reads a catalogue: TOML with one table, `[prices]`, of the provider's price id = offer id.
fn catalog(path: &Path) -> anyhow::Result<Catalog> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    toml::from_str(&text).map_err(|fault| {
        let begin = fault.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(begin).filter(|byte| *byte == b'\n').count();
        anyhow::anyhow!("{}:{line}: {}", path.display(), fault.message())
    })
}
