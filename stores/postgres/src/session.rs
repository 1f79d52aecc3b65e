//! Sets every connection's settings. Refuses a server on which they are not in effect, if data would otherwise go to
//! other tables or decisions would use an outdated state.

use std::str::FromStr;

use purchase_core::error::StoreError;
use purchase_sql::{BatchKind, Cell, Executor, Row, Statement};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};

use crate::{Options, PostgresExecutor, error::unavailable};

/// The settings of every connection.
///
/// A plan must not depend on when statistics were last gathered: every statement finds its rows with an index, whether
/// a table has ten rows or ten million.
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

/// The isolation level: a statement sees what was committed before it began, and the commits that it waited for.
pub(crate) const ISOLATION: &str = "read committed";

/// A URL with all settings of its connections.
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

/// The server accepted the connection, but not its settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unheeded {
    /// Another isolation level is in effect.
    #[error(
        "transactions of this connection are {found:?} instead of \"read committed\": something between here and the \
         server drops the connection's startup parameters, as PgBouncer does with ignore_startup_parameters; let \
         them through, or set it for the role: ALTER ROLE … SET default_transaction_isolation = 'read committed'"
    )]
    Isolation { found: String },
    /// Another schema is in effect.
    #[error(
        "this connection's search_path is {found:?} instead of {wanted:?}, the schema asked for: something between here \
         and the server drops the connection's startup parameters, as PgBouncer does with ignore_startup_parameters; let \
         them through, or set it for the role: ALTER ROLE … SET search_path = {wanted}"
    )]
    Schema { found: String, wanted: String },
}

impl PostgresExecutor {
    /// Checks the settings that are in effect.
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
        // A role's setting may contain the schema in quotes. A second schema in the path would be searched for tables
        // that the first schema lacks.
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
