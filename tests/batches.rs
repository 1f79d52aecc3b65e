//! How often a delivery goes to the database: every batch is one transaction, and on PostgreSQL one round trip.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use purchase::{
    delivery::Delivery,
    engine::Engine,
    id::ProviderName,
    postgres::{Options, PostgresExecutor, SchemaName},
    sqlite::SqliteExecutor,
    stripe::{ModePolicy, Stripe, StripeConfig},
    time::Timestamp,
    verify::Secret,
};
use purchase_sql::{Access, Dialect, ExecuteError, Executor, Row, SqlStore, Statement, TablePrefix};

const SECRET: &str = "whsec_batches";
const RECEIVED: i64 = 1_767_225_600;
/// The server, as the store's own tests find it.
const SERVER: &str = "PURCHASE_TEST_POSTGRES_URL";

/// Counts the batches.
struct Counted<E> {
    inner: E,
    batches: Arc<AtomicUsize>,
}

#[async_trait]
impl<E: Executor> Executor for Counted<E> {
    async fn batch(&self, access: Access, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        self.inner.batch(access, statements).await
    }

    fn dialect(&self) -> &Dialect {
        self.inner.dialect()
    }
}

/// An event about an invoice of a customer of its own.
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
    let batches = Arc::new(AtomicUsize::new(0));
    let store = SqlStore::new(Counted { inner, batches: Arc::clone(&batches) }, TablePrefix::default());
    store.migrate().await?;
    let taken = || batches.swap(0, Ordering::SeqCst);
    let stripe = Stripe::new(StripeConfig::new(ModePolicy::Both, [SECRET])?)?;
    let engine = Engine::new(Arc::new(store)).with_provider(Arc::new(stripe));
    taken();

    let receipt = engine.handle(delivery("one")?).await?;
    assert_eq!((receipt.duplicate, receipt.status.as_str()), (false, "processed"));
    let new = taken();
    assert!((2..=3).contains(&new), "a new delivery takes {new} batches, not one to read and one or two to write");

    assert!(engine.handle(delivery("one")?).await?.duplicate);
    assert_eq!(taken(), 1, "a duplicate is looked at once");

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
    let Ok(url) = std::env::var(SERVER) else {
        eprintln!("SKIPPED: {SERVER} is not set; `cargo xtask services up` starts a server and says its value");
        return Ok(());
    };
    let schema = SchemaName::new(format!("batches_{:016x}", rand::random::<u64>()))?;
    let options = Options { schema: Some(schema), ..Options::default() };
    let executor = PostgresExecutor::connect(&url, options).await?;
    executor.prepare().await?;
    check(executor).await
}
