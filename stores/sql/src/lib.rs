//! Implements the store contract in SQL: which statements run, in which order, in one atomic batch. This crate knows no
//! driver, no connection and no pool; these are behind [`Executor`].
//!
//! Every statement that makes a decision is a plain file under `queries/`, and every older migration is a plain file
//! under `schema/`. The statements that replace and print the read model's rows are generated from one description of
//! its tables. Many rows are sent as one JSON parameter. A commit therefore needs a bounded number of statements,
//! whatever its size, and no statement comes near the limit of one hundred parameters that some engines have.
//! Compare-and-swap is a `NOT NULL` constraint on the written row. A fence is a `NOT NULL` constraint in a separate
//! table.

mod batch;
mod browse;
mod bulk;
mod commit;
mod decode;
mod dialect;
mod executor;
mod migrate;
#[cfg(test)]
mod page;
mod public_ids;
mod read_model;
mod registry;
mod spelling;
mod store;
mod tables;
#[cfg(feature = "testing")]
mod testing;

#[doc = include_str!("../docs/tables.md")]
pub mod tables_for_your_joins {}

pub use dialect::{Dialect, Entries, KEY_END, MACROS, PrefixError, ROW_END, SQLITE, TablePrefix};
pub use executor::{BatchKind, Cell, ExecuteError, Executor, JsonRow, Row, Statement};
pub use migrate::SCHEMA_VERSION;
pub use registry::statements;
pub use store::SqlStore;
#[cfg(feature = "testing")]
pub use testing::{Tampering, described};
