//! Decides how kept events are processed later: those accepted in queue mode, and those that failed and are due again;
//! and what becomes of one whose processing ends without a result.

use std::collections::BTreeMap;

use crate::{
    engine::{Engine, ingest::Admitted},
    error::{CommitError, Refusal},
    receipt::WebhookReceipt,
    store::{Claim, Commit, EventStatus, EventWrite, Lease, Reason, StoredEvent},
    time::Timestamp,
};

/// What one round of work did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkReport {
    /// Events that were claimed.
    pub claimed: u64,
    /// Those among them that were tried before.
    pub retried: u64,
    /// Their statuses afterwards.
    pub statuses: BTreeMap<EventStatus, u64>,
    /// Those among the failed that are dead letters now.
    pub dead: u64,
    /// Those that the store was in the way of. They are due as before, or when the lease ends.
    pub returned: u64,
    /// Those that somebody else has taken up meanwhile: a worker after this one's lease, or a delivery.
    pub lost: u64,
    /// What came of each that could be read: transitions and what is left to settle, as for a delivery.
    pub receipts: Vec<WebhookReceipt>,
}

impl WorkReport {
    /// Adds what another part of the round did.
    pub fn add(&mut self, part: Self) {
        self.claimed += part.claimed;
        self.retried += part.retried;
        for (status, count) in part.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.dead += part.dead;
        self.returned += part.returned;
        self.lost += part.lost;
        self.receipts.extend(part.receipts);
    }

    fn of(claimed: &[StoredEvent]) -> Self {
        let retried = claimed.iter().filter(|stored| stored.attempts > 1).count() as u64;
        Self { claimed: claimed.len() as u64, retried, ..Self::default() }
    }
}

impl Engine {
    /// Claims due events under a lease and processes them: [`claim`](Self::claim), then [`process`](Self::process). A
    /// worker that dies leaves them due again when its lease ends.
    ///
    /// # Errors
    /// As [`process`](Self::process).
    pub async fn work(&self, lease: Lease, limit: u32, now: Timestamp) -> Result<WorkReport, Refusal> {
        let claimed = self.claim(&lease, limit, now).await?;
        self.process(&lease, claimed, now).await
    }

    /// Claims due events under a lease, which counts as an attempt for each.
    ///
    /// # Errors
    /// [`Refusal::Store`].
    pub async fn claim(&self, lease: &Lease, limit: u32, now: Timestamp) -> Result<Vec<StoredEvent>, Refusal> {
        Ok(self.store.claim(&Claim { lease: lease.clone(), now, limit }).await?)
    }

    /// Processes claimed events in one commit; where one of them may be why that fails, each in a commit of its own, so
    /// that it hinders no other. One that fails alone, too, is `failed` with [`Reason::Process`] and tried again
    /// later; one whose attempts are used up is not processed any more, and is a dead letter.
    ///
    /// # Errors
    /// [`Refusal::Store`] when the store is in the way: the events are given back, due as before, and the attempt
    /// isn't counted, as far as the store lets that be written.
    pub async fn process(
        &self,
        lease: &Lease,
        claimed: Vec<StoredEvent>,
        now: Timestamp,
    ) -> Result<WorkReport, Refusal> {
        let mut report = WorkReport::of(&claimed);
        let (used_up, claimed): (Vec<_>, Vec<_>) =
            claimed.into_iter().partition(|stored| self.settings.retry.is_used_up(stored));
        for stored in used_up {
            self.write_alone(lease, given_up(stored), &mut report).await?;
        }
        let fault = match self.together(lease, &claimed, now, &mut report).await {
            Ok(()) => return Ok(report),
            Err(fault) => fault,
        };
        if !fault.may_be_of_one() {
            self.give_back(lease, claimed, &mut report).await;
            return Err(fault);
        }
        if let [stored] = &claimed[..] {
            self.end_alone(lease, stored.clone(), fault, now, &mut report).await?;
            return Ok(report);
        }
        tracing::warn!(code = fault.code(), events = claimed.len(), "a batch failed; each event goes alone");
        for stored in claimed {
            if let Err(fault) = self.together(lease, std::slice::from_ref(&stored), now, &mut report).await {
                self.end_alone(lease, stored, fault, now, &mut report).await?;
            }
        }
        Ok(report)
    }

    /// Writes that an attempt to process a claimed event ended without a result: it is `failed` and due again, or a
    /// dead letter. For a worker that caught a panic. The report counts none as claimed, since `process` did.
    ///
    /// # Errors
    /// [`Refusal::Store`].
    pub async fn set_aside(
        &self,
        lease: &Lease,
        claimed: StoredEvent,
        code: &str,
        now: Timestamp,
    ) -> Result<WorkReport, Refusal> {
        let mut report = WorkReport::default();
        tracing::warn!(event = claimed.event.key.public_id(), code, "an attempt ended without a result");
        let failed = EventWrite {
            status: EventStatus::Failed,
            reason: Some(Reason::Process { code: code.to_owned() }),
            due_at: self.settings.retry.due_after(claimed.attempts, now),
            ..unchanged(claimed)
        };
        self.write_alone(lease, failed, &mut report).await?;
        Ok(report)
    }

    async fn together(
        &self,
        lease: &Lease,
        claimed: &[StoredEvent],
        now: Timestamp,
        report: &mut WorkReport,
    ) -> Result<(), Refusal> {
        let mut units = Vec::with_capacity(claimed.len());
        for stored in claimed {
            let key = stored.event.key.clone();
            let (mut event, reading) = self.read_stored(stored.clone(), now);
            event.key = key;
            units.push(Admitted { event, reading });
        }
        for (stored, answer) in claimed.iter().zip(self.ingest(&units, Some(lease)).await?) {
            let status = answer.as_ref().map_or(EventStatus::Failed, |receipt| receipt.status);
            *report.statuses.entry(status).or_default() += 1;
            if let Err(Refusal::Unreadable { fault, .. }) = &answer {
                let due_at = self.settings.retry.due_after_fault(fault, stored.attempts, now);
                report.dead += u64::from(due_at.is_none());
            }
            report.receipts.extend(answer);
        }
        Ok(())
    }

    /// What becomes of an event that fails in a commit of its own.
    async fn end_alone(
        &self,
        lease: &Lease,
        stored: StoredEvent,
        fault: Refusal,
        now: Timestamp,
        report: &mut WorkReport,
    ) -> Result<(), Refusal> {
        match fault {
            Refusal::LeaseLost => report.lost += 1,
            Refusal::Store(fault) if fault.is_of_the_data() => {
                report.add(self.set_aside(lease, stored, fault.code(), now).await?);
            }
            fault => {
                tracing::warn!(code = fault.code(), "a claimed event is given back");
                self.give_back(lease, vec![stored], report).await;
            }
        }
        Ok(())
    }

    /// Gives events back as they were before they were claimed. Where even that can't be written, their lease ends.
    async fn give_back(&self, lease: &Lease, claimed: Vec<StoredEvent>, report: &mut WorkReport) {
        report.returned += claimed.len() as u64;
        let before =
            |stored: StoredEvent| EventWrite { attempts: stored.attempts.saturating_sub(1), ..unchanged(stored) };
        let events = claimed.into_iter().map(before).collect();
        let commit = Commit { lease: Some(lease.clone()), events, ..Commit::default() };
        if let Err(fault) = self.store.commit(&commit).await {
            tracing::warn!(reason = %fault, "claimed events stay leased until their lease ends");
        }
    }

    async fn write_alone(&self, lease: &Lease, write: EventWrite, report: &mut WorkReport) -> Result<(), Refusal> {
        let commit = Commit { lease: Some(lease.clone()), events: vec![write], ..Commit::default() };
        match self.store.commit(&commit).await {
            Ok(()) => {}
            Err(CommitError::LeaseLost | CommitError::Stale) => {
                report.lost += 1;
                return Ok(());
            }
            Err(CommitError::Store(fault)) => return Err(fault.into()),
        }
        for write in &commit.events {
            *report.statuses.entry(write.status).or_default() += 1;
            report.dead += u64::from(is_dead_letter(write));
        }
        self.trace_dead_letters(&commit);
        Ok(())
    }

    /// A dead letter is nobody's business any more but an operator's, so it is loud. One that came in just now was
    /// refused, and its provider knows.
    pub(super) fn trace_dead_letters(&self, commit: &Commit) {
        let dead = commit.events.iter().filter(|write| !write.insert && is_dead_letter(write));
        for write in dead {
            tracing::error!(
                event = write.event.key.public_id(),
                event_type = write.event.event_type,
                attempts = write.attempts,
                "an event is given up; look at its reason, then replay it"
            );
        }
    }
}

fn is_dead_letter(write: &EventWrite) -> bool {
    write.status == EventStatus::Failed && write.due_at.is_none()
}

/// The row as it is, its lease ended.
fn unchanged(stored: StoredEvent) -> EventWrite {
    EventWrite {
        event: stored.event,
        insert: false,
        expected: Some(stored.status),
        status: stored.status,
        reason: stored.reason,
        attempts: stored.attempts,
        due_at: stored.due_at,
    }
}

/// The claim that found it out was no attempt.
fn given_up(stored: StoredEvent) -> EventWrite {
    let attempts = stored.attempts.saturating_sub(1);
    EventWrite {
        status: EventStatus::Failed,
        reason: Some(Reason::GaveUp { attempts }),
        attempts,
        due_at: None,
        ..unchanged(stored)
    }
}
