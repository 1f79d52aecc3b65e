//! Reads the fields of a request's body, each at most once, and refuses what is left over.

use purchase_emulator::Call;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::fault::Fault;

/// The fields that are not read yet, and what was wrong so far.
pub(crate) struct Fields {
    left: Map<String, Value>,
    wrong: Vec<(String, String)>,
}

/// The deepest body. A stored world is deeper than what it stores, and can be read again all the same.
const DEPTH: usize = 64;

impl Fields {
    /// The fields of an object.
    pub(crate) fn of(body: Value) -> Result<Self, Fault> {
        match body {
            Value::Object(left) => Ok(Self { left, wrong: Vec::new() }),
            _ => Err(Fault::field("(root)", "must be an object")),
        }
    }

    /// The fields of a call's body. An empty body has none.
    pub(crate) fn of_call(call: &Call<'_>) -> Result<Self, Fault> {
        let is_json = call.header("content-type").is_none_or(|it| it.starts_with("application/json"));
        if !is_json && !call.body.is_empty() {
            return Err(Fault::shared(415, "unsupported_media_type", "The content type must be application/json."));
        }
        if call.body.iter().all(u8::is_ascii_whitespace) {
            return Self::of(Value::Object(Map::new()));
        }
        if call.depth() > DEPTH {
            let detail = format!("The body is nested deeper than {DEPTH}.");
            return Err(Fault::shared(400, "invalid_json", detail));
        }
        match serde_json::from_slice(call.body) {
            Ok(Value::Null) => Self::of(Value::Object(Map::new())),
            Ok(body) => Self::of(body),
            Err(error) => Err(Fault::shared(400, "invalid_json", format!("The body is not valid JSON: {error}"))),
        }
    }

    /// Whether a field is there and not read yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// A field's value. None when it is left out; null is a value of its own for types that have one.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        match serde_json::from_value(self.left.remove(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(name, error.to_string());
                None
            }
        }
    }

    /// The value of a field that must be there.
    pub(crate) fn need<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        if !self.left.contains_key(name) {
            self.refuse(name, "must be provided as part of the request");
        }
        self.read(name)
    }

    /// A text between two lengths.
    pub(crate) fn text(&mut self, name: &str, min: usize, max: usize) -> Option<String> {
        let text: Option<String> = self.read(name);
        self.measure(name, text.as_deref(), min, max);
        text
    }

    /// A text between two lengths, or null.
    pub(crate) fn nullable(&mut self, name: &str, min: usize, max: usize) -> Option<Option<String>> {
        let text: Option<Option<String>> = self.read(name);
        self.measure(name, text.as_ref().and_then(Option::as_deref), min, max);
        text
    }

    fn measure(&mut self, name: &str, text: Option<&str>, min: usize, max: usize) {
        let length = text.map(|text| text.chars().count());
        match length {
            Some(length) if length > max => {
                self.refuse(name, format!("maximum length of {max} exceeded. provided value length {length}"));
            }
            Some(length) if length < min => self.refuse(name, format!("minimum length of {min} not reached")),
            _ => {}
        }
    }

    /// One of some words.
    pub(crate) fn word(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let word: Option<String> = self.read(name);
        if word.as_ref().is_some_and(|word| !words.contains(&word.as_str())) {
            self.refuse(name, format!("must be one of: {}", words.join(", ")));
        }
        word
    }

    /// Says what is wrong with a field.
    pub(crate) fn refuse(&mut self, name: &str, why: impl Into<String>) {
        self.wrong.push((name.to_owned(), why.into()));
    }

    /// Refuses the call when something was wrong, or when a field is left over. `missing` are fields that the provider
    /// has and the emulator doesn't.
    pub(crate) fn finish(mut self, missing: &[&str]) -> Result<(), Fault> {
        let left = std::mem::take(&mut self.left);
        let unknown = left.keys().filter(|name| !missing.contains(&name.as_str()));
        self.wrong.extend(unknown.map(|name| (name.clone(), "additional property is not allowed".to_owned())));
        if !self.wrong.is_empty() {
            return Err(Fault::fields(self.wrong));
        }
        match left.keys().next() {
            Some(name) => Err(Fault::not_emulated(format!("the field {name}"))),
            None => Ok(()),
        }
    }
}
