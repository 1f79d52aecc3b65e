//! Decides whether a store finds what a receipt, a snapshot or a log line names.

use purchase_core::store::{Commit, Conflict, EventQuery, NewEvent, SubjectQuery};

use crate::{
    law::{
        StoreTrial,
        store::{
            material::{commit, event, subject},
            promises::open,
        },
    },
    verdict::{Broken, Held, Verdict, ensure},
};

pub(crate) async fn by_public_id(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let (one, two) = (subject("sub_1")?, subject("sub_2")?);
    for (number, known) in [(1, &one), (2, &two)] {
        store.commit(&commit(number, known, &[], 0)?).await.map_err(|error| Broken::caused("a commit", &error))?;
    }
    store.accept(&[event(3)?]).await?;
    let other = NewEvent { body: b"{}".to_vec(), digest: [7; 32], ..event(1)? };
    let conflict = Commit { conflicts: vec![Conflict { event: other }], ..Commit::default() };
    store.commit(&conflict).await.map_err(|error| Broken::caused("a conflict", &error))?;
    let mut checks = 0;
    for number in 1..=4_i64 {
        let wanted = event(number)?;
        let query = EventQuery { public_id: Some(wanted.key.public_id()), limit: 10, ..EventQuery::default() };
        let found = store.events(&query).await?;
        let right = match found.as_slice() {
            [] => number == 4,
            [stored] => number < 4 && stored.event == wanted,
            _ => false,
        };
        ensure(right, || format!("looking up event {number} of 3 by its public id finds {} events", found.len()))?;
        checks += 1;
    }
    for (named, expected) in [(&one, 1), (&two, 1), (&subject("sub_3")?, 0)] {
        let query = SubjectQuery { public_id: Some(named.public_id()), limit: 10, ..SubjectQuery::default() };
        let found = store.subjects(&query).await?;
        ensure(found.len() == expected && found.iter().all(|stored| stored.subject == *named), || {
            format!("looking up a subject by its public id finds {} subjects, expected {expected}", found.len())
        })?;
        checks += 1;
    }
    Ok(Held { checks })
}
