//! Decides how a recording is stored on disk: as a scenario that the kit can read, complete except for the
//! expectations. The folder is updated after each delivery, so an interrupted recording is usable as well.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use purchase_core::time::Timestamp;
use sha2::{Digest, Sha256};

/// A scenario that is being written.
pub(crate) struct Folder {
    path: PathBuf,
    provider: String,
    source: String,
    secret: String,
    keeps_signatures: bool,
    begun: Timestamp,
    deliveries: usize,
    repeated: usize,
    /// Digests of the bodies received so far.
    seen: HashSet<[u8; 32]>,
}

impl Folder {
    /// Creates the folder. A given secret is written to it; otherwise a secret is invented.
    pub(crate) fn create(
        path: &Path,
        provider: &str,
        source: Option<String>,
        secret: Option<String>,
    ) -> anyhow::Result<Self> {
        if path.exists() {
            bail!("{} already exists; record into a new folder", path.display());
        }
        let deliveries = path.join("deliveries");
        fs::create_dir_all(&deliveries).with_context(|| format!("{} can't be created", deliveries.display()))?;
        let name = path.file_name().map(|name| name.to_string_lossy().replace('-', "_")).unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            provider: provider.to_owned(),
            source: source
                .unwrap_or_else(|| "fill in: which account, which product of the provider, what was done".to_owned()),
            keeps_signatures: secret.is_some(),
            secret: secret.unwrap_or_else(|| format!("test_secret_{name}")),
            begun: now()?,
            deliveries: 0,
            repeated: 0,
            seen: HashSet::new(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of deliveries written.
    pub(crate) fn deliveries(&self) -> usize {
        self.deliveries
    }

    /// The number of deliveries that were received a second time.
    pub(crate) fn repeated(&self) -> usize {
        self.repeated
    }

    /// Whether signatures may be kept, because the secret may be published.
    pub(crate) fn keeps_signatures(&self) -> bool {
        self.keeps_signatures
    }

    /// Writes a delivery to disk and returns its file name.
    pub(crate) fn add(
        &mut self,
        event_type: &str,
        came: &[u8],
        scrubbed: &[u8],
        headers: Vec<(String, String)>,
    ) -> anyhow::Result<String> {
        if !self.seen.insert(Sha256::digest(came).into()) {
            self.repeated += 1;
            return Ok(format!("{event_type}, again"));
        }
        let number = self.deliveries + 1;
        let plain = |char: char| if char.is_ascii_alphanumeric() || "._".contains(char) { char } else { '_' };
        let name = format!("{number:03}-{}", event_type.chars().take(80).map(plain).collect::<String>());
        let file = self.path.join("deliveries").join(format!("{name}.json"));
        fs::write(&file, scrubbed).with_context(|| format!("{} can't be written", file.display()))?;
        if !headers.is_empty() {
            let file = self.path.join("deliveries").join(format!("{name}.headers.json"));
            let mut map = serde_json::Map::new();
            for (name, value) in headers {
                match map.get_mut(&name) {
                    Some(serde_json::Value::Array(values)) => values.push(value.into()),
                    Some(first) => *first = vec![first.take(), value.into()].into(),
                    None => {
                        map.insert(name, value.into());
                    }
                }
            }
            let text = serde_json::to_string_pretty(&map)? + "\n";
            fs::write(&file, text).with_context(|| format!("{} can't be written", file.display()))?;
        }
        self.deliveries = number;
        let file = self.path.join("scenario.toml");
        fs::write(&file, self.scenario()?).with_context(|| format!("{} can't be written", file.display()))?;
        Ok(name)
    }

    fn scenario(&self) -> anyhow::Result<String> {
        let text = |text: &str| toml::Value::from(text).to_string();
        let (provider, source, secret) = (text(&self.provider), text(&self.source), text(&self.secret));
        let recorded_at = self.begun.to_string();
        let day = recorded_at.split('T').next().unwrap_or_default();
        Ok(format!(
            r#"title = "fill in: what happens"
proves = "fill in: the business promise, in one sentence"
provider = {provider}
api_version = "fill in: the provider's"
origin = "recorded"
source = {source}
recorded_at = "{day}"
licence = "fill in: under which terms this may be published"
secret = {secret}
as_of = "{}"

# Scrubbed while it was recorded. The deliveries are numbered in the order of arrival. Rename the files if the
# provider's true order is different.
#
# State here what must hold at the end. Take it from the provider's documentation, not from the code's answers. Until
# there is an expectation, the kit refuses the scenario. `at` is a JSON pointer into the canonical projection. Add
# exactly one of is, count, absent = true:
#
# [[expect]]
# at = "/subscriptions/<id>/state"
# is = "active"
#
# [[expect]]
# at = "/parked"
# count = 0
#
# [[expect]]
# at = "/ambiguous"
# count = 0
"#,
            now()?
        ))
    }
}

/// The current time, in whole seconds.
fn now() -> anyhow::Result<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("this machine's clock is before 1970")?;
    Ok(Timestamp::from_seconds(i64::try_from(since.as_secs())?)?)
}
