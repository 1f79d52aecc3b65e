//! Decides what the state of each kind of object consists of, and which states there are, in the order of its life.

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
    /// How much was charged or authorized.
    pub amount: Money,
    /// How much of that was captured, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub captured: Option<Money>,
    /// How much of what came went back, as the provider totals it. What was authorized and never captured did not come.
    pub refunded: Money,
    /// Whether `refunded` may count what was authorized and never captured as well, because the figures don't show whether
    /// it does. Then a [`Release`](super::Release) of the same payment decides.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub may_count_release: bool,
}

impl Charge {
    /// What was authorized and not captured, in minor units.
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
    /// Refused.
    Failed,
    /// The money came.
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
    /// Nobody completed it in time.
    Expired,
    /// Completed; the payment is still to come.
    Completed,
    /// Completed; the payment that was to come failed.
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
    /// Whether the provider deleted it, for good.
    pub deleted: bool,
    /// Whether it is put aside; that can be taken back.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub archived: bool,
    /// Whether the observation is a tombstone that says nothing else.
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
    /// A question before a dispute; no money moved.
    Inquiry,
    /// The money is withheld.
    Open,
    /// An inquiry that came to nothing.
    Closed,
    /// The money is gone.
    Lost,
    /// The money came back.
    Won,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Invoice {
    /// Its state.
    pub state: InvoiceState,
    /// What it asks for in all.
    pub total: Money,
    /// What was paid of it.
    pub amount_paid: Money,
    /// How often payment was tried.
    pub attempts: u32,
    /// Whether it bills a further period of a subscription.
    pub renews: bool,
    /// What it sells once, ordered by price; nothing that a subscription bills again and again.
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
    /// An invoice of which nothing else is known: nothing paid of it, no attempt, no time.
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
    /// Still changeable.
    Draft,
    /// Payable.
    Open,
    /// Given up, though it may still be paid.
    Uncollectible,
    /// Annulled.
    Void,
    /// Paid.
    Paid,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Payment {
    /// Its state.
    pub state: PaymentState,
    /// How far it is within `Pending`; orders ties only.
    pub step: u8,
    /// How much it asks for.
    pub amount: Money,
    /// How much came, where the provider says so: less than was asked for when less was captured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub received: Option<Money>,
    /// What it sells once, ordered by price, where the payment itself says so; nothing that a subscription bills.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub items: Vec<Item>,
    /// The lines of `items`, where the provider lets refunds name them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<Line>,
}

impl Payment {
    /// A payment of which nothing else is known.
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
    /// What the line costs in all, in minor units of the payment's currency.
    pub total_minor: i64,
}

/// States of a payment, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PaymentState {
    /// A state that this version doesn't know.
    Unknown,
    /// Waits for the customer.
    Pending,
    /// Waits for a bank.
    Processing,
    /// The last attempt failed; another may follow.
    Failed,
    /// Authorized, not captured.
    Authorized,
    /// Given up.
    Canceled,
    /// The money came.
    Succeeded,
}

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Refund {
    /// Its state.
    pub state: RefundState,
    /// How much goes back.
    pub amount: Money,
    /// The lines that are refunded, where the provider names them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<RefundedLine>,
}

impl Refund {
    /// A refund that names no lines.
    pub fn new(state: RefundState, amount: Money) -> Self {
        Self { state, amount, lines: Vec::new() }
    }
}

/// What a refund takes of one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefundedLine {
    /// The provider's id of the line.
    #[serde(with = "exposed")]
    pub line: ProviderId,
    /// How much, in minor units of the refund's currency.
    pub amount_minor: i64,
    /// Whether it is the whole line.
    pub whole: bool,
}

/// States of a refund, in the order of its life. A succeeded refund may still fail, days later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RefundState {
    /// A state that this version doesn't know.
    Unknown,
    /// On its way.
    Pending,
    /// Waits for the customer.
    RequiresAction,
    /// The money went back.
    Succeeded,
    /// Called off.
    Canceled,
    /// The money did not arrive and is ours again.
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
    /// Nothing happened yet.
    NotStarted,
    /// A phase is running.
    Active,
    /// The subscription goes on without it.
    Released,
    /// Every phase ran.
    Completed,
    /// Called off.
    Canceled,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subscription {
    /// Its neutral status.
    pub status: SubscriptionStatus,
    /// The provider's own word for it.
    pub provider_status: String,
    /// What it bills, ordered by price.
    pub items: Vec<Item>,
    /// The period that is paid or being paid; over all items, from the first start to the last end.
    pub period: Option<Period>,
    /// When the trial ends or ended.
    pub trial_end: Option<Timestamp>,
    /// When it is going to end, if that is decided.
    pub cancel_at: Option<Timestamp>,
    /// When it ended; write-once.
    pub ended_at: Option<Timestamp>,
    /// When it began; write-once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<Timestamp>,
    /// When it is going to be paused, if that is decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pause_at: Option<Timestamp>,
    /// When it is going to go on after a pause, if that is decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resume_at: Option<Timestamp>,
    /// Whether invoices are made and not collected. Not a pause: service goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub collection_paused: bool,
}

impl Subscription {
    /// A subscription of which nothing else is known: no item, no period, nothing decided for later.
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
    /// Over.
    Canceled,
    /// Never came to be paid.
    Expired,
    /// A renewal is not paid yet; the provider still tries.
    PastDue,
    /// Stands still until it is resumed.
    Paused,
    /// The first payment is not made yet.
    Pending,
    /// In its trial.
    Trialing,
    /// A status that this version doesn't know.
    Unknown,
    /// A renewal was not paid; the provider stopped trying.
    Unpaid,
}

/// One thing that a subscription bills, or a payment sells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// The provider's price.
    #[serde(with = "exposed")]
    pub price: ProviderId,
    /// How many; none where usage is metered.
    pub quantity: Option<u64>,
}

/// A span of time, its end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    /// From.
    pub start: Timestamp,
    /// To.
    pub end: Timestamp,
}
