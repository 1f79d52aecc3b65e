//! Changes tables behind a store's back, only in tests: empties them, tampers with them, or marks them as another
//! version's.

use purchase_core::error::StoreError;

use crate::{
    decode,
    dialect::{Dialect, TablePrefix},
    executor::{BatchKind, Executor},
    migrate::split,
    spelling,
    store::SqlStore,
    tables::TABLES,
};

/// What to do to the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// Empty every table except the schema's version. This is faster than creating a new database.
    Empty,
    /// Set the schema's version to one less, as if by an older library.
    OlderSchema,
    /// Set the schema's version to one more, as if by a newer library.
    NewerSchema,
    /// Remove the schema.
    NoSchema,
    /// Insert events as a library of schema version 3 stored them, in a database of that version: one thin event that
    /// waits for a fetch, one in the queue, one that is done, one that failed, one that can't be read.
    OlderEvents,
    /// Insert what a library of schema version 5 writes for an event that says nothing new: the event and a fact, no
    /// subject.
    OlderFacts,
    /// Insert what a library of schema version 5 writes for an event about a subject.
    OlderSubject,
    /// Delete rows of the read model, or change every column of them.
    ReadModel,
    /// Remove the public ids of events and subjects, as in rows that an older library wrote.
    Unnamed,
}

impl Tampering {
    fn texts(self) -> Vec<String> {
        let text = match self {
            Tampering::Empty => {
                return spelling::empty()
                    .chain(split(include_str!("../testing/empty.sql")).map(str::to_owned))
                    .collect();
            }
            Tampering::OlderSchema => {
                "DELETE FROM {prefix}schema WHERE version = (SELECT max(version) FROM {prefix}schema)"
            }
            Tampering::NewerSchema => {
                "INSERT INTO {prefix}schema (version) SELECT max(version) + 1 FROM {prefix}schema"
            }
            Tampering::NoSchema => "DROP TABLE {prefix}schema",
            Tampering::OlderEvents => include_str!("../testing/older_events.sql"),
            Tampering::OlderFacts => include_str!("../testing/older_facts.sql"),
            Tampering::OlderSubject => include_str!("../testing/older_subject.sql"),
            Tampering::ReadModel => return spelling::tamper().collect(),
            Tampering::Unnamed => {
                "UPDATE {prefix}events SET public_id = NULL\n--;\nUPDATE {prefix}subjects SET public_id = NULL"
            }
        };
        split(text).map(str::to_owned).collect()
    }
}

impl<E: Executor> SqlStore<E> {
    /// Applies the change.
    ///
    /// # Errors
    /// The database's error.
    pub async fn tamper(&self, tampering: Tampering) -> Result<(), StoreError> {
        let texts = tampering.texts();
        let batch = self.definitions("testing", texts.iter().map(String::as_str));
        self.run("tamper", BatchKind::Define, &batch).await.map(drop)
    }

    /// Lists the actual tables of the read model, a line for each column, key and index, to compare with [`described`].
    ///
    /// # Errors
    /// The database's error.
    pub async fn shape(&self) -> Result<Vec<String>, StoreError> {
        let text = match self.executor().dialect().name {
            "postgres" => include_str!("../testing/shape_postgres.sql"),
            _ => include_str!("../testing/shape_sqlite.sql"),
        };
        let rows = self.run("look at the tables", BatchKind::Read, &self.definitions("shape", [text])).await?.concat();
        let lines = rows.into_iter().map(|row| decode::text("tables", row)).collect::<Result<Vec<_>, _>>()?;
        let known = |line: &String| TABLES.iter().any(|table| line.split(['.', ' ']).next() == Some(table.name));
        let mut lines: Vec<String> = lines.into_iter().filter(known).collect();
        lines.sort_unstable();
        Ok(lines)
    }

    /// Migrates an empty database to an older version of the schema, as the library of that version left it.
    ///
    /// # Errors
    /// The database's error.
    pub async fn migrate_to_version(&self, version: u32) -> Result<(), StoreError> {
        self.migrate_to(version).await
    }
}

/// Lists the described tables of the read model, a line for each column, key and index.
pub fn described(dialect: &Dialect) -> Vec<String> {
    let kind = |kind| dialect.render(&TablePrefix::default(), spelling::word(kind));
    let mut lines = Vec::new();
    for table in TABLES {
        lines.extend(table.columns().map(|column| {
            let null = if column.optional { "null" } else { "not null" };
            format!("{}.{} {} {null}", table.name, column.name, kind(column.kind))
        }));
        lines.push(format!("{} key {}", table.name, table.key.join(", ")));
        let indexes = table.indexes.iter().map(|index| index.column);
        lines.extend(indexes.map(|column| format!("{0} index {column} where {column} IS NOT NULL", table.name)));
    }
    lines.sort_unstable();
    lines
}
