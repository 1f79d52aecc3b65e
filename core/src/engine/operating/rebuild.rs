//! Folds subjects again from their facts, to rebuild the read model or after events were read again.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    engine::{
        Admitted, Engine,
        operating::PAGE,
        plan::{Plan, Planned},
        receiving::{answer::event_write, ingest::made_at},
    },
    error::Refusal,
    fact::Fact,
    id::{EventKey, Subject},
    provider::{ReadFault, Unreadable},
    store::{
        Commit, EventStatus, EventWrite, Reason, StoredEvent, SubjectQuery, SubjectWrite, Wanted,
        transact::{Step, View, transact},
    },
};

/// What a rebuild did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RebuildReport {
    /// Subjects that were folded from their facts.
    pub subjects: u64,
    /// Subjects whose new state differs from the stored one.
    pub changed: u64,
}

/// The result of reading some events again.
#[derive(Debug, Default)]
pub(in crate::engine) struct Refolded {
    /// Subjects whose state changed.
    pub(in crate::engine) changed: u64,
    pub(super) left: BTreeMap<&'static str, u64>,
    pub(super) unreadable_now: u64,
}

impl Engine {
    /// Folds every subject from its facts and rewrites its rows. Use it after a read model was tampered with, for a
    /// new catalogue, or for a new version of the fold.
    ///
    /// # Errors
    /// [`Refusal::Store`] or [`Refusal::Contended`]. Subjects rebuilt before the error stay rebuilt.
    pub async fn rebuild(&self) -> Result<RebuildReport, Refusal> {
        let mut report = RebuildReport::default();
        let mut after = None;
        loop {
            let query = SubjectQuery { after, limit: PAGE, ..SubjectQuery::default() };
            let page = self.store.subjects(&query).await?;
            let Some(last) = page.last() else { return Ok(report) };
            after = Some(last.subject.clone());
            let subjects: BTreeSet<Subject> = page.iter().map(|stored| stored.subject.clone()).collect();
            report.subjects += subjects.len() as u64;
            report.changed += self.refold(&subjects, &[]).await?.changed;
        }
    }

    /// Folds subjects from their facts. The new facts of the events that are read again replace their old ones.
    pub(in crate::engine) async fn refold(
        &self,
        touched: &BTreeSet<Subject>,
        units: &[Admitted],
    ) -> Result<Refolded, Refusal> {
        let fresh: Vec<Fact> = units.iter().flat_map(Admitted::facts).cloned().collect();
        let mut subjects = touched.clone();
        subjects.extend(fresh.iter().map(|fact| fact.subject.clone()));
        let subjects: Vec<Subject> = subjects.into_iter().collect();
        let wanted = Wanted {
            events: units.iter().map(|unit| unit.event.key.clone()).collect(),
            subjects: subjects.clone(),
            facts: subjects.clone(),
            ..Wanted::default()
        };
        let decide = |view: &View| {
            Ok(match self.plan_again(&subjects, units, &fresh, view) {
                Ok((commit, refolded)) => Step::Ready(commit, refolded),
                Err(missing) => Step::Need(missing),
            })
        };
        let (refolded, _) = transact(self.store.as_ref(), self.settings.commit_attempts, wanted, decide).await?;
        Ok(refolded)
    }

    fn plan_again(
        &self,
        subjects: &[Subject],
        units: &[Admitted],
        fresh: &[Fact],
        view: &View,
    ) -> Planned<(Commit, Refolded)> {
        let replaced = replaced(units);
        let mut plan = Plan::new(&self.settings, view);
        for subject in subjects {
            let known = view.facts(subject).unwrap_or_default();
            let old: Vec<Fact> = known.iter().filter(|fact| !replaced.contains(&fact.event_key())).cloned().collect();
            let new: Vec<&Fact> = fresh.iter().filter(|fact| fact.subject == *subject).collect();
            plan.refold(subject, &old, &new);
        }
        plan.settle_owners()?;
        let mut refolded = Refolded::default();
        for unit in units {
            let Some(stored) = view.event(&unit.event.key) else { continue };
            let write = refolded.write(unit, stored, &plan);
            plan.commit.events.extend(write);
        }
        plan.commit.at = made_at(units);
        plan.commit.reread = replaced;
        plan.commit.facts = fresh.to_vec();
        let commit = plan.finish();
        let changed =
            |write: &&SubjectWrite| view.subject(&write.subject).is_none_or(|stored| stored.state != write.state);
        refolded.changed = commit.subjects.iter().filter(changed).count() as u64;
        Ok((commit, refolded))
    }
}

impl Refolded {
    /// How a new reading changes an event's row, or `None` where the event stays as it is. The event's status at the
    /// time of the commit decides.
    fn write(&mut self, unit: &Admitted, stored: &StoredEvent, plan: &Plan<'_>) -> Option<EventWrite> {
        let write = event_write(unit, Some(stored.status), stored.attempts.saturating_add(1), plan);
        let Err(Unreadable { fault, .. }) = &unit.reading else { return Some(write) };
        if fault.is_elsewhere() {
            *self.left.entry(fault.code()).or_default() += 1;
            tracing::debug!(
                event = unit.event.key.public_id(),
                code = fault.code(),
                "an event of another engine was left unchanged"
            );
            return None;
        }
        if was_read(stored.status) && !is_too_early(unit) {
            self.unreadable_now += 1;
            let event = unit.event.key.public_id();
            tracing::warn!(
                event,
                code = fault.code(),
                reason = %fault,
                "an event can no longer be read; its facts are kept"
            );
            return None;
        }
        if stored.status == EventStatus::Failed {
            let reason = Some(Reason::Read(fault.clone()));
            return Some(EventWrite { reason, attempts: stored.attempts, due_at: stored.due_at, ..write });
        }
        Some(write)
    }
}

/// The events whose facts are replaced: those that can be read, and those that must not have been used yet.
pub(super) fn replaced(units: &[Admitted]) -> Vec<EventKey> {
    units.iter().filter(|unit| unit.reading.is_ok() || is_too_early(unit)).map(|unit| unit.event.key.clone()).collect()
}

/// Whether an event's own time is still in the future: it would outrank all later news until then.
fn is_too_early(unit: &Admitted) -> bool {
    matches!(unit.reading, Err(Unreadable { fault: ReadFault::Future { .. }, .. }))
}

/// Whether an earlier reading succeeded.
pub(in crate::engine) fn was_read(status: EventStatus) -> bool {
    match status {
        EventStatus::AwaitingFetch | EventStatus::Ignored | EventStatus::Parked | EventStatus::Processed => true,
        EventStatus::Failed | EventStatus::Received => false,
    }
}
