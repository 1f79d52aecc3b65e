//! Decides whether a request under an idempotency key has one effect and one answer, even if many run at once.

use std::sync::{Arc, Mutex};

use purchase_core::{
    error::Refusal,
    store::{
        EventQuery, IdempotencyKey, Store,
        once::{Keyed, KeyedAnswer, once},
        transact::Step,
    },
};

use crate::{
    fault::Interleaved,
    law::{
        StoreTrial,
        store::{
            material::{at, commit, subject},
            promises::open,
        },
    },
    schedule::random_of,
    verdict::{Broken, Held, Verdict, ensure},
};

/// How many requests run at once.
const ASKERS: i64 = 6;

fn key(scope: &str, name: &str) -> Result<IdempotencyKey, Broken> {
    IdempotencyKey::new(scope, name).map_err(|error| Broken::caused("a key of the kit", &error))
}

/// Requests the event of this number, about the subject of this number. The answer is the number.
async fn ask(
    store: &dyn Store,
    key: &IdempotencyKey,
    content: &str,
    number: i64,
) -> Result<Result<KeyedAnswer, Refusal>, Broken> {
    let wanted = commit(number, &subject(&format!("sub_{number}"))?, &[], 0)?;
    let request = Keyed { key, content: content.as_bytes(), now: at(number) };
    Ok(once(store, 100, request, |_| Ok(Step::Ready(wanted.clone(), number.to_string()))).await)
}

async fn written(store: &dyn Store) -> Result<usize, Broken> {
    Ok(store.events(&EventQuery { limit: 100, ..EventQuery::default() }).await?.len())
}

pub(crate) async fn once_for_all(trial: &StoreTrial) -> Verdict {
    let fresh = open(trial).await?;
    let store = fresh.store.as_ref();
    let mut checks = 0;
    let mut check = async |key: &IdempotencyKey, content: &str, number: i64, expect: Option<(&str, bool)>, events| {
        let answer = ask(store, key, content, number).await?;
        let right = match (&answer, expect) {
            (Ok(answer), Some((text, repeated))) => answer.answer == text && answer.repeated == repeated,
            (Err(Refusal::KeyConflict { .. }), None) => true,
            _ => false,
        };
        let found = written(store).await?;
        ensure(right && found == events, || {
            format!("request {number} is answered {answer:?}, and {found} events are written, expected {events}")
        })?;
        checks += 1;
        Ok::<_, Broken>(())
    };
    let (refund, grant) = (key("refund", "order 7")?, key("grant", "order 7")?);
    check(&refund, "all of it", 1, Some(("1", false)), 1).await?;
    check(&refund, "all of it", 2, Some(("1", true)), 1).await?;
    check(&refund, "half of it", 3, None, 1).await?;
    check(&grant, "all of it", 4, Some(("4", false)), 2).await?;
    check(&refund, "all of it", 5, Some(("1", true)), 2).await?;
    let refused = Keyed { key: &key("refund", "order 8")?, content: b"all of it", now: at(6) };
    let refusal = once(store, 100, refused, |_| Err(Refusal::Closing)).await;
    ensure(matches!(refusal, Err(Refusal::Closing)), || format!("a refused decision is answered {refusal:?}"))?;
    check(&key("refund", "order 8")?, "half of it", 7, Some(("7", false)), 3).await?;
    checks += race(trial).await?;
    Ok(Held { checks })
}

/// Many requests ask for the same thing at once. Each would write a different event.
async fn race(trial: &StoreTrial) -> Result<u64, Broken> {
    let fresh = open(trial).await?;
    let wanted = key("refund", "order 7")?;
    let mut askers = Vec::new();
    for number in 1..=ASKERS {
        let random = Mutex::new(random_of(trial.seed, &format!("S16/{number}")));
        let store = Arc::new(Interleaved { inner: Arc::clone(&fresh.store), random });
        let wanted = wanted.clone();
        askers.push(tokio::spawn(async move { ask(store.as_ref(), &wanted, "all of it", number).await }));
    }
    let mut answers = Vec::new();
    for asker in askers {
        let answer = asker.await.map_err(|error| Broken::caused("a request's task", &error))?;
        answers.push(answer?.map_err(|error| Broken::caused("one of several requests at once", &error))?);
    }
    let first = answers.iter().filter(|answer| !answer.repeated).count();
    let same = answers.iter().all(|answer| answer.answer == answers[0].answer);
    let events = written(fresh.store.as_ref()).await?;
    ensure(first == 1 && same && events == 1, || {
        format!("{ASKERS} concurrent requests: {first} come first, {events} events are written, answers {answers:?}")
    })?;
    Ok(1)
}
