//! Decides how the report looks in a terminal: broken laws first, then one line per law, then the mutants.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::{
    law::LAWS,
    report::{Headline, MutantOutcome, Outcome, Report},
};

/// How many broken cases are shown per law. The rest are counted.
const SHOWN: usize = 5;

/// The colours for success, failure and skips.
#[derive(Clone, Copy, Default)]
struct Colors {
    bad: Style,
    good: Style,
    warn: Style,
    head: Style,
}

impl Colors {
    const TERMINAL: Self = Self {
        bad: AnsiColor::Red.on_default().bold(),
        good: AnsiColor::Green.on_default(),
        warn: AnsiColor::Yellow.on_default(),
        head: Style::new().bold(),
    };
}

impl Report {
    /// The report as text.
    pub fn to_text(&self) -> String {
        self.to_text_in(Colors::default())
    }

    /// The report as text with terminal colours. The caller decides whether colours are wanted.
    pub fn to_colored_text(&self) -> String {
        self.to_text_in(Colors::TERMINAL)
    }

    fn to_text_in(&self, colors: Colors) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = self.write_text(&mut text, colors);
        text
    }

    fn write_text(&self, out: &mut String, colors: Colors) -> fmt::Result {
        let Colors { bad, good, warn, .. } = colors;
        writeln!(out, "{}, seed {}", self.kit, self.seed)?;
        writeln!(
            out,
            "{} scenarios, {} deliveries, {} expectations; {} schedules played in {:.1} s",
            self.scenarios, self.deliveries, self.expectations, self.schedules, self.seconds
        )?;
        self.write_broken(out, colors)?;
        self.write_laws(out, colors)?;
        self.write_capabilities(out, colors)?;
        self.write_mutants(out, colors)?;
        for case in self.laws.iter().filter(|case| case.outcome == Outcome::Skipped) {
            writeln!(out, "{warn}skipped{warn:#} {}: {}", case.case, self.skip_reason(case))?;
        }
        if self.scenarios == 0 {
            writeln!(out, "no scenario was found, so nothing was judged")?;
        }
        let headline = self.headline();
        let color = match headline {
            Headline::Broken => bad,
            Headline::Conformant => good,
            Headline::Incomplete => warn,
        };
        writeln!(
            out,
            "{color}{}{color:#}: {} cases held, {} broken, {} skipped",
            headline.sentence(),
            self.count(Outcome::Held),
            self.count(Outcome::Broken),
            self.count(Outcome::Skipped)
        )
    }

    fn write_broken(&self, out: &mut String, Colors { bad, .. }: Colors) -> fmt::Result {
        let mut of_law = ("", 0);
        for case in self.broken() {
            of_law = if of_law.0 == case.id { (case.id, of_law.1 + 1) } else { (case.id, 1) };
            if of_law.1 <= SHOWN {
                writeln!(out, "\n{bad}BROKEN{bad:#} {}", case.case)?;
                case.detail.lines().try_for_each(|line| writeln!(out, "  {line}"))?;
            } else if of_law.1 == SHOWN + 1 {
                let more = self.broken().filter(|it| it.id == case.id).count() - SHOWN;
                writeln!(out, "\n… and {more} more of {}", case.id)?;
            }
        }
        writeln!(out)
    }

    fn write_laws(&self, out: &mut String, Colors { bad, good, .. }: Colors) -> fmt::Result {
        for law in LAWS {
            let of = |outcome| self.cases_of(law.id).filter(|case| case.outcome == outcome).count();
            let (held, broken) = (of(Outcome::Held), of(Outcome::Broken));
            if held + broken == 0 {
                continue;
            }
            let (mark, color) = if broken > 0 { ("BROKEN", bad) } else { ("held", good) };
            let must = law.severity.as_str();
            let seconds: f64 = self.cases_of(law.id).map(|case| case.seconds).sum();
            let total = held + broken;
            writeln!(
                out,
                "{} {must:<6} {color}{mark:<6}{color:#} {held:>4}/{total:<4} {seconds:>6.1} s  {}",
                law.id, law.sentence
            )?;
        }
        Ok(())
    }

    fn write_capabilities(&self, out: &mut String, Colors { bad, head, .. }: Colors) -> fmt::Result {
        for of in &self.capabilities {
            let reached = of.floors.iter().filter(|floor| floor.reached()).count();
            writeln!(
                out,
                "\n{head}capabilities of {}{head:#}: {} declared, {} not; {reached} of {} floors reached",
                of.provider,
                of.declared.len(),
                of.undeclared.len(),
                of.floors.len()
            )?;
            if of.undeclared.iter().any(|name| name == "signed_time") {
                writeln!(out, "  the signature covers no time, so a replayed delivery can't be recognized by its age")?;
            }
            for floor in of.floors.iter().filter(|floor| !floor.reached()) {
                let (capability, required, executed) = (&floor.capability, floor.required, floor.executed);
                writeln!(out, "  {bad}MISSED{bad:#} {capability}: {executed} executed of {required} required")?;
            }
        }
        Ok(())
    }

    fn write_mutants(&self, out: &mut String, Colors { bad, good, warn, head }: Colors) -> fmt::Result {
        if self.mutants.is_empty() {
            return Ok(());
        }
        let (killed, tried) = self.kills();
        writeln!(out, "\n{head}mutants{head:#}: {killed} of {tried} killed")?;
        for outcome in [MutantOutcome::Survived, MutantOutcome::Killed, MutantOutcome::Unshown, MutantOutcome::Untried]
        {
            let (word, color) = match outcome {
                MutantOutcome::Killed => ("killed", good),
                MutantOutcome::Survived => ("SURVIVED", bad),
                MutantOutcome::Unshown => ("unshown", warn),
                MutantOutcome::Untried => ("untried", warn),
            };
            for mutant in self.mutants_of(outcome) {
                let place = if mutant.scenario.is_empty() { String::new() } else { format!(" in {}", mutant.scenario) };
                writeln!(
                    out,
                    "  {color}{word:<8}{color:#} by {} {:<10} {:<24} {}{place}",
                    mutant.law, mutant.failure, mutant.mutant, mutant.provider
                )?;
            }
        }
        writeln!(out)
    }
}
