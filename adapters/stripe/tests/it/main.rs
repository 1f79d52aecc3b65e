//! The integration tests, in one program, because linking a separate program per test file costs as much as linking all
//! of them.

mod common;
mod lifecycles;
mod payloads;
mod telling;
#[path = "../conformance/under_test.rs"]
mod under_test;
mod vectors;
