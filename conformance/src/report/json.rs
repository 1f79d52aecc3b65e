//! Decides the report's JSON form: one object.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::report::Report;

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// The seconds per law, added up over its cases. The key `mutants` holds those of the mutants.
    timing: BTreeMap<&'static str, f64>,
}

impl Report {
    /// The report as JSON: the fields of [`Report`], and `timing`, the seconds per law.
    pub fn to_json(&self) -> String {
        let whole = Whole { report: self, timing: self.timing() };
        // Serialization can't fail: all map keys are text, and JSON can represent every number.
        serde_json::to_string_pretty(&whole).unwrap_or_default()
    }

    /// The seconds per law, added up over all cases, although cases run concurrently. The key `mutants` holds those of
    /// the mutants.
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
