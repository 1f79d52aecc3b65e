//! Decides the content of a badge: the object that shields.io reads from an endpoint.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    law::COMPLETENESS,
    report::{Case, Headline, Outcome, Report},
};

impl Report {
    /// The report as the JSON of a badge.
    pub fn to_badge(&self) -> String {
        let (message, color) = match self.headline() {
            Headline::Broken => ("broken".to_owned(), "red"),
            Headline::Conformant => (self.proved(), "brightgreen"),
            Headline::Incomplete => ("incomplete".to_owned(), "lightgrey"),
        };
        let badge = json!({ "schemaVersion": 1, "label": "conformance", "message": message, "color": color });
        format!("{badge:#}\n")
    }

    fn proved(&self) -> String {
        let held = || self.laws.iter().filter(|case| case.outcome == Outcome::Held);
        let distinct = |of: fn(&Case) -> &str| held().map(of).filter(|name| !name.is_empty()).collect::<BTreeSet<_>>();
        let laws = distinct(|case| case.id).into_iter().filter(|id| *id != COMPLETENESS.id).count();
        let (providers, stores) = (distinct(|case| &case.provider).len(), distinct(|case| &case.store).len());
        let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        format!("{} · {} × {}", counted(laws, "law"), counted(providers, "provider"), counted(stores, "store"))
    }
}
