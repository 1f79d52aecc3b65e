#![doc = include_str!("../README.md")]
//!
//! Opens D1 stores: over HTTP, or through the binding of a Worker. The SQL is in `purchase-sql`, in SQLite's dialect;
//! this crate doesn't depend on its content.

mod error;
mod executor;
#[cfg(all(feature = "rest", not(target_family = "wasm")))]
mod migrate;

#[cfg(any(all(feature = "rest", not(target_family = "wasm")), all(feature = "worker", target_family = "wasm")))]
use purchase_sql::SqlStore;
pub use purchase_sql::{BatchKind, Cell, ExecuteError, Executor, Statement, TablePrefix};

#[cfg(all(feature = "worker", target_family = "wasm"))]
pub use crate::executor::binding::BindingExecutor;
#[cfg(all(feature = "rest", not(target_family = "wasm")))]
pub use crate::executor::{
    place::{Place, PlaceError, Token, TokenError},
    rest::{D1, Options, RestExecutor},
};

/// A store on D1 over HTTP.
#[cfg(all(feature = "rest", not(target_family = "wasm")))]
pub type D1Store = SqlStore<RestExecutor>;

/// A store on D1 inside a Worker. Create it with [`SqlStore::new`] from a [`BindingExecutor`]. Check and migrate its
/// schema with [`SqlStore::check_schema`] and [`SqlStore::migrate`].
#[cfg(all(feature = "worker", target_family = "wasm"))]
pub type BindingStore = SqlStore<BindingExecutor>;
