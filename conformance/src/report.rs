//! Decides what a run reports at its end, and which exit code follows.

mod badge;
mod capability;
mod case;
mod digest;
mod form;
mod html;
mod json;
mod junit;
mod markdown;
mod matrix;
mod text;

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    VERSION,
    law::Effort,
    options::{Options, quoted},
    scenario::{Scenario, ScenarioError},
    under_test::{ProviderUnderTest, StoreUnderTest},
};

pub use capability::{Floor, ProviderCapabilities};
pub use case::{Case, MutantCase, MutantOutcome, Outcome};
pub use digest::Digests;
pub use form::{Form, ReportError};

/// The results of a run. The order of the fields is their order in the JSON form.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Name and version of the kit.
    pub kit: String,
    /// The seed of every random choice.
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
    /// The outcome of every mutant.
    pub mutants: Vec<MutantCase>,
    /// The capabilities that each adapter declares, and how much of each was executed.
    pub capabilities: Vec<ProviderCapabilities>,
    /// What was judged for each adapter.
    pub providers: Vec<Judged>,
    /// Digests of the laws and of the scenarios judged.
    pub digests: Digests,
    /// The command that repeats the run.
    pub command: String,
    /// How long the run took.
    #[serde(serialize_with = "json::milliseconds")]
    pub seconds: f64,
    /// The names that may be skipped.
    #[serde(skip)]
    pub allow_skip: Vec<String>,
}

/// What was judged for one adapter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The adapter.
    pub provider: String,
    /// How many scenarios it has.
    pub scenarios: usize,
    /// How many deliveries these scenarios have.
    pub deliveries: usize,
    /// How many expectations these scenarios have.
    pub expectations: usize,
}

/// The verdict of a run in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headline {
    /// A law is broken, or a mutant survived.
    Broken,
    /// Everything held.
    Conformant,
    /// Nothing was run, or a skip was not allowed.
    Incomplete,
}

impl Headline {
    /// The verdict as a sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Headline::Broken => "NOT conformant",
            Headline::Conformant => "all laws hold",
            Headline::Incomplete => "NOTHING proved: something was skipped, or nothing ran",
        }
    }
}

impl Report {
    pub(crate) fn new(options: &Options, stores: &[StoreUnderTest]) -> Self {
        Self {
            kit: format!("purchase-conformance {VERSION}"),
            seed: options.seed,
            command: command(options, stores),
            allow_skip: options.allow_skip.clone(),
            ..Self::default()
        }
    }

    /// Records which scenarios are judged.
    ///
    /// # Errors
    /// When a scenario's files can't be read.
    pub(crate) fn count_scenarios(&mut self, scenarios: &[(ProviderUnderTest, Scenario)]) -> Result<(), ScenarioError> {
        for (provider, scenario) in scenarios {
            if self.providers.last().is_none_or(|last| last.provider != provider.name) {
                self.providers.push(Judged { provider: provider.name.to_owned(), ..Judged::default() });
            }
            if let Some(judged) = self.providers.last_mut() {
                judged.scenarios += 1;
                judged.deliveries += scenario.deliveries.len();
                judged.expectations += scenario.expectations.len();
            }
        }
        self.scenarios = self.providers.iter().map(|judged| judged.scenarios).sum();
        self.deliveries = self.providers.iter().map(|judged| judged.deliveries).sum();
        self.expectations = self.providers.iter().map(|judged| judged.expectations).sum();
        self.digests = Digests::of(scenarios.iter().map(|(_, scenario)| scenario))?;
        Ok(())
    }

    /// How many cases have this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.laws.iter().filter(|case| case.outcome == outcome).count()
    }

    /// Skipped cases that the command line doesn't allow.
    pub fn unasked_skips(&self) -> impl Iterator<Item = &Case> {
        self.laws.iter().filter(|case| case.outcome == Outcome::Skipped && !self.allow_skip.contains(&case.skip_name))
    }

    /// The exit code. 0: everything held. 1: a law is broken or a mutant survived. 2: nothing was run, or a skip was
    /// not allowed.
    pub fn exit_code(&self) -> u8 {
        let survived = self.mutants.iter().any(|mutant| mutant.outcome == MutantOutcome::Survived);
        if survived || self.count(Outcome::Broken) > 0 {
            return 1;
        }
        let nothing = self.count(Outcome::Held) == 0 || self.scenarios == 0;
        if nothing || self.unasked_skips().next().is_some() {
            return 2;
        }
        0
    }

    /// The verdict that corresponds to the exit code.
    pub fn headline(&self) -> Headline {
        match self.exit_code() {
            0 => Headline::Conformant,
            1 => Headline::Broken,
            _ => Headline::Incomplete,
        }
    }

    /// The mutants with one outcome.
    pub fn mutants_of(&self, outcome: MutantOutcome) -> impl Iterator<Item = &MutantCase> {
        self.mutants.iter().filter(move |mutant| mutant.outcome == outcome)
    }

    /// Capabilities that were not executed often enough, each with its adapter.
    pub fn missed_floors(&self) -> impl Iterator<Item = (&str, &Floor)> {
        self.capabilities
            .iter()
            .flat_map(|of| of.floors.iter().filter(|floor| !floor.reached()).map(|floor| (of.provider.as_str(), floor)))
    }

    /// The exit code as `main` returns it.
    pub fn to_exit(&self) -> ExitCode {
        ExitCode::from(self.exit_code())
    }
}

/// The command that repeats the run, with every option that was set.
fn command(options: &Options, stores: &[StoreUnderTest]) -> String {
    let mut words = vec![options.command.clone()];
    let mut say = |flag: &str, value: &str| words.push(format!("{flag} {}", quoted(value)));
    options.provider.iter().for_each(|name| say("--provider", name));
    stores.iter().for_each(|store| say("--store", store.name));
    options.scenario.iter().for_each(|name| say("--scenario", name));
    options.law.iter().for_each(|id| say("--law", id));
    options.schedule.iter().for_each(|schedule| say("--schedule", &schedule.to_string()));
    if options.effort.samples != Effort::FULL.samples {
        say("--samples", &options.effort.samples.to_string());
    }
    options.allow_skip.iter().for_each(|name| say("--allow-skip", name));
    say("--seed", &options.seed.to_string());
    words.join(" ")
}
