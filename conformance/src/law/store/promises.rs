//! Decides whether a store keeps the promises of its trait.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use purchase_core::{
    error::CommitError,
    id::EventKey,
    provider::Remark,
    store::{
        Claim, Commit, EventQuery, EventStatus, Lease, NewEvent, Queue, Reason, Store, StoredEvent, SubjectQuery,
        Wanted, memory::MemoryStore,
    },
};

use crate::{
    fault::Interleaved,
    law::{
        StoreTrial,
        store::material::{self, at, commit, event, event_write, fact, subject, write},
    },
    schedule::{Schedule, random_of, shuffled},
    under_test::Fresh,
    verdict::{Broken, Held, Verdict, ensure, ensure_equal},
};

pub(super) async fn open(trial: &StoreTrial) -> Result<Fresh, Broken> {
    let fresh = (trial.store.fresh)().await.map_err(|error| Broken::caused("the store can't be opened", &error))?;
    Ok(Fresh { store: trial.mutation.store(fresh.store), guard: fresh.guard })
}

fn outcome(result: &Result<(), CommitError>) -> &'static str {
    match result {
        Ok(()) => "done",
        Err(CommitError::LeaseLost) => "refused: lease lost",
        Err(CommitError::Stale) => "refused: stale",
        Err(CommitError::Store(_) | CommitError::Unknown(_)) => "failed",
    }
}

/// Everything that can be read from a store, as one text.
pub(super) async fn contents(store: &dyn Store) -> Result<String, Broken> {
    let all = EventQuery { statuses: EventStatus::ALL.to_vec(), limit: 1000, ..EventQuery::default() };
    let events = store.events(&all).await?;
    let subjects = store.subjects(&SubjectQuery { limit: 1000, ..SubjectQuery::default() }).await?;
    let names: Vec<_> = subjects.iter().map(|stored| stored.subject.clone()).collect();
    let of_subjects = store.load(&Wanted::facts(names.clone())).await?.facts;
    let keys: Vec<_> = events.iter().map(|stored| stored.event.key.clone()).collect();
    let of_events = store.facts(&keys).await?;
    let mut facts: Vec<String> = of_subjects.iter().map(|fact| format!("{fact:?}")).collect();
    facts.extend(of_events.iter().map(|stored| format!("{stored:?}")));
    facts.sort();
    let mut wanted = names;
    wanted.push(subject("sub_waited_for")?);
    let mut pending_owners = store.load(&Wanted::subjects(wanted)).await?.pending_owners;
    pending_owners.sort();
    Ok(format!("{events:?}\n{subjects:?}\n{facts:?}\n{pending_owners:?}"))
}

pub(crate) async fn accept_once(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = &fresh.store;
    let (one, two) = (event(1)?, event(2)?);
    let other_body = NewEvent { body: b"{}".to_vec(), digest: [7; 32], ..one.clone() };
    let check = async |events: &[NewEvent], expect: &[bool]| {
        let new = store.accept(events).await?;
        ensure(new == expect, || format!("new: {new:?}, expected {expect:?}"))
    };
    check(std::slice::from_ref(&one), &[true]).await?;
    check(&[one.clone(), two.clone()], &[false, true]).await?;
    check(&[other_body, two], &[false, false]).await?;
    let three = event(3)?;
    check(&[three.clone(), three], &[true, false]).await?;
    let kept = store.events(&EventQuery { limit: 10, ..EventQuery::default() }).await?;
    ensure(kept.len() == 3 && kept[0].event.body == one.body, || {
        let same = kept[0].event.body == one.body;
        format!("{} events are stored, expected 3; the first event has its first body: {same}", kept.len())
    })?;
    ensure(kept.iter().all(|stored| stored.status == EventStatus::Received && stored.due_at.is_some()), || {
        "an accepted event is not received and due".to_owned()
    })?;
    Ok(Held { checks: 6 })
}

pub(crate) async fn stale_revision(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    // Of the three subjects that are written, one sorts before the others and one after them.
    let [zero, one, two] = ["sub_0", "sub_1", "sub_2"].map(subject);
    let (zero, one, two) = (zero?, one?, two?);
    let first = commit(1, &one, &[], 0)?;
    let second = commit(2, &one, &first.facts, 1)?;
    for (which, next) in [("first", &first), ("second", &second)] {
        let done = store.commit(next).await;
        ensure(done.is_ok(), || format!("a {which} commit is {}", outcome(&done)))?;
    }
    let known = [first.facts.as_slice(), &second.facts].concat();
    let before = contents(store).await?;
    let of_one = |revision| commit(3, &one, &known, revision);
    let with = |mut commit: Commit, number, subject, revision| -> Result<Commit, Broken> {
        commit.subjects.push(self::commit(number, subject, &[], revision)?.subjects.remove(0));
        Ok(commit)
    };
    let missing = Commit { events: vec![event_write(&event(9)?, Some(EventStatus::Received))], ..Commit::default() };
    let mut twice = commit(1, &two, &[], 0)?;
    twice.facts.clear();
    let stale = [
        ("an existing subject as new", of_one(0)?),
        ("a subject at an earlier revision than the stored one", of_one(1)?),
        ("a subject at a later revision than the stored one", of_one(3)?),
        ("a subject at a revision far from the stored one", of_one(i64::MAX - 1)?),
        ("a missing subject as known", commit(3, &two, &[], 1)?),
        ("one subject right, a later one missing", with(of_one(2)?, 3, &two, 5)?),
        ("one subject right, an earlier one missing", with(of_one(2)?, 3, &zero, 1)?),
        ("one subject new, a later one stale", with(commit(3, &zero, &[], 0)?, 3, &one, 1)?),
        ("one subject new, an earlier one already stored", with(commit(3, &two, &[], 0)?, 3, &one, 0)?),
        ("a stored event as new", twice),
        ("a missing event as known", missing),
    ];
    let checks = stale.len() as u64;
    for (what, commit) in stale {
        let answer = store.commit(&commit).await;
        ensure(matches!(answer, Err(CommitError::Stale)), || format!("{what}: {}", outcome(&answer)))?;
        ensure(contents(store).await? == before, || format!("{what}: it was refused, but something was written"))?;
    }
    let next = store.commit(&with(of_one(2)?, 3, &two, 0)?).await;
    ensure(next.is_ok(), || format!("the commit with the right revisions, after the others, is {}", outcome(&next)))?;
    let races = [one_of_many_is_first(&fresh.store, 0).await?, one_of_many_is_first(&fresh.store, 1).await?];
    Ok(Held { checks: checks + races.iter().sum::<u64>() })
}

/// Several writers race for one revision of a subject. One succeeds, and nothing of the others is written.
async fn one_of_many_is_first(store: &Arc<dyn Store>, revision: i64) -> Result<u64, Broken> {
    const WRITERS: i64 = 4;
    let raced = subject("sub_raced")?;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let written = commit(100 + revision * WRITERS + writer, &raced, &[], revision)?;
        let store = Arc::clone(store);
        writers.spawn(async move { (writer, store.commit(&written).await) });
    }
    let mut won = Vec::new();
    while let Some(writer) = writers.join_next().await {
        match writer.map_err(|error| Broken::caused("a writer", &error))? {
            (writer, Ok(())) => won.push(writer),
            (_, Err(CommitError::Stale)) => {}
            (_, answer) => return Err(Broken::new(format!("a concurrent writer is {}", outcome(&answer)))),
        }
    }
    ensure(won.len() == 1, || format!("{} of {WRITERS} writers wrote revision {}", won.len(), revision + 1))?;
    let facts = store.load(&Wanted::facts(vec![raced.clone()])).await?.facts;
    let written = i64::try_from(facts.len()).unwrap_or_default();
    ensure(written == revision + 1, || {
        format!("{written} facts are stored after the race for revision {}", revision + 1)
    })?;
    Ok(1)
}

pub(crate) async fn lost_lease(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let known = event(1)?;
    store.accept(std::slice::from_ref(&known)).await?;
    let lease = |token: &str, until| Lease { token: token.to_owned(), until };
    let (slow, quick) = (lease("slow", at(10)), lease("quick", at(30)));
    let claim = async |lease: &Lease, now| {
        store.claim(&Claim { queue: Queue::Events, lease: lease.clone(), now, limit: 5 }).await
    };
    let counts = [
        claim(&slow, at(5)).await?.events.len(),
        claim(&quick, at(9)).await?.events.len(),
        claim(&quick, at(11)).await?.events.len(),
    ];
    ensure(counts == [1, 0, 1], || {
        format!("events claimed at first, by another during the lease, and after it: {counts:?}, expected [1, 0, 1]")
    })?;
    let sub = subject("sub_1")?;
    let told = fact(&known, &sub, 1)?;
    let work = |lease: &Lease| Commit {
        lease: Some(lease.clone()),
        events: vec![event_write(&known, Some(EventStatus::Received))],
        facts: vec![told.clone()],
        subjects: vec![write(&sub, std::slice::from_ref(&told), 0)],
        ..Commit::default()
    };
    let before = contents(store).await?;
    for lost in [&slow, &lease("nobody", at(30))] {
        let answer = store.commit(&work(lost)).await;
        ensure(matches!(answer, Err(CommitError::LeaseLost)), || {
            format!("a commit under the lost lease of {} is {}", lost.token, outcome(&answer))
        })?;
        ensure(contents(store).await? == before, || "it was refused, but something was written".to_owned())?;
    }
    let done = store.commit(&work(&quick)).await;
    ensure(done.is_ok(), || format!("a commit under the valid lease is {}", outcome(&done)))?;
    let again = store.commit(&work(&quick)).await;
    ensure(again.is_err(), || "the same commit succeeds twice".to_owned())?;
    Ok(Held { checks: 5 })
}

pub(crate) async fn claims_apart(trial: &StoreTrial) -> Verdict {
    const EVENTS: i64 = 60;
    let mut checks = 0;
    for round in 0..3 {
        let fresh = open(trial).await?;
        let random = random_of(trial.seed, &format!("S05/{round}"));
        let store: Arc<dyn Store> =
            Arc::new(Interleaved { inner: Arc::clone(&fresh.store), random: Mutex::new(random) });
        store.accept(&(1..=EVENTS).map(event).collect::<Result<Vec<_>, _>>()?).await?;
        let mut workers = Vec::new();
        for worker in 0..6 {
            let store = Arc::clone(&store);
            workers.push(tokio::spawn(async move {
                let lease = Lease { token: format!("worker-{worker}"), until: at(10_000) };
                let mut mine: Vec<StoredEvent> = Vec::new();
                loop {
                    let claim = Claim { queue: Queue::Events, lease: lease.clone(), now: at(1000), limit: 7 };
                    let claimed = store.claim(&claim).await?.events;
                    if claimed.is_empty() || mine.len() > 200 {
                        return Ok::<_, Broken>(mine);
                    }
                    mine.extend(claimed);
                }
            }));
        }
        let mut taken: BTreeSet<EventKey> = BTreeSet::new();
        for worker in workers {
            for stored in worker.await.map_err(|error| Broken::caused("a worker", &error))?? {
                let number = stored.sequence;
                ensure(taken.insert(stored.event.key), || format!("event {number} was claimed by two workers"))?;
                checks += 1;
            }
        }
        ensure(taken.len() == usize::try_from(EVENTS).unwrap_or_default(), || {
            format!("of {EVENTS} due events, {} were claimed", taken.len())
        })?;
    }
    Ok(Held { checks })
}

pub(crate) async fn read_your_writes(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let sub = subject("sub_1")?;
    let mut facts = Vec::new();
    for revision in 0..5_i64 {
        let wanted = Wanted {
            events: vec![event(revision)?.key],
            subjects: vec![sub.clone()],
            facts: vec![sub.clone()],
            ..Wanted::default()
        };
        let loaded = store.load(&wanted).await?;
        let found = loaded.subjects.first().map_or(0, |stored| stored.revision);
        ensure(found == revision && loaded.events.is_empty(), || {
            format!("before commit {} the subject is at revision {found}", revision + 1)
        })?;
        let mut next = commit(revision, &sub, &facts, revision)?;
        // A processed event may have a reason: the part of it that could not be used.
        next.events[0].reason = (revision % 2 == 1).then(unusable);
        store.commit(&next).await.map_err(|error| Broken::caused("a commit", &error))?;
        facts.extend(next.facts.clone());
        let loaded = store.load(&wanted).await?;
        let right = loaded.subjects.iter().any(|stored| {
            stored.revision == revision + 1 && stored.state == next.subjects[0].state && stored.subject == sub
        });
        ensure(right && loaded.events.len() == 1, || format!("a load does not see commit {}", revision + 1))?;
        let listed = store.subjects(&SubjectQuery { limit: 10, ..SubjectQuery::default() }).await?;
        ensure(listed.len() == 1 && listed[0].revision == revision + 1, || {
            "the subject is not listed at its new revision".to_owned()
        })?;
        let mut known = loaded.facts;
        known.sort_by_key(|fact| fact.version);
        ensure(known == facts, || format!("{} of {} facts are loaded, or other facts", known.len(), facts.len()))?;
        let of_event = store.facts(&wanted.events).await?;
        ensure(of_event.iter().map(|stored| &stored.fact).eq(&next.facts), || {
            "the event's facts are not listed".to_owned()
        })?;
        let query = EventQuery { key: wanted.events.first().cloned(), limit: 10, ..EventQuery::default() };
        let events = store.events(&query).await?;
        let written = &next.events[0];
        let whole = matches!(events.as_slice(), [stored] if stored.event == written.event
            && stored.status == written.status && stored.reason == written.reason);
        ensure(whole, || "the event is not listed as written".to_owned())?;
        let waited = Wanted::subjects(vec![subject("sub_waited_for")?]);
        ensure(store.load(&waited).await?.pending_owners == next.pending_owners, || {
            "pending owners are not loaded".to_owned()
        })?;
    }
    a_release_keeps_the_reason(trial).await?;
    Ok(Held { checks: 6 })
}

pub(super) fn unusable() -> Reason {
    let [path, expected, found] =
        ["object.owner", "id of at most 255 bytes", "a string of 300 bytes"].map(str::to_owned);
    Reason::Unusable { remarks: vec![Remark { path, expected, found }] }
}

/// Releasing a parked event makes it processed, and its reason stays.
async fn a_release_keeps_the_reason(trial: &StoreTrial) -> Result<(), Broken> {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let sub = subject("sub_1")?;
    let mut parked = commit(1, &sub, &[], 0)?;
    (parked.events[0].status, parked.events[0].reason) = (EventStatus::Parked, Some(unusable()));
    parked.subjects[0].owner_settled = false;
    let check = async |what: &str, commit: &Commit, status| {
        store.commit(commit).await.map_err(|error| Broken::caused("a commit", &error))?;
        let query = EventQuery { key: Some(event(1)?.key), limit: 10, ..EventQuery::default() };
        let kept = store.events(&query).await?;
        let right = matches!(kept.as_slice(), [stored]
            if stored.status == status && stored.reason == Some(unusable()));
        ensure(right, || format!("an event with a reason is not stored as {what} with its reason"))
    };
    check("parked", &parked, EventStatus::Parked).await?;
    check("processed", &commit(2, &sub, &parked.facts, 1)?, EventStatus::Processed).await
}

pub(crate) async fn same_as_memory(trial: &StoreTrial) -> Verdict {
    let mut checks = 0;
    for scenario in material::scenarios() {
        let mut random = random_of(trial.seed, &format!("S11/{}", scenario.name));
        let expected = {
            let engine = material::engine(Arc::new(MemoryStore::new()), &scenario)?;
            let schedule = Schedule::in_order(scenario.deliveries.len());
            material::play(&engine, trial, &scenario, &schedule).await?
        };
        for nth in 0..6 {
            let order = match nth {
                0 => (0..scenario.deliveries.len()).collect(),
                _ => shuffled(scenario.deliveries.len(), &mut random),
            };
            let schedule = Schedule::one_by_one(order);
            let fresh = open(trial).await?;
            let engine = material::engine(Arc::clone(&fresh.store), &scenario)?;
            let found = material::play(&engine, trial, &scenario, &schedule).await?;
            ensure_equal(&expected, &found, "on this store").map_err(|broken| broken.context(&scenario.name))?;
            checks += 1;
        }
    }
    Ok(Held { checks })
}
