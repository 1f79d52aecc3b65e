//! Decides how the example Worker is built and tested. The compiled program is packed by the same version of
//! wasm-bindgen that it was linked with. A test build runs in workerd: there the kit checks the D1 binding, and a test
//! posts scenarios to the Worker.

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

/// The folder of the Worker, which is a separate workspace.
pub(crate) const SOURCE: &str = "examples/worker";
/// The base name of the generated modules; `entry.mjs` imports them by it.
const NAME: &str = "worker";
/// The providers that the Worker serves.
const PROVIDERS: [&str; 2] = ["paddle", "stripe"];
/// The longest time that Node and workerd may take to start, and to stop after they are asked to.
const PATIENCE: Duration = Duration::from_secs(30);

/// Builds the example Cloudflare Worker, lints it, or tests it together with its database.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds and packs the Worker, and prints its folder and its size.
    Build,
    /// Runs clippy on the Worker and on the D1 binding store, which compile only for WebAssembly.
    Check,
    /// Posts scenarios to the Worker in workerd, and checks the D1 binding store against every law.
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

/// The purpose of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Deployment,
    /// For tests: a quicker build with an additional route that runs any SQL.
    Tests,
}

impl Purpose {
    /// The cargo profile, and the folder for the modules.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Deployment => ("release", "dist"),
            Self::Tests => ("judge", "judged"),
        }
    }
}

/// Runs clippy and treats warnings as errors.
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

/// Builds the Worker and returns the folder of its modules.
fn build(purpose: Purpose) -> anyhow::Result<PathBuf> {
    let source = shell::root().join(SOURCE);
    let target = shell::target_dir().join("worker");
    let (profile, folder) = purpose.names();
    let mut pack = shell::cargo();
    pack.args(["build", "--quiet", "--locked", "--package", "purchase-worker-pack"]).current_dir(&source);
    // The packer runs once per build, so optimizing it would take longer than it saves.
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
    // Files of an earlier build must not end up in this one.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} can't be emptied", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be created", folder.display()))?;
    let mut packer = Command::new(shell::target_dir().join("worker-pack/debug/purchase-worker-pack"));
    shell::must(packer.arg(&compiled).arg(&folder).arg(NAME))?;
    fs::copy(source.join("entry.mjs"), folder.join("entry.mjs"))?;
    let packed = folder.join(format!("{NAME}_bg.wasm"));
    let (raw, packed) = (kilobytes(&compiled)?, kilobytes(&packed)?);
    println!("{} {raw} KB compiled, {packed} KB packed", paint(Tone::Good, &folder.display().to_string()));
    Ok(folder)
}

fn kilobytes(file: &Path) -> anyhow::Result<u64> {
    let bytes = fs::metadata(file).with_context(|| format!("{} is missing", file.display()))?.len();
    Ok(bytes.div_ceil(1000))
}

fn test() -> anyhow::Result<()> {
    let begin = Instant::now();
    let folder = build(Purpose::Tests)?;
    let judge = conformance::program()?;
    println!("built in {:.0} s", begin.elapsed().as_secs_f64());
    let host = Host::start(&folder)?;
    // This runs first, so that the Worker finds a database without tables and must create them.
    let mut whole = shell::cargo();
    // The whole workspace, so that its packages are built with the same features as for its other tests.
    whole.args(["test", "--quiet", "--workspace", "--all-features", "--test", "it", "--", "worker::", "--show-output"]);
    shell::must(whole.envs(host.variables()))?;
    let mut laws = Command::new(judge);
    laws.args(["--store", "d1-binding", "--draw", "1", "--samples", "1"]);
    shell::must(laws.envs(host.variables()))?;
    println!("{}", paint(Tone::Good, "every law holds for the Worker and its D1 binding"));
    Ok(())
}

/// A Worker running in workerd. It stops when dropped.
struct Host {
    child: Child,
    /// Kept open, because the host would end if nobody read its output.
    stdout: Option<BufReader<ChildStdout>>,
    variables: Variables,
}

impl Host {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let (mut command, variables) = services::d1_host()?;
        let token = variables.iter().find(|(name, _)| *name == services::D1_TOKEN);
        let (_, token) = token.context("the local D1 has no token")?;
        // Two secrets, as during a secret rotation.
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
        // A separate process group, so that workerd can be killed with the host.
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
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            bail!("the host printed {line:?} instead of its address")
        };
        host.variables.extend([(services::D1_URL, url.to_owned()), ("PURCHASE_TEST_WORKER_SECRET", SECRET.to_owned())]);
        Ok(host)
    }

    /// The first line of the host's output, which it prints when it is ready.
    fn first_line(&mut self) -> anyhow::Result<String> {
        let stdout = self.child.stdout.take().context("the host has no output")?;
        let (sender, receiver) = mpsc::channel();
        // This thread ends with the host at the latest.
        thread::spawn(move || {
            let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
            let read = stdout.read_line(&mut line);
            // The receiver may have given up waiting.
            drop(sender.send((read.map(|_| line), stdout)));
        });
        let said = receiver.recv_timeout(PATIENCE);
        let (line, stdout) = said.with_context(|| format!("the host printed nothing for {} s", PATIENCE.as_secs()))?;
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

/// One catalogue for all scenarios, as the Worker's variable contains it. No price appears in two scenarios.
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
