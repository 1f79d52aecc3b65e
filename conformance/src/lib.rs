#![doc = include_str!("../README.md")]

pub mod acme;
pub mod fault;
pub mod law;
mod lines;
pub mod mutants;
mod plan;
pub mod replay;
pub mod report;
pub mod rig;
pub mod runner;
pub mod scenario;
pub mod schedule;
pub mod sql;
pub mod story;
pub mod trials;
pub mod under_test;
pub mod verdict;
mod zoo;

pub use lines::lines;
pub use report::Report;
pub use runner::{Options, RunError, run};
pub use sql::SqlUnderTest;
pub use trials::{main_for_provider, main_for_store};
pub use under_test::{
    Built, Durable, Fresh, Opening, Place, ProviderUnderTest, ReadModel, Samples, Schema, Signed, Sql, StoreUnderTest,
    Unreadable,
};

/// The version of the kit: of its laws, and of the canonical projection that they compare.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
