//! Decides what the state of a credit is, and of what only says that something was reversed.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// A credit against an invoice: what it asks for becomes less, or the customer's balance grows. No money goes back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Credit {
    /// Its state.
    pub state: CreditState,
    /// How much is credited.
    pub amount: Money,
}

/// States of a credit, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum CreditState {
    /// A state that this version doesn't know.
    Unknown,
    /// Waits for an approval.
    Pending,
    /// Given.
    Issued,
    /// Not approved.
    Rejected,
    /// Taken back.
    Reversed,
}

/// Says that one of the disputes or credits of the same subject was reversed, without naming which: the oldest that
/// still stands is meant. Some providers send such an object instead of another state of the dispute.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reversal {
    /// What it undoes.
    pub undoes: Undone,
}

/// What is known of a charge of which only a part was captured: whether the provider's total of refunds, and its list of
/// refunds, count the rest that was released. That is fixed when the charge is captured, so every body that decides it says
/// the same.
///
/// It is an object of its own, and no part of the charge's or a refund's state: two bodies of one object in two API
/// versions show the same state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Release {
    /// Whether it counts as a refund.
    pub counted: bool,
    /// Whether only the version of the provider's API makes that likely. What figures show counts before.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub by_version: bool,
}

/// What a reversal undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Undone {
    /// Nothing: it is not in force, or of a kind that this version doesn't know.
    Nothing,
    /// An issued credit.
    Credit,
    /// An open dispute: the money came back.
    Dispute,
    /// An inquiry: it came to nothing.
    Inquiry,
}
