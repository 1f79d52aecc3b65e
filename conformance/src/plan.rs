//! Decides which cases exist, in which order they run, and what a broken case reports.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use futures_util::{StreamExt, stream};

use crate::{
    collect::Collected,
    counterpart::Counterpart,
    law::{Check, LAWS, Law, StoreTrial, Trial, counterpart::CounterpartTrial, provider::scheduled::Look},
    mutants::Mutation,
    options::{Options, quoted},
    report::{Case, Report},
    rig::Rig,
    scenario::Scenario,
    under_test::{ProviderUnderTest, StoreUnderTest},
    verdict::{Broken, Held, Verdict},
};

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
    Counterpart(Arc<CounterpartTrial>),
}

/// The cases, the longest first.
pub(crate) fn plan(
    options: &Options,
    Collected { scenarios, spare }: &Collected,
    counterparts: &[Counterpart],
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
            if let Check::Counterpart(_) = law.check {
                planned.extend(
                    counterparts
                        .iter()
                        .map(|counterpart| (0, Planned { law, trial: counterpart_trial(options, counterpart, store) })),
                );
                continue;
            }
            let mut judged = BTreeSet::new();
            for (at, (provider, scenario)) in scenarios.iter().chain(spare).enumerate() {
                if at >= scenarios.len() && judged.contains(provider.name) {
                    continue;
                }
                let rig = Rig { provider: *provider, store: store.clone(), mutation: Mutation::None };
                let trial = Trial { rig, scenario: scenario.clone(), effort: options.effort, seed: options.seed };
                if law.applies(&trial) {
                    judged.insert(provider.name);
                    planned.push((cost(law, scenario), Planned { law, trial: Kind::Provider(Arc::new(trial)) }));
                }
            }
        }
        if options.complete && options.scenario.is_none() {
            let judged = |name: &str| planned.iter().any(|(_, it)| it.law.id == law.id && it.provider() == name);
            let mut first: Vec<&(ProviderUnderTest, Scenario)> = scenarios.iter().collect();
            first.dedup_by_key(|(provider, _)| provider.name);
            for (provider, scenario) in first {
                let name = provider.name;
                if !judged(name) && is_owed(law, *provider, scenario, stores) {
                    let detail = format!("no scenario of {name} is suitable for this law");
                    report.laws.push(Case::skipped(law.id, name, detail));
                }
            }
        }
    }
    planned.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
    planned.into_iter().map(|(_, planned)| planned).collect()
}

/// Whether an adapter must have a suitable scenario for a law.
fn is_owed(law: &Law, provider: ProviderUnderTest, scenario: &Scenario, stores: &[StoreUnderTest]) -> bool {
    match law.check {
        Check::Declared(capability, ..) => stores.first().is_some_and(|store| {
            let rig = Rig { provider, store: store.clone(), mutation: Mutation::None };
            rig.declared(scenario).is_ok_and(|declared| declared.contains(&capability))
        }),
        // Objects with only one shape have no older one.
        Check::Some(..) if law.id == "P26" => provider.samples.older_shape.is_some(),
        Check::Some(..) => true,
        Check::Durable(_) | Check::Provider(_) | Check::Sql(_) | Check::Store(_) | Check::Counterpart(_) => false,
    }
}

fn counterpart_trial(options: &Options, counterpart: &Counterpart, store: &StoreUnderTest) -> Kind {
    Kind::Counterpart(Arc::new(CounterpartTrial {
        counterpart: counterpart.clone(),
        store: store.clone(),
        mutation: Mutation::None,
        effort: options.effort,
        seed: options.seed,
    }))
}

fn store_trial(options: &Options, law: &Law, store: &StoreUnderTest) -> Option<StoreTrial> {
    let applies = match law.check {
        Check::Store(_) => true,
        Check::Durable(_) => store.durable.is_some(),
        Check::Sql(_) => store.sql.is_some(),
        Check::Declared(..) | Check::Provider(_) | Check::Some(..) | Check::Counterpart(_) => false,
    };
    let trial =
        || StoreTrial { store: store.clone(), mutation: Mutation::None, effort: options.effort, seed: options.seed };
    applies.then(trial)
}

/// An estimate of how many deliveries a case sends.
fn cost(law: &Law, scenario: &Scenario) -> usize {
    let deliveries = scenario.deliveries.len();
    match law.id {
        "P06" if deliveries <= Scenario::EXHAUSTIVE => (1..=deliveries).product::<usize>() * deliveries,
        "P06" => 200 * deliveries,
        "P09" => 100 * deliveries,
        _ => 10 * deliveries,
    }
}

/// Runs cases concurrently.
pub(crate) async fn execute(options: &Options, planned: Vec<Planned>) -> Vec<Case> {
    let total = planned.len();
    let done = AtomicUsize::new(0);
    let judged = stream::iter(planned).map(|planned| {
        let command = options.command.clone();
        tokio::spawn(async move { planned.judge(&command).await })
    });
    if let Some(progress) = options.progress {
        progress(0, total);
    }
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
            Kind::Store(_) | Kind::Counterpart(_) => "",
        }
    }

    /// Runs the case.
    pub(crate) async fn check(&self) -> Verdict {
        let held = match (&self.law.check, &self.trial) {
            (Check::Declared(_, _, check) | Check::Provider(check) | Check::Some(_, check), Kind::Provider(trial)) => {
                check(trial).await?
            }
            (Check::Counterpart(check), Kind::Counterpart(trial)) => check(trial).await?,
            (Check::Store(check) | Check::Durable(check) | Check::Sql(check), Kind::Store(trial)) => {
                check(trial).await?
            }
            _ => Held::default(),
        };
        match held.checks {
            0 => Err(Broken::new("nothing was checked, because the adapter's samples edit none of the bodies")),
            _ => Ok(held),
        }
    }

    /// An empty report for the case.
    pub(crate) fn case(&self) -> Case {
        match &self.trial {
            Kind::Provider(trial) => {
                Case::of(self.law.id, trial.rig.provider.name, trial.rig.store.name, &trial.scenario.name)
            }
            Kind::Store(trial) => Case::of(self.law.id, "", trial.store.name, ""),
            Kind::Counterpart(trial) => {
                Case::of(self.law.id, &trial.counterpart.providers(), trial.store.name, &trial.counterpart.name)
            }
        }
    }

    async fn judge(self, command: &str) -> Case {
        let started = Instant::now();
        let verdict = self.check().await;
        Case { seconds: started.elapsed().as_secs_f64(), ..self.judged(verdict, command) }
    }

    /// The report for the case, with what a person needs to reproduce a failure.
    pub(crate) fn judged(&self, verdict: Verdict, command: &str) -> Case {
        let case = self.case();
        let broken = match verdict {
            Ok(held) => return Case { checks: held.checks, ..case },
            Err(broken) => broken,
        };
        let schedule = match (&self.trial, &broken.schedule) {
            (Kind::Provider(trial), Some(schedule)) => Some(trial.scenario.written(schedule).to_string()),
            _ => None,
        };
        let again = self.again(schedule.as_deref(), command);
        let mut detail = broken.what;
        if let Some(schedule) = &schedule {
            detail.push_str(&format!("\nschedule: {schedule}"));
        }
        detail.push_str(&format!("\nagain: {again}"));
        let (path, expected, found) = match broken.difference {
            Some(it) => (Some(it.path), Some(it.expected), Some(it.found)),
            None => (None, None, None),
        };
        Case { path, expected, found, schedule, again: Some(again), ..case.broken(detail) }
    }

    /// The command that reproduces a failure.
    fn again(&self, schedule: Option<&str>, command: &str) -> String {
        let (place, seed) = match &self.trial {
            Kind::Provider(trial) => {
                let (name, store) = (trial.rig.provider.name, trial.rig.store.name);
                (format!("--provider {name} --store {store} --scenario {}", quoted(&trial.scenario.name)), trial.seed)
            }
            Kind::Counterpart(trial) => {
                let name = trial.counterpart.sides.first().map_or("", |(_, scenario)| scenario.name.as_str());
                (format!("--store {} --scenario {}", trial.store.name, quoted(name)), trial.seed)
            }
            Kind::Store(trial) => (format!("--store {}", trial.store.name), trial.seed),
        };
        let law = format!("--law {} --seed {seed}", self.law.id);
        match (schedule, self.law.id) {
            // P06 and the expectations are judged without `--law`.
            (Some(schedule), "P06" | "P07" | "P14") => format!("{command} {place} --schedule {schedule}"),
            (Some(schedule), id) if Look::of(id).is_some() => format!("{command} {place} --schedule {schedule} {law}"),
            _ => format!("{command} {place} {law}"),
        }
    }
}
