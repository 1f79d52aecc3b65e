//! The model, the fold and the engine of `purchase`. No I/O, no clock, no randomness, no provider's words.
//!
//! The modules stand in the order of a delivery's way; each uses only those above it.

pub mod id;
pub mod money;
pub mod time;

pub mod delivery;
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

pub mod error;
pub mod store;

pub mod receipt;

pub mod engine;

pub mod docs;
