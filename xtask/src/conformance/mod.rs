//! Decides how the project's own adapters and stores are judged together: a small program is made from what stands in
//! `adapters/` and `stores/`, built, and run with the same arguments. What it is asked and answers is the kit's `cli`.

mod judge;

use std::{
    env,
    ffi::OsString,
    io::{self, BufRead, BufReader, IsTerminal},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, bail};
use clap::Args;

use crate::shell;

/// Replays every scenario in every order, and judges adapters and stores by the laws of the kit.
///
/// `cargo xtask conformance --help` shows its options.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct ConformanceArgs {
    /// What the kit is asked.
    #[arg(num_args = 0.., allow_hyphen_values = true, trailing_var_arg = true, value_name = "OPTIONS")]
    arguments: Vec<OsString>,
}

/// Builds the program and runs it. Exit code 2 when it can't be built: then nothing was proved.
pub(crate) fn run(args: &ConformanceArgs) -> anyhow::Result<ExitCode> {
    let program = match program() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("error: {error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    let status = Command::new(&program)
        .args(&args.arguments)
        .status()
        .with_context(|| format!("could not start {}", program.display()))?;
    // A program that was killed has proved nothing either.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)))
}

/// Builds the program that has every adapter and every store, and says where it is.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    build(&judge::generate(&shell::root(), &shell::target_dir())?)
}

/// Builds the package of a manifest, without the network where that is possible, and says where its program is.
fn build(manifest: &Path) -> anyhow::Result<PathBuf> {
    let (offline, said) = try_build(manifest, &["--offline"])?;
    match offline {
        Some(program) => return Ok(program),
        // Cargo names the flag wherever it was in the way.
        None if said.contains("offline") => {}
        None => bail!("the judge can't be built:\n{said}"),
    }
    match try_build(manifest, &[])? {
        (Some(program), _) => Ok(program),
        (None, said) => bail!("the judge can't be built:\n{said}"),
    }
}

/// What cargo built, if it did, and what it said.
fn try_build(manifest: &Path, flags: &[&str]) -> anyhow::Result<(Option<PathBuf>, String)> {
    let terminal = io::stderr().is_terminal();
    let mut cargo = shell::cargo();
    cargo.args(["build", "--message-format", "json-render-diagnostics"]).args(flags);
    cargo.arg("--manifest-path").arg(manifest).env("CARGO_TARGET_DIR", shell::target_dir());
    if terminal && env::var_os("NO_COLOR").is_none() {
        cargo.env("CARGO_TERM_COLOR", "always");
    }
    let what = shell::shown(&cargo);
    let mut child = cargo
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{what}`"))?;
    let (stdout, stderr) = (child.stdout.take().context("no output")?, child.stderr.take().context("no output")?);
    let said = std::thread::spawn(move || {
        let mut said = String::new();
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if terminal {
                eprintln!("{line}");
            }
            said.extend([&line, "\n"]);
        }
        said
    });
    let mut program = None;
    for line in BufReader::new(stdout).lines() {
        let message: serde_json::Value = serde_json::from_str(&line?).unwrap_or_default();
        program = message["executable"].as_str().map(PathBuf::from).or(program);
    }
    let status = child.wait()?;
    let said = said.join().unwrap_or_default();
    match (status.success(), program) {
        (true, Some(program)) => Ok((Some(program), said)),
        (true, None) => bail!("`{what}` built no program"),
        (false, _) => Ok((None, said)),
    }
}
