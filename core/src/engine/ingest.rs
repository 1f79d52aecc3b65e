//! Decides what becomes of events that were read: which are new, which repeat, which contradict; and drives the rest
//! through the fold into one commit, again from the load when another writer was faster.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use crate::{
    delivery::Delivery,
    engine::{
        Engine,
        attempts::Attempts,
        lane,
        plan::{Plan, customer_subject},
    },
    error::{Chain, Refusal, StoreError},
    fact::{Fact, Link},
    id::{EventKey, Mode, ProviderId, Source},
    provider::{Event, Meaning, ReadFault, Remark, Unreadable},
    receipt::{Answers, Reconciliation, Stage, StageReceipt, WebhookReceipt},
    store::{
        Commit, Conflict, EventQuery, EventStatus, EventWrite, Lease, Loaded, NewEvent, Reason, StoredEvent, Wanted,
    },
    time::Timestamp,
};

/// An event that is genuine, and what its adapter read in it. Outside of the engine only
/// [`Engine::admit`](crate::engine::Engine::admit) makes one.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// What came.
    pub(super) event: NewEvent,
    /// What the adapter made of it.
    pub(super) reading: Result<Event, Unreadable>,
}

pub(super) type Answer = Result<WebhookReceipt, Refusal>;

/// How far an event's own time may lie after its receipt, in seconds. Clocks differ by less than a day.
const AHEAD_SECONDS: i64 = 24 * 3600;

/// The reading of an event at a time of receipt. One whose own time has not come is refused: every later event would
/// be older than it. What is ignored says nothing that could.
pub(super) fn in_time(reading: Result<Event, Unreadable>, received_at: Timestamp) -> Result<Event, Unreadable> {
    let event = reading?;
    let seconds_ahead = event.head.occurred_at.seconds_after(received_at);
    if seconds_ahead <= AHEAD_SECONDS || event.meaning == Meaning::Ignored {
        return Ok(event);
    }
    let fault = ReadFault::Future { path: event.head.occurred_at_path.to_owned(), seconds_ahead };
    Err(Unreadable { head: Some(event.head), fault })
}

/// An event as it is kept. A body that names no event goes by its digest; one that names no mode is kept as live.
pub(super) fn new_event(reading: &Result<Event, Unreadable>, delivery: Delivery) -> NewEvent {
    let digest: [u8; 32] = Sha256::digest(&delivery.body).into();
    let head = match reading {
        Ok(event) => Some(&event.head),
        Err(unreadable) => unreadable.head.as_ref(),
    };
    let unnamed = || EventKey {
        source: Source { provider: delivery.provider.clone(), account: None, mode: Mode::Live },
        id: ProviderId::of_body(&delivery.body),
    };
    NewEvent {
        key: head.map_or_else(unnamed, |head| head.key.clone()),
        event_type: head.map(|head| head.event_type.clone()).unwrap_or_default(),
        api_version: head.and_then(|head| head.api_version.clone()),
        occurred_at: head.map(|head| head.occurred_at),
        received_at: delivery.received_at,
        lane: lane::lane(reading),
        body: delivery.body,
        digest,
    }
}

/// What is to be done with a unit.
enum Course {
    /// It contradicts an event that stands.
    Conflict,
    /// It is known, and this engine doesn't serve it: it is refused, and nothing is written.
    Elsewhere,
    /// It repeats one that is done; nothing is written.
    Duplicate(EventStatus),
    /// It repeats the unit at this place, and is answered like it.
    Repeat(usize),
    /// It is written: inserted, or moved on.
    Write { insert: bool },
}

/// The caller's clock: every unit counts as received when it was handed over, a stored one as well.
pub(super) fn made_at(units: &[Admitted]) -> Timestamp {
    units.iter().map(|unit| unit.event.received_at).max().unwrap_or(Timestamp::EPOCH)
}

/// The sender is told no cause; an operator is.
pub(super) fn trace_fault(refusal: &Refusal, events: usize) {
    if let Refusal::Store(fault) = refusal {
        tracing::warn!(events, code = fault.code(), cause = %Chain(fault), "the store failed");
    }
}

impl Engine {
    /// Drives units to their answers, which stand in the same order, all in one commit.
    pub(super) async fn ingest(&self, units: &[Admitted], lease: Option<&Lease>) -> Result<Vec<Answer>, Refusal> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        self.drive(units, lease).await.inspect_err(|refusal| trace_fault(refusal, units.len()))
    }

    async fn drive(&self, units: &[Admitted], lease: Option<&Lease>) -> Result<Vec<Answer>, Refusal> {
        let mut attempts = Attempts::at_most(self.settings.commit_attempts);
        loop {
            attempts.begin()?;
            let wanted = wanted(units);
            let loaded = self.store.load(&wanted).await?;
            let courses = self.courses(units, &loaded, lease.is_some()).await?;
            let (plan, answers) = self.plan(units, &courses, loaded, wanted, lease).await?;
            let Some(commit) = plan else {
                return Ok(answers);
            };
            match self.store.commit(&commit).await {
                Ok(()) => {
                    for answer in &answers {
                        trace(answer);
                    }
                    self.trace_dead_letters(&commit);
                    return Ok(answers);
                }
                Err(error) => attempts.after(error)?,
            }
        }
    }

    /// Queue mode's repetitions: a contradiction or a fault is answered as inline; an event that is not done becomes due.
    pub(super) async fn accept_again(&self, unit: Admitted) -> Result<(), Refusal> {
        let mut attempts = Attempts::at_most(self.settings.commit_attempts);
        loop {
            attempts.begin()?;
            let wanted = Wanted { events: vec![unit.event.key.clone()], subjects: Vec::new() };
            let loaded = self.store.load(&wanted).await?;
            let Some(stored) = loaded.events.first() else { break };
            let course = self.course_of_known(&unit, stored).await?;
            let waits =
                matches!(stored.status, EventStatus::AwaitingFetch | EventStatus::Failed | EventStatus::Ignored);
            if unit.reading.is_err() || matches!(course, Course::Conflict) {
                break;
            }
            if !waits || matches!(course, Course::Duplicate(_)) {
                return Ok(());
            }
            let again = EventWrite {
                event: unit.event.clone(),
                insert: false,
                expected: Some(stored.status),
                status: EventStatus::Received,
                reason: None,
                attempts: self.settings.retry.once_more(stored.attempts),
                due_at: Some(unit.event.received_at),
            };
            match self
                .store
                .commit(&Commit { at: unit.event.received_at, events: vec![again], ..Commit::default() })
                .await
            {
                Ok(()) => return Ok(()),
                Err(error) => attempts.after(error)?,
            }
        }
        let answer = self.ingest(&[unit], None).await?.pop();
        answer.map_or(Ok(()), |answer| answer.map(drop))
    }

    /// Whether each unit is new, a repetition, or a contradiction: of what is stored, or of one before it.
    async fn courses(&self, units: &[Admitted], loaded: &Loaded, claimed: bool) -> Result<Vec<Course>, StoreError> {
        let stored: HashMap<&EventKey, &StoredEvent> =
            loaded.events.iter().map(|stored| (&stored.event.key, stored)).collect();
        let mut first: HashMap<&EventKey, usize> = HashMap::new();
        let mut courses = Vec::with_capacity(units.len());
        for (place, unit) in units.iter().enumerate() {
            let key = &unit.event.key;
            let course = match (first.get(key), stored.get(key)) {
                (Some(earlier), _) if self.same(&unit.event, &units[*earlier].event) => Course::Repeat(*earlier),
                (Some(_), _) => Course::Conflict,
                (None, None) => Course::Write { insert: true },
                (None, Some(_)) if claimed => Course::Write { insert: false },
                (None, Some(stored)) => self.course_of_known(unit, stored).await?,
            };
            if matches!(course, Course::Write { .. } | Course::Duplicate(_)) {
                first.entry(key).or_insert(place);
            }
            courses.push(course);
        }
        Ok(courses)
    }

    async fn course_of_known(&self, unit: &Admitted, stored: &StoredEvent) -> Result<Course, StoreError> {
        if unit.event.digest != stored.event.digest {
            let query = EventQuery { key: Some(unit.event.key.clone()), limit: 1, ..EventQuery::default() };
            let with_body = self.store.events(&query).await?;
            if !with_body.first().is_some_and(|known| self.same(&unit.event, &known.event)) {
                return Ok(Course::Conflict);
            }
        }
        let ignored_still = matches!(&unit.reading, Ok(event) if event.meaning == Meaning::Ignored);
        let fetch_still = matches!(&unit.reading, Ok(Event { meaning: Meaning::Fetch(_), .. }));
        let elsewhere = matches!(&unit.reading, Err(Unreadable { fault, .. }) if fault.is_elsewhere());
        Ok(match stored.status {
            EventStatus::Parked | EventStatus::Processed => Course::Duplicate(stored.status),
            EventStatus::AwaitingFetch if fetch_still => Course::Duplicate(stored.status),
            EventStatus::Ignored if ignored_still => Course::Duplicate(stored.status),
            // Another engine on this database may serve it, and has it in hand.
            _ if elsewhere => Course::Elsewhere,
            EventStatus::AwaitingFetch
            | EventStatus::Conflict
            | EventStatus::Failed
            | EventStatus::Ignored
            | EventStatus::Received => Course::Write { insert: false },
        })
    }

    fn same(&self, one: &NewEvent, other: &NewEvent) -> bool {
        one.digest == other.digest
            || self
                .providers
                .get(&one.key.source.provider)
                .is_some_and(|provider| provider.same_content(&one.body, &other.body))
    }

    /// The commit for all units, if there is anything to write, and the answer to each.
    async fn plan(
        &self,
        units: &[Admitted],
        courses: &[Course],
        loaded: Loaded,
        wanted: Wanted,
        lease: Option<&Lease>,
    ) -> Result<(Option<Commit>, Vec<Answer>), StoreError> {
        let known: HashMap<EventKey, (u32, EventStatus)> =
            loaded.events.iter().map(|it| (it.event.key.clone(), (it.attempts, it.status))).collect();
        let mut plan = Plan::new(self, loaded, wanted);
        let facts: Vec<Fact> = units
            .iter()
            .zip(courses)
            .filter(|(_, course)| matches!(course, Course::Write { .. }))
            .flat_map(|(unit, _)| facts_of(unit))
            .cloned()
            .collect();
        let news: Vec<Fact> = facts.iter().filter(|fact| !plan.is_old_news(fact)).cloned().collect();
        plan.take_in(&news).await?;
        plan.settle_owners().await?;
        plan.load_concerned().await?;

        let mut answers: Vec<Answer> = Vec::with_capacity(units.len());
        for (unit, course) in units.iter().zip(courses) {
            let answer = match course {
                Course::Conflict => {
                    plan.commit.conflicts.push(Conflict { event: unit.event.clone() });
                    Err(Refusal::Conflict { event: unit.event.key.public_id() })
                }
                Course::Duplicate(status) => Ok(receipt(unit, *status, true)),
                Course::Elsewhere => refuse_unreadable(unit),
                Course::Repeat(earlier) => match &answers[*earlier] {
                    Ok(answered) => Ok(receipt(unit, answered.status, true)),
                    Err(_) => refuse_unreadable(unit),
                },
                Course::Write { insert } => {
                    let known = known.get(&unit.event.key);
                    let expected = known.map(|(_, status)| *status);
                    let tried = known.map_or(0, |(tried, _)| *tried);
                    // The attempt of a claimed event was counted by the claim.
                    let attempts = tried.saturating_add(u32::from(lease.is_none()));
                    let write = EventWrite { insert: *insert, expected, ..event_write(unit, attempts, &plan) };
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
        let commit = plan.finish();
        let nothing = commit.events.is_empty() && commit.conflicts.is_empty() && commit.subjects.is_empty();
        Ok(((!nothing).then_some(commit), answers))
    }
}

fn wanted(units: &[Admitted]) -> Wanted {
    let events: BTreeSet<&EventKey> = units.iter().map(|unit| &unit.event.key).collect();
    let mut subjects = BTreeSet::new();
    for fact in units.iter().flat_map(facts_of) {
        subjects.insert(fact.subject.clone());
        // Whom its transitions concern: with the rest it costs no further statement.
        subjects.extend(fact.links.iter().filter_map(|link| match link {
            Link::Customer(id) if fact.sight.is_some() => Some(customer_subject(&fact.subject, id.clone())),
            _ => None,
        }));
    }
    Wanted { events: events.into_iter().cloned().collect(), subjects: subjects.into_iter().collect() }
}

pub(super) fn facts_of(unit: &Admitted) -> &[Fact] {
    match &unit.reading {
        Ok(Event { meaning: Meaning::Facts(facts), .. }) => facts,
        Ok(_) | Err(_) => &[],
    }
}

/// The event's row after this attempt, which is the `attempts`th.
pub(super) fn event_write(unit: &Admitted, attempts: u32, plan: &Plan<'_>) -> EventWrite {
    let (status, reason, due_at) = match &unit.reading {
        Ok(Event { meaning: Meaning::Facts(facts), remarks, .. }) => {
            let unusable = (!remarks.is_empty()).then(|| Reason::Unusable { remarks: remarks.clone() });
            match facts.iter().any(|fact| plan.is_parked(&fact.subject)) {
                true => (EventStatus::Parked, unusable, None),
                false => (EventStatus::Processed, unusable, None),
            }
        }
        Ok(Event { meaning: Meaning::Fetch(need), .. }) => {
            (EventStatus::AwaitingFetch, Some(Reason::Fetch(need.clone())), None)
        }
        Ok(Event { meaning: Meaning::Ignored, .. }) => (EventStatus::Ignored, None, None),
        Err(Unreadable { fault, .. }) => {
            let due_at = plan.engine.settings.retry.due_after_fault(fault, attempts, unit.event.received_at);
            (EventStatus::Failed, Some(Reason::Read(fault.clone())), due_at)
        }
    };
    EventWrite { event: unit.event.clone(), insert: false, expected: None, status, reason, attempts, due_at }
}

fn answer(unit: &Admitted, write: &EventWrite, plan: &Plan<'_>) -> Result<WebhookReceipt, Refusal> {
    let Ok(event) = &unit.reading else { return refuse_unreadable(unit) };
    let facts = facts_of(unit);
    let mut receipt = receipt(unit, write.status, false);
    receipt.transitions = plan.brought_by(facts);
    let subjects: BTreeMap<_, _> = facts.iter().map(|fact| (&fact.subject, ())).collect();
    for subject in subjects.into_keys() {
        let open = plan.open_of(subject);
        let named = || subject.public_id();
        receipt.reconciliation.extend(open.ambiguous.then(|| Reconciliation::Ambiguous { subject: named() }));
        receipt.reconciliation.extend(open.contradicted.then(|| Reconciliation::ContractBroken { subject: named() }));
        receipt.reconciliation.extend(open.parked.then(|| Reconciliation::OwnerUnknown { subject: named() }));
    }
    if matches!(write.reason, Some(Reason::Fetch(_))) {
        receipt.reconciliation.push(Reconciliation::FetchNeeded);
    }
    receipt.reconciliation.extend(
        event.remarks.iter().cloned().map(|Remark { path, expected, found }| Reconciliation::IdUnusable {
            path,
            expected,
            found,
        }),
    );
    Ok(receipt)
}

/// The answer to a unit that couldn't be read. One that could is answered as an accepted repetition.
fn refuse_unreadable(unit: &Admitted) -> Result<WebhookReceipt, Refusal> {
    match &unit.reading {
        Err(Unreadable { fault, .. }) => {
            Err(Refusal::Unreadable { event: unit.event.key.public_id(), fault: fault.clone() })
        }
        Ok(_) => Ok(receipt(unit, EventStatus::Processed, true)),
    }
}

fn receipt(unit: &Admitted, status: EventStatus, duplicate: bool) -> WebhookReceipt {
    let at = unit.event.received_at;
    let stage = |stage| StageReceipt { stage, at };
    let facts = if duplicate { 0 } else { facts_of(unit).len() };
    let mut stages = vec![stage(Stage::AcceptEvent)];
    if !duplicate {
        stages.push(stage(Stage::PersistFact));
    }
    if facts > 0 {
        stages.push(stage(Stage::RefreshProjection));
    }
    WebhookReceipt {
        workflow: "webhook.receive",
        event: unit.event.key.public_id(),
        event_type: unit.event.event_type.clone(),
        status,
        duplicate,
        stages,
        facts,
        transitions: Vec::new(),
        reconciliation: Vec::new(),
        answers: Answers {
            input_accepted: true,
            provider_changed: false,
            local_facts_stored: facts > 0
                || (duplicate && matches!(status, EventStatus::Parked | EventStatus::Processed)),
            refresh_owed: matches!(status, EventStatus::AwaitingFetch | EventStatus::Parked | EventStatus::Received),
        },
    }
}

fn trace(answer: &Result<WebhookReceipt, Refusal>) {
    match answer {
        Ok(receipt) => {
            tracing::info!(
                event = receipt.event,
                event_type = receipt.event_type,
                status = receipt.status.as_str(),
                duplicate = receipt.duplicate,
                transitions = receipt.transitions.len(),
                "webhook received"
            );
            for open in &receipt.reconciliation {
                if let Reconciliation::IdUnusable { path, expected, found } = open {
                    let event = &receipt.event;
                    tracing::warn!(event, path, expected, found, "an id that the application wrote can't be used");
                }
            }
        }
        Err(refusal) => tracing::warn!(code = refusal.code(), reason = %refusal, "webhook refused"),
    }
}
