//! Decides which scenarios and counterparts are judged, and reports what is wrong or missing before anything runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use rand::seq::SliceRandom;

use crate::{
    counterpart::{self, Counterpart, Listed},
    law::COMPLETENESS,
    options::{Options, RunError},
    report::{Case, Report},
    scenario::{self, Scenario},
    schedule::random_of,
    under_test::ProviderUnderTest,
    verdict::chain,
};

/// The scenarios of a run.
#[derive(Default)]
pub(crate) struct Collected {
    /// The scenarios on which every law is judged.
    pub(crate) scenarios: Vec<(ProviderUnderTest, Scenario)>,
    /// The scenarios that were not drawn, in random order. If a law applies to none of the drawn ones, it takes one of
    /// these.
    pub(crate) spare: Vec<(ProviderUnderTest, Scenario)>,
}

/// Reads every selected scenario. A scenario that can't be read is broken; one without an adapter is skipped.
pub(crate) fn collect(
    options: &Options,
    providers: &[ProviderUnderTest],
    report: &mut Report,
) -> Result<Collected, RunError> {
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
            let detail = format!("no adapter {name:?} is compiled in, but it has {} scenarios", folders.len());
            report.laws.push(Case::skipped(COMPLETENESS.id, name, detail));
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
            let detail = "the adapter has no scenario, so it was not judged".to_owned();
            report.laws.push(Case::skipped(COMPLETENESS.id, provider.name, detail));
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
    let spare = options.draw.map(|max| draw(&mut scenarios, max, options.seed)).unwrap_or_default();
    Ok(Collected { scenarios, spare })
}

/// Keeps this number of scenarios per provider, in their order, and returns the others in random order.
fn draw(
    scenarios: &mut Vec<(ProviderUnderTest, Scenario)>,
    max: usize,
    seed: u64,
) -> Vec<(ProviderUnderTest, Scenario)> {
    let mut random = random_of(seed, "draw");
    let providers: BTreeSet<&'static str> = scenarios.iter().map(|(provider, _)| provider.name).collect();
    let mut spare = Vec::new();
    for name in providers {
        let mut own: Vec<String> = scenarios
            .iter()
            .filter(|(provider, _)| provider.name == name)
            .map(|(_, scenario)| scenario.name.clone())
            .collect();
        own.shuffle(&mut random);
        own.truncate(max);
        let left = |(provider, scenario): &mut (ProviderUnderTest, Scenario)| {
            provider.name == name && !own.contains(&scenario.name)
        };
        spare.extend(scenarios.extract_if(.., left));
    }
    spare.shuffle(&mut random);
    spare
}

/// Reads every selected counterpart. A counterpart with an unreadable scenario is broken. One whose adapter is missing
/// or not selected is left out.
pub(crate) fn counterparts(
    options: &Options,
    providers: &[ProviderUnderTest],
    report: &mut Report,
) -> Vec<Counterpart> {
    let mut counterparts = Vec::new();
    for fixtures in &options.fixtures {
        match counterpart::list(fixtures) {
            Ok(listed) => {
                let asked = listed.into_iter().filter(|it| is_asked(options, it));
                counterparts.extend(asked.filter_map(|it| told(options, fixtures, it, providers, report)));
            }
            Err(error) => {
                let case = Case::of(COMPLETENESS.id, "", "", "counterparts");
                report.laws.push(case.broken(chain(&error)));
            }
        }
    }
    counterparts
}

/// Finds it by the name of one of its scenarios.
fn is_asked(options: &Options, listed: &Listed) -> bool {
    options.scenario.as_ref().is_none_or(|wanted| listed.scenarios.iter().any(|(_, folder)| folder.contains(wanted)))
}

fn told(
    options: &Options,
    fixtures: &Path,
    listed: Listed,
    providers: &[ProviderUnderTest],
    report: &mut Report,
) -> Option<Counterpart> {
    let case = || Case::of(COMPLETENESS.id, "", "", &format!("counterpart {}", listed.name));
    let mut sides = Vec::new();
    for (provider, folder) in &listed.scenarios {
        let path = fixtures.join(provider).join(folder);
        if !path.is_dir() {
            report.laws.push(case().broken(format!("there is no scenario {provider}/{folder}")));
            return None;
        }
        let Some(adapter) = providers.iter().find(|adapter| adapter.name == provider) else {
            if options.complete {
                let detail = format!("no adapter {provider:?} is compiled in");
                report.laws.push(case().skipped_as(&listed.name, detail));
            }
            return None;
        };
        if options.provider.as_deref().is_some_and(|asked| asked != provider) {
            if options.complete {
                // If one provider is selected, the others are not.
                report.allow_skip.push(listed.name.clone());
                report.laws.push(case().skipped_as(&listed.name, format!("{provider} was not requested")));
            }
            return None;
        }
        match Scenario::load(&path) {
            Ok(scenario) => sides.push((*adapter, scenario)),
            Err(error) => {
                report.laws.push(case().broken(chain(&error)));
                return None;
            }
        }
    }
    Some(Counterpart { name: listed.name, proves: listed.proves, at: listed.at, sides })
}
