//! Decides how much of an adapter must be executed at least, in one table, so that an adapter can't pass by doing
//! nothing. A floor that is not reached is a skip, and the command line must allow the skip by name.

use std::collections::{BTreeMap, BTreeSet};

use purchase_core::{
    capability::{Capabilities, Capability},
    fact::{Version, object_state::ObjectState},
    id::ObjectRef,
};
use serde_json::Value;

use crate::{
    law::{
        COMPLETENESS,
        provider::keeping::{facts_of, reading_by},
    },
    mutants::Mutation,
    options::Options,
    replay::send,
    report::{Case, Floor, Outcome, ProviderCapabilities, Report},
    rig::Rig,
    scenario::Scenario,
    under_test::{ProviderUnderTest, memory},
    verdict::Broken,
};

/// The capabilities that the report lists as declared or undeclared.
const CAPABILITIES: [Capability; 4] =
    [Capability::EventIds, Capability::ModeInEvent, Capability::PriorStates, Capability::SignedTime];

/// A minimum for each adapter, or for those that declare a capability.
struct Minimum {
    of: &'static str,
    needs: Option<Capability>,
    required: u64,
    executed: fn(&Survey) -> u64,
}

/// The minimums of a complete run.
const MINIMA: &[Minimum] = &[
    Minimum { of: "scenarios", needs: None, required: 10, executed: |survey| survey.scenarios },
    Minimum { of: "scenarios_longer_than_exhaustive", needs: None, required: 1, executed: |survey| survey.longer },
    Minimum { of: "late_owners", needs: None, required: 1, executed: |survey| survey.late_owners },
    Minimum { of: "refunds", needs: None, required: 1, executed: |survey| survey.refunds },
    Minimum { of: "ended_subscriptions", needs: None, required: 1, executed: |survey| survey.ended },
    Minimum {
        of: "event_ids",
        needs: Some(Capability::EventIds),
        required: 3,
        executed: |survey| survey.cases_of("P13"),
    },
    Minimum { of: "mode_in_event", needs: Some(Capability::ModeInEvent), required: 3, executed: |survey| survey.modes },
    Minimum { of: "prior_states", needs: Some(Capability::PriorStates), required: 3, executed: |survey| survey.priors },
    Minimum {
        of: "ties_in_one_instant",
        needs: Some(Capability::PriorStates),
        required: 1,
        executed: |survey| survey.ties,
    },
    Minimum {
        of: "signed_time",
        needs: Some(Capability::SignedTime),
        required: 3,
        executed: |survey| survey.cases_of("P03"),
    },
];

/// What the scenarios of one adapter contain.
#[derive(Default)]
struct Survey {
    declared: Capabilities,
    /// How many cases of each law were judged.
    cases: BTreeMap<&'static str, u64>,
    scenarios: u64,
    /// Scenarios too long to execute every order.
    longer: u64,
    /// Objects that waited for their owner in the true order, and have one at its end.
    late_owners: u64,
    refunds: u64,
    /// Subscriptions that are over at the end.
    ended: u64,
    /// Bodies that can be edited to the other mode.
    modes: u64,
    /// Facts with a prior state.
    priors: u64,
    /// Scenarios with two states of one object in one instant.
    ties: u64,
}

impl Survey {
    fn cases_of(&self, law: &str) -> u64 {
        self.cases.get(law).copied().unwrap_or_default()
    }
}

/// Reports what each adapter declares, and the minimums of a complete run that are not reached.
pub(crate) async fn look(options: &Options, scenarios: &[(ProviderUnderTest, Scenario)], report: &mut Report) {
    let mut names: Vec<ProviderUnderTest> = scenarios.iter().map(|(provider, _)| *provider).collect();
    names.dedup_by_key(|provider| provider.name);
    for provider in names {
        let own: Vec<&Scenario> =
            scenarios.iter().filter(|(it, _)| it.name == provider.name).map(|(_, scenario)| scenario).collect();
        let counted = options.complete && !options.narrowed();
        match survey(provider, &own, report, counted).await {
            Ok(survey) => report_one(provider.name, &survey, counted, report),
            Err(broken) => {
                let case = Case::of(COMPLETENESS.id, provider.name, "", "floors");
                report.laws.push(case.broken(broken.what));
            }
        }
    }
}

fn report_one(name: &str, survey: &Survey, counted: bool, report: &mut Report) {
    let is_declared = |capability: &Capability| survey.declared.contains(capability);
    let (declared, undeclared): (Vec<Capability>, Vec<Capability>) = CAPABILITIES.into_iter().partition(is_declared);
    let mut floors = Vec::new();
    for minimum in MINIMA.iter().filter(|it| counted && it.needs.is_none_or(|needed| is_declared(&needed))) {
        let executed = (minimum.executed)(survey);
        if executed < minimum.required {
            let case = Case::of(COMPLETENESS.id, name, "", &format!("floor {}", minimum.of));
            let detail = format!("{} of {name}: {executed} executed, {} required", minimum.of, minimum.required);
            report.laws.push(case.skipped_as(&format!("{name}:{}", minimum.of), detail));
        }
        floors.push(Floor { capability: minimum.of.to_owned(), required: minimum.required, executed });
    }
    let named = |capabilities: Vec<Capability>| capabilities.into_iter().map(name_of).collect();
    let (declared, undeclared) = (named(declared), named(undeclared));
    report.capabilities.push(ProviderCapabilities { provider: name.to_owned(), declared, undeclared, floors });
}

fn name_of(capability: Capability) -> String {
    match serde_json::to_value(capability) {
        Ok(Value::String(name)) => name,
        _ => format!("{capability:?}"),
    }
}

async fn survey(
    provider: ProviderUnderTest,
    scenarios: &[&Scenario],
    report: &Report,
    counted: bool,
) -> Result<Survey, Broken> {
    let rig = Rig { provider, store: memory(), mutation: Mutation::None };
    let mut survey = Survey { scenarios: scenarios.len() as u64, ..Survey::default() };
    if let Some(first) = scenarios.first() {
        survey.declared = rig.declared(first)?;
    }
    let judged = |case: &&Case| case.provider == provider.name && case.outcome != Outcome::Skipped;
    for case in report.laws.iter().filter(judged) {
        *survey.cases.entry(case.id).or_default() += 1;
    }
    for scenario in scenarios.iter().filter(|_| counted) {
        read(&rig, scenario, &mut survey)?;
        play(&rig, scenario, &mut survey).await?;
    }
    Ok(survey)
}

/// Collects what is visible without a store.
fn read(rig: &Rig, scenario: &Scenario, survey: &mut Survey) -> Result<(), Broken> {
    let adapter = rig.adapter(&[&scenario.secret], None)?;
    let mut seen: BTreeMap<(ObjectRef, Version), Vec<ObjectState>> = BTreeMap::new();
    for (recorded, delivery) in scenario.deliveries.iter().zip(rig.sign(scenario)?) {
        survey.modes += u64::from((rig.provider.samples.other_mode)(&recorded.body).is_some());
        let Ok(event) = reading_by(adapter.as_ref(), &delivery)? else { continue };
        for fact in facts_of(&event) {
            let Some(observation) = &fact.observation else { continue };
            survey.priors += u64::from(observation.prior.is_some());
            let object_states = seen.entry((observation.object.clone(), fact.version)).or_default();
            if !object_states.contains(&observation.object_state) {
                object_states.push(observation.object_state.clone());
            }
        }
    }
    survey.longer += u64::from(scenario.deliveries.len() > Scenario::EXHAUSTIVE);
    survey.ties += u64::from(seen.values().any(|object_states| object_states.len() > 1));
    Ok(())
}

/// Collects the results of the true order, step by step.
async fn play(rig: &Rig, scenario: &Scenario, survey: &mut Survey) -> Result<(), Broken> {
    let bench = rig.bench(scenario).await?;
    let mut waited: BTreeSet<String> = BTreeSet::new();
    for (index, delivery) in rig.sign(scenario)?.into_iter().enumerate() {
        send(bench.receiver.as_ref(), vec![(index, delivery)]).await?;
        waited.extend(keys(&bench.projection().await?, "/parked"));
    }
    let end = bench.projection().await?;
    let parked = keys(&end, "/parked");
    survey.late_owners += waited.iter().filter(|object| !parked.contains(*object)).count() as u64;
    survey.refunds += keys(&end, "/refunds").len() as u64;
    let subscriptions = end.pointer("/subscriptions").and_then(Value::as_object);
    let over = |it: &&Value| matches!(it["state"].as_str(), Some("canceled" | "expired"));
    survey.ended += subscriptions.map_or(0, |map| map.values().filter(over).count() as u64);
    Ok(())
}

fn keys(projection: &Value, pointer: &str) -> BTreeSet<String> {
    projection.pointer(pointer).and_then(Value::as_object).map(|map| map.keys().cloned().collect()).unwrap_or_default()
}
