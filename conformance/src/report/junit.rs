//! Decides the report's JUnit form: one suite per law, and one for the mutants.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::{
    law,
    report::{Case, MutantOutcome, Outcome, Report},
};

impl Report {
    /// The report as JUnit XML.
    ///
    /// # Errors
    /// The writer's error, for text that XML can't represent.
    pub fn to_junit(&self) -> Result<String, quick_junit::SerializeError> {
        let mut report = quick_junit::Report::new(self.kit.as_str());
        let mut ids: Vec<&str> = self.laws.iter().map(|case| case.id).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let sentence = law::statements().find(|law| law.id == id).map_or("", |law| law.sentence);
            let mut suite = TestSuite::new(format!("{id} {sentence}"));
            for case in self.laws.iter().filter(|case| case.id == id) {
                let mut test = TestCase::new(case.case.as_str(), status(case));
                test.set_classname(id);
                test.set_time(std::time::Duration::from_secs_f64(case.seconds));
                suite.add_test_case(test);
            }
            report.add_test_suite(suite);
        }
        if !self.mutants.is_empty() {
            let mut suite = TestSuite::new("mutants");
            for mutant in &self.mutants {
                let status = match mutant.outcome {
                    MutantOutcome::Killed => TestCaseStatus::success(),
                    MutantOutcome::Survived => failure(&mutant.detail),
                    MutantOutcome::Unshown | MutantOutcome::Untried => TestCaseStatus::skipped(),
                };
                suite.add_test_case(TestCase::new(format!("{}/{}", mutant.provider, mutant.mutant), status));
            }
            report.add_test_suite(suite);
        }
        report.to_string()
    }
}

fn status(case: &Case) -> TestCaseStatus {
    match case.outcome {
        Outcome::Held => TestCaseStatus::success(),
        Outcome::Broken => failure(&case.detail),
        Outcome::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(case.detail.as_str());
            status
        }
    }
}

fn failure(detail: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(detail.lines().next().unwrap_or_default());
    status.set_description(detail);
    status
}
