//! Decides the report's JSON form: one object.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::report::Report;

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// By law the seconds that its cases took, added up; `mutants` for those.
    timing: BTreeMap<&'static str, f64>,
}

impl Report {
    /// The report as JSON: the object whose fields are those of [`Report`], and `timing`, the seconds spent by law.
    pub fn to_json(&self) -> String {
        let whole = Whole { report: self, timing: self.timing() };
        // Nothing in it can fail to serialize: no map with other keys than text, no number that JSON lacks.
        serde_json::to_string_pretty(&whole).unwrap_or_default()
    }

    /// By law the seconds that its cases took, added up over all cases, though they ran side by side. Those of the
    /// mutants stand under `mutants`.
    pub fn timing(&self) -> BTreeMap<&'static str, f64> {
        let mut timing = BTreeMap::new();
        for case in &self.laws {
            *timing.entry(case.id).or_default() += case.seconds;
        }
        if !self.mutants.is_empty() {
            timing.insert("mutants", self.mutants.iter().map(|mutant| mutant.seconds).sum());
        }
        timing.values_mut().for_each(|seconds| *seconds = in_milliseconds(*seconds));
        timing
    }
}

fn in_milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

pub(super) fn milliseconds<S: Serializer>(seconds: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(in_milliseconds(*seconds))
}
