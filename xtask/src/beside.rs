//! Decides how a package outside the workspace reuses the workspace's compiled crates. Cargo compiles a crate again if
//! other features of it are requested, so such a package requests the features that this program requests. Cargo
//! identifies the project's own crates by their path below the workspace root, so links provide the same paths.

use std::{fs, io, path::Path};

use anyhow::Context;
use toml::{Table, Value};

/// The folders below the root whose packages other packages depend on.
const ROOMS: [&str; 4] = ["adapters", "conformance", "core", "stores"];

/// Makes a folder a workspace like the one at `root`, with the same packages at the same paths. Returns the `workspace`
/// table for the manifest of the package in that folder.
pub(crate) fn workspace(root: &Path, folder: &Path) -> anyhow::Result<Table> {
    for room in ROOMS {
        let (there, link) = (root.join(room), folder.join(room));
        if fs::read_link(&link).is_ok_and(|known| known == there) {
            continue;
        }
        match fs::remove_file(&link) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
            Ok(()) | Err(_) => symlink(&there, &link),
        }
        .with_context(|| format!("the link {} can't be created", link.display()))?;
    }
    let mut workspace = section(&manifest(root)?, &["workspace"]);
    workspace.retain(|key, _| key != "members" && key != "exclude");
    Ok(workspace)
}

#[cfg(unix)]
use std::os::unix::fs::symlink;
#[cfg(windows)]
use std::os::windows::fs::symlink_dir as symlink;

/// This program's third-party dependencies by name, as its manifest declares them: inherited from the workspace.
pub(crate) fn third_party(root: &Path) -> anyhow::Result<Table> {
    let offered = section(&manifest(root)?, &["workspace", "dependencies"]);
    let own = section(&manifest(&root.join("xtask"))?, &["dependencies"]);
    let foreign = |name: &String| offered.get(name).is_some_and(|it| it.get("path").is_none());
    Ok(own.into_iter().filter(|(name, _)| foreign(name)).collect())
}

/// Reads the manifest in a folder.
pub(crate) fn manifest(folder: &Path) -> anyhow::Result<Table> {
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    text.parse().with_context(|| format!("{} is not a valid manifest", path.display()))
}

fn section(manifest: &Table, keys: &[&str]) -> Table {
    let mut found = Some(manifest);
    for key in keys {
        found = found.and_then(|table| table.get(*key)).and_then(Value::as_table);
    }
    found.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::shell;

    /// The crates below the selected packages, each with its version and features.
    fn crates(choice: &[&str]) -> anyhow::Result<BTreeSet<String>> {
        let mut cargo = shell::cargo();
        cargo.args(["tree", "--locked", "--prefix", "none", "--format", "{p} [{f}]"]).args(choice);
        let lines = shell::output(&mut cargo)?;
        let all = lines.lines().map(|line| line.trim_end_matches(" (*)").replace(" (proc-macro)", ""));
        Ok(all.filter(|line| !line.starts_with("xtask ")).collect())
    }

    #[test]
    fn this_program_asks_for_the_features_that_the_workspace_asks_for() -> anyhow::Result<()> {
        let name = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let own = crates(&["--package", "xtask", "--edges", "normal,build"])?;
        let all = crates(&["--workspace", "--all-features"])?;
        assert!(own.iter().any(|line| line.starts_with("tokio v")), "{own:?}");
        let known: BTreeSet<String> = own.iter().map(name).collect();
        let again: Vec<&String> =
            all.iter().filter(|line| known.contains(&name(line)) && !own.contains(*line)).collect();
        assert!(
            again.is_empty(),
            "these crates would be compiled again with other features; add the features to xtask/Cargo.toml: {again:#?}"
        );
        Ok(())
    }

    #[test]
    fn a_package_beside_the_workspace_finds_all_at_its_place() -> anyhow::Result<()> {
        let (root, beside) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let put = |path: &str, text: &str| -> anyhow::Result<()> {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            Ok(fs::write(path, text)?)
        };
        put(
            "Cargo.toml",
            "[workspace]\nmembers = [\"core\"]\nexclude = [\"x\"]\nresolver = \"3\"\n[workspace.dependencies]\nhex = \
             \"0.4\"\nown = { path = \"own\" }\nunused = \"1\"\n[profile.dev]\nopt-level = 1\n",
        )?;
        let wanted = "hex = { workspace = true, features = [\"serde\"] }\n";
        put(
            "xtask/Cargo.toml",
            &format!("[dependencies]\n{wanted}own.workspace = true\nother = {{ path = \"..\" }}\n"),
        )?;
        put("core/Cargo.toml", "")?;
        for _ in 0..2 {
            let expect = "resolver = \"3\"\n[dependencies]\nhex = \"0.4\"\nown = { path = \"own\" }\nunused = \"1\"\n";
            assert_eq!(workspace(root.path(), beside.path())?, expect.parse::<Table>()?);
            assert!(beside.path().join("core/Cargo.toml").is_file());
        }
        assert_eq!(third_party(root.path())?, wanted.parse::<Table>()?);
        Ok(())
    }
}
