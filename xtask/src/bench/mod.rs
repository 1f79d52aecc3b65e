//! Decides what is measured: the cost of a delivery, next to a floor, the least work that any receiver would have to
//! do. Measured runs and floor runs alternate, and the median over the rounds counts, so that a busy machine affects
//! both. Only the ratios can be compared between machines.

mod adapter;
mod copies;
mod d1;
mod database;
mod floor;
mod growth;
mod history;
mod ingest;
mod memory;
mod postgres;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::{
    services::{self, Service},
    shell::{self, Tone, paint},
};

/// Measures the cost of a delivery, next to a floor: the least work that any receiver would have to do.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The format of the table.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Processes a queue of this many events and prints the peak memory. The rows of `memory` start this.
    #[arg(long, hide = true, value_name = "EVENTS")]
    drain: Option<u64>,
    /// Also measures a database with a million stored events, which takes long to fill.
    #[arg(long)]
    full: bool,
    /// Also measures verifying and reading of every JSON file below this folder.
    #[arg(long, value_name = "DIR")]
    payloads: Option<PathBuf>,
    /// Measures only these rows; repeat the option for several. Default: all rows.
    #[arg(long, value_enum)]
    only: Vec<Rows>,
    /// The number of measurements of each pair; the median counts.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Fails if a ratio exceeds its target.
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Text,
}

/// A set of rows that is measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rows {
    /// Verifying and reading a delivery, in memory.
    Adapter,
    /// The whole processing into D1 over HTTP. The server is started unless the environment names one.
    D1,
    /// A database that contains many events, in SQLite and in PostgreSQL.
    Growth,
    /// A customer with a long history, in SQLite.
    History,
    /// The peak memory of a worker.
    Memory,
    /// The whole processing into PostgreSQL. The server is started unless the environment names one.
    Postgres,
    /// The whole processing into SQLite.
    Sqlite,
}

/// One row of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    ours: f64,
    floor: f64,
    ratio: f64,
    /// The target: the ratio should not exceed it.
    aim: f64,
    /// What the floor consists of.
    floor_is: &'static str,
    /// The number of deliveries that one round measures.
    deliveries: usize,
    /// The unit of `ours` and `floor`.
    unit: &'static str,
}

#[derive(Debug, Serialize)]
struct Report {
    rounds: u32,
    rows: Vec<Row>,
}

/// Measures in a release build.
pub(crate) fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    if cfg!(debug_assertions) {
        return in_release();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(events) = args.drain {
        runtime.block_on(memory::drain(events))?;
        return Ok(ExitCode::SUCCESS);
    }
    let scratch = shell::target_dir().join("bench");
    std::fs::create_dir_all(&scratch).with_context(|| format!("could not create {}", scratch.display()))?;
    // Next to the build, not in /tmp, which may be in memory: the cost of a synchronized commit is part of the
    // measurement.
    let scratch = tempfile::tempdir_in(scratch)?;
    let report = Report { rounds: args.rounds, rows: runtime.block_on(rows(&args, scratch.path()))? };
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        Format::Text => print(&report),
    }
    let missed = report.rows.iter().any(|row| row.ratio > row.aim);
    Ok(if missed && args.strict { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn rows(args: &BenchArgs, scratch: &Path) -> anyhow::Result<Vec<Row>> {
    let wanted = |rows: Rows| args.only.is_empty() || args.only.contains(&rows);
    let mut rows = Vec::new();
    if wanted(Rows::Adapter) {
        rows.extend(adapter::rows(args)?);
    }
    if wanted(Rows::Sqlite) {
        rows.extend(ingest::rows(args, scratch).await?);
    }
    if wanted(Rows::History) {
        rows.extend(history::rows(args, scratch).await?);
    }
    if wanted(Rows::Growth) {
        rows.extend(growth::sqlite(args, scratch).await?);
    }
    if wanted(Rows::D1) {
        rows.extend(d1::rows(args, &services::ensure(&[Service::D1])?).await?);
    }
    if [Rows::Growth, Rows::Memory, Rows::Postgres].into_iter().any(wanted) {
        let running = services::ensure(&[Service::Postgres])?;
        let (_, server) = running.variables().next().context("PostgreSQL is not running")?;
        if wanted(Rows::Postgres) {
            rows.extend(postgres::rows(args, server, scratch).await?);
        }
        if wanted(Rows::Growth) {
            rows.extend(growth::postgres(args, server).await?);
        }
        if wanted(Rows::Memory) {
            rows.extend(memory::rows(server).await?);
        }
    }
    Ok(rows)
}

fn in_release() -> anyhow::Result<ExitCode> {
    let mut cargo = shell::cargo();
    cargo.args(["run", "--release", "--quiet", "--package", "xtask", "--"]).args(std::env::args_os().skip(1));
    let status = cargo.status().context("could not start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &Report) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "ours", "floor", "ratio", "target", "unit", "the floor"]);
    for row in &report.rows {
        table.add_row([
            row.name.clone(),
            format!("{:.1}", row.ours),
            format!("{:.1}", row.floor),
            format!("{:.2}", row.ratio),
            format!("≤ {:.2}", row.aim),
            row.unit.to_owned(),
            row.floor_is.to_owned(),
        ]);
    }
    for column in 1..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    println!("the median of {} rounds, which measure ours and the floor alternately", report.rounds);
    for row in report.rows.iter().filter(|row| row.ratio > row.aim) {
        println!("{} {}", paint(Tone::Warn, "over its target:"), row.name);
    }
}

/// Times of several rounds.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn push(&mut self, since: Instant) {
        self.add(since.elapsed());
    }

    fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The median, in microseconds per delivery.
    fn micros_per(&self, deliveries: usize) -> f64 {
        let mut times: Vec<f64> = self.0.iter().map(Duration::as_secs_f64).collect();
        times.sort_by(f64::total_cmp);
        let middle = times.len() / 2;
        let median = match times.len() % 2 {
            _ if times.is_empty() => f64::NAN,
            0 => f64::midpoint(times[middle - 1], times[middle]),
            _ => times[middle],
        };
        #[expect(clippy::cast_precision_loss, reason = "a number of deliveries is small")]
        let per = median * 1e6 / deliveries as f64;
        per
    }
}

impl Row {
    fn new(name: String, aim: f64, floor_is: &'static str, deliveries: usize, ours: &Times, floor: &Times) -> Self {
        let (ours, floor) = (ours.micros_per(deliveries), floor.micros_per(deliveries));
        Self { name, ours, floor, ratio: ours / floor, aim, floor_is, deliveries, unit: "µs per delivery" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts() {
        let check = |millis: &[u64], expect: f64| {
            let times = Times(millis.iter().copied().map(Duration::from_millis).collect());
            assert!((times.micros_per(10) - expect).abs() < 1e-6, "{millis:?}");
        };
        check(&[1, 100, 2], 200.0);
        check(&[4, 1, 100, 2], 300.0);
    }
}
