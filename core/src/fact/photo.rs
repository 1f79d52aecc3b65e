//! Decides what a photograph of each kind of object holds: the neutral state, and nothing that is only incidental.
//! Two photographs that are equal here are the same state to us, whatever else the provider changed.
//!
//! References to other objects are not state: they travel as [`Link`](super::Link)s.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::{ObjectKind, ProviderId, exposed},
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

/// The neutral state of one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Photo {
    /// See [`Charge`].
    Charge(Charge),
    /// See [`Checkout`].
    Checkout(Checkout),
    /// See [`Customer`].
    Customer(Customer),
    /// See [`Dispute`].
    Dispute(Dispute),
    /// See [`Invoice`].
    Invoice(Invoice),
    /// See [`Payment`].
    Payment(Payment),
    /// See [`Price`].
    Price(Price),
    /// See [`Product`].
    Product(Product),
    /// See [`Refund`].
    Refund(Refund),
    /// See [`Schedule`].
    Schedule(Schedule),
    /// See [`Subscription`].
    Subscription(Box<Subscription>),
}

impl Photo {
    /// The kind of object that it shows.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Photo::Charge(_) => ObjectKind::Charge,
            Photo::Checkout(_) => ObjectKind::Checkout,
            Photo::Customer(_) => ObjectKind::Customer,
            Photo::Dispute(_) => ObjectKind::Dispute,
            Photo::Invoice(_) => ObjectKind::Invoice,
            Photo::Payment(_) => ObjectKind::Payment,
            Photo::Price(_) => ObjectKind::Price,
            Photo::Product(_) => ObjectKind::Product,
            Photo::Refund(_) => ObjectKind::Refund,
            Photo::Schedule(_) => ObjectKind::Schedule,
            Photo::Subscription(_) => ObjectKind::Subscription,
        }
    }

    /// Whether the object is over for good: no later photograph may show another state.
    pub fn is_terminal(&self) -> bool {
        match self {
            Photo::Charge(_) | Photo::Dispute(_) => false,
            Photo::Checkout(it) => matches!(it.state, CheckoutState::Expired | CheckoutState::Paid),
            Photo::Customer(it) => it.deleted,
            Photo::Invoice(it) => it.deleted || matches!(it.state, InvoiceState::Paid | InvoiceState::Void),
            Photo::Payment(it) => matches!(it.state, PaymentState::Canceled | PaymentState::Succeeded),
            Photo::Price(it) => it.deleted,
            Photo::Product(it) => it.deleted,
            Photo::Refund(it) => matches!(it.state, RefundState::Canceled | RefundState::Failed),
            Photo::Schedule(it) => {
                matches!(it.state, ScheduleState::Canceled | ScheduleState::Completed | ScheduleState::Released)
            }
            Photo::Subscription(it) => {
                matches!(it.status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired)
            }
        }
    }

    /// Whether the photograph says enough to be read on its own: its state is one that we know, and it is no bare
    /// tombstone. One that doesn't leaves what was known before to be shown.
    pub fn is_readable(&self) -> bool {
        match self {
            Photo::Customer(it) => !it.bare,
            Photo::Product(it) => !it.bare,
            Photo::Price(it) => !it.bare,
            Photo::Checkout(it) => it.state != CheckoutState::Unknown,
            Photo::Dispute(it) => it.state != DisputeState::Unknown,
            Photo::Invoice(it) => it.state != InvoiceState::Unknown,
            Photo::Payment(it) => it.state != PaymentState::Unknown,
            Photo::Refund(it) => it.state != RefundState::Unknown,
            Photo::Subscription(it) => it.status != SubscriptionStatus::Unknown,
            Photo::Charge(_) | Photo::Schedule(_) => true,
        }
    }

    /// How far the state is along the object's life, declared per kind. Equal for states that an object passes to
    /// and fro. Read only where no evidence orders a tie.
    pub fn progress(&self) -> u8 {
        match self {
            Photo::Charge(it) => it.state as u8,
            Photo::Checkout(it) => it.state as u8,
            Photo::Customer(it) => u8::from(it.deleted),
            Photo::Dispute(it) => it.state as u8,
            Photo::Invoice(it) => it.state as u8 + 10 * u8::from(it.deleted),
            Photo::Payment(it) => it.state as u8,
            Photo::Price(it) => u8::from(it.deleted),
            Photo::Product(it) => u8::from(it.deleted),
            Photo::Refund(it) => it.state as u8,
            Photo::Schedule(it) => it.state as u8,
            Photo::Subscription(it) => match it.status {
                SubscriptionStatus::Pending => 0,
                SubscriptionStatus::Trialing => 1,
                SubscriptionStatus::Active
                | SubscriptionStatus::PastDue
                | SubscriptionStatus::Paused
                | SubscriptionStatus::Unknown
                | SubscriptionStatus::Unpaid => 2,
                SubscriptionStatus::Canceled | SubscriptionStatus::Expired => 3,
            },
        }
    }

    /// Measures that only grow over an object's life. Read only where no evidence orders a tie.
    pub fn measures(&self) -> [i64; 3] {
        let micros = |time: Option<Timestamp>| time.map_or(i64::MIN, Timestamp::micros);
        match self {
            Photo::Charge(it) => [it.refunded.minor(), 0, 0],
            Photo::Invoice(it) => [it.amount_paid.minor(), i64::from(it.attempts), micros(it.finalized_at)],
            Photo::Subscription(it) => [
                micros(it.period.map(|period| period.end)),
                micros(it.period.map(|period| period.start)),
                micros(it.ended_at),
            ],
            Photo::Payment(it) => [i64::from(it.step), 0, 0],
            Photo::Checkout(_)
            | Photo::Customer(_)
            | Photo::Dispute(_)
            | Photo::Price(_)
            | Photo::Product(_)
            | Photo::Refund(_)
            | Photo::Schedule(_) => [0; 3],
        }
    }

    /// Carries over write-once times that an earlier photograph had and this one lacks.
    pub(crate) fn keep_write_once(&mut self, earlier: &Photo) {
        match (self, earlier) {
            (Photo::Invoice(it), Photo::Invoice(was)) => {
                it.finalized_at = it.finalized_at.or(was.finalized_at);
                it.paid_at = it.paid_at.or(was.paid_at);
                it.voided_at = it.voided_at.or(was.voided_at);
            }
            (Photo::Subscription(it), Photo::Subscription(was)) => it.ended_at = it.ended_at.or(was.ended_at),
            _ => {}
        }
    }
}

/// A movement of money for a payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Charge {
    /// Its state.
    pub state: ChargeState,
    /// How much was charged.
    pub amount: Money,
    /// How much of what came went back, as the provider totals it. What was authorized and never captured did not come.
    pub refunded: Money,
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
    /// Whether the provider deleted or archived it.
    pub deleted: bool,
    /// Whether the photograph is a tombstone that says nothing else.
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

/// A price in the provider's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Price {
    /// Whether it can be sold.
    pub active: bool,
    /// Amount per unit, where it is a whole number of minor units.
    pub unit_amount: Option<Money>,
    /// The billing interval: none for a one-time price.
    pub interval: Option<Interval>,
    /// Whether the provider deleted it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub deleted: bool,
    /// Whether the photograph is a tombstone that says nothing else.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub bare: bool,
}

/// How often a recurring price bills.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// `day`, `week`, `month` or `year`.
    pub unit: String,
    /// How many of them.
    pub count: u32,
}

/// A product in the provider's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Product {
    /// Its name.
    pub name: Option<String>,
    /// Whether it can be sold.
    pub active: bool,
    /// Whether the provider deleted it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub deleted: bool,
    /// Whether the photograph is a tombstone that says nothing else.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub bare: bool,
}

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Refund {
    /// Its state.
    pub state: RefundState,
    /// How much goes back.
    pub amount: Money,
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
    /// Whether invoices are made and not collected. Not a pause: service goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub collection_paused: bool,
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

/// One thing that a subscription bills.
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
