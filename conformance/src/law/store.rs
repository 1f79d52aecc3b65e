//! Decides what stores are judged by, without any adapter: each law works on what the kit itself brings along.

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
