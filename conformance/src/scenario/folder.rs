//! Decides how a folder is read as a scenario. It takes bodies byte for byte and refuses everything unknown.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use purchase_core::{catalog::Catalog, delivery::Headers, time::Timestamp};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::scenario::{Expectation, Expected, Origin, Recorded, Scenario};

/// Why a folder is not a scenario.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A file's content is wrong.
    #[error("{}:{line}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A folder's content is wrong.
    #[error("{}: {what}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file or folder can't be read.
    #[error("{} can't be read: {}", path.display(), cause.kind())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
}

/// Finds the scenario folders in a folder of fixtures: `<provider>/<name>/`, as (provider, folder), in order.
///
/// # Errors
/// When a folder can't be listed.
pub fn find(fixtures: &Path) -> Result<Vec<(String, PathBuf)>, ScenarioError> {
    let mut found = Vec::new();
    for provider in list(fixtures)?.into_iter().filter(|path| path.is_dir()) {
        for folder in list(&provider)?.into_iter().filter(|path| path.is_dir()) {
            found.push((name_of(&provider), folder));
        }
    }
    Ok(found)
}

/// Every file in a folder except hidden ones, by its relative path with `/` between the names.
///
/// # Errors
/// When a folder can't be listed.
pub(crate) fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, ScenarioError> {
    let mut found = Vec::new();
    for path in list(folder)? {
        let name = name_of(&path);
        match path.is_dir() {
            true => found.extend(files(&path)?.into_iter().map(|(below, file)| (format!("{name}/{below}"), file))),
            false => found.push((name, path)),
        }
    }
    Ok(found)
}

impl Scenario {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`ScenarioError`] with the place and what is wrong there.
    pub fn load(folder: &Path) -> Result<Self, ScenarioError> {
        let path = folder.join("scenario.toml");
        let text = read_text(&path)?;
        let file: File = toml::from_str(&text).map_err(|error| content(&path, &text, error.span(), error.message()))?;
        let wrong = |span, what: &str| content(&path, &text, Some(span), what);

        let in_folder = folder.parent().map(name_of).unwrap_or_default();
        if *file.provider.get_ref() != in_folder {
            let what = format!("the provider is {:?}, but the folder is for {in_folder:?}", file.provider.get_ref());
            return Err(wrong(file.provider.span(), &what));
        }
        if file.secret.get_ref().trim().is_empty() {
            return Err(wrong(file.secret.span(), "the secret is empty"));
        }
        let as_of = Timestamp::parse_rfc3339(file.as_of.get_ref())
            .map_err(|error| wrong(file.as_of.span(), &error.to_string()))?;
        if file.expect.is_empty() {
            return Err(wrong(0..0, "it has no [[expect]], and without an expectation it proves nothing"));
        }
        let expectations =
            file.expect.into_iter().map(|expect| expectation(expect, &path, &text)).collect::<Result<Vec<_>, _>>()?;
        let catalog = match &file.catalog {
            Some(name) => load_catalog(&folder.join(name))?,
            None => Catalog::default(),
        };
        let mut deliveries = load_deliveries(&folder.join("deliveries"))?;
        let known: BTreeSet<u32> = deliveries.keys().copied().collect();
        let numbers = |list: Vec<Named>| {
            let numbers = list.into_iter().map(|named| number(&named, &known, &path, &text));
            numbers.collect::<Result<BTreeSet<u32>, _>>()
        };
        let (dropped, late) = (numbers(file.drop)?, numbers(file.late)?);
        deliveries.retain(|number, _| !dropped.contains(number));
        for (number, delivery) in &mut deliveries {
            delivery.late = late.contains(number);
        }
        let (late, mut deliveries): (Vec<Recorded>, Vec<Recorded>) =
            deliveries.into_values().partition(|delivery| delivery.late);
        deliveries.extend(late);
        if deliveries.is_empty() {
            return Err(wrong(0..0, "[[drop]] lists every delivery"));
        }
        Ok(Self {
            name: name_of(folder),
            folder: folder.to_owned(),
            title: file.title,
            proves: file.proves,
            provider: file.provider.into_inner(),
            api_version: file.api_version,
            origin: file.origin,
            secret: file.secret.into_inner(),
            as_of,
            catalog,
            deliveries,
            expectations,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    proves: String,
    provider: Spanned<String>,
    api_version: String,
    origin: Origin,
    // People read these keys. They are listed here so that unknown keys are refused.
    #[serde(rename = "source", default)]
    _source: Option<String>,
    #[serde(rename = "recorded_at", default)]
    _recorded_at: Option<toml::Value>,
    #[serde(rename = "licence", default)]
    _licence: Option<String>,
    secret: Spanned<String>,
    as_of: Spanned<String>,
    #[serde(default)]
    catalog: Option<String>,
    #[serde(default)]
    expect: Vec<Spanned<Expect>>,
    #[serde(default)]
    late: Vec<Named>,
    #[serde(default)]
    drop: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    at: String,
    #[serde(default)]
    is: Option<toml::Value>,
    #[serde(default)]
    absent: Option<bool>,
    #[serde(default)]
    count: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    delivery: Spanned<String>,
}

fn expectation(expect: Spanned<Expect>, path: &Path, text: &str) -> Result<Expectation, ScenarioError> {
    let span = expect.span();
    let wrong = |what: &str| content(path, text, Some(span.clone()), what);
    let Expect { at, is, absent, count } = expect.into_inner();
    if !at.starts_with('/') {
        return Err(wrong(&format!("{at:?} is not a JSON pointer, which begins with /")));
    }
    let expected = match (is, absent, count) {
        (Some(value), None, None) => {
            Expected::Is(json_of(value).ok_or_else(|| wrong("write times as text in quotation marks"))?)
        }
        (None, Some(true), None) => Expected::Absent,
        (None, Some(false), None) => return Err(wrong("absent = false has no meaning; write the expected value")),
        (None, None, Some(count)) => Expected::Count(count),
        _ => return Err(wrong("an expectation needs exactly one of is, absent, count")),
    };
    Ok(Expectation { at, expected, line: line_at(text, span.start) })
}

/// Converts TOML to JSON. Returns none for a TOML time, because JSON has no type for it.
fn json_of(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::Array(list) => Value::Array(list.into_iter().map(json_of).collect::<Option<_>>()?),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(_) => return None,
        toml::Value::Float(number) => Value::Number(serde_json::Number::from_f64(number)?),
        toml::Value::Integer(number) => Value::Number(number.into()),
        toml::Value::String(text) => Value::String(text),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Some((key, json_of(value)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}

fn number(named: &Named, known: &BTreeSet<u32>, path: &Path, text: &str) -> Result<u32, ScenarioError> {
    // Accepts the number alone or the whole file name.
    let digits = named.delivery.get_ref().split('-').next().unwrap_or_default();
    match digits.parse().ok().filter(|number| known.contains(number)) {
        Some(number) => Ok(number),
        None => {
            let what = format!("there is no delivery {digits:?}");
            Err(content(path, text, Some(named.delivery.span()), &what))
        }
    }
}

fn load_catalog(path: &Path) -> Result<Catalog, ScenarioError> {
    let text = read_text(path)?;
    toml::from_str(&text).map_err(|error| content(path, &text, error.span(), error.message()))
}

/// Reads `NNN-<event type>.json` and `NNN-….headers.json`.
fn load_deliveries(folder: &Path) -> Result<BTreeMap<u32, Recorded>, ScenarioError> {
    let mut bodies: BTreeMap<u32, Recorded> = BTreeMap::new();
    let mut headers: BTreeMap<u32, (PathBuf, Headers)> = BTreeMap::new();
    let wrong = |path: &Path, what: &str| ScenarioError::Folder { path: path.to_owned(), what: what.to_owned() };
    for path in list(folder)? {
        let name = name_of(&path);
        let (digits, rest) = name.split_once('-').unwrap_or(("", &name));
        let number = digits.parse().map_err(|_| wrong(&path, "a delivery is named NNN-<event type>.json"))?;
        let twice = if let Some(_event) = rest.strip_suffix(".headers.json") {
            headers.insert(number, (path.clone(), load_headers(&path)?)).is_some()
        } else if let Some(event_type) = rest.strip_suffix(".json") {
            let body = fs::read(&path).map_err(|cause| ScenarioError::Unreadable { path: path.clone(), cause })?;
            let event_type = event_type.to_owned();
            bodies.insert(number, Recorded { number, event_type, body, headers: None, late: false }).is_some()
        } else {
            return Err(wrong(&path, "a delivery is named NNN-<event type>.json"));
        };
        if twice {
            return Err(wrong(&path, "another delivery has the same number"));
        }
    }
    if bodies.is_empty() {
        return Err(wrong(folder, "there is no delivery"));
    }
    for (number, (path, headers)) in headers {
        let body = bodies.get_mut(&number).ok_or_else(|| wrong(&path, "there are headers, but no body"))?;
        body.headers = Some(headers);
    }
    Ok(bodies)
}

/// Reads headers from a JSON object. Each value is a text or a list of texts.
fn load_headers(path: &Path) -> Result<Headers, ScenarioError> {
    let text = read_text(path)?;
    let wrong = |line, what: String| ScenarioError::Content { path: path.to_owned(), line, what };
    let names: BTreeMap<String, Value> =
        serde_json::from_str(&text).map_err(|error| wrong(error.line(), error.to_string()))?;
    let mut headers = Headers::new();
    for (name, value) in names {
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            match value {
                Value::String(value) => headers.push(&name, value),
                _ => return Err(wrong(1, format!("header {name:?} is neither a text nor a list of texts"))),
            }
        }
    }
    Ok(headers)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let unreadable = |cause| ScenarioError::Unreadable { path: folder.to_owned(), cause };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.retain(|path| !name_of(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

pub(crate) fn read_text(path: &Path) -> Result<String, ScenarioError> {
    fs::read_to_string(path).map_err(|cause| ScenarioError::Unreadable { path: path.to_owned(), cause })
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// An error in a file, with its line.
pub(crate) fn content(path: &Path, text: &str, span: Option<std::ops::Range<usize>>, what: &str) -> ScenarioError {
    let line = line_at(text, span.map_or(0, |span| span.start));
    ScenarioError::Content { path: path.to_owned(), line, what: what.to_owned() }
}

fn line_at(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}
