//! Decides how the page shows laws: one table of adapters on stores and one of stores alone, with counts for every law.

use maud::{Markup, html};

use crate::{
    law::{self, Statement},
    report::{
        Report,
        matrix::{Place, Tally},
    },
};

pub(super) fn matrix(report: &Report) -> Markup {
    let (adapters, stores) = report.places();
    html! {
        h2 #laws { "Laws" }
        (table(report, "Each adapter on each store: cases by law.", &adapters))
        (table(report, "Each store alone: cases by law.", &stores))
    }
}

fn table(report: &Report, caption: &str, places: &[Place<'_>]) -> Markup {
    let judged = |law: &Statement| places.iter().any(|place| tally(report, law, *place).total() > 0);
    html! {
        @if !places.is_empty() {
            div.scroll {
                table {
                    caption { (caption) }
                    thead {
                        tr {
                            th { "law" } th { "what must hold" } th { "source" }
                            @for place in places { th { (place) } }
                        }
                    }
                    tbody {
                        @for law in law::statements().filter(judged) {
                            tr {
                                th scope="row" { (law.id) }
                                td { b { (law.severity.as_str()) } " " (law.sentence) }
                                td.dim { (law.source) }
                                @for place in places { (cell(tally(report, &law, *place))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn tally(report: &Report, law: &Statement, place: Place<'_>) -> Tally {
    Tally::of(report.cases_at(place).filter(|case| case.id == law.id))
}

fn cell(tally: Tally) -> Markup {
    let (class, mark) = match tally {
        Tally { broken: 1.., .. } => ("count bad", "✗ "),
        Tally { skipped: 1.., .. } => ("count warn", "○ "),
        Tally { held: 1.., .. } => ("count good", "✓ "),
        Tally { held: 0, broken: 0, skipped: 0 } => ("count dim", ""),
    };
    html! { td class=(class) { (mark) (tally) } }
}
