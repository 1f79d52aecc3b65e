//! Decides what becomes of events that are kept: who processes them, when, and how often.

pub(in crate::engine) mod retry;
pub(in crate::engine) mod work;
