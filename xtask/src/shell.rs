//! Decides how commands are run and what is coloured: colours only on a terminal, and never under `NO_COLOR`.

use std::{
    env,
    io::{IsTerminal, stdout},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use anyhow::{Context, bail};

/// The checkout that this program works on. It is looked for when the program runs: two checkouts may share a folder for
/// what is built, and with it this program.
static ROOT: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    // Cargo names the package whose program it runs, and a test's; without cargo it is where one stands.
    let places = [env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from), env::current_dir().ok()];
    places.into_iter().flatten().find_map(|place| checkout(&place))
});

/// The folder of the workspace, at this place or above it.
fn checkout(place: &Path) -> Option<PathBuf> {
    let is_it = |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join("xtask/Cargo.toml").is_file();
    place.ancestors().find(is_it).map(Path::to_path_buf)
}

/// Refuses to work outside of a checkout.
pub(crate) fn find_root() -> anyhow::Result<()> {
    if ROOT.is_none() {
        let here = env::current_dir().context("there is no current folder")?;
        bail!("neither {} nor a folder above it is a checkout of purchase: go into one", here.display());
    }
    Ok(())
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    // `find_root` has been asked.
    ROOT.clone().unwrap_or_default()
}

/// Cargo, in the workspace's folder. The same cargo that runs this program, where there is one.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What it told this program of its package: build scripts that look at it would run again, and all that needs them.
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

/// Where cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs a command that must succeed.
pub(crate) fn must(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("could not start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// What a command that must succeed prints.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("could not start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` ended with {}: {}", shown(command), output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be started and succeeds, for looking whether a tool is there.
pub(crate) fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// What a text means, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It went wrong.
    Bad,
    /// It went well.
    Good,
    /// A heading.
    Head,
    /// It was not done.
    Warn,
}

/// A text in its colour.
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
        // A workspace within it is not the one.
        for manifest in ["Cargo.toml", "xtask/Cargo.toml", "examples/worker/Cargo.toml"] {
            std::fs::write(own.join(manifest), "")?;
        }
        for place in ["", "xtask", "examples/worker/src"] {
            assert_eq!(checkout(&own.join(place)).as_deref(), Some(own.as_path()), "{place:?}");
        }
        let above = checkout(folder.path());
        assert!(above.is_none_or(|above| !above.starts_with(folder.path())), "none is found beside it");
        Ok(())
    }
}
