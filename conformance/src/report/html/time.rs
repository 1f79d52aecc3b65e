//! Decides how the page shows where the time went.

use maud::{Markup, html};

use crate::{
    law,
    report::{Case, Report},
};

/// How many of the slowest cases are shown.
const SLOWEST: usize = 10;

/// Formats a duration for people.
pub(super) fn told(seconds: f64) -> String {
    match seconds {
        minutes if minutes >= 120.0 => format!("{:.0} min {:.0} s", (minutes / 60.0).floor(), minutes % 60.0),
        seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.0} ms", seconds * 1000.0),
    }
}

pub(super) fn spent(report: &Report) -> Markup {
    let mut laws: Vec<(&str, f64)> = report.timing().into_iter().collect();
    laws.sort_by(|one, other| other.1.total_cmp(&one.1));
    let total: f64 = laws.iter().map(|(_, seconds)| seconds).sum();
    let share = |seconds: f64| if total > 0.0 { 100.0 * seconds / total } else { 0.0 };
    let sentence = |id: &str| law::statements().find(|law| law.id == id).map_or("", |law| law.sentence);
    let mut slowest: Vec<&Case> = report.laws.iter().collect();
    slowest.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    html! {
        h2 #time { "Where the time goes" }
        p { "Total over all cases: " (told(total)) ". The cases ran concurrently and took " (told(report.seconds)) "." }
        div.scroll {
            table {
                thead { tr { th { "law" } th { "what must hold" } th.number { "time" } th.number { "share" } } }
                tbody {
                    @for (id, seconds) in laws {
                        tr {
                            th scope="row" { (id) }
                            td { (sentence(id)) }
                            td.number { (told(seconds)) }
                            td.number { (format!("{:.0} %", share(seconds))) }
                        }
                    }
                }
            }
        }
        @if !slowest.is_empty() {
            h3 { "The slowest cases" }
            div.scroll {
                table {
                    thead { tr { th { "case" } th.number { "checks" } th.number { "time" } } }
                    tbody {
                        @for case in slowest.into_iter().take(SLOWEST) {
                            tr { td { (case.case) } td.number { (case.checks) } td.number { (told(case.seconds)) } }
                        }
                    }
                }
            }
        }
    }
}
