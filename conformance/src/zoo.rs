//! Decides whether the kit can reject mutants. It tries each mutant until the law that the mutant names finds it:
//! always on the kit's own scenarios, and also on an adapter's if all of its fixtures are judged.

use std::{sync::Arc, time::Instant};

use futures_util::{FutureExt, StreamExt, stream};

use crate::{
    acme::{self, ACME},
    counterpart,
    law::{self, Check, Effort, StoreTrial, Trial, counterpart::CounterpartTrial},
    mutants::{Ground, MUTANTS, Mutant, Mutation},
    options::Options,
    plain::{self, PLAIN},
    plan::{Kind, Planned},
    report::{MutantCase, MutantOutcome},
    rig::Rig,
    scenario::Scenario,
    under_test::{ProviderUnderTest, StoreUnderTest},
    verdict::Verdict,
};

/// The longest scenario on which mutants are tried, in deliveries.
const DELIVERIES: usize = 6;

/// Tries every mutant.
pub(crate) async fn hunt(
    options: &Options,
    scenarios: &[(ProviderUnderTest, Scenario)],
    stores: &[StoreUnderTest],
) -> Vec<MutantCase> {
    let mut grounds = vec![(ACME, acme::scenarios::all()), (PLAIN, plain::scenarios::all())];
    if options.complete {
        let mut names: Vec<ProviderUnderTest> = scenarios.iter().map(|(provider, _)| *provider).collect();
        names.dedup_by_key(|provider| provider.name);
        for provider in names.into_iter().filter(|provider| !is_own(*provider)) {
            let own = scenarios
                .iter()
                .filter(|(it, scenario)| it.name == provider.name && scenario.deliveries.len() <= DELIVERIES);
            let mut own: Vec<Scenario> = own.map(|(_, scenario)| scenario.clone()).collect();
            own.sort_by_key(|scenario| scenario.deliveries.len());
            grounds.push((provider, own));
        }
    }
    let hunts = grounds.into_iter().flat_map(|(provider, scenarios)| {
        let scenarios = Arc::new(scenarios);
        MUTANTS.iter().filter_map(move |mutant| plan(options, mutant, provider, &scenarios, stores))
    });
    let fates = stream::iter(hunts).map(|(case, attempts)| {
        let panicked =
            MutantCase { outcome: MutantOutcome::Survived, detail: "the check panicked".to_owned(), ..case.clone() };
        tokio::spawn(pursue(case, attempts)).map(|outcome| outcome.unwrap_or(panicked))
    });
    fates.buffered(options.side_by_side.max(1)).collect().await
}

/// Tries the mutants that only embedded stores can have, on embedded stores.
pub(crate) async fn hunt_on_disk(options: &Options, stores: &[StoreUnderTest]) -> Vec<MutantCase> {
    let on_disk = |store: &&StoreUnderTest| store.server.is_none() && store.durable.is_some();
    let stores: Vec<StoreUnderTest> = stores.iter().filter(on_disk).cloned().collect();
    let law_of = |mutant: &&Mutant| law::find(mutant.law).map(|law| law.check);
    let of_disks = MUTANTS.iter().filter(|mutant| matches!(law_of(mutant), Some(Check::Durable(_) | Check::Sql(_))));
    let mut fates = Vec::new();
    if !stores.is_empty() {
        for (case, attempts) in of_disks.filter_map(|mutant| plan(options, mutant, ACME, &[], &stores)) {
            fates.push(pursue(case, attempts).await);
        }
    }
    fates
}

/// The cases that may find one mutant; none if another ground already tries the same.
fn plan(
    options: &Options,
    mutant: &'static Mutant,
    provider: ProviderUnderTest,
    scenarios: &[Scenario],
    stores: &[StoreUnderTest],
) -> Option<(MutantCase, Vec<Planned>)> {
    let law = law::find(mutant.law)?;
    if (provider.name == PLAIN.name) != (mutant.ground == Ground::Undeclared) {
        return None;
    }
    let trial_of = |store: &StoreUnderTest| {
        let (store, mutation) = (store.clone(), mutant.mutation);
        let trial = StoreTrial { store, mutation, effort: Effort::QUICK, seed: options.seed };
        Planned { law, trial: Kind::Store(Arc::new(trial)) }
    };
    let counterpart_trials = |store: &StoreUnderTest| {
        let trial = |counterpart| CounterpartTrial {
            counterpart,
            store: store.clone(),
            mutation: mutant.mutation,
            effort: Effort::QUICK,
            seed: options.seed,
        };
        counterpart::own()
            .into_iter()
            .map(|counterpart| Planned { law, trial: Kind::Counterpart(Arc::new(trial(counterpart))) })
            .collect()
    };
    let attempts: Vec<Planned> = match law.check {
        Check::Declared(..) | Check::Provider(_) | Check::Some(..) => {
            let store = stores.first()?;
            let rig = Rig { provider, store: store.clone(), mutation: mutant.mutation };
            let trials = scenarios.iter().map(|scenario| {
                let scenario = scenario.clone();
                Trial { rig: rig.clone(), scenario, effort: Effort::QUICK, seed: options.seed }
            });
            trials
                .filter(|trial| law.applies(trial))
                .map(|trial| Planned { law, trial: Kind::Provider(Arc::new(trial)) })
                .collect()
        }
        // Store mutants are tried once, regardless of the number of adapters.
        _ if provider.name != ACME.name => return None,
        Check::Counterpart(_) => stores.first().map(counterpart_trials).unwrap_or_default(),
        Check::Store(_) => stores.first().map(trial_of).into_iter().collect(),
        Check::Sql(_) => stores.iter().filter(|store| store.sql.is_some()).map(trial_of).collect(),
        Check::Durable(_) => stores.iter().filter(|store| store.durable.is_some()).map(trial_of).collect(),
    };
    let case = MutantCase {
        mutant: mutant.name,
        failure: mutant.failure,
        like: mutant.like,
        law: mutant.law,
        sentence: mutant.sentence,
        provider: provider.name.to_owned(),
        must: is_own(provider) || mutant.ground == Ground::Anywhere,
        outcome: MutantOutcome::Untried,
        scenario: String::new(),
        detail: "no store of this run can have this defect".to_owned(),
        seconds: 0.0,
    };
    Some((case, attempts))
}

fn is_own(provider: ProviderUnderTest) -> bool {
    [ACME.name, PLAIN.name].contains(&provider.name)
}

/// Tries one mutant until it is found. If the correct system breaks the law too, the failure proves nothing. The run
/// itself judges correct adapters; this function judges the kit's own providers.
async fn pursue(mut case: MutantCase, attempts: Vec<Planned>) -> MutantCase {
    let started = Instant::now();
    for attempt in attempts {
        case.outcome = if case.must { MutantOutcome::Survived } else { MutantOutcome::Unshown };
        case.detail = format!("{} didn't find it", case.law);
        if let Err(broken) = attempt.check().await {
            case.outcome = MutantOutcome::Killed;
            case.scenario = attempt.case().scenario;
            case.detail = broken.what;
            if let Some(Err(broken)) = control(&attempt).await {
                case.outcome = MutantOutcome::Survived;
                case.detail = format!("the correct system breaks {} too: {}", case.law, broken.what);
            }
            break;
        }
    }
    MutantCase { seconds: started.elapsed().as_secs_f64(), ..case }
}

/// The same case for the correct system, if it is one of the kit's own.
async fn control(attempt: &Planned) -> Option<Verdict> {
    let trial = match &attempt.trial {
        Kind::Provider(trial) if is_own(trial.rig.provider) => {
            let rig = Rig { mutation: Mutation::None, ..trial.rig.clone() };
            Kind::Provider(Arc::new(Trial { rig, ..trial.as_ref().clone() }))
        }
        Kind::Provider(_) => return None,
        Kind::Store(trial) => Kind::Store(Arc::new(StoreTrial { mutation: Mutation::None, ..trial.as_ref().clone() })),
        Kind::Counterpart(trial) => {
            Kind::Counterpart(Arc::new(CounterpartTrial { mutation: Mutation::None, ..trial.as_ref().clone() }))
        }
    };
    let control = Planned { law: attempt.law, trial };
    Some(control.check().await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mutant_has_a_law_and_each_failure_a_mutant() {
        for mutant in MUTANTS {
            assert!(law::find(mutant.law).is_some(), "{}", mutant.name);
        }
        for failure in ["F1", "F2", "F3", "F4", "F5", "F6", "F7"] {
            assert!(MUTANTS.iter().any(|mutant| mutant.failure == failure), "{failure}");
        }
    }

    #[test]
    fn every_law_of_stores_is_a_promise_with_its_mutants() {
        let chapter = include_str!("../docs/write-a-store.md");
        let laws = law::LAWS.iter().map(|law| law.id).filter(|id| id.starts_with('S'));
        for law in laws {
            let row = chapter.lines().find(|line| line.contains(&format!("| {law} |"))).unwrap_or_default();
            let mut named: Vec<&str> = row.rsplit('|').nth(1).unwrap_or_default().split(',').map(str::trim).collect();
            let of_law = MUTANTS.iter().filter(|mutant| mutant.law == law);
            let mut expected: Vec<String> = of_law.map(|mutant| format!("`{}`", mutant.name)).collect();
            named.sort_unstable();
            expected.sort_unstable();
            assert_eq!(named, expected, "{law}");
            assert!(!expected.is_empty(), "{law} has no mutant");
        }
    }
}
