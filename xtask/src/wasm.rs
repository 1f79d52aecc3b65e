//! Decides how core and the adapters are shown to build where there is no operating system. The standard library for the
//! target is the toolchain's own where it has one, and is built into a private folder otherwise.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::bail;
use clap::Args;

use crate::shell::{self, Tone, paint};

/// What a Worker is compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The linter in a prefix that the set-up script has made ready.
const CLIPPY: &str = "bin/cargo-clippy";

/// Builds core and the adapters for wasm32-unknown-unknown.
#[derive(Debug, Args)]
pub(crate) struct WasmArgs {
    /// Only makes sure that there is a standard library for the target; on Debian it can be built (500 MB, one minute).
    #[arg(long)]
    prepare: bool,
}

/// Where the standard library for the target comes from.
enum Std {
    /// The toolchain has it.
    Installed,
    /// A prefix that the set-up script has made ready.
    Prefix(PathBuf),
}

/// Builds.
pub(crate) fn run(args: WasmArgs) -> anyhow::Result<ExitCode> {
    let environment = environment()?;
    if args.prepare {
        println!("{}", paint(Tone::Good, &format!("a standard library for {TARGET} is there")));
        return Ok(ExitCode::SUCCESS);
    }
    let packages = ["purchase-core".to_owned()].into_iter().chain(adapters()?);
    let mut build = shell::cargo();
    // Its own folder: the compiler is another one, and a shared folder would be rebuilt at every change of hands.
    build.args(["build", "--locked", "--target", TARGET]).arg("--target-dir").arg(shell::target_dir().join("wasm"));
    // Nothing of it runs, so nothing is optimized.
    build.args(["--config", "profile.dev.opt-level=0", "--config", "profile.dev.package.\"*\".opt-level=0"]);
    for package in packages {
        build.args(["--package", &package]);
    }
    build.envs(environment);
    shell::must(&mut build)?;
    println!("{}", paint(Tone::Good, &format!("core and the adapters build for {TARGET}")));
    Ok(ExitCode::SUCCESS)
}

/// What cargo has to be told to build for the target, whose standard library is made where there is none.
pub(crate) fn environment() -> anyhow::Result<Vec<(String, String)>> {
    let std = match find() {
        Some(std) => std,
        None => make()?,
    };
    match std {
        Std::Installed => Ok(Vec::new()),
        Std::Prefix(prefix) => variables(&prefix),
    }
}

/// Clippy for the target, as cargo's own command.
pub(crate) fn clippy() -> anyhow::Result<Command> {
    let environment = environment()?;
    let mut clippy = match find() {
        // It has to be of the version that made the standard library.
        Some(Std::Prefix(prefix)) => {
            let mut clippy = Command::new(prefix.join(CLIPPY));
            clippy.arg("clippy").env("CARGO", shell::cargo().get_program());
            clippy
        }
        _ => {
            let mut clippy = shell::cargo();
            clippy.arg("clippy");
            clippy
        }
    };
    clippy.args(["--target", TARGET]).envs(environment);
    Ok(clippy)
}

/// Whether the target can be built for right now.
pub(crate) fn is_ready() -> bool {
    find().is_some()
}

fn prefix() -> PathBuf {
    match env::var_os("PURCHASE_WASM_PREFIX") {
        Some(prefix) => PathBuf::from(prefix),
        None => shell::target_dir().join("wasm-std"),
    }
}

fn find() -> Option<Std> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(shell::root()).args(["--print", "target-libdir", "--target", TARGET]);
    let libraries = shell::output(&mut rustc).unwrap_or_default();
    if holds_std(Path::new(libraries.trim())) {
        return Some(Std::Installed);
    }
    let prefix = prefix();
    let libraries = prefix.join("usr/lib/rustlib").join(TARGET).join("lib");
    let made = holds_std(&libraries) && ["env", CLIPPY].iter().all(|file| prefix.join(file).exists());
    made.then_some(Std::Prefix(prefix))
}

fn holds_std(folder: &Path) -> bool {
    let files = folder.read_dir().into_iter().flatten().flatten();
    files.into_iter().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}

fn make() -> anyhow::Result<Std> {
    let prefix = prefix();
    eprintln!("no standard library for {TARGET} is installed; building one into {}", prefix.display());
    let script = shell::root().join("xtask/setup-wasm-std.sh");
    shell::must(Command::new("bash").arg(script).arg(&prefix))?;
    match find() {
        Some(std) => Ok(std),
        None => bail!("the set-up script left no standard library for {TARGET} in {}", prefix.display()),
    }
}

/// The variables that the set-up script wrote down: `export NAME=VALUE`, several a line.
fn variables(prefix: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(prefix.join("env"))?;
    let words = text.split_ascii_whitespace().filter_map(|word| word.split_once('='));
    Ok(words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The packages of the adapters, by their folders.
pub(crate) fn adapters() -> anyhow::Result<Vec<String>> {
    let mut packages = Vec::new();
    for room in shell::root().join("adapters").read_dir()? {
        packages.push(format!("purchase-{}", room?.file_name().to_string_lossy()));
    }
    packages.sort();
    Ok(packages)
}
