//! Decides what operators can have done: stored events read again, the read side rebuilt, and what would change seen first.

mod answers;
mod overlay;
pub(in crate::engine) mod rebuild;
pub(in crate::engine) mod replay;
pub(in crate::engine) mod report;
mod reread;

/// How many events or subjects are taken at a time.
const PAGE: u32 = 100;
