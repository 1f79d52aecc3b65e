//! Defines what a provider must supply for stories: which steps it supports, the events that it sends for them, and how
//! the resulting projection may differ between providers.

use crate::story::{Step, Story};

/// Turns stories into a provider's events, with all their difficulties.
///
/// An implementor must make sure that
/// * a story gives the same events every time: whatever varies comes from its seed and its dialect;
/// * deliveries are in the order in which the provider created the events, which is the order of what happened;
/// * no event goes beyond what its provider really sends: its shapes, its times, its evidence.
pub trait Teller: Send + Sync {
    /// Whether the provider supports this step.
    fn can(&self, step: &Step) -> bool;

    /// Returns every delivery of a story.
    fn tell(&self, story: &Story) -> Told;

    /// Returns how the projection shows what differs between providers.
    fn ways(&self) -> Ways;
}

/// The deliveries of a story, and the provider's names for its objects.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The deliveries that were sent, in their true order.
    pub sent: Vec<Sent>,
    /// The provider's ids of all objects.
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

/// A provider's ids of the objects in a story, indexed by their numbers in the story.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The customer's id.
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
    /// Payments of nothing, which the provider creates in addition to those of the story.
    pub empty_payments: Vec<String>,
}

/// What differs between providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// The longest dunning that the adapter declares, in seconds.
    pub dunning_seconds: i64,
    /// The state of a refund that was rejected.
    pub rejected_refund: &'static str,
    /// Whether a paused or ended subscription still shows its last period.
    pub keeps_period: bool,
}
