//! Long-form documentation.

pub mod decisions;
