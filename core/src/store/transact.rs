//! Turns a decision into a commit: load, decide, commit, and start again from the load when another writer was
//! faster. A decision is a pure function of what was loaded; it requests more until it has what it needs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
};

use crate::{
    error::{Chain, CommitError, Refusal},
    fact::Fact,
    id::{EventKey, Subject},
    store::{Commit, IdempotencyKey, KeyRecord, Loaded, Store, StoredEvent, StoredSubject, Wanted},
};

/// How often the store may be lost before it confirms a commit. The next load shows whether the commit happened; a
/// store that keeps losing its answers is down.
const MAX_UNKNOWN: u32 = 2;

/// The result of one run of a decision.
#[derive(Debug)]
pub enum Step<T> {
    /// The decision needs these as well. Earlier requests needn't be repeated.
    Need(Wanted),
    /// The decision is made: the change set to commit, and the answer to return once it is committed. An empty change
    /// set commits nothing.
    Ready(Commit, T),
}

/// Everything that was loaded for one decision.
#[derive(Debug, Default)]
pub struct View {
    events: HashMap<EventKey, Option<StoredEvent>>,
    bodies: BTreeSet<EventKey>,
    subjects: BTreeMap<Subject, Option<StoredSubject>>,
    pending_owners: BTreeMap<Subject, BTreeSet<Subject>>,
    facts: BTreeMap<Subject, Vec<Fact>>,
    keys: BTreeMap<IdempotencyKey, Option<KeyRecord>>,
}

impl View {
    /// The view after `wanted` was requested and `loaded` was found.
    pub fn of(wanted: Wanted, loaded: Loaded) -> Self {
        let mut view = Self::default();
        view.add(wanted, loaded);
        view
    }

    /// An event, if it was requested and exists. Its body is empty unless the body was requested.
    pub fn event(&self, key: &EventKey) -> Option<&StoredEvent> {
        self.events.get(key)?.as_ref()
    }

    /// Whether an event's body was requested.
    pub fn has_body(&self, key: &EventKey) -> bool {
        self.bodies.contains(key)
    }

    /// Whether a subject was requested, and with it the pending owners that name it.
    pub fn has_subject(&self, subject: &Subject) -> bool {
        self.subjects.contains_key(subject)
    }

    /// A subject, if it was requested and exists.
    pub fn subject(&self, subject: &Subject) -> Option<&StoredSubject> {
        self.subjects.get(subject)?.as_ref()
    }

    /// The subjects that wait for a requested subject.
    pub fn waiting(&self, subject: &Subject) -> impl Iterator<Item = &Subject> {
        self.pending_owners.get(subject).into_iter().flatten()
    }

    /// Whether one subject waits for another, requested one.
    pub fn pending_owners(&self, waiting: &Subject, on: &Subject) -> bool {
        self.pending_owners.get(on).is_some_and(|all| all.contains(waiting))
    }

    /// Every fact about a subject, or `None` where its facts weren't requested.
    pub fn facts(&self, subject: &Subject) -> Option<&[Fact]> {
        self.facts.get(subject).map(Vec::as_slice)
    }

    /// A requested key, if it is taken.
    pub fn key(&self, key: &IdempotencyKey) -> Option<&KeyRecord> {
        self.keys.get(key)?.as_ref()
    }

    fn add(&mut self, wanted: Wanted, loaded: Loaded) {
        let Wanted { events, bodies, subjects, facts, keys } = wanted;
        for key in events.into_iter().chain(bodies.iter().cloned()) {
            self.events.entry(key).or_default();
        }
        self.bodies.extend(bodies);
        for subject in subjects {
            self.subjects.entry(subject).or_default();
        }
        for subject in facts {
            self.facts.entry(subject).or_default();
        }
        for key in keys {
            self.keys.entry(key).or_default();
        }
        let Loaded { events, subjects, pending_owners, facts, keys } = loaded;
        for stored in events {
            self.events.insert(stored.event.key.clone(), Some(stored));
        }
        for stored in subjects {
            self.subjects.insert(stored.subject.clone(), Some(stored));
        }
        for wait in pending_owners {
            self.pending_owners.entry(wait.on).or_default().insert(wait.subject);
        }
        for fact in facts {
            if let Some(known) = self.facts.get_mut(&fact.subject) {
                known.push(fact);
            }
        }
        for record in keys {
            self.keys.insert(record.key.clone(), Some(record));
        }
    }

    /// The part of `wanted` that was not requested yet.
    fn missing(&self, wanted: Wanted) -> Wanted {
        let Wanted { events, bodies, subjects, facts, keys } = wanted;
        Wanted {
            events: unknown(events, |it| self.events.contains_key(it)),
            bodies: unknown(bodies, |it| self.bodies.contains(it)),
            subjects: unknown(subjects, |it| self.subjects.contains_key(it)),
            facts: unknown(facts, |it| self.facts.contains_key(it)),
            keys: unknown(keys, |it| self.keys.contains_key(it)),
        }
    }
}

/// Each value once, without those already known.
fn unknown<T: Clone + Eq + Hash>(mut all: Vec<T>, known: impl Fn(&T) -> bool) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    all.retain(|it| !known(it) && seen.insert(it.clone()));
    all
}

/// Loads what is wanted, runs `decide` on it, commits the result, and returns the decision's answer. `decide` is
/// called again whenever more was loaded, with everything loaded so far, and from the start when another writer was
/// faster. So it must have no side effects.
///
/// # Errors
/// Any refusal of `decide`; [`Refusal::Contended`] when other writers were faster `max_attempts` times;
/// [`Refusal::Undecided`] when a decision requests only what it has; [`Refusal::LeaseLost`]; [`Refusal::Store`]. Then
/// nothing was written, unless the store was lost before it answered.
pub async fn transact<T: Send>(
    store: &dyn Store,
    max_attempts: u32,
    wanted: Wanted,
    mut decide: impl FnMut(&View) -> Result<Step<T>, Refusal> + Send,
) -> Result<(T, Commit), Refusal> {
    let mut unknown = 0;
    for _ in 0..max_attempts {
        let mut view = View::default();
        let mut more = wanted.clone();
        let (commit, answer) = loop {
            if !more.is_empty() {
                let loaded = store.load(&more).await?;
                view.add(more, loaded);
            }
            match decide(&view)? {
                Step::Ready(commit, answer) => break (commit, answer),
                Step::Need(wanted) => more = view.missing(wanted),
            }
            if more.is_empty() {
                return Err(Refusal::Undecided);
            }
        };
        if commit.is_empty() {
            return Ok((answer, commit));
        }
        match store.commit(&commit).await {
            Ok(()) => return Ok((answer, commit)),
            Err(CommitError::Stale) => tracing::debug!("another writer committed first; loading again"),
            Err(CommitError::Unknown(fault)) if unknown == MAX_UNKNOWN => return Err(fault.into()),
            Err(CommitError::Unknown(fault)) => {
                let cause = Chain(&fault);
                tracing::warn!(%cause, "it is unknown whether a commit happened; loading the stored state to find out");
                unknown += 1;
            }
            Err(CommitError::LeaseLost) => return Err(Refusal::LeaseLost),
            Err(CommitError::Store(fault)) => return Err(fault.into()),
        }
    }
    Err(Refusal::Contended { attempts: max_attempts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn key(name: &str) -> IdempotencyKey {
        IdempotencyKey::new("test", name).expect("plain")
    }

    fn wanted(names: &[&str]) -> Wanted {
        Wanted { keys: names.iter().map(|name| key(name)).collect(), ..Wanted::default() }
    }

    #[tokio::test]
    async fn a_decision_gets_what_it_needs_beside_what_it_had() {
        let store = MemoryStore::new();
        let mut seen = Vec::new();
        let decide = |view: &View| {
            let has = |name| view.keys.contains_key(&key(name));
            seen.push((has("a"), has("b")));
            Ok(if has("b") { Step::Ready(Commit::default(), 7) } else { Step::Need(wanted(&["a", "b"])) })
        };
        let made = transact(&store, 1, wanted(&["a"]), decide).await;
        assert_eq!(made.expect("a commit").0, 7);
        assert_eq!(seen, [(true, false), (true, true)]);
    }

    #[tokio::test]
    async fn a_decision_that_needs_only_what_it_has_ends() {
        let store = MemoryStore::new();
        let decide = |_: &View| Ok(Step::<()>::Need(wanted(&["a"])));
        let made = transact(&store, 3, wanted(&["a"]), decide).await;
        assert!(matches!(made, Err(Refusal::Undecided)));
    }
}
