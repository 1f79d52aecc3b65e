//! Decides what a report says about an adapter's capabilities.

use serde::Serialize;

/// The capabilities that an adapter declares, and how much of each was executed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProviderCapabilities {
    /// The adapter.
    pub provider: String,
    /// The declared capabilities. They must work.
    pub declared: Vec<String>,
    /// The capabilities that are not declared. They must be absent.
    pub undeclared: Vec<String>,
    /// The minimum for each capability, and how much was executed.
    pub floors: Vec<Floor>,
}

/// The minimum for one capability, and how much was executed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Floor {
    /// The capability.
    pub capability: String,
    /// How many executions are required.
    pub required: u64,
    /// How many executions there were.
    pub executed: u64,
}

impl Floor {
    /// Whether the minimum was reached.
    pub fn reached(&self) -> bool {
        self.executed >= self.required
    }
}
