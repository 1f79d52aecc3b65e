//! Random lifecycles: a script plays each in an emulator, the deliveries reach an engine in random order with
//! duplicates, and the projection is compared with the emulator's truth.
//!
//! An object whose last state the deliveries alone can't decide is ambiguous. The engine says so, and the script must
//! prove it by the deliveries: otherwise the adapter overlooked evidence.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use purchase_conformance::{
    replay,
    rig::Rig,
    schedule::{Schedule, random_of, shuffled},
    story::{Judge, Story, Teller, Told, wishes},
    verdict::Broken,
};
use rand::{RngExt, rngs::StdRng};

use crate::{chaos::Chaos, truth::Truth};

/// The most wishes of a lifecycle.
const WISHES: usize = 36;

/// A lifecycle that was played in an emulator.
pub struct Played {
    /// The deliveries in their true order, and the names of the objects.
    pub told: Told,
    /// The state at the end.
    pub truth: Truth,
}

/// Plays lifecycles in an emulator.
pub trait Script: Teller {
    /// Plays a story in a new world whose events misbehave like this.
    fn play(&self, story: &Story, chaos: &Chaos) -> Played;

    /// The same script as a teller.
    fn teller(&self) -> &dyn Teller;

    /// Sections of the projection that the provider's documents don't decide.
    fn hidden(&self) -> &'static [&'static str];

    /// The object that an event shows and the event's time, as far as the provider tells times apart.
    fn moment(&self, body: &[u8]) -> Option<(String, String)>;

    /// Whether the bodies alone don't decide the last state of an object: whether two of the orders that contradict no
    /// evidence end in different states.
    fn is_undecidable(&self, bodies: &[Vec<u8>], object: &str) -> bool;
}

/// How many lifecycles are played, and from which seed.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// The number of lifecycles.
    pub lifecycles: u32,
    /// The seed of every random choice.
    pub seed: u64,
}

impl Budget {
    /// The number of lifecycles, unless `PURCHASE_LIFECYCLES` sets another one, and the seed 1, unless
    /// `PURCHASE_CONFORMANCE_SEED` sets another one.
    pub fn of(lifecycles: u32) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let wanted = number("PURCHASE_LIFECYCLES").and_then(|it| u32::try_from(it).ok());
        Self { lifecycles: wanted.unwrap_or(lifecycles), seed: number("PURCHASE_CONFORMANCE_SEED").unwrap_or(1) }
    }
}

/// What the lifecycles were like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The number of lifecycles.
    pub lifecycles: u32,
    /// Deliveries, duplicates included.
    pub deliveries: usize,
    /// Duplicates.
    pub duplicates: usize,
    /// Lifecycles in which several events of one object carry the same time.
    pub with_bursts: u32,
    /// The most events of one object with one time.
    pub longest_burst: usize,
    /// Lifecycles with an ambiguous object.
    pub with_ambiguous: u32,
    /// Ambiguous objects. Each was proved to be undecidable.
    pub ambiguous: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |part: u32| 100.0 * f64::from(part) / f64::from(self.lifecycles.max(1));
        write!(
            f,
            "{} lifecycles, {} deliveries with {} duplicates; {:.1} % had several events of one object at one time, \
             at most {}; {:.1} % ended with an ambiguous object, {} in all, each undecidable by its deliveries",
            self.lifecycles,
            self.deliveries,
            self.duplicates,
            share(self.with_bursts),
            self.longest_burst,
            share(self.with_ambiguous),
            self.ambiguous,
        )
    }
}

/// Plays random lifecycles and compares each projection with the truth.
///
/// # Errors
/// The first lifecycle whose projection differs, with its deliveries and every difference.
pub fn run(rig: &Rig, script: &dyn Script, budget: Budget) -> Result<Figures, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("there is no runtime: {error}"))?;
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&budget.seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let mut figures = Figures::default();
    for number in 0..budget.lifecycles {
        let tree = wishes(WISHES).new_tree(&mut runner).map_err(|reason| format!("no story can be drawn: {reason}"))?;
        let (seed, dialect, wishes) = tree.current();
        let story = Story::of(seed, dialect, &wishes, |step| script.can(step));
        let mut random = random_of(budget.seed, &format!("lifecycle {number}"));
        let chaos = chaos(&mut random);
        let played = script.play(&story, &chaos);
        let found = runtime.block_on(one(rig, script, &story, &played, &mut random, &mut figures));
        found.map_err(|broken| explained(&broken, number, budget, &chaos, &story, &played))?;
    }
    Ok(figures)
}

async fn one(
    rig: &Rig,
    script: &dyn Script,
    story: &Story,
    played: &Played,
    random: &mut StdRng,
    figures: &mut Figures,
) -> Result<(), Broken> {
    let judge = Judge { rig: rig.clone(), teller: script.teller() };
    let scenario = judge.scenario(story, &played.told);
    let signed = rig.sign(&scenario)?;
    let schedule = Schedule::one_by_one(shuffled(signed.len(), random)).decorated(random);
    let bench = rig.bench(&scenario).await?;
    let outcome = replay::play(&bench, &scenario, &signed, &schedule).await?;
    if let Some((index, Err(refusal))) = outcome.answers.iter().find(|(_, answer)| answer.is_err()) {
        return Err(Broken::new(format!("delivery {} is refused: {refusal}", index + 1)));
    }
    let projection = outcome.projection;
    let ambiguous: BTreeSet<&String> =
        projection["ambiguous"].as_object().into_iter().flat_map(|it| it.keys()).collect();
    let bodies: Vec<Vec<u8>> = played.told.sent.iter().map(|sent| sent.body.clone()).collect();
    for object in &ambiguous {
        if !script.is_undecidable(&bodies, object) {
            return Err(Broken::new(format!("{object} is ambiguous, and its deliveries decide its state")));
        }
    }
    let mut found = played.truth.differences(&projection, script.hidden());
    found.retain(|it| !ambiguous.iter().any(|object| it.at.contains(object.as_str())));
    let parked = projection["parked"].as_object().map_or(0, serde_json::Map::len);
    if !found.is_empty() || parked > 0 {
        let lines: String = found.iter().map(|it| format!("\n  {it}")).collect();
        return Err(Broken::new(format!("{} differences, {parked} parked objects:{lines}", found.len())));
    }
    count(script, &bodies, schedule.order().len(), ambiguous.len(), figures);
    Ok(())
}

fn count(script: &dyn Script, bodies: &[Vec<u8>], arrivals: usize, ambiguous: usize, figures: &mut Figures) {
    let mut moments: BTreeMap<(String, String), usize> = BTreeMap::new();
    for moment in bodies.iter().filter_map(|body| script.moment(body)) {
        *moments.entry(moment).or_default() += 1;
    }
    let longest = moments.into_values().max().unwrap_or(0);
    figures.lifecycles += 1;
    figures.deliveries += arrivals;
    figures.duplicates += arrivals.saturating_sub(bodies.len());
    figures.with_bursts += u32::from(longest > 1);
    figures.longest_burst = figures.longest_burst.max(longest);
    figures.with_ambiguous += u32::from(ambiguous > 0);
    figures.ambiguous += ambiguous;
}

/// How events misbehave in one lifecycle: half of the time not at all.
fn chaos(random: &mut StdRng) -> Chaos {
    let (late_seconds, burst_seconds) = [(0, 0), (0, 0), (3, 0), (0, 10), (3, 10), (0, 0)][random.random_range(0..6)];
    Chaos { late_seconds, burst_seconds, ..Chaos::default() }
}

fn explained(broken: &Broken, number: u32, budget: Budget, chaos: &Chaos, story: &Story, played: &Played) -> String {
    let sent: String = played
        .told
        .sent
        .iter()
        .zip(1..)
        .map(|(sent, place): (_, u32)| format!("\n  {place} {}", sent.event_type))
        .collect();
    let seed = budget.seed;
    format!("lifecycle {number} of seed {seed}: {}\n{chaos:?}\n{story:?}\ndeliveries:{sent}", broken.what)
}
