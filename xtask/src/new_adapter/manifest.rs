//! Decides what a manifest contains outside the workspace: the inherited settings are written out.

use std::path::Path;

use anyhow::{Context, bail};
use toml::{Table, Value};

/// Replaces `key.workspace = true` and the workspace's lints by their values. The project's own packages are referenced
/// by version, or by a path in a checkout.
pub(super) fn detach(manifest: &str, workspace: &Table, checkout: Option<&Path>) -> anyhow::Result<String> {
    let inherited = workspace.get("workspace").and_then(Value::as_table).context("the manifest has no workspace")?;
    let section = |name: &str| inherited.get(name).and_then(Value::as_table).context("the workspace lacks a section");
    let (fields, dependencies) = (section("package")?, section("dependencies")?);
    let mut detached = String::new();
    for line in manifest.lines() {
        let written = match line.strip_suffix(".workspace = true") {
            None if line == "[lints]" => break,
            None => line.to_owned(),
            // The package belongs to its author, not to this project.
            Some("repository" | "license") => continue,
            Some(key) => match (fields.get(key), dependencies.get(key)) {
                (Some(value), _) => format!("{key} = {value}"),
                (None, Some(dependency)) => format!("{key} = {}", own(dependency, checkout)),
                (None, None) => bail!("the workspace has no {key}"),
            },
        };
        detached.push_str(&written);
        detached.push('\n');
    }
    let lints: Table = [("lints".to_owned(), Value::Table(section("lints")?.clone()))].into_iter().collect();
    Ok(format!("{detached}{lints}\n[workspace]\n"))
}

fn own(dependency: &Value, checkout: Option<&Path>) -> Value {
    let Some(table) = dependency.as_table() else { return dependency.clone() };
    let Some(path) = table.get("path").and_then(Value::as_str) else { return dependency.clone() };
    match checkout {
        None => table.get("version").cloned().unwrap_or_else(|| dependency.clone()),
        Some(checkout) => {
            let mut table = table.clone();
            table.insert("path".to_owned(), Value::String(checkout.join(path).to_string_lossy().into_owned()));
            Value::Table(table)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(checkout: Option<&Path>, expect: &str) {
        let workspace = "[workspace]\npackage.edition = \"2024\"\n[workspace.dependencies]\nhex = \"0.4\"\npurchase-core = { \
                         path = \"core\", version = \"0.1.0\" }\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
        let manifest = "[package]\nname = \"a\"\nedition.workspace = true\nlicense.workspace = true\n\n[dependencies]\n\
                        hex.workspace = true\npurchase-core.workspace = true\n\n[lints]\nworkspace = true\n";
        let detached = detach(manifest, &workspace.parse().expect("TOML"), checkout).expect("it is written out");
        assert_eq!(detached.parse::<Table>().expect("TOML"), expect.parse::<Table>().expect("TOML"));
    }

    #[test]
    fn everything_inherited_is_written_out() {
        let with = |core: &str| {
            format!(
                "[package]\nname = \"a\"\nedition = \"2024\"\n[dependencies]\nhex = \"0.4\"\npurchase-core = {core}\n\
                 [lints.rust]\nunsafe_code = \"forbid\"\n[workspace]\n"
            )
        };
        check(None, &with("\"0.1.0\""));
        check(Some(Path::new("/c")), &with("{ path = \"/c/core\", version = \"0.1.0\" }"));
    }
}
