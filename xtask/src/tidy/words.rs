//! Decides which words may appear where: a provider's name, SQL, a clock, marks of unfinished work.

use super::{Finding, Rule, repo::Repo, rust::Source};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "provider-words",
        says: "a provider's name appears only in adapters, emulators, fixtures, examples, docs and the facade's features",
        check: provider_words,
        specimen: |repo| repo.put("core/src/id.rs", "//! Ids.\n\nconst NAME: &str = \"Acme\";\n"),
    },
    Rule {
        name: "sql-in-stores",
        says: "SQL appears only in stores; the benchmark's floor is the one exception",
        check: sql_in_stores,
        specimen: |repo| repo.put("core/src/id.rs", "//! Ids.\n\nconst Q: &str = \"SELECT 1 FROM event\";\n"),
    },
    Rule {
        name: "pure",
        says: "core and adapters have no I/O, clock, randomness or environment: callers pass these as arguments",
        check: pure,
        specimen: |repo| repo.put("core/src/id.rs", "//! Ids.\n\nuse std::time::SystemTime;\n"),
    },
    Rule {
        name: "vocabulary",
        says: "one word for one thing: core/src/docs/glossary.md lists the words, and replaced words can't come back",
        check: vocabulary,
        specimen: |repo| repo.put("core/src/id.rs", concat!("//! Ids.\n\n// A photo", "graph of an object.\n")),
    },
    Rule {
        name: "finished",
        says: "unfinished work, disabled tests and debugging output can't be merged",
        check: finished,
        specimen: |repo| repo.put("core/src/id.rs", concat!("//! Ids.\n\n// FIX", "ME: later\n")),
    },
];

/// Each provider's name is the name of its adapter's folder.
fn provider_words(repo: &Repo) -> Vec<Finding> {
    let names = repo.rooms("adapters");
    search(repo, &["core/src/", "stores/", "conformance/src/", "conformance/emulators/common/"], |line| {
        let line = line.to_lowercase();
        let name = names.iter().find(|name| has_word(&line, name))?;
        Some(format!("it names the provider {name}"))
    })
}

fn sql_in_stores(repo: &Repo) -> Vec<Finding> {
    const STATEMENTS: &[&[&str]] = &[
        &["SELECT ", " FROM "],
        &["INSERT INTO "],
        &["DELETE FROM "],
        &["UPDATE ", " SET "],
        &["CREATE TABLE "],
        &["PRAGMA "],
    ];
    let places = ["core/", "adapters/", "conformance/", "src/", "examples/"];
    let mut findings = search(repo, &places, |line| {
        let parts = STATEMENTS.iter().find(|parts| parts.iter().all(|part| line.contains(part)))?;
        Some(format!("it holds SQL: {}…", parts[0].trim()))
    });
    let files = repo.files.keys().filter(|path| path.ends_with(".sql") && !path.starts_with("stores/"));
    findings.extend(files.map(|path| Finding::file(path, "an SQL file outside stores")));
    findings
}

fn pure(repo: &Repo) -> Vec<Finding> {
    const FORBIDDEN: &[&str] = &[
        "std::env",
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "getrandom",
        "rand::",
        "reqwest",
        "tokio",
        "hyper",
        "sqlx",
        "println!",
        "eprintln!",
    ];
    let mut findings = Vec::new();
    for (path, file) in repo.under(&["core/src/", "adapters/"], ".rs").filter(|(path, _)| !is_test_file(path)) {
        let source = Source::new(file);
        for (index, line) in source.code[..source.tests_begin()].iter().enumerate() {
            if let Some(word) = FORBIDDEN.iter().find(|word| has_word(line, word)) {
                findings.push(Finding::at(path, index, format!("it uses {word}")));
            }
        }
    }
    findings
}

fn finished(repo: &Repo) -> Vec<Finding> {
    // Split in halves, so that this file doesn't match itself.
    const COMMENTS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X")];
    const CODE: &[&str] = &[
        concat!("todo", "!"),
        concat!("unimplemented", "!"),
        concat!("dbg", "!"),
        concat!("#[igno", "re"),
        concat!("assert!(tr", "ue)"),
    ];
    let mut findings = Vec::new();
    for (path, file) in repo.under(&[""], ".rs") {
        let source = Source::new(file);
        for (index, (raw, code)) in file.lines().zip(&source.code).enumerate() {
            let word = COMMENTS.iter().find(|word| raw.contains(**word));
            if let Some(word) = word.or_else(|| CODE.iter().find(|word| code.contains(**word))) {
                findings.push(Finding::at(path, index, format!("it contains {word}")));
            }
        }
    }
    findings
}

/// Code, comments, SQL and pages alike. Migrations that were released keep their words, and so does the changelog.
fn vocabulary(repo: &Repo) -> Vec<Finding> {
    // Split in halves, so that this file doesn't match itself.
    const REPLACED: &[(&str, &str)] = &[
        (concat!("la", "ne"), "ordering key"),
        (concat!("la", "nes"), "ordering keys"),
        (concat!("Le", "nt"), "ConnectionGuard"),
        (concat!("may_be_of", "_one"), "is_isolatable"),
        (concat!("Pho", "to"), "ObjectState"),
        (concat!("photo", "graph"), "observation"),
        (concat!("photo", "graphs"), "observations"),
        (concat!("set_", "aside"), "record_failure"),
        (concat!("Sig", "ht"), "Observation"),
    ];
    let mut findings = Vec::new();
    for ending in [".rs", ".sql", ".md", ".tmpl"] {
        let files = repo.under(&[""], ending);
        let kept = |path: &str| path == "CHANGELOG.md" || path.starts_with("stores/sql/schema/");
        for (path, file) in files.into_iter().filter(|(path, _)| !kept(path)) {
            for (index, line) in file.lines().enumerate() {
                let found = REPLACED.iter().find(|(old, _)| has_word(line, old));
                findings.extend(found.map(|(old, new)| Finding::at(path, index, format!("write {new}, not {old}"))));
            }
        }
    }
    findings
}

/// Lines of Rust code, without comments, in which `found` finds something.
fn search(repo: &Repo, prefixes: &[&str], found: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file) in repo.under(prefixes, ".rs") {
        for (index, line) in Source::new(file).text.iter().enumerate() {
            findings.extend(found(line).map(|what| Finding::at(path, index, what)));
        }
    }
    findings
}

/// Whether a word occurs in a line as a whole word.
fn has_word(line: &str, word: &str) -> bool {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_word);
        let after = line[at + word.len()..].chars().next().is_some_and(is_word);
        !before && (!after || word.ends_with(':'))
    })
}

/// Whether the whole file is tests.
pub(super) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert!(has_word("use acme;", "acme"));
        assert!(has_word("\"acme_\" acme", "acme"));
        assert!(!has_word("acmeish pacme acme_x", "acme"));
        assert!(has_word("rand::rng()", "rand::"));
        assert!(!has_word("operand::x", "rand::"));
    }

    #[test]
    fn comments_may_name_providers() {
        let mut repo = Repo::sound();
        repo.put("core/src/id.rs", "//! Ids, as Acme gives them.\n");
        assert!(provider_words(&repo).is_empty());
    }
}
