//! Decides which Node runs the local D1, and when its packages are installed: once for each lock file, beside what
//! cargo builds, never in the source tree.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::install::{self, Package};
use crate::shell;

const OLDEST: u32 = 20;
const PACKAGES: &[&str] = &["package.json", "package-lock.json"];
const PROGRAMS: &[&str] = &["host.mjs", "rest.mjs"];
/// Holds the hash of what is installed.
const STAMP: &str = "installed";

/// Makes a folder ready to run the host in.
pub(super) fn prepare(folder: &Path) -> anyhow::Result<()> {
    find_or_install()?;
    let source = shell::root().join("xtask/d1");
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let mut hash = Sha256::new();
    for name in PACKAGES.iter().chain(PROGRAMS) {
        let file = source.join(name);
        let bytes = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        if PACKAGES.contains(name) {
            hash.update(&bytes);
        }
        fs::write(folder.join(name), bytes).with_context(|| format!("{name} can't be written"))?;
    }
    let (stamp, hash) = (folder.join(STAMP), hex::encode(hash.finalize()));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == hash) {
        return Ok(());
    }
    eprintln!("d1: npm ci, some 170 MB into {}", folder.display());
    let mut npm = Command::new("npm");
    // What the packages need comes as packages; their scripts have nothing to add.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error"]);
    shell::must(npm.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()))
        .context("the packages of the local D1")?;
    fs::write(&stamp, hash).with_context(|| format!("{} can't be written", stamp.display()))
}

fn find_or_install() -> anyhow::Result<()> {
    if version().is_none() || !shell::works(Command::new("npm").arg("--version")) {
        install::install(&Package { program: "Node.js with npm", apt: &["nodejs", "npm"], brew: "node" })?;
    }
    match version() {
        Some(version) if major(&version).is_some_and(|major| major >= OLDEST) => Ok(()),
        Some(version) => bail!("node is {version}, and the local D1 needs {OLDEST} or newer; put one first in PATH"),
        None => bail!("node was installed, and `node --version` does not run; put Node {OLDEST} or newer in PATH"),
    }
}

fn version() -> Option<String> {
    Some(shell::output(Command::new("node").arg("--version")).ok()?.trim().to_owned())
}

/// The first number of what `node --version` prints.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_says_its_version_after_a_v() {
        let cases =
            [("v20.20.2", Some(20)), ("v8.0.0-nightly", Some(8)), ("20.1.0", None), ("vnext", None), ("", None)];
        for (version, expect) in cases {
            assert_eq!(major(version), expect, "{version}");
        }
    }
}
