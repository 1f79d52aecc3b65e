#![doc = include_str!("../README.md")]
//!
//! Decides how a D1 database becomes a store: over HTTP, or as the binding of a Worker. The SQL is `purchase-sql`'s, in
//! SQLite's words, and nothing here knows it.

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

/// A store on D1 inside a Worker. [`SqlStore::new`] makes it of a [`BindingExecutor`]; [`SqlStore::check_schema`] and
/// [`SqlStore::migrate`] are its own.
#[cfg(all(feature = "worker", target_family = "wasm"))]
pub type BindingStore = SqlStore<BindingExecutor>;
