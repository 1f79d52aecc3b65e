//! Decides how stored events are read again: one, a range, everything; in place, or into an empty store beside; and
//! how the read side is rebuilt from the facts alone.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    id::{EventKey, Subject},
    provider::{Event, ReadFault, Unreadable},
    store::{EventQuery, EventStatus, FactQuery, NewEvent, Store, StoredEvent, SubjectQuery, Wanted},
    time::Timestamp,
    verify::VerifiedDelivery,
};

/// How many events or subjects are taken at a time.
const PAGE: u32 = 100;

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
    /// Events that were read again.
    pub read: u64,
    /// Their statuses afterwards.
    pub statuses: BTreeMap<EventStatus, u64>,
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
            self.reread(events, now).await?;
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
                let (received_at, failed) = (stored.event.received_at, stored.status == EventStatus::Failed);
                let (event, reading) = self.read_body(stored, received_at);
                // The time of an event that was used had come then, which may be later than its receipt.
                let reading = if failed { in_time(reading, received_at) } else { reading };
                units.push(Admitted { event, reading });
            }
            report.read += units.len() as u64;
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
            report.changed += self.refold(&subjects, &[], &[], &[]).await?;
        }
    }

    async fn reread(&self, events: Vec<StoredEvent>, now: Timestamp) -> Result<(), Refusal> {
        let keys: Vec<EventKey> = events.iter().map(|stored| stored.event.key.clone()).collect();
        let (mut units, mut tried) = (Vec::new(), Vec::new());
        for stored in events {
            let key = stored.event.key.clone();
            tried.push(stored.attempts);
            let (mut event, reading) = self.read_stored(stored, now);
            // An event keeps the name that it was kept under, also when this version reads another one.
            event.key = key;
            units.push(Admitted { event, reading });
        }
        let old = self.store.facts(&FactQuery::Events(keys.clone())).await?;
        let touched: BTreeSet<Subject> = old.into_iter().map(|fact| fact.subject).collect();
        self.refold(&touched, &keys, &units, &tried).await?;
        Ok(())
    }

    /// Folds subjects from their facts, without those of the events that are read again, whose new facts come
    /// instead. Tells how many subjects changed.
    async fn refold(
        &self,
        touched: &BTreeSet<Subject>,
        reread: &[EventKey],
        units: &[Admitted],
        tried: &[u32],
    ) -> Result<u64, Refusal> {
        let fresh: Vec<Fact> = units.iter().flat_map(super::ingest::facts_of).cloned().collect();
        let mut subjects = touched.clone();
        subjects.extend(fresh.iter().map(|fact| fact.subject.clone()));
        let subjects: Vec<Subject> = subjects.into_iter().collect();
        let mut attempts = Attempts::at_most(self.settings.commit_attempts);
        loop {
            attempts.begin()?;
            let wanted = Wanted { events: Vec::new(), subjects: subjects.clone() };
            let loaded = self.store.load(&wanted).await?;
            let before: BTreeMap<_, _> =
                loaded.subjects.iter().map(|stored| (stored.subject.clone(), stored.state.clone())).collect();
            let mut plan = Plan::new(self, loaded, wanted);
            let mut facts: BTreeMap<Subject, Vec<Fact>> = BTreeMap::new();
            for fact in self.store.facts(&FactQuery::Subjects(subjects.clone())).await? {
                if !reread.contains(&fact.event_key()) {
                    facts.entry(fact.subject.clone()).or_default().push(fact);
                }
            }
            for subject in &subjects {
                let old = facts.remove(subject).unwrap_or_default();
                let new: Vec<&Fact> = fresh.iter().filter(|fact| fact.subject == *subject).collect();
                plan.refold(subject, &old, &new);
            }
            plan.settle_owners().await?;
            for (unit, tried) in units.iter().zip(tried) {
                let write = super::ingest::event_write(unit, tried.saturating_add(1), &plan);
                plan.commit.events.push(write);
            }
            plan.commit.reread = reread.to_vec();
            plan.commit.facts.clone_from(&fresh);
            let commit = plan.finish();
            let changed =
                commit.subjects.iter().filter(|write| before.get(&write.subject) != Some(&write.state)).count();
            match self.store.commit(&commit).await {
                Ok(()) => return Ok(changed as u64),
                Err(error) => attempts.after(error)?,
            }
        }
    }

    /// Reads a stored body again, as if it were received now.
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
        let delivery = Delivery {
            provider: provider.name().clone(),
            headers: Headers::new(),
            body: stored.event.body,
            received_at: now,
        };
        let verified = VerifiedDelivery::of_stored(delivery);
        let reading = provider.read(&verified);
        (new_event(&reading, verified.into_delivery()), reading)
    }
}
