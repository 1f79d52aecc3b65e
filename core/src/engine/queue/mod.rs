//! The queue of stored events: who processes them, when, and how often.

pub(in crate::engine) mod retry;
pub(in crate::engine) mod work;
