//! Stripe, telling stories.

mod money;
mod shop;
mod teller;

pub(crate) use teller::StripeTeller;
