//! The states of credits, and of objects that only report a reversal.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// A credit against an invoice: it reduces the amount due, or increases the customer's balance. No money is returned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Credit {
    /// Its state.
    pub state: CreditState,
    /// The credited amount.
    pub amount: Money,
}

/// States of a credit, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum CreditState {
    /// A state that this version doesn't know.
    Unknown,
    /// Waiting for approval.
    Pending,
    /// Issued.
    Issued,
    /// Not approved.
    Rejected,
    /// Reversed.
    Reversed,
}

/// Reports that one of the subject's disputes or credits was reversed, without naming which: it means the oldest one
/// still in force. Some providers send such an object instead of a new state of the dispute.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reversal {
    /// What it reverses.
    pub undoes: Undone,
}

/// Describes a charge that was only partly captured: whether the provider's refund total and its list of refunds
/// include the rest, which was released. This is fixed when the charge is captured, so every body that shows it
/// agrees.
///
/// It is a separate object, not part of a charge's or a refund's state, so that two bodies of one object in two API
/// versions show the same state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Release {
    /// Whether it counts as a refund.
    pub counted: bool,
    /// Whether only the provider's API version suggests this. Evidence from figures overrides it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub by_version: bool,
}

/// What a reversal reverses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Undone {
    /// Nothing: it is not in force, or this version doesn't know its kind.
    Nothing,
    /// An issued credit.
    Credit,
    /// An open dispute: the money was returned.
    Dispute,
    /// An inquiry: it was closed without a dispute.
    Inquiry,
}
