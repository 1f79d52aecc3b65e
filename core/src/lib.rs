//! The domain model, the fold and the engine of `purchase`. This crate does no I/O, reads no clock, uses no
//! randomness, and contains no provider-specific vocabulary.
//!
//! The modules are listed in the order in which a delivery passes through them. Each module uses only those above it.

pub mod id;
pub mod money;
pub mod time;

pub mod delivery;
pub mod transport;
pub mod verify;

pub mod capability;
pub mod fact;
pub mod provider;

pub mod wire;

pub mod catalog;
pub mod entitlement;
pub mod fold;
pub mod lifecycle;
pub mod snapshot;

mod advice;
pub mod error;
pub mod store;

pub mod receipt;

pub mod engine;

pub mod docs;
