//! Decides how the example Worker is built, and how it is judged: the compiled program is packed by the version of
//! wasm-bindgen that it was linked with, and a build for tests runs in workerd, where the kit judges its binding of D1
//! and a test posts scenarios to it.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use toml::{Table, Value};

use crate::{
    conformance,
    scenarios::SECRET,
    services::{self, Variables},
    shell::{self, Tone, paint},
    signals, wasm,
};

/// The Worker's own workspace.
pub(crate) const SOURCE: &str = "examples/worker";
/// What the modules are called; `entry.mjs` names them.
const NAME: &str = "worker";
/// The providers that the Worker serves.
const PROVIDERS: [&str; 2] = ["paddle", "stripe"];
/// How long Node and workerd take at most to start, and to end when they are asked.
const PATIENCE: Duration = Duration::from_secs(30);

/// Builds the example Worker, or judges it and its database.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds and packs the Worker, and says where it is and how large.
    Build,
    /// Has clippy look at the Worker and at the store's binding, which are compiled for WebAssembly alone.
    Check,
    /// Posts scenarios to the Worker in workerd, and judges the store on its binding by every law.
    Test,
}

pub(crate) fn run(args: &WorkerArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Task::Build => build(Purpose::Deployment).map(drop)?,
        Task::Check => check()?,
        Task::Test => test()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What a Worker is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Deployment,
    /// With a route that runs any SQL, and built quickly.
    Tests,
}

impl Purpose {
    /// The profile, and the folder of the modules.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Deployment => ("release", "dist"),
            Self::Tests => ("judge", "judged"),
        }
    }
}

/// No warnings.
fn check() -> anyhow::Result<()> {
    let target = shell::target_dir().join("worker-clippy");
    let source = shell::root().join(SOURCE);
    let deny = ["--", "--deny", "warnings"];
    let mut pack = shell::cargo();
    pack.args(["clippy", "--quiet", "--locked", "--package", "purchase-worker-pack", "--all-targets"]);
    shell::must(pack.arg("--target-dir").arg(&target).args(deny).current_dir(&source))?;
    let judged: &[&str] = &["--package", "purchase-worker", "--features", "judge"];
    let binding: &[&str] = &["--package", "purchase-d1", "--no-default-features", "--features", "worker"];
    for (folder, what) in [(&source, &judged[..2]), (&source, judged), (&shell::root(), binding)] {
        let mut clippy = wasm::clippy()?;
        clippy.args(["--quiet", "--locked", "--no-deps"]).args(what).arg("--target-dir").arg(&target);
        shell::must(clippy.args(deny).current_dir(folder))?;
    }
    println!("{}", paint(Tone::Good, "no warnings in the Worker and in the binding of D1"));
    Ok(())
}

/// Answers the folder of the modules.
fn build(purpose: Purpose) -> anyhow::Result<PathBuf> {
    let source = shell::root().join(SOURCE);
    let target = shell::target_dir().join("worker");
    let (profile, folder) = purpose.names();
    let mut pack = shell::cargo();
    pack.args(["build", "--quiet", "--locked", "--package", "purchase-worker-pack"]).current_dir(&source);
    // It runs once a build, so it is not optimized either.
    pack.arg("--target-dir").arg(shell::target_dir().join("worker-pack"));
    shell::must(&mut pack)?;
    let mut compile = shell::cargo();
    compile.args(["build", "--quiet", "--locked", "--profile", profile, "--package", "purchase-worker"]);
    compile.args(["--target", wasm::TARGET]).arg("--target-dir").arg(&target);
    compile.current_dir(&source).envs(wasm::environment()?);
    if purpose == Purpose::Tests {
        compile.args(["--features", "judge"]);
    }
    shell::must(&mut compile)?;
    let compiled = target.join(wasm::TARGET).join(profile).join("purchase_worker.wasm");
    let folder = target.join(folder);
    // What an earlier build left is not part of this one.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} can't be emptied", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let mut packer = Command::new(shell::target_dir().join("worker-pack/debug/purchase-worker-pack"));
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
    let begin = Instant::now();
    let folder = build(Purpose::Tests)?;
    let judge = conformance::program()?;
    println!("built in {:.0} s", begin.elapsed().as_secs_f64());
    let host = Host::start(&folder)?;
    // First, so that the Worker finds no tables and has to make them.
    let mut whole = shell::cargo();
    // All of the workspace, so that its packages are built as for its other tests.
    whole.args(["test", "--quiet", "--workspace", "--all-features", "--test", "it", "--", "worker::", "--show-output"]);
    shell::must(whole.envs(host.variables()))?;
    let mut laws = Command::new(judge);
    laws.args(["--store", "d1-binding", "--draw", "1", "--samples", "1"]);
    shell::must(laws.envs(host.variables()))?;
    println!("{}", paint(Tone::Good, "the Worker and its binding keep the laws"));
    Ok(())
}

/// A Worker in workerd, until it is dropped.
struct Host {
    child: Child,
    /// Kept open, for the host would end over an output that nobody takes.
    stdout: Option<BufReader<ChildStdout>>,
    variables: Variables,
}

impl Host {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let (mut command, variables) = services::d1_host()?;
        let token = variables.iter().find(|(name, _)| *name == services::D1_TOKEN);
        let (_, token) = token.context("the local D1 has no token")?;
        // The first secret is one that is being rolled.
        let secrets = format!("whsec_before,{SECRET}");
        command.arg("--worker").arg(folder);
        for (name, value) in [
            ("API_TOKEN", token.as_str()),
            ("CATALOG", &catalog()?),
            ("PADDLE_CUSTOM_DATA", "everywhere"),
            ("PADDLE_MODE", "test"),
            ("PADDLE_WEBHOOK_SECRET", &secrets),
            ("STRIPE_WEBHOOK_SECRET", &secrets),
        ] {
            command.arg("--var").arg(format!("{name}={value}"));
        }
        // Its own group, so that workerd can be killed with it.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let child = command.spawn().context("could not start node")?;
        let pid = child.id();
        let mut host = Self { child, variables, stdout: None };
        signals::before_end(move || {
            if services::runs(pid, "host.mjs") {
                drop(signals::to_process(pid, "TERM"));
            }
        })?;
        let line = host.first_line()?;
        let Some(url) = line.trim().strip_prefix("listening on ") else { bail!("the host said {line:?}") };
        host.variables.extend([(services::D1_URL, url.to_owned()), ("PURCHASE_TEST_WORKER_SECRET", SECRET.to_owned())]);
        Ok(host)
    }

    /// What it says when it is ready.
    fn first_line(&mut self) -> anyhow::Result<String> {
        let stdout = self.child.stdout.take().context("the host has no output")?;
        let (sender, receiver) = mpsc::channel();
        // It ends with the host at the latest.
        thread::spawn(move || {
            let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
            let read = stdout.read_line(&mut line);
            // Whoever waited may have given up.
            drop(sender.send((read.map(|_| line), stdout)));
        });
        let said = receiver.recv_timeout(PATIENCE);
        let (line, stdout) = said.with_context(|| format!("the host said nothing for {} s", PATIENCE.as_secs()))?;
        self.stdout = Some(stdout);
        Ok(line?)
    }

    fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Err(error) = signals::end_group(&mut self.child, PATIENCE) {
            eprintln!("error: the host can't be ended: {error:#}");
        }
        services::sweep_d1_locks();
    }
}

/// One catalogue for all scenarios, as the Worker's variable holds it: no two of them name the same price.
fn catalog() -> anyhow::Result<String> {
    let mut prices = Table::new();
    for provider in PROVIDERS {
        let folder = shell::root().join("fixtures").join(provider);
        for scenario in folder.read_dir().with_context(|| format!("{} can't be listed", folder.display()))? {
            let file = scenario?.path().join("catalog.toml");
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let catalog: Table = text.parse().with_context(|| format!("{} can't be read", file.display()))?;
            for (price, offer) in catalog.get("prices").and_then(Value::as_table).into_iter().flatten() {
                let other = prices.insert(price.clone(), offer.clone()).filter(|other| other != offer);
                if let Some(other) = other {
                    bail!("{}: {price} sells {offer} here and {other} in another scenario", file.display());
                }
            }
        }
    }
    Ok(json!({ "prices": prices }).to_string())
}
