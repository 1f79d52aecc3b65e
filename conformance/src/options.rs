//! Decides what can be asked of a run, how a word of it stands in a command, and why nothing is run.

use std::path::PathBuf;

use crate::{law::Effort, scenario::ScenarioError, schedule::Written};

/// What is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folders of fixtures, each `<provider>/<scenario>/`.
    pub fixtures: Vec<PathBuf>,
    /// Whether these are all the fixtures there are: then each adapter must have scenarios for each law, and the
    /// mutants are tried on them too.
    pub complete: bool,
    /// Only this provider.
    pub provider: Option<String>,
    /// Only scenarios of this name, or whose names contain this.
    pub scenario: Option<String>,
    /// Only so many scenarios of each provider, drawn by the seed.
    pub draw: Option<usize>,
    /// Only this law.
    pub law: Option<String>,
    /// Only this schedule.
    pub schedule: Option<Written>,
    /// How much is tried.
    pub effort: Effort,
    /// The seed of everything random.
    pub seed: u64,
    /// What may be skipped, by name.
    pub allow_skip: Vec<String>,
    /// How the run was started: the beginning of commands that play a schedule again.
    pub command: String,
    /// How many cases run side by side.
    pub side_by_side: usize,
    /// Told at the beginning and after each case: how many are done, of how many.
    pub progress: Option<fn(usize, usize)>,
}

impl Options {
    /// Everything in these folders.
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
            // A case waits for its store's own thread now and then: twice as many cases as cores keep the cores busy.
            side_by_side: std::thread::available_parallelism().map_or(2, usize::from) * 2,
            progress: None,
        }
    }

    /// Which mutants are hunted.
    pub(crate) fn hunted(&self) -> Hunted {
        match (self.narrowed(), self.scenario.is_none() && self.law.is_none() && self.schedule.is_none()) {
            (false, _) => Hunted::All,
            (true, true) => Hunted::OnDisk,
            (true, false) => Hunted::None,
        }
    }

    /// Whether it is only a part of what could be run of these fixtures.
    pub(crate) fn narrowed(&self) -> bool {
        self.scenario.is_some() || self.draw.is_some() || self.law.is_some() || self.schedule.is_some()
    }
}

/// Which mutants a run hunts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hunted {
    /// Every one.
    All,
    /// Those that only an embedded store can have: the store in memory has no statements and keeps nothing. No scenario is
    /// needed for them, so a draw hunts them.
    OnDisk,
    /// None.
    None,
}

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A folder of fixtures can't be listed.
    #[error("the fixtures can't be listed")]
    Fixtures(#[source] ScenarioError),
    /// A name that isn't there.
    #[error("there is no {what} {name:?}; known are {known}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
        /// The names that are there.
        known: String,
    },
}

/// A word as a shell takes it, for commands that people copy: names are what somebody calls his folders.
pub fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| "?".to_owned(), |quoted| quoted.into_owned())
}
