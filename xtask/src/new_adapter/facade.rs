//! Decides how a new adapter is entered into the workspace's manifest and the facade: one line in each place that lists
//! the adapters, in alphabetical order.

use anyhow::bail;

use super::Names;

/// The two files with the adapter added.
pub(super) struct Entered {
    pub(super) manifest: String,
    pub(super) library: String,
}

/// Adds an adapter to both texts.
pub(super) fn enter(names: &Names, manifest: &str, library: &str) -> anyhow::Result<Entered> {
    let (name, package) = (names.name.as_str(), names.package());
    let module = name.replace('-', "_");
    let is_taken = |line: &str| line.starts_with(&format!("{name} = [")) || line.starts_with(&format!("{package} = "));
    if manifest.lines().any(is_taken) {
        bail!("Cargo.toml already has a feature or a package {name:?}");
    }
    let manifest = insert(
        manifest,
        "[workspace.dependencies]",
        "purchase-",
        &[format!("{package} = {{ path = \"adapters/{name}\", version = \"0.1.0\" }}")],
    )?;
    let manifest = insert(&manifest, "# Adapters.", "", &[format!("{name} = [\"dep:{package}\"]")])?;
    let manifest = insert(&manifest, "testing = [", "    \"purchase-", &[format!("    \"{package}?/testing\",")])?;
    let dependency = format!("{package} = {{ workspace = true, optional = true }}");
    let manifest = insert(&manifest, "[dependencies]", "purchase-", &[dependency])?;
    let library = append(
        library,
        &[
            format!("#[cfg(feature = \"{name}\")]"),
            "#[doc(inline)]".to_owned(),
            format!("pub use {} as {module};", package.replace('-', "_")),
        ],
    );
    Ok(Entered { manifest, library })
}

/// Inserts a line below a heading, among the lines with the same beginning, in alphabetical order.
fn insert(text: &str, head: &str, alike: &str, new: &[String]) -> anyhow::Result<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let Some(begin) = lines.iter().position(|line| *line == head) else {
        bail!("Cargo.toml has no line `{head}` to add the adapter below; add it by hand, like the others");
    };
    let end = |line: &&str| line.is_empty() || line.starts_with('[') || line.starts_with('#');
    let last = lines[begin + 1..].iter().position(end).map_or(lines.len(), |at| begin + 1 + at);
    let first = new.first().map_or("", String::as_str);
    let behind = |line: &&str| !line.starts_with(alike) || **line > *first;
    let at = lines[begin + 1..last].iter().position(behind).map_or(last, |at| begin + 1 + at);
    lines.splice(at..at, new.iter().map(String::as_str));
    Ok(lines.join("\n") + "\n")
}

/// The position doesn't matter: rustfmt sorts these lines.
fn append(text: &str, new: &[String]) -> String {
    format!("{}\n{}\n", text.trim_end(), new.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = include_str!("../../../Cargo.toml");
    const LIBRARY: &str = include_str!("../../../src/lib.rs");

    #[test]
    fn an_adapter_is_entered_where_the_others_stand() {
        let check = |name: &str| {
            let names = Names::new(name).expect("a name");
            let entered = enter(&names, MANIFEST, LIBRARY).expect("it is entered");
            let manifest: toml::Table = entered.manifest.parse().expect("TOML");
            let package = names.package();
            let at = |path: &[&str]| {
                path.iter().try_fold(&toml::Value::Table(manifest.clone()), |it, key| it.get(key)).cloned()
            };
            assert_eq!(at(&["features", name]), Some(toml::Value::Array(vec![format!("dep:{package}").into()])));
            let testing = at(&["features", "testing"]).and_then(|it| it.as_array().cloned()).unwrap_or_default();
            assert!(testing.contains(&format!("{package}?/testing").into()), "{testing:?}");
            let path = at(&["workspace", "dependencies", &package, "path"]);
            assert_eq!(path, Some(format!("adapters/{name}").into()));
            assert_eq!(at(&["dependencies", &package, "optional"]), Some(true.into()));
            // Nothing else may have changed.
            let added = |new: &str, old: &str| new.lines().count() - old.lines().count();
            assert_eq!((added(&entered.manifest, MANIFEST), added(&entered.library, LIBRARY)), (4, 3));
            for line in MANIFEST.lines() {
                assert!(entered.manifest.lines().any(|it| it == line), "{line}");
            }
        };
        check("aaa");
        check("lemon-tree");
        check("zzz");
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        for name in ["stripe", "sqlite"] {
            let error = enter(&Names::new(name).expect("a name"), MANIFEST, LIBRARY).map(drop).expect_err(name);
            assert!(error.to_string().contains("already"), "{error}");
        }
    }
}
