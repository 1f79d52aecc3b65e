//! Decides how commands that consist of steps run and summarize them: the time of each against its budget, failures and
//! skips.

use std::{
    borrow::Cow,
    path::PathBuf,
    process::{Command, ExitCode},
    sync::LazyLock,
    time::{Duration, Instant},
};

use anyhow::bail;

use crate::{
    shell::{self, Tone, paint},
    signals,
};

/// The result of a step.
pub(crate) enum Outcome {
    Failed(Took),
    Passed(Took),
    Skipped { why: Cow<'static, str>, allowed: bool },
}

/// How long a step took, and its budget in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) time: Duration,
    pub(crate) budget: Option<u64>,
}

impl Took {
    fn is_over(self) -> bool {
        self.budget.is_some_and(|budget| self.time > Duration::from_secs(budget))
    }

    fn shown(self) -> String {
        let took = self.time.as_secs_f64();
        match self.budget {
            None => format!("{took:>7.1} s"),
            Some(budget) if self.is_over() => {
                format!("{took:>7.1} / {budget} s, over its budget: move slow checks to `cargo xtask soak`")
            }
            Some(budget) => format!("{took:>7.1} / {budget} s"),
        }
    }
}

/// Runs the commands of a step in order, each after its preparation, until one fails.
pub(crate) fn run_commands(
    name: &str,
    budget: Option<u64>,
    commands: Vec<Command>,
    prepare: impl Fn(&mut Command),
) -> anyhow::Result<Outcome> {
    let begin = Instant::now();
    let took = || Took { time: begin.elapsed(), budget };
    for mut command in commands {
        prepare(&mut command);
        println!("\n{} {name}: `{}`", paint(Tone::Head, "=="), shell::shown(&command));
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(status) => {
                signals::hold_when_interrupted();
                println!("{} {name}: the command ended with {status}", paint(Tone::Bad, "FAILED"));
                return Ok(Outcome::Failed(took()));
            }
            Err(fault) => bail!("could not start `{}`: {fault}", shell::shown(&command)),
        }
    }
    Ok(Outcome::Passed(took()))
}

/// Prints a summary of the steps. A step over its budget is marked but doesn't fail.
pub(crate) fn sum_up(outcomes: &[(&'static str, Outcome)], forbids: impl Fn(&str) -> String) -> ExitCode {
    println!();
    let (mut passed, mut failed, mut skipped, mut over) = (0, 0, 0, 0);
    for (name, outcome) in outcomes {
        let (tone, word, detail) = match outcome {
            Outcome::Passed(took) if took.is_over() => (Tone::Warn, "passed", took.shown()),
            Outcome::Passed(took) => (Tone::Good, "passed", took.shown()),
            Outcome::Failed(took) => (Tone::Bad, "FAILED", took.shown()),
            Outcome::Skipped { why, allowed: true } => (Tone::Warn, "SKIPPED", why.to_string()),
            Outcome::Skipped { why, allowed: false } => (Tone::Bad, "SKIPPED", format!("{why}; {}", forbids(name))),
        };
        match outcome {
            Outcome::Passed(_) => passed += 1,
            Outcome::Failed(_) | Outcome::Skipped { allowed: false, .. } => failed += 1,
            Outcome::Skipped { .. } => skipped += 1,
        }
        if let Outcome::Passed(took) | Outcome::Failed(took) = outcome {
            over += u32::from(took.is_over());
        }
        println!("{} {:<13} {detail}", paint(tone, &format!("{word:<8}")), name);
    }
    println!("steps: {passed} passed, {failed} failed, {skipped} skipped, {over} over budget");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

static OWN: LazyLock<PathBuf> = LazyLock::new(|| std::env::current_exe().unwrap_or_else(|_| "xtask".into()));

/// Remembers the path of this program. This must happen at the start: if a later step links the file again, the system
/// reports the running file as deleted.
pub(crate) fn remember_own() {
    LazyLock::force(&OWN);
}

/// This program itself, which is already built.
pub(crate) fn xtask(args: &[&str]) -> Command {
    let mut command = Command::new(&*OWN);
    command.current_dir(shell::root()).args(args);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_over_its_budget_is_marked() {
        let shown = |seconds, budget| Took { time: Duration::from_secs(seconds), budget }.shown();
        assert_eq!(shown(3, None), "    3.0 s");
        assert_eq!(shown(60, Some(60)), "   60.0 / 60 s");
        let over = "   61.0 / 60 s, over its budget: move slow checks to `cargo xtask soak`";
        assert_eq!(shown(61, Some(60)), over);
    }
}
