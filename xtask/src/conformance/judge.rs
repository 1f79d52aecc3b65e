//! Decides what the conformance program consists of: every package directly under `adapters/` and `stores/` that has
//! the file `tests/conformance/under_test.rs`, or the same file in another folder of its tests for an additional way of
//! checking it. So there is no list to which a new adapter must be added.
//!
//! The program is a separate package below the target folder. It takes its dependencies from the manifests of those
//! packages, and its versions, profiles, lock file and features from the workspace, so that it reuses all crates that
//! are already compiled.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use toml::{Table, Value};

use crate::beside::{self, manifest as manifest_of};

/// The file in which a package says how it is checked.
pub(super) const UNDER_TEST: &str = "tests/conformance/under_test.rs";

/// A package that can be checked, and one way of checking it.
#[derive(Debug)]
struct Judged {
    /// The folder's name, with a suffix if this isn't the usual way.
    name: String,
    folder: PathBuf,
    under_test: PathBuf,
}

/// Writes the package and returns its manifest's path. Files that are already right aren't written again.
pub(super) fn generate(root: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let (adapters, stores) = (judged(&root.join("adapters"))?, judged(&root.join("stores"))?);
    let folder = target.join("judge");
    fs::create_dir_all(folder.join("src")).with_context(|| format!("{} can't be created", folder.display()))?;
    let path = folder.join("Cargo.toml");
    write(&path, &manifest(root, &folder, adapters.iter().chain(&stores))?)?;
    write(&folder.join("src/main.rs"), &program(root, &adapters, &stores)?)?;
    // Cargo removes packages that this one doesn't need from the lock file, so a copy of the original is kept.
    let lock = read(&root.join("Cargo.lock"))?;
    let (own, original) = (folder.join("Cargo.lock"), folder.join("workspace.lock"));
    if fs::read_to_string(&original).ok().as_ref() != Some(&lock) || !own.exists() {
        write(&own, &lock)?;
        write(&original, &lock)?;
    }
    Ok(path)
}

/// The packages in a folder that can be checked, by name.
fn judged(folder: &Path) -> anyhow::Result<Vec<Judged>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} can't be listed", folder.display()))? {
        let (folder, name) = entry.map(|entry| (entry.path(), entry.file_name().to_string_lossy().into_owned()))?;
        let usual = folder.join(UNDER_TEST);
        if !usual.is_file() {
            continue;
        }
        for way in folder.join("tests").read_dir()?.flatten() {
            let under_test = way.path().join("under_test.rs");
            if under_test == usual {
                found.push(Judged { name: name.clone(), folder: folder.clone(), under_test });
            } else if under_test.is_file() {
                let name = format!("{name}-{}", way.file_name().to_string_lossy());
                found.push(Judged { name, folder: folder.clone(), under_test });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn manifest<'a>(root: &Path, place: &Path, all: impl Iterator<Item = &'a Judged>) -> anyhow::Result<String> {
    let workspace = manifest_of(root)?;
    let own_workspace = beside::workspace(root, place)?;
    let mut dependencies = Table::new();
    let kit = [("workspace", Value::Boolean(true)), ("features", Value::Array(vec!["cli".into()]))];
    dependencies.insert("purchase-conformance".to_owned(), table(kit));
    for Judged { folder, .. } in all {
        let own = manifest_of(folder)?;
        let name = own.get("package").and_then(|it| it.get("name")).and_then(Value::as_str);
        let name = name.with_context(|| format!("{}/Cargo.toml has no package name", folder.display()))?;
        let there = folder.strip_prefix(root).unwrap_or(folder);
        add(&mut dependencies, name, table([("path", text(there))]), folder)?;
        for section in ["dependencies", "dev-dependencies"] {
            for (name, wanted) in own.get(section).and_then(Value::as_table).into_iter().flatten() {
                let mut wanted = as_table(wanted.clone());
                rebase(&mut wanted, there);
                // Optional dependencies of the package don't matter for checking it.
                if wanted.remove("optional") != Some(Value::Boolean(true)) {
                    add(&mut dependencies, name, Value::Table(wanted), folder)?;
                }
            }
        }
    }
    for (name, wanted) in beside::third_party(root)? {
        add(&mut dependencies, &name, wanted, root)?;
    }
    let edition = own_workspace.get("package").and_then(|package| package.get("edition").cloned());
    let package = [
        ("name", "purchase-judge".into()),
        ("version", "0.0.0".into()),
        ("publish", Value::Boolean(false)),
        ("edition", edition.context("the workspace has no edition")?),
    ];
    let mut manifest = Table::new();
    manifest.insert("package".to_owned(), table(package));
    manifest.insert("workspace".to_owned(), Value::Table(own_workspace));
    manifest.insert("dependencies".to_owned(), Value::Table(dependencies));
    manifest.extend(workspace.get("profile").map(|profile| ("profile".to_owned(), profile.clone())));
    Ok(format!("# Generated by `cargo xtask conformance` from adapters/ and stores/.\n{manifest}"))
}

/// Adds a dependency, or the further features that another package requires of it.
fn add(dependencies: &mut Table, name: &str, wanted: Value, of: &Path) -> anyhow::Result<()> {
    let Some(known) = dependencies.get_mut(name).and_then(Value::as_table_mut) else {
        dependencies.insert(name.to_owned(), wanted);
        return Ok(());
    };
    let mut wanted = as_table(wanted);
    let mut features: Vec<Value> = Vec::new();
    for side in [&mut *known, &mut wanted] {
        features.extend(side.remove("features").and_then(|list| list.as_array().cloned()).into_iter().flatten());
    }
    features.sort_by_key(ToString::to_string);
    features.dedup();
    // A checked package is referenced by its path. Another package may reference it through the workspace.
    if *known != wanted && !known.contains_key("path") {
        if !wanted.contains_key("path") {
            bail!("{}/Cargo.toml and another package depend on {name} differently: {wanted} and {known}", of.display());
        }
        *known = wanted;
    }
    if !features.is_empty() {
        known.insert("features".to_owned(), Value::Array(features));
    }
    Ok(())
}

fn program(root: &Path, adapters: &[Judged], stores: &[Judged]) -> anyhow::Result<String> {
    let mut modules = String::new();
    let mut called = |kind: &str, all: &[Judged]| {
        let mut calls = Vec::new();
        for Judged { name, under_test, .. } in all {
            let module = format!("{kind}_{}", name.replace('-', "_"));
            modules.push_str(&format!("#[path = {under_test:?}]\nmod {module};\n"));
            calls.push(format!("{module}::under_test()"));
        }
        calls.join(", ")
    };
    let (providers, stores) = (called("adapter", adapters), called("store", stores));
    let fixtures = root.join("fixtures");
    Ok(format!(
        "//! Generated by `cargo xtask conformance` from adapters/ and stores/.\n\n{modules}\n\
         fn main() -> std::process::ExitCode {{\n    \
         purchase_conformance::cli::main(purchase_conformance::cli::Judge {{\n        \
         command: \"cargo xtask conformance\",\n        fixtures: {fixtures:?}.into(),\n        \
         providers: vec![{providers}],\n        stores: vec![{stores}],\n    }})\n}}\n"
    ))
}

fn as_table(dependency: Value) -> Table {
    match dependency {
        Value::Table(table) => table,
        version => [("version".to_owned(), version)].into_iter().collect(),
    }
}

/// Prefixes the dependency's path, which is relative to a folder, with that folder's path.
fn rebase(dependency: &mut Table, folder: &Path) {
    if let Some(path) = dependency.get("path").and_then(Value::as_str) {
        let path = folder.join(path);
        dependency.insert("path".to_owned(), text(&path));
    }
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn text(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}

/// Writes a file only if its content changed, because cargo rebuilds what was written.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    match fs::read_to_string(path) {
        Ok(known) if known == text => Ok(()),
        _ => fs::write(path, text).with_context(|| format!("{} can't be written", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn project() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        let workspace = "[workspace]\nresolver = \"3\"\npackage.edition = \"2024\"\n[workspace.dependencies]\nhex = \
                         \"0.4\"\npurchase-conformance = { path = \"conformance\" }\npurchase-acme = { path = \
                         \"adapters/acme\" }\n[profile.dev]\nopt-level = 1\n";
        put(root.path(), "Cargo.toml", workspace);
        put(root.path(), "Cargo.lock", "version = 4\n");
        let acme = "[package]\nname = \"purchase-acme\"\n[dependencies]\nhex = { workspace = true, features = \
                    [\"serde\"] }\n[dev-dependencies]\npurchase-conformance.workspace = true\n";
        put(root.path(), "adapters/acme/Cargo.toml", acme);
        put(root.path(), "adapters/acme/tests/conformance/under_test.rs", "");
        put(root.path(), "xtask/Cargo.toml", "[dependencies]\nhex.workspace = true\n");
        let store = "[package]\nname = \"purchase-paper\"\n[dev-dependencies]\nhex.workspace = true\n\
                     purchase-acme.workspace = true\nown = { path = \"../own\", optional = true }\n";
        put(root.path(), "stores/paper-clip/Cargo.toml", store);
        put(root.path(), "stores/paper-clip/tests/conformance/under_test.rs", "");
        put(root.path(), "stores/paper-clip/tests/folded/under_test.rs", "");
        put(root.path(), "stores/shared/Cargo.toml", "[package]\nname = \"shared\"\n");
        root
    }

    #[test]
    fn whoever_says_how_it_is_judged_is_found() {
        let root = project();
        let manifest: Table = read(&generate(root.path(), &root.path().join("target")).expect("it is made"))
            .expect("it is there")
            .parse()
            .expect("TOML");
        let found: Vec<(&String, &Value)> = manifest["dependencies"].as_table().expect("a table").iter().collect();
        let expect: Table = "hex = { workspace = true, features = [\"serde\"] }\npurchase-acme = { path = \"adapters/acme\" }\n\
                             purchase-conformance = { workspace = true, features = [\"cli\"] }\npurchase-paper = { path = \
                             \"stores/paper-clip\" }\n"
        .parse()
        .expect("TOML");
        assert_eq!(found, expect.iter().collect::<Vec<_>>());
        assert_eq!(manifest["profile"]["dev"]["opt-level"], Value::Integer(1));
        let program = read(&root.path().join("target/judge/src/main.rs")).expect("it is there");
        assert!(program.contains("providers: vec![adapter_acme::under_test()]"), "{program}");
        let stores = "stores: vec![store_paper_clip::under_test(), store_paper_clip_folded::under_test()]";
        assert!(program.contains(stores), "{program}");
    }

    #[test]
    fn nothing_is_written_twice() {
        let root = project();
        let target = root.path().join("target");
        let make = || generate(root.path(), &target).expect("it is made");
        let touched = || {
            let files = ["Cargo.toml", "Cargo.lock", "src/main.rs"].map(|file| target.join("judge").join(file));
            files.map(|file| fs::metadata(file).expect("it is there").modified().expect("a time"))
        };
        make();
        // Cargo removes packages that aren't needed.
        fs::write(target.join("judge/Cargo.lock"), "version = 4\n# pruned\n").expect("a file");
        let before = touched();
        make();
        assert_eq!(touched(), before);
        put(root.path(), "Cargo.lock", "version = 4\n# another\n");
        make();
        assert_ne!(touched()[1], before[1]);
    }

    #[test]
    fn packages_that_want_different_things_are_told_apart() {
        let root = project();
        let other = "[package]\nname = \"purchase-other\"\n[dependencies]\nhex = \"0.3\"\n";
        put(root.path(), "adapters/other/Cargo.toml", other);
        put(root.path(), "adapters/other/tests/conformance/under_test.rs", "");
        let error = generate(root.path(), &root.path().join("target")).expect_err("they differ");
        assert!(error.to_string().contains("another package depend on hex differently"), "{error}");
    }
}
