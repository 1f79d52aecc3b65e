//! Decides what a report says about one case and about one mutant.

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
    /// The adapter; empty for laws about stores.
    pub provider: String,
    /// The store; empty if none was used.
    pub store: String,
    /// The scenario; empty for laws about stores.
    pub scenario: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Why the law didn't hold, or why the case was skipped.
    pub detail: String,
    /// The JSON pointer at which two values differ, if two were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The expected value: JSON, cut when it is long; `nothing` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The value found, in the same form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The smallest schedule that fails, for laws that play schedules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The command that shows the failure again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
    /// How many single checks were made.
    #[serde(skip)]
    pub checks: u64,
    /// How long the case took.
    #[serde(skip)]
    pub seconds: f64,
    /// The name that allows skipping the case.
    #[serde(skip)]
    pub skip_name: String,
}

/// The outcome of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The law is broken.
    Broken,
    /// The law held.
    Held,
    /// The case was not tried.
    Skipped,
}

/// The result of trying one mutant.
#[derive(Debug, Clone, Serialize)]
pub struct MutantCase {
    /// Its name.
    pub mutant: &'static str,
    /// The kind of failure.
    pub failure: &'static str,
    /// What users of systems with this defect report; empty if no report is known.
    pub like: &'static str,
    /// The law that had to find it.
    pub law: &'static str,
    /// The defect of the mutant.
    pub sentence: &'static str,
    /// The adapter that the mutant wraps.
    pub provider: String,
    /// Whether the mutant must be found here.
    #[serde(skip)]
    pub must: bool,
    /// The outcome.
    #[serde(rename = "fate")]
    pub outcome: MutantOutcome,
    /// The scenario that exposed the mutant.
    pub scenario: String,
    /// The law's message.
    pub detail: String,
    /// How long the kit needed to find it.
    #[serde(skip)]
    pub seconds: f64,
}

/// The outcome of trying a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MutantOutcome {
    /// Its law found it.
    Killed,
    /// Its law held although the system is broken, so the law proves less than it claims.
    Survived,
    /// No scenario of this provider exposes the mutant, and none is required to.
    Unshown,
    /// No store of the run can have this defect.
    Untried,
}

impl Outcome {
    /// The word in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Broken => "broken",
            Outcome::Held => "held",
            Outcome::Skipped => "skipped",
        }
    }
}

impl MutantOutcome {
    /// The word in reports.
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

    /// The same case, skipped under a name.
    pub(crate) fn skipped_as(self, skip_name: &str, detail: String) -> Self {
        Self { outcome: Outcome::Skipped, detail, skip_name: skip_name.to_owned(), ..self }
    }

    /// The same case, broken.
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

    /// Whether the case's law plays schedules.
    pub fn plays_schedules(&self) -> bool {
        Look::of(self.id).is_some()
    }
}
