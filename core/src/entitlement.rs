//! Decides whether a customer may use what was sold, at an instant. The policy is the application's.

use serde::{Deserialize, Serialize};

use crate::{lifecycle::Lifecycle, time::Timestamp};

/// Which states give access. The default: trialing, active, and grace until its deadline; not paused, not unpaid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessPolicy {
    /// Whether a paused subscription gives access.
    pub paused: bool,
    /// How long a subscription in grace gives access, from when it fell behind; none: until the provider gives up,
    /// or the period and the slack are over.
    pub grace_seconds: Option<i64>,
    /// How long after the end of the last known period access goes on without news of a renewal; none: for ever.
    /// The default is three days, as long as providers retry a delivery.
    pub renewal_slack_seconds: Option<i64>,
}

impl Default for AccessPolicy {
    fn default() -> Self {
        Self { paused: false, grace_seconds: None, renewal_slack_seconds: Some(3 * 24 * 3600) }
    }
}

/// What one source grants, without an opinion about access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The source's lifecycle state.
    pub state: Lifecycle,
    /// Since when.
    pub since: Timestamp,
    /// When it ends or ended, as far as that is decided.
    pub ends_at: Option<Timestamp>,
    /// When it is going to be paused, if that is decided.
    pub pause_at: Option<Timestamp>,
    /// When the paid period ends.
    pub period_end: Option<Timestamp>,
    /// Whether the provider has given up collecting.
    pub given_up: bool,
}

/// Until when a standing gives access: none for never, or the instant where it ends, or no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It gives none.
    None,
    /// Until an instant, excluded.
    Until(Timestamp),
    /// Without an end in sight.
    Unlimited,
}

impl Access {
    /// Whether there is access at an instant.
    pub fn at(self, as_of: Timestamp) -> bool {
        match self {
            Access::None => false,
            Access::Until(end) => as_of < end,
            Access::Unlimited => true,
        }
    }

    /// The end, where there is one.
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Access::Until(end) => Some(end),
            Access::None | Access::Unlimited => None,
        }
    }
}

impl AccessPolicy {
    /// How long a standing gives access.
    pub fn access(&self, standing: &Standing) -> Access {
        let open = match standing.state {
            Lifecycle::Active | Lifecycle::Trialing => true,
            Lifecycle::Grace => !standing.given_up,
            Lifecycle::Paused => self.paused,
            Lifecycle::Canceled | Lifecycle::Expired | Lifecycle::Pending | Lifecycle::Refunded => false,
        };
        if !open {
            return Access::None;
        }
        let grace_end = match (standing.state, self.grace_seconds) {
            (Lifecycle::Grace, Some(seconds)) => Some(standing.since.plus_seconds(seconds)),
            _ => None,
        };
        // A pause bills nothing, so there is no news of a renewal to wait for.
        let period_end = match (standing.state, standing.period_end, self.renewal_slack_seconds) {
            (Lifecycle::Paused, ..) => None,
            (_, Some(end), Some(slack)) => Some(end.plus_seconds(slack)),
            _ => None,
        };
        let pause_at = standing.pause_at.filter(|_| !self.paused);
        [standing.ends_at, pause_at, grace_end, period_end]
            .into_iter()
            .flatten()
            .min()
            .map_or(Access::Unlimited, Access::Until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).expect("in range")
    }

    fn standing(state: Lifecycle) -> Standing {
        Standing { state, since: at(100), ends_at: None, pause_at: None, period_end: Some(at(1000)), given_up: false }
    }

    #[test]
    fn the_default_policy_gives_what_it_says() {
        let policy = AccessPolicy::default();
        let slack = 3 * 24 * 3600;
        let check = |state, expect| assert_eq!(policy.access(&standing(state)), expect, "{state:?}");
        check(Lifecycle::Active, Access::Until(at(1000 + slack)));
        check(Lifecycle::Trialing, Access::Until(at(1000 + slack)));
        check(Lifecycle::Grace, Access::Until(at(1000 + slack)));
        check(Lifecycle::Paused, Access::None);
        check(Lifecycle::Canceled, Access::None);
        check(Lifecycle::Refunded, Access::None);
        check(Lifecycle::Pending, Access::None);
        let unpaid = Standing { given_up: true, ..standing(Lifecycle::Grace) };
        assert_eq!(policy.access(&unpaid), Access::None);
    }

    #[test]
    fn the_earliest_end_counts() {
        let policy = AccessPolicy { grace_seconds: Some(50), ..AccessPolicy::default() };
        assert_eq!(policy.access(&standing(Lifecycle::Grace)), Access::Until(at(150)));
        let scheduled = Standing { ends_at: Some(at(900)), ..standing(Lifecycle::Active) };
        assert_eq!(policy.access(&scheduled), Access::Until(at(900)));
        let pausing = Standing { pause_at: Some(at(800)), ..scheduled };
        assert_eq!(policy.access(&pausing), Access::Until(at(800)));
        // Where a pause takes no access away, neither does its date, nor the end of the period that it outlasts.
        let policy = AccessPolicy { paused: true, ..AccessPolicy::default() };
        assert_eq!(policy.access(&pausing), Access::Until(at(900)));
        assert_eq!(policy.access(&standing(Lifecycle::Paused)), Access::Unlimited);
        assert!(Access::Until(at(900)).at(at(899)));
        assert!(!Access::Until(at(900)).at(at(900)));
    }
}
