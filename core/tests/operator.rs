//! What an operator meets: events of other engines, databases of older versions, public ids, refused deliveries.

#[allow(dead_code, reason = "other tests use the rest")]
mod acme;
#[path = "operator/adapters.rs"]
mod adapters;
#[path = "operator/concerned.rs"]
mod concerned;
#[path = "operator/elsewhere.rs"]
mod elsewhere;
#[path = "operator/log.rs"]
mod log;
#[path = "operator/lookups.rs"]
mod lookups;
#[path = "operator/reread.rs"]
mod reread;
