//! Translates PostgreSQL's error codes into store errors. This module does not know what the statement was.

use std::{sync::Arc, time::Duration};

use purchase_core::error::StoreError;
use purchase_sql::ExecuteError;
use sqlx::postgres::PgDatabaseError;

/// The server's message, without its details and contexts, which may repeat a customer's data.
#[derive(Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code})")]
struct Said {
    code: String,
    message: String,
}

/// The connection can't be used any more.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the connection to the server is lost")]
struct Lost {
    #[source]
    cause: Arc<sqlx::Error>,
}

/// Whether the connection can't be used any more.
pub(crate) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // Connection exceptions; the server shuts down, was shut down, or is starting; a backend crashed.
            code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05")
        }
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// The meaning of an error of a statement that only reads, or that was never sent.
pub(crate) fn execute_error(error: sqlx::Error) -> ExecuteError {
    let broken = is_broken(&error);
    match error {
        sqlx::Error::Database(error) => match error.try_downcast::<PgDatabaseError>() {
            Ok(error) => database_error(&error),
            Err(error) => ExecuteError::Other { cause: error.to_string().into() },
        },
        sqlx::Error::PoolTimedOut => ExecuteError::Busy { cause: error.into() },
        sqlx::Error::ColumnDecode { .. } => ExecuteError::Damaged { cause: error.into() },
        other if broken => ExecuteError::Other { cause: Lost { cause: Arc::new(other) }.into() },
        other => ExecuteError::Other { cause: other.into() },
    }
}

/// The meaning of an error of a statement that may have written.
pub(crate) fn write_error(error: sqlx::Error) -> ExecuteError {
    match is_broken(&error) {
        true => match execute_error(error) {
            ExecuteError::Other { cause } => ExecuteError::Unknown { cause },
            other => other,
        },
        false => execute_error(error),
    }
}

/// The driver retries the connection and doesn't report the errors of its attempts.
#[derive(Debug, thiserror::Error)]
#[error("no connection was made within {within:?}: the server is down, can't be reached, or has no free connection")]
pub(crate) struct NoConnection {
    pub(crate) within: Duration,
}

/// The meaning of an error outside of any commit, where only the server itself can be the cause of a delay.
pub(crate) fn unavailable(error: ExecuteError, operation: &'static str) -> StoreError {
    match error {
        ExecuteError::Busy { cause } => StoreError::Busy { cause },
        ExecuteError::Other { cause } => StoreError::Unavailable { operation, cause },
        other => StoreError::Unavailable { operation, cause: other.into() },
    }
}

/// The server can't be reached, or refuses the connection.
pub(crate) fn unreachable(error: sqlx::Error, within: Duration) -> StoreError {
    let error = match error {
        sqlx::Error::PoolTimedOut => ExecuteError::Other { cause: NoConnection { within }.into() },
        other => execute_error(other),
    };
    unavailable(error, "connect")
}

fn database_error(error: &PgDatabaseError) -> ExecuteError {
    let code = error.code();
    // Only the message of a data exception may contain values.
    let message = match code.starts_with("22") {
        true => "the server can't store a value".to_owned(),
        false => error.message().to_owned(),
    };
    let cause = || Said { code: code.to_owned(), message: message.clone() }.into();
    let place = |last: Option<&str>| format!("{}.{}", error.table().unwrap_or_default(), last.unwrap_or_default());
    match code {
        "23502" => ExecuteError::NotNull { place: place(error.column()) },
        "23505" => ExecuteError::Unique { place: place(error.constraint()) },
        // Serialization failure, deadlock.
        "40001" | "40P01" => ExecuteError::Overtaken { cause: cause() },
        // Too many connections; the server is starting.
        "53300" | "57P03" => ExecuteError::Busy { cause: cause() },
        // Lock or statement timeout.
        "55P03" | "57014" => ExecuteError::TimedOut { cause: cause() },
        "53100" | "53200" => ExecuteError::Full { cause: cause() },
        "25006" => ExecuteError::ReadOnly { cause: cause() },
        "XX001" | "XX002" => ExecuteError::Damaged { cause: cause() },
        _ if code.starts_with("22") || code.starts_with("23") => ExecuteError::Refused { cause: cause() },
        _ => ExecuteError::Other { cause: cause() },
    }
}
