//! Measures verifying and reading a delivery. The floor is the same HMAC-SHA256, and parsing the body into plain JSON.

use std::{hint::black_box, time::Instant};

use anyhow::{Context, ensure};
use hmac::{Hmac, KeyInit, Mac};
use purchase_core::{
    delivery::{Delivery, Limits},
    id::ProviderName,
    provider::Webhooks,
    time::Timestamp,
    verify::{self, Secret},
};
use purchase_stripe::{ModePolicy, Stripe, StripeConfig};
use sha2::Sha256;

use super::{BenchArgs, Row, Times};
use crate::scenarios::{self, Body, SECRET};

/// A round repeats the bodies until it takes about ten milliseconds.
const DELIVERIES_PER_ROUND: usize = 3000;

pub(super) fn rows(args: &BenchArgs) -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![row("verify and read, the fixtures' bodies", &scenarios::bodies()?, args.rounds)?];
    if let Some(folder) = &args.payloads {
        let bodies = scenarios::read(folder, "payloads")?;
        ensure!(!bodies.is_empty(), "there is no JSON file below {}", folder.display());
        rows.push(row("verify and read, the given payloads", &bodies, args.rounds)?);
    }
    Ok(rows)
}

/// Stripe's adapter, which the other rows use as well.
pub(super) fn stripe() -> anyhow::Result<Stripe> {
    let mut config = StripeConfig::new(ModePolicy::Both, [SECRET])?;
    config.tolerance_seconds = None;
    Ok(Stripe::new(config)?)
}

/// A body as a signed request.
pub(super) fn delivery(body: &[u8]) -> anyhow::Result<Delivery> {
    let received_at = Timestamp::from_seconds(1_790_000_000)?;
    let signature = scenarios::signature(&Secret::new(SECRET)?, received_at.seconds(), body);
    Ok(Delivery {
        provider: ProviderName::new(purchase_stripe::NAME)?,
        headers: [("Stripe-Signature", signature)].into_iter().collect(),
        body: body.to_vec(),
        received_at,
    })
}

fn row(name: &str, bodies: &[Body], rounds: u32) -> anyhow::Result<Row> {
    let stripe = stripe()?;
    let limits = Limits::default();
    let deliveries: Vec<Delivery> = bodies.iter().map(|body| delivery(&body.bytes)).collect::<anyhow::Result<_>>()?;
    let repeat = DELIVERIES_PER_ROUND.div_ceil(deliveries.len());
    let macs: Vec<[u8; 32]> = deliveries
        .iter()
        .map(|delivery| {
            Ok(*stripe.presented_signature(&delivery.headers, &limits)?.macs.first().context("no signature")?)
        })
        .collect::<anyhow::Result<_>>()?;
    let (mut ours, mut floor) = (Times::default(), Times::default());
    for _ in 0..rounds {
        for _ in 0..repeat {
            // Processing consumes a delivery, so each pass gets new ones, made outside the measured time.
            let fresh = deliveries.clone();
            let begin = Instant::now();
            for delivery in fresh {
                let presented = stripe.presented_signature(&delivery.headers, &limits)?;
                let verified = verify::verify(delivery, &presented, stripe.trust())?;
                drop(black_box(stripe.read(&verified)));
            }
            ours.push(begin);
            let begin = Instant::now();
            for (delivery, mac) in deliveries.iter().zip(&macs) {
                let mut hmac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
                hmac.update(b"1790000000.");
                hmac.update(&delivery.body);
                hmac.verify_slice(mac)?;
                black_box(serde_json::from_slice::<serde_json::Value>(&delivery.body)).ok();
            }
            floor.push(begin);
        }
    }
    let floor_is = "HMAC-SHA256, and the body into plain JSON";
    Ok(Row::new(name.to_owned(), 1.5, floor_is, deliveries.len(), &ours, &floor))
}
