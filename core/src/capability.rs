//! Decides what an adapter can say of itself. The kit tests each value both ways: declared, it works; undeclared, it
//! is refused or absent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One ability of a provider, as far as its adapter declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Deliveries name their event; without it, the body's digest stands for the id.
    EventIds,
    /// The event says whether it is live; without it, the configured mode is believed.
    ModeInEvent,
    /// Events bring the state before the change, so that a tie can be settled by evidence.
    PriorStates,
    /// The signature covers a time, so that old requests can be refused.
    SignedTime,
}

/// What an adapter declares.
pub type Capabilities = BTreeSet<Capability>;
