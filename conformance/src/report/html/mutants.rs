//! Decides how the page shows the mutants: which law found which mutant, and where.

use maud::{Markup, html};

use crate::{
    mutants::Failure,
    report::{MutantCase, MutantOutcome, Report},
};

pub(super) fn kills(report: &Report) -> Markup {
    let (killed, tried) = report.kills();
    let fates = [MutantOutcome::Survived, MutantOutcome::Killed, MutantOutcome::Unshown, MutantOutcome::Untried];
    html! {
        @if !report.mutants.is_empty() {
            h2 #mutants { "Mutants: " (killed) " of " (tried) " killed" }
            p {
                "Deliberately broken systems. A law that lets its mutant survive proves less than it says. "
                "Unshown: no scenario of this adapter exposes the mutant, and none is required to. "
                "Untried: no store of the run can have the defect."
            }
            div.scroll {
                table {
                    thead {
                        tr {
                            th { "mutant" } th { "failure" } th { "what it does" } th { "law" } th { "outcome" }
                            th { "adapter" } th { "scenario" }
                        }
                    }
                    tbody { @for outcome in fates { @for mutant in report.mutants_of(outcome) { (row(mutant)) } } }
                }
            }
        }
    }
}

fn row(mutant: &MutantCase) -> Markup {
    let (class, mark) = match mutant.outcome {
        MutantOutcome::Killed => ("count good", "✓"),
        MutantOutcome::Survived => ("count bad", "✗"),
        MutantOutcome::Unshown | MutantOutcome::Untried => ("count dim", "–"),
    };
    html! {
        tr {
            th scope="row" { (mutant.mutant) }
            td { (Failure::told(mutant.failure)) }
            td { (mutant.sentence) @if !mutant.like.is_empty() { br; small { "reported as: " (mutant.like) } } }
            td { (mutant.law) }
            td class=(class) { (mark) " " (mutant.outcome.as_str()) }
            td { (mutant.provider) }
            td { (mutant.scenario) @if mutant.outcome == MutantOutcome::Survived { (mutant.detail) } }
        }
    }
}
