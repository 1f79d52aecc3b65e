//! Decides which fixtures the benchmark, the crash test and the hostile test send: the bodies of Stripe's scenarios,
//! signed as Stripe signs them. The conformance kit checks what the scenarios expect.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use purchase_core::verify::Secret;

use crate::shell;

/// The signing secret that both sides of a run share.
pub(crate) const SECRET: &str = "whsec_of_a_local_run";

/// One delivery of a scenario.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    /// The scenario and file name, for messages.
    pub(crate) name: String,
    /// The event's id.
    pub(crate) event: String,
    /// The request's body.
    pub(crate) bytes: Vec<u8>,
}

/// Every delivery of the project's own scenarios, in the provider's order, without deliveries that are marked as never
/// arriving.
pub(crate) fn bodies() -> anyhow::Result<Vec<Body>> {
    let folder = shell::root().join("fixtures/stripe");
    let mut bodies = Vec::new();
    // The folder also contains the recorder's configuration, which is a file.
    for scenario in sorted(&folder)?.into_iter().filter(|name| folder.join(name).is_dir()) {
        let toml: toml::Table = fs::read_to_string(folder.join(&scenario).join("scenario.toml"))
            .with_context(|| format!("{scenario} has no scenario.toml"))?
            .parse()
            .with_context(|| format!("{scenario}/scenario.toml"))?;
        let drops = toml.get("drop").and_then(toml::Value::as_array).into_iter().flatten();
        let dropped: Vec<&str> = drops.filter_map(|drop| drop.get("delivery")?.as_str()).collect();
        let all = read(&folder.join(&scenario).join("deliveries"), &scenario)?;
        bodies.extend(all.into_iter().filter(|body| {
            let file = body.name.rsplit('/').next().unwrap_or_default();
            !dropped.iter().any(|number| file.starts_with(&format!("{number}-")))
        }));
    }
    if bodies.is_empty() {
        bail!("there are no deliveries under {}", folder.display());
    }
    Ok(bodies)
}

/// Reads every JSON file below a folder as a body.
pub(crate) fn read(folder: &Path, name: &str) -> anyhow::Result<Vec<Body>> {
    let mut bodies = Vec::new();
    for file in sorted(folder)? {
        let path = folder.join(&file);
        let name = format!("{name}/{file}");
        if path.is_dir() {
            bodies.extend(read(&path, &name)?);
        } else if file.ends_with(".json") && !file.ends_with(".headers.json") {
            let bytes = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
            let json: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
            let event = json.as_ref().and_then(|json| json.get("id")?.as_str()).unwrap_or(&name).to_owned();
            bodies.push(Body { name, event, bytes });
        }
    }
    Ok(bodies)
}

/// The signature header's value for a body sent at the given time.
pub(crate) fn signature(secret: &Secret, seconds: i64, body: &[u8]) -> String {
    let time = seconds.to_string();
    let mac = secret.sign(&[time.as_bytes(), b".", body]);
    format!("t={time},v1={}", hex::encode(mac))
}

fn sorted(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
