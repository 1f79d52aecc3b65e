//! Decides what happens by itself, and when.

use purchase_emulator::{Shared, shared::SECOND};

use crate::{
    Paddle,
    account::Approval,
    adjustment::Status as Approved,
    subscription::{Status, Subscription},
};

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A refund is approved.
    Approve(String),
    /// A scheduled change takes effect.
    Change(String),
    /// A transaction is collected.
    Collect(String),
    /// A renewal is given up.
    GiveUp(String),
    /// The next period begins.
    Renew(String),
    /// A renewal is collected again.
    Retry(String),
}

impl Paddle {
    pub(crate) fn due(&self) -> Option<i64> {
        self.next().map(|(at, _)| at)
    }

    pub(crate) fn do_due(&mut self, shared: &mut Shared) {
        while let Some((_, due)) = self.next().filter(|(at, _)| *at <= shared.now) {
            match due {
                Due::Approve(id) => {
                    let _ = self.decide(shared, &id, true);
                }
                Due::Change(id) => self.take_effect(shared, &id),
                Due::Collect(id) => self.collect(shared, &id),
                Due::GiveUp(id) => self.give_up(shared, &id, self.account.dunning_ends),
                Due::Renew(id) => self.renew(shared, &id, self.account.collection_delay_seconds),
                Due::Retry(id) => {
                    self.retry(shared, &id);
                }
            }
        }
    }

    fn next(&self) -> Option<(i64, Due)> {
        let approvals = self.adjustments.values().filter_map(|it| match self.account.refunds {
            Approval::After { seconds } if it.status == Approved::PendingApproval => {
                Some((it.asked + seconds * SECOND, Due::Approve(it.id.clone())))
            }
            _ => None,
        });
        let collections =
            self.transactions.values().filter_map(|it| Some((it.collect_at?, Due::Collect(it.id.clone()))));
        let subscriptions = self.subscriptions.values().filter(|_| self.account.automatic);
        approvals.chain(collections).chain(subscriptions.filter_map(|it| self.next_of(it))).min()
    }

    fn next_of(&self, it: &Subscription) -> Option<(i64, Due)> {
        let id = || it.id.clone();
        let scheduled = it.scheduled.map(|it| (it.effective_at, Due::Change(id())));
        let other = match (it.status, &it.owed) {
            (Status::PastDue, Some(owed)) => {
                let end = owed.since + self.account.dunning_seconds * SECOND;
                let retry = self.account.retries_seconds.get(owed.retries).map(|it| owed.since + it * SECOND);
                Some(match retry.filter(|retry| *retry < end) {
                    Some(retry) => (retry, Due::Retry(id())),
                    None => (end, Due::GiveUp(id())),
                })
            }
            // A renewal that is billed is collected before the next one.
            (Status::Active | Status::Trialing, _) if scheduled.is_none() => Some((it.period.end, Due::Renew(id()))),
            _ => None,
        };
        scheduled.into_iter().chain(other).min()
    }
}
