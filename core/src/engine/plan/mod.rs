//! Builds the commit for a set of facts: adds the facts to the loaded subjects, refolds subjects that received a late
//! fact, and derives their rows. The plan loads nothing itself: where data is missing, it returns what to load.
//! [`owner`] settles the owners.

mod owner;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    engine::Settings,
    fact::Fact,
    fold::SubjectState,
    id::{CustomerId, ObjectKind, ObjectRef, ProviderId, Subject},
    lifecycle::Transition,
    receipt::TransitionReceipt,
    snapshot::derive,
    store::{Commit, PendingOwner, SubjectWrite, TransitionWrite, Wanted, transact::View},
    time::Timestamp,
};

/// `Err` names the missing data. The caller loads it and plans again.
pub(in crate::engine) type Planned<T = ()> = Result<T, Wanted>;

/// A commit under construction.
pub(in crate::engine) struct Plan<'a> {
    pub(in crate::engine) settings: &'a Settings,
    pub(in crate::engine) view: &'a View,
    /// The subjects that the commit writes.
    pub(in crate::engine) drafts: BTreeMap<Subject, Draft>,
    /// The transitions that each event caused.
    brought: HashMap<(ProviderId, Subject), Vec<Transition>>,
    pub(in crate::engine) commit: Commit,
}

/// The new version of a subject.
#[derive(Default)]
pub(in crate::engine) struct Draft {
    pub(in crate::engine) revision: i64,
    pub(in crate::engine) state: SubjectState,
    transitions: BTreeMap<ObjectRef, (Timestamp, Vec<Transition>)>,
}

/// What is unsettled about a subject.
pub(in crate::engine) struct Open {
    pub(in crate::engine) ambiguous: bool,
    pub(in crate::engine) contradicted: bool,
    pub(in crate::engine) parked: bool,
}

impl<'a> Plan<'a> {
    pub(in crate::engine) fn new(settings: &'a Settings, view: &'a View) -> Self {
        Self { settings, view, drafts: BTreeMap::new(), brought: HashMap::new(), commit: Commit::default() }
    }

    /// The state of a subject: its draft, else the stored state. `None` where there is neither.
    pub(in crate::engine) fn state(&self, subject: &Subject) -> Option<&SubjectState> {
        let draft = self.drafts.get(subject).map(|draft| &draft.state);
        draft.or_else(|| self.view.subject(subject).map(|stored| &stored.state))
    }

    /// Marks a subject as written by this commit and returns its draft. A subject that isn't stored has revision 0.
    pub(in crate::engine) fn draft(&mut self, subject: &Subject) -> &mut Draft {
        let stored = self.view.subject(subject);
        self.drafts.entry(subject.clone()).or_insert_with(|| match stored {
            Some(stored) => Draft { revision: stored.revision, state: stored.state.clone(), ..Draft::default() },
            None => Draft::default(),
        })
    }

    /// Reports subjects as missing, unless the list is empty.
    pub(in crate::engine) fn need(subjects: impl IntoIterator<Item = Subject>) -> Planned {
        let wanted = Wanted::subjects(subjects.into_iter().collect());
        if wanted.is_empty() { Ok(()) } else { Err(wanted) }
    }

    /// Whether a fact only repeats links that its subject already has: most events of a subscription's invoices
    /// contain nothing new about the subscription. Such a fact is stored, but its subject is not written, so that
    /// concurrent deliveries don't contend. A subject without an owner takes every fact, because its events wait with
    /// it.
    pub(in crate::engine) fn is_old_news(&self, fact: &Fact) -> bool {
        fact.observation.is_none()
            && !self.is_parked(&fact.subject)
            && self.state(&fact.subject).is_some_and(|state| state.links().cover(&fact.links, fact.version))
    }

    /// Adds facts to their subjects, in the order of their versions.
    pub(in crate::engine) fn take_in(&mut self, facts: &[Fact]) -> Planned {
        let mut by_subject: BTreeMap<&Subject, Vec<&Fact>> = BTreeMap::new();
        for fact in facts {
            by_subject.entry(&fact.subject).or_default().push(fact);
        }
        let mut late = Wanted::default();
        for (subject, mut facts) in by_subject {
            facts.sort_by(|one, other| (one.version, &one.event).cmp(&(other.version, &other.event)));
            if self.append(subject, &facts) {
                continue;
            }
            let view = self.view;
            match view.facts(subject) {
                Some(old) => self.refold(subject, old, &facts),
                None => late.facts.push(subject.clone()),
            }
        }
        if late.is_empty() { Ok(()) } else { Err(late) }
    }

    /// Applies facts that are all newer than everything known about their subject, in order. Returns false and
    /// changes nothing if one of them is late.
    fn append(&mut self, subject: &Subject, facts: &[&Fact]) -> bool {
        let mut brought = Vec::with_capacity(facts.len());
        let draft = self.draft(subject);
        for fact in facts {
            match draft.apply(subject, fact) {
                Some(new) => brought.push((fact.event.clone(), new)),
                None => {
                    self.drafts.remove(subject);
                    return false;
                }
            }
        }
        for (event, new) in brought {
            self.brought.entry((event, subject.clone())).or_default().extend(new);
        }
        true
    }

    /// Folds a subject from all its facts, and records the transitions that the new facts caused.
    pub(in crate::engine) fn refold(&mut self, subject: &Subject, old: &[Fact], new: &[&Fact]) {
        let mut all = old.to_vec();
        all.extend(new.iter().copied().filter(|fact| !old.contains(fact)).cloned());
        let known = SubjectState::fold(subject, old).1;
        let (state, transitions) = SubjectState::fold(subject, &all);
        let draft = self.draft(subject);
        let earlier = std::mem::replace(&mut draft.state, state);
        draft.state.keep_told(earlier);
        draft.transitions.clear();
        for (object, _) in draft.state.objects() {
            let named = Subject { source: subject.source.clone(), root: object.clone() }.public_id();
            let own = transitions.iter().filter(|it| it.object == named).cloned().collect();
            draft.transitions.insert(object.clone(), (Timestamp::MIN, own));
        }
        let mut told = draft.state.tell(&known, &transitions);
        // A late fact can also change transitions after it. Those that no new fact shows are attributed to the last
        // new fact.
        for (place, fact) in new.iter().enumerate() {
            let object = fact.observation.as_ref().map(|observation| {
                Subject { source: subject.source.clone(), root: observation.object.clone() }.public_id()
            });
            let is_last = place + 1 == new.len();
            let brings =
                |it: &mut Transition| is_last || (Some(&it.object) == object.as_ref() && it.at == fact.version.at);
            let brought: Vec<Transition> = told.extract_if(.., brings).collect();
            self.brought.entry((fact.event.clone(), subject.clone())).or_default().extend(brought);
        }
    }

    /// The transitions that an event caused, each once, with the customer they concern.
    pub(in crate::engine) fn brought_by(&self, facts: &[Fact]) -> Vec<TransitionReceipt> {
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

    /// The application's customer that a subject concerns, if it is loaded: see
    /// [`load_concerned`](Self::load_concerned).
    fn application_customer(&self, subject: &Subject) -> Option<CustomerId> {
        let state = self.state(subject)?;
        let linked = || self.state(&customer_subject(subject, state.customer()?.clone()))?.application_customer();
        state.application_customer().or_else(linked).cloned()
    }

    /// Requests the provider's customers of subjects that have new transitions and no other known link to the
    /// application's customer. A delivery that names the customer loads it at first, so this is rare.
    pub(in crate::engine) fn need_concerned(&self) -> Planned {
        let mut missing = BTreeSet::new();
        for ((_, subject), _) in self.brought.iter().filter(|(_, transitions)| !transitions.is_empty()) {
            let Some(state) = self.state(subject) else { continue };
            if state.application_customer().is_some() {
                continue;
            }
            let customer = state.customer().map(|id| customer_subject(subject, id.clone()));
            missing.extend(customer.filter(|customer| !self.view.has_subject(customer)));
        }
        Self::need(missing)
    }

    pub(in crate::engine) fn is_parked(&self, subject: &Subject) -> bool {
        subject.needs_owner() && self.state(subject).is_none_or(|state| state.owner().is_none())
    }

    pub(in crate::engine) fn open_of(&self, subject: &Subject) -> Open {
        let state = self.state(subject);
        Open {
            ambiguous: state.is_some_and(|state| state.ambiguous().next().is_some()),
            contradicted: state.is_some_and(|state| state.contradicted().next().is_some()),
            parked: self.is_parked(subject),
        }
    }

    /// Returns the commit: every draft, with its rows.
    pub(in crate::engine) fn finish(mut self) -> Commit {
        for (subject, Draft { revision, state, transitions }) in self.drafts {
            let transitions = transitions.into_iter().map(|(object, (since, changes))| TransitionWrite {
                object: Subject { source: subject.source.clone(), root: object }.public_id(),
                since,
                changes,
            });
            if subject.needs_owner() && state.own_owner().is_none() {
                let pending_owners = state.relatives(&subject).into_iter();
                self.commit
                    .pending_owners
                    .extend(pending_owners.map(|on| PendingOwner { subject: subject.clone(), on }));
            }
            self.commit.subjects.push(SubjectWrite {
                expected_revision: revision,
                rows: derive::rows(&subject, &state, &self.settings.catalog),
                transitions: transitions.collect(),
                owner_settled: !(subject.needs_owner() && state.owner().is_none()),
                subject,
                state,
            });
        }
        self.commit
    }
}

/// The subject of a customer at the same source.
pub(in crate::engine) fn customer_subject(of: &Subject, id: ProviderId) -> Subject {
    Subject { source: of.source.clone(), root: ObjectRef::new(ObjectKind::Customer, id) }
}

impl Draft {
    /// Applies one fact and returns the transitions that it caused, or `None` when the fact is late. Transitions are
    /// kept by instant, so a second version within one instant counts as late too.
    fn apply(&mut self, subject: &Subject, fact: &Fact) -> Option<Vec<Transition>> {
        let Some(observation) = &fact.observation else {
            self.state.apply(fact).ok()?;
            return Some(Vec::new());
        };
        let object = &observation.object;
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
