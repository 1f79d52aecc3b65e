//! Decides what a new adapter starts with: a package that compiles, and tests that fail and say what to write next, in
//! order. The files come from `template/`. This module fills in the names and, inside this workspace, adds the adapter
//! to the facade.

mod check;
mod facade;
mod manifest;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;

use crate::shell::{self, Tone, paint};

/// Creates a new adapter from a template: the package compiles, and its failing tests say what to write next.
///
/// By default the command creates adapters/NAME and fixtures/NAME in this workspace, and adds the adapter to the facade
/// as a feature. With --out it creates the same package elsewhere and changes nothing here. The chapter
/// conformance/docs/write-an-adapter.md explains the steps.
#[derive(Debug, Args)]
pub(crate) struct NewAdapterArgs {
    /// The provider's name, as in the endpoint's path: lower-case letters, digits and hyphens.
    #[arg(required_unless_present = "check")]
    name: Option<String>,
    /// Creates the package in DIR/NAME, outside this workspace.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// With --out: the package depends on core and the conformance kit in this checkout. Default: their versions in the
    /// registry.
    #[arg(long, value_name = "CHECKOUT", requires = "out")]
    path: Option<PathBuf>,
    /// Creates an adapter below the target folder, builds it, and checks that its tests fail with the expected
    /// messages.
    #[arg(long, conflicts_with_all = ["name", "out", "path"])]
    check: bool,
}

/// Creates an adapter, or checks the template.
pub(crate) fn run(args: &NewAdapterArgs) -> anyhow::Result<ExitCode> {
    if args.check {
        return check::run();
    }
    let name = args.name.as_deref().context("an adapter needs a name")?;
    match &args.out {
        None => stamp_here(name)?,
        Some(out) => {
            let folder = stamp_elsewhere(name, out, args.path.as_deref())?;
            println!("{}", paint(Tone::Good, &format!("created {}", folder.display())));
            println!("next: `cargo test --no-fail-fast` in it; each test that fails says what to write");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The names that are filled into a template.
pub(super) struct Names {
    /// `lemon-tree`.
    name: String,
    /// `LemonTree`.
    camel: String,
}

impl Names {
    /// Refuses names that can't be used for a package, a module and a part of an endpoint's path.
    fn new(name: &str) -> anyhow::Result<Self> {
        let part = |part: &str| {
            part.starts_with(|char: char| char.is_ascii_lowercase())
                && part.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit())
        };
        if name.len() > 40 || !name.split('-').all(part) {
            bail!(
                "{name:?} is not an adapter name: use up to 40 lower-case letters and digits, in words with single \
                 hyphens between them; each word begins with a letter"
            );
        }
        const KEYWORDS: &str = "as async await box break const continue crate do dyn else enum extern false final fn for \
                                gen if impl in let loop macro match mod move mut override priv pub ref return self \
                                static struct super trait true try type typeof union unsafe unsized use virtual where \
                                while yield abstract become";
        if KEYWORDS.split_whitespace().any(|word| word == name) {
            bail!("{name:?} is a Rust keyword, so it can't name a module");
        }
        if name == "acme" {
            bail!("acme is the kit's own provider; choose another name");
        }
        let camel = name.split('-').map(|part| part[..1].to_uppercase() + &part[1..]).collect();
        Ok(Self { name: name.to_owned(), camel })
    }

    fn package(&self) -> String {
        format!("purchase-{}", self.name)
    }

    fn fill(&self, template: &str, fixtures: &str) -> String {
        template
            .replace("@NAME@", &self.name)
            .replace("@TYPE@", &self.camel)
            .replace("@TITLE@", &self.camel)
            .replace("@CRATE@", &self.package().replace('-', "_"))
            .replace("@FIXTURES@", fixtures)
    }
}

/// The files of a package, under the same names as in `template/`.
const PACKAGE: &[(&str, &str)] = &[
    ("README.md", include_str!("template/README.md.tmpl")),
    ("src/config.rs", include_str!("template/config.rs.tmpl")),
    ("src/envelope.rs", include_str!("template/envelope.rs.tmpl")),
    ("src/facts.rs", include_str!("template/facts.rs.tmpl")),
    ("src/lib.rs", include_str!("template/lib.rs.tmpl")),
    ("src/signature.rs", include_str!("template/signature.rs.tmpl")),
    ("src/testing.rs", include_str!("template/testing.rs.tmpl")),
    ("src/wire.rs", include_str!("template/wire.rs.tmpl")),
    ("tests/conformance.rs", include_str!("template/conformance.rs.tmpl")),
    ("tests/conformance/under_test.rs", include_str!("template/under_test.rs.tmpl")),
    ("tests/first-event.json", include_str!("template/first-event.json.tmpl")),
    ("tests/steps.rs", include_str!("template/steps.rs.tmpl")),
];

/// The files next to the scenarios.
const FIXTURES: &[(&str, &str)] = &[
    ("README.md", include_str!("template/fixtures-README.md.tmpl")),
    ("first-scenario.toml", include_str!("template/first-scenario.toml.tmpl")),
    ("scrub.toml", include_str!("template/scrub.toml.tmpl")),
];

const MANIFEST: &str = include_str!("template/Cargo.toml.tmpl");

/// Prepares everything before the first file is written.
fn stamp_here(name: &str) -> anyhow::Result<()> {
    let (names, root) = (Names::new(name)?, shell::root());
    let folder = root.join("adapters").join(name);
    if folder.exists() {
        bail!("adapters/{name} already exists");
    }
    let mut files = vec![(folder.join("Cargo.toml"), names.fill(MANIFEST, ""))];
    files.extend(package(&names, &folder, "../../fixtures"));
    let fixtures = root.join("fixtures").join(name);
    // The folder may already exist, because recordings were made first.
    files.extend(fixtures_of(&names, &fixtures).filter(|(path, _)| !path.exists()));
    let entered = facade::enter(&names, &read(&root.join("Cargo.toml"))?, &read(&root.join("src/lib.rs"))?)?;
    files.push((root.join("Cargo.toml"), entered.manifest));
    files.push((root.join("src/lib.rs"), entered.library));
    write_all(&files)?;
    lay_out(&folder.join("Cargo.toml"));
    lay_out(&root.join("Cargo.toml"));
    // The lock file gains only the new package; the versions of other packages don't change.
    let mut lock = shell::cargo();
    lock.args(["update", "--workspace", "--offline", "--quiet"]);
    if let Err(error) = shell::output(&mut lock) {
        eprintln!("Cargo.lock doesn't have {} yet: {error}", names.package());
    }
    println!("{}", paint(Tone::Good, &format!("created adapters/{name} and fixtures/{name}")));
    println!("the facade has the feature `{name}`; add a line to the tables of features in README.md and src/lib.rs");
    println!(
        "next: `cargo test --package {} --no-fail-fast`; each test that fails says what to write",
        names.package()
    );
    println!("conformance/docs/write-an-adapter.md explains the steps");
    Ok(())
}

fn stamp_elsewhere(name: &str, out: &Path, checkout: Option<&Path>) -> anyhow::Result<PathBuf> {
    let (names, root) = (Names::new(name)?, shell::root());
    let folder = std::path::absolute(out)?.join(name);
    if folder.exists() {
        bail!("{} already exists", folder.display());
    }
    let checkout = match checkout {
        Some(path) if path.join("conformance/Cargo.toml").is_file() => Some(path.canonicalize()?),
        Some(path) => bail!("{} is not a checkout of this project: conformance/Cargo.toml is missing", path.display()),
        None => None,
    };
    let workspace = read(&root.join("Cargo.toml"))?.parse().context("the workspace's Cargo.toml can't be read")?;
    let manifest = manifest::detach(&names.fill(MANIFEST, ""), &workspace, checkout.as_deref())?;
    let mut files = vec![
        (folder.join("Cargo.toml"), manifest),
        (folder.join("rustfmt.toml"), read(&root.join("rustfmt.toml"))?),
        (folder.join(".gitignore"), "/target\n".to_owned()),
    ];
    files.extend(package(&names, &folder, "fixtures"));
    files.extend(fixtures_of(&names, &folder.join("fixtures").join(name)));
    write_all(&files)?;
    lay_out(&folder.join("Cargo.toml"));
    Ok(folder)
}

fn package(names: &Names, folder: &Path, fixtures: &str) -> impl Iterator<Item = (PathBuf, String)> {
    PACKAGE.iter().map(move |(path, template)| (folder.join(path), names.fill(template, fixtures)))
}

fn fixtures_of(names: &Names, folder: &Path) -> impl Iterator<Item = (PathBuf, String)> {
    FIXTURES.iter().map(move |(path, template)| (folder.join(path), names.fill(template, "")))
}

fn write_all(files: &[(PathBuf, String)]) -> anyhow::Result<()> {
    for (path, text) in files {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{} can't be created", folder.display()))?;
        }
        fs::write(path, text).with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(())
}

/// Names differ in length, so lines may need different breaks. If rustfmt isn't installed, the files stay unformatted.
fn lay_out(manifest: &Path) {
    let mut fmt = shell::cargo();
    fmt.arg("fmt").arg("--manifest-path").arg(manifest);
    if let Err(error) = shell::output(&mut fmt) {
        eprintln!("the code was not formatted by rustfmt: {error}");
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_names_are_refused() {
        let check = |name: &str, expect: &str| {
            let error = Names::new(name).map(|names| names.camel).expect_err(name).to_string();
            assert!(error.contains(expect), "{error}");
        };
        for name in ["", "Lemon", "lemon_tree", "-lemon", "lemon-", "lemon--tree", "2lemons", "lemon/../x", "é"] {
            check(name, "is not an adapter name");
        }
        check(&"a".repeat(41), "is not an adapter name");
        check("type", "is a Rust keyword");
        check("acme", "the kit's own provider");
        assert_eq!(Names::new("lemon-tree2").expect("a name").camel, "LemonTree2");
    }

    #[test]
    fn no_placeholder_is_left() {
        let names = Names::new("lemon-tree").expect("a name");
        for (path, template) in PACKAGE.iter().chain(FIXTURES).chain(&[("Cargo.toml", MANIFEST)]) {
            let filled = names.fill(template, "fixtures");
            let left = filled.split('@').nth(1).filter(|word| word.chars().all(|char| char.is_ascii_uppercase()));
            assert_eq!(left, None, "{path}");
        }
    }

    #[test]
    fn what_is_there_is_not_overwritten() {
        let out = tempfile::tempdir().expect("a folder");
        fs::create_dir(out.path().join("lemon")).expect("a folder");
        let error = stamp_elsewhere("lemon", out.path(), None).expect_err("it is there");
        assert!(error.to_string().contains("already exists"), "{error}");
        let error = stamp_elsewhere("pear", out.path(), Some(out.path())).expect_err("no checkout");
        assert!(error.to_string().contains("is not a checkout of this project"), "{error}");
        let error = stamp_here("stripe").expect_err("it is taken");
        assert!(error.to_string().contains("adapters/stripe already exists"), "{error}");
        assert!(!out.path().join("pear").exists());
    }
}
