//! The state of a world in neutral words, and how a projection differs from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The sections of a canonical projection that a provider's objects stand in. The conformance kit's page documents their
/// fields.
pub const SECTIONS: [&str; 7] =
    ["checkouts", "customers", "disputes", "invoices", "payments", "refunds", "subscriptions"];

/// What is true: fields by object id by section, in the words of the canonical projection. It has only fields that the
/// provider's own documents decide, and is written without any code that reads events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth(BTreeMap<String, BTreeMap<String, Map<String, Value>>>);

impl Truth {
    /// Nothing, in every section.
    pub fn new() -> Self {
        Self(SECTIONS.iter().map(|section| ((*section).to_owned(), BTreeMap::new())).collect())
    }

    /// States an object's fields. Null says that the field is unknown or absent.
    ///
    /// # Panics
    /// When the section doesn't exist, or the fields are no JSON object.
    pub fn put(&mut self, section: &str, id: &str, fields: Value) {
        let Value::Object(fields) = fields else { panic!("the fields of {section}/{id} are no object") };
        let objects = self.0.get_mut(section).unwrap_or_else(|| panic!("there is no section {section}"));
        objects.insert(id.to_owned(), fields);
    }

    /// An object's fields.
    pub fn get(&self, section: &str, id: &str) -> Option<&Map<String, Value>> {
        self.0.get(section)?.get(id)
    }

    /// The objects of a section.
    pub fn section(&self, section: &str) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
        self.0.get(section).into_iter().flatten()
    }

    /// How a canonical projection differs: objects that are missing, objects that don't exist, and fields with another
    /// value. Sections in `hidden` are not compared.
    pub fn differences(&self, projection: &Value, hidden: &[&str]) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut differ = |at: String, truth: Value, shown: Value| found.push(Difference { at, truth, shown });
        for (section, objects) in self.0.iter().filter(|(section, _)| !hidden.contains(&section.as_str())) {
            let shown = &projection[section.as_str()];
            for id in shown.as_object().into_iter().flat_map(Map::keys).filter(|id| !objects.contains_key(*id)) {
                differ(format!("/{section}/{id}"), Value::Null, shown[id].clone());
            }
            for (id, fields) in objects {
                let shown = &shown[id.as_str()];
                if shown.is_null() {
                    differ(format!("/{section}/{id}"), Value::Object(fields.clone()), Value::Null);
                    continue;
                }
                for (field, truth) in fields.iter().filter(|(field, truth)| shown[field.as_str()] != **truth) {
                    differ(format!("/{section}/{id}/{field}"), truth.clone(), shown[field.as_str()].clone());
                }
            }
        }
        found
    }
}

/// One place where a projection differs from the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The place, as a JSON pointer into the projection.
    pub at: String,
    /// The true value.
    pub truth: Value,
    /// The value that the projection shows.
    pub shown: Value,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} is true, {} is shown", self.at, self.truth, self.shown)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_difference_is_found() {
        let mut truth = Truth::new();
        truth.put("payments", "a", json!({ "state": "succeeded", "invoice": null }));
        truth.put("payments", "b", json!({ "state": "failed" }));
        let same = json!({ "payments": { "a": { "state": "succeeded", "more": 1 }, "b": { "state": "failed" } } });
        assert_eq!(truth.differences(&same, &[]), []);
        let other = json!({ "payments": { "a": { "state": "failed" }, "c": {} } });
        let places: Vec<String> = truth.differences(&other, &[]).into_iter().map(|it| it.at).collect();
        assert_eq!(places, ["/payments/c", "/payments/a/state", "/payments/b"]);
        assert_eq!(truth.differences(&other, &["payments"]), []);
    }
}
