//! Decides whether a killed server stored the same data as an undisturbed one: inbox, facts and projection.

use std::collections::{BTreeMap, BTreeSet};

use purchase_core::store::{EventQuery, EventStatus, Store, SubjectQuery, Wanted};

/// The largest number of differences of one kind that is printed.
const SHOWN: usize = 5;

/// The content of a database.
pub(super) struct Stored {
    /// Every row of the inbox: the event's id and its status.
    events: Vec<(String, EventStatus)>,
    /// Every fact that shows an object, as text. Whether a fact that only repeats links is kept depends on the order of
    /// arrival, so links are compared after they are joined, in the states.
    facts: Vec<String>,
    /// Every subject and its folded state, as text.
    states: Vec<String>,
    /// The projection as the server answered it.
    projection: String,
}

impl Stored {
    /// Reads a database that no running server uses.
    pub(super) async fn read(store: &dyn Store, projection: String) -> anyhow::Result<Self> {
        let mut events = Vec::new();
        let mut after = None;
        loop {
            let page = store.events(&EventQuery { after, limit: 200, ..EventQuery::default() }).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.sequence);
            events.extend(page.iter().map(|stored| (stored.event.key.id.expose().to_owned(), stored.status)));
        }
        events.sort();
        let (mut facts, mut states) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let page = store.subjects(&SubjectQuery { after, limit: 200, ..SubjectQuery::default() }).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.subject.clone());
            for stored in &page {
                let mut state = serde_json::to_value(&stored.state)?;
                // Retracted changes depend on the order of arrival and aren't part of the final state.
                state.as_object_mut().map(|keys| keys.remove("retracted"));
                states.push(serde_json::to_string(&(&stored.subject, state))?);
            }
            let subjects = page.into_iter().map(|stored| stored.subject).collect();
            for fact in store.load(&Wanted::facts(subjects)).await?.facts {
                if fact.observation.is_some() {
                    facts.push(serde_json::to_string(&fact)?);
                }
            }
        }
        facts.sort();
        Ok(Self { events, facts, states, projection })
    }

    pub(super) fn count(&self) -> usize {
        self.events.len()
    }
}

/// The differences, one sentence each.
pub(super) fn differences(expected: &Stored, found: &Stored, acknowledged: &[String]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut say = |what: &str, of: Vec<String>| {
        if !of.is_empty() {
            let shown: Vec<&str> = of.iter().take(SHOWN).map(String::as_str).collect();
            broken.push(format!("{} {what}: {}", of.len(), shown.join(", ")));
        }
    };
    let there: BTreeSet<&str> = found.events.iter().map(|(id, _)| id.as_str()).collect();
    let lost = acknowledged.iter().filter(|id| !there.contains(id.as_str()));
    say("events were acknowledged but are not stored", lost.cloned().collect());
    say("events are stored twice", twice(found.events.iter().map(|(id, _)| id.clone())));
    say("facts are stored twice", twice(found.facts.iter().cloned()));
    let status = |stored: &Stored| stored.events.iter().cloned().collect::<BTreeMap<_, _>>();
    let (expected_status, found_status) = (status(expected), status(found));
    let ids: BTreeSet<&String> = expected_status.keys().chain(found_status.keys()).collect();
    let other = ids.into_iter().filter(|id| expected_status.get(*id) != found_status.get(*id));
    let shown =
        |id: &String| format!("{id} ({:?} undisturbed, {:?} here)", expected_status.get(id), found_status.get(id));
    say("events have another status", other.map(shown).collect());
    say("facts are missing", minus(&expected.facts, &found.facts));
    say("facts are not in the undisturbed run", minus(&found.facts, &expected.facts));
    say("subjects are not in the state of the undisturbed run", minus(&found.states, &expected.states));
    say("subjects of the undisturbed run are in another state", minus(&expected.states, &found.states));
    if expected.projection != found.projection {
        broken.push(format!("the projection differs: {}", first_difference(&expected.projection, &found.projection)));
    }
    broken
}

fn minus(these: &[String], those: &[String]) -> Vec<String> {
    let those: BTreeSet<&String> = those.iter().collect();
    these.iter().filter(|one| !those.contains(one)).cloned().collect()
}

fn twice(mut all: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut twice: Vec<String> = all.by_ref().filter(|one| !seen.insert(one.clone())).collect();
    twice.dedup();
    twice
}

fn first_difference(expected: &str, found: &str) -> String {
    let at = expected.bytes().zip(found.bytes()).position(|(one, other)| one != other);
    let at = at.unwrap_or(expected.len().min(found.len()));
    let around = |text: &str| {
        let bytes = &text.as_bytes()[at.saturating_sub(60)..text.len().min(at + 60)];
        String::from_utf8_lossy(bytes).into_owned()
    };
    format!("byte {at}: …{}… undisturbed, …{}… here", around(expected), around(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(events: &[(&str, EventStatus)], facts: &[&str], projection: &str) -> Stored {
        Stored {
            events: events.iter().map(|(id, status)| ((*id).to_owned(), *status)).collect(),
            facts: facts.iter().map(|fact| (*fact).to_owned()).collect(),
            states: Vec::new(),
            projection: projection.to_owned(),
        }
    }

    #[test]
    fn every_difference_is_seen() {
        use EventStatus::{Failed, Processed};
        let expected = stored(&[("a", Processed)], &["f"], "{}");
        let check = |found: &Stored, says: &[&str]| {
            let broken = differences(&expected, found, &["a".to_owned()]);
            assert_eq!(broken.len(), says.len(), "{broken:?}");
            for (line, word) in broken.iter().zip(says) {
                assert!(line.contains(word), "{line} doesn't contain {word}");
            }
        };
        check(&stored(&[("a", Processed)], &["f"], "{}"), &[]);
        check(&stored(&[], &["f"], "{}"), &["acknowledged", "another status"]);
        check(&stored(&[("a", Processed), ("a", Processed)], &["f"], "{}"), &["stored twice"]);
        check(&stored(&[("a", Failed)], &["f"], "{}"), &["another status"]);
        check(&stored(&[("a", Processed)], &["f", "f"], "{}"), &["facts are stored twice"]);
        check(&stored(&[("a", Processed)], &[], "{}"), &["missing"]);
        check(&stored(&[("a", Processed)], &["f", "g"], "{}"), &["not in the undisturbed run"]);
        check(&stored(&[("a", Processed)], &["f"], "{1}"), &["projection differs"]);
    }
}
