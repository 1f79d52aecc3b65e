//! The project's own commands: `cargo xtask --help` lists them. Each module is one command; `beside`, `scenarios`, `shell`, `signals`
//! and `steps` serve several.

mod bench;
mod beside;
mod conformance;
mod crash;
mod hostile;
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
    /// Measures what a delivery costs, each time beside the least that it could cost.
    Bench(bench::BenchArgs),
    /// Runs `test` as CI does: no colours, the `ci` profile of nextest, and no skip that isn't allowed by name.
    Ci(test::TestArgs),
    /// Replays every scenario in every order, and judges adapters and stores by the laws of the kit.
    Conformance(conformance::ConformanceArgs),
    /// Kills the webhook server again and again while deliveries come, and compares the end with an undisturbed run.
    Crash(crash::CrashArgs),
    /// Measures how the webhook server serves a good sender while hostile clients attack it.
    Hostile(hostile::HostileArgs),
    /// Stamps out a new adapter: a package that compiles, whose tests fail and say what to write next.
    NewAdapter(new_adapter::NewAdapterArgs),
    /// Receives deliveries on this machine and writes them down as a scenario, scrubbed.
    Record(record::RecordArgs),
    /// Starts, shows and stops the servers that tests use: PostgreSQL and a local Cloudflare D1.
    Services(services::ServicesArgs),
    /// Judges what `test` leaves out: SQLite on every scenario, PostgreSQL and D1 on six that are drawn of each provider.
    Soak(soak::SoakArgs),
    /// Runs everything that CI runs.
    Test(test::TestArgs),
    /// Checks the rules of the house that no compiler knows.
    Tidy(tidy::TidyArgs),
    /// Builds core and the adapters for wasm32-unknown-unknown.
    Wasm(wasm::WasmArgs),
    /// Builds the example Worker, or judges it and its database.
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
