//! Decides whether pages are whole: everything once, in order, by every filter; and whether an event keeps its place when
//! another body contradicts it, or when it has moved on.

use std::collections::BTreeSet;

use purchase_core::{
    error::CommitError,
    fact::{Fact, Link},
    id::{CustomerId, ProviderId, Subject},
    store::{
        Commit, Conflict, EventQuery, EventStatus, EventWrite, NewEvent, Store, StoredEvent, SubjectQuery, Wanted,
    },
};

use crate::{
    law::{
        StoreTrial,
        store::{
            material::{at, commit, event, event_write, fact, subject, write},
            promises::open,
        },
    },
    verdict::{Broken, Held, Verdict, ensure},
};

async fn written(store: &dyn Store, commit: &Commit) -> Result<(), Broken> {
    store.commit(commit).await.map_err(|error| Broken::caused("a commit", &error))
}

/// The events that a query lists, page by page, by their bodies, with `!` before one in conflict.
async fn listed(store: &dyn Store, query: &EventQuery) -> Result<Vec<String>, Broken> {
    let mut all: Vec<StoredEvent> = Vec::new();
    loop {
        let after = all.last().map(|stored| stored.sequence).or(query.after);
        let page = store.events(&EventQuery { after, ..query.clone() }).await?;
        ensure(page.len() <= query.limit as usize, || "a page is longer than was asked for".to_owned())?;
        let is_last = page.is_empty() || all.len() > 100;
        all.extend(page);
        if is_last {
            break;
        }
    }
    let shown = |stored: &StoredEvent| {
        let mark = if stored.status == EventStatus::Conflict { "!" } else { "" };
        format!("{mark}{}", String::from_utf8_lossy(&stored.event.body))
    };
    Ok(all.iter().map(shown).collect())
}

fn bodies(numbers: impl IntoIterator<Item = i64>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("{{\"number\":{number}}}")).collect()
}

/// Received in the order of their numbers: 1, 4 and 7 wait, 2, 5 and 8 are processed, 3 and 6 are ignored.
async fn eight_events(store: &dyn Store) -> Result<(), Broken> {
    for number in 1..=8 {
        let event = event(number)?;
        let status = match number % 3 {
            1 => {
                store.accept(&[event]).await?;
                continue;
            }
            2 => EventStatus::Processed,
            _ => EventStatus::Ignored,
        };
        let write = EventWrite { status, ..event_write(&event, true) };
        written(store, &Commit { events: vec![write], ..Commit::default() }).await?;
    }
    Ok(())
}

pub(crate) async fn events_are_listed(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    eight_events(store).await?;
    let all = EventQuery::default();
    let statuses = |statuses: &[EventStatus]| EventQuery { statuses: statuses.to_vec(), ..EventQuery::default() };
    let window = EventQuery { since: Some(at(3)), until: Some(at(6)), ..EventQuery::default() };
    let one = EventQuery { key: Some(event(5)?.key), ..EventQuery::default() };
    let queries = [
        ("all", all, bodies(1..=8)),
        ("those that wait", statuses(&[EventStatus::Received]), bodies([1, 4, 7])),
        ("two statuses", statuses(&[EventStatus::Ignored, EventStatus::Processed]), bodies([2, 3, 5, 6, 8])),
        ("a status that none has", statuses(&[EventStatus::Failed]), Vec::new()),
        ("those received from second 3 on and before second 6", window.clone(), bodies(3..=5)),
        ("one by its key", one, bodies([5])),
        (
            "those of a status within a time",
            EventQuery { statuses: vec![EventStatus::Received], ..window },
            bodies([4]),
        ),
    ];
    let mut checks = 0;
    for (what, query, expect) in queries {
        for limit in [1, 3, 100] {
            let found = listed(store, &EventQuery { limit, ..query.clone() }).await?;
            ensure(found == expect, || format!("{what}, pages of {limit}: {found:?}, expected {expect:?}"))?;
            checks += 1;
        }
    }
    Ok(Held { checks })
}

pub(crate) async fn conflicts_stand_beside(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    eight_events(store).await?;
    let other = NewEvent { body: b"other".to_vec(), digest: [7; 32], ..event(5)? };
    let third = NewEvent { body: b"third".to_vec(), digest: [8; 32], ..event(5)? };
    for event in [&other, &third, &other] {
        let conflict = Conflict { event: event.clone() };
        written(store, &Commit { conflicts: vec![conflict], ..Commit::default() }).await?;
    }
    let shown = |others: &[&str]| -> Vec<String> {
        bodies([5]).into_iter().chain(others.iter().map(|body| (*body).to_owned())).collect()
    };
    let by_key = EventQuery { key: Some(event(5)?.key), ..EventQuery::default() };
    let conflicts = EventQuery { statuses: vec![EventStatus::Conflict], ..EventQuery::default() };
    let queries = [
        ("an event by its key", by_key, shown(&["!other", "!third"])),
        ("conflicts", conflicts, vec!["!other".to_owned(), "!third".to_owned()]),
        ("all", EventQuery::default(), bodies(1..=8)),
    ];
    let mut checks = 0;
    for (what, query, expect) in queries {
        let found = listed(store, &EventQuery { limit: 100, ..query }).await?;
        let (sorted, expect): (BTreeSet<_>, BTreeSet<_>) =
            (found.iter().cloned().collect(), expect.into_iter().collect());
        ensure(sorted == expect && found.len() == expect.len(), || format!("{what}: {found:?}, expected {expect:?}"))?;
        checks += 1;
    }
    Ok(Held { checks })
}

pub(crate) async fn moved_on(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let event = event(1)?;
    store.accept(std::slice::from_ref(&event)).await?;
    let sub = subject("sub_1")?;
    let moved = |expected, status, insert| -> Result<Commit, Broken> {
        let mut all = commit(1, &sub, &[], 0)?;
        all.events = vec![EventWrite { expected, status, ..event_write(&event, insert) }];
        Ok(all)
    };
    let status = async || -> Result<Option<EventStatus>, Broken> {
        Ok(store.load(&Wanted::events(vec![event.key.clone()])).await?.events.first().map(|stored| stored.status))
    };
    let steps = [
        ("expects another status", moved(Some(EventStatus::Failed), EventStatus::Ignored, false)?, false),
        ("inserts it again", moved(None, EventStatus::Ignored, true)?, false),
        ("expects its status", moved(Some(EventStatus::Received), EventStatus::Processed, false)?, true),
        ("expects the status that it had", moved(Some(EventStatus::Received), EventStatus::Failed, false)?, false),
    ];
    let mut checks = 0;
    let mut expect = EventStatus::Received;
    for (what, commit, goes) in steps {
        let result = store.commit(&commit).await;
        expect = if goes { EventStatus::Processed } else { expect };
        let right = match &result {
            Ok(()) => goes,
            Err(CommitError::Stale) => !goes,
            Err(_) => false,
        };
        let found = status().await?;
        let subjects = store.load(&Wanted::subjects(vec![sub.clone()])).await?.subjects.len();
        let written = usize::from(expect == EventStatus::Processed);
        ensure(right && found == Some(expect) && subjects == written, || {
            format!(
                "a commit that {what}: {result:?}; then its status is {found:?}, and {subjects} subjects are written"
            )
        })?;
        checks += 1;
    }
    let absent = EventWrite { expected: None, ..event_write(&super::material::event(2)?, false) };
    let result = store.commit(&Commit { events: vec![absent], ..Commit::default() }).await;
    ensure(matches!(result, Err(CommitError::Stale)), || {
        format!("an event that is not there is moved on: {result:?}")
    })?;
    Ok(Held { checks: checks + 1 })
}

/// A commit of a subject that names an owner and a customer.
fn owned(number: i64, name: &str, owner: &str, customer: &str) -> Result<Commit, Broken> {
    let event = event(number)?;
    let subject = subject(name)?;
    let kit = |error: &(dyn std::error::Error + 'static)| Broken::caused("an id of the kit", error);
    let links = vec![
        Link::Owner(CustomerId::new(owner).map_err(|error| kit(&error))?),
        Link::Customer(ProviderId::new(customer).map_err(|error| kit(&error))?),
    ];
    let fact = Fact { links, ..fact(&event, &subject, number)? };
    let subjects = vec![write(&subject, std::slice::from_ref(&fact), 0)];
    Ok(Commit { events: vec![event_write(&event, true)], facts: vec![fact], subjects, ..Commit::default() })
}

pub(crate) async fn subjects_are_listed(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let all =
        [("sub_5", "ada", "cus_1"), ("sub_1", "ada", "cus_2"), ("sub_4", "bob", "cus_1"), ("sub_2", "bob", "cus_3")];
    for (number, (name, owner, customer)) in (1..).zip(all) {
        written(store, &owned(number, name, owner, customer)?).await?;
    }
    let source = subject("sub_1")?.source;
    let elsewhere = purchase_core::id::Source { mode: purchase_core::id::Mode::Live, ..source.clone() };
    let id = |text| ProviderId::new(text).map_err(|error| Broken::caused("an id of the kit", &error));
    let ada = CustomerId::new("ada").map_err(|error| Broken::caused("an id of the kit", &error))?;
    let of = |customers| SubjectQuery { customers: Some(customers), ..SubjectQuery::default() };
    let queries = [
        ("all", SubjectQuery::default(), vec!["sub_1", "sub_2", "sub_4", "sub_5"]),
        (
            "a source",
            SubjectQuery { source: Some(source.clone()), ..SubjectQuery::default() },
            vec!["sub_1", "sub_2", "sub_4", "sub_5"],
        ),
        ("another source", SubjectQuery { source: Some(elsewhere.clone()), ..SubjectQuery::default() }, vec![]),
        ("an owner's", SubjectQuery { owner: Some(ada.clone()), ..SubjectQuery::default() }, vec!["sub_1", "sub_5"]),
        ("a customer's", of(vec![(source.clone(), id("cus_1")?)]), vec!["sub_4", "sub_5"]),
        ("the same customer's elsewhere", of(vec![(elsewhere, id("cus_1")?)]), vec![]),
        (
            "two customers'",
            of(vec![(source.clone(), id("cus_1")?), (source.clone(), id("cus_3")?)]),
            vec!["sub_2", "sub_4", "sub_5"],
        ),
        (
            "an owner's of one customer",
            SubjectQuery { owner: Some(ada), ..of(vec![(source, id("cus_1")?)]) },
            vec!["sub_5"],
        ),
    ];
    let mut checks = 0;
    for (what, query, names) in queries {
        let expect: Vec<Subject> = names.into_iter().map(subject).collect::<Result<_, _>>()?;
        for limit in [1, 2, 100] {
            let mut found: Vec<Subject> = Vec::new();
            loop {
                let after = found.last().cloned();
                let page = store.subjects(&SubjectQuery { after, limit, ..query.clone() }).await?;
                ensure(page.len() <= limit as usize, || "a page is longer than was asked for".to_owned())?;
                let is_last = page.is_empty() || found.len() > 100;
                found.extend(page.into_iter().map(|stored| stored.subject));
                if is_last {
                    break;
                }
            }
            ensure(found == expect, || {
                format!(
                    "{what}, pages of {limit}: {} subjects, expected {}, or another order",
                    found.len(),
                    expect.len()
                )
            })?;
            checks += 1;
        }
    }
    Ok(Held { checks })
}
