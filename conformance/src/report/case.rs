//! Decides what a report says of one case and of one mutant.

use std::path::Path;

use serde::Serialize;

use crate::law::{COMPLETENESS, provider::scheduled::Look};

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
    /// The JSON pointer at which two values differ, where two were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What should be there: JSON, cut when it is long; `nothing` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The smallest schedule that fails, where schedules are played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The command that shows it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    #[serde(rename = "fate")]
    pub outcome: MutantOutcome,
    /// The scenario that showed it.
    pub scenario: String,
    /// What the law said.
    pub detail: String,
    /// How long it took to find it.
    #[serde(skip)]
    pub seconds: f64,
}

/// Whether a mutant was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MutantOutcome {
    /// Its law found it.
    Killed,
    /// Its law held: the kit proves less than it says.
    Survived,
    /// No scenario of this provider shows it, and none has to.
    Unshown,
    /// No store of the run can have it.
    Untried,
}

impl Outcome {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Broken => "broken",
            Outcome::Held => "held",
            Outcome::Skipped => "skipped",
        }
    }
}

impl MutantOutcome {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            MutantOutcome::Killed => "killed",
            MutantOutcome::Survived => "survived",
            MutantOutcome::Unshown => "unshown",
            MutantOutcome::Untried => "untried",
        }
    }
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
            path: None,
            expected: None,
            found: None,
            schedule: None,
            again: None,
            checks: 0,
            seconds: 0.0,
            skip_name: String::new(),
        }
    }

    pub(crate) fn skipped(id: &'static str, provider: &str, detail: String) -> Self {
        let name = if id == COMPLETENESS.id { provider } else { id };
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
        let case = Self::of(COMPLETENESS.id, provider, "", &name);
        Self { outcome: Outcome::Broken, detail, ..case }
    }

    pub(crate) fn panicked(detail: &str) -> Self {
        let case = Self::of(COMPLETENESS.id, "", "", "panic");
        Self { outcome: Outcome::Broken, detail: format!("a case panicked: {detail}"), ..case }
    }

    /// Whether its checks are schedules.
    pub fn plays_schedules(&self) -> bool {
        Look::of(self.id).is_some()
    }
}
