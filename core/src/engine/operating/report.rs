//! The options and the report of reading everything again.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    id::{Mode, ProviderName, Subject},
    time::{Timestamp, rfc3339_option},
};

/// How to read everything again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RereadOptions {
    /// Whether to write nothing: the report then contains what would change.
    pub dry_run: bool,
    /// The instant at which answers are compared.
    pub as_of: Timestamp,
    /// How many changes the report lists at most.
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
    /// Whether the changes were written.
    pub applied: bool,
    /// Events whose bodies were read.
    pub read: u64,
    /// Events among `read` whose facts or meaning differ from the stored ones.
    pub changed_readings: u64,
    /// Events among `read` that another engine serves, by the fault's [`code`](crate::provider::ReadFault::code).
    /// They were left unchanged.
    pub left: BTreeMap<&'static str, u64>,
    /// Events among `read` that were read before and can't be read now. They and their facts were left unchanged.
    pub unreadable_now: u64,
    /// Events that wait for their worker. They were not read.
    pub queued: u64,
    /// Subjects that were folded.
    pub subjects: u64,
    /// Subjects whose state differs from the stored one, through a changed reading or only a changed fold. New
    /// subjects are included.
    pub changed_subjects: u64,
    /// Customers whose answers change.
    pub changed_customers: u64,
    /// Each answer that changes, by source and customer, up to [`RereadOptions::listed`].
    pub changes: Vec<AnswerChange>,
    /// How many further changes are not listed.
    pub changes_left_off: u64,
}

/// The events that changed what is known about a subject, by public id.
pub(in crate::engine) type Reasons = BTreeMap<Subject, BTreeSet<String>>;

/// An answer that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerChange {
    /// The adapter.
    pub provider: ProviderName,
    /// Live, test or simulated.
    pub mode: Mode,
    /// The application's id of the customer, or the public id (`customer_…`) of a provider's customer that no
    /// customer of the application claims.
    pub customer: String,
    /// Whether `customer` is the application's id.
    pub linked: bool,
    /// The benefit, as in [`CustomerSnapshot`](crate::snapshot::customer::CustomerSnapshot).
    pub benefit: String,
    /// The stored answer, or `None` where there is none.
    pub before: Option<Answer>,
    /// The answer by this version.
    pub after: Option<Answer>,
    /// The events about the customer's objects whose reading changed, by public id, at most twenty. Empty where only
    /// the fold changed.
    pub events: Vec<String>,
    /// How many further events are not listed.
    pub events_left_off: u64,
}

/// Whether a customer may use a benefit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Whether it may be used at the instant of the comparison.
    pub access: bool,
    /// Until when, if known.
    #[serde(serialize_with = "rfc3339_option")]
    pub until: Option<Timestamp>,
    /// The quantity.
    pub quantity: Option<i64>,
}
