//! Decides how `cargo xtask conformance` is asked and what it answers: every law of the kit, on every scenario, on the
//! embedded stores. What the laws are is the kit's.

#[path = "../../adapters/paddle/tests/conformance/under_test.rs"]
mod paddle;
#[path = "../../stores/sqlite/tests/conformance/under_test.rs"]
mod sqlite;
#[path = "../../adapters/stripe/tests/conformance/under_test.rs"]
mod stripe;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use purchase_conformance::{
    Options, ProviderUnderTest, Report, StoreUnderTest, law::Effort, schedule::Written, trials::memory,
};

/// The adapters that are compiled in.
const PROVIDERS: &[ProviderUnderTest] = &[paddle::PADDLE, stripe::STRIPE];

/// The stores that are compiled in.
const STORES: &[fn() -> StoreUnderTest] = &[memory, sqlite::sqlite];

/// Replays every scenario in every order, with duplicates, batches, crashes and concurrent workers, and judges
/// adapters and stores by the laws of the kit.
///
/// Exit code 0: all laws hold. 1: a law is broken, or a mutant survived. 2: nothing was run, or something was skipped
/// that nobody allowed.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConformanceArgs {
    /// A folder of fixtures, `<provider>/<scenario>/` in it. Repeatable; replaces the project's own.
    #[arg(long, value_name = "DIR")]
    fixtures: Vec<PathBuf>,
    /// Only this provider.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Only this store. Repeatable; otherwise every embedded one.
    #[arg(long, value_name = "NAME")]
    store: Vec<String>,
    /// Only this scenario, or those whose names contain this.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Only this law, by its id.
    #[arg(long, value_name = "ID")]
    law: Option<String>,
    /// Plays one schedule of the scenarios named: delivery numbers, commas between batches, + within one.
    #[arg(long, value_name = "3,1+2", requires = "scenario")]
    schedule: Option<Written>,
    /// How many random schedules are played of scenarios too long to play them all.
    #[arg(long, value_name = "N", default_value_t = Effort::FULL.samples)]
    samples: usize,
    /// The seed of everything random; otherwise a fixed one.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Writes the report to a file too: .json, or .xml for JUnit. Repeatable.
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
    /// Allows something to be skipped, by the name that the report gives. Repeatable.
    #[arg(long, value_name = "NAME")]
    allow_skip: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Text,
}

/// Runs the kit.
pub(crate) fn run(args: ConformanceArgs) -> anyhow::Result<ExitCode> {
    match judge(args) {
        Ok(report) => Ok(report.to_exit()),
        // Nothing was proved: the exit code says so, whatever the reason.
        Err(error) => {
            eprintln!("error: {error:#}");
            Ok(ExitCode::from(2))
        }
    }
}

fn judge(args: ConformanceArgs) -> anyhow::Result<Report> {
    args.report.iter().try_for_each(|file| form(file).map(drop))?;
    if args.samples == 0 {
        bail!("--samples 0 would prove nothing of longer scenarios");
    }
    let stores = stores(&args.store)?;
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let complete = args.fixtures.is_empty();
    let command = std::iter::once("cargo xtask conformance".to_owned())
        .chain(args.fixtures.iter().map(|folder| format!("--fixtures {}", folder.display())));
    let options = Options {
        complete,
        provider: args.provider,
        scenario: args.scenario,
        law: args.law,
        schedule: args.schedule,
        effort: Effort { samples: args.samples, ..Effort::FULL },
        seed: args.seed,
        allow_skip: args.allow_skip,
        command: command.collect::<Vec<_>>().join(" "),
        progress: io::stderr().is_terminal().then_some(progress),
        ..Options::new(if complete { vec![own] } else { args.fixtures.clone() })
    };
    let runtime = tokio::runtime::Runtime::new().context("there is no runtime")?;
    let report = runtime.block_on(purchase_conformance::run(&options, PROVIDERS, &stores))?;
    for file in &args.report {
        let text = match form(file)? {
            Form::Json => report.to_json(),
            Form::Junit => report.to_junit().context("the report can't be written as JUnit")?,
        };
        fs::write(file, text).with_context(|| format!("{} can't be written", file.display()))?;
    }
    match args.format {
        Format::Json => println!("{}", report.to_json()),
        Format::Text => print!("{}", report.to_text()),
    }
    Ok(report)
}

fn stores(names: &[String]) -> anyhow::Result<Vec<StoreUnderTest>> {
    let mut stores: Vec<StoreUnderTest> = STORES.iter().map(|open| open()).collect();
    if let Some(unknown) = names.iter().find(|name| !stores.iter().any(|store| store.name == name.as_str())) {
        let known: Vec<&str> = stores.iter().map(|store| store.name).collect();
        bail!("there is no store {unknown:?}; known are {}", known.join(", "));
    }
    stores.retain(|store| names.is_empty() || names.iter().any(|name| name == store.name));
    Ok(stores)
}

enum Form {
    Json,
    Junit,
}

fn form(file: &Path) -> anyhow::Result<Form> {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("json") => Ok(Form::Json),
        Some("xml") => Ok(Form::Junit),
        _ => bail!("{}: a report is written as .json or as .xml (JUnit)", file.display()),
    }
}

fn progress(done: usize, total: usize) {
    let end = if done == total { "\n" } else { "" };
    let mut terminal = io::stderr().lock();
    // A terminal that went away is no reason to stop.
    let _ = write!(terminal, "\r{done}/{total} cases{end}").and_then(|()| terminal.flush());
}
