//! Tests two providers, and several accounts of one of them, in one database. They use the same raw ids, and their
//! events arrive in any order. Each source must end as if it were alone.

use std::{error::Error, fs, path::Path, sync::Arc};

use purchase::{
    delivery::Delivery,
    engine::{Engine, ProjectionQuery, Settings},
    id::{CustomerId, Mode, ProviderName, Source},
    paddle::{CustomData, Paddle, PaddleConfig},
    sqlite::Sqlite,
    stripe::{ModePolicy, Stripe, StripeConfig},
    time::Timestamp,
    verify::Secret,
};
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn Error>>;

const SECRET: &str = "several-sources";
const AS_OF: &str = "2026-05-03T07:32:40Z";

/// Paddle's ids, and the ids that Stripe uses in the same story. They are replaced, so that both providers use the same
/// ids.
const SAME: [(&str, &str); 2] = [
    ("sub_01kn90hj5337be11thwnsta6bf", "sub_1TISef72ftDsznAbDulmiESK"),
    ("ctm_01kj20msj06kkhb8bcer1w82yx", "cus_J99mKjtPY5OIfi"),
];

/// The bodies of a fixture, in the provider's order.
fn bodies(scenario: &str) -> Outcome<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(scenario).join("deliveries");
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Outcome<_>>()?;
    files.sort();
    let same = |body: String| SAME.iter().fold(body, |body, (paddle, stripe)| body.replace(paddle, stripe));
    files.into_iter().map(|file| Ok(same(fs::read_to_string(file)?))).collect()
}

fn signed(endpoint: &str, body: &str) -> Outcome<Delivery> {
    let now = Timestamp::parse_rfc3339(AS_OF)?;
    let secret = Secret::new(SECRET)?;
    let signed = match endpoint {
        "paddle" => purchase::paddle::testing::delivery([&secret], body, now),
        _ => purchase::stripe::testing::delivery([&secret], body, now),
    };
    Ok(Delivery { provider: ProviderName::new(endpoint)?, ..signed })
}

/// An engine with every endpoint on a new database.
async fn engine() -> Outcome<Engine> {
    let stripe = |name: &str| -> Outcome<Stripe> {
        let config = StripeConfig::new(ModePolicy::Both, [SECRET])?;
        Ok(Stripe::new(StripeConfig { name: ProviderName::new(name)?, ..config })?)
    };
    let config = PaddleConfig::new(Mode::Test, [SECRET])?;
    let paddle = Paddle::new(PaddleConfig { custom_data: CustomData::Everywhere, ..config })?;
    Ok(Engine::new(Arc::new(Sqlite::open_in_memory().await?))
        .with_provider(Arc::new(stripe("stripe")?))
        .with_provider(Arc::new(stripe("stripe-eu")?))
        .with_provider(Arc::new(paddle))
        .with_settings(Settings::default()))
}

async fn told(engine: &Engine, deliveries: Vec<Delivery>) -> Outcome<()> {
    for batch in deliveries.chunks(3) {
        for answer in engine.handle_many(batch.to_vec()).await? {
            assert_eq!(answer?.http_status(), 200);
        }
    }
    Ok(())
}

async fn projection(engine: &Engine, source: Option<Source>) -> Outcome<Value> {
    let query = ProjectionQuery { source, as_of: Timestamp::parse_rfc3339(AS_OF)? };
    Ok(engine.projection(&query).await?.expose_canonical())
}

/// Deliveries of all endpoints: the first of each, the second of each, and so on. If `backwards`, in reverse order.
fn interleaved(endpoints: &[(&str, Vec<String>)], backwards: bool) -> Outcome<Vec<Delivery>> {
    let longest = endpoints.iter().map(|(_, bodies)| bodies.len()).max().unwrap_or(0);
    let mut deliveries = Vec::new();
    for at in 0..longest {
        for (endpoint, bodies) in endpoints {
            deliveries.extend(bodies.get(at).map(|body| signed(endpoint, body)).transpose()?);
        }
    }
    if backwards {
        deliveries.reverse();
    }
    Ok(deliveries)
}

#[tokio::test]
async fn sources_that_share_ids_end_as_if_each_were_alone() -> Outcome<()> {
    let endpoints = [
        ("stripe", bodies("stripe/renewal")?),
        ("paddle", bodies("paddle/renewal")?),
        // The second account's subscription is in the state that the first one's had before its renewal.
        ("stripe-eu", bodies("stripe/renewal")?.into_iter().take(2).collect()),
    ];
    let mut alone = Vec::new();
    for endpoint in &endpoints {
        let engine = engine().await?;
        told(&engine, interleaved(std::slice::from_ref(endpoint), false)?).await?;
        alone.push((endpoint.0, projection(&engine, None).await?));
    }
    for backwards in [false, true] {
        let together = engine().await?;
        told(&together, interleaved(&endpoints, backwards)?).await?;
        for (endpoint, alone) in &alone {
            let source = Source { provider: ProviderName::new(*endpoint)?, account: None, mode: Mode::Test };
            assert_eq!(projection(&together, Some(source)).await?, *alone, "{endpoint}, backwards: {backwards}");
        }

        let whole = projection(&together, None).await?;
        let subscription = |endpoint: &str| &whole["subscriptions"][format!("{endpoint}//test/{}", SAME[0].1)];
        let end = |endpoint: &str| subscription(endpoint)["current_period"]["end"].clone();
        assert_eq!(whole["subscriptions"].as_object().map(|map| map.len()), Some(3));
        assert_eq!((end("stripe"), end("paddle")), ("2026-06-03T06:30:00Z".into(), "2026-06-03T06:30:00Z".into()));
        assert_eq!(end("stripe-eu"), "2026-05-03T06:30:00Z");

        // One customer of the application, with one snapshot for each source.
        let owners = whole["entitlements"].as_object().ok_or("entitlements")?;
        let owner = owners.keys().find_map(|key| key.strip_prefix("paddle//test/")).ok_or("an owner")?;
        let snapshots = together.customer(&CustomerId::new(owner)?, Timestamp::parse_rfc3339(AS_OF)?).await?;
        let providers: Vec<String> = snapshots.iter().map(|it| it.source.provider.to_string()).collect();
        assert_eq!(providers, ["paddle", "stripe", "stripe-eu"]);
    }
    Ok(())
}
