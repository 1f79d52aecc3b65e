//! Decides how cases are counted: by law and by place. A place is an adapter on a store, or a store alone.

use std::{collections::BTreeSet, fmt};

use crate::report::{Case, Outcome, Report};

/// How many cases had each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) held: usize,
    pub(super) broken: usize,
    pub(super) skipped: usize,
}

impl Tally {
    pub(super) fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut tally = Self::default();
        for case in cases {
            match case.outcome {
                Outcome::Broken => tally.broken += 1,
                Outcome::Held => tally.held += 1,
                Outcome::Skipped => tally.skipped += 1,
            }
        }
        tally
    }

    pub(super) fn total(self) -> usize {
        self.held + self.broken + self.skipped
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [(self.broken, "broken"), (self.held, "held"), (self.skipped, "skipped")];
        let counts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        match counts.is_empty() {
            true => f.write_str("–"),
            false => f.write_str(&counts.join(", ")),
        }
    }
}

/// Where a case is judged: an adapter on a store, or a store alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'a> {
    pub(super) provider: &'a str,
    pub(super) store: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn of(case: &'a Case) -> Self {
        Self { provider: &case.provider, store: &case.store }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.provider, self.store) {
            ("", "") => f.write_str("nowhere"),
            ("", store) => write!(f, "{store}"),
            (provider, "") => write!(f, "{provider}, no store"),
            (provider, store) => write!(f, "{provider} × {store}"),
        }
    }
}

impl Report {
    /// The places with an adapter, then the places with a store alone.
    pub(super) fn places(&self) -> (Vec<Place<'_>>, Vec<Place<'_>>) {
        let all: BTreeSet<Place<'_>> = self.laws.iter().map(Place::of).collect();
        all.into_iter().partition(|place| !place.provider.is_empty())
    }

    /// The cases of one place.
    pub(super) fn cases_at<'a>(&'a self, place: Place<'a>) -> impl Iterator<Item = &'a Case> {
        self.laws.iter().filter(move |case| Place::of(case) == place)
    }

    /// The cases of one law.
    pub(super) fn cases_of(&self, id: &str) -> impl Iterator<Item = &Case> {
        self.laws.iter().filter(move |case| case.id == id)
    }

    /// The broken cases.
    pub(super) fn broken(&self) -> impl Iterator<Item = &Case> {
        self.laws.iter().filter(|case| case.outcome == Outcome::Broken)
    }

    /// Why a case was skipped.
    pub(super) fn skip_reason(&self, case: &Case) -> String {
        match self.allow_skip.contains(&case.skip_name) {
            true => format!("{} (allowed)", case.detail),
            false => format!("{} (not allowed; --allow-skip {})", case.detail, case.skip_name),
        }
    }

    /// How many mutants were killed, and how many could have been.
    pub(super) fn kills(&self) -> (usize, usize) {
        use crate::report::MutantOutcome::{Killed, Survived};
        let killed = self.mutants_of(Killed).count();
        (killed, killed + self.mutants_of(Survived).count())
    }
}
