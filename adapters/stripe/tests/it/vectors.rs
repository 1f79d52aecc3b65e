//! Tests every published signature case of Stripe's SDKs, with the SDKs' verdict, or with this adapter's verdict where
//! the SDKs differ from each other (the README's table says why).

use crate::common;

use std::fs;

use purchase_core::{
    provider::{Meaning, ReadFault},
    verify::{SecretError, SignatureError, TrustError},
};
use purchase_stripe::{ModePolicy, Stripe, StripeConfig};
use serde_json::Value;

/// The cases on which the SDKs disagree, and this adapter's verdict.
const OURS: [(&str, &str); 3] =
    [("sdk-future-timestamp", "future"), ("space-after-comma", "accept"), ("uppercase-hex", "accept")];

#[test]
fn the_published_vectors_hold() {
    let Some(path) = common::recordings("signature-vectors.json") else { return };
    let file: Value = serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list");
    let ours: Vec<&Value> = vectors.iter().filter(|vector| vector["provider"] == "stripe").collect();
    assert!(ours.len() >= 30, "only {} vectors", ours.len());
    for vector in ours {
        check(vector);
    }
}

fn check(vector: &Value) {
    let text = |key: &str| vector[key].as_str().unwrap_or_else(|| panic!("{key} of {vector}"));
    let (id, secret) = (text("id"), text("secret"));
    if secret.ends_with(' ') {
        // The SDKs find no match. This adapter refuses such a secret in its configuration.
        let refused = StripeConfig::new(ModePolicy::Both, [secret]).map(drop);
        assert_eq!(refused, Err(TrustError::Secret { number: 1, cause: SecretError::WhiteSpace }.into()), "{id}");
        assert_eq!(text("reason"), "no_matching_signature", "{id}");
        return;
    }
    // This adapter also refuses an empty secret in its configuration. The cases without a secret are about the header.
    let secret = if secret.is_empty() { "whsec_placeholder" } else { secret };
    let tolerance = u32::try_from(vector["tolerance_s"].as_u64().expect("a number")).expect("small");
    let mut config = StripeConfig::new(ModePolicy::Both, [secret]).expect("a secret");
    config.tolerance_seconds = Some(tolerance).filter(|seconds| *seconds > 0);
    let stripe = Stripe::new(config).expect("a configuration");
    let now = vector["now"].as_i64().expect("a number");

    let found = common::receive(&stripe, text("payload").as_bytes(), text("header"), now);
    let verdict = match &found {
        Ok(_) => "accept",
        Err(SignatureError::Future { .. }) => "future",
        Err(SignatureError::Malformed { .. }) => "malformed_header",
        Err(SignatureError::Mismatch { .. }) => "no_matching_signature",
        Err(SignatureError::Missing { .. }) => "missing_header",
        Err(SignatureError::NoScheme { .. }) => "no_expected_scheme",
        Err(SignatureError::Stale { .. }) => "timestamp_outside_tolerance",
    };
    let expect = match text("expect") {
        "accept" | "accept_signature_reject_as_snapshot" | "accept_signature_reject_json" => "accept",
        "reject" => text("reason"),
        "implementation_defined" => {
            OURS.iter().find(|(name, _)| *name == id).unwrap_or_else(|| panic!("{id}: OURS has no verdict")).1
        }
        other => panic!("{id}: {other}"),
    };
    assert_eq!(verdict, expect, "{id}");
    match (text("expect"), found) {
        ("accept_signature_reject_as_snapshot", Ok(read)) => {
            // A thin event of a type that the table doesn't list has no snapshot, so it gives no facts.
            assert_eq!(read.expect("a head").meaning, Meaning::Ignored, "{id}");
        }
        ("accept_signature_reject_json", Ok(read)) => {
            let fault = read.expect_err("no JSON").fault;
            assert_eq!(fault, ReadFault::NotJson { line: 1, column: 2 }, "{id}");
        }
        _ => {}
    }
}
