//! Folds the state of one subject from its facts: a register per object, and the links. Each subject folds
//! independently; facts are its only input from other subjects. The money of a payment is derived from its members in
//! [`money`].
//!
//! # Example
//!
//! ```
//! use purchase_core::{
//!     fact::{Fact, Observation, Phase, Version, object_state::{ObjectState, Subscription, SubscriptionStatus}},
//!     fold::SubjectState,
//!     id::{ObjectKind, ObjectRef, ProviderId, Subject},
//!     lifecycle::Change,
//!     time::Timestamp,
//! };
//!
//! let root = ObjectRef::new(ObjectKind::Subscription, ProviderId::new("sub_1")?);
//! let subject = Subject { source: "stripe//test".parse()?, root };
//! let fact = |event: ProviderId, at: Timestamp, status: SubscriptionStatus| {
//!     let object_state = ObjectState::Subscription(Box::new(Subscription::new(status, "")));
//!     let (subject, object) = (subject.clone(), subject.root.clone());
//!     let observation = Some(Observation { object, phase: Phase::Changed, object_state, prior: None });
//!     Fact { subject, event, version: Version::at(at), observation, links: Vec::new() }
//! };
//! let trial = fact(ProviderId::new("evt_1")?, Timestamp::from_seconds(10)?, SubscriptionStatus::Trialing);
//! let paid = fact(ProviderId::new("evt_2")?, Timestamp::from_seconds(20)?, SubscriptionStatus::Active);
//!
//! let (state, transitions) = SubjectState::fold(&subject, &[trial.clone(), paid.clone()]);
//! assert!(transitions.iter().map(|it| it.change).eq([Change::TrialStarted, Change::Activated]));
//! // The other order, with one event twice, gives the same state and the same transitions.
//! assert_eq!(SubjectState::fold(&subject, &[paid.clone(), trial, paid]), (state, transitions));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod money;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    fact::{
        Fact, Link, Links, Observation, Version,
        history::{History, Late, Register, Settled},
        order::TiedObservation,
        pairs,
    },
    id::{CustomerId, ObjectKind, ObjectRef, ProviderId, Subject, exposed},
    lifecycle::{self, Transition},
};

/// The stored state of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectState {
    /// One register per object of the subject.
    #[serde(with = "pairs")]
    registers: BTreeMap<ObjectRef, Register>,
    /// What the subject belongs to.
    links: Links,
    /// The owner that it inherits from another subject, if it names none itself. This is derived, not evidence: the
    /// engine sets it again with every write.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    via: Option<Owner>,
    /// Transitions that were reported and are no longer derived, because a later arrival settled their instant
    /// differently. They are kept so that they are not reported again if they are derived again. They are not
    /// evidence, and are shown nowhere.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    retracted: Vec<Transition>,
}

/// The owner of a subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Owner {
    /// The application's customer, from metadata; no customer of the provider is known.
    Application(CustomerId),
    /// Both are known.
    Both(CustomerId, #[serde(with = "exposed")] ProviderId),
    /// The provider's customer.
    Provider(#[serde(with = "exposed")] ProviderId),
}

impl SubjectState {
    /// Folds a set of facts about one subject. Their order doesn't matter.
    pub fn fold(subject: &Subject, facts: &[Fact]) -> (Self, Vec<Transition>) {
        let mut histories: BTreeMap<ObjectRef, History> = BTreeMap::new();
        let mut state = Self::default();
        for fact in facts {
            state.join_links(fact);
            if let Some(observation) = &fact.observation {
                let history = histories.entry(observation.object.clone()).or_default();
                history.insert(fact.version, tied(&fact.event, observation));
            }
        }
        let mut transitions = Vec::new();
        for (object, history) in histories {
            let register = history.fold(|before, after| {
                transitions.extend(transitions_of(subject, &object, before, after));
            });
            state.registers.extend(register.map(|register| (object, register)));
        }
        transitions.sort();
        (state, transitions)
    }

    /// Applies one fact.
    ///
    /// # Errors
    /// [`Late`] when the fact is older than what was settled; then the subject must be folded from all its facts.
    pub fn apply(&mut self, fact: &Fact) -> Result<(), Late> {
        if let Some(observation) = &fact.observation {
            let tied = tied(&fact.event, observation);
            match self.registers.get_mut(&observation.object) {
                Some(register) => register.apply(fact.version, tied)?,
                None => {
                    self.registers.insert(observation.object.clone(), Register::new(fact.version, tied));
                }
            }
        }
        self.join_links(fact);
        Ok(())
    }

    fn join_links(&mut self, fact: &Fact) {
        self.links.join_fact(fact);
    }

    /// The transitions into the state of an object's last instant.
    pub fn last_transitions(&self, subject: &Subject, object: &ObjectRef) -> Vec<Transition> {
        match self.registers.get(object) {
            Some(register) => transitions_of(subject, object, register.before(), &register.settled()),
            None => Vec::new(),
        }
    }

    /// The transitions to report when the derived transitions change from `known` to `now`. Each is reported only
    /// once, ever. A change that happens to an object only once is reported once whatever its time, which a late
    /// arrival may correct.
    pub fn tell(&mut self, known: &[Transition], now: &[Transition]) -> Vec<Transition> {
        let same = |one: &Transition, other: &Transition| {
            one == other || (one.change.happens_once() && one.object == other.object && one.change == other.change)
        };
        let told = |it: &&Transition| known.iter().chain(&self.retracted).any(|told| same(told, it));
        let new: Vec<Transition> = now.iter().filter(|it| !told(it)).cloned().collect();
        self.retracted.retain(|it| !now.contains(it));
        self.retracted.extend(known.iter().filter(|it| !now.contains(it)).cloned());
        new
    }

    /// Copies the record of reported transitions from an earlier state of the same subject.
    pub fn keep_told(&mut self, earlier: Self) {
        self.retracted = earlier.retracted;
    }

    /// The version of an object's last instant.
    pub fn version_of(&self, object: &ObjectRef) -> Option<Version> {
        self.registers.get(object).map(Register::version)
    }

    /// Whether nothing is known about the subject except that it exists.
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty() && self.links.is_empty()
    }

    /// The links.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// The owner that the subject's own links name.
    pub fn own_owner(&self) -> Option<Owner> {
        match (self.links.owner().cloned(), self.links.customer().cloned()) {
            (Some(owner), Some(customer)) => Some(Owner::Both(owner, customer)),
            (Some(owner), None) => Some(Owner::Application(owner)),
            (None, Some(customer)) => Some(Owner::Provider(customer)),
            (None, None) => None,
        }
    }

    /// The owner, named by the subject itself or inherited.
    pub fn owner(&self) -> Option<Owner> {
        self.own_owner().or_else(|| self.via.clone())
    }

    /// Sets the inherited owner.
    pub fn take_owner(&mut self, via: Option<Owner>) {
        self.via = via;
    }

    /// The provider's customer, named by the subject itself or inherited.
    pub fn customer(&self) -> Option<&ProviderId> {
        self.links.customer().or(match &self.via {
            Some(Owner::Both(_, id) | Owner::Provider(id)) => Some(id),
            Some(Owner::Application(_)) | None => None,
        })
    }

    /// The application's customer, named by the subject itself or inherited.
    pub fn application_customer(&self) -> Option<&CustomerId> {
        self.links.owner().or(match &self.via {
            Some(Owner::Application(id) | Owner::Both(id, _)) => Some(id),
            Some(Owner::Provider(_)) | None => None,
        })
    }

    /// The subjects whose owner this one can inherit: what it is for, or came from.
    pub fn relatives(&self, subject: &Subject) -> Vec<Subject> {
        let of =
            |kind, id: &ProviderId| Subject { source: subject.source.clone(), root: ObjectRef::new(kind, id.clone()) };
        let mut relatives: Vec<Subject> = self
            .links
            .iter()
            .filter_map(|link| match link {
                Link::Checkout(id) => Some(of(ObjectKind::Checkout, id)),
                Link::Invoice(id) => Some(of(ObjectKind::Invoice, id)),
                Link::Payment(id) => Some(of(ObjectKind::Payment, id)),
                Link::Subscription(id) => Some(of(ObjectKind::Subscription, id)),
                Link::Customer(_)
                | Link::InferredOffer { .. }
                | Link::InferredOwner { .. }
                | Link::Offer(_)
                | Link::Owner(_)
                | Link::Product(_) => None,
            })
            .collect();
        relatives.retain(|relative| relative != subject);
        relatives
    }

    /// Every object with its settled state.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectRef, Settled)> {
        self.registers.iter().map(|(object, register)| (object, register.settled()))
    }

    /// Objects whose versions only event ids ordered.
    pub fn ambiguous(&self) -> impl Iterator<Item = &ObjectRef> {
        self.registers.iter().filter(|(_, register)| register.settled().ambiguous).map(|(object, _)| object)
    }

    /// Objects whose final end a later observation contradicts.
    pub fn contradicted(&self) -> impl Iterator<Item = &ObjectRef> {
        self.registers.iter().filter(|(_, register)| register.settled().contradicted).map(|(object, _)| object)
    }
}

fn tied(event: &ProviderId, observation: &Observation) -> TiedObservation {
    TiedObservation {
        event: event.clone(),
        phase: observation.phase,
        object_state: observation.object_state.clone(),
        prior: observation.prior.clone(),
    }
}

fn transitions_of(subject: &Subject, object: &ObjectRef, before: Option<&Settled>, after: &Settled) -> Vec<Transition> {
    let named = Subject { source: subject.source.clone(), root: object.clone() };
    lifecycle::between(before.map(Settled::shown), after.shown())
        .into_iter()
        .map(|change| Transition { object: named.public_id(), at: after.at, change })
        .collect()
}
