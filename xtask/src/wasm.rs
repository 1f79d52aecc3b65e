//! Decides how to check that core and the adapters build for a target without an operating system. The standard library
//! for the target comes from the toolchain if it has one; otherwise it is built into a private folder.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::bail;
use clap::Args;

use crate::shell::{self, Tone, paint};

/// The compilation target of a Worker.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Clippy's path within a prefix that the set-up script prepared.
const CLIPPY: &str = "bin/cargo-clippy";

/// Builds core and the adapters for wasm32-unknown-unknown.
#[derive(Debug, Args)]
pub(crate) struct WasmArgs {
    /// Only ensures that a standard library for the target is available. On Debian this builds it if necessary (500 MB,
    /// one minute).
    #[arg(long)]
    prepare: bool,
}

/// The source of the target's standard library.
enum Std {
    /// The toolchain contains it.
    Installed,
    /// A prefix that the set-up script prepared.
    Prefix(PathBuf),
}

/// Builds core and the adapters for the target.
pub(crate) fn run(args: WasmArgs) -> anyhow::Result<ExitCode> {
    let environment = environment()?;
    if args.prepare {
        println!("{}", paint(Tone::Good, &format!("a standard library for {TARGET} is available")));
        return Ok(ExitCode::SUCCESS);
    }
    let packages = ["purchase-core".to_owned()].into_iter().chain(adapters()?);
    let mut build = shell::cargo();
    // A separate target folder: the compiler may differ, and with a shared folder every change of compiler would cause
    // a full rebuild.
    build.args(["build", "--locked", "--target", TARGET]).arg("--target-dir").arg(shell::target_dir().join("wasm"));
    // The result is never run, so optimizing it would waste time.
    build.args(["--config", "profile.dev.opt-level=0", "--config", "profile.dev.package.\"*\".opt-level=0"]);
    for package in packages {
        build.args(["--package", &package]);
    }
    build.envs(environment);
    shell::must(&mut build)?;
    println!("{}", paint(Tone::Good, &format!("core and the adapters build for {TARGET}")));
    Ok(ExitCode::SUCCESS)
}

/// The environment variables that cargo needs to build for the target. If there is no standard library for it, this
/// builds one.
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

/// Clippy for the target, as a cargo command.
pub(crate) fn clippy() -> anyhow::Result<Command> {
    let environment = environment()?;
    let mut clippy = match find() {
        // Clippy must have the same version as the compiler that built the standard library.
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

/// Whether the target can be built without preparation.
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

/// The variables that the set-up script wrote: `export NAME=VALUE`, several per line.
fn variables(prefix: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(prefix.join("env"))?;
    let words = text.split_ascii_whitespace().filter_map(|word| word.split_once('='));
    Ok(words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The names of the adapters' packages, from their folders.
pub(crate) fn adapters() -> anyhow::Result<Vec<String>> {
    let mut packages = Vec::new();
    for room in shell::root().join("adapters").read_dir()? {
        packages.push(format!("purchase-{}", room?.file_name().to_string_lossy()));
    }
    packages.sort();
    Ok(packages)
}
