//! Decides the state of one subject from its facts: a register per object, and the links. Each subject folds alone;
//! what it takes from others reaches it as facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    fact::{
        Fact, Link, Links, Sight, Version,
        history::{History, Late, Register, Settled},
        order::Photograph,
        pairs,
        photo::{Charge, Credit, CreditState, Dispute, DisputeState, Photo, Refund, RefundState, Reversal, Undone},
    },
    id::{CustomerId, ObjectKind, ObjectRef, ProviderId, Subject, exposed},
    lifecycle::{self, Transition},
    money::Money,
    time::Timestamp,
};

/// What is kept of a subject between deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectState {
    /// One register per object of the subject.
    #[serde(with = "pairs")]
    registers: BTreeMap<ObjectRef, Register>,
    /// What the subject belongs to.
    links: Links,
    /// The owner that it takes from another subject, where it has none of its own. Derived, not evidence: the engine
    /// sets it anew with every write.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    via: Option<Owner>,
    /// Transitions that were told and are no longer derived, because a later arrival settled their instant another
    /// way. Kept so that they are not told again should they come back; it is no evidence, and shows nowhere.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    retracted: Vec<Transition>,
}

/// Whom a subject belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// The application's customer, from metadata; no customer of the provider is known.
    Application(CustomerId),
    /// The provider's customer.
    Provider(#[serde(with = "exposed")] ProviderId),
}

impl SubjectState {
    /// Folds a set of facts about one subject: their order doesn't matter.
    pub fn fold(subject: &Subject, facts: &[Fact]) -> (Self, Vec<Transition>) {
        let mut histories: BTreeMap<ObjectRef, History> = BTreeMap::new();
        let mut state = Self::default();
        for fact in facts {
            state.join_links(fact);
            if let Some(sight) = &fact.sight {
                let history = histories.entry(sight.object.clone()).or_default();
                history.insert(fact.version, photograph(&fact.event, sight));
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

    /// Takes one fact in.
    ///
    /// # Errors
    /// [`Late`] when the fact is older than what was settled; then the subject has to be folded from all its facts.
    pub fn apply(&mut self, fact: &Fact) -> Result<(), Late> {
        if let Some(sight) = &fact.sight {
            let photograph = photograph(&fact.event, sight);
            match self.registers.get_mut(&sight.object) {
                Some(register) => register.apply(fact.version, photograph)?,
                None => {
                    self.registers.insert(sight.object.clone(), Register::new(fact.version, photograph));
                }
            }
        }
        self.join_links(fact);
        Ok(())
    }

    fn join_links(&mut self, fact: &Fact) {
        for link in &fact.links {
            self.links.join(link.clone(), fact.version);
        }
    }

    /// Transitions into the state of the last instant of an object.
    pub fn last_transitions(&self, subject: &Subject, object: &ObjectRef) -> Vec<Transition> {
        match self.registers.get(object) {
            Some(register) => transitions_of(subject, object, register.before(), &register.settled()),
            None => Vec::new(),
        }
    }

    /// What is to be told when the derived transitions change from `known` to `now`: each transition once ever. A
    /// change that happens to an object only once is told once whatever its time, which a late arrival may correct.
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

    /// Takes over what was told of an earlier state of the same subject.
    pub fn keep_told(&mut self, earlier: Self) {
        self.retracted = earlier.retracted;
    }

    /// The version of the last instant of an object.
    pub fn version_of(&self, object: &ObjectRef) -> Option<Version> {
        self.registers.get(object).map(Register::version)
    }

    /// Whether nothing is known of the subject but that it exists.
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty() && self.links.is_empty()
    }

    /// The links.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Whom the subject itself says it belongs to.
    pub fn own_owner(&self) -> Option<Owner> {
        let provider = self.links.customer().cloned().map(Owner::Provider);
        provider.or_else(|| self.links.owner().cloned().map(Owner::Application))
    }

    /// Whom the subject belongs to, by itself or through another.
    pub fn owner(&self) -> Option<Owner> {
        self.own_owner().or_else(|| self.via.clone())
    }

    /// Sets the owner that the subject takes from another.
    pub fn take_owner(&mut self, via: Option<Owner>) {
        self.via = via;
    }

    /// The provider's customer, by itself or through another subject.
    pub fn customer(&self) -> Option<&ProviderId> {
        self.links.customer().or(match &self.via {
            Some(Owner::Provider(id)) => Some(id),
            Some(Owner::Application(_)) | None => None,
        })
    }

    /// The application's customer that the subject itself or the one it takes its owner from names.
    pub fn application_customer(&self) -> Option<&CustomerId> {
        self.links.owner().or(match &self.via {
            Some(Owner::Application(id)) => Some(id),
            Some(Owner::Provider(_)) | None => None,
        })
    }

    /// The subjects whose owner this one would take: what it is for, or came from.
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
                Link::Customer(_) | Link::Offer(_) | Link::Owner(_) | Link::Product(_) => None,
            })
            .collect();
        relatives.retain(|relative| relative != subject);
        relatives
    }

    /// Every object with its settled state.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectRef, Settled)> {
        self.registers.iter().map(|(object, register)| (object, register.settled()))
    }

    /// What went back of a payment, in minor units: the refunds that succeeded, or what the charges total, if that is
    /// more. A charge's total counts refunds that are still pending, and those that failed after it was taken.
    pub fn refunded_minor(&self) -> i64 {
        let mut succeeded = 0_i64;
        let mut charged_back = 0_i64;
        let mut charged_at = None;
        for (object, register) in &self.registers {
            match register.settled().shown() {
                Photo::Refund(Refund { state: RefundState::Succeeded, amount }) => {
                    succeeded = succeeded.saturating_add(amount.minor());
                }
                Photo::Charge(Charge { refunded, .. }) => {
                    charged_back = charged_back.saturating_add(refunded.minor());
                    charged_at = charged_at.max(Some(register.version().at));
                }
                _ => debug_assert!(object.kind != ObjectKind::Charge),
            }
        }
        let Some(charged_at) = charged_at else {
            return succeeded.min(Money::MAX_MINOR);
        };
        let not_gone: i64 = self
            .objects()
            .filter_map(|(_, settled)| match settled.shown() {
                Photo::Refund(refund) => match refund.state {
                    RefundState::Pending | RefundState::RequiresAction => Some(refund.amount.minor()),
                    // Since when it failed counts, not when that was told last.
                    RefundState::Canceled | RefundState::Failed => {
                        (settled.since >= charged_at).then(|| refund.amount.minor())
                    }
                    RefundState::Succeeded | RefundState::Unknown => None,
                },
                _ => None,
            })
            .fold(0, i64::saturating_add);
        succeeded.max(charged_back.saturating_sub(not_gone)).min(Money::MAX_MINOR)
    }

    /// The weightiest dispute of a payment: lost before open before won.
    pub fn dispute(&self) -> Option<DisputeState> {
        let weight = |state: &DisputeState| match state {
            DisputeState::Lost => 3,
            DisputeState::Open => 2,
            DisputeState::Won => 1,
            DisputeState::Closed | DisputeState::Inquiry | DisputeState::Unknown => 0,
        };
        let states = self.disputes().into_iter().map(|(_, dispute)| dispute.state);
        states.filter(|state| weight(state) > 0).max_by_key(weight)
    }

    /// The disputes of a payment, the oldest first, after what reverses them. A reversal that names no dispute ends the
    /// oldest that is still open; one that a dispute tells of itself is not counted again.
    pub fn disputes(&self) -> Vec<(&ObjectRef, Dispute)> {
        let mut disputes = self.by_age(|photo| match photo {
            Photo::Dispute(dispute) => Some(dispute.clone()),
            _ => None,
        });
        let won = |dispute: &mut Dispute| dispute.state = DisputeState::Won;
        let is = |state| move |dispute: &Dispute| dispute.state == state;
        self.undo(Undone::Dispute, &mut disputes, is(DisputeState::Open), is(DisputeState::Won), won);
        let closed = |dispute: &mut Dispute| dispute.state = DisputeState::Closed;
        self.undo(Undone::Inquiry, &mut disputes, is(DisputeState::Inquiry), is(DisputeState::Closed), closed);
        disputes.into_iter().map(|(_, object, dispute)| (object, dispute)).collect()
    }

    /// The credits of an invoice, the oldest first, after what reverses them: as with [`disputes`](Self::disputes).
    pub fn credits(&self) -> Vec<(&ObjectRef, Credit)> {
        let mut credits = self.by_age(|photo| match photo {
            Photo::Credit(credit) => Some(credit.clone()),
            _ => None,
        });
        let reversed = |credit: &mut Credit| credit.state = CreditState::Reversed;
        let is = |state| move |credit: &Credit| credit.state == state;
        self.undo(Undone::Credit, &mut credits, is(CreditState::Issued), is(CreditState::Reversed), reversed);
        credits.into_iter().map(|(_, object, credit)| (object, credit)).collect()
    }

    /// Lets each reversal end what it undoes: nothing where something that is not younger tells of its own end, else the
    /// oldest that stands and is not younger.
    fn undo<T>(
        &self,
        undone: Undone,
        members: &mut [(Timestamp, &ObjectRef, T)],
        stands: impl Fn(&T) -> bool,
        has_ended: impl Fn(&T) -> bool,
        end: impl Fn(&mut T),
    ) {
        let mut ended: Vec<Timestamp> = members.iter().filter(|(.., it)| has_ended(it)).map(|(at, ..)| *at).collect();
        let reversals = self.by_age(|photo| match photo {
            Photo::Reversal(Reversal { undoes }) if *undoes == undone => Some(()),
            _ => None,
        });
        for (at, ..) in reversals {
            if let Some(told) = ended.iter().position(|since| *since <= at) {
                ended.remove(told);
            } else if let Some((.., it)) = members.iter_mut().find(|(since, _, it)| *since <= at && stands(it)) {
                end(it);
            }
        }
    }

    /// How many attempts to pay are known by an id of their own.
    pub fn attempts(&self) -> usize {
        self.registers.keys().filter(|object| object.kind == ObjectKind::Charge).count()
    }

    /// What is picked, the oldest first: an object is as old as its first photograph, whatever was told of it since.
    fn by_age<T>(&self, pick: impl Fn(&Photo) -> Option<T>) -> Vec<(Timestamp, &ObjectRef, T)> {
        let picked =
            self.objects().filter_map(|(object, settled)| Some((settled.first_at, object, pick(settled.shown())?)));
        let mut picked: Vec<_> = picked.collect();
        picked.sort_by_key(|(first_at, object, _)| (*first_at, *object));
        picked
    }

    /// Objects that only event ids ordered.
    pub fn ambiguous(&self) -> impl Iterator<Item = &ObjectRef> {
        self.registers.iter().filter(|(_, register)| register.settled().ambiguous).map(|(object, _)| object)
    }

    /// Objects whose end a later photograph contradicts.
    pub fn contradicted(&self) -> impl Iterator<Item = &ObjectRef> {
        self.registers.iter().filter(|(_, register)| register.settled().contradicted).map(|(object, _)| object)
    }
}

fn photograph(event: &ProviderId, sight: &Sight) -> Photograph {
    Photograph { event: event.clone(), phase: sight.phase, photo: sight.photo.clone(), prior: sight.prior.clone() }
}

fn transitions_of(subject: &Subject, object: &ObjectRef, before: Option<&Settled>, after: &Settled) -> Vec<Transition> {
    let named = Subject { source: subject.source.clone(), root: object.clone() };
    lifecycle::between(before.map(Settled::shown), after.shown())
        .into_iter()
        .map(|change| Transition { object: named.public_id(), at: after.at, change })
        .collect()
}
