//! Tests the example Worker as a whole, in workerd. From deliveries over HTTP, signed as the providers sign, in any
//! order and any number of times, it must reach the projection of the memory store and report each customer's access.
//! `cargo xtask worker test` builds the Worker, starts it, and runs this test.

mod endpoint;

use std::{collections::BTreeSet, path::Path};

use crate::{paddle_under_test, stripe_under_test};
use endpoint::{Endpoint, REFUSED};
use purchase::error::Cause;
use purchase_conformance::{
    ProviderUnderTest, mutants::Mutation, replay::Reference, rig::Rig, scenario::Scenario, schedule::Schedule,
    under_test::memory, verdict::Broken,
};
use purchase_sql::Tampering;
use serde_json::{Value, json};

/// Payments that succeed, fail, are refunded and disputed; subscriptions from trial to end; ties, late events, and
/// deliveries that can't be read.
const STRIPE: [&str; 10] = [
    "checkout-burst-in-one-second",
    "dispute-won-restores-access",
    "full-refund",
    "late-update-does-not-revive",
    "lost-update-made-good",
    "purchase-by-card",
    "quantity-five-then-six",
    "renewal-fails-then-recovers",
    "trial-to-paid",
    "unreadable-body-among-good-ones",
];
const PADDLE: [&str; 10] = [
    "cancellation-takes-effect",
    "chargeback-won-back",
    "checkout-sign-up",
    "dunning-that-recovers",
    "full-refund-of-a-purchase",
    "mixed-cart",
    "owner-named-late",
    "plan-and-quantity-change",
    "refund-known-before-its-transaction",
    "unknown-events-and-fields",
];

#[tokio::test]
async fn stripes_deliveries_lead_to_the_undisturbed_projection() -> Result<(), Cause> {
    judge(stripe_under_test::under_test(), &STRIPE).await
}

#[tokio::test]
async fn paddles_deliveries_lead_to_the_undisturbed_projection() -> Result<(), Cause> {
    judge(paddle_under_test::under_test(), &PADDLE).await
}

async fn judge(provider: ProviderUnderTest, names: &[&str]) -> Result<(), Cause> {
    let Some(endpoint) = Endpoint::take().await? else { return Ok(()) };
    let mut seen = Seen::default();
    for name in names {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(provider.name).join(name);
        let scenario = Scenario { secret: endpoint.secret.clone(), ..Scenario::load(&folder)? };
        let rig = Rig { provider, store: memory(), mutation: Mutation::None };
        let undisturbed = undisturbed(&rig, &scenario).await.map_err(|broken| told(name, &broken))?;
        let all = 0..scenario.deliveries.len();
        let twice = all.clone().flat_map(|index| [index, index]);
        for schedule in
            [Schedule::one_by_one(all.clone()), Schedule::one_by_one(all.clone().rev()), Schedule::one_by_one(twice)]
        {
            let place = format!("{}/{name}, deliveries {}", provider.name, scenario.written(&schedule));
            endpoint.empty().await?;
            send(&endpoint, &rig, &scenario, &undisturbed, &schedule, &mut seen)
                .await
                .map_err(|error| format!("{place}: {error}"))?;
            let projection = endpoint.projection(&scenario).await?;
            undisturbed.compare_projection(&projection).map_err(|broken| told(&place, &broken))?;
            let unmet = scenario.expectations.iter().find_map(|it| it.check(&projection).err());
            assert_eq!(unmet.map(|unmet| unmet.to_string()), None, "{place}");
            seen.open +=
                snapshots(&endpoint, &scenario, &projection).await.map_err(|error| format!("{place}: {error}"))?;
        }
    }
    println!("{}: {} scenarios, {seen:?}", provider.name, names.len());
    assert!(seen.duplicates > 0, "no delivery was a duplicate, so duplicates were not tested");
    assert!(seen.open > 0, "no customer had access, so access was not tested");
    Ok(())
}

/// Counts of what was checked.
#[derive(Debug, Default)]
struct Seen {
    deliveries: usize,
    duplicates: usize,
    refused: usize,
    /// The number of benefits that a customer may use.
    open: usize,
}

/// The result of the true order in memory, signed at the scenario's times.
async fn undisturbed(rig: &Rig, scenario: &Scenario) -> Result<Reference, Broken> {
    let signed = rig.sign(scenario)?;
    Reference::of(rig, scenario, &signed).await
}

/// Posts a schedule. Each delivery is signed now, because the Worker has no other clock. Each must be answered as in
/// the undisturbed run.
async fn send(
    endpoint: &Endpoint,
    rig: &Rig,
    scenario: &Scenario,
    undisturbed: &Reference,
    schedule: &Schedule,
    seen: &mut Seen,
) -> Result<(), Cause> {
    let mut done = vec![false; scenario.deliveries.len()];
    for index in schedule.order() {
        let recorded = &scenario.deliveries[index];
        let signed = (rig.provider.sign)(&[&scenario.secret], &recorded.body, endpoint::now()?);
        let (status, answer) = endpoint.deliver(rig.provider.name, &signed, &recorded.body).await?;
        seen.deliveries += 1;
        let is = |what: &str| format!("delivery {} was answered {status} {answer}, expected {what}", recorded.number);
        match undisturbed.refused[index] {
            Some(code) => {
                seen.refused += 1;
                if !REFUSED.contains(&status) || answer["error"] != code {
                    return Err(is(code).into());
                }
            }
            None => {
                let duplicate = answer["duplicate"] == true;
                if status != 200 || duplicate != done[index] {
                    return Err(is(&format!("200 with duplicate {}", done[index])).into());
                }
                seen.duplicates += usize::from(duplicate);
                done[index] = answer["status"] == "processed" || answer["status"] == "ignored";
            }
        }
    }
    Ok(())
}

/// Asks the Worker about every customer of a projection, and compares the answers. Returns the number of benefits that
/// may be used.
async fn snapshots(endpoint: &Endpoint, scenario: &Scenario, projection: &Value) -> Result<usize, Cause> {
    let is_offer = |benefit: &str| scenario.catalog.prices.values().any(|offer| offer.as_str() == benefit);
    // A snapshot contains no provider's ids, so a price without an offer has another name there.
    let row = |(benefit, it): (&String, &Value)| {
        let name = if is_offer(benefit) { benefit } else { "a price" };
        format!("{name}: access {}, until {}, quantity {}", it["access"], it["until"], it["quantity"])
    };
    let rows = |benefits: &Value| benefits.as_object().into_iter().flatten().map(row).collect::<BTreeSet<_>>();
    let mut open = 0;
    for (customer, expected) in projection["entitlements"].as_object().into_iter().flatten() {
        let (status, answer) = endpoint.customer(customer, Some(&scenario.as_of.to_string())).await?;
        let (expected, found) = (rows(expected), rows(&answer[0]["entitlements"]));
        if expected != found {
            return Err(format!("{status}: the Worker answers {found:?} for a customer, expected {expected:?}").into());
        }
        open += expected.iter().filter(|row| row.contains("access true")).count();
    }
    Ok(open)
}

fn told(place: &str, broken: &Broken) -> String {
    format!("{place}: {broken:?}")
}

/// A faulty request is refused with a status and an error code, and leaves nothing behind.
#[tokio::test]
async fn faulty_requests_are_refused() -> Result<(), Cause> {
    let Some(endpoint) = Endpoint::take().await? else { return Ok(()) };
    endpoint.empty().await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stripe/purchase-by-card");
    let body = Scenario::load(&folder)?.deliveries.swap_remove(0).body;
    let sign = |secret: &str, at| (stripe_under_test::under_test().sign)(&[secret], &body, at);
    let now = endpoint::now()?;
    let large = vec![b' '; (1 << 20) + 1];
    for (what, provider, signed, body, expect) in [
        ("another secret", "stripe", sign("whsec_of_somebody_else", now), &body, (401, "signature_mismatch")),
        ("ten minutes ago", "stripe", sign(&endpoint.secret, now.plus_seconds(-600)), &body, (401, "signature_stale")),
        ("another provider", "acme", sign(&endpoint.secret, now), &body, (404, "unknown_provider")),
        ("too large", "stripe", sign(&endpoint.secret, now), &large, (413, "body_too_large")),
    ] {
        let (status, answer) = endpoint.deliver(provider, &signed, body).await?;
        assert_eq!((status, answer["error"].as_str()), (expect.0, Some(expect.1)), "{what}: {answer}");
    }
    assert_eq!(endpoint.events().await?, 0);
    let (status, answer) = endpoint.customer("nobody", None).await?;
    assert_eq!((status, answer["error"].as_str()), (404, Some("unknown_customer")), "{answer}");
    let (status, answer) = endpoint.customer("nobody", Some("yesterday")).await?;
    assert_eq!((status, answer["error"].as_str()), (400, Some("as_of")), "{answer}");
    for token in ["", "another-token"] {
        let (status, answer) = endpoint.as_caller(token).customer("nobody", None).await?;
        assert_eq!((status, answer["error"].as_str()), (401, Some("unauthorized")), "{answer}");
    }
    Ok(())
}

/// An id may be any text, including characters that a path can't contain.
#[tokio::test]
async fn a_customer_is_found_by_any_id() -> Result<(), Cause> {
    let Some(endpoint) = Endpoint::take().await? else { return Ok(()) };
    endpoint.empty().await?;
    let id = "Zoë/5 50%?";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stripe/late-update-does-not-revive");
    let body = Scenario::load(&folder)?.deliveries.swap_remove(0).body;
    let body = String::from_utf8(body)?.replace("user-yusuf-1020", id).into_bytes();
    let signed = (stripe_under_test::under_test().sign)(&[&endpoint.secret], &body, endpoint::now()?);
    let (status, answer) = endpoint.deliver("stripe", &signed, &body).await?;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = endpoint.customer(id, Some("2025-12-19T17:47:00Z")).await?;
    let entitlements = answer[0]["entitlements"].as_object().map_or(0, |map| map.len());
    assert_eq!((status, entitlements), (200, 1), "{answer}");
    Ok(())
}

/// A wrong schema is reported by its own error code until the schema is right. Then it is no longer checked, so that a
/// delivery needs no additional statements.
#[tokio::test]
async fn a_wrong_schema_is_reported_until_it_is_right() -> Result<(), Cause> {
    let Some(endpoint) = Endpoint::take().await? else { return Ok(()) };
    let said: Vec<(&str, &str, u16, &str)> = Endpoint::said_of_schemas()
        .iter()
        .map(|(what, route, status, word)| (*what, *route, *status, &**word))
        .collect();
    let expected = [
        ("missing", "webhooks", 500, "store_schema_missing"),
        ("missing", "customers", 500, "store_schema_missing"),
        ("newer", "webhooks", 500, "store_schema_newer"),
        ("newer", "customers", 500, "store_schema_newer"),
        ("newer", "migrate", 500, "store_schema_newer"),
        ("older", "webhooks", 500, "store_schema_older"),
        ("older", "customers", 500, "store_schema_older"),
    ];
    assert_eq!(said, expected);
    endpoint.empty().await?;
    assert_eq!(endpoint.customer("nobody", None).await?.0, 404);
    endpoint.tamper(Tampering::NewerSchema).await?;
    let (status, answer) = endpoint.customer("nobody", None).await?;
    endpoint.tamper(Tampering::OlderSchema).await?;
    assert_eq!(status, 404, "{answer}");
    Ok(())
}

/// A body without a length is read in chunks, up to the limit. If the delivery will certainly be refused, its body
/// isn't read.
#[tokio::test]
async fn a_body_is_read_no_further_than_it_has_to_be() -> Result<(), Cause> {
    const CHUNKED: &str = "transfer-encoding: chunked\r\n";
    let Some(endpoint) = Endpoint::take().await? else { return Ok(()) };
    endpoint.empty().await?;
    let limit = 1 << 20;
    let chunked = |body: &[u8]| -> Vec<u8> {
        body.chunks(1000)
            .flat_map(|part| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat())
            .collect()
    };
    let end = b"0\r\n\r\n".as_slice();
    for (what, provider, headers, body, expect) in [
        ("chunks beyond the limit", "stripe", CHUNKED, chunked(&vec![b' '; limit + 1]), (413, "body_too_large")),
        ("a length beyond the limit", "stripe", "content-length: 1048577\r\n", vec![], (413, "body_too_large")),
        ("another provider, no body", "acme", CHUNKED, vec![], (404, "unknown_provider")),
        ("an invalid name, no body", "Acme!", CHUNKED, vec![], (404, "unknown_provider")),
        (
            "exactly the limit",
            "stripe",
            CHUNKED,
            [&chunked(&vec![b' '; limit]), end].concat(),
            (400, "signature_missing"),
        ),
        ("nothing", "stripe", CHUNKED, end.to_vec(), (400, "signature_missing")),
        ("no body at all", "stripe", "", vec![], (400, "signature_missing")),
    ] {
        let (status, answer) =
            endpoint.begin(provider, headers, &body).await.map_err(|error| format!("{what}: {error}"))?;
        assert_eq!((status, answer["error"].as_str()), (expect.0, Some(expect.1)), "{what}: {answer}");
    }
    assert_eq!(endpoint.events().await?, 0);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stripe/purchase-by-card");
    let body = Scenario::load(&folder)?.deliveries.swap_remove(0).body;
    let signed = (stripe_under_test::under_test().sign)(&[&endpoint.secret], &body, endpoint::now()?);
    let mut headers = CHUNKED.to_owned();
    for (name, value) in &signed.0 {
        headers.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
    }
    let (status, answer) = endpoint.begin("stripe", &headers, &[&chunked(&body), end].concat()).await?;
    assert_eq!((status, endpoint.events().await?), (200, 1), "{answer}");
    Ok(())
}

/// A variable that is set but can't be read is reported by name, and never counts as not set.
#[tokio::test]
async fn a_variable_that_is_not_text_is_an_error() -> Result<(), Cause> {
    let Some(endpoint) = Endpoint::take().await? else { return Ok(()) };
    let prices = json!({ "prices": { "price_1": "app:pro" } });
    let none = json!({ "prices": {} });
    for (variables, providers, catalog) in [
        (json!({}), json!([]), &none),
        (json!({ "STRIPE_WEBHOOK_SECRET": "", "CATALOG": "" }), json!([]), &none),
        (json!({ "STRIPE_WEBHOOK_SECRET": "whsec_a,whsec_b" }), json!(["stripe"]), &none),
        (json!({ "PADDLE_WEBHOOK_SECRET": "pdl_a", "PADDLE_MODE": "test" }), json!(["paddle"]), &none),
        (json!({ "CATALOG": prices.to_string() }), json!([]), &prices),
        (json!({ "CATALOG": prices }), json!([]), &prices),
    ] {
        let (status, answer) = endpoint.configured(&variables).await?;
        assert_eq!((status, &answer), (200, &json!({ "providers": providers, "catalog": catalog })), "{variables}");
    }
    for (variables, message) in [
        (json!({ "STRIPE_WEBHOOK_SECRET": { "get": {} } }), "STRIPE_WEBHOOK_SECRET must be text, not object"),
        (json!({ "STRIPE_WEBHOOK_SECRET": null }), "STRIPE_WEBHOOK_SECRET must be text, not object"),
        (json!({ "STRIPE_WEBHOOK_SECRET": "a", "STRIPE_MODE": true }), "STRIPE_MODE must be text, not boolean"),
        (json!({ "PADDLE_WEBHOOK_SECRET": "a", "PADDLE_MODE": 1 }), "PADDLE_MODE must be text, not number"),
        (json!({ "PADDLE_WEBHOOK_SECRET": "a" }), "Paddle: PADDLE_MODE must be live or test"),
        (json!({ "CATALOG": [prices] }), "CATALOG must be text, not object"),
        (json!({ "CATALOG": 7 }), "CATALOG must be text, not number"),
        (json!({ "CATALOG": { "price": {} } }), "CATALOG: unknown field `price`"),
        (json!({ "CATALOG": "{" }), "CATALOG: EOF"),
    ] {
        let (status, answer) = endpoint.configured(&variables).await?;
        assert_eq!((status, answer["error"].as_str()), (503, Some("configuration")), "{variables}: {answer}");
        let said = answer["message"].as_str().unwrap_or_default();
        assert!(said.starts_with(message), "{variables}: {said}");
    }
    Ok(())
}
