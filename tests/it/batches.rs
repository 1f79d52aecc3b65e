//! Checks how often a delivery accesses the database: every batch is one transaction, and on PostgreSQL one round trip.
//! Cloudflare's plans limit the statements of one request, so for D1 the statements are counted too.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{paddle_under_test, stripe_under_test};
use async_trait::async_trait;
use purchase::{
    delivery::Delivery,
    engine::{Engine, Settings},
    error::{Refusal, StoreError},
    id::ProviderName,
    postgres::{Options, PostgresExecutor, SchemaName},
    sqlite::SqliteExecutor,
    stripe::{ModePolicy, Stripe, StripeConfig},
    time::Timestamp,
    verify::Secret,
};
use purchase_conformance::{ProviderUnderTest, mutants::Mutation, rig::Rig, scenario::Scenario, under_test::memory};
use purchase_sql::{
    BatchKind, Dialect, ExecuteError, Executor, Row, SQLITE, SqlStore, Statement, TablePrefix, Tampering,
};

const SECRET: &str = "whsec_batches";
const RECEIVED: i64 = 1_767_225_600;
/// The variable with the server's URL, the same as in the store's own tests.
const SERVER: &str = "PURCHASE_TEST_POSTGRES_URL";

/// The statements that Cloudflare's free plan allows in one request:
/// <https://developers.cloudflare.com/d1/platform/limits/>.
const FREE_PLAN: usize = 50;
/// The figures in both README files about D1: the largest number of statements for half of the deliveries and for all
/// of them, and the largest number of batches.
const HALF: usize = 15;
const MOST: usize = 25;
const MOST_BATCHES: usize = 4;
/// The figure in the README files for an empty database.
const MIGRATION: usize = 91;

/// Counts of what was sent to a database.
#[derive(Debug, Default)]
struct Sent {
    batches: AtomicUsize,
    statements: AtomicUsize,
    /// The number of statements that a request may still send, if a plan limits them.
    left: Option<AtomicUsize>,
}

impl Sent {
    /// Batches and statements since the last call.
    fn take(&self) -> (usize, usize) {
        (self.batches.swap(0, Ordering::SeqCst), self.statements.swap(0, Ordering::SeqCst))
    }
}

/// Counts what is sent, and refuses to send more than a plan allows.
struct Counted<E> {
    inner: E,
    sent: Arc<Sent>,
}

#[async_trait]
impl<E: Executor> Executor for Counted<E> {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let count = statements.len();
        if let Some(left) = &self.sent.left {
            let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(count));
            taken.map_err(|_| ExecuteError::Unknown { cause: "too many queries for one request".into() })?;
        }
        self.sent.batches.fetch_add(1, Ordering::SeqCst);
        self.sent.statements.fetch_add(count, Ordering::SeqCst);
        self.inner.batch(access, statements).await
    }

    fn dialect(&self) -> &Dialect {
        self.inner.dialect()
    }
}

/// SQLite with D1's statements. They are the same, because both stores use one dialect.
async fn like_d1(sent: &Arc<Sent>) -> anyhow::Result<SqlStore<Counted<SqliteExecutor>>> {
    let inner = SqliteExecutor::connect("sqlite::memory:".as_ref(), purchase::sqlite::Options::default()).await?;
    assert_eq!(inner.dialect(), &SQLITE);
    Ok(SqlStore::new(Counted { inner, sent: Arc::clone(sent) }, TablePrefix::default()))
}

/// An event about an invoice of a customer that no other event names.
fn delivery(event: &str) -> anyhow::Result<Delivery> {
    let body = format!(
        r#"{{"id": "evt_{event}", "object": "event", "type": "invoice.finalized", "created": {created},
        "livemode": false, "api_version": "2026-03-25.dahlia", "data": {{"object": {{"id": "in_{event}",
        "object": "invoice", "created": {created}, "customer": "cus_{event}", "status": "open", "total": 900,
        "amount_paid": 0, "amount_due": 900, "currency": "eur", "livemode": false}}}}}}"#,
        created = RECEIVED - 1,
    );
    let mac = Secret::new(SECRET)?.sign(&[RECEIVED.to_string().as_bytes(), b".", body.as_bytes()]);
    Ok(Delivery {
        provider: ProviderName::new("stripe")?,
        headers: [("Stripe-Signature", format!("t={RECEIVED},v1={}", hex::encode(mac)))].into_iter().collect(),
        body: body.into_bytes(),
        received_at: Timestamp::from_seconds(RECEIVED)?,
    })
}

async fn check<E: Executor + 'static>(inner: E) -> anyhow::Result<()> {
    let sent = Arc::new(Sent::default());
    let store = Arc::new(SqlStore::new(Counted { inner, sent: Arc::clone(&sent) }, TablePrefix::default()));
    let taken = || sent.take().0;
    let stripe = Stripe::new(StripeConfig::new(ModePolicy::Both, [SECRET])?)?;
    let engine = Engine::new(Arc::clone(&store) as _).with_provider(Arc::new(stripe));
    let unready = engine.ready().await.map_err(|fault| fault.code());
    assert_eq!(unready, Err("store_schema_missing"), "without tables");
    store.migrate().await?;
    taken();

    engine.ready().await?;
    assert_eq!(taken(), 1, "a readiness check sends one batch");

    let receipt = engine.handle(delivery("one")?).await?;
    assert_eq!((receipt.duplicate, receipt.status.as_str()), (false, "processed"));
    let new = taken();
    assert!((2..=3).contains(&new), "a new delivery takes {new} batches; expected one to read and one or two to write");

    assert!(engine.handle(delivery("one")?).await?.duplicate);
    assert_eq!(taken(), 1, "a duplicate takes one batch");

    let many: Vec<Delivery> = (0..100).map(|number| delivery(&format!("many_{number}"))).collect::<Result<_, _>>()?;
    for answer in engine.handle_many(many).await? {
        assert!(!answer?.duplicate);
    }
    let many = taken();
    assert!((2..=8).contains(&many), "a hundred deliveries take {many} batches");
    Ok(())
}

#[tokio::test]
async fn a_delivery_takes_few_batches_of_sqlite() -> anyhow::Result<()> {
    let executor = SqliteExecutor::connect("sqlite::memory:".as_ref(), purchase::sqlite::Options::default()).await?;
    check(executor).await
}

#[tokio::test]
async fn a_delivery_takes_few_batches_of_postgres() -> anyhow::Result<()> {
    if purchase_conformance::lacks_server("postgres", SERVER) {
        return Ok(());
    }
    let url = std::env::var(SERVER)?;
    let schema = SchemaName::new(format!("batches_{:016x}", rand::random::<u64>()))?;
    let options = Options { schema: Some(schema), ..Options::default() };
    let executor = PostgresExecutor::connect(&url, options).await?;
    executor.prepare().await?;
    check(executor).await
}

/// Sends every delivery of every scenario separately, in the true order and in the reverse order, in which most
/// deliveries must wait for others.
#[tokio::test]
async fn a_delivery_takes_the_documented_number_of_d1_statements() -> anyhow::Result<()> {
    let sent = Arc::new(Sent::default());
    let store = Arc::new(like_d1(&sent).await?);
    store.migrate().await?;
    let (mut batches, mut statements) = (Vec::new(), Vec::new());
    for provider in [stripe_under_test::under_test(), paddle_under_test::under_test()] {
        for scenario in scenarios(&provider)? {
            let rig = Rig { provider, store: memory(), mutation: Mutation::None };
            let mut signed = rig.sign(&scenario).map_err(|broken| anyhow::anyhow!("{broken:?}"))?;
            let adapter = rig.adapter(&[&scenario.secret], None).map_err(|broken| anyhow::anyhow!("{broken:?}"))?;
            let settings = Settings { catalog: scenario.catalog.clone(), ..Settings::default() };
            let engine = Engine::new(Arc::clone(&store) as _).with_provider(adapter).with_settings(settings);
            for _ in 0..2 {
                store.tamper(Tampering::Empty).await?;
                sent.take();
                for delivery in &signed {
                    if let Err(Refusal::Store(fault)) = engine.handle(delivery.clone()).await {
                        return Err(fault.into());
                    }
                    let (its_batches, its_statements) = sent.take();
                    batches.push(its_batches);
                    statements.push(its_statements);
                }
                signed.reverse();
            }
        }
    }
    statements.sort_unstable();
    let count = statements.len();
    assert!(count > 1000, "{count} deliveries are too few for a measurement");
    assert_eq!(statements[count / 2], HALF, "the median number of statements of {count} deliveries");
    assert_eq!(statements.last(), Some(&MOST), "the largest number of statements of {count} deliveries");
    assert_eq!(batches.iter().max(), Some(&MOST_BATCHES), "the largest number of batches of {count} deliveries");
    Ok(())
}

fn scenarios(provider: &ProviderUnderTest) -> anyhow::Result<Vec<Scenario>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(provider.name);
    let entries = folder.read_dir()?.collect::<Result<Vec<_>, _>>()?;
    let folders = entries.iter().map(|entry| entry.path()).filter(|path| path.is_dir());
    folders.map(|folder| Ok(Scenario::load(&folder)?)).collect()
}

/// Migrates an empty database with requests of `allowed` statements each. Returns the number of requests.
async fn requests_to_migrate(allowed: usize) -> anyhow::Result<usize> {
    let sent = Arc::new(Sent { left: Some(AtomicUsize::new(0)), ..Sent::default() });
    let store = like_d1(&sent).await?;
    for request in 1..=5 {
        if let Some(left) = &sent.left {
            left.store(allowed, Ordering::SeqCst);
        }
        match store.migrate().await {
            Ok(()) => return Ok(request),
            Err(StoreError::Unavailable { .. }) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    anyhow::bail!("five requests of {allowed} statements don't create the tables")
}

/// If a plan ends a migration request early, only whole versions have been applied, so the next request continues.
#[tokio::test]
async fn the_tables_are_made_by_few_requests_of_a_free_plan() -> anyhow::Result<()> {
    let sent = Arc::new(Sent::default());
    like_d1(&sent).await?.migrate().await?;
    let (_, statements) = sent.take();
    assert_eq!(statements, MIGRATION, "statements that create the tables");
    assert_eq!(requests_to_migrate(FREE_PLAN).await?, statements.div_ceil(FREE_PLAN));
    assert_eq!(requests_to_migrate(MIGRATION - 1).await?, 2);
    assert_eq!(requests_to_migrate(MIGRATION - 10).await?, 2);
    Ok(())
}
