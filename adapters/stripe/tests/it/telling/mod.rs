//! Generates Stripe's events for stories.

mod money;
mod shop;
mod teller;

pub(crate) use teller::StripeTeller;
