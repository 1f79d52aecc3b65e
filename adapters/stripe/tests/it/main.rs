//! The integration tests, in one program: each that is linked on its own costs as much as all of them.

mod common;
mod lifecycles;
mod payloads;
mod telling;
#[path = "../conformance/under_test.rs"]
mod under_test;
mod vectors;
