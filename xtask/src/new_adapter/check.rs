//! Decides whether a package made from the template is as promised: formatted, compiling without warnings, and with
//! tests that fail and name the steps to do. The package is always created at the same place below the target folder,
//! so a second check builds little.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context, bail};
use toml::{Table, Value};

use super::stamp_elsewhere;
use crate::{
    beside,
    shell::{self, Tone, paint},
};

/// The tests that must fail, each with its message, and the template's tests that must pass from the beginning.
const FAIL: &[(&str, &str)] = &[
    ("step_1_signature", "step 1: write find() in src/signature.rs (which header, which bytes are signed"),
    ("step_2_envelope", "step 1: write find() in src/signature.rs"),
    ("step_3_facts", "first, step 1: write find() in src/signature.rs"),
    ("step_4_scenario", "step 4: write the first scenario: a folder in fixtures/lemon-tree/"),
    ("step_5_samples", "first, step 1: write find() in src/signature.rs"),
    ("step_6_readme", "step 6: README.md still says \"(to be written)\""),
    ("P00/lemon-tree", "the adapter has no scenario, so it was not judged"),
];

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let (root, target) = (shell::root(), shell::target_dir());
    let out = target.join("new-adapter");
    if out.exists() {
        fs::remove_dir_all(&out).with_context(|| format!("{} can't be removed", out.display()))?;
    }
    let folder = stamp_elsewhere("lemon-tree", &out, Some(&root))?;
    // The lock file of the workspace has versions that are already downloaded and compiled with its features.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).context("Cargo.lock can't be copied")?;
    let manifest = folder.join("Cargo.toml");
    fs::write(&manifest, sharing(&root, &folder)?.to_string())?;

    let cargo = |args: &[&str]| {
        let mut cargo = shell::cargo();
        cargo.args(&args[..1]).arg("--manifest-path").arg(&manifest).args(&args[1..]);
        cargo.env("CARGO_TARGET_DIR", &target).env("CARGO_TERM_COLOR", "never");
        cargo
    };
    must(&mut cargo(&["fmt", "--", "--check"]))?;
    must(&mut cargo(&["clippy", "--offline", "--all-targets", "--", "--deny", "warnings"]))?;
    let tests = cargo(&["test", "--offline", "--no-fail-fast"]).output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&tests.stdout), String::from_utf8_lossy(&tests.stderr));
    let mut wrong = Vec::new();
    for (test, says) in FAIL {
        let failed =
            said.contains(&format!("test {test} ... FAILED")) || said.contains(&format!("test {test} ... FAIL"));
        if !failed || !said.contains(says) {
            wrong.push(format!("{test} should fail and say {says:?}"));
        }
    }
    let failures = said.lines().filter(|line| line.starts_with("test ") && line.contains("... FAILED")).count();
    if failures != FAIL.len() {
        wrong.push(format!("{failures} tests fail, but {} should", FAIL.len()));
    }
    if !wrong.is_empty() {
        bail!("the tests of a new adapter don't fail as expected:\n{}\n\n{said}", wrong.join("\n"));
    }
    println!("{}", paint(Tone::Good, "a new adapter compiles, and its tests say what to write"));
    Ok(ExitCode::SUCCESS)
}

/// Changes the manifest of the new package so that it uses the crates that the workspace has compiled.
fn sharing(root: &Path, folder: &Path) -> anyhow::Result<Table> {
    let mut own = beside::manifest(folder)?;
    let workspace = beside::workspace(root, folder)?;
    for section in ["dependencies", "dev-dependencies"] {
        let dependencies = own.get_mut(section).and_then(Value::as_table_mut).context("there are no dependencies")?;
        for dependency in dependencies.iter_mut().filter_map(|(_, dependency)| dependency.as_table_mut()) {
            let path =
                dependency.get("path").and_then(Value::as_str).and_then(|it| Path::new(it).strip_prefix(root).ok());
            if let Some(path) = path.map(|path| path.to_string_lossy().into_owned()) {
                dependency.insert("path".to_owned(), Value::String(path));
            }
        }
    }
    let tests =
        own.get_mut("dev-dependencies").and_then(Value::as_table_mut).context("there are no dev-dependencies")?;
    let kit = tests.get_mut("purchase-conformance").and_then(Value::as_table_mut).context("the kit is missing")?;
    kit.insert("features".to_owned(), Value::Array(vec!["cli".into()]));
    tests.extend(beside::third_party(root)?);
    own.insert("workspace".to_owned(), Value::Table(workspace));
    own.extend(beside::manifest(root)?.into_iter().filter(|(key, _)| key == "profile"));
    Ok(own)
}

/// Runs a command that must succeed, and prints its output only if it fails.
fn must(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("could not start `{}`", shell::shown(command)))?;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`{}` ended with {}:\n{out}{err}", shell::shown(command), output.status);
    }
    Ok(())
}
