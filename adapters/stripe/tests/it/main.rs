//! The integration tests, in one program, because linking a separate program per test file costs as much as linking all
//! of them.

mod common;
mod payloads;
mod vectors;
