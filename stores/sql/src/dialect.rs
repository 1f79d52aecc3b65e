//! Decides how one shared SQL text becomes an engine's own: table prefix, placeholders, and whole files where engines
//! differ. It rewrites nothing else.

use std::{fmt, str::FromStr, sync::Arc};

/// How an engine wants the shared SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The engine's name.
    pub name: &'static str,
    /// The character before a parameter's number; the shared files write `?1`.
    pub placeholder: char,
    /// Files that replace shared ones of the same name, as (name without ending, text).
    pub overrides: &'static [(&'static str, &'static str)],
}

/// The dialect in which the shared files are written.
pub const SQLITE: Dialect = Dialect { name: "sqlite", placeholder: '?', overrides: &[] };

impl Dialect {
    /// The engine's text of a file.
    pub(crate) fn render(&self, prefix: &TablePrefix, name: &str, shared: &'static str) -> Arc<str> {
        let own = self.overrides.iter().find(|(file, _)| *file == name);
        let text = own.map_or(shared, |(_, text)| text).replace("{prefix}", prefix.as_str());
        match self.placeholder {
            '?' => text.into(),
            // No shared file has a question mark but in a placeholder.
            other => text.replace('?', other.encode_utf8(&mut [0; 4])).into(),
        }
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
    fn a_dialect_changes_placeholders_and_whole_files() {
        let dialect = Dialect { name: "other", placeholder: '$', overrides: &[("b", "SELECT 2 FROM {prefix}b")] };
        let prefix = TablePrefix::new("p_").expect("valid");
        assert_eq!(&*dialect.render(&prefix, "a", "SELECT ?1 FROM {prefix}a"), "SELECT $1 FROM p_a");
        assert_eq!(&*dialect.render(&prefix, "b", "SELECT ?1 FROM {prefix}b"), "SELECT 2 FROM p_b");
        assert_eq!(&*SQLITE.render(&prefix, "a", "SELECT ?1 FROM {prefix}a"), "SELECT ?1 FROM p_a");
    }
}
