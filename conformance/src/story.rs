//! Defines stories. A story is what one customer buys, pays, changes and takes back, over a simulated clock of whole
//! seconds, in no provider's terms. A [`Teller`] turns it into its provider's events, and the [`World`] holds what is
//! true at its end. A random story is therefore both a generated test and its oracle, and no part of it uses the code
//! under test.

mod judge;
mod outcome;
mod properties;
mod teller;
mod wish;
mod world;

use std::{collections::BTreeMap, fmt};

pub use judge::{Budget, Judge, hold};
pub use outcome::{clocks, expectations};
pub use properties::Properties;
pub use teller::{Names, Sent, Teller, Told, Ways};
pub use wish::{Wish, wishes};
pub use world::{Dispute, Movement, Payment, Refund, Standing, Subscription, World};

/// The seconds of a day.
pub const DAY_SECONDS: i64 = 24 * 3600;
/// How long a paid period lasts.
pub const PERIOD_SECONDS: i64 = 30 * DAY_SECONDS;
/// How long a trial lasts.
pub const TRIAL_SECONDS: i64 = 14 * DAY_SECONDS;
/// The clock at the beginning of every story: 2026-10-05T08:00:00Z.
pub const START_SECONDS: i64 = 1_791_187_200;
/// The application's own id of the customer.
pub const OWNER: &str = "user-of-a-story";
/// The price of one unit in minor units. Each price sells the offer at the same index.
pub const UNIT_AMOUNTS: [i64; 4] = [1000, 2500, 700, 4900];
/// The currency of every amount.
pub const CURRENCY: &str = "EUR";
/// The e-mail addresses that the customer switches between.
pub const EMAILS: [&str; 3] = ["first@example.com", "second@example.com", "third@example.com"];

/// The offer that a price sells.
pub fn offer(price: usize) -> String {
    format!("offer-{price}")
}

/// The items sold: quantities by price.
pub type Items = BTreeMap<usize, u64>;

/// The total price of items.
pub fn cost(items: &Items) -> i64 {
    items.iter().map(|(price, quantity)| UNIT_AMOUNTS[*price] * i64::try_from(*quantity).unwrap_or(i64::MAX)).sum()
}

/// A story: a seed, a dialect and scenes.
#[derive(Clone, PartialEq, Eq)]
pub struct Story {
    /// The seed of what a teller draws: ids that don't sort in the order in which they were assigned, and schedules.
    pub seed: u64,
    /// Selects what a teller may vary freely, above all API versions.
    pub dialect: u8,
    /// The scenes in their true order.
    pub scenes: Vec<Scene>,
}

/// One step of a story and its time.
#[derive(Clone, PartialEq, Eq)]
pub struct Scene {
    /// The time, in seconds since 1970. It is never before the previous scene's, and often in the same second.
    pub at: i64,
    /// The step.
    pub step: Step,
}

/// A span of time in seconds since 1970. The end is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The start.
    pub start: i64,
    /// The end.
    pub end: i64,
}

impl Span {
    /// A paid period that begins at this time.
    pub fn period(start: i64) -> Self {
        Self { start, end: start + PERIOD_SECONDS }
    }
}

/// What can happen in a story. Subscriptions, payments, refunds and disputes are each numbered in the order in which
/// they appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A one-time purchase by checkout is paid, after some declined attempts.
    Buy {
        /// The payment.
        payment: usize,
        /// The price that is bought, with quantity one.
        price: usize,
        /// Declined attempts before the one that succeeded.
        declined: u8,
        /// Whether the provider creates no customer for the buyer. The application itself then names the owner.
        guest: bool,
        /// Whether the application names the owner at the checkout.
        names_owner: bool,
    },
    /// The items of a subscription change. The provider bills nothing for the change.
    Change {
        /// The subscription.
        subscription: usize,
        /// The new items.
        items: Items,
    },
    /// A dispute is opened over the whole payment.
    Dispute {
        /// The dispute.
        dispute: usize,
        /// The payment.
        payment: usize,
    },
    /// A dispute ends.
    DisputeEnds {
        /// The dispute.
        dispute: usize,
        /// Whether the money was returned to the seller.
        won: bool,
    },
    /// A subscription ends immediately.
    End {
        /// The subscription.
        subscription: usize,
    },
    /// The bank sends back a refund that had succeeded.
    FailRefund {
        /// The refund.
        refund: usize,
    },
    /// The provider stops trying to collect.
    GiveUp {
        /// The subscription.
        subscription: usize,
        /// The new state of the subscription: canceled, paused or unpaid.
        becomes: Standing,
    },
    /// The provider sends an event without meaning for the library.
    Noise,
    /// The application names the owner of the customer.
    NameOwner,
    /// A subscription is paused immediately.
    Pause {
        /// The subscription.
        subscription: usize,
    },
    /// The scheduled end or pause takes effect.
    PeriodEnds {
        /// The subscription.
        subscription: usize,
    },
    /// A payment is refunded in part or in full.
    Refund {
        /// The refund.
        refund: usize,
        /// The payment.
        payment: usize,
        /// The amount.
        amount: i64,
        /// Whether the refund succeeds at once. Otherwise it is pending.
        settled: bool,
    },
    /// The customer gets another e-mail address.
    Rename {
        /// The index in [`EMAILS`].
        email: usize,
    },
    /// A period or the trial ends, and the next period is billed.
    Renew {
        /// The subscription.
        subscription: usize,
        /// The payment.
        payment: usize,
        /// The next period.
        period: Span,
        /// Seconds between the beginning of the period and the attempt to collect.
        lag: i64,
        /// Whether it is paid.
        paid: bool,
    },
    /// A paused subscription resumes with a new period, which is paid at once.
    Resume {
        /// The subscription.
        subscription: usize,
        /// The payment.
        payment: usize,
        /// The new period.
        period: Span,
    },
    /// The provider tries again to collect an unpaid payment.
    Retry {
        /// The subscription.
        subscription: usize,
        /// Whether the attempt succeeds.
        paid: bool,
    },
    /// A subscription is scheduled to end with its period.
    ScheduleEnd {
        /// The subscription.
        subscription: usize,
    },
    /// A subscription is scheduled to be paused at the end of its period.
    SchedulePause {
        /// The subscription.
        subscription: usize,
    },
    /// A pending refund is decided.
    SettleRefund {
        /// The refund.
        refund: usize,
        /// Whether the refund succeeds.
        succeeds: bool,
    },
    /// A subscription is bought by checkout. It is paid, or it begins with a trial.
    SignUp {
        /// The subscription.
        subscription: usize,
        /// The first payment; none for a trial.
        payment: Option<usize>,
        /// The items bought.
        items: Items,
        /// The first period, or the trial.
        period: Span,
        /// Declined attempts before the one that succeeded.
        declined: u8,
        /// Whether the application names the owner at the checkout.
        names_owner: bool,
    },
    /// A scheduled end or pause is canceled.
    Unschedule {
        /// The subscription.
        subscription: usize,
    },
}

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "story of seed {} in dialect {}", self.seed, self.dialect)?;
        self.scenes.iter().try_for_each(|scene| write!(f, "\n  {scene:?}"))
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}s {:?}", self.at - START_SECONDS, self.step)
    }
}
