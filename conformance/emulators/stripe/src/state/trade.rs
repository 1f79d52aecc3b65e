//! Customers, their payment methods, and what is sold to them.

use serde::{Deserialize, Serialize};

use super::Metadata;
use crate::cards::{Decline, TestMethod};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    /// Fixed by the first invoice.
    pub(crate) currency: Option<String>,
    pub(crate) delinquent: bool,
    pub(crate) invoice_prefix: String,
    pub(crate) next_invoice: u32,
    pub(crate) deleted: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) active: bool,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) url: Option<String>,
    pub(crate) unit_label: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Price {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) active: bool,
    pub(crate) currency: String,
    pub(crate) unit_amount: i64,
    pub(crate) recurring: Option<Recurring>,
    pub(crate) product: String,
    pub(crate) lookup_key: Option<String>,
    pub(crate) nickname: Option<String>,
    pub(crate) metadata: Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recurring {
    pub(crate) interval: Interval,
    pub(crate) count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Interval {
    Day,
    Month,
    Week,
    Year,
}

impl Interval {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Week => "week",
            Self::Year => "year",
        }
    }
}

/// What the buyer enters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Buyer {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
}

/// A payment method of a buyer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: Option<String>,
    pub(crate) test: TestMethod,
    pub(crate) buyer: Buyer,
    /// Why charges fail from now on, while they do.
    pub(crate) declines: Option<Decline>,
}

/// A visit to the billing portal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Portal {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) return_url: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) secret: String,
}
