//! Decides how the store's promises become SQL: which statements, in which order, in one atomic batch. It knows no
//! driver, no connection and no pool; those are behind [`Executor`].
//!
//! Every statement is a plain file under `queries/`, every migration one under `schema/`. Many rows travel as one JSON
//! parameter, so a commit is a bounded number of statements however much it brings, and no statement comes near the
//! hundred parameters that some engines stop at. Compare-and-swap is a unique key, a fence is a `NOT NULL`.

mod browse;
mod bulk;
mod catalogue;
mod commit;
mod decode;
mod dialect;
mod executor;
mod migrate;
mod public_ids;
mod read_model;
mod store;
#[cfg(feature = "testing")]
mod testing;

pub use catalogue::statements;
pub use dialect::{Dialect, Entries, KEY_END, PrefixError, ROW_END, SQLITE, TablePrefix, WORDS};
pub use executor::{Access, Cell, ExecuteError, Executor, JsonRow, Row, Statement};
pub use migrate::SCHEMA_VERSION;
pub use store::SqlStore;
#[cfg(feature = "testing")]
pub use testing::Tampering;
