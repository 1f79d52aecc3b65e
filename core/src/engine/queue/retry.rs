//! Decides when a failed event is tried again, and when to give up. An event that was given up is a dead letter: it
//! is `failed` and has no due time until [`replay`](crate::engine::Engine::replay) reads it again or its provider
//! sends it again.

use crate::{provider::ReadFault, store::StoredEvent, time::Timestamp};

/// How often a failed event is tried, and how long it waits in between: `first_seconds`, doubled each time, up to
/// `most_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The number of attempts before the event is a dead letter. Values below 1 count as 1.
    pub attempts: u32,
    /// The delay after the first attempt, in seconds.
    pub first_seconds: u32,
    /// The longest delay, in seconds.
    pub most_seconds: u32,
}

impl Default for RetryPolicy {
    /// Twenty attempts, with delays from one minute to one day: about nine days in all.
    fn default() -> Self {
        Self { attempts: 20, first_seconds: 60, most_seconds: 24 * 3600 }
    }
}

impl RetryPolicy {
    /// When an event that failed in this attempt (counted from 1) is due again. `None` when that was the last
    /// attempt.
    pub fn due_after(&self, attempts: u32, now: Timestamp) -> Option<Timestamp> {
        let doublings = attempts.saturating_sub(1).min(31);
        let rest = (i64::from(self.first_seconds) << doublings).min(i64::from(self.most_seconds));
        (attempts < self.max_attempts()).then(|| now.plus_seconds(rest))
    }

    /// A configuration fault is not retried automatically: every attempt fails alike until somebody changes the
    /// configuration.
    pub(in crate::engine) fn due_after_fault(
        &self,
        fault: &ReadFault,
        attempts: u32,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if fault.is_elsewhere() { None } else { self.due_after(attempts, now) }
    }

    /// When an event that belongs to another engine is due again. It is deferred for as long as it has already
    /// waited, at least a second and at most `most_seconds`, so that its own engine claims it soon and this one
    /// doesn't claim it constantly.
    pub(in crate::engine) fn due_elsewhere(&self, received_at: Timestamp, now: Timestamp) -> Timestamp {
        let waited = now.seconds().saturating_sub(received_at.seconds());
        now.plus_seconds(waited.min(self.most_seconds.into()).max(1))
    }

    /// Whether a claimed event has used up its attempts: each claim counted one, and no worker survived to write the
    /// outcome.
    pub(in crate::engine) fn is_used_up(&self, claimed: &StoredEvent) -> bool {
        claimed.attempts > self.max_attempts()
    }

    /// The attempt count of a readable event that its provider sends again: at least one attempt remains.
    pub(in crate::engine) fn once_more(&self, attempts: u32) -> u32 {
        attempts.min(self.max_attempts() - 1)
    }

    fn max_attempts(&self) -> u32 {
        self.attempts.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests(policy: RetryPolicy, attempts: &[u32]) -> Vec<Option<i64>> {
        attempts.iter().map(|tried| policy.due_after(*tried, Timestamp::EPOCH).map(Timestamp::seconds)).collect()
    }

    #[test]
    fn rests_double_up_to_the_longest_and_end() {
        let policy = RetryPolicy { attempts: 14, first_seconds: 60, most_seconds: 86_400 };
        let expect = [Some(60), Some(120), Some(61_440), Some(86_400), Some(86_400), None, None];
        assert_eq!(rests(policy, &[1, 2, 11, 12, 13, 14, 15]), expect);
    }

    #[test]
    fn the_largest_figures_overflow_nothing() {
        let policy = RetryPolicy { attempts: u32::MAX, first_seconds: u32::MAX, most_seconds: u32::MAX };
        assert_eq!(rests(policy, &[1, 40, u32::MAX]), [Some(u32::MAX.into()), Some(u32::MAX.into()), None]);
    }

    #[test]
    fn an_event_of_another_engine_rests_as_long_as_it_has_waited() {
        let at = |seconds| Timestamp::from_seconds(seconds).expect("in range");
        let rest = |waited| RetryPolicy::default().due_elsewhere(at(100), at(100 + waited)).seconds() - 100 - waited;
        assert_eq!([0, 1, 40, 86_400, 1_000_000].map(rest), [1, 1, 40, 86_400, 86_400]);
        assert_eq!(rest(-50), 1, "a clock that was set back");
    }

    #[test]
    fn a_limit_of_zero_attempts_counts_as_one() {
        let policy = RetryPolicy { attempts: 0, ..RetryPolicy::default() };
        assert_eq!((rests(policy, &[1]), policy.once_more(5)), (vec![None], 0));
    }
}
