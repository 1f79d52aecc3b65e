//! Brings a database that an older version wrote up to this version: reads every body again, folds every subject
//! again, and lists whose answers change before anything is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    engine::{
        Admitted, Engine,
        operating::{
            PAGE,
            overlay::Overlay,
            rebuild::was_read,
            report::{Reasons, RereadOptions, RereadReport},
        },
    },
    error::Refusal,
    fact::Fact,
    id::EventKey,
    provider::{Meaning, Unreadable},
    store::{EventQuery, EventStatus, StoredEvent, StoredFact, SubjectQuery},
    time::Timestamp,
};

impl Engine {
    /// Reads every stored body again with this version of the adapters, folds every subject with this version of the
    /// fold, and lists whose answers change and by which events. Without [`RereadOptions::dry_run`] it then writes
    /// only the events and subjects that differ. Deliveries may arrive meanwhile.
    ///
    /// Whatever [`replay`](Self::replay) leaves unchanged, this leaves unchanged as well. It doesn't update rows of
    /// the read model that differ only because the catalogue changed; use [`rebuild`](Self::rebuild) for them.
    /// Answers aren't derived from those rows.
    ///
    /// It holds in memory one page of bodies, the facts of the readings that changed, the subjects that change, and
    /// the names of their customers. For a database that this version wrote itself that is next to nothing; at most
    /// it is as much as all facts and subjects. Bodies are read once for a dry run, and twice otherwise.
    ///
    /// # Errors
    /// [`Refusal::Store`] or [`Refusal::Contended`]. What was written before the error stays written; running it
    /// again completes the rest.
    pub async fn reread(&self, options: &RereadOptions) -> Result<RereadReport, Refusal> {
        let overlay = Arc::new(Overlay::over(Arc::clone(self.store())));
        let tried = self.over(overlay.clone());
        let mut report = RereadReport::default();
        let mut reasons = Reasons::new();
        self.reread_bodies(&tried, options.as_of, &mut report, &mut reasons).await?;
        let mut after = None;
        loop {
            let query = SubjectQuery { after, limit: PAGE, ..SubjectQuery::default() };
            let page = self.store.subjects(&query).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.subject.clone());
            report.subjects += page.len() as u64;
            tried.refold(&page.into_iter().map(|stored| stored.subject).collect(), &[]).await?;
        }
        let changed = overlay.changed();
        report.changed_subjects = changed.len() as u64;
        self.compare_answers(&tried, &changed, &reasons, options, &mut report).await?;
        if !options.dry_run {
            let (mut again, mut of_events) = (RereadReport::default(), Reasons::new());
            self.reread_bodies(self, options.as_of, &mut again, &mut of_events).await?;
            for page in changed.chunks(PAGE as usize) {
                self.refold(&page.iter().map(|stored| stored.subject.clone()).collect(), &[]).await?;
            }
            report.applied = true;
        }
        Ok(report)
    }

    /// Reads every body, and commits those whose reading changed to the target.
    async fn reread_bodies(
        &self,
        target: &Engine,
        now: Timestamp,
        report: &mut RereadReport,
        reasons: &mut Reasons,
    ) -> Result<(), Refusal> {
        let mut after = None;
        loop {
            let query = EventQuery { after, limit: PAGE, ..EventQuery::default() };
            let page = self.store.events(&query).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.sequence);
            let mut units = Vec::with_capacity(page.len());
            for stored in page {
                if stored.status == EventStatus::Received {
                    report.queued += 1;
                    continue;
                }
                report.read += 1;
                units.extend(self.read_for_comparison(stored, now, report));
            }
            let keys: Vec<EventKey> = units.iter().flat_map(|(_, unit)| keys_of(unit)).collect();
            let mut stored: BTreeMap<EventKey, Vec<Fact>> = BTreeMap::new();
            for StoredFact { fact, .. } in self.store.facts(&keys).await? {
                stored.entry(fact.event_key()).or_default().push(fact);
            }
            let mut changed = Vec::new();
            for (status, unit) in units {
                let old: Vec<&Fact> = keys_of(&unit).iter().filter_map(|key| stored.get(key)).flatten().collect();
                if is_same(status, &unit, &old) {
                    continue;
                }
                for fact in old.into_iter().chain(unit.facts()) {
                    reasons.entry(fact.subject.clone()).or_default().insert(unit.event.key.public_id());
                }
                changed.push(unit);
            }
            report.changed_readings += changed.len() as u64;
            if !changed.is_empty() {
                target.take_in_again(&changed).await?;
            }
        }
    }

    /// A reading to compare with the stored one, or `None` where the event stays unchanged whatever is stored.
    fn read_for_comparison(
        &self,
        stored: StoredEvent,
        now: Timestamp,
        report: &mut RereadReport,
    ) -> Option<(EventStatus, Admitted)> {
        let (status, key) = (stored.status, stored.event.key.clone());
        let (mut event, reading) = self.read_stored(stored, now);
        event.key = key;
        if let Err(Unreadable { fault, .. }) = &reading {
            if fault.is_elsewhere() {
                *report.left.entry(fault.code()).or_default() += 1;
            } else if was_read(status) {
                report.unreadable_now += 1;
            }
            return None;
        }
        Some((status, Admitted { event, reading }))
    }
}

/// The keys under which facts of an event may be stored: its own, and the key that this reading finds where an
/// earlier reading found none in the body.
fn keys_of(unit: &Admitted) -> BTreeSet<EventKey> {
    let read = unit.reading.as_ref().ok().map(|event| event.head.key.clone());
    read.into_iter().chain([unit.event.key.clone()]).collect()
}

/// Whether an event's reading equals what is stored.
fn is_same(status: EventStatus, unit: &Admitted, old: &[&Fact]) -> bool {
    let Ok(event) = &unit.reading else { return true };
    let of_kind = match status {
        EventStatus::AwaitingFetch => matches!(event.meaning, Meaning::Fetch(_)),
        EventStatus::Ignored => event.meaning == Meaning::Ignored,
        EventStatus::Parked | EventStatus::Processed => matches!(event.meaning, Meaning::Facts(_)),
        EventStatus::Failed | EventStatus::Received => false,
    };
    let new = unit.facts();
    of_kind && new.iter().all(|fact| old.contains(&fact)) && old.iter().all(|fact| new.contains(fact))
}
