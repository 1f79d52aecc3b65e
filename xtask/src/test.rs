//! Decides which steps a change must pass: the steps that CI runs. Missing tools cause named skips; CI treats a skip as
//! a failure unless `--allow-skip` names it. A missing server is a failure everywhere unless it is allowed, because
//! without the server the store that needs it isn't tested. Each step has a time budget: all steps together take at
//! most twenty-three minutes on a cold clone with two cores. `soak` runs checks that take longer.

use std::{
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::bail;
use clap::Args;
use purchase_conformance::trials::ALLOW_SKIP;

use crate::{
    services::{self, Running, Service},
    shell::{self, Tone, cargo_with as cargo, paint},
    steps::{Outcome, Took, remember_own, run_commands, sum_up, xtask},
    wasm,
    worker::SOURCE as WORKER,
};

/// Runs all checks that CI runs.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Runs only this step; repeat the option for several. Default: all steps. `--list` shows their names.
    #[arg(long = "only", value_name = "STEP")]
    only: Vec<String>,
    /// Allows CI to skip this step if its tool is missing, or allows this server to be missing, in CI and elsewhere.
    /// May be repeated. Default: no skip is allowed.
    #[arg(long = "allow-skip", value_name = "STEP|SERVER")]
    allow_skip: Vec<String>,
    /// Lists the steps and exits.
    #[arg(long)]
    list: bool,
}

struct Step {
    name: &'static str,
    says: &'static str,
    /// The step's time budget in seconds, on a cold clone with two cores.
    budget: u64,
    /// The commands of the step, in order, or the reason why they can't run here.
    commands: fn(&Around) -> Result<Vec<Command>, Lack>,
}

/// The reason why a step can't run.
enum Lack {
    /// A tool is missing. In CI this is a failure unless it was allowed.
    Tool(&'static str),
    /// A server is missing. This is a failure everywhere unless it was allowed.
    Server(&'static str),
}

/// The context in which the steps run.
struct Around {
    ci: bool,
    /// The steps and servers that may be skipped.
    allow_skip: Vec<String>,
    /// The servers for tests. `None` until a step needs them, then the servers that could be started.
    servers: Option<Vec<(Service, Running)>>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", says: "the code is formatted by rustfmt", budget: 5, commands: fmt },
    Step { name: "tidy", says: "the project's own rules hold", budget: 5, commands: |_| Ok(vec![xtask(&["tidy"])]) },
    Step {
        name: "clippy",
        says: "no warnings, all targets, all features",
        budget: 70,
        commands: |_| {
            let all = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"];
            Ok(vec![cargo(&all)])
        },
    },
    Step { name: "unit", says: "unit and integration tests", budget: 220, commands: unit },
    Step {
        name: "doctests",
        says: "the examples in the documentation run",
        budget: 10,
        commands: |_| Ok(vec![cargo(&["test", "--workspace", "--all-features", "--doc", "--quiet"])]),
    },
    Step {
        name: "docs",
        says: "the documentation builds without warnings",
        budget: 20,
        commands: |_| {
            let mut docs = cargo(&["doc", "--workspace", "--all-features", "--no-deps", "--quiet"]);
            docs.env("RUSTDOCFLAGS", "--deny warnings");
            Ok(vec![docs])
        },
    },
    Step {
        name: "conformance",
        says: "every law holds in memory on every scenario, and on SQLite on drawn scenarios",
        budget: 230,
        // Order-dependence is checked mostly in memory, with every scenario and more samples. A disk is twenty times as
        // slow, so SQLite is checked on drawn scenarios. Without these options the command samples 200 orders
        // everywhere.
        commands: |_| {
            Ok(vec![
                xtask(&["conformance", "--store", "memory", "--samples", "100"]),
                xtask(&["conformance", "--store", "sqlite", "--draw", SQLITE_DRAWS, "--samples", "8"]),
            ])
        },
    },
    Step {
        name: "servers",
        says: "every law holds on PostgreSQL and D1, on drawn scenarios",
        budget: 85,
        commands: servers,
    },
    Step {
        name: "new-adapter",
        says: "a new adapter compiles, and its tests say what to write",
        budget: 10,
        commands: |_| Ok(vec![xtask(&["new-adapter", "--check"])]),
    },
    Step {
        name: "judges",
        says: "the official SDKs walk through the emulators",
        budget: 60,
        commands: |_| Ok(vec![xtask(&["judges"])]),
    },
    Step { name: "quickstart", says: "the README's example runs", budget: 5, commands: quickstart },
    Step {
        name: "crash",
        says: "a killed server reaches the same result as an undisturbed one",
        budget: 10,
        commands: |_| Ok(vec![xtask(&["crash", "--kills", "25", "--profile", "dev"])]),
    },
    Step {
        name: "wasm",
        says: "core and the adapters build for wasm32-unknown-unknown",
        budget: 45,
        commands: |_| in_wasm(&["wasm"]),
    },
    Step {
        name: "worker-clippy",
        says: "no warnings in the Worker and in D1's binding",
        budget: 55,
        commands: |_| in_wasm(&["worker", "check"]),
    },
    Step { name: "worker", says: "every law holds for the Worker and its D1 binding", budget: 90, commands: worker },
    Step { name: "deny", says: "licences, bans and sources of the dependencies", budget: 10, commands: deny },
];

/// The number of scenarios of each provider on which SQLite is checked; `soak` checks it on all.
const SQLITE_DRAWS: &str = "25";

/// The time budget of all steps together in seconds, on a cold clone with two cores.
const WHOLE: u64 = 1380;
/// The part of the budget that is spent before the first step, on building this program and the servers.
const PREPARATIONS: u64 = 330;

/// The steps that need the servers' environment variables.
const WITH_SERVICES: &[&str] = &["unit", "servers"];

/// Runs all steps, even after one has failed, and prints a summary.
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
            println!("{:<13} {:>4} s  {}", step.name, step.budget, step.says);
        }
        println!("All steps take at most {WHOLE} s, including {PREPARATIONS} s before the first step.");
        return Ok(ExitCode::SUCCESS);
    }
    remember_own();
    let wanted = |step: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == step.name);
    let mut outcomes = Vec::new();
    let mut around = Around { ci, allow_skip: args.allow_skip, servers: None };
    for step in STEPS.iter().filter(wanted) {
        if around.servers.is_none() && WITH_SERVICES.contains(&step.name) {
            around.servers = Some(start_services(&around, &mut outcomes));
        }
        outcomes.push((step.name, run_step(step, &around)?));
    }
    drop(around);
    Ok(sum_up(&outcomes, |name| format!("CI allows this only with --allow-skip {name}")))
}

impl Around {
    fn may_skip(&self, name: &str) -> bool {
        self.allow_skip.iter().any(|allowed| allowed == name)
    }
}

/// Starts the servers that the steps need. They stop when the result is dropped.
fn start_services(around: &Around, outcomes: &mut Vec<(&'static str, Outcome)>) -> Vec<(Service, Running)> {
    let mut servers = Vec::new();
    for service in Service::ALL {
        let name = service.name();
        println!("\n{} {name}: a server for tests", paint(Tone::Head, "=="));
        let begin = Instant::now();
        let outcome = match services::ensure(&[service]) {
            Ok(running) => {
                servers.push((service, running));
                Outcome::Passed(Took { time: begin.elapsed(), budget: None })
            }
            Err(error) if around.may_skip(name) => {
                println!("{} {error:#}", paint(Tone::Warn, "SKIPPED"));
                Outcome::Skipped { why: format!("{error:#}").into(), allowed: true }
            }
            Err(error) => {
                println!("{} {error:#}; --allow-skip {name} skips it", paint(Tone::Bad, "FAILED"));
                Outcome::Failed(Took { time: begin.elapsed(), budget: None })
            }
        };
        outcomes.push((name, outcome));
    }
    servers
}

fn run_step(step: &Step, around: &Around) -> anyhow::Result<Outcome> {
    let commands = match (step.commands)(around) {
        Ok(commands) => commands,
        Err(lack) => {
            let (why, allowed) = match lack {
                Lack::Tool(why) => (why, !around.ci || around.may_skip(step.name)),
                Lack::Server(why) => (why, true),
            };
            println!("\n{} {}: {why}", paint(Tone::Warn, "SKIPPED"), step.name);
            return Ok(Outcome::Skipped { why: why.into(), allowed });
        }
    };
    let prepare = |command: &mut Command| {
        if around.ci {
            command.env("CI", "true").env("CARGO_TERM_COLOR", "never").env("INSTA_UPDATE", "no");
        }
        if let Some(servers) = around.servers.as_ref().filter(|_| WITH_SERVICES.contains(&step.name)) {
            name_servers(command, servers, &around.allow_skip);
        }
    };
    run_commands(step.name, Some(step.budget), commands, prepare)
}

/// Passes the servers' addresses to tests, and the names of missing servers that are allowed to be missing.
fn name_servers(command: &mut Command, servers: &[(Service, Running)], allow_skip: &[String]) {
    for service in Service::ALL {
        match servers.iter().find(|(had, _)| *had == service) {
            Some((_, running)) => command.envs(running.variables()),
            // The environment may still name a server that isn't available.
            None => service.variables().iter().fold(&mut *command, |command, name| command.env_remove(name)),
        };
    }
    command.env(ALLOW_SKIP, allow_skip.join(","));
}

/// Also formats the packages that are not members of the workspace.
fn fmt(_: &Around) -> Result<Vec<Command>, Lack> {
    let mut worker = cargo(&["fmt", "--all", "--check"]);
    worker.current_dir(shell::root().join(WORKER));
    Ok(vec![cargo(&["fmt", "--all", "--check"]), worker])
}

fn deny(_: &Around) -> Result<Vec<Command>, Lack> {
    if !shell::works(&mut cargo(&["deny", "--version"])) {
        return Err(Lack::Tool("cargo-deny is not installed; run `cargo install --locked cargo-deny`"));
    }
    let what = ["check", "bans", "licenses", "sources"];
    let mut all = cargo(&["deny", "--all-features"]);
    // The same rules apply to packages outside the workspace, but such a package need not use every licence that the
    // rules allow.
    let worker_manifest = format!("{WORKER}/Cargo.toml");
    let mut worker = cargo(&["deny", "--all-features", "--manifest-path", &worker_manifest, "--config", "deny.toml"]);
    all.args(what);
    worker.args(what).args(["--allow", "license-not-encountered"]);
    Ok(vec![all, worker])
}

fn servers(around: &Around) -> Result<Vec<Command>, Lack> {
    let servers = around.servers.as_deref().unwrap_or_default();
    if servers.is_empty() {
        return Err(Lack::Server("no server is available"));
    }
    let mut laws = xtask(&["conformance", "--draw", "1", "--samples", "1"]);
    for (service, _) in servers {
        laws.args(["--store", service.name()]);
    }
    Ok(vec![laws])
}

fn unit(around: &Around) -> Result<Vec<Command>, Lack> {
    let mut command = match shell::works(&mut cargo(&["nextest", "--version"])) {
        true => cargo(&["nextest", "run", "--workspace", "--all-features"]),
        false => {
            println!("cargo-nextest is not installed: `cargo test` runs the same tests, more slowly");
            let all = ["test", "--workspace", "--all-features", "--lib", "--bins", "--tests", "--examples"];
            return Ok(vec![cargo(&all)]);
        }
    };
    if around.ci {
        command.args(["--profile", "ci"]);
    }
    // The step `conformance` checks the adapters by the same laws, with more schedules and without a separate process
    // for each case.
    let Ok(adapters) = wasm::adapters() else { return Ok(vec![command]) };
    let packages: Vec<String> = adapters.iter().map(|name| format!("package(={name})")).collect();
    command.args(["--filterset", &format!("not (binary(=conformance) and ({}))", packages.join(" or "))]);
    Ok(vec![command])
}

/// The program that `cargo run --example quickstart` runs. It is built with the features of the tests, so that nothing
/// is recompiled. If it can't be built, this step fails at the build.
fn quickstart(_: &Around) -> Result<Vec<Command>, Lack> {
    let mut build = cargo(&["build", "--quiet", "--workspace", "--all-features", "--example", "quickstart"]);
    Ok(vec![match shell::works(&mut build) {
        true => Command::new(shell::target_dir().join("debug/examples/quickstart")),
        false => build,
    }])
}

/// Runs a command of this program that compiles for WebAssembly.
fn in_wasm(args: &[&str]) -> Result<Vec<Command>, Lack> {
    match wasm::is_ready() {
        true => Ok(vec![xtask(args)]),
        false => {
            Err(Lack::Tool("no standard library for wasm32-unknown-unknown; `cargo xtask wasm --prepare` builds one"))
        }
    }
}

/// This step needs a local D1, which may be missing.
fn worker(around: &Around) -> Result<Vec<Command>, Lack> {
    let commands = in_wasm(&["worker", "test"])?;
    let prepared = if around.may_skip(Service::D1.name()) { services::prepare_d1() } else { Ok(()) };
    prepared.map(|()| commands).map_err(|error| {
        println!("{error:#}");
        Lack::Server("no local D1 is available")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budgets_leave_room_for_the_build() {
        let steps: u64 = STEPS.iter().map(|step| step.budget).sum();
        assert!(steps + PREPARATIONS <= WHOLE, "{steps} s and {PREPARATIONS} s of preparations, at most {WHOLE} s");
    }
}
