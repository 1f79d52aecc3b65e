//! Defines the meaning of every failure: whose fault it is, whether to try again, and what to answer the sender. No
//! other file maps an error to an HTTP status.

use std::{error::Error, fmt, sync::Arc};

use crate::{provider::ReadFault, verify::SignatureError};

/// Why a delivery was refused. `Display` describes what was wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The body exceeds the limit; nothing was read.
    #[error("the body has {bytes} bytes; the limit is {limit}")]
    BodyTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The same event id was received before with a different body. The first body stays in force; this one is stored
    /// for inspection.
    #[error("{event} was received before with another body; the first body is used, this one is kept as a conflict")]
    Conflict {
        /// The event's public id.
        event: String,
    },
    /// Other writers kept changing the same subjects.
    #[error(
        "gave up after {attempts} attempts, because other writers kept changing the same subjects; nothing was written"
    )]
    Contended {
        /// How often the commit was tried.
        attempts: u32,
    },
    /// A decision requested only what was already loaded, so it would never end. Nothing was written. This is a fault
    /// in the deciding code, not in the request.
    #[error("a decision requested only data that it already had; nothing was written; please report this defect")]
    Undecided,
    /// The endpoint is shutting down; nothing was written.
    #[error("the endpoint is shutting down; send the delivery again")]
    Closing,
    /// An idempotency key was used before with different content. The first answer stays in force; nothing was
    /// written.
    #[error("an idempotency key of {scope} was used before with different content; send the same content or a new key")]
    KeyConflict {
        /// The key's scope.
        scope: String,
    },
    /// The worker took longer than its lease; another worker has the events now.
    #[error("the lease on the claimed events ended before their commit; another worker will claim them")]
    LeaseLost,
    /// Too many deliveries already wait for a commit; this one was not queued, and nothing was written.
    #[error("{limit} deliveries already wait for a commit, which is the limit; send this one again later")]
    Overloaded {
        /// The limit.
        limit: usize,
    },
    /// More deliveries in one call than allowed; none was examined.
    #[error("{deliveries} deliveries in one call; the limit is {limit}")]
    TooMany {
        /// The number of deliveries.
        deliveries: usize,
        /// The limit.
        limit: usize,
    },
    /// The signature is missing or wrong.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The delivery is genuine but can't be used. It is stored, and can be replayed.
    #[error("{event} can't be used: {fault}; it is kept and can be replayed")]
    Unreadable {
        /// The event's public id.
        event: String,
        /// What is wrong.
        #[source]
        fault: ReadFault,
    },
    /// No adapter has this name.
    #[error("no adapter is registered under the name {provider:?}")]
    UnknownProvider {
        /// The name.
        provider: String,
    },
}

impl Refusal {
    /// The HTTP status for the endpoint to answer. Never 2xx, so the provider keeps the event and tries again.
    pub fn http_status(&self) -> u16 {
        match self {
            Refusal::BodyTooLarge { .. } | Refusal::TooMany { .. } => 413,
            // draft-ietf-httpapi-idempotency-key-header specifies 422.
            Refusal::KeyConflict { .. } => 422,
            Refusal::Conflict { .. } => 409,
            Refusal::Closing | Refusal::Contended { .. } | Refusal::LeaseLost | Refusal::Overloaded { .. } => 503,
            Refusal::Signature(fault) => match fault {
                SignatureError::Malformed { .. } | SignatureError::Missing { .. } | SignatureError::NoScheme { .. } => {
                    400
                }
                SignatureError::Future { .. } | SignatureError::Mismatch { .. } | SignatureError::Stale { .. } => 401,
            },
            Refusal::Store(fault) if fault.is_retryable() => 503,
            Refusal::Store(_) => 500,
            Refusal::Unreadable { fault, .. } => match fault {
                ReadFault::Future { .. }
                | ReadFault::NotJson { .. }
                | ReadFault::NotUtf8 { .. }
                | ReadFault::Shape { .. } => 422,
                ReadFault::WrongAccount | ReadFault::WrongMode { .. } => 403,
                ReadFault::NoAdapter => 404,
            },
            Refusal::Undecided => 500,
            Refusal::UnknownProvider { .. } => 404,
        }
    }

    /// Whether to retry the members of a failed group one by one: a single member may be the cause.
    pub fn is_isolatable(&self) -> bool {
        match self {
            Refusal::Contended { .. } | Refusal::LeaseLost => true,
            Refusal::Store(fault) => fault.is_of_the_data(),
            Refusal::BodyTooLarge { .. }
            | Refusal::Closing
            | Refusal::Conflict { .. }
            | Refusal::KeyConflict { .. }
            | Refusal::Overloaded { .. }
            | Refusal::Signature(_)
            | Refusal::TooMany { .. }
            | Refusal::Undecided
            | Refusal::UnknownProvider { .. }
            | Refusal::Unreadable { .. } => false,
        }
    }

    /// A short stable code for logs, metrics and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::BodyTooLarge { .. } => "body_too_large",
            Refusal::Closing => "closing",
            Refusal::Conflict { .. } => "event_conflict",
            Refusal::Contended { .. } => "contended",
            Refusal::KeyConflict { .. } => "idempotency_conflict",
            Refusal::LeaseLost => "lease_lost",
            Refusal::Overloaded { .. } => "overloaded",
            Refusal::TooMany { .. } => "too_many_deliveries",
            Refusal::Signature(fault) => fault.code(),
            Refusal::Store(fault) => fault.code(),
            Refusal::Unreadable { fault, .. } => fault.code(),
            Refusal::Undecided => "undecided",
            Refusal::UnknownProvider { .. } => "unknown_provider",
        }
    }
}

impl SignatureError {
    /// A short stable code for logs, metrics and answers.
    pub fn code(&self) -> &'static str {
        match self {
            SignatureError::Future { .. } => "signature_future",
            SignatureError::Malformed { .. } => "signature_malformed",
            SignatureError::Mismatch { .. } => "signature_mismatch",
            SignatureError::Missing { .. } => "signature_missing",
            SignatureError::NoScheme { .. } => "signature_no_scheme",
            SignatureError::Stale { .. } => "signature_stale",
        }
    }

    /// How far the time of a genuine signature is from the time of receipt, in few enough buckets for a metric's
    /// label. The cause is a wrong clock, a queue in front of the endpoint, or an old request sent again.
    pub(crate) fn age_bucket(&self) -> Option<&'static str> {
        match self {
            SignatureError::Future { seconds, .. } | SignatureError::Stale { seconds, .. } => Some(match seconds {
                ..600 => "under_10_minutes",
                600..3_600 => "under_1_hour",
                3_600..86_400 => "under_1_day",
                86_400.. => "over_1_day",
            }),
            SignatureError::Malformed { .. }
            | SignatureError::Mismatch { .. }
            | SignatureError::Missing { .. }
            | SignatureError::NoScheme { .. } => None,
        }
    }
}

impl ReadFault {
    /// Whether the event belongs to a different engine: this one lacks the adapter, or its adapter serves another
    /// mode or account. This is not a fault of the event, so the event stays unchanged.
    pub fn is_elsewhere(&self) -> bool {
        match self {
            ReadFault::NoAdapter | ReadFault::WrongAccount | ReadFault::WrongMode { .. } => true,
            ReadFault::Future { .. }
            | ReadFault::NotJson { .. }
            | ReadFault::NotUtf8 { .. }
            | ReadFault::Shape { .. } => false,
        }
    }

    /// A short stable code for logs, metrics and answers.
    pub fn code(&self) -> &'static str {
        match self {
            ReadFault::Future { .. } => "event_future",
            ReadFault::NoAdapter => "no_adapter",
            ReadFault::NotJson { .. } => "body_not_json",
            ReadFault::NotUtf8 { .. } => "body_not_utf8",
            ReadFault::Shape { .. } => "body_shape",
            ReadFault::WrongAccount => "wrong_account",
            ReadFault::WrongMode { .. } => "wrong_mode",
        }
    }
}

/// The underlying cause of a store error.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a store failed. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Other users hold the database, or all its capacity.
    #[error("the database is locked by another process, or has reached its connection or request limit; try again")]
    Busy {
        /// The driver's error.
        #[source]
        cause: Cause,
    },
    /// A stored value can't be read back.
    #[error("stored data in {table} can't be read; it was written by another program or is damaged")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// Why it can't be read.
        #[source]
        cause: Cause,
    },
    /// There is no space left.
    #[error("the database or its disk is full; make room")]
    Full {
        /// The driver's error.
        #[source]
        cause: Cause,
    },
    /// The database can't be written to.
    #[error("the database is read-only; check the file's and the folder's permissions")]
    ReadOnly {
        /// The driver's error.
        #[source]
        cause: Cause,
    },
    /// The database refuses the data itself: a value out of its bounds, or a row that it can't place. A retry doesn't
    /// help.
    #[error("{operation}: the database refuses the data; this is a defect of this library or of an adapter")]
    Refused {
        /// The operation that was requested.
        operation: &'static str,
        /// The driver's error.
        #[source]
        cause: Cause,
    },
    /// The tables don't exist.
    #[error("the database has no schema of this library; run its migrations, which bring it to version {wanted}")]
    SchemaMissing {
        /// The schema version that this library needs.
        wanted: u32,
    },
    /// The tables belong to a newer library.
    #[error("the database has schema version {found}, this library knows up to {wanted}; upgrade the application")]
    SchemaNewer {
        /// The schema version found.
        found: u32,
        /// The schema version that this library needs.
        wanted: u32,
    },
    /// The tables belong to an older library.
    #[error("the database has schema version {found}, this library needs {wanted}; run its migrations")]
    SchemaOlder {
        /// The schema version found.
        found: u32,
        /// The schema version that this library needs.
        wanted: u32,
    },
    /// The operation waited too long for a lock, or took too long itself. The same operation with other data may
    /// succeed.
    #[error("the database took too long to {operation}, or waited too long for a lock; try again")]
    TimedOut {
        /// The operation that was requested.
        operation: &'static str,
        /// The driver's error.
        #[source]
        cause: Cause,
    },
    /// Anything else: the connection, the driver, the disk.
    #[error("the database can't {operation}")]
    Unavailable {
        /// The operation that was requested.
        operation: &'static str,
        /// The driver's error.
        #[source]
        cause: Cause,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without intervention.
    pub fn is_retryable(&self) -> bool {
        match self {
            StoreError::Busy { .. } | StoreError::TimedOut { .. } | StoreError::Unavailable { .. } => true,
            StoreError::Corrupt { .. }
            | StoreError::Full { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::Refused { .. }
            | StoreError::SchemaMissing { .. }
            | StoreError::SchemaNewer { .. }
            | StoreError::SchemaOlder { .. } => false,
        }
    }

    /// Whether the failure is specific to this data, so other writes may succeed.
    pub(crate) fn is_of_the_data(&self) -> bool {
        match self {
            StoreError::Corrupt { .. } | StoreError::Refused { .. } | StoreError::TimedOut { .. } => true,
            StoreError::Busy { .. }
            | StoreError::Full { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::SchemaMissing { .. }
            | StoreError::SchemaNewer { .. }
            | StoreError::SchemaOlder { .. }
            | StoreError::Unavailable { .. } => false,
        }
    }

    /// A copy of the fault for each member of a failed group. The copies share the cause.
    pub fn again(self: &Arc<Self>) -> Self {
        let cause = || Box::new(SharedCause(Arc::clone(self))) as Cause;
        match self.as_ref() {
            StoreError::Busy { .. } => StoreError::Busy { cause: cause() },
            StoreError::Corrupt { table, .. } => StoreError::Corrupt { table, cause: cause() },
            StoreError::Full { .. } => StoreError::Full { cause: cause() },
            StoreError::ReadOnly { .. } => StoreError::ReadOnly { cause: cause() },
            StoreError::Refused { operation, .. } => StoreError::Refused { operation, cause: cause() },
            StoreError::SchemaMissing { wanted } => StoreError::SchemaMissing { wanted: *wanted },
            StoreError::SchemaNewer { found, wanted } => StoreError::SchemaNewer { found: *found, wanted: *wanted },
            StoreError::SchemaOlder { found, wanted } => StoreError::SchemaOlder { found: *found, wanted: *wanted },
            StoreError::TimedOut { operation, .. } => StoreError::TimedOut { operation, cause: cause() },
            StoreError::Unavailable { operation, .. } => StoreError::Unavailable { operation, cause: cause() },
        }
    }

    /// A short stable code for logs, metrics and answers.
    pub fn code(&self) -> &'static str {
        match self {
            StoreError::Busy { .. } => "store_busy",
            StoreError::Corrupt { .. } => "store_corrupt",
            StoreError::Full { .. } => "store_full",
            StoreError::ReadOnly { .. } => "store_read_only",
            StoreError::Refused { .. } => "store_refused",
            StoreError::SchemaMissing { .. } => "store_schema_missing",
            StoreError::SchemaNewer { .. } => "store_schema_newer",
            StoreError::SchemaOlder { .. } => "store_schema_older",
            StoreError::TimedOut { .. } => "store_timed_out",
            StoreError::Unavailable { .. } => "store_unavailable",
        }
    }
}

/// The cause of a fault that several errors share. It displays as the original cause.
#[derive(Debug)]
struct SharedCause(Arc<StoreError>);

impl fmt::Display for SharedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source().map_or(Ok(()), |cause| fmt::Display::fmt(cause, f))
    }
}

impl Error for SharedCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source().and_then(Error::source)
    }
}

/// Displays an error with its causes on one log line: `what: why: why that`.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let next = error.to_string();
            // A transparent error repeats the text of its source.
            if !said.ends_with(&next) {
                write!(f, ": {next}")?;
            }
            (said, cause) = (next, error.source());
        }
        Ok(())
    }
}

/// Why a commit did not happen, or may not have. Except for [`Unknown`](Self::Unknown), nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The lease on the events is no longer held.
    #[error("the lease on the claimed events was lost")]
    LeaseLost,
    /// A subject or an event changed since it was loaded.
    #[error("a subject or an event changed since it was loaded")]
    Stale,
    /// The store was lost before it answered, so it is unknown whether the commit happened. The next load shows
    /// whether its events are stored.
    #[error("the connection to the store was lost during the commit; it is unknown whether the commit happened")]
    Unknown(#[source] StoreError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
