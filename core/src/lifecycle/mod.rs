//! Derives the lifecycle state of an agreement, and which changes of it are transitions. Every match is total: a new
//! provider status or a new state must be placed here by hand.
//!
//! # Example
//!
//! ```
//! use purchase_core::{
//!     entitlement::{Access, AccessPolicy, Standing},
//!     fact::object_state::SubscriptionStatus,
//!     lifecycle::{Lifecycle, of_subscription},
//!     time::Timestamp,
//! };
//!
//! assert_eq!(of_subscription(SubscriptionStatus::PastDue), Lifecycle::Grace); // a renewal is unpaid
//! let gives_access = |state| { // under the default policy
//!     let standing = Standing {
//!         state,
//!         began_at: Timestamp::EPOCH,
//!         since: Timestamp::EPOCH,
//!         ends_at: None,
//!         pause_at: None,
//!         period_end: None,
//!         given_up: false,
//!         disputed: false,
//!         dunning_seconds: 30 * 24 * 3600,
//!     };
//!     matches!(AccessPolicy::default().access(&standing, Timestamp::EPOCH), Access::Granted(_))
//! };
//! assert_eq!([Lifecycle::Active, Lifecycle::Grace, Lifecycle::Trialing].map(gives_access), [true; 3]);
//! let closed = [Lifecycle::Canceled, Lifecycle::Expired, Lifecycle::Paused, Lifecycle::Pending, Lifecycle::Refunded];
//! assert_eq!(closed.map(gives_access), [false; 5]);
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    fact::object_state::{
        CheckoutState, CreditState, DisputeState, InvoiceState, ObjectState, PaymentState, RefundState, Subscription,
        SubscriptionStatus, Undone,
    },
    time::Timestamp,
};

/// The eight states of an agreement: a subscription or a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Paid for.
    Active,
    /// Ended.
    Canceled,
    /// Not paid in time.
    Expired,
    /// A renewal is unpaid.
    Grace,
    /// Paused until it is resumed.
    Paused,
    /// Not paid yet.
    Pending,
    /// Paid, and the money was returned.
    Refunded,
    /// In its trial.
    Trialing,
}

impl Lifecycle {
    /// Its name in the database and in the projection.
    pub fn as_str(self) -> &'static str {
        match self {
            Lifecycle::Active => "active",
            Lifecycle::Canceled => "canceled",
            Lifecycle::Expired => "expired",
            Lifecycle::Grace => "grace",
            Lifecycle::Paused => "paused",
            Lifecycle::Pending => "pending",
            Lifecycle::Refunded => "refunded",
            Lifecycle::Trialing => "trialing",
        }
    }
}

/// The state of a subscription. An unknown status gives no information: the previously known status applies, and a
/// subscription without any other is pending.
pub fn of_subscription(status: SubscriptionStatus) -> Lifecycle {
    match status {
        SubscriptionStatus::Active => Lifecycle::Active,
        SubscriptionStatus::Canceled => Lifecycle::Canceled,
        SubscriptionStatus::Expired => Lifecycle::Expired,
        SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid => Lifecycle::Grace,
        SubscriptionStatus::Paused => Lifecycle::Paused,
        SubscriptionStatus::Pending | SubscriptionStatus::Unknown => Lifecycle::Pending,
        SubscriptionStatus::Trialing => Lifecycle::Trialing,
    }
}

/// The state of a one-time purchase, from its payment and whether the money was returned: by refunds of the whole
/// amount, or by open or lost disputes over it.
pub fn of_purchase(payment: PaymentState, money_went_back: bool) -> Lifecycle {
    match payment {
        PaymentState::Succeeded if money_went_back => Lifecycle::Refunded,
        PaymentState::Succeeded => Lifecycle::Active,
        PaymentState::Canceled => Lifecycle::Canceled,
        PaymentState::Authorized
        | PaymentState::Failed
        | PaymentState::Pending
        | PaymentState::Processing
        | PaymentState::Unknown => Lifecycle::Pending,
    }
}

/// A change of commercial state, derived from the ordered history. Its key is (object, change, time), so deriving it
/// again is not a second change. The time is that of the observation which shows the change: an earlier observation
/// that arrives late may move it. The customer it concerns is not part of it, because an owner may become known
/// later; a receipt contains the customer known at its time
/// ([`TransitionReceipt`](crate::receipt::TransitionReceipt)).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Transition {
    /// The object's public id.
    pub object: String,
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// What changed.
    pub change: Change,
}

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A subscription became active for the first time, or after its first payment.
    Activated,
    /// A subscription's end was scheduled.
    CancelScheduled,
    /// A subscription's scheduled end was withdrawn.
    CancelUnscheduled,
    /// A subscription or a payment ended.
    Canceled,
    /// A checkout was completed; its payment is still outstanding.
    CheckoutCompleted,
    /// A checkout's payment failed.
    CheckoutFailed,
    /// A checkout is paid.
    CheckoutPaid,
    /// A credit was issued.
    CreditIssued,
    /// A credit was reversed.
    CreditReversed,
    /// A dispute was lost.
    DisputeLost,
    /// A dispute was opened.
    DisputeOpened,
    /// A dispute was won.
    DisputeWon,
    /// A checkout or a first payment did not happen in time.
    Expired,
    /// An invoice is paid.
    InvoicePaid,
    /// An invoice was marked uncollectible.
    InvoiceUncollectible,
    /// An invoice was voided.
    InvoiceVoided,
    /// The items that a subscription bills, or their quantities, changed.
    ItemsChanged,
    /// A renewal is unpaid.
    PastDue,
    /// A subscription's pause was scheduled.
    PauseScheduled,
    /// A subscription's scheduled pause was withdrawn.
    PauseUnscheduled,
    /// A subscription was paused.
    Paused,
    /// A payment failed.
    PaymentFailed,
    /// A payment succeeded.
    PaymentSucceeded,
    /// A subscription that was not paid is paid again.
    Recovered,
    /// A refund failed or was canceled.
    RefundFailed,
    /// A refund succeeded.
    Refunded,
    /// A new period of a subscription began.
    Renewed,
    /// A subscription resumed after a pause.
    Resumed,
    /// A trial started.
    TrialStarted,
    /// The provider stopped trying to collect a renewal.
    Unpaid,
}

impl Change {
    /// Every change, in the order of their names.
    pub const ALL: &[Self] = &[
        Self::Activated,
        Self::CancelScheduled,
        Self::CancelUnscheduled,
        Self::Canceled,
        Self::CheckoutCompleted,
        Self::CheckoutFailed,
        Self::CheckoutPaid,
        Self::CreditIssued,
        Self::CreditReversed,
        Self::DisputeLost,
        Self::DisputeOpened,
        Self::DisputeWon,
        Self::Expired,
        Self::InvoicePaid,
        Self::InvoiceUncollectible,
        Self::InvoiceVoided,
        Self::ItemsChanged,
        Self::PastDue,
        Self::PauseScheduled,
        Self::PauseUnscheduled,
        Self::Paused,
        Self::PaymentFailed,
        Self::PaymentSucceeded,
        Self::Recovered,
        Self::RefundFailed,
        Self::Refunded,
        Self::Renewed,
        Self::Resumed,
        Self::TrialStarted,
        Self::Unpaid,
    ];

    /// Its name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Activated => "activated",
            Change::CancelScheduled => "cancel_scheduled",
            Change::CancelUnscheduled => "cancel_unscheduled",
            Change::Canceled => "canceled",
            Change::CheckoutCompleted => "checkout_completed",
            Change::CheckoutFailed => "checkout_failed",
            Change::CheckoutPaid => "checkout_paid",
            Change::CreditIssued => "credit_issued",
            Change::CreditReversed => "credit_reversed",
            Change::DisputeLost => "dispute_lost",
            Change::DisputeOpened => "dispute_opened",
            Change::DisputeWon => "dispute_won",
            Change::Expired => "expired",
            Change::InvoicePaid => "invoice_paid",
            Change::InvoiceUncollectible => "invoice_uncollectible",
            Change::InvoiceVoided => "invoice_voided",
            Change::ItemsChanged => "items_changed",
            Change::PastDue => "past_due",
            Change::PauseScheduled => "pause_scheduled",
            Change::PauseUnscheduled => "pause_unscheduled",
            Change::Paused => "paused",
            Change::PaymentFailed => "payment_failed",
            Change::PaymentSucceeded => "payment_succeeded",
            Change::Recovered => "recovered",
            Change::RefundFailed => "refund_failed",
            Change::Refunded => "refunded",
            Change::Renewed => "renewed",
            Change::Resumed => "resumed",
            Change::TrialStarted => "trial_started",
            Change::Unpaid => "unpaid",
        }
    }

    /// Whether it can happen to one object only once.
    pub fn happens_once(self) -> bool {
        match self {
            Change::Activated
            | Change::Canceled
            | Change::CheckoutCompleted
            | Change::CheckoutFailed
            | Change::CheckoutPaid
            | Change::CreditIssued
            | Change::CreditReversed
            | Change::Expired
            | Change::InvoicePaid
            | Change::InvoiceUncollectible
            | Change::InvoiceVoided
            | Change::PaymentSucceeded
            | Change::RefundFailed
            | Change::Refunded
            | Change::TrialStarted => true,
            Change::CancelScheduled
            | Change::CancelUnscheduled
            | Change::DisputeLost
            | Change::DisputeOpened
            | Change::DisputeWon
            | Change::ItemsChanged
            | Change::PastDue
            | Change::PauseScheduled
            | Change::PauseUnscheduled
            | Change::Paused
            | Change::PaymentFailed
            | Change::Recovered
            | Change::Renewed
            | Change::Resumed
            | Change::Unpaid => false,
        }
    }
}

/// The changes between two states of one object. `before` is `None` for the first state.
pub fn between(before: Option<&ObjectState>, after: &ObjectState) -> Vec<Change> {
    if let ObjectState::Subscription(after) = after {
        let before = before.and_then(|object_state| match object_state {
            ObjectState::Subscription(before) => Some(before.as_ref()),
            _ => None,
        });
        return subscription(before, after);
    }
    let change = arrival(after);
    match before.and_then(arrival) == change {
        true => Vec::new(),
        false => change.into_iter().collect(),
    }
}

/// The change that an object other than a subscription undergoes by entering its state.
fn arrival(object_state: &ObjectState) -> Option<Change> {
    match object_state {
        ObjectState::Checkout(it) => match it.state {
            CheckoutState::Completed => Some(Change::CheckoutCompleted),
            CheckoutState::Expired => Some(Change::Expired),
            CheckoutState::Failed => Some(Change::CheckoutFailed),
            CheckoutState::Paid => Some(Change::CheckoutPaid),
            CheckoutState::Open | CheckoutState::Unknown => None,
        },
        ObjectState::Credit(it) => match it.state {
            CreditState::Issued => Some(Change::CreditIssued),
            CreditState::Reversed => Some(Change::CreditReversed),
            CreditState::Pending | CreditState::Rejected | CreditState::Unknown => None,
        },
        ObjectState::Dispute(it) => match it.state {
            DisputeState::Lost => Some(Change::DisputeLost),
            DisputeState::Open => Some(Change::DisputeOpened),
            DisputeState::Won => Some(Change::DisputeWon),
            DisputeState::Closed | DisputeState::Inquiry | DisputeState::Unknown => None,
        },
        ObjectState::Invoice(it) => match it.state {
            InvoiceState::Paid => Some(Change::InvoicePaid),
            InvoiceState::Uncollectible => Some(Change::InvoiceUncollectible),
            InvoiceState::Void => Some(Change::InvoiceVoided),
            InvoiceState::Draft | InvoiceState::Open | InvoiceState::Unknown => None,
        },
        ObjectState::Payment(it) => match it.state {
            PaymentState::Canceled => Some(Change::Canceled),
            PaymentState::Failed => Some(Change::PaymentFailed),
            PaymentState::Succeeded => Some(Change::PaymentSucceeded),
            PaymentState::Authorized | PaymentState::Pending | PaymentState::Processing | PaymentState::Unknown => None,
        },
        ObjectState::Refund(it) => match it.state {
            RefundState::Succeeded => Some(Change::Refunded),
            RefundState::Canceled | RefundState::Failed => Some(Change::RefundFailed),
            RefundState::Pending | RefundState::RequiresAction | RefundState::Unknown => None,
        },
        ObjectState::Reversal(it) => match it.undoes {
            Undone::Credit => Some(Change::CreditReversed),
            Undone::Dispute => Some(Change::DisputeWon),
            Undone::Inquiry | Undone::Nothing => None,
        },
        ObjectState::Charge(_)
        | ObjectState::Customer(_)
        | ObjectState::Price(_)
        | ObjectState::Product(_)
        | ObjectState::Release(_)
        | ObjectState::Schedule(_)
        | ObjectState::Subscription(_) => None,
    }
}

fn subscription(before: Option<&Subscription>, after: &Subscription) -> Vec<Change> {
    let mut changes = Vec::new();
    let was = before.map_or(SubscriptionStatus::Pending, |before| before.status);
    if was != after.status {
        changes.extend(status_change(was, after.status));
    }
    let Some(before) = before else {
        return changes;
    };
    match (before.cancel_at, after.cancel_at) {
        (None, Some(_)) => changes.push(Change::CancelScheduled),
        (Some(_), None) if after.ended_at.is_none() => changes.push(Change::CancelUnscheduled),
        _ => {}
    }
    match (before.pause_at, after.pause_at) {
        (None, Some(_)) => changes.push(Change::PauseScheduled),
        (Some(_), None) if before.status == after.status => changes.push(Change::PauseUnscheduled),
        _ => {}
    }
    if before.items != after.items {
        changes.push(Change::ItemsChanged);
    }
    if let (Some(old), Some(new)) = (before.period, after.period)
        && new.start >= old.end
    {
        changes.push(Change::Renewed);
    }
    changes
}

fn status_change(was: SubscriptionStatus, is: SubscriptionStatus) -> Option<Change> {
    match is {
        SubscriptionStatus::Active => match was {
            SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid => Some(Change::Recovered),
            SubscriptionStatus::Paused => Some(Change::Resumed),
            SubscriptionStatus::Active
            | SubscriptionStatus::Canceled
            | SubscriptionStatus::Expired
            | SubscriptionStatus::Pending
            | SubscriptionStatus::Trialing
            | SubscriptionStatus::Unknown => Some(Change::Activated),
        },
        SubscriptionStatus::Canceled => Some(Change::Canceled),
        SubscriptionStatus::Expired => Some(Change::Expired),
        SubscriptionStatus::PastDue => Some(Change::PastDue),
        SubscriptionStatus::Paused => Some(Change::Paused),
        SubscriptionStatus::Trialing => Some(Change::TrialStarted),
        SubscriptionStatus::Unpaid => Some(Change::Unpaid),
        SubscriptionStatus::Pending | SubscriptionStatus::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::object_state::{Item, Period},
        id::ProviderId,
    };

    /// `active`, `active x5` with quantity five, `active @2` in the second period, `active !` with a scheduled end,
    /// `active ~` with a scheduled pause.
    fn object_state(text: &str) -> ObjectState {
        let mut words = text.split_whitespace();
        let status: SubscriptionStatus =
            serde_json::from_value(serde_json::Value::from(words.next().expect("a status"))).expect("a status");
        let mut it = Subscription::new(status, "");
        for word in words {
            let number = || word[1..].parse::<i64>().expect("a number");
            let at = |seconds| Timestamp::from_seconds(seconds).expect("in range");
            match &word[..1] {
                "x" => {
                    let price = ProviderId::new("p").expect("id");
                    it.items.push(Item { price, quantity: number().try_into().ok() });
                }
                "@" => it.period = Some(Period { start: at(number() * 10), end: at(number() * 10 + 10) }),
                "~" => it.pause_at = Some(at(1)),
                _ => it.cancel_at = Some(at(1)),
            }
        }
        ObjectState::Subscription(Box::new(it))
    }

    #[test]
    fn a_subscriptions_changes_have_names() {
        let check = |before: &str, after: &str, expect: &[Change]| {
            let before = (!before.is_empty()).then(|| object_state(before));
            assert_eq!(between(before.as_ref(), &object_state(after)), expect, "{after}");
        };
        check("", "pending", &[]);
        check("", "active", &[Change::Activated]);
        check("pending", "active", &[Change::Activated]);
        check("", "trialing", &[Change::TrialStarted]);
        check("trialing", "active", &[Change::Activated]);
        check("active @1", "active @2", &[Change::Renewed]);
        check("active", "past_due", &[Change::PastDue]);
        check("past_due", "active", &[Change::Recovered]);
        check("past_due", "unpaid", &[Change::Unpaid]);
        check("unpaid", "active", &[Change::Recovered]);
        check("active", "paused", &[Change::Paused]);
        check("paused", "active", &[Change::Resumed]);
        check("active", "active !", &[Change::CancelScheduled]);
        check("active !", "active", &[Change::CancelUnscheduled]);
        check("active", "active ~", &[Change::PauseScheduled]);
        check("active ~", "active", &[Change::PauseUnscheduled]);
        check("active ~", "paused", &[Change::Paused]);
        check("active x5", "active x6", &[Change::ItemsChanged]);
        check("active !", "canceled !", &[Change::Canceled]);
        check("pending", "expired", &[Change::Expired]);
        check("active x5 @1", "active x5 @1", &[]);
    }
}
