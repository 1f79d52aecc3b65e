//! Decides which Node runs the local D1: the system's, or one installed with npm if the system's is too old. It also
//! decides when packages are installed: once for each lock file, below cargo's target folder, never in the source tree.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::install::{self, Package};
use crate::shell;

const OLDEST: u32 = 20;
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];
const PROGRAMS: [&str; 2] = ["host.mjs", "rest.mjs"];
/// This file contains the hash of the lock file that is installed.
const STAMP: &str = "installed";
/// The folder of the lock file for Node from npm, and its installation folder.
const OWN: &str = "node";
/// The walks of the official SDKs through the emulators.
const WALKS: [&str; 3] = ["paddle.mjs", "stripe.mjs", "walk.mjs"];

/// Prepares a folder in which the D1 host can run.
pub(super) fn prepare(folder: &Path) -> anyhow::Result<()> {
    let source = shell::root().join("xtask/d1");
    find_or_install(&source, folder)?;
    packages(&source, folder, "the packages of the local D1, about 170 MB")?;
    PROGRAMS.iter().try_for_each(|name| copy(&source, folder, name))
}

/// Prepares a folder in which the official SDKs can walk through the emulators. `home` has a Node if the system's is
/// too old.
pub(super) fn prepare_judges(home: &Path, folder: &Path) -> anyhow::Result<()> {
    find_or_install(&shell::root().join("xtask/d1"), home)?;
    let source = shell::root().join("xtask/judges");
    packages(&source, folder, "the official SDKs, about 34 MB")?;
    WALKS.iter().try_for_each(|name| copy(&source, folder, name))
}

/// The Node program for a prepared folder.
pub(super) fn program(folder: &Path) -> PathBuf {
    match version("node".as_ref()) {
        Some(version) if is_new_enough(&version) => "node".into(),
        _ => own(folder),
    }
}

/// Whether a folder has been prepared.
#[cfg(test)]
pub(super) fn is_prepared(folder: &Path) -> bool {
    folder.join(STAMP).exists()
}

/// Ensures that npm and a Node that can run the host are available.
fn find_or_install(source: &Path, folder: &Path) -> anyhow::Result<()> {
    if !shell::works(Command::new("npm").arg("--version")) {
        install::install(&Package { program: "Node.js with npm", apt: &["nodejs", "npm"], brew: "node" })?;
    }
    let found = match version("node".as_ref()) {
        Some(version) if is_new_enough(&version) => return Ok(()),
        Some(version) => version,
        None => "no Node that runs".to_owned(),
    };
    // The system's stable version is often too old for the host, but new enough for npm.
    let what = format!("a separate Node, about 190 MB, because the system has {found}");
    let installed = packages(&source.join(OWN), &folder.join(OWN), &what);
    match version(&own(folder)) {
        Some(version) if is_new_enough(&version) => installed,
        _ => {
            let why = format!(
                "the local D1 needs Node {OLDEST} or newer; the system has {found}, and the Node from npm does not run \
                 here; put a newer one first in PATH"
            );
            installed.context(why.clone()).and_then(|()| bail!(why))
        }
    }
}

/// Installs the packages in a lock file, unless they are installed already.
fn packages(source: &Path, folder: &Path, what: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} can't be created", folder.display()))?;
    let mut hash = Sha256::new();
    for name in PACKAGES {
        copy(source, folder, name)?;
        hash.update(fs::read(folder.join(name))?);
    }
    let (stamp, hash) = (folder.join(STAMP), hex::encode(hash.finalize()));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == hash) {
        return Ok(());
    }
    eprintln!("npm ci: {what}, into {}", folder.display());
    let mut npm = Command::new("npm");
    // All needed files come as packages, so the packages' install scripts aren't run.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error"]);
    shell::must(npm.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null())).with_context(|| what.to_owned())?;
    fs::write(&stamp, hash).with_context(|| format!("{} can't be written", stamp.display()))
}

fn copy(source: &Path, folder: &Path, name: &str) -> anyhow::Result<()> {
    let file = source.join(name);
    let bytes = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
    fs::write(folder.join(name), bytes).with_context(|| format!("{name} can't be written"))
}

/// The Node installed from npm. The package's name contains the system's name; old versions of npm create no link to
/// the program.
fn own(folder: &Path) -> PathBuf {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "x86_64" => "x64",
        other => other,
    };
    folder.join(OWN).join(format!("node_modules/node-{}-{architecture}/bin/node", std::env::consts::OS))
}

fn version(node: &Path) -> Option<String> {
    Some(shell::output(Command::new(node).arg("--version")).ok()?.trim().to_owned())
}

/// Whether the output of `node --version` is a suitable version.
fn is_new_enough(version: &str) -> bool {
    let major = version.strip_prefix('v').and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_says_its_version_after_a_v() {
        let cases = [
            ("v20.20.2", true),
            ("v100.0.0", true),
            ("v18.20.4", false),
            ("v8.0.0-nightly", false),
            ("20.1.0", false),
            ("vnext", false),
            ("", false),
        ];
        for (version, expect) in cases {
            assert_eq!(is_new_enough(version), expect, "{version}");
        }
    }
}
