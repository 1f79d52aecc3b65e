//! The library in sixty lines: signed deliveries in, receipts and access out. Run `cargo run --example quickstart`.
use std::sync::Arc;

use purchase::delivery::Delivery;
use purchase::engine::Engine;
use purchase::id::{CustomerId, Mode, ProviderName};
use purchase::sqlite::Sqlite;
use purchase::stripe::{ModePolicy, Stripe, StripeConfig};
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
    let engine = Engine::new(Arc::new(store)).with_provider(Arc::new(stripe));
    let now = Timestamp::parse_rfc3339("2025-12-19T17:47:00Z")?;
    let customer = CustomerId::new("user-yusuf-1020")?;

    let created = body!("001-customer.subscription.created.json");
    let updated = body!("002-customer.subscription.updated.json");
    let deleted = body!("003-customer.subscription.deleted.json");
    for (what, body) in [
        ("a subscription begins", created),
        ("it is canceled", deleted),
        ("an older update comes late", updated),
        ("the cancellation comes again", deleted),
    ] {
        let receipt = engine.handle(delivery(body, now)?).await?;
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

/// A request, signed as Stripe signs: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`.
fn delivery(body: &[u8], now: Timestamp) -> anyhow::Result<Delivery> {
    let time = now.seconds().to_string();
    let mac = hex::encode(Secret::new(SECRET)?.sign(&[time.as_bytes(), b".", body]));
    let headers = [("Stripe-Signature", format!("t={time},v1={mac}"))].into_iter().collect();
    Ok(Delivery { provider: ProviderName::new("stripe")?, headers, body: body.to_vec(), received_at: now })
}
