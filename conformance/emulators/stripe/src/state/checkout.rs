//! Checkout sessions.

use serde::{Deserialize, Serialize};

use super::{Buyer, Metadata};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mode {
    Payment,
    Subscription,
}

impl Mode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Subscription => "subscription",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SessionStatus {
    Complete,
    Expired,
    Open,
}

impl SessionStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Expired => "expired",
            Self::Open => "open",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SessionPayment {
    NotRequired,
    Paid,
    Unpaid,
}

impl SessionPayment {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotRequired => "no_payment_required",
            Self::Paid => "paid",
            Self::Unpaid => "unpaid",
        }
    }
}

/// One line of a checkout session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SessionLine {
    pub(crate) id: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trial {
    Days(i64),
    Until(i64),
}

/// What a session says about the object that it leads to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Led {
    pub(crate) metadata: Metadata,
    pub(crate) description: Option<String>,
    pub(crate) trial: Option<Trial>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) expires_at: i64,
    pub(crate) mode: Mode,
    pub(crate) lines: Vec<SessionLine>,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) customer_email: Option<String>,
    pub(crate) always_creates_customer: bool,
    pub(crate) buyer: Option<Buyer>,
    pub(crate) client_reference_id: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) success_url: String,
    pub(crate) cancel_url: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) led: Led,
    pub(crate) methods: Vec<String>,
    pub(crate) status: SessionStatus,
    pub(crate) payment: SessionPayment,
    /// Whether a delayed payment failed in the end.
    pub(crate) failed_later: bool,
    pub(crate) intent: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) invoice: Option<String>,
}
