//! Tests every published signature case of Paddle's SDKs, with the SDKs' verdict, or with this adapter's verdict where
//! the SDKs differ from each other (the README's table says why).

use crate::common;

use std::fs;

use purchase_core::{id::Mode, verify::SignatureError};
use purchase_paddle::{DEFAULT_TOLERANCE_SECONDS, Paddle, PaddleConfig};
use serde_json::Value;

/// The cases on which the SDKs disagree, or give no reason, and this adapter's verdict.
const OURS: [(&str, &str); 5] = [
    ("future-ts", "future"),
    ("node-invalid-sig", "no_matching_signature"),
    // A valid header without `h1`: this verdict is more exact than "malformed".
    ("node-malformed-2", "no_expected_scheme"),
    // The signature is of another time, and the age of an unsigned time is not checked.
    ("node-invalid-ts", "no_matching_signature"),
    ("node-multiple-hashes", "accept"),
];

#[test]
fn the_published_vectors_hold() {
    let Some(path) = common::recordings("signature-vectors.json") else { return };
    let file: Value = serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list");
    let ours: Vec<&Value> = vectors.iter().filter(|vector| vector["provider"] == "paddle").collect();
    assert!(ours.len() >= 27, "only {} vectors", ours.len());
    for vector in ours {
        check(vector);
    }
}

fn check(vector: &Value) {
    let text = |key: &str| vector[key].as_str().unwrap_or_else(|| panic!("{key} of {vector}"));
    let id = text("id");
    let secrets: Vec<&str> = match vector["secrets"].as_array() {
        Some(secrets) => secrets.iter().map(|secret| secret.as_str().expect("a secret")).collect(),
        None => vec![text("secret")],
    };
    assert_eq!(vector["tolerance_s"], DEFAULT_TOLERANCE_SECONDS, "{id}");
    let paddle = Paddle::new(PaddleConfig::new(Mode::Test, secrets).expect("secrets")).expect("a configuration");
    let now = vector["now"].as_i64().expect("a number");
    let verdict = match common::receive(&paddle, text("payload").as_bytes(), text("header"), now) {
        Ok(_) => "accept",
        Err(SignatureError::Future { .. }) => "future",
        Err(SignatureError::Malformed { .. }) => "malformed_header",
        Err(SignatureError::Mismatch { .. }) => "no_matching_signature",
        Err(SignatureError::Missing { .. }) => "missing_header",
        Err(SignatureError::NoScheme { .. }) => "no_expected_scheme",
        Err(SignatureError::Stale { .. }) => "timestamp_outside_tolerance",
    };
    let expect = match OURS.iter().find(|(name, _)| *name == id) {
        Some((_, ours)) => ours,
        None if text("expect") == "accept" => "accept",
        None => text("reason"),
    };
    assert_eq!(verdict, expect, "{id}");
    let agreed = text("expect") == "implementation_defined" || (text("expect") == "accept") == (verdict == "accept");
    assert!(agreed, "{id}: {verdict}");
}
