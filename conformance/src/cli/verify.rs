//! Decides for each delivery whether it is genuine, for a recorder that has no adapter. Deliveries come on standard
//! input, one JSON object per line. Each gets one line as its answer.

use std::{
    io::{self, BufRead, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use purchase_core::{
    delivery::{Delivery, Headers, Limits},
    error::Cause,
    id::ProviderName,
    provider::Provider,
    time::Timestamp,
    verify::verify,
};
use serde::Deserialize;

use crate::{
    rig::TOLERANCE_SECONDS,
    under_test::{Endpoint, ProviderUnderTest},
};

/// One request: the values of its headers, and its body in hex.
#[derive(Deserialize)]
struct Line {
    headers: Vec<(String, String)>,
    body: String,
}

/// Answers each line until the input ends.
pub(super) fn answer(provider: &ProviderUnderTest, secret: &str) -> Result<(), Cause> {
    let adapter = (provider.build)(&endpoint(&[secret]))?;
    let mut out = io::stdout().lock();
    writeln!(out, "ready")?;
    for line in io::stdin().lock().lines() {
        let told = match check(adapter.as_ref(), serde_json::from_str(&line?)?) {
            Ok(()) => "genuine".to_owned(),
            Err(error) => error.to_string(),
        };
        writeln!(out, "{told}")?;
        out.flush()?;
    }
    Ok(())
}

/// An endpoint that serves both modes.
fn endpoint<'a>(secrets: &'a [&'a str]) -> Endpoint<'a> {
    Endpoint { secrets, tolerance_seconds: Some(TOLERANCE_SECONDS), mode: None }
}

fn check(adapter: &dyn Provider, line: Line) -> Result<(), Cause> {
    let mut headers = Headers::new();
    for (name, value) in line.headers {
        headers.push(&name, hex::decode(value)?);
    }
    let delivery = Delivery {
        provider: ProviderName::new(adapter.name().as_str())?,
        headers,
        body: hex::decode(line.body)?,
        received_at: now()?,
    };
    let webhooks = adapter.webhooks();
    let presented = webhooks.presented_signature(&delivery.headers, &Limits::default())?;
    verify(delivery, &presented, webhooks.trust())?;
    Ok(())
}

/// The clock, to the second.
fn now() -> Result<Timestamp, Cause> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_seconds(i64::try_from(since.as_secs())?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acme::ACME;

    #[test]
    fn only_what_was_signed_with_the_secret_is_genuine() {
        let adapter = (ACME.build)(&endpoint(&["right"])).expect("acme can be built");
        let told = |secret: &str, body: &[u8]| {
            let signed = (ACME.sign)(&[secret], b"{}", now().expect("a clock"));
            let headers = signed.0.into_iter().map(|(name, value)| (name, hex::encode(value))).collect();
            check(adapter.as_ref(), Line { headers, body: hex::encode(body) }).map_err(|error| error.to_string())
        };
        assert_eq!(told("right", b"{}"), Ok(()));
        for (secret, body) in [("wrong", b"{}".as_slice()), ("right", b"{ }".as_slice())] {
            let why = told(secret, body).expect_err("it is not genuine");
            assert!(why.starts_with("none of the 1 signatures in the header matches"), "{why}");
        }
    }
}
