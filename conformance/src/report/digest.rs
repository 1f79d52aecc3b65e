//! Decides how a report identifies what was judged and by which laws, with digests that anybody can compute again.

use std::{collections::BTreeMap, fmt::Write, fs};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    VERSION,
    law::{self, SPEC},
    scenario::{Scenario, ScenarioError, files},
};

/// Identifies what was judged. Digests are SHA-256 in hexadecimal digits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Digests {
    /// The kit's version.
    pub kit: String,
    /// The digest of the laws: of one line per law, `id<tab>MUST<tab>sentence`.
    pub spec: String,
    /// The version of the laws.
    pub spec_version: String,
    /// The digest of every scenario judged. It covers the output of `sha256sum` for each file, sorted by the paths
    /// `<provider>/<scenario>/…`.
    pub fixtures: String,
    /// The same for each adapter separately.
    pub providers: BTreeMap<String, String>,
}

impl Digests {
    /// Computes the digests of these scenarios.
    ///
    /// # Errors
    /// When a file of a scenario can't be read.
    pub fn of<'a>(scenarios: impl IntoIterator<Item = &'a Scenario>) -> Result<Self, ScenarioError> {
        let mut lines: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
        for scenario in scenarios {
            let of_provider = lines.entry(&scenario.provider).or_default();
            for (path, file) in files(&scenario.folder)? {
                let content = fs::read(&file).map_err(|cause| ScenarioError::Unreadable { path: file, cause })?;
                let path = format!("{}/{}/{path}", scenario.provider, scenario.name);
                of_provider.push((path, hex::encode(Sha256::digest(content))));
            }
        }
        let providers = lines.iter().map(|(provider, lines)| ((*provider).to_owned(), listed(lines.clone()))).collect();
        Ok(Self {
            kit: VERSION.to_owned(),
            spec: spec(),
            spec_version: SPEC.to_owned(),
            fixtures: listed(lines.into_values().flatten().collect()),
            providers,
        })
    }
}

fn spec() -> String {
    let lines = law::statements().map(|law| format!("{}\t{}\t{}\n", law.id, law.severity.as_str(), law.sentence));
    hex::encode(Sha256::digest(lines.collect::<String>()))
}

fn listed(mut lines: Vec<(String, String)>) -> String {
    lines.sort();
    let mut list = String::new();
    for (path, digest) in lines {
        // Writing to a string can't fail.
        let _ = writeln!(list, "{digest}  {path}");
    }
    hex::encode(Sha256::digest(list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acme::scenarios;

    #[test]
    fn the_digest_is_of_paths_and_contents() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        let digest = || {
            let scenario =
                Scenario { name: "one".to_owned(), folder: folder.path().to_owned(), ..scenarios::all().remove(0) };
            Digests::of([&scenario]).expect("it can be read")
        };
        write("scenario.toml", "a\n");
        write("deliveries/001-x.json", "{}");
        let first = digest();
        // The output of `find … | sort | xargs sha256sum | sha256sum` for these two files.
        assert_eq!(first.fixtures, "53d403994e0f3737569075d62f5bcb631243e7bf1559d2db58586a7aacfa0601");
        assert_eq!(first.providers.get("acme"), Some(&first.fixtures));
        assert_eq!(digest(), first);
        write(".swp", "what an editor leaves");
        assert_eq!(digest(), first);
        write("deliveries/001-x.json", "{ }");
        assert_ne!(digest().fixtures, first.fixtures);
    }
}
