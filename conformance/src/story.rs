//! Decides what a story is: what one customer buys, pays, changes and takes back, over a simulated clock of whole
//! seconds, in nobody's words. A [`Teller`] tells it as its provider would; the [`World`] is what is true at its end. So a
//! random story is both the generator of a test and its oracle, and no part of it asks the code that is judged.

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

/// A day.
pub const DAY_SECONDS: i64 = 24 * 3600;
/// How long a paid period lasts.
pub const PERIOD_SECONDS: i64 = 30 * DAY_SECONDS;
/// How long a trial lasts.
pub const TRIAL_SECONDS: i64 = 14 * DAY_SECONDS;
/// The clock at the beginning of every story: 2026-10-05T08:00:00Z.
pub const START_SECONDS: i64 = 1_791_187_200;
/// The application's own id of the customer.
pub const OWNER: &str = "user-of-a-story";
/// What a unit of each price costs, in minor units. A price sells the offer of the same place.
pub const UNIT_AMOUNTS: [i64; 4] = [1000, 2500, 700, 4900];
/// The currency of everything.
pub const CURRENCY: &str = "EUR";
/// The addresses that the customer moves between.
pub const EMAILS: [&str; 3] = ["first@example.com", "second@example.com", "third@example.com"];

/// The offer that a price sells.
pub fn offer(price: usize) -> String {
    format!("offer-{price}")
}

/// What is sold: quantities by price.
pub type Items = BTreeMap<usize, u64>;

/// What items cost.
pub fn cost(items: &Items) -> i64 {
    items.iter().map(|(price, quantity)| UNIT_AMOUNTS[*price] * i64::try_from(*quantity).unwrap_or(i64::MAX)).sum()
}

/// A story.
#[derive(Clone, PartialEq, Eq)]
pub struct Story {
    /// For what a teller draws: ids that do not sort as they were given, schedules.
    pub seed: u64,
    /// What a teller may vary as it likes: API versions, above all.
    pub dialect: u8,
    /// What happens, in its true order.
    pub scenes: Vec<Scene>,
}

/// One thing that happens.
#[derive(Clone, PartialEq, Eq)]
pub struct Scene {
    /// When, in seconds since 1970. Never before the scene before; often in the same second.
    pub at: i64,
    /// What.
    pub step: Step,
}

/// A span of time in seconds since 1970, its end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From.
    pub start: i64,
    /// To.
    pub end: i64,
}

impl Span {
    /// A paid period.
    pub fn period(start: i64) -> Self {
        Self { start, end: start + PERIOD_SECONDS }
    }
}

/// What can happen. Subscriptions, payments, refunds and disputes are numbered each in the order in which they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A one-time purchase by checkout is paid, after some attempts that were declined.
    Buy {
        /// The payment.
        payment: usize,
        /// The only thing bought, one of it.
        price: usize,
        /// Attempts before the one that succeeded.
        declined: u8,
        /// Whether the buyer leaves no customer at the provider. The application then names itself as the owner.
        guest: bool,
        /// Whether the application names the owner at the checkout.
        names_owner: bool,
    },
    /// The items of a subscription change. Nothing is billed for it.
    Change {
        /// The subscription.
        subscription: usize,
        /// The items from now on.
        items: Items,
    },
    /// A dispute is opened over all of a payment.
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
        /// Whether the money came back.
        won: bool,
    },
    /// A subscription ends at once.
    End {
        /// The subscription.
        subscription: usize,
    },
    /// A refund that had succeeded is sent back by the bank.
    FailRefund {
        /// The refund.
        refund: usize,
    },
    /// The provider stops trying to collect.
    GiveUp {
        /// The subscription.
        subscription: usize,
        /// What becomes of it: canceled, paused or unpaid.
        becomes: Standing,
    },
    /// Something happens that means nothing here.
    Noise,
    /// The application names the owner of the customer.
    NameOwner,
    /// A subscription stands still from now on.
    Pause {
        /// The subscription.
        subscription: usize,
    },
    /// The end or the pause that was scheduled comes.
    PeriodEnds {
        /// The subscription.
        subscription: usize,
    },
    /// Money goes back.
    Refund {
        /// The refund.
        refund: usize,
        /// The payment.
        payment: usize,
        /// How much.
        amount: i64,
        /// Whether it succeeds at once, or is pending.
        settled: bool,
    },
    /// The customer gets another address.
    Rename {
        /// Which of [`EMAILS`].
        email: usize,
    },
    /// A period is over, or the trial, and the next one is billed.
    Renew {
        /// The subscription.
        subscription: usize,
        /// The payment.
        payment: usize,
        /// The next period.
        period: Span,
        /// Seconds between the begin of the period and the attempt to collect.
        lag: i64,
        /// Whether it is paid.
        paid: bool,
    },
    /// A paused subscription goes on, with a new period that is paid at once.
    Resume {
        /// The subscription.
        subscription: usize,
        /// The payment.
        payment: usize,
        /// The new period.
        period: Span,
    },
    /// What was not paid is tried again.
    Retry {
        /// The subscription.
        subscription: usize,
        /// Whether it is paid now.
        paid: bool,
    },
    /// A subscription is to end when its period does.
    ScheduleEnd {
        /// The subscription.
        subscription: usize,
    },
    /// A subscription is to be paused when its period ends.
    SchedulePause {
        /// The subscription.
        subscription: usize,
    },
    /// A refund that was pending is decided.
    SettleRefund {
        /// The refund.
        refund: usize,
        /// Whether the money goes back.
        succeeds: bool,
    },
    /// A subscription is bought by checkout and paid, or begins with a trial.
    SignUp {
        /// The subscription.
        subscription: usize,
        /// The first payment; none for a trial.
        payment: Option<usize>,
        /// What is bought.
        items: Items,
        /// The first period, or the trial.
        period: Span,
        /// Attempts before the one that succeeded.
        declined: u8,
        /// Whether the application names the owner at the checkout.
        names_owner: bool,
    },
    /// A scheduled end or pause is taken back.
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
