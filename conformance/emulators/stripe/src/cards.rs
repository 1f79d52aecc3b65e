//! The payment methods that Stripe documents for tests, and what each of them does ("Testing", docs.stripe.com).

use serde::{Deserialize, Serialize};

use crate::state::RefundsBegin;

/// A payment method for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestMethod {
    /// 4242 4242 4242 4242: succeeds.
    Visa,
    /// 4000 0000 0000 0002: is declined.
    Declined,
    /// 4000 0000 0000 9995: is declined for insufficient funds.
    InsufficientFunds,
    /// 4000 0000 0000 0341: can be saved, and its charges fail.
    FailsLater,
    /// 4000 0025 0000 3155: needs authentication unless it was saved.
    AuthenticatesOnce,
    /// 4000 0000 0000 3220: needs 3-D Secure.
    Authenticates,
    /// 4000 0000 0000 7726: its refunds begin as pending.
    RefundPending,
    /// 4000 0000 0000 5126: its refunds fail later.
    RefundFails,
    /// A SEPA debit of AT61 1904 3002 3457 3201: is processing, then succeeds.
    Debit,
    /// A SEPA debit of AT86 1904 3002 3547 3202: is processing, then fails.
    DebitFails,
}

impl TestMethod {
    /// All of them, as the checkout page lists them.
    pub const ALL: [Self; 10] = [
        Self::Visa,
        Self::Declined,
        Self::InsufficientFunds,
        Self::FailsLater,
        Self::AuthenticatesOnce,
        Self::Authenticates,
        Self::RefundPending,
        Self::RefundFails,
        Self::Debit,
        Self::DebitFails,
    ];

    /// Its name in forms and acts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Declined => "declined",
            Self::InsufficientFunds => "insufficient_funds",
            Self::FailsLater => "fails_later",
            Self::AuthenticatesOnce => "authenticates_once",
            Self::Authenticates => "authenticates",
            Self::RefundPending => "refund_pending",
            Self::RefundFails => "refund_fails",
            Self::Debit => "debit",
            Self::DebitFails => "debit_fails",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Visa => "4242 4242 4242 4242, succeeds",
            Self::Declined => "4000 0000 0000 0002, is declined",
            Self::InsufficientFunds => "4000 0000 0000 9995, insufficient funds",
            Self::FailsLater => "4000 0000 0000 0341, can be saved, but not charged",
            Self::AuthenticatesOnce => "4000 0025 0000 3155, 3-D Secure unless saved",
            Self::Authenticates => "4000 0000 0000 3220, 3-D Secure",
            Self::RefundPending => "4000 0000 0000 7726, refunds are pending at first",
            Self::RefundFails => "4000 0000 0000 5126, refunds fail later",
            Self::Debit => "SEPA AT61 1904 3002 3457 3201, succeeds later",
            Self::DebitFails => "SEPA AT86 1904 3002 3547 3202, fails later",
        }
    }

    pub(crate) fn last4(self) -> &'static str {
        let label = self.label();
        let number = label.split(',').next().unwrap_or(label);
        &number[number.len() - 4..]
    }

    pub(crate) fn is_debit(self) -> bool {
        matches!(self, Self::Debit | Self::DebitFails)
    }

    /// The type of the payment method.
    pub(crate) fn kind(self) -> &'static str {
        if self.is_debit() { "sepa_debit" } else { "card" }
    }

    pub(crate) fn needs_authentication(self) -> bool {
        matches!(self, Self::Authenticates | Self::AuthenticatesOnce)
    }

    /// Why a charge fails.
    pub(crate) fn decline(self) -> Option<Decline> {
        match self {
            Self::Declined | Self::FailsLater => Some(Decline::Generic),
            Self::InsufficientFunds => Some(Decline::InsufficientFunds),
            _ => None,
        }
    }

    /// Whether the card can't even be saved.
    pub(crate) fn cannot_be_saved(self) -> bool {
        matches!(self, Self::Declined | Self::InsufficientFunds)
    }

    pub(crate) fn refunds_begin(self) -> RefundsBegin {
        match self {
            Self::RefundPending => RefundsBegin::PendingThenSucceeded,
            Self::RefundFails => RefundsBegin::SucceededThenFailed,
            _ => RefundsBegin::Succeeded,
        }
    }
}

/// Why a payment fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// 3-D Secure failed or was abandoned.
    Authentication,
    /// The bank returns the debit.
    DebitReturned,
    /// The bank gives no reason.
    Generic,
    /// There is too little money.
    InsufficientFunds,
}

impl Decline {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Authentication => "payment_intent_authentication_failure",
            Self::DebitReturned => "payment_intent_payment_attempt_failed",
            Self::Generic | Self::InsufficientFunds => "card_declined",
        }
    }

    pub(crate) fn decline_code(self) -> Option<&'static str> {
        match self {
            Self::Authentication | Self::DebitReturned => None,
            Self::Generic => Some("generic_decline"),
            Self::InsufficientFunds => Some("insufficient_funds"),
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Authentication => {
                "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new \
                 PaymentMethod to attempt to fulfill this PaymentIntent again."
            }
            Self::DebitReturned => "The customer's bank returned the debit.",
            Self::Generic => "Your card was declined.",
            Self::InsufficientFunds => "Your card has insufficient funds.",
        }
    }
}
