//! The integration tests, in one program, because linking a separate program per test file costs as much as linking all
//! of them.

mod common;
mod documents;
mod lifecycles;
mod orders;
mod refusals;
mod script;
#[path = "../../../../../stores/sqlite/tests/conformance/under_test.rs"]
mod sqlite_under_test;
mod time;
#[path = "../../../../../adapters/paddle/tests/conformance/under_test.rs"]
mod under_test;
mod world;
