//! Decides how a program that is missing comes onto the machine: by the system's own packages, where that needs no
//! question and no password, and otherwise not at all.

use std::process::{Command, Stdio};

use anyhow::bail;

use super::process;
use crate::shell;

/// What a program's package is called.
pub(super) struct Package {
    pub(super) program: &'static str,
    pub(super) apt: &'static [&'static str],
    pub(super) brew: &'static str,
}

/// Installs a package. The error says what was tried and what to do.
pub(super) fn install(package: &Package) -> anyhow::Result<()> {
    let Package { program, apt, brew } = package;
    if shell::works(Command::new("apt-get").arg("--version")) {
        let sudo = !process::is_root()?;
        if sudo && !shell::works(Command::new("sudo").args(["-n", "true"])) {
            bail!(
                "{program} is missing, and can't be installed: not root, and `sudo -n` wants a password; \
                 run `sudo apt-get install --no-install-recommends {}`",
                apt.join(" ")
            );
        }
        eprintln!("installing {program}: apt-get install {}", apt.join(" "));
        // The lists may be missing or too old; they are brought up to date only then.
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
    bail!("{program} is missing, and can't be installed: there is neither apt-get nor brew; install it yourself")
}

fn apt_get(sudo: bool, arguments: &[&str]) -> anyhow::Result<()> {
    // Variables go through `env`, since sudo drops those it isn't told to keep.
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
