//! Decides how often a commit is tried: again when another writer was faster, and when the store was lost before it
//! answered; not for ever.

use crate::error::{Chain, CommitError, Refusal};

/// How often the store may be lost before it answers. Who loads again sees whether the commit has happened; where the store
/// goes on losing its answers, that is no contention but an outage.
const UNKNOWN: u32 = 2;

/// What is left of the attempts at one commit.
pub(super) struct Attempts {
    tried: u32,
    most: u32,
    unknown: u32,
}

impl Attempts {
    /// At most so many.
    pub(super) fn at_most(most: u32) -> Self {
        Self { tried: 0, most, unknown: 0 }
    }

    /// Begins one.
    ///
    /// # Errors
    /// [`Refusal::Contended`] when they are used up.
    pub(super) fn begin(&mut self) -> Result<(), Refusal> {
        if self.tried == self.most {
            return Err(Refusal::Contended { attempts: self.most });
        }
        self.tried += 1;
        Ok(())
    }

    /// After a commit that did not end well: another attempt is worth while, from the load on.
    ///
    /// # Errors
    /// What the sender is told, when it isn't.
    pub(super) fn after(&mut self, error: CommitError) -> Result<(), Refusal> {
        match error {
            CommitError::Stale => {
                tracing::debug!("another writer was faster; loading again");
                Ok(())
            }
            CommitError::Unknown(fault) if self.unknown == UNKNOWN => Err(fault.into()),
            CommitError::Unknown(fault) => {
                tracing::warn!(cause = %Chain(&fault), "it is not known whether a commit has happened; looking at what is there");
                self.unknown += 1;
                Ok(())
            }
            CommitError::LeaseLost => Err(Refusal::LeaseLost),
            CommitError::Store(fault) => Err(fault.into()),
        }
    }
}
