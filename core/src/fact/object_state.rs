//! The neutral state that an observation contains for each kind of object, without incidental fields. Two
//! observations with equal values here are the same state, whatever else the provider changed.
//!
//! References to other objects are not state: facts contain them as [`Link`](super::Link)s.

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
pub enum ObjectState {
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

impl ObjectState {
    /// The kind of the object.
    pub fn kind(&self) -> ObjectKind {
        match self {
            ObjectState::Charge(_) => ObjectKind::Charge,
            ObjectState::Checkout(_) => ObjectKind::Checkout,
            ObjectState::Credit(_) => ObjectKind::Credit,
            ObjectState::Customer(_) => ObjectKind::Customer,
            ObjectState::Dispute(_) => ObjectKind::Dispute,
            ObjectState::Invoice(_) => ObjectKind::Invoice,
            ObjectState::Payment(_) => ObjectKind::Payment,
            ObjectState::Price(_) => ObjectKind::Price,
            ObjectState::Product(_) => ObjectKind::Product,
            ObjectState::Refund(_) => ObjectKind::Refund,
            ObjectState::Release(_) => ObjectKind::Release,
            ObjectState::Reversal(_) => ObjectKind::Reversal,
            ObjectState::Schedule(_) => ObjectKind::Schedule,
            ObjectState::Subscription(_) => ObjectKind::Subscription,
        }
    }

    /// Whether the object ended for good: no later observation may show another state.
    pub fn is_terminal(&self) -> bool {
        match self {
            ObjectState::Charge(_)
            | ObjectState::Credit(_)
            | ObjectState::Dispute(_)
            | ObjectState::Release(_)
            | ObjectState::Reversal(_) => false,
            ObjectState::Checkout(it) => matches!(it.state, CheckoutState::Expired | CheckoutState::Paid),
            ObjectState::Customer(it) => it.deleted,
            ObjectState::Invoice(it) => it.deleted || matches!(it.state, InvoiceState::Paid | InvoiceState::Void),
            ObjectState::Payment(it) => matches!(it.state, PaymentState::Canceled | PaymentState::Succeeded),
            ObjectState::Price(it) => it.deleted,
            ObjectState::Product(it) => it.deleted,
            ObjectState::Refund(it) => matches!(it.state, RefundState::Canceled | RefundState::Failed),
            ObjectState::Schedule(it) => {
                matches!(it.state, ScheduleState::Canceled | ScheduleState::Completed | ScheduleState::Released)
            }
            ObjectState::Subscription(it) => {
                matches!(it.status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired)
            }
        }
    }

    /// Whether the observation can be read on its own: its state is known, and it is not a bare tombstone. After an
    /// unreadable observation, the previously known state is still shown.
    pub fn is_readable(&self) -> bool {
        match self {
            ObjectState::Customer(it) => !it.bare,
            ObjectState::Product(it) => !it.bare,
            ObjectState::Price(it) => !it.bare,
            ObjectState::Checkout(it) => it.state != CheckoutState::Unknown,
            ObjectState::Credit(it) => it.state != CreditState::Unknown,
            ObjectState::Dispute(it) => it.state != DisputeState::Unknown,
            ObjectState::Invoice(it) => it.state != InvoiceState::Unknown,
            ObjectState::Payment(it) => it.state != PaymentState::Unknown,
            ObjectState::Refund(it) => it.state != RefundState::Unknown,
            ObjectState::Subscription(it) => it.status != SubscriptionStatus::Unknown,
            ObjectState::Charge(_) | ObjectState::Release(_) | ObjectState::Reversal(_) | ObjectState::Schedule(_) => {
                true
            }
        }
    }

    /// How far the state is along the object's life, declared per kind. States that an object can alternate between
    /// are equal. Used only if no evidence orders a tie.
    pub fn progress(&self) -> u8 {
        match self {
            ObjectState::Charge(it) => it.state as u8,
            ObjectState::Checkout(it) => it.state as u8,
            ObjectState::Credit(it) => it.state as u8,
            ObjectState::Customer(it) => u8::from(it.deleted),
            ObjectState::Dispute(it) => it.state as u8,
            ObjectState::Invoice(it) => it.state as u8 + 10 * u8::from(it.deleted),
            ObjectState::Payment(it) => it.state as u8,
            ObjectState::Price(it) => u8::from(it.deleted),
            ObjectState::Product(it) => u8::from(it.deleted),
            ObjectState::Refund(it) => it.state as u8,
            ObjectState::Release(it) => u8::from(it.counted),
            ObjectState::Reversal(it) => it.undoes as u8,
            ObjectState::Schedule(it) => it.state as u8,
            ObjectState::Subscription(it) => match it.status {
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

    /// Measures that only grow over an object's life. Used only if no evidence orders a tie.
    pub fn measures(&self) -> [i64; 3] {
        let micros = |time: Option<Timestamp>| time.map_or(i64::MIN, Timestamp::micros);
        match self {
            ObjectState::Charge(it) => [it.refunded.minor(), 0, 0],
            ObjectState::Invoice(it) => [it.amount_paid.minor(), i64::from(it.attempts), micros(it.finalized_at)],
            ObjectState::Subscription(it) => [
                micros(it.period.map(|period| period.end)),
                micros(it.period.map(|period| period.start)),
                micros(it.ended_at),
            ],
            ObjectState::Payment(it) => [i64::from(it.step), 0, 0],
            ObjectState::Checkout(_)
            | ObjectState::Credit(_)
            | ObjectState::Customer(_)
            | ObjectState::Dispute(_)
            | ObjectState::Price(_)
            | ObjectState::Product(_)
            | ObjectState::Refund(_)
            | ObjectState::Release(_)
            | ObjectState::Reversal(_)
            | ObjectState::Schedule(_) => [0; 3],
        }
    }

    /// Carries over write-once times that an earlier observation had and this one lacks.
    pub(crate) fn keep_write_once(&mut self, earlier: &ObjectState) {
        match (self, earlier) {
            (ObjectState::Invoice(it), ObjectState::Invoice(was)) => {
                it.finalized_at = it.finalized_at.or(was.finalized_at);
                it.paid_at = it.paid_at.or(was.paid_at);
                it.voided_at = it.voided_at.or(was.voided_at);
            }
            (ObjectState::Subscription(it), ObjectState::Subscription(was)) => {
                it.ended_at = it.ended_at.or(was.ended_at);
                it.started_at = it.started_at.or(was.started_at);
            }
            _ => {}
        }
    }
}
