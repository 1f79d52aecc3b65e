//! Decides which properties every provider's stories have, so that an adapter brings a teller and nothing else.

use crate::{
    law::Effort,
    mutants::{MUTANTS, Mutation},
    rig::Rig,
    story::{Budget, Judge, Story, Teller, hold},
    under_test::{ProviderUnderTest, memory},
    verdict::{Broken, chain},
};

/// How closely each story is looked at by a law: a few schedules each.
const EFFORT: Effort = Effort { samples: 3, exhaustive: 3 };

/// An adapter, on the store in memory, and who tells its stories.
pub struct Properties<'a> {
    /// The adapter.
    pub provider: ProviderUnderTest,
    /// Its provider's side.
    pub teller: &'a dyn Teller,
    /// Where failures are kept, as an absolute path.
    pub regressions: &'static str,
}

impl Properties<'_> {
    /// The true order ends as the story does.
    ///
    /// # Errors
    /// The simplest story found that doesn't, and the seed.
    pub fn truth(&self) -> Result<(), String> {
        self.each(96, |judge, story| done(judge.told_truly(story))?)
    }

    /// Every order ends where the true one does.
    ///
    /// # Errors
    /// As [`truth`](Self::truth).
    pub fn any_order(&self) -> Result<(), String> {
        self.each(96, |judge, story| done(judge.holds(story, "P06", EFFORT))?)
    }

    /// Folding step by step, rebuilding and replaying end the same.
    ///
    /// # Errors
    /// As [`truth`](Self::truth).
    pub fn any_fold(&self) -> Result<(), String> {
        self.each(12, |judge, story| done(judge.holds(story, "P16", EFFORT))?)
    }

    /// No transition is reported twice, and nothing is left open.
    ///
    /// # Errors
    /// As [`truth`](Self::truth).
    pub fn once_and_whole(&self) -> Result<(), String> {
        self.each(12, |judge, story| {
            done(judge.holds(story, "P05", EFFORT))??;
            done(judge.holds(story, "P18", EFFORT))?
        })
    }

    /// Whether some story shows what is wrong with a mutant: by its end, or by its end in other orders, with duplicates.
    /// What is proved can be disproved.
    ///
    /// # Errors
    /// When there is no such mutant, or it survives.
    pub fn finds(&self, mutant: &str) -> Result<(), String> {
        let Some(mutant) = MUTANTS.iter().find(|it| it.name == mutant) else {
            return Err(format!("there is no mutant {mutant}"));
        };
        let budget = Budget { cases: 40, wishes: 12, simpler: 0, regressions: None };
        let judge = self.judge(mutant.mutation);
        let check = |story: &Story| {
            done(judge.told_truly(story))??;
            // This comes with duplicates, in orders that are not made simpler.
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
    let runtime = runtime.map_err(|error| Broken::new(format!("there is no runtime: {}", chain(&error))))?;
    Ok(runtime.block_on(future))
}
