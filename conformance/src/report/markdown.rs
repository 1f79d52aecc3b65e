//! Decides the report's Markdown form, which a repository can keep. Its content doesn't depend on how long a run took:
//! two runs with the same seed on the same scenarios give the same file.

use std::fmt::{self, Write};

use crate::{
    mutants::Failure,
    report::{
        Case, MutantOutcome, Report,
        matrix::{Place, Tally},
    },
};

impl Report {
    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = self.write_markdown(&mut text);
        text
    }

    fn write_markdown(&self, out: &mut String) -> fmt::Result {
        let all = Tally::of(&self.laws);
        writeln!(out, "# Conformance: {}\n", self.headline().sentence())?;
        writeln!(
            out,
            "{} scenarios with {} deliveries and {} expectations; {} schedules played. Cases: {all}.\n",
            self.scenarios, self.deliveries, self.expectations, self.schedules
        )?;
        writeln!(out, "```text\n{}\n```\n", self.command.replace("```", "'''"))?;
        self.write_broken_cases(out)?;
        self.write_places(out)?;
        self.write_floors(out)?;
        self.write_kills(out)?;
        self.write_digests(out)
    }

    fn write_broken_cases(&self, out: &mut String) -> fmt::Result {
        if self.broken().next().is_none() {
            return Ok(());
        }
        writeln!(out, "## Broken\n\n| case | at | expected | found | schedule |\n|---|---|---|---|---|")?;
        for case in self.broken() {
            let cells = [
                Some(&case.case),
                case.path.as_ref(),
                case.expected.as_ref(),
                case.found.as_ref(),
                case.schedule.as_ref(),
            ];
            let cells: Vec<String> = cells.map(|cell| cell.map_or_else(String::new, |text| code(text))).to_vec();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        writeln!(out)
    }

    fn write_places(&self, out: &mut String) -> fmt::Result {
        let (adapters, stores) = self.places();
        if !adapters.is_empty() {
            writeln!(out, "## Adapters\n")?;
            writeln!(out, "| adapter | store | held | broken | skipped | scenarios | expectations | schedules |")?;
            writeln!(out, "|---|---|---|---|---|---|---|---|")?;
        }
        for place in &adapters {
            let Tally { held, broken, skipped } = Tally::of(self.cases_at(*place));
            let judged = self.providers.iter().find(|judged| judged.provider == place.provider);
            // A case without a store was not run, even if there are scenarios for it.
            let (scenarios, expectations) = match judged.filter(|_| !place.store.is_empty()) {
                Some(judged) => (judged.scenarios, judged.expectations),
                None => (0, 0),
            };
            let (provider, store, schedules) = (cell(place.provider), cell(place.store), self.schedules_at(*place));
            writeln!(
                out,
                "| {provider} | {store} | {held} | {broken} | {skipped} | {scenarios} | {expectations} | {schedules} |"
            )?;
        }
        if !stores.is_empty() {
            writeln!(out, "\n## Stores\n\n| store | held | broken | skipped |\n|---|---|---|---|")?;
        }
        for place in &stores {
            let Tally { held, broken, skipped } = Tally::of(self.cases_at(*place));
            writeln!(out, "| {} | {held} | {broken} | {skipped} |", cell(&place.to_string()))?;
        }
        Ok(())
    }

    fn write_floors(&self, out: &mut String) -> fmt::Result {
        if self.capabilities.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n## Capabilities\n\n| adapter | capability | declared | required | executed | |")?;
        writeln!(out, "|---|---|---|---|---|---|")?;
        for of in &self.capabilities {
            let all = of.declared.iter().map(|name| (name, "yes")).chain(of.undeclared.iter().map(|name| (name, "no")));
            for (name, declared) in all {
                let floor = of.floors.iter().find(|floor| floor.capability == *name);
                let (required, executed, reached) = match floor {
                    Some(floor) => (
                        floor.required.to_string(),
                        floor.executed.to_string(),
                        if floor.reached() { "reached" } else { "**missed**" },
                    ),
                    None => (String::new(), String::new(), ""),
                };
                let (provider, name) = (cell(&of.provider), cell(name));
                writeln!(out, "| {provider} | {name} | {declared} | {required} | {executed} | {reached} |")?;
            }
        }
        Ok(())
    }

    fn write_kills(&self, out: &mut String) -> fmt::Result {
        if self.mutants.is_empty() {
            return Ok(());
        }
        let (killed, tried) = self.kills();
        writeln!(out, "\n## Mutants: {killed} of {tried} killed\n")?;
        writeln!(out, "| failure | killed | survived | unshown | untried |\n|---|---|---|---|---|")?;
        let mut failures: Vec<&str> = self.mutants.iter().map(|mutant| mutant.failure).collect();
        failures.sort_unstable();
        failures.dedup();
        for failure in failures {
            let of =
                |outcome: MutantOutcome| self.mutants_of(outcome).filter(|mutant| mutant.failure == failure).count();
            let (killed, survived) = (of(MutantOutcome::Killed), of(MutantOutcome::Survived));
            let (unshown, untried) = (of(MutantOutcome::Unshown), of(MutantOutcome::Untried));
            let told = cell(&Failure::told(failure));
            writeln!(out, "| {told} | {killed} | {survived} | {unshown} | {untried} |")?;
        }
        for mutant in self.mutants_of(MutantOutcome::Survived) {
            let (name, law, provider) = (cell(mutant.mutant), mutant.law, cell(&mutant.provider));
            writeln!(out, "\n**{name} survived**: {law} didn't find it with {provider}.")?;
        }
        Ok(())
    }

    fn write_digests(&self, out: &mut String) -> fmt::Result {
        let of = &self.digests;
        writeln!(out, "\n## Versions and digests\n\n| | |\n|---|---|")?;
        writeln!(out, "| kit | {} |\n| seed | {} |", cell(&self.kit), self.seed)?;
        writeln!(out, "| laws {} | `{}` |\n| fixtures | `{}` |", cell(&of.spec_version), of.spec, of.fixtures)?;
        for (provider, digest) in &of.providers {
            writeln!(out, "| fixtures of {} | `{digest}` |", cell(provider))?;
        }
        Ok(())
    }

    fn schedules_at(&self, place: Place<'_>) -> u64 {
        self.cases_at(place).filter(|case| Case::plays_schedules(case)).map(|case| case.checks).sum()
    }
}

/// Escapes text for a table cell, so that Markdown and HTML don't interpret it.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for letter in text.chars() {
        match letter {
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '&' => cell.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' => cell.extend(['\\', letter]),
            letter if letter.is_control() => cell.push(' '),
            letter => cell.push(letter),
        }
    }
    cell
}

/// Formats code in a table cell.
fn code(text: &str) -> String {
    format!("<code>{}</code>", cell(text))
}
