//! Decides what a change must pass: the list of steps that CI runs. A step whose tool is missing is skipped by name and
//! loudly; in CI a skip is a failure unless the command line allows it by that name. A server that can't be had is a
//! failure everywhere, unless allowed: without it nothing is proved about the store that needs it.

use std::{
    borrow::Cow,
    path::PathBuf,
    process::{Command, ExitCode},
    sync::LazyLock,
    time::{Duration, Instant},
};

use anyhow::bail;
use clap::Args;

use crate::{
    services::{self, Running, Service},
    shell::{self, Tone, paint},
    wasm,
};

/// Runs everything that CI runs.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Runs only these steps.
    #[arg(long = "only", value_name = "STEP")]
    only: Vec<String>,
    /// Lets this step be skipped in CI when its tool is missing, or this server be missing anywhere.
    #[arg(long = "allow-skip", value_name = "STEP|SERVER")]
    allow_skip: Vec<String>,
    /// Lists the steps and does nothing else.
    #[arg(long)]
    list: bool,
}

struct Step {
    name: &'static str,
    says: &'static str,
    /// The command, or why it can't be run here.
    command: fn(ci: bool) -> Result<Command, &'static str>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", says: "the code is laid out by rustfmt", command: |_| Ok(cargo(&["fmt", "--all", "--check"])) },
    Step { name: "tidy", says: "the rules of the house hold", command: |_| Ok(xtask(&["tidy"])) },
    Step {
        name: "clippy",
        says: "no warnings, all targets, all features",
        command: |_| {
            Ok(cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"]))
        },
    },
    Step { name: "unit", says: "unit and integration tests", command: unit },
    Step {
        name: "doctests",
        says: "the examples in the documentation run",
        command: |_| Ok(cargo(&["test", "--workspace", "--all-features", "--doc", "--quiet"])),
    },
    Step {
        name: "docs",
        says: "the documentation builds without warnings",
        command: |_| {
            let mut docs = cargo(&["doc", "--workspace", "--all-features", "--no-deps", "--quiet"]);
            docs.env("RUSTDOCFLAGS", "--deny warnings");
            Ok(docs)
        },
    },
    Step {
        name: "conformance",
        says: "every law holds on every scenario and store",
        command: |_| Ok(xtask(&["conformance"])),
    },
    Step {
        name: "servers",
        says: "every law holds on PostgreSQL and D1, on scenarios that are drawn",
        command: |_| {
            let stores = ["--store", "postgres", "--store", "d1"];
            Ok(xtask(&[&["conformance"][..], &stores, &["--draw", "1", "--samples", "1"]].concat()))
        },
    },
    Step {
        name: "new-adapter",
        says: "a new adapter compiles, and its tests say what to write",
        command: |_| Ok(xtask(&["new-adapter", "--check"])),
    },
    Step { name: "quickstart", says: "the example of the README runs", command: quickstart },
    Step {
        name: "crash",
        says: "a killed server ends where an undisturbed one does",
        command: |_| Ok(xtask(&["crash", "--kills", "25", "--profile", "dev"])),
    },
    Step {
        name: "wasm",
        says: "core and the adapters build for wasm32-unknown-unknown",
        command: |_| in_wasm(&["wasm"]),
    },
    Step {
        name: "worker",
        says: "the Worker and its binding keep the laws, in workerd",
        command: |_| in_wasm(&["worker", "test"]),
    },
    Step {
        name: "deny",
        says: "licences, bans and sources of the dependencies",
        command: |_| match shell::works(&mut cargo(&["deny", "--version"])) {
            true => Ok(cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"])),
            false => Err("cargo-deny is not installed; `cargo install --locked cargo-deny` does it"),
        },
    },
];

/// The steps that find servers in their environment.
const WITH_SERVICES: &[&str] = &["unit", "conformance", "servers", "crash"];

enum Outcome {
    Failed(Duration),
    Passed(Duration),
    Skipped { why: Cow<'static, str>, allowed: bool },
}

/// Runs the steps, all of them also when one fails, and sums up.
pub(crate) fn run(args: TestArgs, ci: bool) -> anyhow::Result<ExitCode> {
    let is_step = |name: &String| STEPS.iter().any(|step| step.name == name);
    let is_service = |name: &String| Service::ALL.iter().any(|service| service.name() == name);
    let mut unknown = args.only.iter().filter(|name| !is_step(name));
    let mut unknown_skips = args.allow_skip.iter().filter(|name| !is_step(name) && !is_service(name));
    if let Some(name) = unknown.next().or(unknown_skips.next()) {
        bail!("there is no step {name:?}; --list shows them");
    }
    if args.list {
        for step in STEPS {
            println!("{:<12} {}", step.name, step.says);
        }
        return Ok(ExitCode::SUCCESS);
    }
    LazyLock::force(&OWN);
    let wanted = |step: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == step.name);
    let may_skip = |name: &str| args.allow_skip.iter().any(|allowed| allowed == name);
    let mut outcomes = Vec::new();
    let mut servers: Option<Vec<Running>> = None;
    for step in STEPS.iter().filter(wanted) {
        if servers.is_none() && WITH_SERVICES.contains(&step.name) {
            servers = Some(start_services(may_skip, &mut outcomes));
        }
        outcomes.push((step.name, run_step(step, ci, !ci || may_skip(step.name), servers.as_deref())?));
    }
    drop(servers);
    Ok(sum_up(&outcomes))
}

/// Starts what the steps need, and stops it when dropped.
fn start_services(may_skip: impl Fn(&str) -> bool, outcomes: &mut Vec<(&'static str, Outcome)>) -> Vec<Running> {
    let mut servers = Vec::new();
    for service in Service::ALL {
        let name = service.name();
        println!("\n{} {name}: a server for tests", paint(Tone::Head, "=="));
        let begin = Instant::now();
        let outcome = match services::ensure(&[service]) {
            Ok(running) => {
                servers.push(running);
                Outcome::Passed(begin.elapsed())
            }
            Err(error) if may_skip(name) => {
                println!("{} {error:#}", paint(Tone::Warn, "SKIPPED"));
                Outcome::Skipped { why: format!("{error:#}").into(), allowed: true }
            }
            Err(error) => {
                println!("{} {error:#}; --allow-skip {name} does without", paint(Tone::Bad, "FAILED"));
                Outcome::Failed(begin.elapsed())
            }
        };
        outcomes.push((name, outcome));
    }
    servers
}

fn sum_up(outcomes: &[(&'static str, Outcome)]) -> ExitCode {
    println!();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, outcome) in outcomes {
        let (tone, word, detail) = match outcome {
            Outcome::Passed(took) => (Tone::Good, "passed", format!("{:.1} s", took.as_secs_f64())),
            Outcome::Failed(took) => (Tone::Bad, "FAILED", format!("{:.1} s", took.as_secs_f64())),
            Outcome::Skipped { why, allowed: true } => (Tone::Warn, "SKIPPED", why.to_string()),
            Outcome::Skipped { why, allowed: false } => {
                (Tone::Bad, "SKIPPED", format!("{why}; CI allows that only with --allow-skip {name}"))
            }
        };
        match outcome {
            Outcome::Passed(_) => passed += 1,
            Outcome::Failed(_) | Outcome::Skipped { allowed: false, .. } => failed += 1,
            Outcome::Skipped { .. } => skipped += 1,
        }
        println!("{} {:<12} {detail}", paint(tone, &format!("{word:<8}")), name);
    }
    println!("steps: {passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_step(step: &Step, ci: bool, allowed: bool, servers: Option<&[Running]>) -> anyhow::Result<Outcome> {
    let mut command = match (step.command)(ci) {
        Ok(command) => command,
        Err(why) => {
            println!("\n{} {}: {why}", paint(Tone::Warn, "SKIPPED"), step.name);
            return Ok(Outcome::Skipped { why: why.into(), allowed });
        }
    };
    if ci {
        command.env("CARGO_TERM_COLOR", "never").env("INSTA_UPDATE", "no");
    }
    if WITH_SERVICES.contains(&step.name) {
        command.envs(servers.into_iter().flatten().flat_map(Running::variables));
    }
    println!("\n{} {}: `{}`", paint(Tone::Head, "=="), step.name, shell::shown(&command));
    let begin = Instant::now();
    match command.status() {
        Ok(status) if status.success() => Ok(Outcome::Passed(begin.elapsed())),
        Ok(status) => {
            println!("{} {}: it ended with {status}", paint(Tone::Bad, "FAILED"), step.name);
            Ok(Outcome::Failed(begin.elapsed()))
        }
        Err(fault) => bail!("could not start `{}`: {fault}", shell::shown(&command)),
    }
}

fn unit(ci: bool) -> Result<Command, &'static str> {
    let mut command = match shell::works(&mut cargo(&["nextest", "--version"])) {
        true => cargo(&["nextest", "run", "--workspace", "--all-features"]),
        false => {
            println!("cargo-nextest is not installed: `cargo test` runs the same tests, more slowly");
            return Ok(cargo(&["test", "--workspace", "--all-features", "--lib", "--bins", "--tests", "--examples"]));
        }
    };
    if ci {
        command.args(["--profile", "ci"]);
    }
    Ok(command)
}

/// The program that `cargo run --example quickstart` runs, built with the features that the tests have, so that nothing
/// is compiled again for it. Where it can't be built, building it is what fails.
fn quickstart(_: bool) -> Result<Command, &'static str> {
    let mut build = cargo(&["build", "--quiet", "--workspace", "--all-features", "--example", "quickstart"]);
    match shell::works(&mut build) {
        true => Ok(Command::new(shell::target_dir().join("debug/examples/quickstart"))),
        false => Ok(build),
    }
}

fn cargo(args: &[&str]) -> Command {
    let mut command = shell::cargo();
    command.args(args);
    command
}

/// A command of this program that compiles for a Worker.
fn in_wasm(args: &[&str]) -> Result<Command, &'static str> {
    match wasm::is_ready() {
        true => Ok(xtask(args)),
        false => Err("no standard library for wasm32-unknown-unknown; `cargo xtask wasm --prepare` makes one"),
    }
}

/// This program itself: it is built already. The path is asked for once, at the start: a later step may link the file
/// anew, and then the system calls the one that runs deleted.
static OWN: LazyLock<PathBuf> = LazyLock::new(|| std::env::current_exe().unwrap_or_else(|_| "xtask".into()));

fn xtask(args: &[&str]) -> Command {
    let mut command = Command::new(&*OWN);
    command.current_dir(shell::root()).args(args);
    command
}
