//! Decides how the report looks as one page, on a screen or printed: the verdict, then broken laws, then the rest. The
//! page loads nothing else. It escapes every text, because the author of a scenario chooses names and details.

mod cases;
mod laws;
mod mutants;
mod providers;
mod time;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::{Headline, Report, matrix::Tally};

const STYLE: &str = include_str!("html/style.css");

impl Report {
    /// The report as one HTML page.
    pub fn to_html(&self) -> String {
        let sentence = self.headline().sentence();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { "Conformance: " (sentence) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header { (self.verdict()) (self.figures()) }
                    main {
                        (cases::broken(self))
                        (cases::skipped(self))
                        (laws::matrix(self))
                        (providers::capabilities(self))
                        (mutants::kills(self))
                        (time::spent(self))
                        (providers::digests(self))
                    }
                }
            }
        };
        page.into_string() + "\n"
    }

    fn verdict(&self) -> Markup {
        let headline = self.headline();
        let (class, mark) = match headline {
            Headline::Broken => ("bad", "✗"),
            Headline::Conformant => ("good", "✓"),
            Headline::Incomplete => ("warn", "?"),
        };
        let (killed, tried) = self.kills();
        html! {
            p.kit { (self.kit) }
            h1 class=(class) { span aria-hidden="true" { (mark) " " } (headline.sentence()) }
            p.lead {
                (Tally::of(&self.laws)) " of " (self.laws.len()) " cases"
                @if tried > 0 { "; " (killed) " of " (tried) " mutants killed" }
                "."
            }
        }
    }

    /// The figures of what ran.
    fn figures(&self) -> Markup {
        let per_second = if self.seconds > 0.0 { self.schedules as f64 / self.seconds } else { 0.0 };
        let figures = [
            ("scenarios", self.scenarios.to_string()),
            ("deliveries", self.deliveries.to_string()),
            ("expectations", self.expectations.to_string()),
            ("schedules", self.schedules.to_string()),
            ("cases", self.laws.len().to_string()),
            ("duration", time::told(self.seconds)),
            ("schedules per second", format!("{per_second:.0}")),
            ("seed", self.seed.to_string()),
        ];
        html! {
            dl.figures { @for (what, figure) in figures { div { dt { (what) } dd { (figure) } } } }
            pre { (self.command) }
        }
    }
}
