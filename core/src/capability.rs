//! The capabilities that an adapter can declare. The conformance kit tests each one both ways: declared, it works;
//! undeclared, it is refused or absent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One ability of a provider, as declared by its adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Deliveries contain an event id; without one, the body's digest is the id.
    EventIds,
    /// Events name their mode; otherwise the configured mode applies.
    ModeInEvent,
    /// Events contain the state before the change, so that evidence can settle a tie.
    PriorStates,
    /// The signature covers a time, so that old requests can be refused.
    SignedTime,
}

/// What an adapter declares.
pub type Capabilities = BTreeSet<Capability>;
