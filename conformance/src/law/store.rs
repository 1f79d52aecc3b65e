//! Holds the laws that judge stores without any adapter. Each law uses only material that the kit supplies.

pub mod bodies;
pub mod durable;
pub mod history;
pub mod keys;
pub mod lookups;
mod material;
pub mod ordering_keys;
pub mod pages;
pub mod promises;
pub mod sql;
