//! Processes stored events: those accepted in queue mode, and those that failed and are due again. It also records
//! events whose processing ended without a result.
//!
//! Engines with different adapters may share a database. If this engine doesn't serve an event, the event returns to
//! the queue: its attempt isn't counted, its status and reason don't change, and it is deferred for as long as it has
//! already waited, so that its own engine can claim it.

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
    /// Claimed events that were tried before.
    pub retried: u64,
    /// The claimed events' statuses afterwards.
    pub statuses: BTreeMap<EventStatus, u64>,
    /// Failed events that are now dead letters.
    pub dead: u64,
    /// Events that returned to the queue because the store was unavailable. They are due as before, or when the lease
    /// ends.
    pub returned: u64,
    /// Events that another engine serves: this one lacks the adapter, or its adapter serves another mode or account.
    /// They return to the queue unchanged and are deferred for a while; the attempt isn't counted.
    pub elsewhere: u64,
    /// Events that another process took over: a worker after this one's lease, or a delivery. Also events whose
    /// commit succeeded although the store was lost before it confirmed: they are done, and there is no receipt.
    pub lost: u64,
    /// The receipt of each event that could be read: transitions and what is left to settle, as for a delivery.
    pub receipts: Vec<WebhookReceipt>,
}

impl WorkReport {
    /// Adds the report of another part of the round.
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
    /// Claims due events under a lease and processes them: [`claim`](Self::claim), then [`process`](Self::process).
    /// If a worker dies, its events are due again when its lease ends.
    ///
    /// # Errors
    /// As [`process`](Self::process).
    pub async fn work(&self, lease: Lease, limit: u32, now: Timestamp) -> Result<WorkReport, Refusal> {
        let claimed = self.claim(&lease, limit, now).await?;
        self.process(&lease, claimed, now).await
    }

    /// Claims due events under a lease, which counts as an attempt for each.
    ///
    /// An event that was tried before is claimed alone. If it isn't the first, this claims only the events before it;
    /// if it is the first, the events behind it return to the queue and their attempt isn't counted. A retried event
    /// may have crashed its last worker. If it crashes this one, the other due events don't lose an attempt.
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

    /// Processes claimed events in one commit. Events that another engine serves return to the queue. If the commit
    /// fails and one event may be the cause, each event is retried in its own commit, so that it doesn't affect the
    /// others. An event that also fails alone becomes `failed` with [`Reason::Process`] and is tried again later; an
    /// event whose attempts are used up isn't processed any more and is a dead letter.
    ///
    /// # Errors
    /// [`Refusal::Store`] when the store fails for all of them: the events return to the queue, due as before, and
    /// the attempt isn't counted, as far as the store accepts that write. If the store fails partway, the report
    /// contains what was done until then and what was returned.
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
            // A single event was already tried alone.
            1 => Some(fault),
            events => {
                tracing::warn!(code = fault.code(), events, "a batch failed; each event is retried in its own commit");
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

    /// Records that an attempt to process a claimed event ended without a result: the event is `failed` and due
    /// again, or a dead letter. For a worker that caught a panic. The report counts no claimed event, because
    /// `process` already did.
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
        tracing::warn!(event = claimed.event.key.public_id(), code, "an attempt to process an event failed");
        let failed = EventWrite {
            status: EventStatus::Failed,
            reason: Some(Reason::Process { code: code.to_owned() }),
            due_at: self.settings.retry.due_after(claimed.attempts, now),
            ..unchanged(claimed)
        };
        self.write_alone(lease, failed, now, &mut report).await?;
        Ok(report)
    }

    /// Reads claimed events, and returns those that another engine serves to the queue.
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
                tracing::warn!(event, code = fault.code(), "an event of another engine is returned to the queue");
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

    /// Returns the remaining events to the queue when the store fails. The report still contains what was done
    /// before.
    async fn stop(
        &self,
        lease: &Lease,
        rest: Vec<StoredEvent>,
        fault: Refusal,
        now: Timestamp,
        mut report: WorkReport,
    ) -> Result<WorkReport, Refusal> {
        let begun = !report.statuses.is_empty() || report.lost > 0;
        tracing::warn!(code = fault.code(), events = rest.len(), "claimed events are returned to the queue");
        report.returned += rest.len() as u64;
        self.put_back(lease, rest, now).await;
        if begun { Ok(report) } else { Err(fault) }
    }

    /// Records the outcome of an event that fails in its own commit.
    ///
    /// # Errors
    /// When the store fails for more than this event.
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
                tracing::warn!(code = fault.code(), "a claimed event is returned to the queue");
                report.returned += 1;
                self.put_back(lease, vec![stored], now).await;
            }
            fault => return Err(fault),
        }
        Ok(())
    }

    /// Restores events to their state before the claim. If even that can't be written, their lease ends by itself.
    async fn put_back(&self, lease: &Lease, claimed: Vec<StoredEvent>, now: Timestamp) {
        self.write_back(lease, claimed.into_iter().map(uncounted).collect(), now).await;
    }

    async fn write_back(&self, lease: &Lease, events: Vec<EventWrite>, now: Timestamp) {
        if events.is_empty() {
            return;
        }
        let commit = Commit { at: now, lease: Some(lease.clone()), events, ..Commit::default() };
        if let Err(fault) = self.store.commit(&commit).await {
            tracing::warn!(
                cause = %Chain(&fault),
                "claimed events could not be returned; they stay leased until their lease ends"
            );
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
            // If the commit did happen, the next claim finds that out when the lease ends.
            Err(CommitError::Store(fault) | CommitError::Unknown(fault)) => return Err(fault.into()),
        }
        for write in &commit.events {
            *report.statuses.entry(write.status).or_default() += 1;
            report.dead += u64::from(is_dead_letter(write));
        }
        self.trace_dead_letters(&commit);
        Ok(())
    }

    /// Only an operator can act on a dead letter, so it is logged as an error. An event that just arrived is
    /// excluded: it was refused, and its provider knows.
    pub(in crate::engine) fn trace_dead_letters(&self, commit: &Commit) {
        let dead = commit.events.iter().filter(|write| write.expected.is_some() && is_dead_letter(write));
        for write in dead {
            tracing::error!(
                event = write.event.key.public_id(),
                event_type = write.event.event_type,
                attempts = write.attempts,
                "an event is now a dead letter; look at its reason, then replay it"
            );
        }
    }
}

fn is_dead_letter(write: &EventWrite) -> bool {
    write.status == EventStatus::Failed && write.due_at.is_none()
}

/// The unchanged row, without its lease.
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

/// The row as it was before the claim.
fn uncounted(stored: StoredEvent) -> EventWrite {
    EventWrite { attempts: stored.attempts.saturating_sub(1), ..unchanged(stored) }
}

/// The claim that found the attempts used up was no attempt itself.
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
