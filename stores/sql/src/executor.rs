//! Defines what a database must be able to do: run several statements as one transaction. This module does not know
//! what the statements mean.

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
/// * [`batch`](Self::batch) is atomic: after an error nothing of it is committed, except after
///   [`ExecuteError::Unknown`]; after a dropped future or a crash, all of it or nothing is committed;
/// * a batch that returned `Ok` is durable, and every later batch sees it;
/// * a writing batch never sees another writer's changes between two of its statements;
/// * a reading batch sees one consistent state.
///
/// "Never sees another writer's changes" applies to decisions, not to reads. If writers run concurrently, it is enough
/// that the rows locked by the statements for [`Dialect::locks`] stay unchanged.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Runs the statements in order in one transaction, and returns the rows of each.
    ///
    /// # Errors
    /// [`ExecuteError`]. Nothing was written, except where the variant says that the outcome is unknown.
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError>;

    /// The dialect in which this database needs the shared SQL.
    fn dialect(&self) -> &Dialect;
}

/// What a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// It defines tables, or runs other statements that are not in [`statements`](crate::statements). These statements
    /// have no parameters.
    Define,
    /// It only reads.
    Read,
    /// It writes, or reads and writes.
    Write,
}

/// One statement, ready to run.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its name: the name of its file without the extension, or of a table and an action on it.
    pub name: &'static str,
    /// Its text, in the executor's dialect, with the table prefix applied. It contains no external value.
    pub sql: Arc<str>,
    /// Its parameters, in order.
    pub params: Vec<Cell>,
}

/// A value of a parameter or a column: text or null. Whole numbers are sent as decimal text, so that no number passes
/// through a floating-point type. The statements cast the text to a number.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Cell(pub Option<String>);

impl Cell {
    /// SQL `NULL`.
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

/// Texts contain bodies and personal data, so only their size is shown.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, "Cell({} bytes)", text.len()),
            None => f.write_str("Cell(null)"),
        }
    }
}

/// One row, in the order of the statement's columns. The columns of a statement have different names.
pub type Row = Vec<Cell>;

/// A row that an engine returns as a JSON object of its columns.
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

/// Why a batch failed. Nothing was written, except where the variant says that the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// Another process holds the database's lock.
    #[error("the database is locked")]
    Busy {
        /// The driver's message.
        #[source]
        cause: Cause,
    },
    /// The file is not a database, or the database is damaged.
    #[error("the database is damaged")]
    Damaged {
        /// The driver's message.
        #[source]
        cause: Cause,
    },
    /// The database is full.
    #[error("the database is full")]
    Full {
        /// The driver's message.
        #[source]
        cause: Cause,
    },
    /// A column that must not be null would have been null.
    #[error("{place} must not be null")]
    NotNull {
        /// `table.column`.
        place: String,
    },
    /// Any other failure.
    #[error("the database refused the batch")]
    Other {
        /// The driver's message.
        #[source]
        cause: Cause,
    },
    /// The database can't be written to.
    #[error("the database is read-only")]
    ReadOnly {
        /// The driver's message.
        #[source]
        cause: Cause,
    },
    /// A constraint other than a key or `NOT NULL` is violated, for example a value outside its bounds.
    #[error("the database refuses the data")]
    Refused {
        /// The driver's message.
        #[source]
        cause: Cause,
    },
    /// Two writers conflicted, and the database aborted this one.
    #[error("another writer committed first")]
    Overtaken {
        /// The driver's message.
        #[source]
        cause: Cause,
    },
    /// The batch waited too long for a lock, or ran too long.
    #[error("the batch took too long, or waited too long for a lock")]
    TimedOut {
        /// The driver's message.
        #[source]
        cause: Cause,
    },
    /// The key already exists.
    #[error("a row with the same {place} exists")]
    Unique {
        /// `table.column, table.column`, or the table with the constraint's name.
        place: String,
    },
    /// The connection to the database was lost before it answered. Whether the batch was committed is unknown.
    #[error("the connection was lost before the database answered")]
    Unknown {
        /// The driver's message.
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
