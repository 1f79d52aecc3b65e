//! Decides what a database has to be able to do: run some statements as one transaction. It does not know what the
//! statements say.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use purchase_core::error::Cause;

use crate::dialect::Dialect;

/// A database.
///
/// An implementor must make sure that
/// * [`batch`](Self::batch) is atomic: after an error, a dropped future or a crash nothing of it is there;
/// * a batch that was answered with `Ok` survives, and is seen by every later batch;
/// * a writing batch never sees another writer's changes between two of its statements;
/// * a reading batch sees one consistent state.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Runs the statements in order in one transaction, and answers the rows of each.
    ///
    /// # Errors
    /// [`ExecuteError`]; then nothing was written.
    async fn batch(&self, access: Access, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError>;

    /// How this database wants the shared SQL to be written.
    fn dialect(&self) -> &Dialect;
}

/// What a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only reads.
    Read,
    /// It writes, or both.
    Write,
}

/// One statement, ready to run.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The name of its file, without the ending.
    pub name: &'static str,
    /// Its text, in the executor's dialect, table prefix applied. It holds no value from outside.
    pub sql: Arc<str>,
    /// Its parameters, from the first on.
    pub params: Vec<Param>,
}

/// A parameter.
#[derive(Clone, PartialEq, Eq)]
pub enum Param {
    /// A whole number within ±(2^53 − 1). Compared only with columns, so an engine may bind it as text.
    Int(i64),
    /// Nothing.
    Null,
    /// Text.
    Text(String),
}

/// A value that comes back.
#[derive(Clone, PartialEq, Eq)]
pub enum Cell {
    /// A whole number.
    Int(i64),
    /// Nothing.
    Null,
    /// Text.
    Text(String),
}

/// Texts hold bodies and personal data, so only their size is shown.
fn show(name: &str, value: Result<Option<i64>, &str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Ok(Some(value)) => write!(f, "{name}({value})"),
        Ok(None) => write!(f, "{name}(null)"),
        Err(text) => write!(f, "{name}({} bytes)", text.len()),
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = match self {
            Param::Int(value) => Ok(Some(*value)),
            Param::Null => Ok(None),
            Param::Text(text) => Err(text.as_str()),
        };
        show("Param", value, f)
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = match self {
            Cell::Int(value) => Ok(Some(*value)),
            Cell::Null => Ok(None),
            Cell::Text(text) => Err(text.as_str()),
        };
        show("Cell", value, f)
    }
}

/// One row, in the order of the statement's columns.
pub type Row = Vec<Cell>;

/// Why a batch did not happen. Nothing was written.
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
    /// A key is there already.
    #[error("a second row for {place}")]
    Unique {
        /// `table.column, table.column`.
        place: String,
    },
}

#[async_trait]
impl<E: Executor + ?Sized> Executor for Arc<E> {
    async fn batch(&self, access: Access, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        self.as_ref().batch(access, statements).await
    }

    fn dialect(&self) -> &Dialect {
        self.as_ref().dialect()
    }
}
