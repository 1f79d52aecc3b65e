//! Decides which options a run has, how a word is quoted in a command, and why a run may not start.

use std::path::PathBuf;

use crate::{law::Effort, scenario::ScenarioError, schedule::Written};

/// The options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folders of fixtures, each `<provider>/<scenario>/`.
    pub fixtures: Vec<PathBuf>,
    /// Whether these are all existing fixtures. If so, each adapter must have scenarios for each law, and mutants are
    /// tried on its scenarios too.
    pub complete: bool,
    /// Only this provider.
    pub provider: Option<String>,
    /// Only scenarios with this name, or whose names contain it.
    pub scenario: Option<String>,
    /// Only this number of scenarios per provider, drawn by the seed.
    pub draw: Option<usize>,
    /// Only this law.
    pub law: Option<String>,
    /// Only this schedule.
    pub schedule: Option<Written>,
    /// How many schedules are tried.
    pub effort: Effort,
    /// The seed of every random choice.
    pub seed: u64,
    /// The names that may be skipped.
    pub allow_skip: Vec<String>,
    /// How the run was started. Commands that play a schedule again begin with it.
    pub command: String,
    /// How many cases run concurrently.
    pub side_by_side: usize,
    /// Called at the beginning and after each case with the number of finished cases and the total.
    pub progress: Option<fn(usize, usize)>,
}

impl Options {
    /// Options for everything in these folders.
    pub fn new(fixtures: Vec<PathBuf>) -> Self {
        Self {
            fixtures,
            complete: false,
            provider: None,
            scenario: None,
            draw: None,
            law: None,
            schedule: None,
            effort: Effort::FULL,
            seed: 1,
            allow_skip: Vec::new(),
            command: "cargo xtask conformance".to_owned(),
            // A case sometimes waits for its store's own thread. Twice as many cases as cores keep the cores busy.
            side_by_side: std::thread::available_parallelism().map_or(2, usize::from) * 2,
            progress: None,
        }
    }

    /// Which mutants are tried.
    pub(crate) fn hunted(&self) -> Hunted {
        match (self.narrowed(), self.scenario.is_none() && self.law.is_none() && self.schedule.is_none()) {
            (false, _) => Hunted::All,
            (true, true) => Hunted::OnDisk,
            (true, false) => Hunted::None,
        }
    }

    /// Whether the run covers only a part of these fixtures.
    pub(crate) fn narrowed(&self) -> bool {
        self.scenario.is_some() || self.draw.is_some() || self.law.is_some() || self.schedule.is_some()
    }
}

/// Which mutants a run tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hunted {
    /// All mutants.
    All,
    /// The mutants that only an embedded store can have, because the in-memory store has no statements and persists
    /// nothing. They need no scenario, so a drawn run tries them too.
    OnDisk,
    /// None.
    None,
}

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A folder of fixtures can't be listed.
    #[error("the fixtures can't be listed")]
    Fixtures(#[source] ScenarioError),
    /// A name that doesn't exist.
    #[error("there is no {what} {name:?}; known: {known}")]
    Unknown {
        /// The kind of name.
        what: &'static str,
        /// The name.
        name: String,
        /// The existing names.
        known: String,
    },
}

/// Quotes a word for a shell, for commands that people copy. People choose the names of their folders.
pub fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| "?".to_owned(), |quoted| quoted.into_owned())
}
