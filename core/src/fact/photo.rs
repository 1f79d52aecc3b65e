//! Decides what a photograph of each kind of object holds: the neutral state, and nothing that is only incidental.
//! Two photographs that are equal here are the same state to us, whatever else the provider changed.
//!
//! References to other objects are not state: they travel as [`Link`](super::Link)s.

mod adjustments;
mod catalogue;
mod kinds;

use serde::{Deserialize, Serialize};

pub use adjustments::*;
pub use catalogue::*;
pub use kinds::*;

use crate::{id::ObjectKind, time::Timestamp};

/// The neutral state of one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Photo {
    /// See [`Charge`].
    Charge(Charge),
    /// See [`Checkout`].
    Checkout(Checkout),
    /// See [`Credit`].
    Credit(Credit),
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
    /// See [`Release`].
    Release(Release),
    /// See [`Reversal`].
    Reversal(Reversal),
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
            Photo::Credit(_) => ObjectKind::Credit,
            Photo::Customer(_) => ObjectKind::Customer,
            Photo::Dispute(_) => ObjectKind::Dispute,
            Photo::Invoice(_) => ObjectKind::Invoice,
            Photo::Payment(_) => ObjectKind::Payment,
            Photo::Price(_) => ObjectKind::Price,
            Photo::Product(_) => ObjectKind::Product,
            Photo::Refund(_) => ObjectKind::Refund,
            Photo::Release(_) => ObjectKind::Release,
            Photo::Reversal(_) => ObjectKind::Reversal,
            Photo::Schedule(_) => ObjectKind::Schedule,
            Photo::Subscription(_) => ObjectKind::Subscription,
        }
    }

    /// Whether the object is over for good: no later photograph may show another state.
    pub fn is_terminal(&self) -> bool {
        match self {
            Photo::Charge(_) | Photo::Credit(_) | Photo::Dispute(_) | Photo::Release(_) | Photo::Reversal(_) => false,
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
            Photo::Credit(it) => it.state != CreditState::Unknown,
            Photo::Dispute(it) => it.state != DisputeState::Unknown,
            Photo::Invoice(it) => it.state != InvoiceState::Unknown,
            Photo::Payment(it) => it.state != PaymentState::Unknown,
            Photo::Refund(it) => it.state != RefundState::Unknown,
            Photo::Subscription(it) => it.status != SubscriptionStatus::Unknown,
            Photo::Charge(_) | Photo::Release(_) | Photo::Reversal(_) | Photo::Schedule(_) => true,
        }
    }

    /// How far the state is along the object's life, declared per kind. Equal for states that an object passes to
    /// and fro. Read only where no evidence orders a tie.
    pub fn progress(&self) -> u8 {
        match self {
            Photo::Charge(it) => it.state as u8,
            Photo::Checkout(it) => it.state as u8,
            Photo::Credit(it) => it.state as u8,
            Photo::Customer(it) => u8::from(it.deleted),
            Photo::Dispute(it) => it.state as u8,
            Photo::Invoice(it) => it.state as u8 + 10 * u8::from(it.deleted),
            Photo::Payment(it) => it.state as u8,
            Photo::Price(it) => u8::from(it.deleted),
            Photo::Product(it) => u8::from(it.deleted),
            Photo::Refund(it) => it.state as u8,
            Photo::Release(it) => u8::from(it.counted),
            Photo::Reversal(it) => it.undoes as u8,
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
            | Photo::Credit(_)
            | Photo::Customer(_)
            | Photo::Dispute(_)
            | Photo::Price(_)
            | Photo::Product(_)
            | Photo::Refund(_)
            | Photo::Release(_)
            | Photo::Reversal(_)
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
            (Photo::Subscription(it), Photo::Subscription(was)) => {
                it.ended_at = it.ended_at.or(was.ended_at);
                it.started_at = it.started_at.or(was.started_at);
            }
            _ => {}
        }
    }
}
