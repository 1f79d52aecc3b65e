//! Decides how the mutants are shown: which law found which, and where.

use maud::{Markup, html};

use crate::{
    mutants::Failure,
    report::{Fate, MutantCase, Report},
};

pub(super) fn kills(report: &Report) -> Markup {
    let (killed, tried) = report.kills();
    let fates = [Fate::Survived, Fate::Killed, Fate::Unshown, Fate::Untried];
    html! {
        @if !report.mutants.is_empty() {
            h2 #mutants { "Mutants: " (killed) " of " (tried) " killed" }
            p {
                "Systems that are broken on purpose. A law that lets its mutant survive proves less than it says. "
                "Unshown: no scenario of this adapter shows it, and none has to. Untried: no store of the run can have "
                "it."
            }
            div.scroll {
                table {
                    thead {
                        tr {
                            th { "mutant" } th { "failure" } th { "what it does" } th { "law" } th { "fate" }
                            th { "adapter" } th { "scenario" }
                        }
                    }
                    tbody { @for fate in fates { @for mutant in report.mutants_of(fate) { (row(mutant)) } } }
                }
            }
        }
    }
}

fn row(mutant: &MutantCase) -> Markup {
    let (class, mark) = match mutant.fate {
        Fate::Killed => ("count good", "✓"),
        Fate::Survived => ("count bad", "✗"),
        Fate::Unshown | Fate::Untried => ("count dim", "–"),
    };
    html! {
        tr {
            th scope="row" { (mutant.mutant) }
            td { (Failure::told(mutant.failure)) }
            td { (mutant.sentence) @if !mutant.like.is_empty() { br; small { "reported as: " (mutant.like) } } }
            td { (mutant.law) }
            td class=(class) { (mark) " " (mutant.fate.as_str()) }
            td { (mutant.provider) }
            td { (mutant.scenario) @if mutant.fate == Fate::Survived { (mutant.detail) } }
        }
    }
}
