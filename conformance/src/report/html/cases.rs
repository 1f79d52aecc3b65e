//! Decides how the page shows broken and skipped cases: the expected and found values, and the command that shows the
//! case again.

use maud::{Markup, html};

use crate::{
    law,
    report::{Case, Outcome, Report},
};

pub(super) fn broken(report: &Report) -> Markup {
    let broken: Vec<&Case> = report.broken().collect();
    html! {
        @if !broken.is_empty() {
            h2 #broken { "Broken: " (broken.len()) }
            @for case in broken { (one(case)) }
        }
    }
}

fn one(case: &Case) -> Markup {
    let facts = [
        ("at", &case.path),
        ("expected", &case.expected),
        ("found", &case.found),
        ("smallest failing schedule", &case.schedule),
    ];
    let sentence = law::statements().find(|law| law.id == case.id).map_or("", |law| law.sentence);
    html! {
        article.case {
            h3 { span.bad { "✗ broken" } " " (case.case) }
            p { (sentence) }
            @if facts.iter().any(|(_, value)| value.is_some()) {
                dl {
                    @for (what, value) in facts {
                        @if let Some(value) = value { dt { (what) } dd { code { (value) } } }
                    }
                }
            }
            pre { (case.detail) }
        }
    }
}

pub(super) fn skipped(report: &Report) -> Markup {
    let skipped: Vec<&Case> = report.laws.iter().filter(|case| case.outcome == Outcome::Skipped).collect();
    html! {
        @if !skipped.is_empty() {
            h2 #skipped { "Skipped: " (skipped.len()) }
            ul {
                @for case in skipped {
                    li { span.warn { "○ skipped" } " " (case.case) ": " (report.skip_reason(case)) }
                }
            }
        }
    }
}
