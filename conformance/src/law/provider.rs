//! Holds the laws that judge adapters together with core. Each law plays a scenario on a fresh store.

pub mod apart;
pub(crate) mod arrival;
pub mod capability;
pub mod crash;
pub mod elsewhere;
pub mod keeping;
mod log;
pub mod meaning;
pub mod order;
pub mod redaction;
pub(crate) mod scheduled;
pub mod signature;
pub mod unread;
