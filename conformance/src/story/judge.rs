//! Decides how stories are judged. A teller turns a story into deliveries, an adapter and an engine process them, and
//! the result is compared with the truth, in other orders and with other ways of folding. This module also decides how
//! many stories are tried, from which seed, and what is kept of a failure.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};
use purchase_core::{catalog::Catalog, engine::ProjectionQuery, id::OfferId, time::Timestamp};
use serde_json::Value;

use crate::{
    law::{self, Check, Effort, Trial},
    replay,
    rig::Rig,
    scenario::{Origin, Recorded, Scenario},
    schedule::Schedule,
    story::{Step, Story, Teller, Told, World, clocks, expectations, offer, wishes},
    verdict::{Broken, ensure},
};

/// An adapter on a store, and the teller of its provider.
pub struct Judge<'a> {
    /// The adapter and the store.
    pub rig: Rig,
    /// The teller of the adapter's provider.
    pub teller: &'a dyn Teller,
}

impl Judge<'_> {
    /// Checks that the true order ends in the story's true state, read at every relevant clock.
    ///
    /// # Errors
    /// Every value that is shown and not true, with the clock.
    pub async fn told_truly(&self, story: &Story) -> Result<(), Broken> {
        let told = self.teller.tell(story);
        let scenario = self.scenario(story, &told);
        let signed = self.rig.sign(&scenario)?;
        let bench = self.rig.bench(&scenario).await?;
        let schedule = Schedule::in_order(signed.len());
        let outcome = replay::play(&bench, &scenario, &signed, &schedule).await?;
        for (index, answer) in outcome.answers {
            if let Err(refusal) = answer {
                return Err(Broken::new(format!("delivery {} is refused: {refusal}", index + 1)));
            }
        }
        let world = World::after(&story.scenes);
        for clock in clocks(&world, self.teller.ways()) {
            let query = ProjectionQuery { source: None, as_of: Timestamp::EPOCH.plus_seconds(clock) };
            let projection = bench.engine.projection(&query).await?.expose_canonical();
            let mut unmet = String::new();
            for expectation in expectations(&world, &told.names, self.teller.ways(), clock) {
                if let Err(found) = expectation.check(&projection) {
                    let _ = write!(unmet, "\n{found}");
                }
            }
            ensure(unmet.is_empty(), || format!("read at {}:{unmet}", query.as_of))?;
        }
        Ok(())
    }

    /// Checks one of the kit's laws on the story, as on any scenario.
    ///
    /// # Errors
    /// The law's finding, with the deliveries.
    pub async fn holds(&self, story: &Story, law: &str, effort: Effort) -> Result<(), Broken> {
        let told = self.teller.tell(story);
        let trial = Trial { rig: self.rig.clone(), scenario: self.scenario(story, &told), effort, seed: story.seed };
        let Some(law) = law::find(law) else { return Err(Broken::new(format!("there is no law {law}"))) };
        let Check::Provider(check) = law.check else {
            return Err(Broken::new(format!("{} is not a law that applies to every scenario", law.id)));
        };
        let found = check(&trial).await;
        found.map(|_| ()).map_err(|broken| explained(&broken, law.id, &told))
    }

    /// The customer's entitlements at the end of a story, at each clock, without the provider's ids of their sources.
    ///
    /// # Errors
    /// When the story can't be played.
    pub async fn entitlements(&self, story: &Story) -> Result<BTreeMap<i64, Value>, Broken> {
        let told = self.teller.tell(story);
        let scenario = self.scenario(story, &told);
        let signed = self.rig.sign(&scenario)?;
        let bench = self.rig.bench(&scenario).await?;
        replay::play(&bench, &scenario, &signed, &Schedule::in_order(signed.len())).await?;
        let mut read = BTreeMap::new();
        for clock in clocks(&World::after(&story.scenes), self.teller.ways()) {
            let query = ProjectionQuery { source: None, as_of: Timestamp::EPOCH.plus_seconds(clock) };
            let projection = bench.engine.projection(&query).await?.expose_canonical();
            let mut all = projection["entitlements"].clone();
            if let (Some(all), Some(unlinked)) = (all.as_object_mut(), projection["unlinked"].as_object()) {
                all.extend(unlinked.clone());
            }
            read.insert(clock, nameless(&all, &told.names.customer));
        }
        Ok(read)
    }

    /// The scenario that the deliveries of a story make, read at the end of the story.
    pub fn scenario(&self, story: &Story, told: &Told) -> Scenario {
        let world = World::after(&story.scenes);
        let prices = told.names.prices.iter().enumerate();
        let catalog = prices.filter_map(|(place, id)| Some((id.clone(), OfferId::new(offer(place)).ok()?))).collect();
        let deliveries = told.sent.iter().zip(1..).map(|(sent, number)| Recorded {
            number,
            event_type: sent.event_type.clone(),
            body: sent.body.clone(),
            headers: None,
            late: false,
        });
        Scenario {
            name: "a-story".to_owned(),
            folder: PathBuf::new(),
            title: "A story".to_owned(),
            proves: "a story ends in the state that it states, in every order of its events".to_owned(),
            provider: self.rig.provider.name.to_owned(),
            api_version: String::new(),
            origin: Origin::Emulator,
            secret: "whsec_of_a_story".to_owned(),
            as_of: Timestamp::EPOCH.plus_seconds(world.now),
            catalog: Catalog { prices: catalog },
            deliveries: deliveries.collect(),
            expectations: expectations(&world, &told.names, self.teller.ways(), world.now),
        }
    }
}

/// Adds the deliveries to a failure, because its schedule contains only their numbers.
fn explained(broken: &Broken, law: &str, told: &Told) -> Broken {
    let mut what = format!("{law}: {}", broken.what);
    if let Some(schedule) = &broken.schedule {
        let numbers: Vec<u32> = (1..).take(told.sent.len()).collect();
        let _ = write!(what, "\nschedule: {}", schedule.written(&numbers));
        for (number, sent) in numbers.iter().zip(&told.sent) {
            let _ = write!(what, "\n  {number} {}", sent.event_type);
        }
    }
    Broken { what, ..broken.clone() }
}

/// Benefits without the ids of their sources and without the id of the provider's customer.
fn nameless(entitlements: &Value, customer: &str) -> Value {
    let mut all = entitlements.clone();
    let Some(keys) = all.as_object_mut() else { return all };
    if let Some(benefits) = keys.remove(customer) {
        keys.insert("the customer".to_owned(), benefits);
    }
    for benefit in keys.values_mut().filter_map(Value::as_object_mut).flat_map(|benefits| benefits.values_mut()) {
        let sources = benefit["sources"].as_array().map_or(0, Vec::len);
        benefit["sources"] = Value::from(sources);
    }
    all
}

/// How many stories are tried, and where failed ones are kept.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// The number of stories, unless `PROPTEST_CASES` overrides it.
    pub cases: u32,
    /// The maximum number of wishes in a story.
    pub wishes: usize,
    /// How many simpler stories are tried after one has failed. Each costs as much as the one that failed.
    pub simpler: u32,
    /// The file that keeps the seeds of failed stories, which are then tried first. It must be an absolute path,
    /// because the tests of a workspace don't run in the folder that source paths are relative to. Use none if failures
    /// are wanted.
    pub regressions: Option<&'static str>,
}

/// Tries random stories of accepted steps until one fails. Then looks for the simplest story that still fails.
///
/// `PURCHASE_CONFORMANCE_SEED` sets the seed of every random choice.
///
/// # Errors
/// The simplest story that fails, and how.
pub fn hold(
    budget: Budget,
    can: impl Fn(&Step) -> bool,
    check: impl Fn(&Story) -> Result<(), Broken>,
) -> Result<(), String> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("PURCHASE_CONFORMANCE_SEED").unwrap_or(1);
    let config = Config {
        cases: number("PROPTEST_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(budget.cases),
        failure_persistence: budget.regressions.map(|path| Box::new(FileFailurePersistence::Direct(path)) as Box<_>),
        max_shrink_iters: budget.simpler,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let found = runner.run(&wishes(budget.wishes), |(seed, dialect, wishes)| {
        let story = Story::of(seed, dialect, &wishes, &can);
        check(&story).map_err(|broken| TestCaseError::fail(broken.what))
    });
    match found {
        Ok(()) => Ok(()),
        Err(TestError::Fail(reason, (story_seed, dialect, wishes))) => {
            let story = Story::of(story_seed, dialect, &wishes, &can);
            Err(format!("{reason}\n{story:?}\nPURCHASE_CONFORMANCE_SEED={seed}"))
        }
        Err(TestError::Abort(reason)) => Err(format!("{reason}\nPURCHASE_CONFORMANCE_SEED={seed}")),
    }
}
