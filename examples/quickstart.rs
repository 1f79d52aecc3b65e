//! The library in sixty lines: signed deliveries in, receipts and access out. Run `cargo run --example quickstart`.
use std::sync::Arc;

use purchase::catalog::Catalog;
use purchase::engine::{Engine, Settings};
use purchase::id::{CustomerId, Mode, OfferId};
use purchase::sqlite::Sqlite;
use purchase::stripe::{ModePolicy, Stripe, StripeConfig, testing};
use purchase::time::Timestamp;
use purchase::verify::Secret;

const SECRET: &str = "whsec_quickstart";

macro_rules! body {
    ($file:literal) => {
        include_bytes!(concat!("../fixtures/stripe/late-update-does-not-revive/deliveries/", $file)).as_slice()
    };
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = Sqlite::open_in_memory().await?;
    let stripe = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), [SECRET])?)?;
    // Which offer a price sells. Without this, access goes by the price.
    let prices = [("price_1i6o5CZmx3orhw1aRDMn8TbR".to_owned(), OfferId::new("pro:monthly")?)].into();
    let settings = Settings { catalog: Catalog { prices }, ..Settings::default() };
    let engine = Engine::new(Arc::new(store)).with_provider(Arc::new(stripe)).with_settings(settings);
    let secret = Secret::new(SECRET)?;
    let now = Timestamp::parse_rfc3339("2025-12-19T17:47:00Z")?;
    let customer = CustomerId::new("user-yusuf-1020")?;

    let created = body!("001-customer.subscription.created.json");
    let updated = body!("002-customer.subscription.updated.json");
    let deleted = body!("003-customer.subscription.deleted.json");
    for (what, body) in [
        ("a subscription begins", created),
        ("the subscription is canceled", deleted),
        ("an older update arrives late", updated),
        ("the cancellation is delivered again", deleted),
    ] {
        let receipt = engine.handle(testing::delivery([&secret], body, now)).await?;
        let changes: Vec<_> = receipt.transitions.iter().map(|it| format!("{:?}", it.change)).collect();
        println!("{what}: {}", receipt.event_type);
        println!("    {:?}, {} facts, duplicate: {}", receipt.status, receipt.facts, receipt.duplicate);
        println!("    transitions: {changes:?}");
        let snapshot = engine.customer(&customer, now).await?;
        for (benefit, entitlement) in snapshot.into_iter().flat_map(|snapshot| snapshot.entitlements) {
            println!("    {customer} may use {benefit}: {}", entitlement.access);
        }
    }
    Ok(())
}
