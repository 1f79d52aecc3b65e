//! The states of the provider's own catalogue: products and their prices.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// A price in the provider's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Price {
    /// Whether it can be sold.
    pub active: bool,
    /// The amount per unit, if it is a whole number of minor units.
    pub unit_amount: Option<Money>,
    /// The billing interval; `None` for a one-time price.
    pub interval: Option<Interval>,
    /// Whether the provider deleted it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub deleted: bool,
    /// Whether the observation is a tombstone without further fields.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub bare: bool,
}

/// How often a recurring price bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// The unit.
    pub unit: IntervalUnit,
    /// The number of units.
    pub count: u32,
}

/// The unit of a billing interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalUnit {
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Calendar months.
    Month,
    /// Calendar years.
    Year,
    /// Something that this version doesn't know.
    #[serde(other)]
    Unknown,
}

/// A product in the provider's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Product {
    /// Its name.
    pub name: Option<String>,
    /// Whether it can be sold.
    pub active: bool,
    /// Whether the provider deleted it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub deleted: bool,
    /// Whether the observation is a tombstone without further fields.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub bare: bool,
}
