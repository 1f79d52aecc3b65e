//! Decides what a run says at its end, and the exit code that follows from it.

mod json;
mod junit;
mod text;

use std::{path::Path, process::ExitCode};

use serde::Serialize;

use crate::{VERSION, runner::Options};

/// What a run found. The fields in this order are its JSON form.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name and version of the kit.
    pub kit: String,
    /// The seed of everything random.
    pub seed: u64,
    /// How many scenarios were judged.
    pub scenarios: usize,
    /// How many deliveries they have.
    pub deliveries: usize,
    /// How many schedules were played on all stores.
    pub schedules: u64,
    /// How many expectations the scenarios have.
    pub expectations: usize,
    /// Every case.
    pub laws: Vec<Case>,
    /// What became of the mutants.
    pub mutants: Vec<MutantCase>,
    /// What each adapter declares, and how much of it was executed.
    pub capabilities: Vec<ProviderCapabilities>,
    /// What may be skipped.
    #[serde(skip)]
    pub allow_skip: Vec<String>,
}

/// What one adapter declares, and how much of it was executed.
#[derive(Debug, Clone, Serialize)]
pub struct ProviderCapabilities {
    /// The adapter.
    pub provider: String,
    /// What it declares.
    pub declared: Vec<String>,
    /// What it doesn't declare.
    pub undeclared: Vec<String>,
    /// What a complete run asks for; empty in any other.
    pub floors: Vec<Floor>,
}

/// A minimum, so that nothing passes by doing nothing.
#[derive(Debug, Clone, Serialize)]
pub struct Floor {
    /// Of what: a capability, or something that every provider has.
    pub capability: String,
    /// How many there have to be.
    pub required: u64,
    /// How many there were.
    pub executed: u64,
}

/// One law on one scenario, adapter and store.
#[derive(Debug, Clone, Serialize)]
pub struct Case {
    /// The law's id.
    pub id: &'static str,
    /// The case's name: unique in a run.
    pub case: String,
    /// The adapter; empty for laws of stores.
    pub provider: String,
    /// The store; empty where none was used.
    pub store: String,
    /// The scenario; empty for laws of stores.
    pub scenario: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, where it didn't hold.
    pub detail: String,
    /// How many single things were looked at.
    #[serde(skip)]
    pub checks: u64,
    /// How long it took.
    #[serde(skip)]
    pub seconds: f64,
    /// The name under which it may be skipped.
    #[serde(skip)]
    pub skip_name: String,
}

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The law is broken.
    Broken,
    /// The law held.
    Held,
    /// It was not tried.
    Skipped,
}

/// What became of one mutant.
#[derive(Debug, Clone, Serialize)]
pub struct MutantCase {
    /// Its name.
    pub mutant: &'static str,
    /// The kind of failure.
    pub failure: &'static str,
    /// What people report who use systems like it; empty where none is known.
    pub like: &'static str,
    /// The law that had to find it.
    pub law: &'static str,
    /// What it does.
    pub sentence: &'static str,
    /// The adapter that it was made of.
    pub provider: String,
    /// Whether it must be found here.
    #[serde(skip)]
    pub must: bool,
    /// Whether it was found.
    pub fate: Fate,
    /// The scenario that showed it.
    pub scenario: String,
    /// What the law said.
    pub detail: String,
}

/// Whether a mutant was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Its law found it.
    Killed,
    /// Its law held: the kit proves less than it says.
    Survived,
    /// No scenario of this provider shows it, and none has to.
    Unshown,
    /// No store of the run can have it.
    Untried,
}

impl Case {
    pub(crate) fn of(id: &'static str, provider: &str, store: &str, scenario: &str) -> Self {
        let parts = [id, provider, store, scenario].into_iter().filter(|part| !part.is_empty());
        Self {
            id,
            case: parts.collect::<Vec<_>>().join("/"),
            provider: provider.to_owned(),
            store: store.to_owned(),
            scenario: scenario.to_owned(),
            outcome: Outcome::Held,
            detail: String::new(),
            checks: 0,
            seconds: 0.0,
            skip_name: String::new(),
        }
    }

    pub(crate) fn skipped(id: &'static str, provider: &str, detail: String) -> Self {
        let name = if id == crate::runner::COMPLETENESS { provider } else { id };
        Self::of(id, provider, "", "").skipped_as(name, detail)
    }

    /// The same, skipped under a name.
    pub(crate) fn skipped_as(self, skip_name: &str, detail: String) -> Self {
        Self { outcome: Outcome::Skipped, detail, skip_name: skip_name.to_owned(), ..self }
    }

    /// The same, broken.
    pub(crate) fn broken(self, detail: String) -> Self {
        Self { outcome: Outcome::Broken, detail, ..self }
    }

    pub(crate) fn unreadable(provider: &str, folder: &Path, detail: String) -> Self {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let case = Self::of(crate::runner::COMPLETENESS, provider, "", &name);
        Self { outcome: Outcome::Broken, detail, ..case }
    }

    pub(crate) fn panicked(detail: &str) -> Self {
        let case = Self::of(crate::runner::COMPLETENESS, "", "", "panic");
        Self { outcome: Outcome::Broken, detail: format!("a case panicked: {detail}"), ..case }
    }
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            kit: format!("purchase-conformance {VERSION}"),
            seed: options.seed,
            scenarios: 0,
            deliveries: 0,
            schedules: 0,
            expectations: 0,
            laws: Vec::new(),
            mutants: Vec::new(),
            capabilities: Vec::new(),
            allow_skip: options.allow_skip.clone(),
        }
    }

    /// How many cases came out so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.laws.iter().filter(|case| case.outcome == outcome).count()
    }

    /// Cases that were skipped and may not be.
    pub fn unasked_skips(&self) -> impl Iterator<Item = &Case> {
        self.laws.iter().filter(|case| case.outcome == Outcome::Skipped && !self.allow_skip.contains(&case.skip_name))
    }

    /// 0: everything held. 1: a law is broken or a mutant survived. 2: nothing was run, or something was skipped that
    /// nobody allowed.
    pub fn exit_code(&self) -> u8 {
        let survived = self.mutants.iter().any(|mutant| mutant.fate == Fate::Survived);
        if survived || self.count(Outcome::Broken) > 0 {
            return 1;
        }
        let nothing = self.count(Outcome::Held) == 0 || self.scenarios == 0;
        if nothing || self.unasked_skips().next().is_some() {
            return 2;
        }
        0
    }

    /// The same for `main`.
    pub fn to_exit(&self) -> ExitCode {
        ExitCode::from(self.exit_code())
    }
}
