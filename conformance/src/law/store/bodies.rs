//! Decides whether a store keeps every body byte for byte.

use purchase_core::store::{Claim, Commit, EventQuery, Lease, NewEvent, Queue, Store};
use sha2::{Digest, Sha256};

use crate::{
    law::{
        StoreTrial,
        store::{
            material::{at, event, event_write},
            promises::open,
        },
    },
    verdict::{Broken, Held, Verdict, ensure},
};

/// Bodies that databases have lost or changed: NUL, which ends a text; the other control characters, which programs
/// take for separators; bytes that are not UTF-8; escapes of characters that can't be encoded; quotes and placeholders;
/// and a body longer than a page, a packet or a parameter.
fn bodies() -> [Vec<u8>; 9] {
    [
        Vec::new(),
        b"\0".to_vec(),
        b"in\0side".to_vec(),
        (1..=31).collect(),
        (0..=255).collect(),
        vec![0xC3, 0x28, 0xED, 0xA0, 0x80],
        br#"{"name":"\u0000\ud83d 'x' \"?1\" $1 %s {prefix}"}"#.to_vec(),
        "[\"é\u{feff}\u{10ffff}\u{1e}\u{1f}\"]\r\n".as_bytes().to_vec(),
        "{\"note\":\"ü\"}".repeat(30_000).into_bytes(),
    ]
}

fn event_of(number: i64, body: Vec<u8>) -> Result<NewEvent, Broken> {
    Ok(NewEvent { digest: Sha256::digest(&body).into(), body, ..event(number)? })
}

async fn kept(store: &dyn Store, sent: &[NewEvent]) -> Result<u64, Broken> {
    let listed = store.events(&EventQuery { limit: 1000, ..EventQuery::default() }).await?;
    same("listed", listed.into_iter().map(|stored| stored.event), sent)
}

fn same(how: &str, found: impl Iterator<Item = NewEvent>, sent: &[NewEvent]) -> Result<u64, Broken> {
    let found: Vec<_> = found.collect();
    ensure(found.len() == sent.len(), || format!("{} of {} bodies are {how}", found.len(), sent.len()))?;
    for (found, sent) in found.iter().zip(sent) {
        let (now, then) = (found.body.len(), sent.body.len());
        ensure(found.body == sent.body, || {
            format!("a body of {then} bytes is {how} with {now} bytes or with different content")
        })?;
        ensure(found.digest == sent.digest, || format!("a body of {then} bytes is {how} with another digest"))?;
    }
    Ok(sent.len() as u64)
}

pub(crate) async fn to_the_byte(trial: &StoreTrial) -> Verdict {
    let sent = (1..).zip(bodies()).map(|(number, body)| event_of(number, body)).collect::<Result<Vec<_>, _>>()?;
    // Each way of accepting a body, all bodies at once and one by one.
    let accepted = open(trial).await?;
    accepted.store.accept(&sent[..4]).await?;
    for event in &sent[4..] {
        accepted.store.accept(std::slice::from_ref(event)).await?;
    }
    let mut checks = kept(accepted.store.as_ref(), &sent).await?;
    let claim = Claim {
        queue: Queue::Events,
        lease: Lease { token: "w".to_owned(), until: at(200) },
        now: at(100),
        limit: 1000,
    };
    let given = accepted.store.claim(&claim).await?.events;
    checks += same("claimed", given.into_iter().map(|stored| stored.event), &sent)?;
    let committed = open(trial).await?;
    for some in [&sent[..4], &sent[4..]] {
        let commit =
            Commit { events: some.iter().map(|event| event_write(event, None)).collect(), ..Commit::default() };
        committed.store.commit(&commit).await.map_err(|fault| Broken::caused("a commit of new events", &fault))?;
    }
    checks += kept(committed.store.as_ref(), &sent).await?;
    Ok(Held { checks })
}
