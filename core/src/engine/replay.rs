//! Decides how stored events are read again: one, a range, everything; in place, or into an empty store beside; and
//! how the read side is rebuilt from the facts alone.
//!
//! A replay never makes things worse. A reading that fails says nothing new about an event that was read before: the
//! event, its facts and its status stay, and the report counts it. So an engine that lacks an adapter, or whose adapter
//! serves another mode or account, changes nothing, and neither does an adapter that can't read any more what an earlier
//! version of it could.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    delivery::{Delivery, Headers},
    engine::{
        Engine,
        attempts::Attempts,
        ingest::{Admitted, in_time, new_event},
        plan::Plan,
    },
    error::Refusal,
    fact::Fact,
    id::{EventKey, Source, Subject},
    provider::{Event, ReadFault, Unreadable},
    store::{
        EventQuery, EventStatus, EventWrite, FactQuery, NewEvent, Reason, Store, StoredEvent, SubjectQuery, Wanted,
    },
    time::Timestamp,
    verify::VerifiedDelivery,
};

/// How many events or subjects are taken at a time.
pub(super) const PAGE: u32 = 100;

/// Which events are read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// One.
    Event(EventKey),
    /// Those received from an instant on, and before another.
    Received {
        /// The first instant.
        since: Option<Timestamp>,
        /// The instant after the last.
        until: Option<Timestamp>,
    },
    /// Those of some statuses: `failed`, for one.
    Statuses(Vec<EventStatus>),
}

impl Selection {
    /// Every event.
    pub const EVERYTHING: Self = Self::Received { since: None, until: None };

    fn query(&self, after: Option<i64>) -> EventQuery {
        let all = EventQuery { after, limit: PAGE, ..EventQuery::default() };
        match self {
            Selection::Event(key) => EventQuery { key: Some(key.clone()), ..all },
            Selection::Received { since, until } => EventQuery { since: *since, until: *until, ..all },
            Selection::Statuses(statuses) => EventQuery { statuses: statuses.clone(), ..all },
        }
    }
}

/// What a replay did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Events whose bodies were read again.
    pub read: u64,
    /// Their statuses afterwards, those of the events that were left as they are included.
    pub statuses: BTreeMap<EventStatus, u64>,
    /// Those among them that another engine serves, by the fault's [`code`](ReadFault::code): `no_adapter`,
    /// `wrong_account`, `wrong_mode`. They were left as they are.
    pub left: BTreeMap<&'static str, u64>,
    /// Those among them that were read before and can't be read now, by a fault of their body or of the adapter. They
    /// were left as they are, with the facts of the earlier reading.
    pub unreadable_now: u64,
}

/// What a new reading of some events led to.
#[derive(Debug, Default)]
pub(super) struct Refolded {
    /// Subjects whose state is another than before.
    pub(super) changed: u64,
    left: BTreeMap<&'static str, u64>,
    unreadable_now: u64,
}

impl ReplayReport {
    fn add(&mut self, page: &Refolded) {
        for (code, count) in &page.left {
            *self.left.entry(code).or_default() += count;
        }
        self.unreadable_now += page.unreadable_now;
    }
}

/// What a rebuild did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RebuildReport {
    /// Subjects that were folded from their facts.
    pub subjects: u64,
    /// Those whose state was another than the stored one.
    pub changed: u64,
}

impl Engine {
    /// Reads stored events again with this version of the adapters, replaces their facts, and folds what they touch
    /// from all facts. Nothing is ever missing in between: each page is one commit.
    ///
    /// What can't be read stays as it is: an event that another engine serves whatever its status, and one that was
    /// read before with its facts ([`ReplayReport::left`], [`ReplayReport::unreadable_now`]). Only an event that was used
    /// before its own time has come is taken back until then. One that failed before
    /// and fails again gets its new reason; no attempt is counted.
    ///
    /// # Errors
    /// [`Refusal::Store`] or [`Refusal::Contended`]; what was read before stays read.
    pub async fn replay(&self, selection: &Selection, now: Timestamp) -> Result<ReplayReport, Refusal> {
        let mut report = ReplayReport::default();
        let mut after = None;
        loop {
            let page = self.store.events(&selection.query(after)).await?;
            let Some(last) = page.last() else { return Ok(report) };
            after = Some(last.sequence);
            let events: Vec<StoredEvent> =
                page.into_iter().filter(|stored| stored.status != EventStatus::Conflict).collect();
            let keys: Vec<EventKey> = events.iter().map(|stored| stored.event.key.clone()).collect();
            report.read += keys.len() as u64;
            report.add(&self.read_again(events, now).await?);
            let wanted = Wanted { events: keys, subjects: Vec::new() };
            for stored in self.store.load(&wanted).await?.events {
                *report.statuses.entry(stored.status).or_default() += 1;
            }
            if matches!(selection, Selection::Event(_)) {
                return Ok(report);
            }
        }
    }

    /// Reads stored events into another store, which should be empty: to compare what this version of the code makes
    /// of the same log, before it is deployed.
    ///
    /// What another engine serves is left out of the target, and counted in [`ReplayReport::left`]. What can't be read
    /// any more is `failed` there, and counted in [`ReplayReport::unreadable_now`].
    ///
    /// # Errors
    /// As [`replay`](Self::replay).
    pub async fn replay_into(&self, selection: &Selection, target: Arc<dyn Store>) -> Result<ReplayReport, Refusal> {
        let other = self.over(target);
        let mut report = ReplayReport::default();
        let mut after = None;
        loop {
            let page = self.store.events(&selection.query(after)).await?;
            let Some(last) = page.last() else { return Ok(report) };
            after = Some(last.sequence);
            let mut units = Vec::new();
            for stored in page.into_iter().filter(|stored| stored.status != EventStatus::Conflict) {
                report.read += 1;
                let (status, received_at) = (stored.status, stored.event.received_at);
                let (event, reading) = self.read_body(stored, received_at);
                // The time of an event that was used had come then, which may be later than its receipt.
                let failed = status == EventStatus::Failed;
                let reading = if failed { in_time(reading, received_at) } else { reading };
                match &reading {
                    Err(Unreadable { fault, .. }) if fault.is_elsewhere() => {
                        *report.left.entry(fault.code()).or_default() += 1;
                        continue;
                    }
                    Err(_) => report.unreadable_now += u64::from(was_read(status)),
                    Ok(_) => {}
                }
                units.push(Admitted { event, reading });
            }
            for answer in other.ingest(&units, None).await? {
                let status = answer.map_or(EventStatus::Failed, |receipt| receipt.status);
                *report.statuses.entry(status).or_default() += 1;
            }
            if matches!(selection, Selection::Event(_)) {
                return Ok(report);
            }
        }
    }

    /// Folds every subject from its facts and writes its rows anew: for a read model that was tampered with, for a
    /// new catalogue, for a new version of the fold.
    ///
    /// # Errors
    /// [`Refusal::Store`] or [`Refusal::Contended`]; what was rebuilt before stays rebuilt.
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

    /// Reads events again in place.
    pub(super) async fn read_again(&self, events: Vec<StoredEvent>, now: Timestamp) -> Result<Refolded, Refusal> {
        let mut units = Vec::with_capacity(events.len());
        for stored in events {
            let key = stored.event.key.clone();
            let (mut event, reading) = self.read_stored(stored, now);
            // An event keeps the name that it was kept under, also when this version reads another one.
            event.key = key;
            units.push(Admitted { event, reading });
        }
        self.take_in_again(&units).await
    }

    /// Lets new readings of events replace what is stored of them.
    pub(super) async fn take_in_again(&self, units: &[Admitted]) -> Result<Refolded, Refusal> {
        let old = self.store.facts(&FactQuery::Events(replaced(units))).await?;
        let touched: BTreeSet<Subject> = old.into_iter().map(|fact| fact.subject).collect();
        self.refold(&touched, units).await
    }

    /// Folds subjects from their facts, without those of the events that are read again, whose new facts come instead.
    pub(super) async fn refold(&self, touched: &BTreeSet<Subject>, units: &[Admitted]) -> Result<Refolded, Refusal> {
        let fresh: Vec<Fact> = units.iter().flat_map(super::ingest::facts_of).cloned().collect();
        let mut subjects = touched.clone();
        subjects.extend(fresh.iter().map(|fact| fact.subject.clone()));
        let subjects: Vec<Subject> = subjects.into_iter().collect();
        let replaced = replaced(units);
        let mut attempts = Attempts::at_most(self.settings.commit_attempts);
        loop {
            attempts.begin()?;
            let events = units.iter().map(|unit| unit.event.key.clone()).collect();
            let wanted = Wanted { events, subjects: subjects.clone() };
            let mut loaded = self.store.load(&wanted).await?;
            let known: HashMap<EventKey, StoredEvent> =
                loaded.events.drain(..).map(|stored| (stored.event.key.clone(), stored)).collect();
            let before: BTreeMap<_, _> =
                loaded.subjects.iter().map(|stored| (stored.subject.clone(), stored.state.clone())).collect();
            let mut plan = Plan::new(self, loaded, wanted);
            let mut facts: BTreeMap<Subject, Vec<Fact>> = BTreeMap::new();
            for fact in self.store.facts(&FactQuery::Subjects(subjects.clone())).await? {
                if !replaced.contains(&fact.event_key()) {
                    facts.entry(fact.subject.clone()).or_default().push(fact);
                }
            }
            for subject in &subjects {
                let old = facts.remove(subject).unwrap_or_default();
                let new: Vec<&Fact> = fresh.iter().filter(|fact| fact.subject == *subject).collect();
                plan.refold(subject, &old, &new);
            }
            plan.settle_owners().await?;
            let mut refolded = Refolded::default();
            for unit in units {
                let Some(stored) = known.get(&unit.event.key) else { continue };
                let write = refolded.write(unit, stored, &plan);
                plan.commit.events.extend(write);
            }
            plan.commit.at = super::ingest::made_at(units);
            plan.commit.reread.clone_from(&replaced);
            plan.commit.facts.clone_from(&fresh);
            let commit = plan.finish();
            let changed =
                commit.subjects.iter().filter(|write| before.get(&write.subject) != Some(&write.state)).count();
            refolded.changed = changed as u64;
            if commit.events.is_empty() && commit.subjects.is_empty() {
                return Ok(refolded);
            }
            match self.store.commit(&commit).await {
                Ok(()) => return Ok(refolded),
                Err(error) => attempts.after(error)?,
            }
        }
    }

    /// Reads a stored body again, as if it were received now. It was verified when it came. An event that another engine serves can't be read, and
    /// hinders no other: its provider is not registered here, or the adapter takes it for one of another account or mode
    /// than it was kept under, because it believes its configuration.
    pub(super) fn read_stored(&self, stored: StoredEvent, now: Timestamp) -> (NewEvent, Result<Event, Unreadable>) {
        let (event, reading) = self.read_body(stored, now);
        (event, in_time(reading, now))
    }

    /// Reads a stored body again, whenever it is of. It was verified when it came. An event whose provider is no longer
    /// registered can't be read, and hinders no other.
    fn read_body(&self, stored: StoredEvent, now: Timestamp) -> (NewEvent, Result<Event, Unreadable>) {
        let Some(provider) = self.providers.get(&stored.event.key.source.provider) else {
            let reading = Err(Unreadable { head: None, fault: ReadFault::NoAdapter });
            return (NewEvent { received_at: now, ..stored.event }, reading);
        };
        // Where the body named no event, its source was made up.
        let source = (!stored.event.event_type.is_empty()).then_some(stored.event.key.source);
        let delivery = Delivery {
            provider: provider.name().clone(),
            headers: Headers::new(),
            body: stored.event.body,
            received_at: now,
        };
        let verified = VerifiedDelivery::of_stored(delivery);
        let mut reading = provider.read(&verified);
        if let Some(fault) = source.and_then(|source| elsewhere(&source, &reading)) {
            let head = reading.map_or_else(|unreadable| unreadable.head, |event| Some(event.head));
            reading = Err(Unreadable { head, fault });
        }
        (new_event(&reading, verified.into_delivery()), reading)
    }
}

impl Refolded {
    /// How a new reading changes an event's row; none where the event stays as it is. What it was before decides, at the
    /// time of the commit.
    fn write(&mut self, unit: &Admitted, stored: &StoredEvent, plan: &Plan<'_>) -> Option<EventWrite> {
        let write = super::ingest::event_write(unit, stored.attempts.saturating_add(1), plan);
        let write = EventWrite { expected: Some(stored.status), ..write };
        let Err(Unreadable { fault, .. }) = &unit.reading else { return Some(write) };
        if fault.is_elsewhere() {
            *self.left.entry(fault.code()).or_default() += 1;
            tracing::debug!(
                event = unit.event.key.public_id(),
                code = fault.code(),
                "an event of another engine is left"
            );
            return None;
        }
        if was_read(stored.status) && !is_too_early(unit) {
            self.unreadable_now += 1;
            let event = unit.event.key.public_id();
            tracing::warn!(event, code = fault.code(), reason = %fault, "an event can't be read any more; its facts stay");
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
fn replaced(units: &[Admitted]) -> Vec<EventKey> {
    units.iter().filter(|unit| unit.reading.is_ok() || is_too_early(unit)).map(|unit| unit.event.key.clone()).collect()
}

/// Whether an event's own time has not come: it would outrank all news until then.
fn is_too_early(unit: &Admitted) -> bool {
    matches!(unit.reading, Err(Unreadable { fault: ReadFault::Future { .. }, .. }))
}

/// Whether an earlier reading found out what the event means.
pub(super) fn was_read(status: EventStatus) -> bool {
    match status {
        EventStatus::AwaitingFetch | EventStatus::Ignored | EventStatus::Parked | EventStatus::Processed => true,
        EventStatus::Conflict | EventStatus::Failed | EventStatus::Received => false,
    }
}

/// What is wrong with a reading that names another source than the event was kept under.
fn elsewhere(kept: &Source, reading: &Result<Event, Unreadable>) -> Option<ReadFault> {
    let head = match reading {
        Ok(event) => &event.head,
        Err(unreadable) => unreadable.head.as_ref()?,
    };
    let read = &head.key.source;
    match () {
        () if read.mode != kept.mode => Some(ReadFault::WrongMode { expected: read.mode, found: kept.mode }),
        () if read.account != kept.account => Some(ReadFault::WrongAccount),
        () => None,
    }
}
