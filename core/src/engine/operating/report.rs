//! Decides what can be asked of reading everything again, and what it reports.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    id::{Mode, ProviderName, Subject},
    time::{Timestamp, rfc3339_option},
};

/// How everything is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RereadOptions {
    /// Whether nothing is written: the report says what would change.
    pub dry_run: bool,
    /// The instant whose answers are compared.
    pub as_of: Timestamp,
    /// How many changes are listed at most.
    pub listed: usize,
}

impl RereadOptions {
    /// A dry run that lists at most a thousand changes.
    pub fn dry_run(as_of: Timestamp) -> Self {
        Self { dry_run: true, as_of, listed: 1000 }
    }
}

/// What reading everything again changes, or would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RereadReport {
    /// Whether it was written.
    pub applied: bool,
    /// Events whose bodies were read.
    pub read: u64,
    /// Those among them whose facts or whose meaning are others than stored.
    pub changed_readings: u64,
    /// Those among them that another engine serves, by the fault's
    /// [`code`](crate::provider::ReadFault::code): left as they are.
    pub left: BTreeMap<&'static str, u64>,
    /// Those among them that were read before and can't be read now: left as they are, with their facts.
    pub unreadable_now: u64,
    /// Events that wait for their worker. They were not read.
    pub queued: u64,
    /// Subjects that were folded.
    pub subjects: u64,
    /// Those whose state is another than stored: by a changed reading, or by a changed fold alone. New ones are included.
    pub changed_subjects: u64,
    /// Customers whose answers change.
    pub changed_customers: u64,
    /// Each answer that changes, by source and customer; no more than were asked for.
    pub changes: Vec<AnswerChange>,
    /// Changes beyond those.
    pub changes_left_off: u64,
}

/// Which events changed what is known of a subject, by their public ids.
pub(in crate::engine) type Reasons = BTreeMap<Subject, BTreeSet<String>>;

/// An answer that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerChange {
    /// The adapter.
    pub provider: ProviderName,
    /// Live, test or simulated.
    pub mode: Mode,
    /// The application's id of the customer; where the provider's customer belongs to nobody in the application, its
    /// public id, `customer_…`.
    pub customer: String,
    /// Whether `customer` is the application's id.
    pub linked: bool,
    /// What it may or may not use, as in [`CustomerSnapshot`](crate::snapshot::customer::CustomerSnapshot).
    pub benefit: String,
    /// The answer as stored; none where nothing is said of it.
    pub before: Option<Answer>,
    /// The answer by this version.
    pub after: Option<Answer>,
    /// The events about the customer's objects whose reading changed, by public id, at most twenty. None where only the
    /// fold changed.
    pub events: Vec<String>,
    /// Events beyond those.
    pub events_left_off: u64,
}

/// Whether something may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Whether it may be used at the instant that was asked for.
    pub access: bool,
    /// Until when, as far as is known.
    #[serde(serialize_with = "rfc3339_option")]
    pub until: Option<Timestamp>,
    /// How many.
    pub quantity: Option<i64>,
}
