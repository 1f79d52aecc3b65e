//! Decides which scenarios of two or more providers share one story. `scenarios.toml` at the root of a folder of
//! fixtures lists them, and the kit has a few of its own.

use std::{collections::BTreeSet, path::Path};

use purchase_core::time::Timestamp;
use serde::Deserialize;
use toml::Spanned;

use crate::{
    acme::{
        ACME,
        scenarios::{self, DAY, START},
    },
    plain::{self, PLAIN},
    scenario::{Scenario, ScenarioError, content, read_text},
    under_test::ProviderUnderTest,
};

/// The name of the file that lists counterparts.
const FILE: &str = "scenarios.toml";

/// One story with scenarios from several providers.
#[derive(Debug, Clone)]
pub struct Counterpart {
    /// Its name.
    pub name: String,
    /// The promise, in one sentence.
    pub proves: String,
    /// The instants at which the scenarios are compared, besides each scenario's `as_of`.
    pub at: Vec<Timestamp>,
    /// The providers and their scenarios; at least two.
    pub sides: Vec<(ProviderUnderTest, Scenario)>,
}

impl Counterpart {
    /// The names of its providers.
    pub fn providers(&self) -> String {
        self.sides.iter().map(|(provider, _)| provider.name).collect::<Vec<_>>().join("+")
    }
}

/// A counterpart in the file, before its scenarios are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) proves: String,
    /// Provider and folder of each scenario.
    pub(crate) scenarios: Vec<(String, String)>,
    pub(crate) at: Vec<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// `twin` is the older name.
    #[serde(default, alias = "twin")]
    counterpart: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    proves: String,
    scenarios: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    at: Vec<Spanned<String>>,
}

/// Reads the counterparts of a folder of fixtures. A folder without the file has none.
///
/// # Errors
/// [`ScenarioError`] with the place and what is wrong there.
pub(crate) fn list(fixtures: &Path) -> Result<Vec<Listed>, ScenarioError> {
    let path = fixtures.join(FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = read_text(&path)?;
    let file: File = toml::from_str(&text).map_err(|error| content(&path, &text, error.span(), error.message()))?;
    let mut names = BTreeSet::new();
    let mut listed = Vec::new();
    for entry in file.counterpart {
        let wrong = |span, what: &str| content(&path, &text, Some(span), what);
        if !names.insert(entry.name.get_ref().clone()) {
            return Err(wrong(entry.name.span(), "another counterpart has the same name"));
        }
        if entry.scenarios.get_ref().len() < 2 {
            return Err(wrong(entry.scenarios.span(), "a counterpart has at least two scenarios"));
        }
        let place = |written: &Spanned<String>| match written.get_ref().split_once('/') {
            Some((provider, folder)) if !folder.contains('/') => Ok((provider.to_owned(), folder.to_owned())),
            _ => Err(wrong(written.span(), "a scenario is written <provider>/<folder>")),
        };
        let time = |written: &Spanned<String>| {
            Timestamp::parse_rfc3339(written.get_ref()).map_err(|error| wrong(written.span(), &error.to_string()))
        };
        listed.push(Listed {
            scenarios: entry.scenarios.get_ref().iter().map(place).collect::<Result<_, _>>()?,
            at: entry.at.iter().map(time).collect::<Result<_, _>>()?,
            name: entry.name.into_inner(),
            proves: entry.proves,
        });
    }
    Ok(listed)
}

/// The counterparts of the kit's own providers: the scenarios with the same name.
pub fn own() -> Vec<Counterpart> {
    let told = plain::scenarios::all();
    let pairs = scenarios::all().into_iter().filter_map(|one| {
        let other = told.iter().find(|other| other.name == one.name)?.clone();
        Some(Counterpart {
            name: one.name.clone(),
            proves: one.proves.clone(),
            at: [1, 60].map(|day| Timestamp::EPOCH.plus_seconds(START + day * DAY)).to_vec(),
            sides: vec![(ACME, one), (PLAIN, other)],
        })
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: Result<usize, &str>) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), text).expect("a file");
        match (list(folder.path()), wanted) {
            (Ok(listed), Ok(count)) => assert_eq!(listed.len(), count),
            (Err(error), Err(wanted)) => assert!(error.to_string().contains(wanted), "{error}"),
            (found, wanted) => panic!("{found:?}, not {wanted:?}"),
        }
    }

    #[test]
    fn a_list_is_read_or_refused_with_its_place() {
        let counterpart = "[[counterpart]]\nname = \"n\"\nproves = \"p\"\n";
        let two = "scenarios = [\"a/x\", \"b/y\"]\n";
        check("", Ok(0));
        check(&format!("{counterpart}{two}at = [\"2026-02-01T00:00:00Z\"]\n"), Ok(1));
        check(
            &format!("{counterpart}scenarios = [\"a/x\"]\n"),
            Err("scenarios.toml:4: a counterpart has at least two scenarios"),
        );
        check(&format!("{counterpart}scenarios = [\"a/x\", \"y\"]\n"), Err("scenarios.toml:4: a scenario is written"));
        check(&format!("{counterpart}{two}at = [\"soon\"]\n"), Err("scenarios.toml:5: "));
        check(
            &format!("{counterpart}{two}{counterpart}{two}"),
            Err("scenarios.toml:6: another counterpart has the same name"),
        );
        check(&format!("{counterpart}{two}provse = 1\n"), Err("unknown field"));
    }

    #[test]
    fn the_kit_brings_two() {
        let own = own();
        assert_eq!(
            own.iter().map(|counterpart| counterpart.name.as_str()).collect::<Vec<_>>(),
            ["trial-that-converts", "canceled-for-later"]
        );
        assert_eq!(own[0].providers(), "acme+plain");
    }
}
