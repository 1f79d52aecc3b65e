//! Decides what a change must pass: the list of steps that CI runs. A step whose tool is missing is skipped by name and
//! loudly; in CI a skip is a failure unless the command line allows it by that name.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
    sync::LazyLock,
    time::{Duration, Instant},
};

use anyhow::bail;
use clap::Args;

use crate::{
    shell::{self, Tone, paint},
    wasm,
};

/// Runs everything that CI runs.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Runs only these steps.
    #[arg(long = "only", value_name = "STEP")]
    only: Vec<String>,
    /// Lets this step be skipped in CI when its tool is missing.
    #[arg(long = "allow-skip", value_name = "STEP")]
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
        name: "new-adapter",
        says: "a new adapter compiles, and its tests say what to write",
        command: |_| Ok(xtask(&["new-adapter", "--check"])),
    },
    Step {
        name: "quickstart",
        says: "the example of the README runs",
        command: |_| Ok(cargo(&["run", "--quiet", "--example", "quickstart"])),
    },
    Step {
        name: "crash",
        says: "a killed server ends where an undisturbed one does",
        command: |_| Ok(xtask(&["crash", "--kills", "25", "--profile", "dev"])),
    },
    Step {
        name: "wasm",
        says: "core and the adapters build for wasm32-unknown-unknown",
        command: |_| match wasm::is_ready() {
            true => Ok(xtask(&["wasm"])),
            false => Err("no standard library for wasm32-unknown-unknown; `cargo xtask wasm --prepare` makes one"),
        },
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

enum Outcome {
    Failed(Duration),
    Passed(Duration),
    Skipped { why: &'static str, allowed: bool },
}

/// Runs the steps, all of them also when one fails, and sums up.
pub(crate) fn run(args: TestArgs, ci: bool) -> anyhow::Result<ExitCode> {
    for name in args.only.iter().chain(&args.allow_skip) {
        if !STEPS.iter().any(|step| step.name == name) {
            bail!("there is no step {name:?}; --list shows them");
        }
    }
    if args.list {
        for step in STEPS {
            println!("{:<12} {}", step.name, step.says);
        }
        return Ok(ExitCode::SUCCESS);
    }
    LazyLock::force(&OWN);
    let wanted = |step: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == step.name);
    let mut outcomes = Vec::new();
    for step in STEPS.iter().filter(wanted) {
        let allowed = !ci || args.allow_skip.iter().any(|name| name == step.name);
        outcomes.push((step, run_step(step, ci, allowed)?));
    }
    println!();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (step, outcome) in &outcomes {
        let (tone, word, detail) = match outcome {
            Outcome::Passed(took) => (Tone::Good, "passed", format!("{:.1} s", took.as_secs_f64())),
            Outcome::Failed(took) => (Tone::Bad, "FAILED", format!("{:.1} s", took.as_secs_f64())),
            Outcome::Skipped { why, allowed: true } => (Tone::Warn, "SKIPPED", (*why).to_owned()),
            Outcome::Skipped { why, allowed: false } => {
                (Tone::Bad, "SKIPPED", format!("{why}; CI allows that only with --allow-skip {}", step.name))
            }
        };
        match outcome {
            Outcome::Passed(_) => passed += 1,
            Outcome::Failed(_) | Outcome::Skipped { allowed: false, .. } => failed += 1,
            Outcome::Skipped { .. } => skipped += 1,
        }
        println!("{} {:<12} {detail}", paint(tone, &format!("{word:<8}")), step.name);
    }
    println!("steps: {passed} passed, {failed} failed, {skipped} skipped");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_step(step: &Step, ci: bool, allowed: bool) -> anyhow::Result<Outcome> {
    let mut command = match (step.command)(ci) {
        Ok(command) => command,
        Err(why) => {
            println!("\n{} {}: {why}", paint(Tone::Warn, "SKIPPED"), step.name);
            return Ok(Outcome::Skipped { why, allowed });
        }
    };
    if ci {
        command.env("CARGO_TERM_COLOR", "never").env("INSTA_UPDATE", "no");
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

fn cargo(args: &[&str]) -> Command {
    let mut command = shell::cargo();
    command.args(args);
    command
}

/// This program itself: it is built already. The path is asked for once, at the start: a later step may link the file
/// anew, and then the system calls the one that runs deleted.
static OWN: LazyLock<PathBuf> = LazyLock::new(|| std::env::current_exe().unwrap_or_else(|_| "xtask".into()));

fn xtask(args: &[&str]) -> Command {
    let mut command = Command::new(&*OWN);
    command.current_dir(shell::root()).args(args);
    command
}
