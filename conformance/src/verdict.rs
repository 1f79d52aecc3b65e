//! Decides what a law returns: held, or broken with what a person needs to reproduce it.

use std::error::Error;

use purchase_core::error::{Chain, Refusal, StoreError};
use serde_json::Value;

use crate::schedule::Schedule;

/// The result of a law.
pub type Verdict = Result<Held, Broken>;

/// A law held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// How many single checks were made. Zero is not a success.
    pub checks: u64,
}

/// A law is broken.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// The finding.
    pub what: String,
    /// The place where two values differ, if two were compared.
    pub difference: Option<Difference>,
    /// The schedule that exposed it, if one was played.
    pub schedule: Option<Schedule>,
}

/// Two values at one place that should be equal. Values are JSON, cut when they are long; `nothing` if there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The JSON pointer.
    pub path: String,
    /// The expected value.
    pub expected: String,
    /// The value found.
    pub found: String,
}

impl Broken {
    /// A law broken for this reason.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), difference: None, schedule: None }
    }

    /// A law broken because of an error.
    pub fn caused(what: &str, error: &(dyn Error + 'static)) -> Self {
        Self::new(format!("{what}: {}", chain(error)))
    }

    /// Adds the schedule that exposed it.
    #[must_use]
    pub fn in_schedule(mut self, schedule: &Schedule) -> Self {
        self.schedule.get_or_insert_with(|| schedule.clone());
        self
    }

    /// A law broken because two values differ.
    #[must_use]
    pub fn differing(self, difference: Difference) -> Self {
        Self { difference: Some(difference), ..self }
    }

    /// Puts the place before the finding.
    #[must_use]
    pub fn context(mut self, place: &str) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::caused("the store", &error)
    }
}

impl From<Refusal> for Broken {
    fn from(error: Refusal) -> Self {
        Self::caused("the engine", &error)
    }
}

/// An error with its causes.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    Chain(error).to_string()
}

/// Fails if a condition doesn't hold.
///
/// # Errors
/// The given message.
pub fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
    match holds {
        true => Ok(()),
        false => Err(Broken::new(what())),
    }
}

/// Fails if two projections differ, and names the first place.
///
/// # Errors
/// The first JSON pointer that differs, with both values.
pub fn ensure_equal(expected: &Value, found: &Value, here: &str) -> Result<(), Broken> {
    match first_difference("", expected, found) {
        None => Ok(()),
        Some((path, expected, found)) => {
            let what = format!("at {path} undisturbed {expected}, {here} {found}");
            Err(Broken::new(what).differing(Difference { path, expected, found }))
        }
    }
}

/// The first JSON pointer at which two values differ, and both values.
pub(crate) fn first_difference(at: &str, one: &Value, other: &Value) -> Option<(String, String, String)> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort();
            keys.dedup();
            keys.into_iter().find_map(|key| {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => first_difference(&at, one, other),
                    (one, other) => Some((at, shown(one), shown(other))),
                }
            })
        }
        (one, other) if one == other => None,
        (one, other) => Some((at.to_owned(), shown(Some(one)), shown(Some(other)))),
    }
}

/// A value as text for people: JSON, cut when it is long.
pub(crate) fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_with_both_values() {
        let check = |one, other, expect: Option<&str>| {
            assert_eq!(ensure_equal(&one, &other, "here").err().map(|broken| broken.what).as_deref(), expect);
        };
        check(json!({"a": {"b": 1}}), json!({"a": {"b": 1}}), None);
        check(json!({"a": {"b": 5}, "z": 1}), json!({"a": {"b": 6}, "z": 2}), Some("at /a/b undisturbed 5, here 6"));
        check(json!({}), json!({"p/q": null}), Some("at /p~1q undisturbed nothing, here null"));
        let broken = ensure_equal(&json!({"a": 5}), &json!({"a": 6}), "here").err();
        let difference = Difference { path: "/a".to_owned(), expected: "5".to_owned(), found: "6".to_owned() };
        assert_eq!(broken.and_then(|broken| broken.difference), Some(difference));
    }
}
