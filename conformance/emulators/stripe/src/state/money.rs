//! Payments, refunds and disputes.

use serde::{Deserialize, Serialize};

use super::Metadata;
use crate::cards::Decline;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IntentStatus {
    Canceled,
    Processing,
    RequiresAction,
    RequiresPaymentMethod,
    Succeeded,
}

impl IntentStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Processing => "processing",
            Self::RequiresAction => "requires_action",
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::Succeeded => "succeeded",
        }
    }
}

/// Why the last attempt to pay failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentError {
    pub(crate) decline: Decline,
    pub(crate) charge: Option<String>,
    pub(crate) method: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) secret: String,
    pub(crate) status: IntentStatus,
    pub(crate) error: Option<PaymentError>,
    pub(crate) method: Option<String>,
    pub(crate) methods: Vec<String>,
    pub(crate) latest_charge: Option<String>,
    /// Whether the method is kept for later payments.
    pub(crate) keeps_method: bool,
    pub(crate) canceled_at: Option<i64>,
    /// The invoice that it pays. Stripe shows it nowhere on the payment intent.
    pub(crate) invoice: Option<String>,
    pub(crate) session: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ChargeStatus {
    Failed,
    Pending,
    Succeeded,
}

impl ChargeStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) intent: String,
    pub(crate) method: String,
    pub(crate) status: ChargeStatus,
    pub(crate) decline: Option<Decline>,
    pub(crate) balance_transaction: Option<String>,
    pub(crate) disputed: bool,
    /// How refunds of it begin.
    pub(crate) refunds_begin: RefundsBegin,
}

/// How the refunds of a charge begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundsBegin {
    /// They are pending until the bank decides.
    Pending,
    /// They are pending, and succeed by themselves later.
    PendingThenSucceeded,
    /// They succeed at once.
    Succeeded,
    /// They succeed at once, and fail by themselves later.
    SucceededThenFailed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RefundStatus {
    Failed,
    Pending,
    Succeeded,
}

impl RefundStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) charge: String,
    pub(crate) intent: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) status: RefundStatus,
    pub(crate) balance_transaction: String,
    pub(crate) failure_balance_transaction: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DisputeStatus {
    Lost,
    NeedsResponse,
    UnderReview,
    WarningClosed,
    WarningNeedsResponse,
    Won,
}

impl DisputeStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::WarningClosed => "warning_closed",
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::Won => "won",
        }
    }
}

/// A movement of money because of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Movement {
    pub(crate) id: String,
    pub(crate) created: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) charge: String,
    pub(crate) intent: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) reason: String,
    pub(crate) status: DisputeStatus,
    pub(crate) withdrawn: Option<Movement>,
    pub(crate) reinstated: Option<Movement>,
}
