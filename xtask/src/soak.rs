//! Decides which checks run when there is more time: those that exceed the time budget of `test`. Every run uses a new
//! random seed and prints it.

use std::{
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::bail;
use clap::Args;

use crate::{
    services::{self, Service},
    shell::{Tone, cargo_with, paint},
    steps::{Outcome, Took, remember_own, run_commands, sum_up, xtask},
};

/// Runs the longer checks that `test` leaves out: SQLite on every scenario; PostgreSQL and D1 on six randomly drawn
/// scenarios of each provider; twenty thousand lifecycles in each emulator.
#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// Runs only this step: sqlite, postgres, d1 or lifecycles; repeat the option for several. Default: all steps.
    #[arg(long = "only", value_name = "STEP")]
    only: Vec<String>,
    /// Allows this server, postgres or d1, to be missing; its step is then skipped. May be repeated.
    #[arg(long = "allow-skip", value_name = "SERVER")]
    allow_skip: Vec<String>,
    /// The seed of every random choice. Default: a new seed, which is printed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// The stores, and the options that decide how thoroughly each is checked.
const STEPS: &[(&str, &[&str])] = &[
    ("sqlite", &["--samples", "8"]),
    ("postgres", &["--draw", "6", "--samples", "4"]),
    ("d1", &["--draw", "6", "--samples", "1"]),
];

/// The step that plays random lifecycles in the emulators, and how many of each provider.
const LIFECYCLES: (&str, &str) = ("lifecycles", "20000");

/// Runs all steps, even after one has failed, and prints a summary.
pub(crate) fn run(args: &SoakArgs) -> anyhow::Result<ExitCode> {
    remember_own();
    let is_step = |name: &&String| *name == LIFECYCLES.0 || STEPS.iter().any(|(step, _)| step == name);
    if let Some(name) = args.only.iter().find(|name| !is_step(name)) {
        bail!("there is no step {name:?}; known: sqlite, postgres, d1, lifecycles");
    }
    if let Some(name) = args.allow_skip.iter().find(|name| !Service::ALL.iter().any(|it| it.name() == name.as_str())) {
        bail!("there is no server {name:?}; known: postgres, d1");
    }
    let seed = args.seed.map_or_else(fresh_seed, Ok)?.to_string();
    println!("seed {seed}: `cargo xtask soak --seed {seed}` repeats this run");
    let mut outcomes = Vec::new();
    let wanted = |step: &str| args.only.is_empty() || args.only.iter().any(|it| it == step);
    for (store, effort) in STEPS.iter().filter(|(step, _)| wanted(step)) {
        outcomes.push((*store, judge(store, effort, &seed, &args.allow_skip)?));
    }
    if wanted(LIFECYCLES.0) {
        outcomes.push((LIFECYCLES.0, lifecycles(&seed)?));
    }
    println!("\nseed {seed}");
    Ok(sum_up(&outcomes, |name| format!("--allow-skip {name} allows this")))
}

fn judge(store: &'static str, effort: &[&str], seed: &str, allow_skip: &[String]) -> anyhow::Result<Outcome> {
    let begin = Instant::now();
    let mut laws = xtask(&["conformance", "--store", store, "--seed", seed]);
    laws.args(effort);
    // The server must run until the laws are checked.
    let mut _server = None;
    if let Some(service) = Service::ALL.into_iter().find(|service| service.name() == store) {
        match services::ensure(&[service]) {
            Ok(running) => {
                laws.envs(running.variables());
                _server = Some(running);
            }
            Err(error) if allow_skip.iter().any(|name| name == store) => {
                println!("\n{} {store}: {error:#}", paint(Tone::Warn, "SKIPPED"));
                return Ok(Outcome::Skipped { why: format!("{error:#}").into(), allowed: true });
            }
            Err(error) => {
                println!("\n{} {store}: {error:#}; --allow-skip {store} skips it", paint(Tone::Bad, "FAILED"));
                return Ok(Outcome::Failed(Took { time: begin.elapsed(), budget: None }));
            }
        }
    }
    run_commands(store, None, vec![laws], |_| {})
}

/// Optimized, because it takes many times as long otherwise.
fn lifecycles(seed: &str) -> anyhow::Result<Outcome> {
    let packages = ["--package", "purchase-emulator-paddle", "--package", "purchase-emulator-stripe"];
    let mut command = cargo_with(&["test", "--release", "--test", "it"]);
    command.args(packages).args(["random_lifecycles_end_in_the_truth", "--", "--nocapture"]);
    command.env("PURCHASE_LIFECYCLES", LIFECYCLES.1).env("PURCHASE_CONFORMANCE_SEED", seed);
    run_commands(LIFECYCLES.0, None, vec![command], |_| {})
}

/// Small enough to type.
fn fresh_seed() -> anyhow::Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::from(now.subsec_nanos()) % 1_000_000)
}
