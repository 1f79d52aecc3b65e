//! Sends a whole batch to the server in one message: as one call of a database function that contains every statement
//! of the shared SQL. The server parses and plans the statements once per connection. All of them run in the call's
//! transaction, and the call's result is the commit's result.
//!
//! The function's name contains a digest of its text, so several versions of the library can use one database at once.

use std::{collections::HashMap, fmt::Write as _};

use purchase_sql::{Cell, Statement, TablePrefix, statements};
use sha2::{Digest, Sha256};

use crate::dialect::POSTGRES;

/// The function for a table prefix.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The SQL that creates it.
    pub(crate) definition: String,
    /// The SQL that calls it.
    pub(crate) call: String,
    places: HashMap<&'static str, i32>,
    width: usize,
}

/// A batch as the function's arguments.
#[derive(Debug)]
pub(crate) struct Arguments<'a> {
    /// The number of each statement.
    pub(crate) places: Vec<i32>,
    /// The parameters of all statements, each padded to the largest parameter count.
    pub(crate) params: Vec<Option<&'a str>>,
}

impl Function {
    pub(crate) fn new(prefix: &TablePrefix) -> Self {
        let all: Vec<_> =
            statements(&POSTGRES, prefix).into_iter().filter(|(name, _)| !name.starts_with("schema_")).collect();
        let width = all.iter().map(|(_, sql)| parameters(sql)).max().unwrap_or(0);
        let mut body = String::new();
        let texts: Vec<&str> = all.iter().map(|(_, sql)| &**sql).collect();
        choose(&mut body, &texts, 0, 2);
        let declared: String = (1..=width).map(|number| format!("  _p{number} text;\n")).collect();
        let taken: String =
            (1..=width).map(|number| format!("    _p{number} := _params[(_at - 1) * {width} + {number}];\n")).collect();
        let text = format!(
            "(_statements integer[], _params text[])\nRETURNS TABLE (_at integer, _row text)\nLANGUAGE plpgsql\nAS \
             $batch$\n#variable_conflict use_column\nDECLARE\n  _which integer;\n{declared}BEGIN\n  FOR _at IN \
             1..cardinality(_statements) LOOP\n    _which := _statements[_at];\n{taken}{body}  END LOOP;\nEND\n$batch$"
        );
        let digest = hex::encode(&Sha256::digest(&text)[..8]);
        let name = format!("{prefix}batch_{digest}");
        Self {
            definition: format!("CREATE OR REPLACE FUNCTION {name} {text}"),
            call: format!("SELECT _at, _row FROM {name}($1, $2)"),
            places: all.iter().map(|(name, _)| *name).zip(0..).collect(),
            width,
            name,
        }
    }

    /// Converts a batch to arguments. The function rejects a statement that it doesn't know.
    pub(crate) fn arguments<'a>(&self, statements: &'a [Statement]) -> Arguments<'a> {
        let mut arguments = Arguments { places: Vec::new(), params: Vec::new() };
        for statement in statements {
            arguments.places.push(self.places.get(statement.name).copied().unwrap_or(-1));
            let given = statement.params.iter().map(|cell: &Cell| cell.0.as_deref());
            arguments.params.extend(given.chain(std::iter::repeat(None)).take(self.width));
        }
        arguments
    }
}

/// Writes the selection of a statement as a binary search, because there are many statements and a call selects each of
/// its own.
fn choose(body: &mut String, texts: &[&str], first: usize, depth: usize) {
    let indent = "  ".repeat(depth);
    match texts {
        [] => {}
        [text] => {
            let said = with_placeholders(text, |number| format!("_p{number}"));
            let answers = text.starts_with("SELECT") || text.contains("\nRETURNING");
            // Writing into a `String` can't fail.
            let _ = write!(
                body,
                "{indent}IF _which <> {first} THEN\n{indent}  RAISE EXCEPTION 'there is no statement %', _which;\n{indent}END IF;\n"
            );
            let _ = match answers {
                true => writeln!(
                    body,
                    "{indent}RETURN QUERY WITH answer AS (\n{said}\n) SELECT _at, CAST(row_to_json(answer) AS text) FROM answer;"
                ),
                false => writeln!(body, "{said};"),
            };
        }
        _ => {
            let (low, high) = texts.split_at(texts.len() / 2);
            let middle = first + low.len();
            let _ = writeln!(body, "{indent}IF _which < {middle} THEN");
            choose(body, low, first, depth + 1);
            let _ = writeln!(body, "{indent}ELSE");
            choose(body, high, middle, depth + 1);
            let _ = writeln!(body, "{indent}END IF;");
        }
    }
}

/// Rewrites a statement's placeholders.
pub(crate) fn with_placeholders(sql: &str, write: impl Fn(usize) -> String) -> String {
    let mut pieces = sql.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        match piece[..digits].parse() {
            Ok(number) => text.push_str(&write(number)),
            Err(_) => text.push('$'),
        }
        text.push_str(&piece[digits..]);
    }
    text
}

/// The highest number in a placeholder.
fn parameters(sql: &str) -> usize {
    let highest = std::cell::Cell::new(0);
    with_placeholders(sql, |number| {
        highest.set(highest.get().max(number));
        String::new()
    });
    highest.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_follows_the_text() {
        let one = Function::new(&TablePrefix::default());
        let other = Function::new(&TablePrefix::new("other_").expect("valid"));
        assert!(one.name.starts_with("purchase_batch_") && one.name.len() < 63, "{}", one.name);
        assert_ne!(one.name.trim_start_matches("purchase_"), other.name.trim_start_matches("other_"));
    }

    #[test]
    fn placeholders_are_written_otherwise() {
        let moved = with_placeholders("a $1 b $2 c $1 d $10 e $x", |number| format!("${}", number + 3));
        assert_eq!(moved, "a $4 b $5 c $4 d $13 e $x");
        assert_eq!(parameters("SELECT $2, $12, $1"), 12);
        assert_eq!(parameters("SELECT 1"), 0);
    }

    #[test]
    fn arguments_are_as_wide_as_the_widest_statement() {
        let function = Function::new(&TablePrefix::default());
        let statement = |name, params| Statement { name, sql: "".into(), params };
        let batch = [statement("events_load", vec![Cell::from("[]")]), statement("unknown", vec![])];
        let arguments = function.arguments(&batch);
        assert_eq!(arguments.places.len(), 2);
        assert_eq!(arguments.places[1], -1);
        assert_eq!(arguments.params.len(), 2 * function.width);
        assert_eq!(arguments.params[0], Some("[]"));
        assert!(arguments.params[1..].iter().all(Option::is_none));
    }
}
