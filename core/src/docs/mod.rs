//! Long-form documentation.

pub mod decisions;

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("glossary.md")]
pub mod glossary {}
