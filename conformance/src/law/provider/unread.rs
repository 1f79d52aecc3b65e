//! Decides whether text that nobody reads changes anything. The law puts values that JSON allows and few programs can
//! represent into a part of a genuine body that no adapter reads. It doesn't know what the body says.

use purchase_core::{
    capability::Capability,
    id::ProviderId,
    provider::{Event, Meaning},
    store::EventStatus,
};

use crate::{
    law::{
        Trial,
        provider::keeping::{reading, reading_by},
    },
    verdict::{Broken, Held, Verdict, ensure},
};

/// The depth of nested arrays: more than parsers with a limit allow.
const DEPTH: usize = 300;

/// A byte order mark, in UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

pub(crate) fn has_object(trial: &Trial) -> bool {
    trial.scenario.deliveries.iter().any(|recorded| with_unread(&recorded.body, "1").is_some())
}

pub(crate) async fn changes_nothing(trial: &Trial) -> Verdict {
    let adapter = trial.rig.adapter(&[&trial.scenario.secret], None)?;
    let named = trial.declares(Capability::EventIds)?;
    let (mut checks, mut first) = (0, None);
    for (recorded, genuine) in trial.scenario.deliveries.iter().zip(trial.rig.sign(&trial.scenario)?) {
        let right = reading_by(adapter.as_ref(), &genuine)?;
        let bodies = odd(&genuine.body);
        for (what, body) in &bodies {
            let place = || format!("delivery {} with {what} in a field that is not read", recorded.number);
            let signed = trial.rig.sign_body(&trial.scenario, body.clone())?;
            match (&right, reading_by(adapter.as_ref(), &signed)?) {
                (Ok(event), Ok(read)) => {
                    let read = if named { read } else { under(read, &event.head.key.id) };
                    ensure(read == *event, || format!("{} is read differently", place()))?;
                }
                // A body that was unreadable for another reason stays so.
                (Err(_), Err(_)) => {}
                (Ok(_), Err(unreadable)) => {
                    return Err(Broken::new(format!("{} can't be read: {}", place(), unreadable.fault)));
                }
                (Err(_), Ok(_)) => return Err(Broken::new(format!("{} can be read", place()))),
            }
            checks += 1;
        }
        if right.is_ok() {
            first = first.or_else(|| bodies.into_iter().next_back());
        }
    }
    if let Some((_, body)) = first {
        is_kept(trial, body).await?;
        checks += 1;
    }
    Ok(Held { checks })
}

/// The body in every odd form, each with its name. The last one combines all of them.
fn odd(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let all = format!("[{}, {}, {deep}]", r#""\uDFFF""#, "-1e999");
    let texts =
        [("half a surrogate pair", r#""\ud800""#), ("a number beyond floats", "1e999"), ("deep nesting", &deep)];
    let mut bodies: Vec<_> =
        texts.into_iter().filter_map(|(what, text)| Some((what, with_unread(body, text)?))).collect();
    bodies.push(("a byte order mark", [MARK, body].concat()));
    bodies.extend(with_unread(body, &all).map(|body| ("all of it", [MARK, &body].concat())));
    bodies
}

/// Adds a value under a key that no provider uses, if the body is an object.
fn with_unread(body: &[u8], value: &str) -> Option<Vec<u8>> {
    let keys = body.trim_ascii_start().strip_prefix(b"{")?;
    let comma = if keys.trim_ascii_start().starts_with(b"}") { "" } else { "," };
    let added = format!("{{\"read by nobody\": {value}{comma}");
    Some([added.as_bytes(), keys].concat())
}

/// The event under another id. Without event ids, each body has its own digest as the id, so the events are compared
/// under one id.
fn under(mut event: Event, id: &ProviderId) -> Event {
    event.head.key.id = id.clone();
    if let Meaning::Facts(facts) = &mut event.meaning {
        facts.iter_mut().for_each(|fact| fact.event = id.clone());
    }
    event
}

/// Sends a body through the whole pipeline.
async fn is_kept(trial: &Trial, body: Vec<u8>) -> Result<(), Broken> {
    let signed = trial.rig.sign_body(&trial.scenario, body)?;
    let ignored = reading(trial, &signed)?.is_ok_and(|event| event.meaning == Meaning::Ignored);
    let bench = trial.rig.bench(&trial.scenario).await?;
    match bench.receiver.receive(vec![signed.clone()]).await?.pop() {
        Some(Ok(receipt)) => ensure((receipt.status == EventStatus::Ignored) == ignored, || {
            format!("an event with odd text in a field that is not read is {}", receipt.status.as_str())
        })?,
        Some(Err(refusal)) => {
            return Err(Broken::new(format!(
                "an event with odd text in a field that is not read is refused ({})",
                refusal.code()
            )));
        }
        None => return Err(Broken::new("one delivery was sent, but there is no answer")),
    }
    let kept = bench.events().await?;
    ensure(kept.len() == 1 && kept[0].event.body == signed.body, || "its body is not stored byte for byte".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_added_to_an_object_and_to_nothing_else() {
        let check = |body: &str, expect: Option<&str>| {
            let found = with_unread(body.as_bytes(), "1e999").map(|body| String::from_utf8(body).expect("a text"));
            assert_eq!(found.as_deref(), expect, "{body}");
        };
        check(r#" {"a": 1}"#, Some(r#"{"read by nobody": 1e999,"a": 1}"#));
        check("{ }", Some(r#"{"read by nobody": 1e999 }"#));
        check("[1]", None);
        check("a=b", None);
        check("", None);
    }
}
