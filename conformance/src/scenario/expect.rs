//! Decides whether a canonical projection meets a scenario's expectations.

use std::fmt;

use serde_json::Value;

use crate::verdict::{Difference, shown};

/// One expectation: a value that must hold at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// JSON pointer into the canonical projection.
    pub at: String,
    /// What must be there.
    pub expected: Expected,
    /// The line in `scenario.toml`; 0 for a scenario of the kit.
    pub line: usize,
}

/// What must be at a pointer.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// Nothing: no such entry, or null.
    Absent,
    /// A map or a list with this number of entries.
    Count(usize),
    /// This value.
    Is(Value),
}

/// An expectation that is not met.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmet {
    /// The expectation.
    pub expectation: Expectation,
    /// The value found; none if nothing is there.
    pub found: Option<Value>,
}

impl Expectation {
    /// Compares with a projection.
    ///
    /// # Errors
    /// [`Unmet`] with what is there.
    pub fn check(&self, projection: &Value) -> Result<(), Unmet> {
        let found = projection.pointer(&self.at).filter(|value| !value.is_null());
        let met = match (&self.expected, found) {
            (Expected::Absent, found) => found.is_none(),
            (Expected::Count(count), Some(Value::Object(map))) => map.len() == *count,
            (Expected::Count(count), Some(Value::Array(list))) => list.len() == *count,
            (Expected::Count(_), _) => false,
            (Expected::Is(value), found) => found == Some(value),
        };
        match met {
            true => Ok(()),
            false => Err(Unmet { expectation: self.clone(), found: found.cloned() }),
        }
    }
}

impl Unmet {
    /// The pointer and both values, as text for people.
    pub fn difference(&self) -> Difference {
        let expected = match &self.expectation.expected {
            Expected::Absent => shown(None),
            Expected::Count(count) => format!("{count} entries"),
            Expected::Is(value) => shown(Some(value)),
        };
        Difference { path: self.expectation.at.clone(), expected, found: shown(self.found.as_ref()) }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expected {
            Expected::Absent => write!(f, "{} is absent", self.at),
            Expected::Count(count) => write!(f, "{} has {count} entries", self.at),
            Expected::Is(value) => write!(f, "{} is {value}", self.at),
        }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected that {}", self.expectation)?;
        if self.expectation.line > 0 {
            write!(f, " (scenario.toml:{})", self.expectation.line)?;
        }
        match &self.found {
            None => write!(f, "; found nothing"),
            Some(value) => write!(f, "; found {value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(at: &str, expected: Expected, met: bool) {
        let projection = json!({ "a": { "b": 1, "none": null, "list": [1, 2] }, "empty": {} });
        let expectation = Expectation { at: at.to_owned(), expected, line: 0 };
        assert_eq!(expectation.check(&projection).is_ok(), met, "{expectation}");
    }

    #[test]
    fn absent_is_missing_or_null() {
        check("/a/none", Expected::Absent, true);
        check("/a/other", Expected::Absent, true);
        check("/nowhere/at/all", Expected::Absent, true);
        check("/a/b", Expected::Absent, false);
        check("/empty", Expected::Absent, false);
    }

    #[test]
    fn a_count_counts_entries() {
        check("/a", Expected::Count(3), true);
        check("/empty", Expected::Count(0), true);
        check("/a/list", Expected::Count(2), true);
        check("/a/b", Expected::Count(1), false);
        check("/nowhere", Expected::Count(0), false);
    }

    #[test]
    fn a_value_is_compared_with_its_type() {
        check("/a/b", Expected::Is(json!(1)), true);
        check("/a/b", Expected::Is(json!("1")), false);
        check("/a/c", Expected::Is(json!(1)), false);
    }
}
