//! Decides how kept events are processed later: those accepted in queue mode, and those that failed and are due again;
//! and what becomes of one whose processing ends without a result.
//!
//! Engines with different adapters may share a database. An event that this one doesn't serve is given back: its attempt
//! isn't counted, its status and reason stay, and it rests as long as it has waited, so that its own engine meets it.

use std::{collections::BTreeMap, iter, slice};

use crate::{
    engine::{Admitted, Engine},
    error::{Chain, CommitError, Refusal},
    provider::Unreadable,
    receipt::WebhookReceipt,
    store::{Claim, Claimed, Commit, EventStatus, EventWrite, Lease, Queue, Reason, StoredEvent},
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
    /// Those that another engine serves: this one lacks the adapter, or its adapter serves another mode or account. They
    /// are given back as they were and rest for a while; the attempt isn't counted.
    pub elsewhere: u64,
    /// Those that somebody else has taken up meanwhile: a worker after this one's lease, or a delivery. Also those whose
    /// commit has happened although the store was lost before it said so: they are done, and there is no receipt.
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
        self.elsewhere += part.elsewhere;
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
    /// One that was tried before is claimed alone: those before it first, without it, and then it without those behind it,
    /// which go back and aren't counted. It may be what ended its last worker; then it ends this one alone, and those that
    /// were due with it don't come nearer to their last attempt.
    ///
    /// # Errors
    /// [`Refusal::Store`].
    pub async fn claim(&self, lease: &Lease, limit: u32, now: Timestamp) -> Result<Vec<StoredEvent>, Refusal> {
        let claim = Claim { queue: Queue::Events, lease: lease.clone(), now, limit };
        let Claimed { events: mut claimed } = self.store.claim(&claim).await?;
        let tried = claimed.iter().position(|stored| stored.attempts > 1).unwrap_or(claimed.len());
        let behind = claimed.split_off(tried.max(1).min(claimed.len()));
        self.put_back(lease, behind, now).await;
        Ok(claimed)
    }

    /// Processes claimed events in one commit, apart from those that another engine serves, which are given back; where one of them may be why that fails, each in a commit of its own, so
    /// that it hinders no other. One that fails alone, too, is `failed` with [`Reason::Process`] and tried again
    /// later; one whose attempts are used up is not processed any more, and is a dead letter.
    ///
    /// # Errors
    /// [`Refusal::Store`] when the store is in the way of all of them: the events are given back, due as before, and the
    /// attempt isn't counted, as far as the store lets that be written. Where it gets in the way in the middle, the report
    /// says what was done until then, and what was returned.
    pub async fn process(
        &self,
        lease: &Lease,
        claimed: Vec<StoredEvent>,
        now: Timestamp,
    ) -> Result<WorkReport, Refusal> {
        let mut report = WorkReport::of(&claimed);
        let (used_up, claimed): (Vec<_>, Vec<_>) =
            claimed.into_iter().partition(|stored| self.settings.retry.is_used_up(stored));
        let mut used_up = used_up.into_iter();
        while let Some(stored) = used_up.next() {
            if let Err(fault) = self.write_alone(lease, given_up(stored.clone()), now, &mut report).await {
                let rest = iter::once(stored).chain(used_up).chain(claimed).collect();
                return self.stop(lease, rest, fault, now, report).await;
            }
        }
        let (claimed, units) = self.read_claimed(lease, claimed, now, &mut report).await;
        let fault = match self.together(lease, &claimed, &units, now, &mut report).await {
            Ok(()) => return Ok(report),
            Err(fault) => fault,
        };
        if !fault.is_isolatable() {
            return self.stop(lease, claimed, fault, now, report).await;
        }
        let mut first = match claimed.len() {
            // It has been tried alone.
            1 => Some(fault),
            events => {
                tracing::warn!(code = fault.code(), events, "a batch failed; each event goes alone");
                None
            }
        };
        let mut claimed = claimed.into_iter();
        let mut units = units.iter();
        while let (Some(stored), Some(unit)) = (claimed.next(), units.next()) {
            let outcome = match first.take() {
                Some(fault) => Err(fault),
                None => {
                    let (stored, unit) = (slice::from_ref(&stored), slice::from_ref(unit));
                    self.together(lease, stored, unit, now, &mut report).await
                }
            };
            let Err(fault) = outcome else { continue };
            if let Err(fault) = self.end_alone(lease, stored.clone(), fault, now, &mut report).await {
                let rest = iter::once(stored).chain(claimed).collect();
                return self.stop(lease, rest, fault, now, report).await;
            }
        }
        Ok(report)
    }

    /// Writes that an attempt to process a claimed event ended without a result: it is `failed` and due again, or a
    /// dead letter. For a worker that caught a panic. The report counts none as claimed, since `process` did.
    ///
    /// # Errors
    /// [`Refusal::Store`].
    pub async fn record_failure(
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
        self.write_alone(lease, failed, now, &mut report).await?;
        Ok(report)
    }

    /// Reads claimed events, and gives those back that another engine serves.
    async fn read_claimed(
        &self,
        lease: &Lease,
        claimed: Vec<StoredEvent>,
        now: Timestamp,
        report: &mut WorkReport,
    ) -> (Vec<StoredEvent>, Vec<Admitted>) {
        let (mut own, mut units, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for stored in claimed {
            let (mut event, reading) = self.read_stored(stored.clone(), now);
            if let Err(Unreadable { fault, .. }) = &reading
                && fault.is_elsewhere()
            {
                let event = stored.event.key.public_id();
                tracing::warn!(event, code = fault.code(), "an event of another engine is given back");
                others.push(stored);
                continue;
            }
            event.key = stored.event.key.clone();
            own.push(stored);
            units.push(Admitted { event, reading });
        }
        report.elsewhere += others.len() as u64;
        let rests = |stored: StoredEvent| EventWrite {
            due_at: Some(self.settings.retry.due_elsewhere(stored.event.received_at, now)),
            ..uncounted(stored)
        };
        self.write_back(lease, others.into_iter().map(rests).collect(), now).await;
        (own, units)
    }

    async fn together(
        &self,
        lease: &Lease,
        claimed: &[StoredEvent],
        units: &[Admitted],
        now: Timestamp,
        report: &mut WorkReport,
    ) -> Result<(), Refusal> {
        for (stored, answer) in claimed.iter().zip(self.ingest(units, Some(lease)).await?) {
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

    /// Gives back what is left when the store gets in the way. What was done before that is told all the same.
    async fn stop(
        &self,
        lease: &Lease,
        rest: Vec<StoredEvent>,
        fault: Refusal,
        now: Timestamp,
        mut report: WorkReport,
    ) -> Result<WorkReport, Refusal> {
        let begun = !report.statuses.is_empty() || report.lost > 0;
        tracing::warn!(code = fault.code(), events = rest.len(), "claimed events are given back");
        report.returned += rest.len() as u64;
        self.put_back(lease, rest, now).await;
        if begun { Ok(report) } else { Err(fault) }
    }

    /// What becomes of an event that fails in a commit of its own.
    ///
    /// # Errors
    /// When the store is in the way of more than this event.
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
                report.add(self.record_failure(lease, stored, fault.code(), now).await?);
            }
            fault if fault.is_isolatable() => {
                tracing::warn!(code = fault.code(), "a claimed event is given back");
                report.returned += 1;
                self.put_back(lease, vec![stored], now).await;
            }
            fault => return Err(fault),
        }
        Ok(())
    }

    /// Puts events back as they were before they were claimed. Where even that can't be written, their lease ends.
    async fn put_back(&self, lease: &Lease, claimed: Vec<StoredEvent>, now: Timestamp) {
        self.write_back(lease, claimed.into_iter().map(uncounted).collect(), now).await;
    }

    async fn write_back(&self, lease: &Lease, events: Vec<EventWrite>, now: Timestamp) {
        if events.is_empty() {
            return;
        }
        let commit = Commit { at: now, lease: Some(lease.clone()), events, ..Commit::default() };
        if let Err(fault) = self.store.commit(&commit).await {
            tracing::warn!(cause = %Chain(&fault), "claimed events stay leased until their lease ends");
        }
    }

    async fn write_alone(
        &self,
        lease: &Lease,
        write: EventWrite,
        now: Timestamp,
        report: &mut WorkReport,
    ) -> Result<(), Refusal> {
        let commit = Commit { at: now, lease: Some(lease.clone()), events: vec![write], ..Commit::default() };
        match self.store.commit(&commit).await {
            Ok(()) => {}
            Err(CommitError::LeaseLost | CommitError::Stale) => {
                report.lost += 1;
                return Ok(());
            }
            // Where it has happened, it is found so when the lease ends.
            Err(CommitError::Store(fault) | CommitError::Unknown(fault)) => return Err(fault.into()),
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
    pub(in crate::engine) fn trace_dead_letters(&self, commit: &Commit) {
        let dead = commit.events.iter().filter(|write| write.expected.is_some() && is_dead_letter(write));
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
        expected: Some(stored.status),
        status: stored.status,
        reason: stored.reason,
        attempts: stored.attempts,
        due_at: stored.due_at,
    }
}

/// The row as it was before it was claimed.
fn uncounted(stored: StoredEvent) -> EventWrite {
    EventWrite { attempts: stored.attempts.saturating_sub(1), ..unchanged(stored) }
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
