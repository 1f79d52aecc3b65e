//! Operators' tasks: read stored events again, rebuild the read model, and preview what would change.

mod answers;
mod overlay;
pub(in crate::engine) mod rebuild;
pub(in crate::engine) mod replay;
pub(in crate::engine) mod report;
mod reread;

/// How many events or subjects one page takes.
const PAGE: u32 = 100;
