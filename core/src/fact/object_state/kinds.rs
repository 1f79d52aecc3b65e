//! The state of each kind of object, and its possible statuses in the order of the object's life.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::{ProviderId, exposed},
    money::Money,
    time::Timestamp,
};

/// Personal data: stored, never printed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private(String);

impl Private {
    /// Wraps personal data.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(redacted)")
    }
}

/// A movement of money for a payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Charge {
    /// Its state.
    pub state: ChargeState,
    /// The charged or authorized amount.
    pub amount: Money,
    /// The captured part, if the provider reports it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub captured: Option<Money>,
    /// The provider's total of refunds of what was received. An amount that was authorized and never captured was not
    /// received.
    pub refunded: Money,
    /// Whether `refunded` may also include what was authorized and never captured, because the figures don't show
    /// whether it does. Then a [`Release`](super::Release) of the same payment decides.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub may_count_release: bool,
}

impl Charge {
    /// The amount authorized and not captured, in minor units.
    pub fn released_minor(&self) -> i64 {
        self.captured.map_or(0, |captured| self.amount.minor().saturating_sub(captured.minor()).max(0))
    }
}

/// States of a charge, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ChargeState {
    /// A state that this version doesn't know.
    Unknown,
    /// Not yet settled.
    Pending,
    /// Declined.
    Failed,
    /// The money was received.
    Succeeded,
}

/// A hosted checkout.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checkout {
    /// Its state.
    pub state: CheckoutState,
    /// What it sells.
    pub mode: CheckoutMode,
}

/// States of a checkout, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum CheckoutState {
    /// A state that this version doesn't know.
    Unknown,
    /// The customer may still complete it.
    Open,
    /// It was not completed in time.
    Expired,
    /// Completed; the payment is still outstanding.
    Completed,
    /// Completed; the outstanding payment failed.
    Failed,
    /// Completed and paid, or nothing was due.
    Paid,
}

/// What a checkout sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutMode {
    /// One-time products.
    Payment,
    /// Nothing: it saves a payment method.
    Setup,
    /// A subscription.
    Subscription,
    /// Something that this version doesn't know.
    Unknown,
}

/// A customer at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Customer {
    /// E-mail address.
    pub email: Option<Private>,
    /// Name.
    pub name: Option<Private>,
    /// Whether the provider deleted it permanently.
    pub deleted: bool,
    /// Whether it is archived, which can be undone.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub archived: bool,
    /// Whether the observation is a tombstone without further fields.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub bare: bool,
}

/// A dispute, chargeback or inquiry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dispute {
    /// Its state.
    pub state: DisputeState,
    /// The disputed amount.
    pub amount: Money,
}

/// States of a dispute, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum DisputeState {
    /// A state that this version doesn't know.
    Unknown,
    /// An inquiry before a dispute; no money moved.
    Inquiry,
    /// The money is withheld.
    Open,
    /// An inquiry that was closed without a dispute.
    Closed,
    /// The money is lost.
    Lost,
    /// The money was returned.
    Won,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Invoice {
    /// Its state.
    pub state: InvoiceState,
    /// The total amount due.
    pub total: Money,
    /// The amount paid.
    pub amount_paid: Money,
    /// How many payment attempts were made.
    pub attempts: u32,
    /// Whether it bills a further period of a subscription.
    pub renews: bool,
    /// The one-time items it sells, ordered by price; without recurring items of a subscription.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sold: Vec<Item>,
    /// When it became payable; write-once.
    pub finalized_at: Option<Timestamp>,
    /// When it was paid; write-once.
    pub paid_at: Option<Timestamp>,
    /// When it was voided; write-once.
    pub voided_at: Option<Timestamp>,
    /// Whether the draft was deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub deleted: bool,
}

impl Invoice {
    /// An invoice with no other known data: nothing paid, no attempt, no time.
    pub fn new(state: InvoiceState, total: Money) -> Self {
        Self {
            state,
            total,
            amount_paid: Money::zero(total.currency()),
            attempts: 0,
            renews: false,
            sold: Vec::new(),
            finalized_at: None,
            paid_at: None,
            voided_at: None,
            deleted: false,
        }
    }
}

/// States of an invoice, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum InvoiceState {
    /// A state that this version doesn't know.
    Unknown,
    /// Still editable.
    Draft,
    /// Open for payment.
    Open,
    /// Marked uncollectible, though it may still be paid.
    Uncollectible,
    /// Voided.
    Void,
    /// Paid.
    Paid,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Payment {
    /// Its state.
    pub state: PaymentState,
    /// Its progress within `Pending`; used only to order ties.
    pub step: u8,
    /// The requested amount.
    pub amount: Money,
    /// The received amount, if the provider reports it: less than requested if less was captured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub received: Option<Money>,
    /// The one-time items it sells, ordered by price, if the payment itself names them; without recurring items of a
    /// subscription.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub items: Vec<Item>,
    /// The lines of `items`, if the provider lets refunds name them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<Line>,
}

impl Payment {
    /// A payment with no other known data.
    pub fn new(state: PaymentState, amount: Money) -> Self {
        Self { state, step: 0, amount, received: None, items: Vec::new(), lines: Vec::new() }
    }
}

/// One line of what a payment sells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// The provider's id of the line.
    #[serde(with = "exposed")]
    pub id: ProviderId,
    /// The provider's price.
    #[serde(with = "exposed")]
    pub price: ProviderId,
    /// The line's total price, in minor units of the payment's currency.
    pub total_minor: i64,
}

/// States of a payment, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PaymentState {
    /// A state that this version doesn't know.
    Unknown,
    /// Waiting for the customer.
    Pending,
    /// Waiting for a bank.
    Processing,
    /// The last attempt failed; another may follow.
    Failed,
    /// Authorized, not captured.
    Authorized,
    /// Canceled.
    Canceled,
    /// The money was received.
    Succeeded,
}

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Refund {
    /// Its state.
    pub state: RefundState,
    /// The refunded amount.
    pub amount: Money,
    /// The refunded lines, if the provider names them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<RefundedLine>,
}

impl Refund {
    /// A refund that names no lines.
    pub fn new(state: RefundState, amount: Money) -> Self {
        Self { state, amount, lines: Vec::new() }
    }
}

/// The refunded part of one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefundedLine {
    /// The provider's id of the line.
    #[serde(with = "exposed")]
    pub line: ProviderId,
    /// The refunded amount, in minor units of the refund's currency.
    pub amount_minor: i64,
    /// Whether the whole line is refunded.
    pub whole: bool,
}

/// States of a refund, in the order of its life. A succeeded refund may still fail, days later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RefundState {
    /// A state that this version doesn't know.
    Unknown,
    /// In progress.
    Pending,
    /// Waiting for the customer.
    RequiresAction,
    /// The money was returned.
    Succeeded,
    /// Canceled.
    Canceled,
    /// The money did not arrive and was returned to the merchant.
    Failed,
}

/// A schedule of future changes to a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Schedule {
    /// Its state.
    pub state: ScheduleState,
}

/// States of a schedule, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ScheduleState {
    /// A state that this version doesn't know.
    Unknown,
    /// No phase has started.
    NotStarted,
    /// A phase is running.
    Active,
    /// The subscription continues without it.
    Released,
    /// Every phase has run.
    Completed,
    /// Canceled.
    Canceled,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subscription {
    /// Its neutral status.
    pub status: SubscriptionStatus,
    /// The provider's own name for the status.
    pub provider_status: String,
    /// The items it bills, ordered by price.
    pub items: Vec<Item>,
    /// The period that is paid or being paid: over all items, from the first start to the last end.
    pub period: Option<Period>,
    /// When the trial ends or ended.
    pub trial_end: Option<Timestamp>,
    /// When it will end, if that is decided.
    pub cancel_at: Option<Timestamp>,
    /// When it ended; write-once.
    pub ended_at: Option<Timestamp>,
    /// When it began; write-once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<Timestamp>,
    /// When it will be paused, if that is decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pause_at: Option<Timestamp>,
    /// When it will resume after a pause, if that is decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resume_at: Option<Timestamp>,
    /// Whether invoices are created and not collected. This is not a pause: the service continues.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub collection_paused: bool,
}

impl Subscription {
    /// A subscription with no other known data: no item, no period, nothing scheduled.
    pub fn new(status: SubscriptionStatus, provider_status: impl Into<String>) -> Self {
        Self {
            status,
            provider_status: provider_status.into(),
            items: Vec::new(),
            period: None,
            trial_end: None,
            cancel_at: None,
            ended_at: None,
            started_at: None,
            pause_at: None,
            resume_at: None,
            collection_paused: false,
        }
    }
}

/// Neutral statuses of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// Paid for.
    Active,
    /// Ended.
    Canceled,
    /// Never paid.
    Expired,
    /// A renewal is unpaid; the provider still tries to collect it.
    PastDue,
    /// Paused until it is resumed.
    Paused,
    /// The first payment is outstanding.
    Pending,
    /// In its trial.
    Trialing,
    /// A status that this version doesn't know.
    Unknown,
    /// A renewal was not paid; the provider stopped trying.
    Unpaid,
}

/// One item that a subscription bills or a payment sells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// The provider's price.
    #[serde(with = "exposed")]
    pub price: ProviderId,
    /// The quantity; `None` for metered usage.
    pub quantity: Option<u64>,
}

/// A span of time; its end is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    /// The start.
    pub start: Timestamp,
    /// The end, excluded.
    pub end: Timestamp,
}
