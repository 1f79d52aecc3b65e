//! Decides whether pages are complete: everything once, in order, by every filter. Also decides whether an event keeps
//! its position after another body contradicts it or its status changes.

use purchase_core::{
    error::CommitError,
    fact::{Fact, Link},
    id::{CustomerId, ProviderId, Subject},
    store::{
        Commit, Conflict, ConflictQuery, EventQuery, EventStatus, EventWrite, NewEvent, Store, StoredConflict,
        StoredEvent, SubjectQuery, Wanted,
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

/// The bodies of the events that a query lists, page by page.
async fn listed(store: &dyn Store, query: &EventQuery) -> Result<Vec<String>, Broken> {
    let mut all: Vec<StoredEvent> = Vec::new();
    loop {
        let after = all.last().map(|stored| stored.sequence).or(query.after);
        let page = store.events(&EventQuery { after, ..query.clone() }).await?;
        ensure(page.len() <= query.limit as usize, || "a page is longer than its limit".to_owned())?;
        let is_last = page.is_empty() || all.len() > 100;
        all.extend(page);
        if is_last {
            break;
        }
    }
    Ok(all.iter().map(|stored| text(&stored.event)).collect())
}

/// The bodies in conflict that a query lists, page by page.
async fn listed_conflicts(store: &dyn Store, query: &ConflictQuery) -> Result<Vec<String>, Broken> {
    let mut all: Vec<StoredConflict> = Vec::new();
    loop {
        let after = all.last().map(|stored| stored.sequence).or(query.after);
        let page = store.conflicts(&ConflictQuery { after, ..query.clone() }).await?;
        ensure(page.len() <= query.limit as usize, || "a page is longer than its limit".to_owned())?;
        let is_last = page.is_empty() || all.len() > 100;
        all.extend(page);
        if is_last {
            break;
        }
    }
    Ok(all.iter().map(|stored| text(&stored.event)).collect())
}

fn text(event: &NewEvent) -> String {
    String::from_utf8_lossy(&event.body).into_owned()
}

fn bodies(numbers: impl IntoIterator<Item = i64>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("{{\"number\":{number}}}")).collect()
}

/// Eight events, received in the order of their numbers: 1, 4 and 7 wait, 2, 5 and 8 are processed, 3 and 6 are
/// ignored.
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
        let write = EventWrite { status, ..event_write(&event, None) };
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
        ("waiting events", statuses(&[EventStatus::Received]), bodies([1, 4, 7])),
        ("two statuses", statuses(&[EventStatus::Ignored, EventStatus::Processed]), bodies([2, 3, 5, 6, 8])),
        ("a status that no event has", statuses(&[EventStatus::Failed]), Vec::new()),
        ("received from second 3 on and before second 6", window.clone(), bodies(3..=5)),
        ("one event by its key", one, bodies([5])),
        ("a status within a time range", EventQuery { statuses: vec![EventStatus::Received], ..window }, bodies([4])),
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
    let body = |text: &str, digest, at, event: NewEvent| NewEvent {
        body: text.as_bytes().to_vec(),
        digest: [digest; 32],
        received_at: at,
        ..event
    };
    let other = body("other", 7, at(11), event(5)?);
    let third = body("third", 8, at(12), event(5)?);
    let elsewhere = body("elsewhere", 9, at(13), event(6)?);
    for event in [&other, &third, &other, &elsewhere] {
        let conflict = Conflict { event: event.clone() };
        written(store, &Commit { conflicts: vec![conflict], ..Commit::default() }).await?;
    }
    let mut checks = 0;
    let events = [
        ("an event by its key", EventQuery { key: Some(event(5)?.key), ..EventQuery::default() }, bodies([5])),
        ("all events", EventQuery::default(), bodies(1..=8)),
        ("every status", EventQuery { statuses: EventStatus::ALL.to_vec(), ..EventQuery::default() }, bodies(1..=8)),
    ];
    for (what, query, expect) in events {
        let found = listed(store, &EventQuery { limit: 100, ..query }).await?;
        ensure(found == expect, || format!("{what}, with bodies in conflict stored: {found:?}, expected {expect:?}"))?;
        checks += 1;
    }
    let conflicts = [
        ("all conflicts", ConflictQuery::default(), vec!["other", "third", "elsewhere"]),
        (
            "conflicts with one event",
            ConflictQuery { key: Some(event(5)?.key), ..ConflictQuery::default() },
            vec!["other", "third"],
        ),
        (
            "conflicts with an event that has none",
            ConflictQuery { key: Some(event(1)?.key), ..ConflictQuery::default() },
            vec![],
        ),
        (
            "received from second 12 on",
            ConflictQuery { since: Some(at(12)), ..ConflictQuery::default() },
            vec!["third", "elsewhere"],
        ),
        ("received before second 12", ConflictQuery { until: Some(at(12)), ..ConflictQuery::default() }, vec!["other"]),
    ];
    for (what, query, expect) in conflicts {
        for limit in [1, 2, 100] {
            let found = listed_conflicts(store, &ConflictQuery { limit, ..query.clone() }).await?;
            ensure(found == expect, || format!("{what}, pages of {limit}: {found:?}, expected {expect:?}"))?;
            checks += 1;
        }
    }
    Ok(Held { checks })
}

pub(crate) async fn moved_on(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let event = event(1)?;
    store.accept(std::slice::from_ref(&event)).await?;
    let sub = subject("sub_1")?;
    let moved = |expected, status| -> Result<Commit, Broken> {
        let mut all = commit(1, &sub, &[], 0)?;
        all.events = vec![EventWrite { status, ..event_write(&event, expected) }];
        Ok(all)
    };
    let status = async || -> Result<Option<EventStatus>, Broken> {
        Ok(store.load(&Wanted::events(vec![event.key.clone()])).await?.events.first().map(|stored| stored.status))
    };
    let steps = [
        ("expects the wrong status", moved(Some(EventStatus::Failed), EventStatus::Ignored)?, false),
        ("inserts the event again", moved(None, EventStatus::Ignored)?, false),
        ("expects the right status", moved(Some(EventStatus::Received), EventStatus::Processed)?, true),
        ("expects an earlier status", moved(Some(EventStatus::Received), EventStatus::Failed)?, false),
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
                "a commit that {what}: {result:?}; the status is now {found:?}, and {subjects} subjects are written"
            )
        })?;
        checks += 1;
    }
    let absent = event_write(&super::material::event(2)?, Some(EventStatus::Received));
    let result = store.commit(&Commit { events: vec![absent], ..Commit::default() }).await;
    ensure(matches!(result, Err(CommitError::Stale)), || {
        format!("a commit that changes an event that is not stored: {result:?}")
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
    Ok(Commit { events: vec![event_write(&event, None)], facts: vec![fact], subjects, ..Commit::default() })
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
        ("an owner", SubjectQuery { owner: Some(ada.clone()), ..SubjectQuery::default() }, vec!["sub_1", "sub_5"]),
        ("a customer", of(vec![(source.clone(), id("cus_1")?)]), vec!["sub_4", "sub_5"]),
        ("the same customer at another source", of(vec![(elsewhere, id("cus_1")?)]), vec![]),
        (
            "two customers",
            of(vec![(source.clone(), id("cus_1")?), (source.clone(), id("cus_3")?)]),
            vec!["sub_2", "sub_4", "sub_5"],
        ),
        (
            "an owner and a customer",
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
                ensure(page.len() <= limit as usize, || "a page is longer than its limit".to_owned())?;
                let is_last = page.is_empty() || found.len() > 100;
                found.extend(page.into_iter().map(|stored| stored.subject));
                if is_last {
                    break;
                }
            }
            ensure(found == expect, || {
                format!(
                    "{what}, pages of {limit}: {} subjects, expected {}, or in another order",
                    found.len(),
                    expect.len()
                )
            })?;
            checks += 1;
        }
    }
    Ok(Held { checks })
}
