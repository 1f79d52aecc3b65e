//! The project's own commands: `cargo xtask --help` lists them. Each module is one command; `beside`, `scenarios`,
//! `shell`, `signals` and `steps` are shared by several commands.

mod bench;
mod beside;
mod conformance;
mod crash;
mod hostile;
mod judges;
mod new_adapter;
mod record;
mod scenarios;
mod services;
mod shell;
mod signals;
mod soak;
mod steps;
mod test;
mod tidy;
mod wasm;
mod worker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures the cost of a delivery, next to a floor: the least work that any receiver would have to do.
    Bench(bench::BenchArgs),
    /// Runs `test` as CI does: without colours, with nextest's `ci` profile, and with every skip a failure unless
    /// --allow-skip names it.
    Ci(test::TestArgs),
    /// Replays every scenario in every order, and checks adapters and stores against the laws of the conformance kit.
    Conformance(conformance::ConformanceArgs),
    /// Kills the webhook server repeatedly while deliveries arrive, and compares the result with an undisturbed run.
    Crash(crash::CrashArgs),
    /// Measures how the webhook server serves a well-behaved sender while hostile clients attack it.
    Hostile(hostile::HostileArgs),
    /// Lets the official SDKs walk through the emulators: each answer is parsed and each delivery verified by them.
    Judges(judges::JudgesArgs),
    /// Creates a new adapter from a template: the package compiles, and its failing tests say what to write next.
    NewAdapter(new_adapter::NewAdapterArgs),
    /// Receives deliveries on this machine, masks personal and secret values, and writes the deliveries to disk as a
    /// scenario.
    Record(record::RecordArgs),
    /// Starts, shows and stops the servers that tests need: PostgreSQL and a local Cloudflare D1.
    Services(services::ServicesArgs),
    /// Runs the longer checks that `test` leaves out: SQLite on every scenario; PostgreSQL and D1 on six randomly drawn
    /// scenarios of each provider; twenty thousand lifecycles in each emulator.
    Soak(soak::SoakArgs),
    /// Runs all checks that CI runs.
    Test(test::TestArgs),
    /// Checks the project's rules that neither the compiler nor clippy checks.
    Tidy(tidy::TidyArgs),
    /// Builds core and the adapters for wasm32-unknown-unknown.
    Wasm(wasm::WasmArgs),
    /// Builds the example Cloudflare Worker, lints it, or tests it together with its database.
    Worker(worker::WorkerArgs),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match shell::find_root().and_then(|()| run(command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Bench(args) => bench::run(args),
        Command::Ci(args) => test::run(args, true),
        Command::Conformance(args) => conformance::run(&args),
        Command::Crash(args) => crash::run(args),
        Command::Hostile(args) => hostile::run(&args),
        Command::Judges(args) => judges::run(&args),
        Command::NewAdapter(args) => new_adapter::run(&args),
        Command::Record(args) => record::run(args),
        Command::Services(args) => services::run(&args),
        Command::Soak(args) => soak::run(&args),
        Command::Test(args) => test::run(args, std::env::var_os("CI").is_some()),
        Command::Tidy(args) => tidy::run(args),
        Command::Wasm(args) => wasm::run(args),
        Command::Worker(args) => worker::run(&args),
    }
}
