//! Decides how one shared SQL text becomes an engine's own. A text may have words in braces: the table prefix, parts that
//! several texts share, and what each engine says in its own way. Nothing else is rewritten.

use std::{fmt, str::FromStr, sync::Arc};

/// How an engine wants the shared SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The engine's name.
    pub name: &'static str,
    /// The character before a parameter's number; the shared files write `?1`.
    pub placeholder: char,
    /// What the engine says for a word, `%` being what follows the word: `{rows ?1}` is the word `rows` followed by `?1`.
    /// Each of [`MACROS`] must be there.
    pub macros: &'static [(&'static str, &'static str)],
    /// How rows with one long column come in a parameter.
    pub entries: Entries,
    /// Whether writers run side by side, so that a batch has to lock the rows that it decides by. Where batches run one
    /// after another there is nothing to lock.
    pub locks: bool,
}

/// How rows of one key and one long text stand in one parameter. The key is JSON of short columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// A JSON object: for an engine whose functions read JSON and little else.
    Object,
    /// Each row but the last ends with [`ROW_END`], its key with [`KEY_END`]: for an engine to which reading long JSON is dear. JSON
    /// can't hold these characters, so no key and no document does.
    Separated,
}

/// Ends a key in [`Entries::Separated`].
pub const KEY_END: char = '\u{1f}';
/// Ends a row in [`Entries::Separated`].
pub const ROW_END: char = '\u{1e}';

/// The words that each engine says in its own way:
///
/// * `boolean`, `integer`, `text`: types of columns; an integer has 64 bits, a text sorts by its bytes;
/// * `strict`, `strict_by_key`: what a table's definition ends with, the latter where rows are kept by the primary key;
/// * `tables`: the tables there are, with their `name`;
/// * `rows`: a JSON array as rows of one column `value`;
/// * `entries`: [`Entries`] as rows of `key`, which is JSON, and `value`, which is a text;
/// * `fields`: the same, with a `value` that is JSON;
/// * `document`: the whole `value`: a text without its quotes, anything else as JSON text;
/// * `json_object`: the function that makes an object of names and values;
/// * `next_place`: an event's place in the order of arrival, where `key ->> 0` counts the rows of one statement from 1;
/// * `nested`: before `JOIN`, where the engine has to be told to go from left to right;
/// * `using`: the index that an engine is told to take, where it can be told;
/// * `lock_rows`, `lock_free_rows`: after a `SELECT` whose rows nobody else may change until the end, the latter leaving
///   out those that somebody else has locked.
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

/// SQLite's macros, in which D1 speaks as well.
pub const SQLITE: Dialect = Dialect {
    name: "sqlite",
    placeholder: '?',
    macros: &[
        // CHECKs say which integers are booleans.
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

/// What several texts share.
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
    /// The engine's text of a shared one. A word that nobody knows is left as it stands, where every engine refuses it.
    pub(crate) fn render(&self, prefix: &TablePrefix, shared: &str) -> Arc<str> {
        let mut text = String::with_capacity(shared.len() * 2);
        self.say(prefix, shared, &mut text);
        match self.placeholder {
            '?' => text.into(),
            // No text has a question mark but in a placeholder.
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
                // PostgreSQL's path to the whole of a JSON value.
                None => text.extend(["{", word, "}"]),
            }
        }
        text.push_str(rest);
    }
}

/// What stands before the name of every table: lower-case letters, digits and underscores, a letter or an underscore
/// first, at most 32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePrefix(String);

impl TablePrefix {
    /// Takes a prefix. The empty one is allowed.
    ///
    /// # Errors
    /// [`PrefixError`] when it could not stand in a table's name without quotes.
    pub fn new(text: impl Into<String>) -> Result<Self, PrefixError> {
        let text = text.into();
        let fits = text.len() <= 32
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && !text.starts_with(|first: char| first.is_ascii_digit());
        if fits { Ok(Self(text)) } else { Err(PrefixError { text }) }
    }

    /// Its text.
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

/// The text can't stand before a table's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no table prefix; take lower-case letters, digits and underscores, no digit first, at most 32")]
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
        // A part has words of its own.
        assert!(said(SQLITE, "{parked}").contains("CROSS JOIN p_facts AS facts"));
    }

    #[test]
    fn every_word_is_said() {
        let known: Vec<&str> = SQLITE.macros.iter().map(|(word, _)| *word).collect();
        assert_eq!(known, MACROS);
    }
}
