//! What happens by itself, and when.

use purchase_emulator::{Shared, shared::SECOND};
use serde::{Deserialize, Serialize};

use crate::{cards::Decline, deeds::collect::Attempt, stripe::Stripe};

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Job {
    /// A bank debit ends.
    Debit { intent: String, fails: bool },
    /// A draft invoice is finalized.
    Finalize { invoice: String },
    /// A period of a subscription ends.
    Period { subscription: String, end: i64 },
    /// A refund ends as its test card says.
    Refund { refund: String, fails: bool },
    /// The collection of a subscription's invoices resumes.
    ResumeCollection { subscription: String, at: i64 },
    /// The payment of an invoice is tried again.
    Retry { invoice: String, attempts: u32 },
    /// A session expires.
    Session { session: String },
    /// A trial ends in three days.
    TrialWillEnd { subscription: String, end: i64 },
}

impl Job {
    /// Whether it waits while billing is held.
    fn is_billing(&self) -> bool {
        matches!(
            self,
            Self::Finalize { .. }
                | Self::Period { .. }
                | Self::ResumeCollection { .. }
                | Self::Retry { .. }
                | Self::TrialWillEnd { .. }
        )
    }
}

/// All of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Agenda {
    /// In seconds since 1970, in the order in which they were planned.
    jobs: Vec<(i64, Job)>,
    /// Whether billing waits for acts.
    pub(crate) held: bool,
}

impl Agenda {
    pub(crate) fn plan(&mut self, at: i64, job: Job) {
        self.jobs.push((at, job));
    }

    /// When something happens next, in microseconds since 1970.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.jobs.iter().filter(|(_, job)| self.runs(job)).map(|(at, _)| at * SECOND).min()
    }

    /// Takes the first job that is due.
    fn take(&mut self, now: i64) -> Option<Job> {
        let due = self.jobs.iter().enumerate().filter(|(_, (at, job))| self.runs(job) && at * SECOND <= now);
        let (place, _) = due.min_by_key(|(place, (at, _))| (*at, *place))?;
        Some(self.jobs.remove(place).1)
    }

    fn runs(&self, job: &Job) -> bool {
        !(self.held && job.is_billing())
    }
}

impl Stripe {
    /// Does everything that is due.
    pub(crate) fn run_agenda(&mut self, shared: &mut Shared) {
        while let Some(job) = self.agenda.take(shared.now) {
            match job {
                Job::Debit { intent, fails } => {
                    self.end_debit(shared, &intent, fails.then_some(Decline::DebitReturned));
                }
                Job::Finalize { invoice } => self.finalize_and_collect(shared, &invoice),
                Job::Period { subscription, end } => {
                    if self.subscriptions.at(&subscription).period.end == end {
                        self.end_period(shared, &subscription);
                    }
                }
                Job::Refund { refund, fails } => self.settle_refund(shared, &refund, !fails),
                Job::ResumeCollection { subscription, at } => self.resume_collection(shared, &subscription, at),
                Job::Retry { invoice, attempts } => {
                    let it = self.invoices.at(&invoice);
                    if it.attempts == attempts && it.auto_advance {
                        self.collect(shared, &invoice, Attempt::Scheduled);
                    }
                }
                Job::Session { session } => self.expire_session(shared, &session),
                Job::TrialWillEnd { subscription, end } => self.announce_trial_end(shared, &subscription, end),
            }
        }
    }
}
