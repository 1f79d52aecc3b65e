//! Decides what every connection is told, and refuses a server that doesn't heed it where data would go elsewhere, or
//! decisions be made on an old state.

use std::str::FromStr;

use purchase_core::error::StoreError;
use purchase_sql::{BatchKind, Cell, Executor, Row, Statement};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};

use crate::{Options, PostgresExecutor, error::unavailable};

/// What every connection is told.
///
/// A plan must not depend on when statistics were last gathered: every statement finds its rows by an index, whether a
/// table has ten of them or ten million.
const SESSION: &[(&str, &str)] = &[
    ("application_name", "purchase"),
    ("default_transaction_isolation", ISOLATION),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("timezone", "UTC"),
];

/// How transactions see each other: a statement sees what was committed before it, and what it waited for.
pub(crate) const ISOLATION: &str = "read committed";

/// A URL with all that its connections are told.
pub(crate) fn connect_options(url: &str, options: &Options) -> Result<PgConnectOptions, sqlx::Error> {
    let limits = [
        ("statement_timeout", options.statement_timeout.as_millis().to_string()),
        ("lock_timeout", options.lock_timeout.as_millis().to_string()),
    ];
    let connect =
        PgConnectOptions::from_str(url)?.disable_statement_logging().options(SESSION.iter().copied()).options(limits);
    Ok(match &options.schema {
        Some(schema) => connect.options([("search_path", schema.as_str())]),
        None => connect,
    })
}

/// The server took the connection, and not what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unheeded {
    /// Another level of isolation.
    #[error(
        "transactions of this connection are {found:?} instead of \"read committed\": something between here and the \
         server leaves out what connections are told, as PgBouncer does by ignore_startup_parameters; let \
         it through, or say it to the role: ALTER ROLE … SET default_transaction_isolation = 'read committed'"
    )]
    Isolation { found: String },
    /// Other tables.
    #[error(
        "this connection's search_path is {found:?} instead of {wanted:?}, the schema asked for: something between here \
         and the server leaves out what connections are told, as PgBouncer does by ignore_startup_parameters; let it \
         through, or say it to the role: ALTER ROLE … SET search_path = {wanted}"
    )]
    Schema { found: String, wanted: String },
}

impl PostgresExecutor {
    /// Asks what is really in effect.
    pub(crate) async fn check_session(&self) -> Result<(), StoreError> {
        const OPERATION: &str = "connect";
        let sql = "SELECT current_setting('default_transaction_isolation') AS isolation, \
                   current_setting('search_path') AS path";
        let asked = Statement { name: "session", sql: sql.into(), params: Vec::new() };
        let answer = self.batch(BatchKind::Read, &[asked]).await.map_err(|error| unavailable(error, OPERATION))?;
        let schema = self.options.schema.as_ref().map(|schema| schema.as_str());
        check(&answer.concat().concat(), schema)
            .map_err(|cause| StoreError::Unavailable { operation: OPERATION, cause: cause.into() })
    }
}

fn check(row: &Row, schema: Option<&str>) -> Result<(), Unheeded> {
    let mut columns = row.iter().map(|Cell(text)| text.clone().unwrap_or_default());
    let (isolation, path) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
    if isolation != ISOLATION {
        return Err(Unheeded::Isolation { found: isolation });
    }
    match schema {
        // A role's setting may have it in quotes. A second schema would be looked in for what the first has not.
        Some(wanted) if path.trim_matches('"') != wanted => {
            Err(Unheeded::Schema { found: path, wanted: wanted.to_owned() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_in_effect() {
        let said = |isolation: &str, path: &str, schema| {
            check(&vec![isolation.into(), path.into()], schema).err().map(|error| error.to_string())
        };
        let path = "\"$user\", public";
        assert_eq!(said("read committed", path, None), None);
        assert_eq!(said("read committed", "billing", Some("billing")), None);
        assert_eq!(said("read committed", "\"billing\"", Some("billing")), None);
        for other in [path, "billing, public", "public, billing", "bill", ""] {
            let said = said("read committed", other, Some("billing")).expect(other);
            assert!(said.contains("SET search_path = billing") && said.contains(&format!("{other:?}")), "{said}");
        }
        for other in ["repeatable read", "serializable", ""] {
            let said = said(other, "billing", Some("billing")).expect(other);
            assert!(said.contains("SET default_transaction_isolation") && said.contains(other), "{said}");
        }
    }
}
