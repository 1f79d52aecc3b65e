//! The integration tests, in one program: each that is linked on its own costs as much as all of them.

#[path = "../conformance/databases.rs"]
mod databases;
mod engine;
mod schema;
mod transport;
