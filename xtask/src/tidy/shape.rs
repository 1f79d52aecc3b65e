//! Decides the form of files, functions and folders: first line, length and name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Rule, repo::Repo, rust::Source, words::is_test_file};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "doc-first",
        says: "every Rust file begins with //!, which says what the file decides; a crate's root may begin with its README",
        check: doc_first,
        specimen: |repo| repo.put("core/src/id.rs", "pub struct Id;\n"),
    },
    Rule {
        name: "file-length",
        says: "a file has at most 500 lines before its tests",
        check: file_length,
        specimen: |repo| repo.put("core/src/id.rs", &format!("//! Ids.\n{}", "const A: u8 = 1;\n".repeat(500))),
    },
    Rule {
        name: "function-length",
        says: "a function has at most 70 lines",
        check: function_length,
        specimen: |repo| repo.put("core/src/id.rs", &format!("//! Ids.\n\nfn id() {{\n{}}}\n", "    ();\n".repeat(70))),
    },
    Rule {
        name: "no-default-methods",
        says: "the traits that others implement have no default methods",
        check: no_default_methods,
        specimen: |repo| repo.put("core/src/provider.rs", "//! P.\n\npub trait Provider {\n    fn name(&self) {}\n}\n"),
    },
    Rule {
        name: "same-rooms",
        says: "all adapters have the same files, and all stores have the required files",
        check: same_rooms,
        specimen: |repo| {
            repo.files.remove("adapters/acme/src/signature.rs");
        },
    },
    Rule {
        name: "module-order",
        says: "core's lib.rs lists the modules in processing order; a module uses only modules above it",
        check: module_order,
        specimen: |repo| repo.put("core/src/id.rs", "//! Ids.\n\nuse crate::provider;\n"),
    },
];

fn doc_first(repo: &Repo) -> Vec<Finding> {
    const README: &str = "#![doc = include_str!(\"../README.md\")]";
    let undocumented = |path: &str, file: &str| {
        let begins_with_readme = path.ends_with("src/lib.rs") && file.starts_with(README);
        !file.starts_with("//! ") && !begins_with_readme
    };
    let files = repo.under(&[""], ".rs").filter(|(path, file)| undocumented(path, file));
    files.map(|(path, _)| Finding::at(path, 0, "its first line is not a //! comment")).collect()
}

fn file_length(repo: &Repo) -> Vec<Finding> {
    let lines = repo.under(&[""], ".rs").map(|(path, file)| (path, Source::new(file).tests_begin()));
    lines
        .filter(|(_, lines)| *lines > FILE_LINES)
        .map(|(path, lines)| Finding::file(path, format!("{lines} lines, at most {FILE_LINES}")))
        .collect()
}

fn function_length(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file) in repo.under(&[""], ".rs") {
        for function in Source::new(file).functions().iter().filter(|function| function.lines > FUNCTION_LINES) {
            let what = format!("fn {} has {} lines, at most {FUNCTION_LINES}", function.name, function.lines);
            findings.push(Finding::at(path, function.line - 1, what));
        }
    }
    findings
}

fn no_default_methods(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    let traits = [
        ("Provider", "core/src/"),
        ("Webhooks", "core/src/"),
        ("Requests", "core/src/"),
        ("Store", "core/src/"),
        ("Executor", "stores/sql/src/"),
    ];
    for (name, place) in traits {
        let mut declared = false;
        for (path, file) in repo.under(&[place], ".rs") {
            let Some(functions) = Source::new(file).functions_of_trait(name) else { continue };
            declared = true;
            for function in functions.iter().filter(|function| function.has_body) {
                findings.push(Finding::at(path, function.line - 1, format!("{name}::{} has a body", function.name)));
            }
        }
        if !declared {
            findings.push(Finding::file(place, format!("the trait {name} is missing; if it moved, update this rule")));
        }
    }
    findings
}

fn same_rooms(repo: &Repo) -> Vec<Finding> {
    let required = ["README.md", "src/facts.rs", "src/lib.rs", "src/signature.rs", "src/wire.rs"];
    let mut findings = of_one_shape(repo, "adapters", Beyond::Alike, &required);
    // The engine may need files that no other folder has.
    let required = ["README.md", "src/error.rs", "src/executor.rs", "src/lib.rs", "src/migrate.rs"];
    findings.extend(of_one_shape(repo, "stores", Beyond::Own, &required));
    findings
}

/// Whether every room must have the optional files that one room has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    Alike,
    Own,
}

/// The files that each room of a folder must have, and files that all but one have. `stores/sql` is shared code, not a
/// room.
fn of_one_shape(repo: &Repo, folder: &str, beyond: Beyond, required: &[&str]) -> Vec<Finding> {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for room in repo.rooms(folder).into_iter().filter(|room| room != "sql") {
        let prefix = format!("{folder}/{room}/");
        let files = repo.files.keys().filter_map(|path| path.strip_prefix(&prefix));
        let top = files.filter(|path| match path.strip_prefix("src/") {
            // The rule ignores where unit tests are.
            Some(file) => !file.contains('/') && file != "tests.rs",
            None => *path == "README.md",
        });
        rooms.insert(room.clone(), top.map(str::to_owned).collect());
    }
    let mut wanted: BTreeSet<String> = required.iter().map(|file| (*file).to_owned()).collect();
    if beyond == Beyond::Alike {
        wanted.extend(rooms.values().flatten().cloned());
    }
    let mut findings = Vec::new();
    for (room, files) in &rooms {
        let missing = wanted.difference(files);
        findings.extend(missing.map(|file| Finding::file(&format!("{folder}/{room}"), format!("{file} is missing"))));
    }
    findings
}

/// Allowed uses of a module further down in the list. Each is a pair of plain data and the code that reads it.
const DOWNWARDS: &[(&str, &str, &str)] =
    &[("snapshot", "store", "a projection reads stored subjects, which are plain data")];

fn module_order(repo: &Repo) -> Vec<Finding> {
    let Some(lib) = repo.files.get("core/src/lib.rs") else {
        return vec![Finding::file("core/src/lib.rs", "it is missing")];
    };
    // rustfmt sorts adjacent modules, so a blank line separates one level from the next.
    let mut level = 0;
    let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lib.lines() {
        level += usize::from(line.trim().is_empty());
        let name = line.trim().trim_start_matches("pub ").strip_prefix("mod ");
        levels.extend(name.and_then(|name| name.strip_suffix(';')).map(|name| (name, level)));
    }
    let mut findings = Vec::new();
    for (path, file) in repo.under(&["core/src/"], ".rs").filter(|(path, _)| !is_test_file(path)) {
        let own = path.trim_start_matches("core/src/").split(['/', '.']).next().unwrap_or_default();
        let Some(own_level) = levels.get(own) else { continue };
        let source = Source::new(file);
        for (index, used) in used_modules(&source.code[..source.tests_begin()]) {
            let below = levels.get(used.as_str()).is_some_and(|level| level > own_level);
            let meant = DOWNWARDS.iter().any(|(from, to, _)| *from == own && *to == used);
            if below && !meant {
                findings.push(Finding::at(path, index, format!("{own} uses {used}, which is listed below it")));
            }
        }
    }
    findings
}

/// The names of core's modules in code after `crate::`, alone or in braces.
fn used_modules(code: &[String]) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    let word = |text: &str| text.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect::<String>();
    let mut depth = 0_usize;
    for (index, line) in code.iter().enumerate() {
        let mut rest = line.as_str();
        if depth == 0 {
            let Some(at) = line.find("crate::") else { continue };
            rest = &line[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(inside) => (rest, depth) = (inside, 1),
                None => used.push((index, word(rest))),
            }
        }
        // In braces, a module's name is at depth one, at the beginning or after a comma.
        let mut begins = true;
        for (at, char) in rest.char_indices() {
            if depth == 1 && begins && char.is_alphabetic() {
                used.push((index, word(&rest[at..])));
            }
            match char {
                '{' => depth += usize::from(depth > 0),
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            begins = if char == ' ' { begins } else { char == ',' };
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_alone_and_in_braces() {
        let check = |code: &str, expect: &[&str]| {
            let lines: Vec<String> = code.lines().map(str::to_owned).collect();
            let used: Vec<String> = used_modules(&lines).into_iter().map(|(_, name)| name).collect();
            assert_eq!(used, expect, "{code}");
        };
        check("use crate::id;", &["id"]);
        check("use crate::{id::Source, time};", &["id", "time"]);
        check(
            "use crate::{\n    fact::{\n        Fact,\n        Link,\n    },\n    id::{A, B},\n};\nfn x() {}",
            &["fact", "id"],
        );
        check("    fn x(y: crate::store::Commit) {", &["store"]);
        check("use serde::{Deserialize};", &[]);
    }
}
