//! The integration tests, in one program, because linking a separate program per test file costs as much as linking all
//! of them.

#[path = "../conformance/databases.rs"]
mod databases;
mod engine;
mod schema;
mod transport;
