//! Generates Paddle's events for stories.

mod money;
mod shapes;
mod shop;
mod teller;

pub(crate) use teller::PaddleTeller;
