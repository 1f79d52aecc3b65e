//! An application's own test, offline: a buyer pays at a Stripe that lives in memory, cancels, and loses access when the
//! period ends. Run `cargo run --example offline`.
use std::sync::Arc;

use purchase::engine::Engine;
use purchase::id::{CustomerId, Mode, ProviderName};
use purchase::sqlite::Sqlite;
use purchase::stripe::{ModePolicy, Stripe, StripeConfig};
use purchase::time::Timestamp;
use purchase::transport::{HttpRequest, Method, Transport};
use purchase_emulator::world::{Local, Settings, Webhook, World};
use purchase_emulator_stripe::{Act, Stripe as EmulatedStripe, StripeSettings};
use serde_json::{Value, json};

const SECRET: &str = "whsec_offline";
const DAY: i64 = 24 * 3600;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let adapter = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), [SECRET])?)?;
    let engine = Engine::new(Arc::new(Sqlite::open_in_memory().await?)).with_provider(Arc::new(adapter));
    let start = Timestamp::parse_rfc3339("2026-10-05T08:00:00Z")?;
    let webhook = Some(Webhook { url: "http://localhost/webhooks/stripe".to_owned(), secret: SECRET.to_owned() });
    let emulated = EmulatedStripe::new(StripeSettings::default());
    let stripe = Local::new(World::new(emulated, Settings { seed: 7, start, webhook }));

    // What the application asks for.
    let pro = post(&stripe, "products", "name=Pro").await?;
    let price = format!("product={}&currency=eur&unit_amount=900&recurring[interval]=month", text(&pro["id"]));
    let price = post(&stripe, "prices", &price).await?;
    let sale = format!(
        "mode=subscription&line_items[0][price]={}&line_items[0][quantity]=1&success_url=https://shop.example.com\
         &subscription_data[metadata][purchase_customer_id]=user-1",
        text(&price["id"])
    );
    let session = post(&stripe, "checkout/sessions", &sale).await?;

    // What the buyer does.
    let pays = json!({ "act": "complete_checkout", "session": session["id"], "email": "buyer@example.com" });
    let pays: Act = serde_json::from_value(pays)?;
    let paid = stripe.with(|world| world.act(pays)).map_err(anyhow::Error::msg)?;
    assert!(has_access(&engine, &stripe).await?, "who has paid has access");
    let subscription = format!("subscriptions/{}", text(&paid["session"]["subscription"]));
    post(&stripe, &subscription, "cancel_at_period_end=true").await?;

    // What time does.
    stripe.with(|world| world.advance(start.plus_seconds(20 * DAY)))?;
    assert!(has_access(&engine, &stripe).await?, "the period is paid");
    stripe.with(|world| world.advance(start.plus_seconds(40 * DAY)))?;
    assert!(!has_access(&engine, &stripe).await?, "the period is over");
    println!("paid, canceled, over: access was right each time");
    Ok(())
}

/// Delivers what is due, and asks whether the customer may use anything at the emulator's clock.
async fn has_access(engine: &Engine, stripe: &Local<EmulatedStripe>) -> anyhow::Result<bool> {
    let (due, now) = stripe.with(|world| (world.deliveries(), world.now()));
    for delivery in due {
        engine.handle(delivery.received(&ProviderName::new("stripe")?, now)).await?;
    }
    let snapshots = engine.customer(&CustomerId::new("user-1")?, now).await?;
    Ok(snapshots.iter().flat_map(|it| it.entitlements.values()).any(|it| it.access))
}

async fn post(stripe: &dyn Transport, path: &str, form: &str) -> anyhow::Result<Value> {
    let mut request = HttpRequest::new(Method::Post, format!("/v1/{path}"));
    request.headers.push("Authorization", "Bearer sk_test_offline");
    request.body = form.as_bytes().to_vec();
    let answer = stripe.send(&request).await?;
    anyhow::ensure!(answer.status == 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    Ok(serde_json::from_slice(&answer.body)?)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
