//! Translates SQLite's result codes into store errors. This module does not know what the statement was.

use std::{io, path::PathBuf};

use purchase_core::error::{Cause, StoreError};
use purchase_sql::ExecuteError;
use sqlx::error::ErrorKind;

/// The meaning of a failed statement.
pub(crate) fn execute_error(error: sqlx::Error) -> ExecuteError {
    let Some((kind, code, message)) = error.as_database_error().map(|it| (it.kind(), primary(it), it.message())) else {
        return match error {
            sqlx::Error::PoolTimedOut => ExecuteError::Busy { cause: error.into() },
            sqlx::Error::ColumnDecode { .. } => ExecuteError::Damaged { cause: error.into() },
            other => ExecuteError::Other { cause: other.into() },
        };
    };
    // "UNIQUE constraint failed: table.column, table.column"
    let place = || message.split_once(": ").map_or("", |(_, place)| place).to_owned();
    match (kind, code) {
        (ErrorKind::UniqueViolation, _) => ExecuteError::Unique { place: place() },
        (ErrorKind::NotNullViolation, _) => ExecuteError::NotNull { place: place() },
        (_, Some(code::BUSY | code::LOCKED)) => ExecuteError::Busy { cause: error.into() },
        (_, Some(code::CONSTRAINT)) => ExecuteError::Refused { cause: error.into() },
        (_, Some(code::READONLY)) => ExecuteError::ReadOnly { cause: error.into() },
        (_, Some(code::FULL)) => ExecuteError::Full { cause: error.into() },
        (_, Some(code::CORRUPT | code::NOTADB)) => ExecuteError::Damaged { cause: error.into() },
        _ => ExecuteError::Other { cause: error.into() },
    }
}

/// The meaning of a failed attempt to open a database.
pub(crate) fn open_error(error: sqlx::Error, path: PathBuf) -> StoreError {
    let cannot_open = error.as_database_error().and_then(primary) == Some(code::CANTOPEN);
    match execute_error(error) {
        ExecuteError::Busy { cause } | ExecuteError::Overtaken { cause } => StoreError::Busy { cause },
        ExecuteError::Damaged { cause } => StoreError::Corrupt { table: "the database file", cause },
        ExecuteError::Full { cause } => StoreError::Full { cause },
        ExecuteError::ReadOnly { cause } => StoreError::ReadOnly { cause },
        ExecuteError::Other { cause } if cannot_open => {
            StoreError::Unavailable { operation: "open its file", cause: CannotOpen { path, cause }.into() }
        }
        ExecuteError::Other { cause } | ExecuteError::Unknown { cause } => {
            StoreError::Unavailable { operation: "open its file", cause }
        }
        error @ (ExecuteError::NotNull { .. }
        | ExecuteError::Refused { .. }
        | ExecuteError::TimedOut { .. }
        | ExecuteError::Unique { .. }) => StoreError::Unavailable { operation: "open its file", cause: error.into() },
    }
}

/// So many writers wait in this process that this one did not get its turn in time.
pub(crate) fn too_many_writers() -> ExecuteError {
    ExecuteError::Busy {
        cause: io::Error::new(io::ErrorKind::TimedOut, "too many writers wait in this process").into(),
    }
}

/// The file doesn't exist, or can't be accessed.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no database at {}, or this user may not open it or its folder; check the path and the permissions, or \
     set create_if_missing",
    path.display()
)]
struct CannotOpen {
    path: PathBuf,
    #[source]
    cause: Cause,
}

/// The primary result code. The driver returns the extended code.
fn primary(error: &dyn sqlx::error::DatabaseError) -> Option<u32> {
    error.code()?.parse::<u32>().ok().map(|extended| extended & 0xff)
}

/// SQLite's primary result codes: <https://www.sqlite.org/rescode.html>.
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const NOTADB: u32 = 26;
}
