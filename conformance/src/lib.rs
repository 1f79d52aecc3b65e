#![doc = include_str!("../README.md")]

pub mod acme;
#[cfg(feature = "cli")]
pub mod cli;
mod collect;
pub mod counterpart;
pub mod fault;
mod floors;
pub mod law;
mod lines;
pub mod mutants;
mod options;
pub mod plain;
mod plan;
#[cfg(feature = "cli")]
pub mod progress;
pub mod receiver;
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
pub mod wrapped;
mod zoo;

#[doc = include_str!("../docs/write-an-adapter.md")]
pub mod write_an_adapter {}

pub use lines::lines;
pub use options::{Options, RunError, quoted};
pub use report::Report;
pub use runner::run;
pub use sql::SqlUnderTest;
pub use trials::{lacks_server, main_for_provider, main_for_store};
pub use under_test::{
    Built, Durable, Endpoint, Fresh, Opening, Place, ProviderUnderTest, ReadModel, Samples, Schema, Signed, Sql,
    StoreUnderTest, Unreadable,
};

/// The kit's version. It covers the laws and the canonical projection that they compare.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
