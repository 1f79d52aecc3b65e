//! Decides how a command line runs the kit: the options, the output, the report files and the exit code. Any program
//! with an adapter or a store can be such a command. The laws are defined elsewhere.

mod verify;

use std::{
    env, io,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
};

use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

use purchase_core::error::Cause;

use crate::{
    law::Effort,
    options::{Options, RunError, quoted},
    progress::Progress,
    report::{Form, Report, ReportError},
    runner,
    schedule::Written,
    trials::is_set,
    under_test::{ProviderUnderTest, StoreUnderTest, memory},
    verdict::chain,
};

/// The configuration of a judging command.
#[derive(Debug, Clone)]
pub struct Judge {
    /// The command as it is typed, without its arguments. The help shows it, and commands that play a schedule again
    /// begin with it.
    pub command: &'static str,
    /// The folder of all existing fixtures, `<provider>/<scenario>/` in it. They are judged unless `--fixtures` names
    /// others.
    pub fixtures: PathBuf,
    /// The adapters.
    pub providers: Vec<ProviderUnderTest>,
    /// The stores in addition to the in-memory store, which is always available.
    pub stores: Vec<StoreUnderTest>,
}

/// Replays every scenario in every order, with duplicates, batches, crashes and concurrent workers, and judges
/// adapters and stores by the laws of the kit.
///
/// Exit code 0: all laws hold. 1: a law is broken, or a mutant survived. 2: nothing ran, or something was skipped that
/// --allow-skip doesn't name.
#[derive(Debug, Clone, Parser)]
#[command(disable_version_flag = true, max_term_width = 110)]
struct Arguments {
    /// A folder of fixtures, `<provider>/<scenario>/` in it. Repeatable; replaces the project's own.
    #[arg(long, value_name = "DIR")]
    fixtures: Vec<PathBuf>,
    /// Only this provider.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Only this store. Repeatable. Default: every store that needs no server.
    #[arg(long, value_name = "NAME")]
    store: Vec<String>,
    /// Only this scenario, or every scenario whose name contains this text.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Only this law, by its id.
    #[arg(long, value_name = "ID")]
    law: Option<String>,
    /// Only N scenarios of each provider, drawn by the seed. If a law applies to none of them, one more is drawn.
    #[arg(long, value_name = "N", conflicts_with = "scenario", value_parser = clap::value_parser!(u32).range(1..))]
    draw: Option<u32>,
    /// Plays one schedule of the named scenarios: delivery numbers, with commas between batches and + within a batch.
    #[arg(long, value_name = "3,1+2", requires = "scenario")]
    schedule: Option<Written>,
    /// The number of random schedules for each scenario that is too long to play in every order.
    #[arg(long, value_name = "N", default_value_t = Effort::FULL.samples)]
    samples: usize,
    /// The seed of every random choice.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also writes the report to a file. The end of its name selects the format: .html, .json, .md, .xml (JUnit), or
    /// badge.json for a badge. Repeatable.
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
    /// Allows a skip: the name that the report gives for it, or the name of a store whose server is missing.
    /// Repeatable.
    #[arg(long, value_name = "NAME")]
    allow_skip: Vec<String>,
    /// Judges nothing. Says for each delivery on standard input whether the provider signed it with the secret in
    /// this environment variable.
    #[arg(long, value_name = "VARIABLE", requires = "provider", hide = true)]
    verify: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Text,
}

/// Why nothing was judged, or why the result could not be written.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the environment variable {0} is not set or is not UTF-8; set it to the signing secret")]
    NoSecret(String),
    #[error("--samples 0 would prove nothing about longer scenarios; use 1 or more")]
    NoSamples,
    #[error("the store {store} needs a server, but {variable} is not set; set it, or pass --allow-skip {store}")]
    NoServer { store: &'static str, variable: &'static str },
    #[error("every requested store is skipped")]
    NoStores,
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("the async runtime can't be started")]
    Runtime(#[source] io::Error),
    #[error("deliveries can't be verified")]
    Verify(#[source] Cause),
}

/// Runs the kit as the command line says. It is the whole `main` of a judging command.
pub fn main(judge: Judge) -> ExitCode {
    let command = Arguments::command().name(judge.command).bin_name(judge.command);
    let asked = Arguments::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    let judged = match &asked.verify {
        Some(variable) => verify(&judge, asked.provider.as_deref().unwrap_or_default(), variable).map(|()| None),
        None => run(judge, asked).map(Some),
    };
    match judged {
        Ok(report) => report.map_or(ExitCode::SUCCESS, |report| report.to_exit()),
        // Nothing was proved. The exit code says so, whatever the reason.
        Err(fault) => {
            eprintln!("error: {}", chain(&fault));
            ExitCode::from(2)
        }
    }
}

fn verify(judge: &Judge, name: &str, variable: &str) -> Result<(), Fault> {
    let Some(provider) = judge.providers.iter().find(|provider| provider.name == name) else {
        let known: Vec<&str> = judge.providers.iter().map(|provider| provider.name).collect();
        return Err(RunError::Unknown { what: "provider", name: name.to_owned(), known: known.join(", ") }.into());
    };
    let secret = env::var(variable).map_err(|_| Fault::NoSecret(variable.to_owned()))?;
    verify::answer(provider, &secret).map_err(Fault::Verify)
}

fn run(judge: Judge, asked: Arguments) -> Result<Report, Fault> {
    // File names are checked before the run, so that a wrong name doesn't waste it.
    asked.report.iter().try_for_each(|file| Form::of(file).map(drop))?;
    if asked.samples == 0 {
        return Err(Fault::NoSamples);
    }
    let stores = served(stores(judge.stores, &asked.store)?, &asked.allow_skip)?;
    let complete = asked.fixtures.is_empty();
    let command = std::iter::once(judge.command.to_owned())
        .chain(asked.fixtures.iter().map(|folder| format!("--fixtures {}", quoted(&folder.to_string_lossy()))));
    let options = Options {
        complete,
        provider: asked.provider,
        scenario: asked.scenario,
        draw: asked.draw.map(|max| max as usize),
        law: asked.law,
        schedule: asked.schedule,
        effort: Effort { samples: asked.samples, ..Effort::FULL },
        seed: asked.seed,
        allow_skip: asked.allow_skip,
        command: command.collect::<Vec<_>>().join(" "),
        progress: Some(count),
        ..Options::new(if complete { vec![judge.fixtures] } else { asked.fixtures.clone() })
    };
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    let hunts = !options.narrowed();
    let shown = Progress::start(move || going_on(hunts));
    let report = runtime.block_on(runner::run(&options, &judge.providers, &stores))?;
    drop(shown);
    match asked.format {
        Format::Json => println!("{}", report.to_json()),
        Format::Text => anstream::print!("{}", report.to_colored_text()),
    }
    asked.report.iter().try_for_each(|file| report.write(file))?;
    Ok(report)
}

fn stores(brought: Vec<StoreUnderTest>, names: &[String]) -> Result<Vec<StoreUnderTest>, RunError> {
    let mut stores = vec![memory()];
    stores.extend(brought);
    if let Some(unknown) = names.iter().find(|name| !stores.iter().any(|store| store.name == name.as_str())) {
        let known: Vec<&str> = stores.iter().map(|store| store.name).collect();
        return Err(RunError::Unknown { what: "store", name: unknown.clone(), known: known.join(", ") });
    }
    stores.retain(|store| match names {
        [] => store.server.is_none(),
        names => names.iter().any(|name| name == store.name),
    });
    Ok(stores)
}

/// The stores whose servers are available. Each skip is reported.
fn served(stores: Vec<StoreUnderTest>, allow_skip: &[String]) -> Result<Vec<StoreUnderTest>, Fault> {
    let mut served = Vec::new();
    for store in stores {
        match store.server.filter(|variable| !is_set(variable)) {
            None => served.push(store),
            Some(variable) if allow_skip.iter().any(|name| name == store.name) => {
                eprintln!("SKIPPED: {variable} is not set, so {} is not judged", store.name);
            }
            Some(variable) => return Err(Fault::NoServer { store: store.name, variable }),
        }
    }
    if served.is_empty() { Err(Fault::NoStores) } else { Ok(served) }
}

/// How many cases are finished, and the total. A command runs the kit once.
static DONE: AtomicUsize = AtomicUsize::new(0);
static TOTAL: AtomicUsize = AtomicUsize::new(0);

fn count(done: usize, total: usize) {
    TOTAL.store(total, Ordering::SeqCst);
    DONE.store(done, Ordering::SeqCst);
}

/// A description of the run for the progress display. If no option narrows the run, it tries the mutants at the end.
fn going_on(hunts: bool) -> String {
    match (DONE.load(Ordering::SeqCst), TOTAL.load(Ordering::SeqCst)) {
        (_, 0) => "no case has finished yet".to_owned(),
        (done, total) if done == total && hunts => format!("{done}/{total} cases, trying the mutants"),
        (done, total) => format!("{done}/{total} cases"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expect: &str) {
        let served = StoreUnderTest { name: "far", server: Some("PURCHASE_TEST_NOWHERE"), ..memory() };
        let (fixtures, providers) = ("nowhere".into(), vec![crate::acme::ACME]);
        let judge = Judge { command: "judge", fixtures, providers, stores: vec![served] };
        let asked = Arguments::try_parse_from(std::iter::once(&"judge").chain(arguments)).expect("arguments");
        let fault = run(judge, asked).map(|report| report.to_text()).expect_err(expect);
        assert_eq!(chain(&fault), expect);
    }

    #[test]
    fn what_cannot_be_run_is_told_before_anything_runs() {
        check(&["--samples", "0"], "--samples 0 would prove nothing about longer scenarios; use 1 or more");
        check(
            &["--report", "out.pdf"],
            "out.pdf: a report is written as .html, .json, .md, .xml (JUnit) or badge.json",
        );
        check(&["--store", "paper"], "there is no store \"paper\"; known: memory, far");
        check(&["--provider", "other"], "there is no provider \"other\"; known: acme");
    }

    #[test]
    fn a_store_without_its_server_proves_nothing() {
        let needs = "the store far needs a server, but PURCHASE_TEST_NOWHERE is not set; set it, or pass \
                     --allow-skip far";
        check(&["--store", "far"], needs);
        check(&["--store", "far", "--store", "memory", "--allow-skip", "other"], needs);
        check(&["--store", "far", "--allow-skip", "far"], "every requested store is skipped");
    }

    #[test]
    fn a_schedule_needs_its_scenario() {
        assert!(Arguments::try_parse_from(["judge", "--schedule", "1,2"]).is_err());
        assert!(Arguments::try_parse_from(["judge", "--schedule", "1,2", "--scenario", "a"]).is_ok());
    }
}
