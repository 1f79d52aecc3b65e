//! Decides which properties the stories of every provider must have. An adapter supplies only a teller.

use crate::{
    law::Effort,
    mutants::{MUTANTS, Mutation},
    rig::Rig,
    story::{Budget, Judge, Story, Teller, hold},
    under_test::{ProviderUnderTest, memory},
    verdict::{Broken, chain},
};

/// How many schedules a law tries per story: a few.
const EFFORT: Effort = Effort { samples: 3, exhaustive: 3 };

/// An adapter on the in-memory store, and the teller of its provider.
pub struct Properties<'a> {
    /// The adapter.
    pub provider: ProviderUnderTest,
    /// The teller of the adapter's provider.
    pub teller: &'a dyn Teller,
    /// The absolute path of the file that keeps failures.
    pub regressions: &'static str,
}

impl Properties<'_> {
    /// Checks that the true order ends in the story's true state.
    ///
    /// # Errors
    /// The simplest story that fails, and the seed.
    pub fn truth(&self) -> Result<(), String> {
        self.each(96, |judge, story| done(judge.told_truly(story))?)
    }

    /// Checks that every order ends in the same state as the true order.
    ///
    /// # Errors
    /// As [`truth`](Self::truth).
    pub fn any_order(&self) -> Result<(), String> {
        self.each(96, |judge, story| done(judge.holds(story, "P06", EFFORT))?)
    }

    /// Checks that folding step by step, rebuilding and replaying end in the same state.
    ///
    /// # Errors
    /// As [`truth`](Self::truth).
    pub fn any_fold(&self) -> Result<(), String> {
        self.each(12, |judge, story| done(judge.holds(story, "P16", EFFORT))?)
    }

    /// Checks that no transition is reported twice and no event stays unfinished.
    ///
    /// # Errors
    /// As [`truth`](Self::truth).
    pub fn once_and_whole(&self) -> Result<(), String> {
        self.each(12, |judge, story| {
            done(judge.holds(story, "P05", EFFORT))??;
            done(judge.holds(story, "P18", EFFORT))?
        })
    }

    /// Checks that some story exposes a mutant: by its end, or by its end in other orders or with duplicates. A
    /// property that no mutant breaks proves nothing.
    ///
    /// # Errors
    /// When there is no such mutant, or the mutant survives.
    pub fn finds(&self, mutant: &str) -> Result<(), String> {
        let Some(mutant) = MUTANTS.iter().find(|it| it.name == mutant) else {
            return Err(format!("there is no mutant {mutant}"));
        };
        let budget = Budget { cases: 40, wishes: 12, simpler: 0, regressions: None };
        let judge = self.judge(mutant.mutation);
        let check = |story: &Story| {
            done(judge.told_truly(story))??;
            // P05 plays duplicates, in orders that are not made simpler.
            done(judge.holds(story, "P05", EFFORT))??;
            done(judge.holds(story, "P06", EFFORT))?
        };
        match hold(budget, |step| self.teller.can(step), check) {
            Ok(()) => Err(format!("{} survives", mutant.name)),
            Err(_) => Ok(()),
        }
    }

    fn each(&self, cases: u32, check: impl Fn(&Judge<'_>, &Story) -> Result<(), Broken>) -> Result<(), String> {
        let judge = self.judge(Mutation::None);
        let budget = Budget { cases, wishes: 36, simpler: 500, regressions: Some(self.regressions) };
        hold(budget, |step| self.teller.can(step), |story| check(&judge, story))
    }

    fn judge(&self, mutation: Mutation) -> Judge<'_> {
        Judge { rig: Rig { provider: self.provider, store: memory(), mutation }, teller: self.teller }
    }
}

fn done<T>(future: impl Future<Output = T>) -> Result<T, Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Broken::new(format!("the runtime can't be started: {}", chain(&error))))?;
    Ok(runtime.block_on(future))
}
