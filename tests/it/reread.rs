//! Tests the example that reads a database again, on an SQLite file written by an older version of an adapter.

#[allow(dead_code, reason = "its main is not called")]
#[path = "../../examples/reread.rs"]
mod command;

use std::{path::Path, sync::Arc};

use clap::Parser as _;
use purchase::{
    delivery::Delivery,
    engine::Engine,
    id::{CustomerId, Mode, ProviderName},
    provider::{Event, Meaning, Provider},
    store::{EventQuery, SubjectQuery},
    stripe::{ModePolicy, Stripe, StripeConfig},
    time::Timestamp,
    verify::Secret,
};
use purchase_conformance::wrapped::Wrapped;
use serde_json::{Value, json};

const SECRET: &str = "whsec_of_the_test";
const AS_OF: &str = "2025-12-19T17:47:00Z";

fn stripe() -> Stripe {
    let config = StripeConfig::new(ModePolicy::Only(Mode::Test), [SECRET]).expect("a secret");
    Stripe::new(config).expect("a configuration")
}

/// An adapter version that didn't know the end of a subscription.
fn older() -> Arc<dyn Provider> {
    Wrapped::reading(Arc::new(stripe()), |_, reading| {
        let event = reading?;
        match event.head.event_type.as_str() {
            "customer.subscription.deleted" => Ok(Event { meaning: Meaning::Ignored, ..event }),
            _ => Ok(event),
        }
    })
}

fn delivery(name: &str) -> Delivery {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stripe/late-update-does-not-revive/deliveries");
    let body = std::fs::read(folder.join(name)).expect("a recording");
    let received_at = Timestamp::parse_rfc3339(AS_OF).expect("a time");
    let time = received_at.seconds().to_string();
    let mac = hex::encode(Secret::new(SECRET).expect("a secret").sign(&[time.as_bytes(), b".", &body]));
    let headers = [("Stripe-Signature", format!("t={time},v1={mac}"))].into_iter().collect();
    Delivery { provider: ProviderName::new("stripe").expect("a name"), headers, body, received_at }
}

async fn contents(engine: &Engine) -> String {
    let events = engine.events(&EventQuery { limit: 10, ..EventQuery::default() }).await.expect("SQLite");
    let subjects = engine.store().subjects(&SubjectQuery { limit: 10, ..SubjectQuery::default() }).await;
    format!("{events:?} {:?}", subjects.expect("SQLite"))
}

async fn run(url: &str, more: &[&str]) -> anyhow::Result<(String, String)> {
    let args = [&["reread", "--database", url, "--as-of", AS_OF], more].concat();
    let mut out = Vec::new();
    let summary = command::run(&command::Args::try_parse_from(args)?, &mut out).await?;
    Ok((String::from_utf8(out)?, summary))
}

async fn access(engine: &Engine) -> Vec<bool> {
    let customer = CustomerId::new("user-yusuf-1020").expect("an id");
    let as_of = Timestamp::parse_rfc3339(AS_OF).expect("a time");
    let snapshots = engine.customer(&customer, as_of).await.expect("SQLite");
    snapshots.iter().flat_map(|snapshot| snapshot.entitlements.values()).map(|it| it.access).collect()
}

#[tokio::test]
async fn lost_access_is_reported_before_it_is_applied() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("billing.sqlite").display());
    let old = Engine::new(purchase::open::open(&url).await?).with_provider(older());
    let mut ended = String::new();
    for name in ["001-customer.subscription.created.json", "003-customer.subscription.deleted.json"] {
        ended = old.handle(delivery(name)).await?.event;
    }
    assert_eq!(access(&old).await, [true]);
    let before = contents(&old).await;

    let (changes, summary) = run(&url, &["--stripe-mode", "test", "--format", "json"]).await?;
    let told: Value = serde_json::from_str(&changes)?;
    let change = &told["changes"][0];
    assert_eq!((&change["customer"], &change["linked"]), (&json!("user-yusuf-1020"), &json!(true)));
    assert_eq!((&change["before"]["access"], &change["after"]["access"]), (&json!(true), &json!(false)));
    assert_eq!(change["events"], json!([ended]));
    let figures = ["format_version", "read", "changed_readings", "changed_customers", "applied"].map(|key| &told[key]);
    assert_eq!(figures, [&json!(1), &json!(2), &json!(1), &json!(1), &json!(false)]);
    assert!(summary.ends_with("nothing was written; use --apply to write the changes"), "{summary}");
    assert_eq!(contents(&old).await, before);

    // An engine for live events serves none of these.
    let (changes, summary) = run(&url, &["--stripe-mode", "live", "--apply"]).await?;
    assert!(changes.is_empty() && summary.contains("2 events were left unchanged: wrong_mode"), "{changes}{summary}");
    assert_eq!(contents(&old).await, before);

    let (changes, summary) = run(&url, &["--stripe-mode", "test", "--apply"]).await?;
    assert!(changes.starts_with("stripe test user-yusuf-1020 price_"), "{changes}");
    assert!(changes.ends_with(&format!(", 2 → no access ({ended})\n")), "{changes}");
    assert!(summary.ends_with("the changes were written"), "{summary}");
    assert_eq!(access(&old).await, [false]);
    let (changes, _) = run(&url, &["--stripe-mode", "test"]).await?;
    assert_eq!(changes, "");
    Ok(())
}

#[tokio::test]
async fn invalid_arguments_are_refused_and_no_file_is_created() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("none.sqlite");
    let url = format!("sqlite:{}", path.display());
    let refused = async |more: &[&str]| format!("{:#}", run(&url, more).await.expect_err("refused"));
    assert!(refused(&["--stripe-mode", "test"]).await.starts_with("--database: "));
    assert!(!path.exists());
    purchase::open::open(&url).await.expect("made");
    assert_eq!(refused(&[]).await, "name at least one provider: --stripe-mode or --paddle-mode");
}
