//! The integration tests, in one program: each that is linked on its own costs as much as all of them.

mod contract;
mod faults;
mod lookups;
mod races;
mod read_model;
mod schema;
mod support;
