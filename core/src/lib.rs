//! The model, the fold and the engine of `purchase`. No I/O, no clock, no randomness, no provider's words.
//!
//! The modules stand in the order of a delivery's way; each uses only those above it. (`store` names the folded
//! state, the engine names everything.)

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
pub mod receipt;
pub mod store;

pub mod engine;

pub mod docs;
