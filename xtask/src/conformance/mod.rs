//! Decides how the project's own adapters and stores are checked together: this command generates a small program from
//! the packages in `adapters/` and `stores/`, builds it, and runs it with the same arguments. The kit's `cli` module
//! defines the arguments and the output.

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
use purchase_conformance::progress::Progress;

use crate::{
    services::{self, Running, Service},
    shell,
};

/// Replays every scenario in every order, and checks adapters and stores against the laws of the conformance kit.
///
/// `cargo xtask conformance --help` lists the options.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct ConformanceArgs {
    /// The arguments for the kit.
    #[arg(num_args = 0.., allow_hyphen_values = true, trailing_var_arg = true, value_name = "OPTIONS")]
    arguments: Vec<OsString>,
}

/// Builds the program and runs it with the servers that its stores need. The exit code is 2 if a server isn't
/// available, because then nothing was proved.
pub(crate) fn run(args: &ConformanceArgs) -> anyhow::Result<ExitCode> {
    let needed = needed(&shell::root(), &args.arguments);
    let ready = program().and_then(|program| Ok((program, servers(&needed, &args.arguments)?)));
    let (program, servers) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            eprintln!("error: {error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    let mut judge = Command::new(&program);
    // The environment may still name a server that isn't available.
    for name in needed.iter().flat_map(|service| service.variables()) {
        judge.env_remove(name);
    }
    let status = judge
        .args(&args.arguments)
        .envs(servers.iter().flat_map(Running::variables))
        .status()
        .with_context(|| format!("could not start {}", program.display()))?;
    // A program that was killed hasn't proved anything either.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)))
}

/// Builds the program with every adapter and every store, and returns its path.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    build(&judge::generate(&shell::root(), &shell::target_dir())?)
}

/// The servers of the stores that will be checked. An unavailable server that may be skipped is left out.
fn servers(needed: &[Service], arguments: &[OsString]) -> anyhow::Result<Vec<Running>> {
    let mut running = Vec::new();
    for service in needed {
        match services::ensure(&[*service]) {
            Ok(server) => running.push(server),
            Err(error) if values(arguments, "--allow-skip").contains(&service.name()) => {
                eprintln!("SKIPPED: {error:#}")
            }
            Err(error) => return Err(error),
        }
    }
    Ok(running)
}

/// Whether a store is checked. A store has the name of the server that it needs; it must provide a judge and be
/// selected.
fn needed(root: &Path, arguments: &[OsString]) -> Vec<Service> {
    let stores = values(arguments, "--store");
    let is_asked = |name: &str| stores.contains(&name);
    let is_judged = |name: &str| root.join("stores").join(name).join(judge::UNDER_TEST).is_file();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        return Vec::new();
    }
    Service::ALL.into_iter().filter(|service| is_asked(service.name()) && is_judged(service.name())).collect()
}

/// Every value of a command-line option, given as `--option VALUE` or `--option=VALUE`.
fn values<'a>(arguments: &'a [OsString], option: &str) -> Vec<&'a str> {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let apart = words.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1]);
    let joined = words.iter().filter_map(|word| word.strip_prefix(option)?.strip_prefix('='));
    apart.chain(joined).collect()
}

/// Builds the package of a manifest, offline if possible, and returns the path of its program.
fn build(manifest: &Path) -> anyhow::Result<PathBuf> {
    let _shown = Progress::start(|| "building the judge …".to_owned());
    let (offline, said) = try_build(manifest, &["--offline"])?;
    match offline {
        Some(program) => return Ok(program),
        // Cargo's error mentions the flag if the flag caused the failure.
        None if said.contains("offline") => {}
        None => bail!("the judge can't be built:\n{said}"),
    }
    match try_build(manifest, &[])? {
        (Some(program), _) => Ok(program),
        (None, said) => bail!("the judge can't be built:\n{said}"),
    }
}

/// The path of the built program, if the build succeeded, and cargo's output.
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
                Progress::line(&line);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_those_of_the_stores_that_are_judged() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let check = |line: &str, expect: &[Service]| {
            let arguments: Vec<OsString> = line.split_ascii_whitespace().map(OsString::from).collect();
            assert_eq!(needed(root.path(), &arguments), expect, "{line}");
        };
        check("--store postgres", &[]);
        for store in ["d1", "postgres", "sqlite"] {
            let file = root.path().join("stores").join(store).join(judge::UNDER_TEST);
            std::fs::create_dir_all(file.parent().context("a folder")?)?;
            std::fs::write(file, "")?;
        }
        check("", &[]);
        check("--provider postgres --samples 3", &[]);
        check("--store sqlite", &[]);
        check("--store sqlite --store=postgres", &[Service::Postgres]);
        check("--store d1 --law postgres", &[Service::D1]);
        check("--store d1 --help", &[]);
        Ok(())
    }
}
