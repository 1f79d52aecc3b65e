//! Folds the state of one object from its observations. [`History`] is the set of all of them; [`Register`] is the
//! part stored between deliveries: the last tie, and what was settled before it.
//!
//! An observation that is not older than the register's tie is applied to it, whatever came before. That is the usual
//! case, and its cost doesn't depend on the number of earlier facts. An older one is [`Late`], and the object is
//! folded from its history again. Both ways give the same register.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    fact::{
        Version,
        object_state::ObjectState,
        order::{self, TiedObservation},
    },
    time::Timestamp,
};

/// Every observation of one object, by version. Joining two histories is union: associative, commutative, idempotent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History(BTreeMap<Version, Vec<TiedObservation>>);

impl History {
    /// Joins one observation. An event observes an object at most once.
    pub fn insert(&mut self, version: Version, observation: TiedObservation) {
        insert(self.0.entry(version).or_default(), observation);
    }

    /// Joins another history of the same object.
    pub fn merge(&mut self, other: Self) {
        for (version, tied) in other.0 {
            for observation in tied {
                self.insert(version, observation);
            }
        }
    }

    /// Folds from the first observation to the last, and passes each settled instant to `tell`. Returns `None` for an
    /// empty history.
    pub fn fold(self, mut tell: impl FnMut(Option<&Settled>, &Settled)) -> Option<Register> {
        let mut instants = self.0.into_iter();
        let (version, tied) = instants.next()?;
        let mut register = Register { version, tied, before: None };
        for (version, tied) in instants {
            let settled = register.settled();
            tell(register.before.as_ref(), &settled);
            register = Register { version, tied, before: Some(settled) };
        }
        tell(register.before.as_ref(), &register.settled());
        Some(register)
    }
}

/// Keeps observations ordered by event, each event once.
fn insert(tied: &mut Vec<TiedObservation>, observation: TiedObservation) {
    match tied.binary_search_by(|known| known.event.cmp(&observation.event)) {
        Ok(known) => tied[known] = observation,
        Err(place) => tied.insert(place, observation),
    }
}

/// The stored part of an object's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredRegister")]
pub struct Register {
    /// The version of the last tie.
    version: Version,
    /// The last tie: every observation with that version, ordered by event. There is at least one.
    tied: Vec<TiedObservation>,
    /// The state settled before the last tie.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    before: Option<Settled>,
}

/// A register as deserialized, before validation.
#[derive(Deserialize)]
struct StoredRegister {
    version: Version,
    tied: Vec<TiedObservation>,
    #[serde(default)]
    before: Option<Settled>,
}

impl TryFrom<StoredRegister> for Register {
    type Error = &'static str;

    fn try_from(stored: StoredRegister) -> Result<Self, Self::Error> {
        let StoredRegister { version, tied, before } = stored;
        match tied.is_empty() {
            true => Err("a register without an observation"),
            false => Ok(Self { version, tied, before }),
        }
    }
}

/// The observation is older than the settled state, so the object must be folded from its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late;

impl Register {
    /// A register of one observation.
    pub fn new(version: Version, observation: TiedObservation) -> Self {
        Self { version, tied: vec![observation], before: None }
    }

    /// Applies one observation.
    ///
    /// # Errors
    /// [`Late`] when it is older than the last tie; the register is unchanged.
    pub fn apply(&mut self, version: Version, observation: TiedObservation) -> Result<(), Late> {
        if version < self.version {
            return Err(Late);
        }
        if version > self.version {
            self.before = Some(self.settled());
            self.version = version;
            self.tied.clear();
        }
        insert(&mut self.tied, observation);
        Ok(())
    }

    /// The version of the last tie.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The state settled before the last tie.
    pub fn before(&self) -> Option<&Settled> {
        self.before.as_ref()
    }

    /// The object's state after the last tie.
    pub fn settled(&self) -> Settled {
        let before = self.before.as_ref();
        let verdict = order::settle(&self.tied, before.map(|settled| &settled.last));
        // A register is constructed or read with at least one observation, and never loses one.
        Settled::after(before, &verdict.expect("a register has an observation"), self)
    }
}

/// An object's state after an instant was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The last observation in the provider's order.
    last: ObjectState,
    /// The state to show, if it differs: a final end that a later observation contradicts, or the last readable
    /// state.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    shown: Option<ObjectState>,
    /// The instant.
    pub at: Timestamp,
    /// When the object entered the shown state.
    pub since: Timestamp,
    /// When the first observation was taken.
    pub first_at: Timestamp,
    /// Whether only event ids ordered the last tie.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub ambiguous: bool,
    /// Whether a later observation contradicts a final end.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub contradicted: bool,
}

impl Settled {
    /// The state to show.
    pub fn shown(&self) -> &ObjectState {
        self.shown.as_ref().unwrap_or(&self.last)
    }

    /// The last observation, even one that contradicts a final end or that can't be read alone.
    pub fn last(&self) -> &ObjectState {
        &self.last
    }

    fn after(before: Option<&Self>, verdict: &order::Verdict<'_>, register: &Register) -> Self {
        let at = register.version.at;
        let last = verdict.winner.object_state.clone();
        let mut shown = last.clone();
        let mut contradicted = false;
        if let Some(before) = before {
            contradicted = before.contradicted;
            match before.shown() {
                end if end.is_terminal() && (!last.is_terminal() || last.progress() < end.progress()) => {
                    contradicted |= last.is_readable();
                    shown = end.clone();
                }
                known if known.is_readable() && !last.is_readable() => shown = carry_known(known, &last),
                known => shown.keep_write_once(known),
            }
        }
        for observation in &register.tied {
            shown.keep_write_once(&observation.object_state);
        }
        let since = match before {
            Some(before) if same_state(before.shown(), &shown) => before.since,
            _ => at,
        };
        Self {
            at,
            since,
            first_at: before.map_or(at, |before| before.first_at),
            ambiguous: verdict.ambiguous,
            contradicted,
            shown: (shown != last).then_some(shown),
            last,
        }
    }
}

/// The known state, updated by an observation that can't be read alone.
fn carry_known(known: &ObjectState, last: &ObjectState) -> ObjectState {
    let mut shown = known.clone();
    match (&mut shown, last) {
        (ObjectState::Customer(shown), ObjectState::Customer(last)) => shown.deleted = last.deleted,
        (ObjectState::Product(shown), ObjectState::Product(last)) => {
            (shown.deleted, shown.active) = (last.deleted, last.active)
        }
        (ObjectState::Price(shown), ObjectState::Price(last)) => {
            (shown.deleted, shown.active) = (last.deleted, last.active)
        }
        (ObjectState::Subscription(shown), ObjectState::Subscription(last)) => {
            let status = shown.status;
            *shown = last.clone();
            shown.status = status;
        }
        _ => {}
    }
    shown
}

/// Whether two observations show the same status, ignoring other details.
fn same_state(one: &ObjectState, other: &ObjectState) -> bool {
    match (one, other) {
        (ObjectState::Subscription(one), ObjectState::Subscription(other)) => one.status == other.status,
        _ => one.progress() == other.progress(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_register_without_an_observation_is_no_register() {
        let stored = r#"{"version": {"at": 1, "then": 1}, "tied": []}"#;
        let error = serde_json::from_str::<Register>(stored).expect_err("no observation").to_string();
        assert!(error.contains("a register without an observation"), "{error}");
    }
}
