//! Decides which of two observations wins. Every rule that breaks a tie is here.
//!
//! Observations of one object are ordered by [`Version`](super::Version). Observations with equal versions are
//! *tied*, and settled in this order:
//!
//! 1. **Terminal states.** An ended object doesn't return, so if any tied observation is terminal, only terminal ones
//!    count.
//! 2. **The trail.** An observation with a prior state is an edge from that state to its own. The object took each
//!    edge once, so its last state is the one that was entered once more often than it was left. Creation counts as
//!    an entry, and so does the state when the instant began. This settles chains and cycles.
//! 3. **Phase**, for states that the trail doesn't decide: created before changed before ended.
//! 4. **Progress** of the state, declared per kind of object, then its **measures** that only grow.
//! 5. Last resort: a state on the trail before one that no evidence touches, then the bytes of the event id. If only
//!    this separated different states, the verdict is *ambiguous*, and the provider must be asked.
//!
//! An edge may occur twice, because providers sometimes send two events for one change. If such a duplicate makes a
//! walk impossible (two ends), the walk is repeated with each edge counted once.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use serde::{Deserialize, Serialize};

use crate::{
    fact::{Phase, object_state::ObjectState},
    id::{ProviderId, exposed},
};

/// What one event shows of one object, within a tie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TiedObservation {
    /// The event.
    #[serde(with = "exposed")]
    pub event: ProviderId,
    /// The part of the object's life.
    pub phase: Phase,
    /// The state. Schema versions before 8 wrote `photo`.
    #[serde(alias = "photo")]
    pub object_state: ObjectState,
    /// The state before, if the event contains evidence of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prior: Option<ObjectState>,
}

/// The outcome of a tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// The observation of the last state.
    pub winner: &'a TiedObservation,
    /// Whether only the last resort separated it from a different state.
    pub ambiguous: bool,
}

/// Settles a tie: finds the object's last state among `tied`, given the state `before` it. The order of `tied`
/// doesn't matter. Returns `None` when `tied` is empty.
pub fn settle<'a>(tied: &'a [TiedObservation], before: Option<&ObjectState>) -> Option<Verdict<'a>> {
    if let [only] = tied {
        return Some(Verdict { winner: only, ambiguous: false });
    }
    let ends = ends_of_trail(tied, before);
    let mut states: HashMap<&ObjectState, Candidate<'a>> = HashMap::new();
    for observation in tied {
        let on_trail = ends.on_trail(&observation.object_state);
        let candidate = Candidate { observation, on_trail };
        let best = states.entry(&observation.object_state).or_insert(candidate);
        if candidate.represents_better_than(best) {
            *best = candidate;
        }
    }
    let mut open: Vec<Candidate<'a>> = states.into_values().collect();
    if open.iter().any(|candidate| candidate.observation.object_state.is_terminal()) {
        open.retain(|candidate| candidate.observation.object_state.is_terminal());
    }
    if open.iter().any(|candidate| candidate.on_trail != OnTrail::Passed) {
        open.retain(|candidate| candidate.on_trail != OnTrail::Passed);
    }
    open.sort_by_key(|candidate| Reverse(candidate.rank()));
    let (winner, rest) = open.split_first()?;
    let ambiguous = rest.first().is_some_and(|next| next.evidence() == winner.evidence());
    Some(Verdict { winner: winner.observation, ambiguous })
}

/// The position of a state on the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum OnTrail {
    /// The object entered and left it.
    Passed,
    /// No edge touches it.
    Untouched,
    /// The object's last state.
    End,
}

/// One state of the tie, by its best observation.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    observation: &'a TiedObservation,
    on_trail: OnTrail,
}

impl<'a> Candidate<'a> {
    fn represents_better_than(&self, other: &Self) -> bool {
        (self.observation.phase, &self.observation.event) > (other.observation.phase, &other.observation.event)
    }

    /// The evidence that this state is the last, before the last resort.
    fn evidence(&self) -> (Phase, u8, [i64; 3]) {
        let object_state = &self.observation.object_state;
        (self.observation.phase, object_state.progress(), object_state.measures())
    }

    fn rank(&self) -> ((Phase, u8, [i64; 3]), OnTrail, &'a ProviderId) {
        (self.evidence(), self.on_trail, &self.observation.event)
    }
}

/// How many more times each state was entered than left.
struct Trail<'a> {
    balance: HashMap<&'a ObjectState, i64>,
    touched: HashSet<&'a ObjectState>,
}

impl Trail<'_> {
    fn on_trail(&self, object_state: &ObjectState) -> OnTrail {
        match (self.touched.contains(object_state), self.balance.get(object_state)) {
            (false, _) => OnTrail::Untouched,
            (true, Some(1..)) => OnTrail::End,
            (true, _) => OnTrail::Passed,
        }
    }

    fn ends(&self) -> usize {
        self.touched.iter().filter(|object_state| self.on_trail(object_state) == OnTrail::End).count()
    }
}

fn ends_of_trail<'a>(tied: &'a [TiedObservation], before: Option<&'a ObjectState>) -> Trail<'a> {
    let edges: Vec<(&ObjectState, &ObjectState)> = tied
        .iter()
        .filter_map(|observation| Some((observation.prior.as_ref()?, &observation.object_state)))
        .filter(|(prior, object_state)| prior != object_state)
        .collect();
    let created: HashSet<&ObjectState> = tied
        .iter()
        .filter(|observation| observation.phase == Phase::Created)
        .map(|observation| &observation.object_state)
        .collect();
    let entries: Vec<&ObjectState> = match created.is_empty() {
        true => before.into_iter().collect(),
        false => created.into_iter().collect(),
    };
    let trail = walk(&edges, &entries);
    if trail.ends() <= 1 {
        return trail;
    }
    let once: HashSet<(&ObjectState, &ObjectState)> = edges.iter().copied().collect();
    let single = walk(&once.into_iter().collect::<Vec<_>>(), &entries);
    if single.ends() == 1 { single } else { trail }
}

fn walk<'a>(edges: &[(&'a ObjectState, &'a ObjectState)], entries: &[&'a ObjectState]) -> Trail<'a> {
    let mut balance: HashMap<&ObjectState, i64> = HashMap::new();
    for entered in entries {
        *balance.entry(entered).or_default() += 1;
    }
    for (left, entered) in edges {
        *balance.entry(left).or_default() -= 1;
        *balance.entry(entered).or_default() += 1;
    }
    Trail { balance, touched: edges.iter().flat_map(|(left, entered)| [*left, *entered]).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::object_state::{Item, Subscription, SubscriptionStatus},
        time::Timestamp,
    };

    /// An active subscription with a quantity, perhaps with a scheduled end: `5`, or `5!`.
    fn state(text: &str) -> ObjectState {
        let (text, scheduled) = text.strip_suffix('!').map_or((text, false), |rest| (rest, true));
        let (quantity, status) = match text {
            "x" => (0, SubscriptionStatus::Canceled),
            digits => (digits.parse().expect("digits"), SubscriptionStatus::Active),
        };
        ObjectState::Subscription(Box::new(Subscription {
            items: vec![Item { price: ProviderId::new("price").expect("id"), quantity: Some(quantity) }],
            cancel_at: scheduled.then_some(Timestamp::EPOCH),
            ..Subscription::new(status, "")
        }))
    }

    /// `+5` created at 5, `5>6` changed from 5 to 6, `6` seen at 6, `-x` ended.
    fn observation(event: usize, text: &str) -> TiedObservation {
        let (phase, rest) = match text.split_at(1) {
            ("+", rest) => (Phase::Created, rest),
            ("-", rest) => (Phase::Ended, rest),
            _ => (Phase::Changed, text),
        };
        let (prior, object_state) = match rest.split_once('>') {
            Some((prior, object_state)) => (Some(state(prior)), state(object_state)),
            None => (None, state(rest)),
        };
        // Later events get smaller ids, so that the last resort is never right by accident.
        TiedObservation { event: ProviderId::new(format!("e{}", 99 - event)).expect("id"), phase, object_state, prior }
    }

    #[track_caller]
    fn check(before: Option<&str>, events: &str, expect: &str, ambiguous: bool) {
        let mut tied: Vec<_> = events.split_whitespace().enumerate().map(|(n, text)| observation(n, text)).collect();
        let before = before.map(state);
        for _ in 0..tied.len() {
            tied.rotate_left(1);
            let verdict = settle(&tied, before.as_ref()).expect("not empty");
            assert_eq!(verdict.winner.object_state, state(expect), "{events}");
            assert_eq!(verdict.ambiguous, ambiguous, "{events}");
        }
    }

    #[test]
    fn chains_end_at_their_end() {
        check(None, "+1 1>5 5>6", "6", false);
        check(Some("1"), "1>5 5>6", "6", false);
        check(None, "1>5 5>6", "6", false);
        check(None, "6>5 +6", "5", false);
    }

    #[test]
    fn cycles_end_where_the_walk_ends() {
        check(None, "+1 1>1! 1!>1 1>2", "2", false);
        check(Some("1"), "1>1! 1!>1 1>2", "2", false);
        check(Some("1"), "1>1! 1!>1", "1", false);
        check(Some("1"), "1>1! 1!>1 1>1!", "1!", false);
        check(Some("1!"), "1!>1 1>1!", "1!", false);
    }

    #[test]
    fn a_cycle_with_an_unknown_start_is_ambiguous() {
        let tied = [observation(0, "1>1!"), observation(1, "1!>1")];
        assert!(settle(&tied, None).expect("not empty").ambiguous);
    }

    #[test]
    fn twins_of_one_change_count_once_when_the_walk_needs_it() {
        check(Some("1"), "1>5 1>5 5>6", "6", false);
        check(Some("1"), "1>5 1>5", "5", false);
    }

    #[test]
    fn an_end_is_final_and_created_is_first() {
        check(None, "1>2 -x 2>3", "x", false);
        check(None, "+1 2", "2", false);
    }

    #[test]
    fn states_without_evidence_are_ambiguous() {
        let tied = [observation(0, "1"), observation(1, "2")];
        assert!(settle(&tied, None).expect("not empty").ambiguous);
        let same = [observation(0, "1"), observation(1, "1")];
        assert!(!settle(&same, None).expect("not empty").ambiguous);
    }
}
