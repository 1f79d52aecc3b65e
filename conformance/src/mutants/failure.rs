//! Decides the names of the failures that are seen in the wild.

/// A kind of failure that is seen in the wild. At least one mutant has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The id that mutants and laws use.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What goes wrong.
    pub sentence: &'static str,
}

/// Every kind.
pub const FAILURES: [Failure; 7] = [
    Failure { id: "F1", name: "stale overwrite", sentence: "an older state replaces a newer one" },
    Failure { id: "F2", name: "tie loss", sentence: "the wrong one of two states of the same instant wins" },
    Failure { id: "F3", name: "orphan drop", sentence: "an event that arrives before its parent is lost" },
    Failure { id: "F4", name: "resurrection", sentence: "a late update revives an ended object" },
    Failure { id: "F5", name: "acknowledged without effect", sentence: "answered 2xx, but nothing durable happened" },
    Failure { id: "F6", name: "effect twice", sentence: "one effect per delivery instead of one per fact" },
    Failure { id: "F7", name: "refetch race", sentence: "read, then written without comparing the revision" },
];

impl Failure {
    /// A mutant's kind of failure, followed by its name if it has one.
    pub fn told(failure: &str) -> String {
        match FAILURES.iter().find(|known| known.id == failure) {
            Some(known) => format!("{} {}", known.id, known.name),
            None => failure.to_owned(),
        }
    }
}
