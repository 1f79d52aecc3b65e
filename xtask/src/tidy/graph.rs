//! Decides which packages a package may depend on, and what every package inherits from the workspace.

use super::{Finding, Rule, repo::Repo};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "pure-trees",
        says: "core and adapters depend on no runtime, TLS, HTTP or database driver",
        check: pure_trees,
        specimen: |repo| {
            repo.trees.entry("purchase-acme".to_owned()).or_default().insert("tokio".to_owned());
        },
    },
    Rule {
        name: "no-openssl",
        says: "nothing in the lock file links OpenSSL",
        check: no_openssl,
        specimen: |repo| repo.put("Cargo.lock", "[[package]]\nname = \"openssl-sys\"\n"),
    },
    Rule {
        name: "lints-inherited",
        says: "every package inherits the workspace's lints",
        check: lints_inherited,
        specimen: |repo| repo.put("core/Cargo.toml", "[package]\nname = \"purchase-core\"\n"),
    },
];

fn pure_trees(repo: &Repo) -> Vec<Finding> {
    const FORBIDDEN: &[&str] = &[
        "async-std",
        "aws-lc-rs",
        "aws-lc-sys",
        "getrandom",
        "hyper",
        "libsqlite3-sys",
        "mio",
        "native-tls",
        "openssl",
        "openssl-sys",
        "postgres",
        "rand",
        "reqwest",
        "ring",
        "rusqlite",
        "rustls",
        "smol",
        "sqlx",
        "sqlx-core",
        "tokio",
        "tokio-postgres",
        "ureq",
    ];
    let mut findings = Vec::new();
    for name in ["purchase-core".to_owned()]
        .into_iter()
        .chain(repo.rooms("adapters").iter().map(|room| format!("purchase-{room}")))
    {
        match repo.trees.get(&name) {
            Some(tree) if !tree.is_empty() => {
                let bad = FORBIDDEN.iter().filter(|package| tree.contains(**package));
                findings.extend(bad.map(|package| Finding::file(&name, format!("it depends on {package}"))));
            }
            _ => findings.push(Finding::file(&name, "its dependency tree is not known")),
        }
    }
    findings
}

fn no_openssl(repo: &Repo) -> Vec<Finding> {
    const FORBIDDEN: &[&str] = &["native-tls", "openssl", "openssl-sys"];
    let Some(lock) = repo.files.get("Cargo.lock") else {
        return vec![Finding::file("Cargo.lock", "it is missing; commit it")];
    };
    let mut findings = Vec::new();
    for (index, line) in lock.lines().enumerate() {
        let name = line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"'));
        if let Some(name) = name.filter(|name| FORBIDDEN.contains(name)) {
            findings.push(Finding::at("Cargo.lock", index, format!("{name} is in the dependency tree")));
        }
    }
    findings
}

fn lints_inherited(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in repo.under(&[""], "Cargo.toml") {
        let inherited = text.parse::<toml::Table>().map(|manifest| {
            let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
            !manifest.contains_key("package") || lints.and_then(toml::Value::as_bool) == Some(true)
        });
        match inherited {
            Ok(true) => {}
            Ok(false) => findings.push(Finding::file(path, "[lints] workspace = true is missing")),
            Err(fault) => findings.push(Finding::file(path, format!("it can't be read: {}", fault.message()))),
        }
    }
    findings
}
