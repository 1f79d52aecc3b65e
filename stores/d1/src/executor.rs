//! Decides what may be sent to D1, over HTTP or through the binding. A batch that exceeds D1's limits is refused before
//! it is sent, with a message that says what to do. Parameters are sent as texts and nulls, so every number in them
//! stays exact.

#[cfg(all(feature = "rest", not(target_family = "wasm")))]
mod answer;
#[cfg(all(feature = "worker", target_family = "wasm"))]
pub(crate) mod binding;
#[cfg(all(feature = "rest", not(target_family = "wasm")))]
pub(crate) mod place;
#[cfg(all(feature = "rest", not(target_family = "wasm")))]
pub(crate) mod rest;

use purchase_sql::{ExecuteError, Statement};

/// The maximum bytes of a statement: <https://developers.cloudflare.com/d1/platform/limits/>.
const STATEMENT_BYTES: usize = 100_000;
/// The maximum parameters of a statement.
const PARAMETERS: usize = 100;
/// The maximum bytes of a value, and of all values of a row together.
const VALUE_BYTES: usize = 2_000_000;

/// Why a batch is not sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum TooMuch {
    #[error("{statement} has {parameters} parameters; D1 allows {PARAMETERS} per statement")]
    Parameters { statement: &'static str, parameters: usize },
    #[error("{statement} has {bytes} bytes of text; D1 allows {STATEMENT_BYTES}")]
    Text { statement: &'static str, bytes: usize },
    #[error("{statement} has a value of {bytes} bytes; D1 allows {VALUE_BYTES}: lower the engine's limit for bodies")]
    Value { statement: &'static str, bytes: usize },
}

/// Refuses what exceeds D1's limits. Nothing was sent then.
pub(crate) fn fits(statements: &[Statement]) -> Result<(), ExecuteError> {
    let refused = |why: TooMuch| Err(ExecuteError::Refused { cause: why.into() });
    for Statement { name: statement, sql, params } in statements {
        let (bytes, parameters) = (sql.len(), params.len());
        if bytes > STATEMENT_BYTES {
            return refused(TooMuch::Text { statement, bytes });
        }
        if parameters > PARAMETERS {
            return refused(TooMuch::Parameters { statement, parameters });
        }
        let longest = values(params).flatten().map(str::len).max().unwrap_or(0);
        if longest > VALUE_BYTES {
            return refused(TooMuch::Value { statement, bytes: longest });
        }
    }
    Ok(())
}

/// The text to send for a statement. The trailing semicolon is removed, because text after it would count as another
/// statement.
pub(crate) fn text(statement: &Statement) -> &str {
    statement.sql.trim_end().trim_end_matches(';')
}

/// The values to send for parameters.
pub(crate) fn values(params: &[purchase_sql::Cell]) -> impl Iterator<Item = Option<&str>> {
    params.iter().map(|cell| cell.0.as_deref())
}

#[cfg(test)]
mod tests {
    use purchase_sql::Cell;

    use super::*;

    fn check(sql: usize, params: usize, value: usize, expect: Option<&str>) {
        let cell = Cell::from("x".repeat(value));
        let statement = Statement { name: "case", sql: "-".repeat(sql).into(), params: vec![cell; params] };
        let found = fits(&[statement]).err().map(|error| match error {
            ExecuteError::Refused { cause } => cause.to_string(),
            other => format!("{other:?}"),
        });
        assert_eq!(found.as_deref().and_then(|it| it.split_once(';')).map(|(head, _)| head), expect);
    }

    #[test]
    fn what_is_too_much_is_not_sent() {
        check(STATEMENT_BYTES, PARAMETERS, 1, None);
        check(1, 1, VALUE_BYTES, None);
        check(STATEMENT_BYTES + 1, 1, 1, Some("case has 100001 bytes of text"));
        check(1, PARAMETERS + 1, 1, Some("case has 101 parameters"));
        check(1, 1, VALUE_BYTES + 1, Some("case has a value of 2000001 bytes"));
    }

    #[test]
    fn a_statement_goes_alone() {
        let statement = Statement { name: "case", sql: "ALTER TABLE t ADD COLUMN c;\n".into(), params: Vec::new() };
        assert_eq!(text(&statement), "ALTER TABLE t ADD COLUMN c");
    }
}
