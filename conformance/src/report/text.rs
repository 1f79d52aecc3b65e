//! Decides how a person reads the report: what is broken first, then one line per law, then the mutants.

use std::fmt::{self, Write};

use crate::{
    law::{LAWS, Severity},
    report::{Fate, MutantCase, Outcome, Report},
};

/// How many broken cases are shown of one law; the rest is counted.
const SHOWN: usize = 5;

impl Report {
    /// The report as text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "{}, seed {}", self.kit, self.seed)?;
        writeln!(
            out,
            "{} scenarios, {} deliveries, {} expectations; {} schedules played",
            self.scenarios, self.deliveries, self.expectations, self.schedules
        )?;
        self.write_broken(out)?;
        self.write_laws(out)?;
        self.write_capabilities(out)?;
        self.write_mutants(out)?;
        for case in self.laws.iter().filter(|case| case.outcome == Outcome::Skipped) {
            let allowed = match self.allow_skip.contains(&case.skip_name) {
                true => "allowed".to_owned(),
                false => format!("not allowed; --allow-skip {}", case.skip_name),
            };
            writeln!(out, "skipped {}: {} ({allowed})", case.case, case.detail)?;
        }
        if self.scenarios == 0 {
            writeln!(out, "no scenario was found, so nothing was judged")?;
        }
        let result = match self.exit_code() {
            0 => "all laws hold",
            1 => "NOT conformant",
            _ => "NOTHING proved: something was skipped, or nothing was run",
        };
        writeln!(
            out,
            "{result}: {} cases held, {} broken, {} skipped",
            self.count(Outcome::Held),
            self.count(Outcome::Broken),
            self.count(Outcome::Skipped)
        )
    }

    fn write_broken(&self, out: &mut String) -> fmt::Result {
        let mut of_law = (crate::runner::COMPLETENESS, 0);
        for case in self.laws.iter().filter(|case| case.outcome == Outcome::Broken) {
            of_law = if of_law.0 == case.id { (case.id, of_law.1 + 1) } else { (case.id, 1) };
            if of_law.1 <= SHOWN {
                writeln!(out, "\nBROKEN {}", case.case)?;
                case.detail.lines().try_for_each(|line| writeln!(out, "  {line}"))?;
            } else if of_law.1 == SHOWN + 1 {
                writeln!(out, "\n… and more of {}", case.id)?;
            }
        }
        writeln!(out)
    }

    fn write_laws(&self, out: &mut String) -> fmt::Result {
        for law in LAWS {
            let of = |outcome| self.laws.iter().filter(|case| case.id == law.id && case.outcome == outcome).count();
            let (held, broken) = (of(Outcome::Held), of(Outcome::Broken));
            if held + broken == 0 {
                continue;
            }
            let mark = if broken > 0 { "BROKEN" } else { "held" };
            let must = if law.severity == Severity::Must { "MUST" } else { "SHOULD" };
            let seconds: f64 = self.laws.iter().filter(|case| case.id == law.id).map(|case| case.seconds).sum();
            let total = held + broken;
            writeln!(out, "{} {must:<6} {mark:<6} {held:>4}/{total:<4} {seconds:>6.1} s  {}", law.id, law.sentence)?;
        }
        Ok(())
    }

    fn write_capabilities(&self, out: &mut String) -> fmt::Result {
        let list = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        for it in &self.capabilities {
            writeln!(out, "\n{} declares {}; undeclared: {}", it.provider, list(&it.declared), list(&it.undeclared))?;
            if it.undeclared.iter().any(|name| name == "signed_time") {
                writeln!(out, "  no time is signed, so a replayed delivery can't be told by its age")?;
            }
            for floor in &it.floors {
                let mark = if floor.executed < floor.required { "BELOW" } else { "above" };
                writeln!(
                    out,
                    "  {mark} its floor of {:>2}: {:>4} {}",
                    floor.required, floor.executed, floor.capability
                )?;
            }
        }
        Ok(())
    }

    fn write_mutants(&self, out: &mut String) -> fmt::Result {
        if self.mutants.is_empty() {
            return Ok(());
        }
        let counts = |it: &&MutantCase| matches!(it.fate, Fate::Killed | Fate::Survived);
        let tried: Vec<&MutantCase> = self.mutants.iter().filter(counts).collect();
        let killed = tried.iter().filter(|it| it.fate == Fate::Killed).count();
        writeln!(out, "\nmutants: {killed} of {} killed", tried.len())?;
        for mutant in &self.mutants {
            let fate = match mutant.fate {
                Fate::Killed => "killed",
                Fate::Survived => "SURVIVED",
                Fate::Unshown => "unshown",
                Fate::Untried => "untried",
            };
            let place = if mutant.scenario.is_empty() { String::new() } else { format!(" in {}", mutant.scenario) };
            writeln!(
                out,
                "  {fate:<8} by {} {:<10} {:<24} {}{place}",
                mutant.law, mutant.failure, mutant.mutant, mutant.provider
            )?;
        }
        writeln!(out)
    }
}
