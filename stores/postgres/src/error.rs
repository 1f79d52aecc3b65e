//! Decides what PostgreSQL's codes mean to a store. It does not know what was asked.

use std::{sync::Arc, time::Duration};

use purchase_core::error::StoreError;
use purchase_sql::ExecuteError;
use sqlx::postgres::PgDatabaseError;

/// What the server said, without the rows that it said it of: its details and contexts may repeat a customer's data.
#[derive(Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code})")]
struct Said {
    code: String,
    message: String,
}

/// Why a connection is of no more use.
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
            // Connection exceptions; the server shuts down, was shut down, or starts; a backend died.
            code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05")
        }
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// What a failed statement means that only reads, or that was never sent.
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

/// What a failed statement means that may have written.
pub(crate) fn write_error(error: sqlx::Error) -> ExecuteError {
    match is_broken(&error) {
        true => match execute_error(error) {
            ExecuteError::Other { cause } => ExecuteError::Unknown { cause },
            other => other,
        },
        false => execute_error(error),
    }
}

/// The driver tries to connect again and again, and keeps to itself what it met.
#[derive(Debug, thiserror::Error)]
#[error("no connection was made within {within:?}: the server is down, can't be reached, or has no connection left")]
pub(crate) struct NoConnection {
    pub(crate) within: Duration,
}

/// What a failed statement means beside any commit, and where there was nothing to wait for but the server.
pub(crate) fn unavailable(error: ExecuteError, operation: &'static str) -> StoreError {
    match error {
        ExecuteError::Busy { cause } => StoreError::Busy { cause },
        ExecuteError::Other { cause } => StoreError::Unavailable { operation, cause },
        other => StoreError::Unavailable { operation, cause: other.into() },
    }
}

/// A server that can't be reached, or that refuses.
pub(crate) fn unreachable(error: sqlx::Error, within: Duration) -> StoreError {
    let error = match error {
        sqlx::Error::PoolTimedOut => ExecuteError::Other { cause: NoConnection { within }.into() },
        other => execute_error(other),
    };
    unavailable(error, "connect")
}

fn database_error(error: &PgDatabaseError) -> ExecuteError {
    let code = error.code();
    // Values may stand in the message of a data exception, and nowhere else.
    let message = match code.starts_with("22") {
        true => "the server can't take a value".to_owned(),
        false => error.message().to_owned(),
    };
    let cause = || Said { code: code.to_owned(), message: message.clone() }.into();
    let place = |last: Option<&str>| format!("{}.{}", error.table().unwrap_or_default(), last.unwrap_or_default());
    match code {
        "23502" => ExecuteError::NotNull { place: place(error.column()) },
        "23505" => ExecuteError::Unique { place: place(error.constraint()) },
        // Serialization failure, deadlock.
        "40001" | "40P01" => ExecuteError::Overtaken { cause: cause() },
        // Too many connections, the server starts.
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
