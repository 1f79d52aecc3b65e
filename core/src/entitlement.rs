//! Decides whether a customer may use what was sold, at an instant. The application sets the policy.
//!
//! ```
//! use purchase_core::{
//!     entitlement::{Access, AccessPolicy, NoAccess, Standing},
//!     lifecycle::Lifecycle,
//!     time::Timestamp,
//! };
//!
//! let at = |day: i64| Timestamp::from_seconds(day * 24 * 3600);
//! let standing = Standing {
//!     state: Lifecycle::Active,
//!     began_at: at(1)?,
//!     since: at(1)?,
//!     ends_at: None,
//!     pause_at: None,
//!     period_end: Some(at(31)?),
//!     given_up: false,
//!     disputed: false,
//!     dunning_seconds: 30 * 24 * 3600,
//! };
//! let policy = AccessPolicy::default();
//! // Three days without news of a renewal are tolerated.
//! assert_eq!(policy.access(&standing, at(33)?), Access::Granted(Some(at(34)?)));
//! assert_eq!(policy.access(&standing, at(34)?), Access::Denied(NoAccess::NotRenewed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{id::ProviderName, lifecycle::Lifecycle, time::Timestamp};

/// Which states give access. By default trialing, active, and grace until its deadline do; paused and unpaid don't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessPolicy {
    /// Whether a paused subscription gives access.
    pub paused: bool,
    /// How long a subscription in grace gives access, in seconds since it fell behind. With `None`, access lasts
    /// until the provider gives up, at most the longest dunning period that its adapter declares ([`Dunning`]).
    pub grace_seconds: Option<i64>,
    /// How long access continues after the end of the last known period without news of a renewal, in seconds. `None`
    /// means for ever. The default is three days, as long as providers retry a delivery. It doesn't apply in grace.
    pub renewal_slack_seconds: Option<i64>,
    /// Whether a dispute over a part of a payment ends access while it is open and after it is lost. By default a
    /// dispute acts as a refund of that part: access ends once everything paid is refunded or disputed.
    pub disputed_part_ends_access: bool,
}

/// How long each provider's dunning lasts, in seconds, as its adapter declares. Access in grace ends then, even
/// without news.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dunning(BTreeMap<ProviderName, i64>);

impl Dunning {
    /// The value for a provider whose adapter is unavailable: two months, the longest dunning of any known provider.
    pub const LONGEST_SECONDS: i64 = 61 * 24 * 3600;

    /// Records a provider's declaration.
    pub fn declare(&mut self, provider: ProviderName, seconds: i64) {
        self.0.insert(provider, seconds);
    }

    /// How long a provider's dunning lasts at most, in seconds.
    pub fn seconds(&self, provider: &ProviderName) -> i64 {
        self.0.get(provider).copied().unwrap_or(Self::LONGEST_SECONDS)
    }
}

impl Default for AccessPolicy {
    fn default() -> Self {
        Self {
            paused: false,
            grace_seconds: None,
            renewal_slack_seconds: Some(3 * 24 * 3600),
            disputed_part_ends_access: false,
        }
    }
}

/// What one source grants, before the policy is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The source's lifecycle state.
    pub state: Lifecycle,
    /// When it began.
    pub began_at: Timestamp,
    /// When it entered that state.
    pub since: Timestamp,
    /// When it ends or ended, if that is decided.
    pub ends_at: Option<Timestamp>,
    /// When it will be paused, if that is decided.
    pub pause_at: Option<Timestamp>,
    /// When the current period ends.
    pub period_end: Option<Timestamp>,
    /// Whether the provider has given up collecting.
    pub given_up: bool,
    /// Whether a dispute holds or took a part of what was paid.
    pub disputed: bool,
    /// How long the provider's dunning lasts at most, in seconds.
    pub dunning_seconds: i64,
}

/// Why there is no access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoAccess {
    /// It was canceled.
    Canceled,
    /// A part of what was paid is disputed, and the policy ends access in that case.
    Disputed,
    /// It ended at a time that was decided before.
    Ended,
    /// It was not paid in time.
    Expired,
    /// Grace is over, and there is no news of a payment.
    GraceOver,
    /// The provider stopped collecting a renewal.
    GivenUp,
    /// It had not begun at the instant of the question.
    NotBegun,
    /// The period and the slack are over, and there is no news of a renewal.
    NotRenewed,
    /// It is paused until it is resumed.
    Paused,
    /// It is not paid yet.
    Pending,
    /// What was paid was returned.
    Refunded,
}

/// How far the reader's clock may be behind the provider's, in seconds, so that a customer who has just paid isn't
/// refused. Providers also report a change some seconds after it.
pub const CLOCK_SKEW_SECONDS: i64 = 60;

/// What a standing grants at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No access, and why.
    Denied(NoAccess),
    /// Access until an instant (excluded), or without a known end.
    Granted(Option<Timestamp>),
}

impl AccessPolicy {
    /// What a standing grants at an instant. Before it began it grants nothing, with a tolerance of
    /// [`CLOCK_SKEW_SECONDS`].
    pub fn access(&self, standing: &Standing, as_of: Timestamp) -> Access {
        if as_of.plus_seconds(CLOCK_SKEW_SECONDS) < standing.began_at {
            return Access::Denied(NoAccess::NotBegun);
        }
        if let Some(reason) = self.closed(standing) {
            return Access::Denied(reason);
        }
        match self.end(standing) {
            Some((end, reason)) if end <= as_of => Access::Denied(reason),
            end => Access::Granted(end.map(|(end, _)| end)),
        }
    }

    /// Why a standing grants nothing at any time.
    fn closed(&self, standing: &Standing) -> Option<NoAccess> {
        if standing.disputed && self.disputed_part_ends_access {
            return Some(NoAccess::Disputed);
        }
        match standing.state {
            Lifecycle::Active | Lifecycle::Trialing => None,
            Lifecycle::Grace => standing.given_up.then_some(NoAccess::GivenUp),
            Lifecycle::Paused => (!self.paused).then_some(NoAccess::Paused),
            Lifecycle::Canceled => Some(NoAccess::Canceled),
            Lifecycle::Expired => Some(NoAccess::Expired),
            Lifecycle::Pending => Some(NoAccess::Pending),
            Lifecycle::Refunded => Some(NoAccess::Refunded),
        }
    }

    /// When access ends without further news, and why: the earliest end.
    fn end(&self, standing: &Standing) -> Option<(Timestamp, NoAccess)> {
        let lapse = match standing.state {
            Lifecycle::Grace => {
                let seconds = self.grace_seconds.unwrap_or(standing.dunning_seconds);
                Some((standing.since.plus_seconds(seconds), NoAccess::GraceOver))
            }
            // A pause bills nothing, so there is no news of a renewal to wait for.
            Lifecycle::Paused => None,
            Lifecycle::Active
            | Lifecycle::Canceled
            | Lifecycle::Expired
            | Lifecycle::Pending
            | Lifecycle::Refunded
            | Lifecycle::Trialing => {
                let slack = standing.period_end.zip(self.renewal_slack_seconds);
                slack.map(|(end, slack)| (end.plus_seconds(slack), NoAccess::NotRenewed))
            }
        };
        let ends_at = standing.ends_at.map(|end| (end, NoAccess::Ended));
        let pause_at = standing.pause_at.filter(|_| !self.paused).map(|end| (end, NoAccess::Paused));
        [ends_at, pause_at, lapse].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).expect("in range")
    }

    const DAY: i64 = 24 * 3600;

    fn standing(state: Lifecycle) -> Standing {
        Standing {
            state,
            began_at: at(50),
            since: at(100),
            ends_at: None,
            pause_at: None,
            period_end: Some(at(1000)),
            given_up: false,
            disputed: false,
            dunning_seconds: 30 * DAY,
        }
    }

    #[test]
    fn the_default_policy_gives_what_it_says() {
        let policy = AccessPolicy::default();
        let check = |state, expect| assert_eq!(policy.access(&standing(state), at(500)), expect, "{state:?}");
        check(Lifecycle::Active, Access::Granted(Some(at(1000 + 3 * DAY))));
        check(Lifecycle::Trialing, Access::Granted(Some(at(1000 + 3 * DAY))));
        check(Lifecycle::Grace, Access::Granted(Some(at(100 + 30 * DAY))));
        check(Lifecycle::Paused, Access::Denied(NoAccess::Paused));
        check(Lifecycle::Canceled, Access::Denied(NoAccess::Canceled));
        check(Lifecycle::Expired, Access::Denied(NoAccess::Expired));
        check(Lifecycle::Refunded, Access::Denied(NoAccess::Refunded));
        check(Lifecycle::Pending, Access::Denied(NoAccess::Pending));
        let unpaid = Standing { given_up: true, ..standing(Lifecycle::Grace) };
        assert_eq!(policy.access(&unpaid, at(500)), Access::Denied(NoAccess::GivenUp));
    }

    #[test]
    fn dunning_bounds_grace_and_the_period_does_not() {
        let policy = AccessPolicy::default();
        let grace = standing(Lifecycle::Grace);
        assert_eq!(policy.access(&grace, at(99 + 30 * DAY)), Access::Granted(Some(at(100 + 30 * DAY))));
        assert_eq!(policy.access(&grace, at(100 + 30 * DAY)), Access::Denied(NoAccess::GraceOver));
        let active = standing(Lifecycle::Active);
        assert_eq!(policy.access(&active, at(1000 + 3 * DAY)), Access::Denied(NoAccess::NotRenewed));
    }

    #[test]
    fn nothing_is_given_before_it_began() {
        let policy = AccessPolicy::default();
        let active = standing(Lifecycle::Active);
        assert_eq!(policy.access(&active, at(-11)), Access::Denied(NoAccess::NotBegun));
        assert_eq!(policy.access(&active, at(-10)), Access::Granted(Some(at(1000 + 3 * DAY))));
    }

    #[test]
    fn a_disputed_part_ends_access_only_by_policy() {
        let disputed = Standing { disputed: true, period_end: None, ..standing(Lifecycle::Active) };
        assert_eq!(AccessPolicy::default().access(&disputed, at(500)), Access::Granted(None));
        let strict = AccessPolicy { disputed_part_ends_access: true, ..AccessPolicy::default() };
        assert_eq!(strict.access(&disputed, at(500)), Access::Denied(NoAccess::Disputed));
    }

    #[test]
    fn the_earliest_end_counts() {
        let policy = AccessPolicy { grace_seconds: Some(500), ..AccessPolicy::default() };
        let granted = |end| Access::Granted(Some(at(end)));
        assert_eq!(policy.access(&standing(Lifecycle::Grace), at(500)), granted(600));
        let scheduled = Standing { ends_at: Some(at(900)), ..standing(Lifecycle::Active) };
        assert_eq!(policy.access(&scheduled, at(500)), granted(900));
        assert_eq!(policy.access(&scheduled, at(900)), Access::Denied(NoAccess::Ended));
        let pausing = Standing { pause_at: Some(at(800)), ..scheduled };
        assert_eq!(policy.access(&pausing, at(500)), granted(800));
        assert_eq!(policy.access(&pausing, at(800)), Access::Denied(NoAccess::Paused));
        // If a pause leaves access unchanged, so does its date, and so does a period end that falls within it.
        let policy = AccessPolicy { paused: true, ..AccessPolicy::default() };
        assert_eq!(policy.access(&pausing, at(500)), granted(900));
        assert_eq!(policy.access(&standing(Lifecycle::Paused), at(500)), Access::Granted(None));
    }
}
