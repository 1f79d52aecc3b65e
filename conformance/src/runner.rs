//! Decides what is run: which laws on which scenarios, adapters and stores, and what counts as skipped. Cases run side
//! by side; each has a store of its own.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use futures_util::{StreamExt, stream};

use crate::{
    law::{self, Check, Effort, LAWS, Law, StoreTrial, Trial, provider::order},
    mutants::Mutation,
    replay::Reference,
    report::{Case, Outcome, Report},
    rig::Rig,
    scenario::{self, Scenario, ScenarioError},
    schedule::{Schedule, Written},
    under_test::{ProviderUnderTest, StoreUnderTest},
    verdict::{Broken, Held, Verdict, chain},
    zoo,
};

/// The id under which scenarios are reported that can't be read, and adapters that have none.
pub const COMPLETENESS: &str = "P00";

/// The laws whose checks are schedules.
const SCHEDULED: [&str; 6] = ["P05", "P06", "P07", "P08", "P09", "P16"];

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
    /// Told after each case: how many are done, of how many.
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
            law: None,
            schedule: None,
            effort: Effort::FULL,
            seed: 1,
            allow_skip: Vec::new(),
            command: "cargo xtask conformance".to_owned(),
            side_by_side: std::thread::available_parallelism().map_or(2, usize::from),
            progress: None,
        }
    }

    fn narrowed(&self) -> bool {
        self.scenario.is_some() || self.law.is_some() || self.schedule.is_some()
    }
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

/// One law on one scenario, adapter and store.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) law: &'static Law,
    pub(crate) trial: Kind,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Provider(Arc<Trial>),
    Store(Arc<StoreTrial>),
}

/// Runs what the options say.
///
/// # Errors
/// [`RunError`] when it is not clear what to run. A law that is broken is no error, it is in the report.
pub async fn run(
    options: &Options,
    providers: &[ProviderUnderTest],
    stores: &[StoreUnderTest],
) -> Result<Report, RunError> {
    check_names(options, providers)?;
    let mut report = Report::new(options);
    let scenarios = collect(options, providers, &mut report)?;
    report.scenarios = scenarios.len();
    report.deliveries = scenarios.iter().map(|(_, scenario)| scenario.deliveries.len()).sum();
    report.expectations = scenarios.iter().map(|(_, scenario)| scenario.expectations.len()).sum();
    if let Some(written) = &options.schedule {
        report.laws.extend(play_one(options, &scenarios, stores, written).await?);
        return Ok(report);
    }
    let planned = plan(options, &scenarios, stores, &mut report);
    report.laws.extend(execute(options, planned).await);
    let played = report.laws.iter().filter(|case| SCHEDULED.contains(&case.id));
    report.schedules = played.map(|case| case.checks).sum();
    if !options.narrowed() {
        report.mutants = zoo::hunt(options, &scenarios, stores).await;
    }
    report.laws.sort_by(|one, other| (one.id, &one.case).cmp(&(other.id, &other.case)));
    Ok(report)
}

fn check_names(options: &Options, providers: &[ProviderUnderTest]) -> Result<(), RunError> {
    let unknown = |what, name: &str, known: Vec<&str>| {
        Err(RunError::Unknown { what, name: name.to_owned(), known: known.join(", ") })
    };
    if let Some(id) = options.law.as_deref().filter(|id| law::find(id).is_none()) {
        return unknown("law", id, LAWS.iter().map(|law| law.id).collect());
    }
    match &options.provider {
        Some(name) if !providers.iter().any(|provider| provider.name == name) => {
            unknown("provider", name, providers.iter().map(|provider| provider.name).collect())
        }
        _ => Ok(()),
    }
}

/// Reads every scenario that is asked for. What can't be read is broken; what has no adapter is skipped.
fn collect(
    options: &Options,
    providers: &[ProviderUnderTest],
    report: &mut Report,
) -> Result<Vec<(ProviderUnderTest, Scenario)>, RunError> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for fixtures in &options.fixtures {
        for (provider, folder) in scenario::find(fixtures).map_err(RunError::Fixtures)? {
            found.entry(provider).or_default().push(folder);
        }
    }
    let asked = |name: &str| options.provider.as_deref().is_none_or(|asked| asked == name);
    let mut scenarios = Vec::new();
    for (name, folders) in found.iter().filter(|(name, _)| asked(name)) {
        let Some(provider) = providers.iter().find(|provider| provider.name == name) else {
            let detail = format!("no adapter {name:?} is compiled in; it has {} scenarios", folders.len());
            report.laws.push(Case::skipped(COMPLETENESS, name, detail));
            continue;
        };
        for folder in folders {
            match Scenario::load(folder) {
                Ok(scenario) => scenarios.push((*provider, scenario)),
                Err(error) => report.laws.push(Case::unreadable(name, folder, chain(&error))),
            }
        }
    }
    for provider in providers.iter().filter(|provider| asked(provider.name)) {
        let must = options.complete || options.provider.is_some();
        if must && !found.contains_key(provider.name) {
            let detail = "the adapter has no scenario, so nothing of it was judged".to_owned();
            report.laws.push(Case::skipped(COMPLETENESS, provider.name, detail));
        }
    }
    if let Some(wanted) = &options.scenario {
        let exact = scenarios.iter().any(|(_, scenario)| scenario.name == *wanted);
        let known = || scenarios.iter().map(|(_, scenario)| scenario.name.as_str()).collect::<Vec<_>>().join(", ");
        if !scenarios.iter().any(|(_, scenario)| scenario.name.contains(wanted)) {
            return Err(RunError::Unknown { what: "scenario", name: wanted.clone(), known: known() });
        }
        scenarios.retain(|(_, scenario)| if exact { scenario.name == *wanted } else { scenario.name.contains(wanted) });
        report.laws.clear();
    }
    Ok(scenarios)
}

/// The cases, the longest first.
fn plan(
    options: &Options,
    scenarios: &[(ProviderUnderTest, Scenario)],
    stores: &[StoreUnderTest],
    report: &mut Report,
) -> Vec<Planned> {
    let mut planned: Vec<(usize, Planned)> = Vec::new();
    for law in LAWS.iter().filter(|law| options.law.as_deref().is_none_or(|id| id.eq_ignore_ascii_case(law.id))) {
        for store in stores {
            if let Some(trial) = store_trial(options, law, store) {
                planned.push((0, Planned { law, trial: Kind::Store(Arc::new(trial)) }));
                continue;
            }
            for (provider, scenario) in scenarios {
                let rig = Rig { provider: *provider, store: store.clone(), mutation: Mutation::None };
                let trial = Trial { rig, scenario: scenario.clone(), effort: options.effort, seed: options.seed };
                let applies = match law.check {
                    Check::Provider(_) => true,
                    Check::Some(applies, _) => applies(&trial),
                    Check::Durable(_) | Check::Sql(_) | Check::Store(_) => false,
                };
                if applies {
                    planned.push((cost(law, scenario), Planned { law, trial: Kind::Provider(Arc::new(trial)) }));
                }
            }
        }
        if matches!(law.check, Check::Some(..)) && options.complete && options.scenario.is_none() {
            let judged = |name: &str| planned.iter().any(|(_, it)| it.law.id == law.id && it.provider() == name);
            let mut names: Vec<&str> = scenarios.iter().map(|(provider, _)| provider.name).collect();
            names.dedup();
            for name in names.into_iter().filter(|name| !judged(name)) {
                let detail = format!("no scenario of {name} lends itself to this law");
                report.laws.push(Case::skipped(law.id, name, detail));
            }
        }
    }
    planned.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
    planned.into_iter().map(|(_, planned)| planned).collect()
}

fn store_trial(options: &Options, law: &Law, store: &StoreUnderTest) -> Option<StoreTrial> {
    let applies = match law.check {
        Check::Store(_) => true,
        Check::Durable(_) => store.durable.is_some(),
        Check::Sql(_) => store.sql.is_some(),
        Check::Provider(_) | Check::Some(..) => false,
    };
    let trial =
        || StoreTrial { store: store.clone(), mutation: Mutation::None, effort: options.effort, seed: options.seed };
    applies.then(trial)
}

/// Roughly how many deliveries a case sends.
fn cost(law: &Law, scenario: &Scenario) -> usize {
    let deliveries = scenario.deliveries.len();
    match law.id {
        "P06" if deliveries <= Scenario::EXHAUSTIVE => (1..=deliveries).product::<usize>() * deliveries,
        "P06" => 200 * deliveries,
        "P09" => 100 * deliveries,
        _ => 10 * deliveries,
    }
}

async fn execute(options: &Options, planned: Vec<Planned>) -> Vec<Case> {
    let total = planned.len();
    let done = AtomicUsize::new(0);
    let judged = stream::iter(planned).map(|planned| {
        let command = options.command.clone();
        tokio::spawn(async move { planned.judge(&command).await })
    });
    let done = &done;
    judged
        .buffer_unordered(options.side_by_side.max(1))
        .map(|case| {
            if let Some(progress) = options.progress {
                progress(done.fetch_add(1, Ordering::SeqCst) + 1, total);
            }
            case.unwrap_or_else(|error| Case::panicked(&error.to_string()))
        })
        .collect()
        .await
}

impl Planned {
    fn provider(&self) -> &str {
        match &self.trial {
            Kind::Provider(trial) => trial.rig.provider.name,
            Kind::Store(_) => "",
        }
    }

    /// Runs it.
    pub(crate) async fn check(&self) -> Verdict {
        let held = match (&self.law.check, &self.trial) {
            (Check::Provider(check) | Check::Some(_, check), Kind::Provider(trial)) => check(trial).await?,
            (Check::Store(check) | Check::Durable(check) | Check::Sql(check), Kind::Store(trial)) => {
                check(trial).await?
            }
            _ => Held::default(),
        };
        match held.checks {
            0 => Err(Broken::new("nothing was checked: the adapter's samples edit none of the bodies")),
            _ => Ok(held),
        }
    }

    /// An empty report of it.
    pub(crate) fn case(&self) -> Case {
        match &self.trial {
            Kind::Provider(trial) => {
                Case::of(self.law.id, trial.rig.provider.name, trial.rig.store.name, &trial.scenario.name)
            }
            Kind::Store(trial) => Case::of(self.law.id, "", trial.store.name, ""),
        }
    }

    async fn judge(self, command: &str) -> Case {
        let started = Instant::now();
        let verdict = self.check().await;
        let mut case = self.case();
        case.seconds = started.elapsed().as_secs_f64();
        match verdict {
            Ok(held) => case.checks = held.checks,
            Err(broken) => {
                case.outcome = Outcome::Broken;
                case.detail = self.told(broken, command);
            }
        }
        case
    }

    /// What a person needs to see it again.
    pub(crate) fn told(&self, broken: Broken, command: &str) -> String {
        let mut detail = broken.what;
        match &self.trial {
            Kind::Provider(trial) => {
                let (name, store) = (trial.rig.provider.name, trial.rig.store.name);
                let mut again =
                    format!("{command} --provider {name} --store {store} --scenario {}", trial.scenario.name);
                match broken.schedule {
                    Some(schedule) => {
                        let numbers: Vec<u32> = trial.scenario.deliveries.iter().map(|it| it.number).collect();
                        let written = schedule.written(&numbers);
                        detail.push_str(&format!("\nschedule: {written}"));
                        let plays = matches!(self.law.id, "P05" | "P06" | "P07" | "P14");
                        match plays {
                            true => again.push_str(&format!(" --schedule {written}")),
                            false => again.push_str(&format!(" --law {} --seed {}", self.law.id, trial.seed)),
                        }
                    }
                    None => again.push_str(&format!(" --law {} --seed {}", self.law.id, trial.seed)),
                }
                detail.push_str(&format!("\nagain: {again}"));
            }
            Kind::Store(trial) => {
                let (id, seed, store) = (self.law.id, trial.seed, trial.store.name);
                detail.push_str(&format!("\nagain: {command} --store {store} --law {id} --seed {seed}"));
            }
        }
        detail
    }
}

/// Plays one schedule of one scenario: the order law and the expectations.
async fn play_one(
    options: &Options,
    scenarios: &[(ProviderUnderTest, Scenario)],
    stores: &[StoreUnderTest],
    written: &Written,
) -> Result<Vec<Case>, RunError> {
    let mut cases = Vec::new();
    for (provider, scenario) in scenarios {
        let index = |number: &u32| {
            scenario.index_of(*number).ok_or_else(|| RunError::Unknown {
                what: "delivery",
                name: number.to_string(),
                known: scenario.deliveries.iter().map(|it| it.number.to_string()).collect::<Vec<_>>().join(", "),
            })
        };
        let batches: Result<Vec<Vec<usize>>, RunError> =
            written.0.iter().map(|batch| batch.iter().map(index).collect()).collect();
        let schedule = Schedule::of_batches(batches?);
        for store in stores {
            let rig = Rig { provider: *provider, store: store.clone(), mutation: Mutation::None };
            let trial = Trial { rig, scenario: scenario.clone(), effort: options.effort, seed: options.seed };
            let mut case = Case::of("P06", provider.name, store.name, &scenario.name);
            case.checks = 1;
            if let Err(broken) = order::one_schedule(&trial, &schedule).await {
                case.outcome = Outcome::Broken;
                case.detail = broken.what;
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

/// What the true order leads to, for whoever wants to look at it.
///
/// # Errors
/// When it can't be played.
pub async fn projection(trial: &Trial) -> Result<serde_json::Value, Broken> {
    let signed = trial.rig.sign(&trial.scenario)?;
    Ok(Reference::of(&trial.rig, &trial.scenario, &signed).await?.projection)
}

/// Every case of a run without running it, and what is wrong before it begins.
pub(crate) fn plan_all(
    options: &Options,
    providers: &[ProviderUnderTest],
    stores: &[StoreUnderTest],
) -> Result<(Vec<Planned>, Vec<Case>), RunError> {
    let mut report = Report::new(options);
    let scenarios = collect(options, providers, &mut report)?;
    let planned = plan(options, &scenarios, stores, &mut report);
    let of_stores = |planned: &Planned| matches!(planned.trial, Kind::Store(_));
    // A test of an adapter leaves the stores' own laws to the stores.
    let planned = planned.into_iter().filter(|it| providers.is_empty() == of_stores(it)).collect();
    Ok((planned, report.laws))
}
