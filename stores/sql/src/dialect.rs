//! Translates shared SQL text into one engine's SQL. A shared text may contain macros in braces: the table prefix,
//! fragments that several texts share, and the constructs that engines spell differently. Nothing else is rewritten.

use std::{fmt, str::FromStr, sync::Arc};

/// The SQL dialect of one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The engine's name.
    pub name: &'static str,
    /// The character before a parameter's number; the shared files write `?1`.
    pub placeholder: char,
    /// The engine's SQL for each macro. `%` is replaced with the text after the macro's name: `{rows ?1}` is the macro
    /// `rows` with the argument `?1`. Every name in [`MACROS`] must be present.
    pub macros: &'static [(&'static str, &'static str)],
    /// The parameter format of rows with one long column.
    pub entries: Entries,
    /// Whether writers run concurrently, so that a batch must lock the rows that its decisions depend on. If batches
    /// run one after another, no locks are needed.
    pub locks: bool,
}

/// How one parameter contains several rows of one key and one long text. The key is JSON of short columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// A JSON object, for an engine whose only suitable functions read JSON.
    Object,
    /// Each row except the last ends with [`ROW_END`], and its key with [`KEY_END`]. This is for an engine that is slow
    /// to parse long JSON. JSON can't contain these characters, so no key and no document contains them.
    Separated,
}

/// Ends a key in [`Entries::Separated`].
pub const KEY_END: char = '\u{1f}';
/// Ends a row in [`Entries::Separated`].
pub const ROW_END: char = '\u{1e}';

/// The macros that each engine defines:
///
/// * `boolean`, `integer`, `text`: column types; an integer has 64 bits, a text sorts by its bytes;
/// * `strict`, `strict_by_key`: the end of a table's definition, the latter for tables whose rows are stored by primary
///   key;
/// * `tables`: the existing tables, with their `name`;
/// * `rows`: a JSON array as rows of one column `value`;
/// * `entries`: [`Entries`] as rows of `key`, which is JSON, and `value`, which is a text;
/// * `fields`: the same, with a `value` that is JSON;
/// * `document`: the whole `value`: a text without its quotes, any other value as JSON text;
/// * `json_object`: the function that builds an object from names and values;
/// * `next_place`: an event's sequence number, where `key ->> 0` counts the rows of one statement from 1;
/// * `nested`: the keyword before `JOIN` for an engine that must be forced to join from left to right;
/// * `using`: the index hint, for an engine that supports one;
/// * `lock_rows`, `lock_free_rows`: the lock clause after a `SELECT`; no other writer may change the selected rows
///   until the batch ends. `lock_free_rows` skips rows that another writer has locked.
pub const MACROS: &[&str] = &[
    "boolean",
    "document",
    "entries",
    "fields",
    "integer",
    "json_object",
    "lock_free_rows",
    "lock_rows",
    "nested",
    "next_place",
    "rows",
    "strict",
    "strict_by_key",
    "tables",
    "text",
    "using",
];

/// SQLite's macros. D1 uses them too.
pub const SQLITE: Dialect = Dialect {
    name: "sqlite",
    placeholder: '?',
    macros: &[
        // CHECK constraints say which integers are booleans.
        ("boolean", "INTEGER"),
        ("document", "value"),
        ("entries", "json_each(%)"),
        ("fields", "json_each(%)"),
        ("integer", "INTEGER"),
        ("json_object", "json_object"),
        ("lock_free_rows", ""),
        ("lock_rows", ""),
        ("nested", "CROSS"),
        (
            "next_place",
            "max(coalesce((SELECT max(sequence) FROM {prefix}events), 0), \
             coalesce((SELECT max(sequence) FROM {prefix}event_conflicts), 0)) + (key ->> 0)",
        ),
        ("rows", "json_each(%)"),
        ("strict", " STRICT"),
        ("strict_by_key", " STRICT, WITHOUT ROWID"),
        ("tables", "sqlite_master"),
        ("text", "TEXT"),
        ("using", "INDEXED BY {prefix}%"),
    ],
    entries: Entries::Object,
    locks: false,
};

/// The fragments that several texts share.
const PARTS: &[(&str, &str)] = &[
    ("event", include_str!("../queries/parts/event.sql")),
    ("disposition", include_str!("../queries/parts/disposition.sql")),
    ("new_event", include_str!("../queries/parts/new_event.sql")),
    ("new_events", include_str!("../queries/parts/new_events.sql")),
    ("new_facts", include_str!("../queries/parts/new_facts.sql")),
    ("page", include_str!("../queries/parts/page.sql")),
    ("parked", include_str!("../queries/parts/parked.sql")),
    ("subject", include_str!("../queries/parts/subject.sql")),
    ("within", include_str!("../queries/parts/within.sql")),
];

impl Dialect {
    /// Translates a shared text into the engine's SQL. An unknown macro is left unchanged, and every engine then
    /// rejects the statement.
    pub(crate) fn render(&self, prefix: &TablePrefix, shared: &str) -> Arc<str> {
        let mut text = String::with_capacity(shared.len() * 2);
        self.say(prefix, shared, &mut text);
        match self.placeholder {
            '?' => text.into(),
            // Shared texts contain question marks only in placeholders.
            other => text.replace('?', other.encode_utf8(&mut [0; 4])).into(),
        }
    }

    fn say(&self, prefix: &TablePrefix, shared: &str, text: &mut String) {
        let mut rest = shared;
        while let Some((before, (word, after))) =
            rest.split_once('{').and_then(|(before, behind)| Some((before, behind.split_once('}')?)))
        {
            text.push_str(before);
            rest = after;
            let (name, object) = word.split_once(' ').unwrap_or((word, ""));
            let own = self.macros.iter().find(|(known, _)| *known == name).map(|(_, own)| own.replace('%', object));
            let part = || PARTS.iter().find(|(known, _)| *known == name).map(|(_, part)| part.trim_end().to_owned());
            match own.or_else(part) {
                Some(said) => self.say(prefix, &said, text),
                None if name == "prefix" => text.push_str(prefix.as_str()),
                // This is PostgreSQL's path to a whole JSON value.
                None => text.extend(["{", word, "}"]),
            }
        }
        text.push_str(rest);
    }
}

/// The prefix of every table's name: lower-case letters, digits and underscores, beginning with a letter or an
/// underscore, at most 32 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePrefix(String);

impl TablePrefix {
    /// Checks a prefix. The empty prefix is allowed.
    ///
    /// # Errors
    /// [`PrefixError`] when the prefix could not be part of an unquoted table name.
    pub fn new(text: impl Into<String>) -> Result<Self, PrefixError> {
        let text = text.into();
        let fits = text.len() <= 32
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && !text.starts_with(|first: char| first.is_ascii_digit());
        if fits { Ok(Self(text)) } else { Err(PrefixError { text }) }
    }

    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TablePrefix {
    fn default() -> Self {
        Self("purchase_".to_owned())
    }
}

impl fmt::Display for TablePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TablePrefix {
    type Err = PrefixError;
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        Self::new(text)
    }
}

/// The text can't be the prefix of a table's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a table prefix; use at most 32 lower-case letters, digits and underscores, no digit first")]
pub struct PrefixError {
    /// The text.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_can_be_nothing_but_a_part_of_a_name() {
        for good in ["", "purchase_", "_p1"] {
            assert_eq!(TablePrefix::new(good).expect(good).as_str(), good);
        }
        for bad in ["1p", "P_", "a b", "a;--", "a\"", &"x".repeat(33)] {
            assert_eq!(TablePrefix::new(bad), Err(PrefixError { text: bad.to_owned() }));
        }
    }

    #[test]
    fn each_engine_expands_the_macros_in_its_own_way() {
        let macros = &[("rows", "unpack(%)"), ("document", "value #>> '{}'"), ("using", "")];
        let dialect = Dialect { name: "other", placeholder: '$', macros, entries: Entries::Separated, locks: true };
        let prefix = TablePrefix::new("p_").expect("valid");
        let said = |dialect: Dialect, shared| dialect.render(&prefix, shared).to_string();
        let shared = "SELECT {document} FROM {rows ?1}, {prefix}a {using b}";
        assert_eq!(said(dialect, shared), "SELECT value #>> '{}' FROM unpack($1), p_a ");
        assert_eq!(said(SQLITE, shared), "SELECT value FROM json_each(?1), p_a INDEXED BY p_b");
        // A fragment may contain macros.
        assert!(said(SQLITE, "{parked}").contains("CROSS JOIN p_facts AS facts"));
    }

    #[test]
    fn every_word_is_said() {
        let known: Vec<&str> = SQLITE.macros.iter().map(|(word, _)| *word).collect();
        assert_eq!(known, MACROS);
    }
}
