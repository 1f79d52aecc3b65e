//! Decides whether everything derived from a subject follows its last commit: parked events, pending owners,
//! transitions and facts.

use purchase_core::{
    fact::{Fact, Version},
    id::{EventKey, Subject},
    lifecycle::{Change, Transition},
    store::{
        Commit, EventQuery, EventStatus, NewEvent, PendingOwner, Reason, Store, TransitionQuery, TransitionWrite,
        Wanted,
    },
    time::Timestamp,
};

use crate::{
    law::{
        StoreTrial,
        store::{
            material::{at, commit, event, event_write, fact, subject, write},
            promises::{open, unusable},
        },
    },
    verdict::{Broken, Held, Verdict, ensure},
};

async fn written(store: &dyn Store, commit: &Commit) -> Result<(), Broken> {
    store.commit(commit).await.map_err(|error| Broken::caused("a commit", &error))
}

/// A commit of one event with facts about each subject. The flag says whether the subject is released.
fn about(number: i64, subjects: &[(&Subject, &[Fact], i64, bool)]) -> Result<Commit, Broken> {
    let event = event(number)?;
    let mut all = Commit { events: vec![event_write(&event, None)], ..Commit::default() };
    for (subject, known, revision, released) in subjects {
        let fact = fact(&event, subject, number)?;
        let facts = [known, std::slice::from_ref(&fact)].concat();
        let mut write = write(subject, &facts, *revision);
        write.owner_settled = *released;
        all.facts.push(fact);
        all.subjects.push(write);
    }
    Ok(all)
}

pub(crate) async fn released_by_the_last(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let (one, two) = (subject("sub_1")?, subject("sub_2")?);
    let mut parked = about(1, &[(&one, &[], 0, false), (&two, &[], 0, false)])?;
    (parked.events[0].status, parked.events[0].reason) = (EventStatus::Parked, Some(unusable()));
    let known = |subject: &Subject| -> Vec<Fact> {
        parked.facts.iter().filter(|fact| fact.subject == *subject).cloned().collect()
    };
    let steps = [
        ("neither of its two subjects is released", parked.clone(), EventStatus::Parked),
        ("the first of its two subjects is released", about(2, &[(&one, &known(&one), 1, true)])?, EventStatus::Parked),
        ("an event of another subject arrives", about(3, &[(&subject("sub_3")?, &[], 0, true)])?, EventStatus::Parked),
        ("its last subject is released", about(4, &[(&two, &known(&two), 1, true)])?, EventStatus::Processed),
    ];
    let mut checks = 0;
    for (what, commit, status) in steps {
        written(store, &commit).await?;
        let query = EventQuery { key: Some(event(1)?.key), limit: 10, ..EventQuery::default() };
        let kept = store.events(&query).await?;
        let right = matches!(kept.as_slice(), [stored] if stored.status == status && stored.reason == Some(unusable()));
        let found: Vec<(EventStatus, &Option<Reason>)> = kept.iter().map(|it| (it.status, &it.reason)).collect();
        ensure(right, || format!("after {what}, the parked event is {found:?}, expected {}", status.as_str()))?;
        checks += 1;
    }
    Ok(Held { checks })
}

pub(crate) async fn waits_are_replaced(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let names = [subject("sub_1")?, subject("sub_2")?, subject("sub_owner_1")?, subject("sub_owner_2")?];
    let [one, two, first, second] = &names;
    let wait = |subject: &Subject, on: &Subject| PendingOwner { subject: subject.clone(), on: on.clone() };
    let steps = [
        (one, 0, vec![wait(one, first)], vec![wait(one, first)]),
        (two, 0, vec![wait(two, first)], vec![wait(one, first), wait(two, first)]),
        (one, 1, vec![wait(one, second)], vec![wait(one, second), wait(two, first)]),
        (one, 2, vec![], vec![wait(two, first)]),
    ];
    let mut checks = 0;
    for (number, (subject, revision, pending_owners, expect)) in (1..).zip(steps) {
        let commit = Commit { pending_owners, ..commit(number, subject, &[], revision)? };
        written(store, &commit).await?;
        let mut found = store.load(&Wanted::subjects(vec![first.clone(), second.clone()])).await?.pending_owners;
        found.sort();
        ensure(found == expect, || {
            format!("after commit {number}, {} subjects wait, expected {}", found.len(), expect.len())
        })?;
        checks += 1;
    }
    Ok(Held { checks })
}

fn transition(object: &str, second: i64, change: Change) -> Transition {
    Transition { object: object.to_owned(), at: at(second), change }
}

pub(crate) async fn transitions_are_replaced(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let (one, two) = (subject("sub_1")?, subject("sub_2")?);
    let (a, b) = (one.public_id(), two.public_id());
    let history = |object: &str, since: Timestamp, changes: &[(i64, Change)]| {
        let changes = changes.iter().map(|(second, change)| transition(object, *second, *change)).collect();
        TransitionWrite { object: object.to_owned(), since, changes }
    };
    let mut expect: Vec<Transition> = Vec::new();
    let steps = [
        (
            &one,
            0,
            history(&a, Timestamp::MIN, &[(10, Change::Activated), (20, Change::Renewed), (30, Change::Canceled)]),
        ),
        (&two, 0, history(&b, Timestamp::MIN, &[(20, Change::Activated), (20, Change::CancelScheduled)])),
        // A late fact arrives, so the later transitions change.
        (&one, 1, history(&a, at(20), &[(25, Change::PastDue)])),
        (&one, 2, history(&a, at(40), &[(40, Change::Recovered), (50, Change::Renewed)])),
    ];
    let mut checks = 0;
    for (number, (subject, revision, history)) in (1..).zip(steps) {
        expect.retain(|known| known.object != history.object || known.at < history.since);
        expect.extend(history.changes.iter().cloned());
        expect.sort();
        let mut commit = commit(number, subject, &[], revision)?;
        commit.subjects[0].transitions = vec![history];
        written(store, &commit).await?;
        for limit in [1, 2, 100] {
            let found = listed(store, None, limit).await?;
            ensure(found == expect, || {
                format!("after commit {number}, pages of {limit}: {found:?} are listed, expected {expect:?}")
            })?;
        }
        let of_one: Vec<Transition> = expect.iter().filter(|it| it.object == a).cloned().collect();
        let found = listed(store, Some(&a), 2).await?;
        ensure(found == of_one, || format!("for one object, {found:?} are listed, expected {of_one:?}"))?;
        checks += 4;
    }
    Ok(Held { checks })
}

/// Every transition, page by page.
async fn listed(store: &dyn Store, object: Option<&str>, limit: u32) -> Result<Vec<Transition>, Broken> {
    let mut all: Vec<Transition> = Vec::new();
    loop {
        let (object, after) = (object.map(str::to_owned), all.last().cloned());
        let page = store.transitions(&TransitionQuery { object, after, limit }).await?;
        let is_last = page.is_empty() || all.len() > 100;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

pub(crate) async fn facts_are_in_order(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let sub = subject("sub_1")?;
    let mut facts: Vec<Fact> = Vec::new();
    let mut checks = 0;
    // If the first key of two versions is equal, the second decides; if both are equal, the event decides.
    for (number, (first, second)) in (1..).zip([(30, 5), (10, 9), (10, 2), (20, 0), (10, 2)]) {
        let mut commit = commit(number, &sub, &facts, number - 1)?;
        commit.facts[0].version = Version { at: at(first), then: at(second) };
        facts.push(commit.facts[0].clone());
        facts.sort_by(|one, other| (one.version, &one.event).cmp(&(other.version, &other.event)));
        written(store, &commit).await?;
        let found = store.load(&Wanted::facts(vec![sub.clone()])).await?.facts;
        ensure(found == facts, || format!("after commit {number}, the facts differ or are in another order"))?;
        checks += 1;
    }
    // A fact that is already there doesn't change. A new reading replaces the facts of the event's previous one.
    let again = event(2)?;
    let key = again.key.clone();
    let kept: Vec<Fact> = facts.iter().filter(|fact| fact.event_key() == key).cloned().collect();
    let anew = Fact { version: Version { at: at(40), then: at(1) }, ..kept[0].clone() };
    let mut update =
        Commit { events: vec![event_write(&again, Some(EventStatus::Processed))], facts: kept, ..Commit::default() };
    written(store, &update).await?;
    let found = store.load(&Wanted::facts(vec![sub.clone()])).await?.facts;
    ensure(found == facts, || "a fact that was already stored is stored twice".to_owned())?;
    (update.reread, update.facts) = (vec![key.clone()], vec![anew.clone()]);
    written(store, &update).await?;
    facts.retain(|fact| fact.event_key() != key);
    facts.push(anew.clone());
    let found = store.load(&Wanted::facts(vec![sub])).await?.facts;
    ensure(found == facts, || "a new reading does not replace the event's earlier facts".to_owned())?;
    let of_event = store.facts(&[key]).await?;
    ensure(of_event.iter().map(|stored| &stored.fact).eq([&anew]), || {
        "the event's facts are not those of its last reading".to_owned()
    })?;
    Ok(Held { checks: checks + 3 })
}

pub(crate) async fn facts_keep_their_time(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let sub = subject("sub_1")?;
    let (one, two) = (event(1)?, event(2)?);
    let (said, otherwise) = (fact(&one, &sub, 1)?, fact(&one, &sub, 3)?);
    let first = |event: &NewEvent, fact: Fact, second| Commit {
        at: at(second),
        events: vec![event_write(event, None)],
        facts: vec![fact],
        ..Commit::default()
    };
    let again = |fact: Fact, reread: Vec<EventKey>, second| Commit {
        at: at(second),
        events: vec![event_write(&one, Some(EventStatus::Processed))],
        facts: vec![fact],
        reread,
        ..Commit::default()
    };
    let steps = [
        ("the fact is stored", first(&one, said.clone(), 10), vec![10]),
        ("another event's fact is stored", first(&two, fact(&two, &sub, 2)?, 20), vec![10, 20]),
        ("the fact is committed again", again(said.clone(), Vec::new(), 30), vec![10, 20]),
        ("its event is read again", again(said, vec![one.key.clone()], 40), vec![10, 20]),
        ("its event is read again with another result", again(otherwise, vec![one.key.clone()], 50), vec![10, 20]),
    ];
    let mut checks = 0;
    for (what, commit, seconds) in steps {
        written(store, &commit).await?;
        let stored = store.facts(&[one.key.clone(), two.key.clone()]).await?;
        let mut found: Vec<Timestamp> = stored.iter().map(|stored| stored.committed_at).collect();
        found.sort();
        let expect: Vec<Timestamp> = seconds.into_iter().map(at).collect();
        ensure(found == expect, || format!("after {what}, the facts have the times {found:?}, expected {expect:?}"))?;
        checks += 1;
    }
    Ok(Held { checks })
}
