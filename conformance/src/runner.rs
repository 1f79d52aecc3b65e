//! Decides what a run covers: which laws on which scenarios, adapters and stores, and what counts as skipped. Cases run
//! concurrently, each on its own store.

use std::{sync::Arc, time::Instant};

use crate::{
    collect::{collect, counterparts},
    floors,
    law::{
        self, LAWS, Trial,
        provider::scheduled::{self, Look, SCHEDULED},
    },
    mutants::Mutation,
    options::{Hunted, Options, RunError},
    plan::{Kind, Planned, execute, plan},
    replay::Reference,
    report::{Case, Report},
    rig::Rig,
    scenario::Scenario,
    schedule::{Schedule, Written},
    under_test::{ProviderUnderTest, StoreUnderTest},
    verdict::{Broken, Held},
    zoo,
};

/// Runs what the options select.
///
/// # Errors
/// [`RunError`] when it is unclear what to run. A broken law is not an error; it is in the report.
pub async fn run(
    options: &Options,
    providers: &[ProviderUnderTest],
    stores: &[StoreUnderTest],
) -> Result<Report, RunError> {
    check_names(options, providers)?;
    let started = Instant::now();
    let mut report = Report::new(options, stores);
    let collected = collect(options, providers, &mut report)?;
    let scenarios = &collected.scenarios;
    report.count_scenarios(scenarios).map_err(RunError::Fixtures)?;
    match &options.schedule {
        Some(written) => report.laws.extend(play_one(options, scenarios, stores, written).await?),
        None => {
            let counterparts = counterparts(options, providers, &mut report);
            let planned = plan(options, &collected, &counterparts, stores, &mut report);
            report.laws.extend(execute(options, planned).await);
            floors::look(options, scenarios, &mut report).await;
        }
    }
    let played = report.laws.iter().filter(|case| case.plays_schedules());
    report.schedules = played.map(|case| case.checks).sum();
    report.mutants = match options.hunted() {
        Hunted::All => zoo::hunt(options, scenarios, stores).await,
        Hunted::OnDisk => zoo::hunt_on_disk(options, stores).await,
        Hunted::None => Vec::new(),
    };
    report.laws.sort_by(|one, other| (one.id, &one.case).cmp(&(other.id, &other.case)));
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

fn check_names(options: &Options, providers: &[ProviderUnderTest]) -> Result<(), RunError> {
    let unknown = |what, name: &str, known: Vec<&str>| {
        Err(RunError::Unknown { what, name: name.to_owned(), known: known.join(", ") })
    };
    if let Some(id) = options.law.as_deref().filter(|id| law::find(id).is_none()) {
        return unknown("law", id, LAWS.iter().map(|law| law.id).collect());
    }
    if let Some(id) = options.law.as_deref().filter(|id| options.schedule.is_some() && Look::of(id).is_none()) {
        return unknown("law that plays schedules", id, SCHEDULED.iter().map(|(id, _)| *id).collect());
    }
    match &options.provider {
        Some(name) if !providers.iter().any(|provider| provider.name == name) => {
            unknown("provider", name, providers.iter().map(|provider| provider.name).collect())
        }
        _ => Ok(()),
    }
}

/// Plays one schedule of the selected scenarios. The selected law judges it; without one, P06 and the expectations do.
async fn play_one(
    options: &Options,
    scenarios: &[(ProviderUnderTest, Scenario)],
    stores: &[StoreUnderTest],
    written: &Written,
) -> Result<Vec<Case>, RunError> {
    let asked = options.law.as_deref().unwrap_or("P06");
    let (Some(law), Some(look)) = (law::find(asked), Look::of(asked)) else { return Ok(Vec::new()) };
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
            let started = Instant::now();
            let played = scheduled::one(&trial, look, &schedule).await;
            let planned = Planned { law, trial: Kind::Provider(Arc::new(trial)) };
            let seconds = started.elapsed().as_secs_f64();
            let verdict = played.map(|()| Held { checks: 1 });
            cases.push(Case { seconds, ..planned.judged(verdict, &options.command) });
        }
    }
    Ok(cases)
}

/// The result of the true order, for inspection.
///
/// # Errors
/// When the scenario can't be played.
pub async fn projection(trial: &Trial) -> Result<serde_json::Value, Broken> {
    let signed = trial.rig.sign(&trial.scenario)?;
    Ok(Reference::of(&trial.rig, &trial.scenario, &signed).await?.projection)
}

/// Lists every case of a run without running it, and everything that is wrong before the run begins.
pub(crate) fn plan_all(
    options: &Options,
    providers: &[ProviderUnderTest],
    stores: &[StoreUnderTest],
) -> Result<(Vec<Planned>, Vec<Case>), RunError> {
    let mut report = Report::new(options, stores);
    let collected = collect(options, providers, &mut report)?;
    let counterparts = counterparts(options, providers, &mut report);
    let planned = plan(options, &collected, &counterparts, stores, &mut report);
    let of_stores = |planned: &Planned| matches!(planned.trial, Kind::Store(_));
    // A test of an adapter doesn't judge the laws that apply to stores alone.
    let planned = planned.into_iter().filter(|it| providers.is_empty() == of_stores(it)).collect();
    Ok((planned, report.laws))
}
