//! Subscriptions and invoices.

use serde::{Deserialize, Serialize};

use super::{Metadata, Recurring, Span};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SubscriptionStatus {
    Active,
    Canceled,
    PastDue,
    Paused,
    Trialing,
    Unpaid,
}

impl SubscriptionStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Canceled => "canceled",
            Self::PastDue => "past_due",
            Self::Paused => "paused",
            Self::Trialing => "trialing",
            Self::Unpaid => "unpaid",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubscriptionItem {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) price: String,
    pub(crate) quantity: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cancellation {
    pub(crate) comment: Option<String>,
    pub(crate) feedback: Option<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WhilePaused {
    KeepAsDraft,
    MarkUncollectible,
    Void,
}

impl WhilePaused {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::KeepAsDraft => "keep_as_draft",
            Self::MarkUncollectible => "mark_uncollectible",
            Self::Void => "void",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PauseCollection {
    pub(crate) behavior: WhilePaused,
    pub(crate) resumes_at: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) currency: String,
    pub(crate) status: SubscriptionStatus,
    pub(crate) items: Vec<SubscriptionItem>,
    pub(crate) period: Span,
    pub(crate) anchor: i64,
    pub(crate) recurring: Recurring,
    pub(crate) trial: Option<Span>,
    pub(crate) cancel_at_period_end: bool,
    pub(crate) cancel_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) cancellation: Cancellation,
    pub(crate) pause_collection: Option<PauseCollection>,
    pub(crate) latest_invoice: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
}

impl Subscription {
    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.status == SubscriptionStatus::Canceled
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Uncollectible,
    Void,
}

impl InvoiceStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
        }
    }
}

/// What an invoice's line bills.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Bills {
    /// A one-time price, as an invoice item.
    Once { item: String },
    /// An item of the subscription.
    Subscription { item: String },
    /// An item of the subscription while it is in its trial.
    Trial { item: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvoiceLine {
    pub(crate) id: String,
    pub(crate) bills: Bills,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    pub(crate) amount: i64,
    pub(crate) period: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BillingReason {
    Create,
    Cycle,
    Update,
}

impl BillingReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "subscription_create",
            Self::Cycle => "subscription_cycle",
            Self::Update => "subscription_update",
        }
    }
}

/// When an invoice reached its states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InvoiceTimes {
    pub(crate) finalized: Option<i64>,
    pub(crate) paid: Option<i64>,
    pub(crate) voided: Option<i64>,
    pub(crate) uncollectible: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) customer_email: Option<String>,
    pub(crate) customer_name: Option<String>,
    pub(crate) subscription: String,
    /// A copy of the subscription's metadata, taken at creation, and again at finalization.
    pub(crate) subscription_metadata: Metadata,
    pub(crate) reason: BillingReason,
    pub(crate) currency: String,
    pub(crate) status: InvoiceStatus,
    pub(crate) number: Option<String>,
    pub(crate) lines: Vec<InvoiceLine>,
    pub(crate) total: i64,
    pub(crate) amount_paid: i64,
    pub(crate) attempts: u32,
    pub(crate) attempted: bool,
    pub(crate) auto_advance: bool,
    pub(crate) finalizes_at: Option<i64>,
    pub(crate) next_attempt: Option<i64>,
    pub(crate) times: InvoiceTimes,
    pub(crate) period: Span,
    pub(crate) secret: String,
    /// The default payment.
    pub(crate) payment: Option<String>,
}

/// The link between an invoice and a payment intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvoicePayment {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) invoice: String,
    pub(crate) intent: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) paid_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
}

impl InvoicePayment {
    pub(crate) fn status(&self) -> &'static str {
        match (self.paid_at, self.canceled_at) {
            (Some(_), _) => "paid",
            (None, Some(_)) => "canceled",
            (None, None) => "open",
        }
    }
}
