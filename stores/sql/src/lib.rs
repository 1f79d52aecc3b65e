//! Decides how the store's promises become SQL: which statements, in which order, in one atomic batch. It knows no
//! driver, no connection and no pool; those are behind [`Executor`].
//!
//! Every statement that decides is a plain file under `queries/`, and so is every older migration under `schema/`; what
//! replaces and prints the read model's rows follows from one description of its tables. Many rows travel as one JSON
//! parameter, so a commit is a bounded number of statements however much it brings, and no statement comes near the
//! hundred parameters that some engines stop at. Compare-and-swap is a
//! `NOT NULL` in the row that is written, a fence one in a table of its own.

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
