//! Decides how the account is set up: where its pages are, when things happen by themselves, and which recorded oddities
//! of Paddle's events it has.

use serde::{Deserialize, Serialize};

/// The seconds of a day.
const DAY: i64 = 86_400;

/// The settings of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// Where the emulator answers. Links to the checkout, to the portal and to the next page of a list begin with it.
    pub base_url: String,
    /// Whether renewals, scheduled changes and retries happen by themselves. Otherwise each needs an act.
    pub automatic: bool,
    /// Who approves refunds.
    pub refunds: Approval,
    /// Seconds between the billing of a renewal and the attempt to collect it. Recorded: 2 to 5 seconds.
    pub collection_delay_seconds: i64,
    /// When an unpaid renewal is collected again, in seconds after the first failure.
    pub retries_seconds: Vec<i64>,
    /// How long an unpaid renewal is collected, in seconds. Paddle documents 30 days.
    pub dunning_seconds: i64,
    /// What happens to a subscription when nothing was collected until then.
    pub dunning_ends: DunningEnd,
    /// Whether objects have the fields that are newer than the OpenAPI document of 2025-05-27.
    pub later_fields: bool,
    /// The oddities of events.
    pub oddities: Oddities,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            base_url: "http://localhost".to_owned(),
            automatic: true,
            // Documented: sandbox accounts approve refunds every ten minutes.
            refunds: Approval::After { seconds: 600 },
            collection_delay_seconds: 0,
            // Paddle documents the 30 days, and keeps the times of its retries to itself.
            retries_seconds: [1, 3, 5, 8, 12, 17, 23].map(|day| day * DAY).to_vec(),
            dunning_seconds: 30 * DAY,
            dunning_ends: DunningEnd::Cancel,
            later_fields: false,
            oddities: Oddities::default(),
        }
    }
}

/// Who approves refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Paddle, so many seconds after the request.
    After {
        /// The seconds.
        seconds: i64,
    },
    /// Paddle, when the refund is created. Documented: some refunds of live accounts are approved automatically.
    AtOnce,
    /// Somebody, by an act.
    ByAct,
}

/// What happens to a subscription that could not be collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DunningEnd {
    /// It is canceled.
    Cancel,
    /// It is paused.
    Pause,
}

/// What recorded events of Paddle show that nobody would expect. Each field says how many of a hundred occasions have
/// the oddity. Objects that are read through the API never have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oddities {
    /// `subscription.activated` occurs before `subscription.created`.
    pub activated_before_created: u8,
    /// `customer.created` occurs after the transaction that names the customer is ready.
    pub customer_after_ready: u8,
    /// `transaction.payment_failed` shows the billed transaction, and occurs after `transaction.past_due`.
    pub failure_after_past_due: u8,
    /// `updated_at` of a renewed subscription is the end of its period.
    pub future_time: u8,
    /// `updated_at` of a transaction has nanoseconds in the first event that shows a change.
    pub nanoseconds: u8,
    /// `transaction.ready` occurs before `transaction.created`.
    pub ready_before_created: u8,
    /// `transaction.created` and `transaction.billed` have the same `occurred_at`.
    pub same_microsecond: u8,
    /// The past due transaction keeps the `updated_at` of the billed one.
    pub shared_time: u8,
    /// `transaction.updated` with the state before completion occurs after `transaction.completed`.
    pub stale_after_completed: u8,
    /// The event of a new status occurs before its `….updated`. No order is documented.
    pub status_before_updated: u8,
    /// A checkout's transaction completes before its subscription exists. A later `transaction.updated` names it.
    pub subscription_after_completed: u8,
    /// `updated_at` of a new adjustment is 0001-01-01T00:00:00Z.
    pub zero_time: u8,
}

impl Oddities {
    /// All oddities, each on so many of a hundred occasions.
    pub fn all(percent: u8) -> Self {
        Self {
            activated_before_created: percent,
            customer_after_ready: percent,
            failure_after_past_due: percent,
            future_time: percent,
            nanoseconds: percent,
            ready_before_created: percent,
            same_microsecond: percent,
            shared_time: percent,
            stale_after_completed: percent,
            status_before_updated: percent,
            subscription_after_completed: percent,
            zero_time: percent,
        }
    }
}
