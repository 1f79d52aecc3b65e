//! Decides how the example Worker is built, and how its binding of D1 is judged: the compiled program is packed by the
//! version of wasm-bindgen that it was linked with, and a build for tests runs in workerd beside the kit.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ExitCode, Stdio},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use crate::{
    services,
    shell::{self, Tone, paint},
    wasm,
};

/// What the modules are called; `entry.mjs` names them.
const NAME: &str = "worker";

/// Builds the example Worker, or judges its database.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds and packs the Worker, and says where it is and how large.
    Build {
        /// Adds the route that runs any SQL: never for deployment.
        #[arg(long)]
        judge: bool,
    },
    /// Judges the store on the Worker's binding by every law, in workerd.
    Test,
}

pub(crate) fn run(args: &WorkerArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Task::Build { judge } => {
            build(judge)?;
        }
        Task::Test => test()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Answers the folder of the modules.
fn build(judge: bool) -> anyhow::Result<PathBuf> {
    let source = shell::root().join("examples/worker");
    let target = shell::target_dir().join("worker");
    let mut pack = shell::cargo();
    pack.args(["build", "--locked", "--package", "purchase-worker-pack"]).current_dir(&source);
    // It runs once a build, so it is not optimized either.
    pack.arg("--target-dir").arg(shell::target_dir().join("worker-pack"));
    shell::must(&mut pack)?;
    let mut compile = shell::cargo();
    compile.args(["build", "--locked", "--release", "--package", "purchase-worker", "--target", wasm::TARGET]);
    compile.arg("--target-dir").arg(&target).current_dir(&source).envs(wasm::environment()?);
    if judge {
        compile.args(["--features", "judge"]);
    }
    shell::must(&mut compile)?;
    let compiled = target.join(wasm::TARGET).join("release/purchase_worker.wasm");
    let folder = target.join(if judge { "judge" } else { "dist" });
    // What an earlier build left is not part of this one.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} can't be emptied", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let mut packer = std::process::Command::new(shell::target_dir().join("worker-pack/debug/purchase-worker-pack"));
    shell::must(packer.arg(&compiled).arg(&folder).arg(NAME))?;
    fs::copy(source.join("entry.mjs"), folder.join("entry.mjs"))?;
    let packed = folder.join(format!("{NAME}_bg.wasm"));
    let (raw, packed) = (kilobytes(&compiled)?, kilobytes(&packed)?);
    println!("{} {raw} KB compiled, {packed} KB packed", paint(Tone::Good, &folder.display().to_string()));
    Ok(folder)
}

fn kilobytes(file: &Path) -> anyhow::Result<u64> {
    let bytes = fs::metadata(file).with_context(|| format!("{} is not there", file.display()))?.len();
    Ok(bytes.div_ceil(1000))
}

fn test() -> anyhow::Result<()> {
    let folder = build(true)?;
    let (mut command, variables) = services::d1_host()?;
    let mut host = Host(command.arg("--worker").arg(&folder).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
    let stdout = host.0.stdout.take().context("the host has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let Some(url) = line.trim().strip_prefix("listening on ") else { bail!("the host said {line:?}") };
    let mut judge = shell::cargo();
    judge.args(["test", "--quiet", "--package", "purchase-d1", "--test", "binding"]);
    judge.envs(variables).env("PURCHASE_TEST_D1_URL", url);
    shell::must(&mut judge)
}

/// A server, until it is dropped.
struct Host(Child);

impl Drop for Host {
    fn drop(&mut self) {
        // Asked and not killed, so that it ends workerd as well.
        drop(std::process::Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status());
        drop(self.0.wait());
    }
}
