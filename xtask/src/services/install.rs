//! Decides how a missing program is installed: with the system's package manager if that needs neither a prompt nor a
//! password, and otherwise not at all.

use std::process::{Command, Stdio};

use anyhow::bail;

use super::process;
use crate::shell;

/// The names of a program's package.
pub(super) struct Package {
    pub(super) program: &'static str,
    pub(super) apt: &'static [&'static str],
    pub(super) brew: &'static str,
}

/// Installs a package. The error says what was tried and what the user can do.
pub(super) fn install(package: &Package) -> anyhow::Result<()> {
    let Package { program, apt, brew } = package;
    if shell::works(Command::new("apt-get").arg("--version")) {
        let sudo = !process::is_root()?;
        if sudo && !shell::works(Command::new("sudo").args(["-n", "true"])) {
            bail!(
                "{program} is missing and can't be installed: not root, and `sudo -n` needs a password; \
                 run `sudo apt-get install --no-install-recommends {}`",
                apt.join(" ")
            );
        }
        eprintln!("installing {program}: apt-get install {}", apt.join(" "));
        // The package lists may be missing or outdated. They are updated only if the installation fails.
        if apt_get(sudo, &[&["install"], *apt].concat()).is_err() {
            apt_get(sudo, &["update"])?;
            apt_get(sudo, &[&["install"], *apt].concat())?;
        }
        return Ok(());
    }
    if shell::works(Command::new("brew").arg("--version")) {
        eprintln!("installing {program}: brew install {brew}");
        return shell::must(Command::new("brew").args(["install", "--quiet", brew]).stdout(Stdio::null()));
    }
    bail!("{program} is missing and can't be installed without apt-get or brew; install it yourself")
}

fn apt_get(sudo: bool, arguments: &[&str]) -> anyhow::Result<()> {
    // Variables are passed through `env`, because sudo drops all others by default.
    let mut command = Command::new(if sudo { "sudo" } else { "env" });
    if sudo {
        command.args(["-n", "env"]);
    }
    command.args([
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "--yes",
        "-qq",
        "--no-install-recommends",
        "--no-upgrade",
    ]);
    shell::must(command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()))
}
