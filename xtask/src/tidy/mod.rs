//! Decides which of the project's rules are checked by a program: those that neither the compiler nor a clippy lint
//! checks. Each rule has a specimen, a change that breaks the rule in a sound tree. The rule must catch its specimen
//! before its result counts.

mod fixtures;
mod graph;
mod repo;
mod rust;
mod shape;
mod words;

use std::process::ExitCode;

use clap::Args;
use repo::Repo;

use crate::shell::{Tone, paint};

/// Checks the project's rules that neither the compiler nor clippy checks.
#[derive(Debug, Args)]
pub(crate) struct TidyArgs {
    /// Lists the rules and exits.
    #[arg(long)]
    list: bool,
}

/// One rule.
struct Rule {
    name: &'static str,
    says: &'static str,
    check: fn(&Repo) -> Vec<Finding>,
    /// Changes a sound tree so that it breaks the rule.
    specimen: fn(&mut Repo),
}

/// A place where a rule is broken.
#[derive(Debug)]
struct Finding {
    path: String,
    /// The line number, from 1; 0 means the whole file.
    line: usize,
    what: String,
}

impl Finding {
    fn file(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: 0, what: what.into() }
    }

    /// A finding at a line, given as an index from 0.
    fn at(path: &str, index: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: index + 1, what: what.into() }
    }
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    [words::RULES, shape::RULES, graph::RULES, fixtures::RULES].into_iter().flatten()
}

/// Checks every rule.
pub(crate) fn run(args: TidyArgs) -> anyhow::Result<ExitCode> {
    if args.list {
        for rule in rules() {
            println!("{:<22} {}", rule.name, rule.says);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let blind: Vec<&str> = rules().filter(|rule| !sees(rule)).map(|rule| rule.name).collect();
    for name in &blind {
        println!("{} {name} doesn't catch its own specimen, or reports a sound tree", paint(Tone::Bad, "blind"));
    }
    let repo = Repo::read()?;
    let mut broken = 0;
    for rule in rules() {
        let findings = (rule.check)(&repo);
        broken += usize::from(!findings.is_empty());
        for finding in &findings {
            let line = if finding.line > 0 { format!(":{}", finding.line) } else { String::new() };
            println!("{} {}{line}: {}", paint(Tone::Bad, rule.name), finding.path, finding.what);
        }
        if !findings.is_empty() {
            println!("    the rule: {}", rule.says);
        }
    }
    if broken + blind.len() > 0 {
        println!("{}", paint(Tone::Bad, &format!("tidy: {broken} of {} rules broken", rules().count())));
        return Ok(ExitCode::FAILURE);
    }
    println!("{}", paint(Tone::Good, &format!("tidy: {} rules hold over {} files", rules().count(), repo.files.len())));
    Ok(ExitCode::SUCCESS)
}

/// Whether a rule accepts a sound tree and catches its specimen.
fn sees(rule: &Rule) -> bool {
    let sound = Repo::sound();
    let mut broken = sound.clone();
    (rule.specimen)(&mut broken);
    (rule.check)(&sound).is_empty() && !(rule.check)(&broken).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_catches_its_specimen_and_no_sound_tree() {
        for rule in rules() {
            assert!((rule.check)(&Repo::sound()).is_empty(), "{} reports a sound tree", rule.name);
            assert!(sees(rule), "{} doesn't catch its specimen", rule.name);
        }
    }

    #[test]
    fn a_specimen_breaks_its_own_rule_only() {
        for rule in rules() {
            let mut broken = Repo::sound();
            (rule.specimen)(&mut broken);
            let caught: Vec<&str> =
                rules().filter(|rule| !(rule.check)(&broken).is_empty()).map(|rule| rule.name).collect();
            assert_eq!(caught, [rule.name]);
        }
    }
}
