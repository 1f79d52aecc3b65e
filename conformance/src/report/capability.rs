//! Decides what a report says of an adapter's capabilities.

use serde::Serialize;

/// What an adapter declares that it can do, and how much of that was executed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProviderCapabilities {
    /// The adapter.
    pub provider: String,
    /// What it declares: that must work.
    pub declared: Vec<String>,
    /// What it does not declare: that must be refused.
    pub undeclared: Vec<String>,
    /// How much must be executed of each capability before it counts.
    pub floors: Vec<Floor>,
}

/// How much of one capability must be executed, and how much was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Floor {
    /// The capability.
    pub capability: String,
    /// How many executions it needs.
    pub required: u64,
    /// How many there were.
    pub executed: u64,
}

impl Floor {
    /// Whether enough was executed.
    pub fn reached(&self) -> bool {
        self.executed >= self.required
    }
}
