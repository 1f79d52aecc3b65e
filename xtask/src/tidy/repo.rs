//! Decides what tidy examines: the project's text files and its packages' dependency trees, held in memory so that a
//! rule can be tested on a tree that breaks it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;

use crate::shell;

/// The project as the rules see it.
#[derive(Clone)]
pub(crate) struct Repo {
    /// Every text file that git tracks or would add, by path.
    pub(crate) files: BTreeMap<String, String>,
    /// For each package that must stay pure: the packages that it depends on, with all features and without
    /// dev-dependencies.
    pub(crate) trees: BTreeMap<String, BTreeSet<String>>,
}

impl Repo {
    /// Reads the working tree.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let root = shell::root();
        let mut git = std::process::Command::new("git");
        git.current_dir(&root).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
        let mut files = BTreeMap::new();
        for path in shell::output(&mut git)?.split('\0').filter(|path| !path.is_empty()) {
            // A listed file may be deleted or not be text. The rules skip both.
            if let Ok(text) = std::fs::read_to_string(root.join(path)) {
                files.insert(path.to_owned(), text);
            }
        }
        let mut repo = Self { files, trees: BTreeMap::new() };
        let mut pure = vec!["core".to_owned()];
        pure.extend(repo.rooms("adapters").into_iter().map(|name| format!("adapters/{name}")));
        for folder in pure {
            let package = repo.package(&folder).with_context(|| format!("{folder}/Cargo.toml has no package name"))?;
            let tree = tree(&package)?;
            repo.trees.insert(package, tree);
        }
        Ok(repo)
    }

    /// A small project that follows every rule.
    pub(crate) fn sound() -> Self {
        let mut repo = Self { files: BTreeMap::new(), trees: BTreeMap::new() };
        let manifest = "[package]\nname = \"NAME\"\n\n[lints]\nworkspace = true\n";
        for (folder, name) in
            [("core", "purchase-core"), ("adapters/acme", "purchase-acme"), ("stores/sql", "purchase-sql")]
        {
            repo.put(&format!("{folder}/Cargo.toml"), &manifest.replace("NAME", name));
        }
        repo.put("core/src/lib.rs", "//! Core.\n\npub mod id;\n\npub mod provider;\n\npub mod store;\n");
        repo.put("core/src/id.rs", "//! Ids.\n");
        repo.put(
            "core/src/provider.rs",
            "//! Provider.\n\nuse crate::id;\n\npub trait Provider {\n    fn name(&self);\n}\n",
        );
        for part in ["Requests", "Webhooks"] {
            let text = format!("//! A part.\n\npub trait {part} {{\n    fn part(&self);\n}}\n");
            repo.put(&format!("core/src/provider/{}.rs", part.to_lowercase()), &text);
        }
        repo.put("core/src/store/mod.rs", "//! Store.\n\npub trait Store {\n    fn load(&self);\n}\n");
        repo.put("stores/sql/src/lib.rs", "//! Sql.\n\npub trait Executor {\n    fn batch(&self);\n}\n");
        for room in ["facts", "lib", "signature", "wire"] {
            repo.put(&format!("adapters/acme/src/{room}.rs"), "//! A room.\n");
        }
        repo.put("adapters/acme/README.md", "# acme\n");
        repo.put("fixtures/acme/one/scenario.toml", "provider = \"acme\"\n[[expect]]\nat = \"/parked\"\ncount = 0\n");
        repo.put("fixtures/acme/one/deliveries/001-a.json", "{\"id\": \"evt_1\"}");
        repo.put("Cargo.lock", "[[package]]\nname = \"serde\"\n");
        for package in ["purchase-core", "purchase-acme"] {
            repo.trees.insert(package.to_owned(), ["serde".to_owned()].into());
        }
        repo
    }

    /// Adds or replaces a file.
    pub(crate) fn put(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
    }

    /// Files whose path begins with one of the prefixes and has the extension.
    pub(crate) fn under<'a>(
        &'a self,
        prefixes: &'a [&str],
        ending: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .filter(move |(path, _)| path.ends_with(ending) && prefixes.iter().any(|prefix| path.starts_with(prefix)))
    }

    /// The subfolders of a folder: for `adapters` the providers, for `stores` the databases.
    pub(crate) fn rooms(&self, folder: &str) -> BTreeSet<String> {
        let prefix = format!("{folder}/");
        let below = self.files.keys().filter_map(|path| path.strip_prefix(&prefix));
        below.filter_map(|path| path.split_once('/')).map(|(room, _)| room.to_owned()).collect()
    }

    /// The name of the package in a folder.
    fn package(&self, folder: &str) -> Option<String> {
        let manifest: toml::Table = self.files.get(&format!("{folder}/Cargo.toml"))?.parse().ok()?;
        Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
    }
}

fn tree(package: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut cargo = shell::cargo();
    cargo.args(["tree", "--locked", "--package", package, "--all-features", "--edges", "normal,build"]);
    cargo.args(["--target", "all", "--prefix", "none", "--format", "{p}"]);
    let lines = shell::output(&mut cargo)?;
    Ok(lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}
