//! Tests the operator's tasks: events of other engines, databases of older versions, public ids, refused deliveries.

mod adapters;
mod concerned;
mod elsewhere;
mod log;
mod lookups;
mod reread;

use crate::acme;
