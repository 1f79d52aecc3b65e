//! Decides what a provider's side of a story has to bring: which steps it can tell, how it tells them, and how the
//! projection of what it tells may differ in words.

use crate::story::{Step, Story};

/// Tells stories as a provider would: in its own events, with everything that is hard about them.
///
/// An implementor must make sure that
/// * a story gives the same events every time: whatever varies comes from its seed and its dialect;
/// * deliveries stand in the order in which the provider made the events, which is the order of what happened;
/// * no event goes beyond what its provider really sends: its shapes, its times, its evidence.
pub trait Teller: Send + Sync {
    /// Whether the provider has this at all.
    fn can(&self, step: &Step) -> bool;

    /// Every delivery of a story.
    fn tell(&self, story: &Story) -> Told;

    /// How the projection shows what providers see in different ways.
    fn ways(&self) -> Ways;
}

/// A story as its provider told it.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// What was sent, in its true order.
    pub sent: Vec<Sent>,
    /// What the provider calls everything.
    pub names: Names,
}

/// One delivery.
#[derive(Clone)]
pub struct Sent {
    /// The event's type.
    pub event_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.event_type)
    }
}

/// What a provider calls the things of a story, by their numbers in it.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The customer.
    pub customer: String,
    /// Prices.
    pub prices: Vec<String>,
    /// Subscriptions.
    pub subscriptions: Vec<String>,
    /// Payments.
    pub payments: Vec<String>,
    /// Refunds.
    pub refunds: Vec<String>,
    /// Disputes.
    pub disputes: Vec<String>,
    /// Payments of nothing that the provider makes beside those of the story.
    pub empty_payments: Vec<String>,
}

/// What providers see in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// The longest dunning that the adapter declares, in seconds.
    pub dunning_seconds: i64,
    /// The state of a refund that was not to be.
    pub rejected_refund: &'static str,
    /// Whether a subscription that is paused or over still shows its last period.
    pub keeps_period: bool,
}
