//! Tests the adapter with the laws of the conformance kit, on the recorded scenarios.

#[path = "conformance/under_test.rs"]
mod under_test;

use std::process::ExitCode;

fn main() -> ExitCode {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
    purchase_conformance::main_for_provider(under_test::under_test(), fixtures)
}
