//! Decides the report's JSON form: one object.

use crate::report::Report;

impl Report {
    /// The report as JSON: the object whose fields are those of [`Report`].
    pub fn to_json(&self) -> String {
        // Nothing in it can fail to serialize: no map with other keys than text, no number that JSON lacks.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
