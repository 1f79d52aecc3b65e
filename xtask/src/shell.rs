//! Decides how commands are run and how output is coloured: only on a terminal, and never if `NO_COLOR` is set.

use std::{
    env,
    io::{IsTerminal, stdout},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use anyhow::{Context, bail};

/// The checkout that this program works on. It is determined at run time, because two checkouts may share a target
/// folder and with it this program.
static ROOT: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    // Under cargo this variable contains the folder of the running or tested package. Without cargo, the search starts
    // in the current folder.
    let places = [env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from), env::current_dir().ok()];
    places.into_iter().flatten().find_map(|place| checkout(&place))
});

/// The root folder of the workspace that contains this path.
fn checkout(place: &Path) -> Option<PathBuf> {
    let is_it = |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join("xtask/Cargo.toml").is_file();
    place.ancestors().find(is_it).map(Path::to_path_buf)
}

/// Fails outside a checkout.
pub(crate) fn find_root() -> anyhow::Result<()> {
    if ROOT.is_none() {
        let here = env::current_dir().context("there is no current folder")?;
        bail!("neither {} nor a folder above it is a checkout of purchase; change to one", here.display());
    }
    Ok(())
}

/// The root folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // `main` has already called `find_root`.
    ROOT.clone().unwrap_or_default()
}

/// Cargo, in the workspace's folder. This is the cargo that runs this program, if there is one.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The package variables that cargo set for this program are removed. Otherwise build scripts that watch them would
    // run again, with everything that depends on them.
    for (name, _) in env::vars_os() {
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|head| name.to_string_lossy().starts_with(head)) {
            command.env_remove(name);
        }
    }
    command.current_dir(root());
    command
}

/// Cargo with these arguments, in the workspace's folder.
pub(crate) fn cargo_with(args: &[&str]) -> Command {
    let mut command = cargo();
    command.args(args);
    command
}

/// Cargo's target folder.
pub(crate) fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// A command as a user would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs a command and fails if it fails.
pub(crate) fn must(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("could not start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command, fails if it fails, and returns its output.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("could not start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` ended with {}: {}", shown(command), output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be started and succeeds. This is used to check whether a tool is installed.
pub(crate) fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The meaning of a text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A failure.
    Bad,
    /// A success.
    Good,
    /// A heading.
    Head,
    /// Something that was skipped.
    Warn,
}

/// Colours a text.
pub(crate) fn paint(tone: Tone, text: &str) -> String {
    if !stdout().is_terminal() || env::var_os("NO_COLOR").is_some() {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Bad => "31;1",
        Tone::Good => "32;1",
        Tone::Head => "36;1",
        Tone::Warn => "33;1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_is_found_from_below() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let own = folder.path().join("own");
        for package in ["xtask", "examples/worker/src"] {
            std::fs::create_dir_all(own.join(package))?;
        }
        // A workspace nested inside the root isn't the root.
        for manifest in ["Cargo.toml", "xtask/Cargo.toml", "examples/worker/Cargo.toml"] {
            std::fs::write(own.join(manifest), "")?;
        }
        for place in ["", "xtask", "examples/worker/src"] {
            assert_eq!(checkout(&own.join(place)).as_deref(), Some(own.as_path()), "{place:?}");
        }
        let above = checkout(folder.path());
        assert!(above.is_none_or(|above| !above.starts_with(folder.path())), "a folder above it is not a checkout");
        Ok(())
    }
}
