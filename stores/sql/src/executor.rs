//! Decides what a database has to be able to do: run some statements as one transaction. It does not know what the
//! statements say.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use purchase_core::error::Cause;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::dialect::Dialect;

/// A database.
///
/// An implementor must make sure that
/// * [`batch`](Self::batch) is atomic: after an error nothing of it is there, but for [`ExecuteError::Unknown`]; after a
///   dropped future or a crash, all of it or nothing;
/// * a batch that was answered with `Ok` survives, and is seen by every later batch;
/// * a writing batch never sees another writer's changes between two of its statements;
/// * a reading batch sees one consistent state.
///
/// "Never sees another writer's changes" is wanted of decisions, not of reads: where writers run side by side it is
/// enough that rows locked by [`Dialect::locks`]' statements stay as they are.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Runs the statements in order in one transaction, and answers the rows of each.
    ///
    /// # Errors
    /// [`ExecuteError`]; then nothing was written, except where it says that this is not known.
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError>;

    /// How this database wants the shared SQL to be written.
    fn dialect(&self) -> &Dialect;
}

/// What a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// It defines tables, or whatever else is no statement of [`statements`](crate::statements). None has parameters.
    Define,
    /// It only reads.
    Read,
    /// It writes, or both.
    Write,
}

/// One statement, ready to run.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its name: that of its file, without the ending, or of a table and what is done to it.
    pub name: &'static str,
    /// Its text, in the executor's dialect, table prefix applied. It holds no value from outside.
    pub sql: Arc<str>,
    /// Its parameters, from the first on.
    pub params: Vec<Cell>,
}

/// A value that goes in or comes back: text, or nothing. Whole numbers travel as decimal text, so that none goes through
/// a floating-point number on its way; the statements say what is a number.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Cell(pub Option<String>);

impl Cell {
    /// Nothing.
    pub const NULL: Self = Self(None);
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self(Some(text.into()))
    }
}

/// A whole number as a value.
pub(crate) fn number(number: i64) -> Cell {
    number.to_string().into()
}

/// Texts hold bodies and personal data, so only their size is shown.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, "Cell({} bytes)", text.len()),
            None => f.write_str("Cell(null)"),
        }
    }
}

/// One row, in the order of the statement's columns. No two columns of a statement have one name.
pub type Row = Vec<Cell>;

/// A row that an engine answers as a JSON object of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonRow(pub Row);

impl<'de> Deserialize<'de> for JsonRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Columns)
    }
}

struct Columns;

impl<'de> Visitor<'de> for Columns {
    type Value = JsonRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row as an object of its columns")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut columns: A) -> Result<JsonRow, A::Error> {
        let mut row = Vec::new();
        while let Some((_, value)) = columns.next_entry::<IgnoredAny, serde_json::Value>()? {
            row.push(match value {
                serde_json::Value::Null => Cell::NULL,
                serde_json::Value::String(text) => Cell::from(text),
                other => Cell::from(other.to_string()),
            });
        }
        Ok(JsonRow(row))
    }
}

/// Why a batch did not happen. Nothing was written, except where it says that this is not known.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// Somebody else holds the database.
    #[error("the database is locked")]
    Busy {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
    /// What is there is no database, or a damaged one.
    #[error("the database is damaged")]
    Damaged {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
    /// There is no room.
    #[error("the database is full")]
    Full {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
    /// A column that must not be null would have been.
    #[error("null in {place}")]
    NotNull {
        /// `table.column`.
        place: String,
    },
    /// Anything else.
    #[error("the database refused")]
    Other {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
    /// The database can't be written to.
    #[error("the database is read-only")]
    ReadOnly {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
    /// A constraint other than a key or a null: a value beyond its bounds, for one.
    #[error("the database refuses the data")]
    Refused {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
    /// Another writer was in the way, and one of the two had to give up.
    #[error("another writer was faster")]
    Overtaken {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
    /// It waited too long for a lock, or took too long.
    #[error("it took too long, or waited too long for a lock")]
    TimedOut {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
    /// A key is there already.
    #[error("a second row for {place}")]
    Unique {
        /// `table.column, table.column`, or the table with the constraint's name.
        place: String,
    },
    /// The database was lost before it answered. Whether the batch happened is not known.
    #[error("the database was lost before it answered")]
    Unknown {
        /// The driver's word.
        #[source]
        cause: Cause,
    },
}

#[async_trait]
impl<E: Executor + ?Sized> Executor for Arc<E> {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        self.as_ref().batch(access, statements).await
    }

    fn dialect(&self) -> &Dialect {
        self.as_ref().dialect()
    }
}
