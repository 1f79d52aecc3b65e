//! Decides which cases there are, in which order they run, and what a broken one tells.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use futures_util::{StreamExt, stream};

use crate::{
    law::{Check, LAWS, Law, StoreTrial, Trial, provider::scheduled::Look},
    mutants::Mutation,
    report::{Case, Outcome, Report},
    rig::Rig,
    runner::Options,
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
}

/// The cases, the longest first.
pub(crate) fn plan(
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

/// Runs cases side by side.
pub(crate) async fn execute(options: &Options, planned: Vec<Planned>) -> Vec<Case> {
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
        Case { seconds: started.elapsed().as_secs_f64(), ..self.judged(verdict, command) }
    }

    /// The report of it, with what a person needs to see a failure again.
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
        Case { outcome: Outcome::Broken, detail, path, expected, found, schedule, again: Some(again), ..case }
    }

    /// The command that shows a failure again.
    fn again(&self, schedule: Option<&str>, command: &str) -> String {
        let (place, seed) = match &self.trial {
            Kind::Provider(trial) => {
                let (name, store) = (trial.rig.provider.name, trial.rig.store.name);
                (format!("--provider {name} --store {store} --scenario {}", quoted(&trial.scenario.name)), trial.seed)
            }
            Kind::Store(trial) => (format!("--store {}", trial.store.name), trial.seed),
        };
        let law = format!("--law {} --seed {seed}", self.law.id);
        match (schedule, self.law.id) {
            // The order law and the expectations are judged without being asked for.
            (Some(schedule), "P06" | "P07" | "P14") => format!("{command} {place} --schedule {schedule}"),
            (Some(schedule), id) if Look::of(id).is_some() => format!("{command} {place} --schedule {schedule} {law}"),
            _ => format!("{command} {place} {law}"),
        }
    }
}

/// A word as a shell takes it, for commands that people copy: names are what somebody calls his folders.
pub fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| "?".to_owned(), |quoted| quoted.into_owned())
}
