//! The state of each kind of object: what decides something. How an object looks is in [`show`](crate::show).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cards::{Decline, TestMethod};

/// Metadata of an object.
pub(crate) type Metadata = BTreeMap<String, String>;

/// A span of time in seconds since 1970. The end is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

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

/// What the buyer enters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Buyer {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
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
