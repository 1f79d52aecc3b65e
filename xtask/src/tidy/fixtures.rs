//! Decides when a fixture is valid: its bodies parse, its event ids are unique to it, and it expects something.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Rule, repo::Repo};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "fixture-bodies",
        says: "every delivery of a fixture is JSON",
        check: bodies,
        specimen: |repo| repo.put("fixtures/acme/one/deliveries/002-b.json", "{"),
    },
    Rule {
        name: "fixture-events",
        says: "an event id belongs to one delivery over all scenarios of a provider",
        check: events,
        specimen: |repo| repo.put("fixtures/acme/one/deliveries/002-b.json", "{\"id\": \"evt_1\"}"),
    },
    Rule {
        name: "fixture-expectations",
        says: "every scenario has deliveries and expectations, and names the provider of its folder",
        check: expectations,
        specimen: |repo| repo.put("fixtures/acme/one/scenario.toml", "provider = \"acme\"\n"),
    },
];

fn deliveries(repo: &Repo) -> impl Iterator<Item = (&str, &str)> {
    let all = repo.under(&["fixtures/"], ".json");
    all.filter(|(path, _)| path.contains("/deliveries/") && !path.ends_with(".headers.json"))
}

fn bodies(repo: &Repo) -> Vec<Finding> {
    let parsed = deliveries(repo).map(|(path, body)| (path, serde_json::from_str::<serde_json::Value>(body)));
    parsed.filter_map(|(path, parsed)| Some(Finding::file(path, parsed.err()?.to_string()))).collect()
}

fn events(repo: &Repo) -> Vec<Finding> {
    let mut seen: BTreeMap<(String, String), &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, body) in deliveries(repo) {
        let Ok(body) = serde_json::from_str::<serde_json::Value>(body) else { continue };
        let Some(id) = ["id", "event_id"].iter().find_map(|key| body.get(key)?.as_str()) else { continue };
        let provider = path.split('/').nth(1).unwrap_or_default().to_owned();
        match seen.get(&(provider.clone(), id.to_owned())) {
            Some(first) => findings.push(Finding::file(path, format!("its event id is also the id of {first}"))),
            None => {
                seen.insert((provider, id.to_owned()), path);
            }
        }
    }
    findings
}

fn expectations(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    let with_deliveries: BTreeSet<&str> =
        deliveries(repo).filter_map(|(path, _)| Some(path.split_once("/deliveries/")?.0)).collect();
    for (path, text) in repo.under(&["fixtures/"], "/scenario.toml") {
        let folder = path.trim_end_matches("/scenario.toml");
        let scenario: toml::Table = match text.parse() {
            Ok(scenario) => scenario,
            Err(fault) => {
                findings.push(Finding::file(path, fault.message().to_owned()));
                continue;
            }
        };
        let expects = scenario.get("expect").and_then(toml::Value::as_array).is_some_and(|all| !all.is_empty());
        if !expects {
            findings.push(Finding::file(path, "it has no expectations"));
        }
        if !with_deliveries.contains(folder) {
            findings.push(Finding::file(folder, "it has no deliveries"));
        }
        let provider = scenario.get("provider").and_then(toml::Value::as_str);
        if provider != folder.split('/').nth(1) {
            findings.push(Finding::file(path, "its provider is not its folder's provider"));
        }
    }
    findings
}
