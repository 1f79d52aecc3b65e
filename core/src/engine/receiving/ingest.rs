//! Classifies events that were read as new, repeated or contradictory, and takes the rest through the fold into one
//! commit. If another writer was faster, it starts again from the load.

use std::collections::{BTreeSet, HashMap};

use crate::{
    engine::{
        Admitted, Engine,
        plan::{Plan, Planned, customer_subject},
        receiving::answer::{Answer, answer, event_write, receipt, refuse_unreadable, trace},
    },
    error::{Chain, Refusal},
    fact::{Fact, Link},
    id::EventKey,
    provider::{Event, Meaning, Unreadable},
    store::{
        Commit, Conflict, EventStatus, EventWrite, Lease, NewEvent, StoredEvent, Wanted,
        transact::{Step, View, transact},
    },
    time::Timestamp,
};

/// What to do with a unit.
enum Disposition {
    /// It contradicts a stored event.
    Conflict,
    /// The event is known, and this engine doesn't serve it. It is refused, and nothing is written.
    Elsewhere,
    /// It repeats an event that is done. Nothing is written.
    Duplicate(EventStatus),
    /// It repeats the unit at this index, and gets the same answer.
    Repeat(usize),
    /// It is written: inserted or updated.
    Write,
}

/// The caller's clock. Every unit, including a stored one, counts as received when it was handed over.
pub(in crate::engine) fn made_at(units: &[Admitted]) -> Timestamp {
    units.iter().map(|unit| unit.event.received_at).max().unwrap_or(Timestamp::EPOCH)
}

/// What to do with a repetition in queue mode.
enum Again {
    /// Nothing: it is done, or a worker will process it.
    Done,
    /// A worker tries it again.
    Due(Box<EventWrite>),
    /// It is answered as inline.
    Inline,
}

/// The answer hides the cause from the sender, so the log records it.
pub(in crate::engine) fn trace_fault(refusal: &Refusal, events: usize) {
    if let Refusal::Store(fault) = refusal {
        tracing::warn!(events, code = fault.code(), cause = %Chain(fault), "the store failed");
    }
}

impl Engine {
    /// Processes units in one commit and returns their answers in the same order.
    pub(in crate::engine) async fn ingest(
        &self,
        units: &[Admitted],
        lease: Option<&Lease>,
    ) -> Result<Vec<Answer>, Refusal> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        self.drive(units, lease).await.inspect_err(|refusal| trace_fault(refusal, units.len()))
    }

    async fn drive(&self, units: &[Admitted], lease: Option<&Lease>) -> Result<Vec<Answer>, Refusal> {
        let max_attempts = self.settings.commit_attempts;
        let decide = |view: &View| {
            Ok(match self.plan(units, view, lease) {
                Ok((commit, answers)) => Step::Ready(commit, answers),
                Err(missing) => Step::Need(missing),
            })
        };
        let (answers, commit) = transact(self.store.as_ref(), max_attempts, wanted(units), decide).await?;
        for answer in &answers {
            trace(answer);
        }
        self.trace_dead_letters(&commit);
        Ok(answers)
    }

    /// Handles a repetition in queue mode: a contradiction or a fault is answered as inline; an event that is not
    /// done becomes due.
    pub(in crate::engine) async fn accept_again(&self, unit: Admitted) -> Result<(), Refusal> {
        let wanted = Wanted::events(vec![unit.event.key.clone()]);
        let decide = |view: &View| {
            Ok(match self.again(&unit, view) {
                Ok(Again::Done) => Step::Ready(Commit::default(), true),
                Ok(Again::Due(write)) => {
                    let at = unit.event.received_at;
                    Step::Ready(Commit { at, events: vec![*write], ..Commit::default() }, true)
                }
                Ok(Again::Inline) => Step::Ready(Commit::default(), false),
                Err(missing) => Step::Need(missing),
            })
        };
        let (done, _) = transact(self.store.as_ref(), self.settings.commit_attempts, wanted, decide).await?;
        if done {
            return Ok(());
        }
        let answer = self.ingest(&[unit], None).await?.pop();
        answer.map_or(Ok(()), |answer| answer.map(drop))
    }

    /// What to do with an event that was accepted before.
    fn again(&self, unit: &Admitted, view: &View) -> Planned<Again> {
        let Some(stored) = view.event(&unit.event.key) else { return Ok(Again::Inline) };
        let disposition = self.disposition_of_known(unit, stored, view)?;
        if unit.reading.is_err() || matches!(disposition, Disposition::Conflict) {
            return Ok(Again::Inline);
        }
        let waits = matches!(stored.status, EventStatus::AwaitingFetch | EventStatus::Failed | EventStatus::Ignored);
        if !waits || matches!(disposition, Disposition::Duplicate(_)) {
            return Ok(Again::Done);
        }
        Ok(Again::Due(Box::new(EventWrite {
            event: unit.event.clone(),
            expected: Some(stored.status),
            status: EventStatus::Received,
            reason: None,
            attempts: self.settings.retry.once_more(stored.attempts),
            due_at: Some(unit.event.received_at),
        })))
    }

    /// Whether each unit is new, a repetition, or a contradiction of a stored event or of an earlier unit.
    fn dispositions(&self, units: &[Admitted], view: &View, claimed: bool) -> Planned<Vec<Disposition>> {
        let mut first: HashMap<&EventKey, usize> = HashMap::new();
        let mut dispositions = Vec::with_capacity(units.len());
        let mut missing = Wanted::default();
        for (place, unit) in units.iter().enumerate() {
            let key = &unit.event.key;
            let disposition = match (first.get(key), view.event(key)) {
                (Some(earlier), _) if self.same(&unit.event, &units[*earlier].event) => Disposition::Repeat(*earlier),
                (Some(_), _) => Disposition::Conflict,
                (None, None) => Disposition::Write,
                (None, Some(_)) if claimed => Disposition::Write,
                (None, Some(stored)) => match self.disposition_of_known(unit, stored, view) {
                    Ok(disposition) => disposition,
                    Err(wanted) => {
                        missing.bodies.extend(wanted.bodies);
                        continue;
                    }
                },
            };
            if matches!(disposition, Disposition::Write | Disposition::Duplicate(_)) {
                first.entry(key).or_insert(place);
            }
            dispositions.push(disposition);
        }
        if missing.is_empty() { Ok(dispositions) } else { Err(missing) }
    }

    fn disposition_of_known(&self, unit: &Admitted, stored: &StoredEvent, view: &View) -> Planned<Disposition> {
        if unit.event.digest != stored.event.digest {
            let key = &unit.event.key;
            if !view.has_body(key) {
                return Err(Wanted { bodies: vec![key.clone()], ..Wanted::default() });
            }
            if !self.same(&unit.event, &stored.event) {
                return Ok(Disposition::Conflict);
            }
        }
        let ignored_still = matches!(&unit.reading, Ok(event) if event.meaning == Meaning::Ignored);
        let fetch_still = matches!(&unit.reading, Ok(Event { meaning: Meaning::Fetch(_), .. }));
        let elsewhere = matches!(&unit.reading, Err(Unreadable { fault, .. }) if fault.is_elsewhere());
        Ok(match stored.status {
            EventStatus::Parked | EventStatus::Processed => Disposition::Duplicate(stored.status),
            EventStatus::AwaitingFetch if fetch_still => Disposition::Duplicate(stored.status),
            EventStatus::Ignored if ignored_still => Disposition::Duplicate(stored.status),
            // Another engine on this database may serve it and be processing it.
            _ if elsewhere => Disposition::Elsewhere,
            EventStatus::AwaitingFetch | EventStatus::Failed | EventStatus::Ignored | EventStatus::Received => {
                Disposition::Write
            }
        })
    }

    fn same(&self, one: &NewEvent, other: &NewEvent) -> bool {
        one.digest == other.digest
            || self
                .providers
                .get(&one.key.source.provider)
                .is_some_and(|provider| provider.webhooks().same_content(&one.body, &other.body))
    }

    /// The commit for all units, and the answer to each.
    fn plan(&self, units: &[Admitted], view: &View, lease: Option<&Lease>) -> Planned<(Commit, Vec<Answer>)> {
        let dispositions = self.dispositions(units, view, lease.is_some())?;
        let mut plan = Plan::new(&self.settings, view);
        let written =
            units.iter().zip(&dispositions).filter(|(_, disposition)| matches!(disposition, Disposition::Write));
        let facts: Vec<Fact> = written.flat_map(|(unit, _)| unit.facts()).cloned().collect();
        let news: Vec<Fact> = facts.iter().filter(|fact| !plan.is_old_news(fact)).cloned().collect();
        plan.take_in(&news)?;
        plan.settle_owners()?;
        plan.need_concerned()?;

        let mut answers: Vec<Answer> = Vec::with_capacity(units.len());
        for (unit, disposition) in units.iter().zip(&dispositions) {
            let answer = match disposition {
                Disposition::Conflict => {
                    plan.commit.conflicts.push(Conflict { event: unit.event.clone() });
                    Err(Refusal::Conflict { event: unit.event.key.public_id() })
                }
                Disposition::Duplicate(status) => Ok(receipt(unit, *status, true)),
                Disposition::Elsewhere => refuse_unreadable(unit),
                Disposition::Repeat(earlier) => match &answers[*earlier] {
                    Ok(answered) => Ok(receipt(unit, answered.status, true)),
                    Err(_) => refuse_unreadable(unit),
                },
                Disposition::Write => {
                    let known = view.event(&unit.event.key);
                    let tried = known.map_or(0, |stored| stored.attempts);
                    // The claim already counted the attempt of a claimed event.
                    let attempts = tried.saturating_add(u32::from(lease.is_none()));
                    let write = event_write(unit, known.map(|stored| stored.status), attempts, &plan);
                    let answer = answer(unit, &write, &plan);
                    plan.commit.events.push(write);
                    answer
                }
            };
            answers.push(answer);
        }
        plan.commit.facts = facts;
        plan.commit.lease = lease.cloned();
        plan.commit.at = made_at(units);
        Ok((plan.finish(), answers))
    }
}

fn wanted(units: &[Admitted]) -> Wanted {
    let events: BTreeSet<&EventKey> = units.iter().map(|unit| &unit.event.key).collect();
    let mut subjects = BTreeSet::new();
    for fact in units.iter().flat_map(Admitted::facts) {
        subjects.insert(fact.subject.clone());
        // The customers that its transitions concern. Loading them here costs no further statement.
        subjects.extend(fact.links.iter().filter_map(|link| match link {
            Link::Customer(id) if fact.observation.is_some() => Some(customer_subject(&fact.subject, id.clone())),
            _ => None,
        }));
    }
    let (events, subjects) = (events.into_iter().cloned().collect(), subjects.into_iter().collect());
    Wanted { events, subjects, ..Wanted::default() }
}
