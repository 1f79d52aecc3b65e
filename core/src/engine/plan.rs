//! Decides what one commit changes: it takes facts into the loaded subjects, refolds those that a late fact reaches,
//! and derives their rows. Owners are settled in [`owner`](super::owner).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    engine::Engine,
    error::StoreError,
    fact::Fact,
    fold::SubjectState,
    id::{CustomerId, ObjectKind, ObjectRef, ProviderId, Subject},
    lifecycle::Transition,
    receipt::TransitionReceipt,
    snapshot::derive,
    store::{Commit, FactQuery, Loaded, SubjectWrite, TransitionWrite, Wait, Wanted},
    time::Timestamp,
};

/// A commit in the making.
pub(super) struct Plan<'a> {
    pub(super) engine: &'a Engine,
    pub(super) subjects: BTreeMap<Subject, Draft>,
    /// Waits that were loaded, by the subject waited for. Every subject in here was asked for.
    pub(super) waits: BTreeMap<Subject, BTreeSet<Subject>>,
    /// What each event brought to light.
    brought: HashMap<(ProviderId, Subject), Vec<Transition>>,
    pub(super) commit: Commit,
}

/// A subject as loaded, and as it is going to be written.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) revision: i64,
    pub(super) state: SubjectState,
    /// Whether it is written. A subject that is only read is not.
    pub(super) dirty: bool,
    transitions: BTreeMap<ObjectRef, (Timestamp, Vec<Transition>)>,
}

/// What is open about a subject.
pub(super) struct Open {
    pub(super) ambiguous: bool,
    pub(super) contradicted: bool,
    pub(super) parked: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(engine: &'a Engine, loaded: Loaded, wanted: Wanted) -> Self {
        let mut plan = Self {
            engine,
            subjects: BTreeMap::new(),
            waits: BTreeMap::new(),
            brought: HashMap::new(),
            commit: Commit::default(),
        };
        plan.add(loaded, wanted.subjects);
        plan
    }

    /// Adds what was loaded. A subject that is not there is a draft at revision 0.
    pub(super) fn add(&mut self, loaded: Loaded, wanted: Vec<Subject>) {
        for stored in loaded.subjects {
            let draft = Draft { revision: stored.revision, state: stored.state, ..Draft::default() };
            self.subjects.insert(stored.subject, draft);
        }
        for subject in wanted {
            self.waits.entry(subject.clone()).or_default();
            self.subjects.entry(subject).or_default();
        }
        for wait in loaded.waits {
            self.waits.entry(wait.on).or_default().insert(wait.subject);
        }
    }

    /// Whether a fact only repeats links that its subject has: most events of a subscription's invoices say nothing
    /// new about the subscription. Such a fact is stored, but its subject is not written, so that concurrent deliveries
    /// don't contend. A subject without an owner takes everything in, because its events wait with it.
    pub(super) fn is_old_news(&self, fact: &Fact) -> bool {
        let known = self.subjects.get(&fact.subject);
        fact.sight.is_none()
            && !self.is_parked(&fact.subject)
            && known.is_some_and(|draft| draft.state.links().cover(&fact.links, fact.version))
    }

    /// Takes facts into their subjects, in the order of their versions.
    pub(super) async fn take_in(&mut self, facts: &[Fact]) -> Result<(), StoreError> {
        let mut by_subject: BTreeMap<&Subject, Vec<&Fact>> = BTreeMap::new();
        for fact in facts {
            by_subject.entry(&fact.subject).or_default().push(fact);
        }
        let mut late = Vec::new();
        for (subject, mut facts) in by_subject {
            facts.sort_by(|one, other| (one.version, &one.event).cmp(&(other.version, &other.event)));
            let draft = self.subjects.entry(subject.clone()).or_default();
            draft.dirty = true;
            let before = draft.state.clone();
            for fact in &facts {
                match draft.apply(subject, fact) {
                    Some(new) => {
                        self.brought.entry((fact.event.clone(), subject.clone())).or_default().extend(new);
                    }
                    None => {
                        draft.state = before;
                        draft.transitions.clear();
                        for fact in &facts {
                            self.brought.remove(&(fact.event.clone(), subject.clone()));
                        }
                        late.push((subject.clone(), facts));
                        break;
                    }
                }
            }
        }
        if late.is_empty() {
            return Ok(());
        }
        let query = FactQuery::Subjects(late.iter().map(|(subject, _)| subject.clone()).collect());
        let mut stored: BTreeMap<Subject, Vec<Fact>> = BTreeMap::new();
        for fact in self.engine.store.facts(&query).await? {
            stored.entry(fact.subject.clone()).or_default().push(fact);
        }
        for (subject, new) in late {
            let old = stored.remove(&subject).unwrap_or_default();
            self.refold(&subject, &old, &new);
        }
        Ok(())
    }

    /// Folds a subject from all its facts, and tells what the new ones brought to light.
    pub(super) fn refold(&mut self, subject: &Subject, old: &[Fact], new: &[&Fact]) {
        let mut all = old.to_vec();
        all.extend(new.iter().copied().filter(|fact| !old.contains(fact)).cloned());
        let known = SubjectState::fold(subject, old).1;
        let (state, transitions) = SubjectState::fold(subject, &all);
        let draft = self.subjects.entry(subject.clone()).or_default();
        draft.dirty = true;
        let earlier = std::mem::replace(&mut draft.state, state);
        draft.state.keep_told(earlier);
        draft.transitions.clear();
        for (object, _) in draft.state.objects() {
            let named = Subject { source: subject.source.clone(), root: object.clone() }.public_id();
            let own = transitions.iter().filter(|it| it.object == named).cloned().collect();
            draft.transitions.insert(object.clone(), (Timestamp::MIN, own));
        }
        let mut told = draft.state.tell(&known, &transitions);
        // A late fact can also change what follows it: what none of the new facts shows, the last of them brought.
        for (place, fact) in new.iter().enumerate() {
            let object = fact
                .sight
                .as_ref()
                .map(|sight| Subject { source: subject.source.clone(), root: sight.object.clone() }.public_id());
            let is_last = place + 1 == new.len();
            let brings =
                |it: &mut Transition| is_last || (Some(&it.object) == object.as_ref() && it.at == fact.version.at);
            let brought: Vec<Transition> = told.extract_if(.., brings).collect();
            self.brought.entry((fact.event.clone(), subject.clone())).or_default().extend(brought);
        }
    }

    /// What an event brought to light, each change once, and whom it concerns.
    pub(super) fn brought_by(&self, facts: &[Fact]) -> Vec<TransitionReceipt> {
        let mut brought: BTreeMap<&Transition, &Subject> = BTreeMap::new();
        for fact in facts {
            let transitions = self.brought.get(&(fact.event.clone(), fact.subject.clone()));
            brought.extend(transitions.into_iter().flatten().map(|it| (it, &fact.subject)));
        }
        let receipt = |(it, subject): (&Transition, &Subject)| TransitionReceipt {
            object: it.object.clone(),
            at: it.at,
            change: it.change,
            customer: self.application_customer(subject),
        };
        brought.into_iter().map(receipt).collect()
    }

    /// The application's customer whom a subject concerns, as far as it is loaded: see
    /// [`load_concerned`](Self::load_concerned).
    fn application_customer(&self, subject: &Subject) -> Option<CustomerId> {
        let state = &self.subjects.get(subject)?.state;
        let linked = || {
            let customer = customer_subject(subject, state.customer()?.clone());
            self.subjects.get(&customer)?.state.application_customer()
        };
        state.application_customer().or_else(linked).cloned()
    }

    /// Loads the provider's customers of subjects that have new transitions, where the application's customer is not
    /// known otherwise. A delivery that names the customer loads it at first, so that this is rare.
    pub(super) async fn load_concerned(&mut self) -> Result<(), StoreError> {
        let mut missing = BTreeSet::new();
        for ((_, subject), _) in self.brought.iter().filter(|(_, transitions)| !transitions.is_empty()) {
            let Some(draft) = self.subjects.get(subject) else { continue };
            if draft.state.application_customer().is_some() {
                continue;
            }
            let customer = draft.state.customer().map(|id| customer_subject(subject, id.clone()));
            missing.extend(customer.filter(|customer| !self.subjects.contains_key(customer)));
        }
        self.load(missing.into_iter().collect()).await
    }

    pub(super) fn is_parked(&self, subject: &Subject) -> bool {
        subject.needs_owner() && self.subjects.get(subject).is_none_or(|draft| draft.state.owner().is_none())
    }

    pub(super) fn open_of(&self, subject: &Subject) -> Open {
        let state = self.subjects.get(subject).map(|draft| &draft.state);
        Open {
            ambiguous: state.is_some_and(|state| state.ambiguous().next().is_some()),
            contradicted: state.is_some_and(|state| state.contradicted().next().is_some()),
            parked: self.is_parked(subject),
        }
    }

    /// The commit: every draft that is written, with its rows.
    pub(super) fn finish(mut self) -> Commit {
        for (subject, draft) in &self.subjects {
            if !draft.dirty {
                continue;
            }
            let transitions = draft.transitions.iter().map(|(object, (since, changes))| TransitionWrite {
                object: Subject { source: subject.source.clone(), root: object.clone() }.public_id(),
                since: *since,
                changes: changes.clone(),
            });
            self.commit.subjects.push(SubjectWrite {
                subject: subject.clone(),
                expected_revision: draft.revision,
                state: draft.state.clone(),
                rows: derive::rows(subject, &draft.state, &self.engine.settings.catalog),
                transitions: transitions.collect(),
                released: !(subject.needs_owner() && draft.state.owner().is_none()),
            });
            if subject.needs_owner() && draft.state.own_owner().is_none() {
                let waits = draft.state.relatives(subject);
                self.commit.waits.extend(waits.into_iter().map(|on| Wait { subject: subject.clone(), on }));
            }
        }
        self.commit
    }
}

/// A customer at the provider of a subject.
pub(super) fn customer_subject(of: &Subject, id: ProviderId) -> Subject {
    Subject { source: of.source.clone(), root: ObjectRef::new(ObjectKind::Customer, id) }
}

impl Draft {
    /// Takes one fact in and tells the transitions that it brought to light; none when it is late. Transitions are kept
    /// by instant, so a second version within one instant counts as late too.
    fn apply(&mut self, subject: &Subject, fact: &Fact) -> Option<Vec<Transition>> {
        let Some(sight) = &fact.sight else {
            self.state.apply(fact).ok()?;
            return Some(Vec::new());
        };
        let object = &sight.object;
        let last = self.state.version_of(object);
        if last.is_some_and(|last| last.at == fact.version.at && last != fact.version) {
            return None;
        }
        let tied = last == Some(fact.version);
        let known = if tied { self.state.last_transitions(subject, object) } else { Vec::new() };
        self.state.apply(fact).ok()?;
        let now = self.state.last_transitions(subject, object);
        let at = fact.version.at;
        let (since, changes) = self.transitions.entry(object.clone()).or_insert((at, Vec::new()));
        *since = at.min(*since);
        changes.retain(|it| it.at != at);
        changes.extend(now.iter().cloned());
        Some(self.state.tell(&known, &now))
    }
}
