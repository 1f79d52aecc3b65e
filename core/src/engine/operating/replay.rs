//! Reads stored events again: one, a range, or all; in place, or into an empty second store.
//!
//! A replay never makes things worse. If an event was read before and the new reading fails, the event, its facts and
//! its status stay unchanged, and the report counts it. An engine that lacks an adapter, or whose adapter serves
//! another mode or account, therefore changes nothing. Neither does an adapter that can no longer read what an
//! earlier version could.

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
    /// One event.
    Event(EventKey),
    /// Events received from one instant (included) until another (excluded).
    Received {
        /// The first instant.
        since: Option<Timestamp>,
        /// The instant after the last.
        until: Option<Timestamp>,
    },
    /// Events with one of these statuses, for example `failed`.
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

/// What a replay did. Why an event failed again is in its `reason`: list it with `Engine::events`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Events whose bodies were read again.
    pub read: u64,
    /// The events' statuses afterwards, including events that were left unchanged.
    pub statuses: BTreeMap<EventStatus, u64>,
    /// Events among `read` that another engine serves, by the fault's [`code`](ReadFault::code): `no_adapter`,
    /// `wrong_account`, `wrong_mode`. They were left unchanged.
    pub left: BTreeMap<&'static str, u64>,
    /// Events among `read` that were read before and can't be read now, through a fault of their body or of the
    /// adapter. They and the facts of the earlier reading were left unchanged.
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
    /// Reads stored events again with this version of the adapters, replaces their facts, and folds the affected
    /// subjects from all facts. Each page is one commit, so nothing is missing in between.
    ///
    /// An event that can't be read stays unchanged if another engine serves it, whatever its status, or if it was
    /// read before; then it also keeps its facts ([`ReplayReport::left`], [`ReplayReport::unreadable_now`]). The
    /// exception is an event that was used before its own time: its facts are withdrawn until then. An event that
    /// failed before and fails again gets its new reason; no attempt is counted.
    ///
    /// # Errors
    /// [`Refusal::Store`] or [`Refusal::Contended`]. Events read before the error stay read.
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

    /// Reads stored events into another store, which should be empty: to see what this version of the code derives
    /// from the same log before it is deployed.
    ///
    /// An event that another engine serves is not written to the target, and is counted in [`ReplayReport::left`]. An
    /// event that can no longer be read is `failed` in the target, and is counted in
    /// [`ReplayReport::unreadable_now`].
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
                // If the event was used, its own time had come by then, possibly later than its receipt. So the check
                // against the receipt applies only to failed events.
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

    /// Reads stored events again in place.
    pub(in crate::engine) async fn read_again(
        &self,
        events: Vec<StoredEvent>,
        now: Timestamp,
    ) -> Result<Refolded, Refusal> {
        let mut units = Vec::with_capacity(events.len());
        for stored in events {
            let key = stored.event.key.clone();
            let (mut event, reading) = self.read_stored(stored, now);
            // An event keeps its stored key, even when this version reads a different one.
            event.key = key;
            units.push(Admitted { event, reading });
        }
        self.take_in_again(&units).await
    }

    /// Replaces the stored facts of events by their new readings.
    pub(in crate::engine) async fn take_in_again(&self, units: &[Admitted]) -> Result<Refolded, Refusal> {
        let old = self.store.facts(&replaced(units)).await?;
        let touched: BTreeSet<Subject> = old.into_iter().map(|stored| stored.fact.subject).collect();
        self.refold(&touched, units).await
    }

    /// Reads a stored body again, as if it were received now. It was verified on receipt. An event that another
    /// engine serves can't be read, and doesn't affect the others: its provider is not registered here, or the
    /// adapter, going by its configuration, reads another account or mode than the event is stored under.
    pub(in crate::engine) fn read_stored(
        &self,
        stored: StoredEvent,
        now: Timestamp,
    ) -> (NewEvent, Result<Event, Unreadable>) {
        let (event, reading) = self.read_body(stored, now);
        (event, in_time(reading, now))
    }

    /// Reads a stored body again, whatever source it belongs to. It was verified on receipt. An event whose provider
    /// is no longer registered can't be read, and doesn't affect the others.
    fn read_body(&self, stored: StoredEvent, now: Timestamp) -> (NewEvent, Result<Event, Unreadable>) {
        let Some(provider) = self.providers.get(&stored.event.key.source.provider) else {
            let reading = Err(Unreadable { head: None, fault: ReadFault::NoAdapter });
            return (NewEvent { received_at: now, ..stored.event }, reading);
        };
        // If the body named no event, its source was not read from it.
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

/// The fault of a reading that names a source other than the one the event is stored under.
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
