//! Decides how stored events are read again: one, a range, everything; in place, or into an empty store beside.
//!
//! A replay never makes things worse. A reading that fails says nothing new about an event that was read before: the
//! event, its facts and its status stay, and the report counts it. So an engine that lacks an adapter, or whose adapter
//! serves another mode or account, changes nothing, and neither does an adapter that can't read any more what an earlier
//! version of it could.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    delivery::{Delivery, Headers},
    engine::{
        Engine,
        operating::{
            PAGE,
            rebuild::{Refolded, replaced, was_read},
        },
        receiving::admitted::{Admitted, in_time, new_event},
    },
    error::Refusal,
    id::{EventKey, Source, Subject},
    provider::{Event, ReadFault, Unreadable},
    store::{EventQuery, EventStatus, NewEvent, Store, StoredEvent, Wanted},
    time::Timestamp,
    verify::VerifiedDelivery,
};

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

impl ReplayReport {
    fn add(&mut self, page: &Refolded) {
        for (code, count) in &page.left {
            *self.left.entry(code).or_default() += count;
        }
        self.unreadable_now += page.unreadable_now;
    }
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
            let keys: Vec<EventKey> = page.iter().map(|stored| stored.event.key.clone()).collect();
            report.read += keys.len() as u64;
            report.add(&self.read_again(page, now).await?);
            for stored in self.store.load(&Wanted::events(keys)).await?.events {
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
            for stored in page {
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

    /// Reads events again in place.
    pub(in crate::engine) async fn read_again(
        &self,
        events: Vec<StoredEvent>,
        now: Timestamp,
    ) -> Result<Refolded, Refusal> {
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
    pub(in crate::engine) async fn take_in_again(&self, units: &[Admitted]) -> Result<Refolded, Refusal> {
        let old = self.store.facts(&replaced(units)).await?;
        let touched: BTreeSet<Subject> = old.into_iter().map(|stored| stored.fact.subject).collect();
        self.refold(&touched, units).await
    }

    /// Reads a stored body again, as if it were received now. It was verified when it came. An event that another engine serves can't be read, and
    /// hinders no other: its provider is not registered here, or the adapter takes it for one of another account or mode
    /// than it was kept under, because it believes its configuration.
    pub(in crate::engine) fn read_stored(
        &self,
        stored: StoredEvent,
        now: Timestamp,
    ) -> (NewEvent, Result<Event, Unreadable>) {
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
        let mut reading = provider.webhooks().read(&verified);
        if let Some(fault) = source.and_then(|source| elsewhere(&source, &reading)) {
            let head = reading.map_or_else(|unreadable| unreadable.head, |event| Some(event.head));
            reading = Err(Unreadable { head, fault });
        }
        (new_event(&reading, verified.into_delivery()), reading)
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
