//! Tests the store with the laws of the conformance kit.

#[path = "conformance/under_test.rs"]
mod under_test;

use std::process::ExitCode;

fn main() -> ExitCode {
    purchase_conformance::main_for_store(under_test::under_test())
}
