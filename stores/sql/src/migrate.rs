//! Creates and migrates the tables: forward only, one version per transaction, each version at most once.

use async_trait::async_trait;
use purchase_core::{error::StoreError, store::Maintain};

use crate::{
    decode,
    executor::{BatchKind, ExecuteError, Executor, Row, Statement},
    registry::Query,
    spelling,
    store::{SqlStore, store_error},
};

/// The version that this library needs: the version of the last file, or of the newest column of the read model.
pub const SCHEMA_VERSION: u32 = {
    let (file, column) = (FILES[FILES.len() - 1].0, spelling::newest());
    if column > file { column } else { file }
};

/// Creates the table of versions.
const CREATE: &str = include_str!("../schema/create.sql");

/// Records that a migration has run.
const MARK: &str = include_str!("../schema/mark.sql");

/// The version, file name and text of each migration. Lines of `--;` separate the statements of a file. A version that
/// only adds columns to the read model needs no file.
const FILES: &[(u32, &str, &str)] = &[
    (1, "0001_first", include_str!("../schema/0001_first.sql")),
    (2, "0002_credits", include_str!("../schema/0002_credits.sql")),
    (3, "0003_lanes", include_str!("../schema/0003_lanes.sql")),
    (4, "0004_lookups", include_str!("../schema/0004_lookups.sql")),
    (5, "0005_sales", include_str!("../schema/0005_sales.sql")),
    (6, "0006_revisions", include_str!("../schema/0006_revisions.sql")),
    (7, "0007_keys", include_str!("../schema/0007_keys.sql")),
    (8, "0008_vocabulary", include_str!("../schema/0008_vocabulary.sql")),
];

impl<E: Executor> SqlStore<E> {
    /// Migrates the tables to [`SCHEMA_VERSION`], and gives the rows that an older library wrote their public ids, page
    /// by page. Migrating again does nothing. Several processes may migrate at once.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] when a newer library migrated the database; otherwise the database's error.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.migrate_to(SCHEMA_VERSION).await?;
        self.check_schema().await?;
        self.name_rows().await
    }

    pub(crate) async fn migrate_to(&self, wanted: u32) -> Result<(), StoreError> {
        const OPERATION: &str = "migrate";
        let found = match self.schema_version().await? {
            Some(found) => found,
            None => {
                let create = self.definitions("create", [CREATE]);
                self.run(OPERATION, BatchKind::Define, &create).await?;
                0
            }
        };
        if found > wanted {
            return Err(StoreError::SchemaNewer { found, wanted });
        }
        for version in found + 1..=wanted {
            let batch = self.migration(version);
            match self.executor().batch(BatchKind::Define, &batch).await {
                Ok(_) => tracing::info!(version, "the database has been migrated"),
                // Another process ran this migration first. The version is a key, so its migration is complete.
                Err(ExecuteError::Unique { .. }) => {}
                Err(error) => return Err(store_error(error, OPERATION)),
            }
        }
        Ok(())
    }

    /// Checks that the tables have the version that this library needs.
    ///
    /// # Errors
    /// [`StoreError::SchemaMissing`], [`StoreError::SchemaOlder`] or [`StoreError::SchemaNewer`]; otherwise the
    /// database's error.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let wanted = SCHEMA_VERSION;
        match self.schema_version().await? {
            None | Some(0) => Err(StoreError::SchemaMissing { wanted }),
            Some(found) if found < wanted => Err(StoreError::SchemaOlder { found, wanted }),
            Some(found) if found > wanted => Err(StoreError::SchemaNewer { found, wanted }),
            Some(_) => Ok(()),
        }
    }

    /// The version of the tables: none if the table of versions is missing, 0 if it is empty.
    async fn schema_version(&self) -> Result<Option<u32>, StoreError> {
        const OPERATION: &str = "read the schema's version";
        let exists = self.registry().statement(Query::SchemaExists, Vec::new());
        if self.run(OPERATION, BatchKind::Read, &[exists]).await?.concat().is_empty() {
            return Ok(None);
        }
        let version = self.registry().statement(Query::SchemaVersion, Vec::new());
        let rows = self.run(OPERATION, BatchKind::Read, &[version]).await?.concat();
        read_version(rows).map(Some)
    }

    /// The version's key is inserted first, so a second process stops there before it changes a table.
    fn migration(&self, version: u32) -> Vec<Statement> {
        let mark = MARK.replace("{version}", &version.to_string());
        let file = FILES.iter().find(|(of, ..)| *of == version);
        let (name, written) = file.map_or(("columns", None), |(_, name, text)| (*name, Some(split(text))));
        let brought = spelling::brought(version);
        let texts = std::iter::once(mark.as_str()).chain(written.into_iter().flatten());
        self.definitions(name, texts.chain(brought.iter().map(String::as_str)))
    }

    /// Runs statements without parameters, in the engine's dialect.
    pub(crate) fn definitions<'t>(
        &self,
        name: &'static str,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Vec<Statement> {
        let render = |sql: &str| self.executor().dialect().render(self.prefix(), sql.trim());
        texts.into_iter().map(|sql| Statement { name, sql: render(sql), params: Vec::new() }).collect()
    }
}

fn read_version(rows: Vec<Row>) -> Result<u32, StoreError> {
    let row = rows.into_iter().next().unwrap_or_default();
    let found = decode::optional_int("schema", row)?.unwrap_or(0);
    u32::try_from(found).map_err(|error| StoreError::Corrupt { table: "schema", cause: error.into() })
}

#[async_trait]
impl<E: Executor> Maintain for SqlStore<E> {
    async fn ready(&self) -> Result<(), StoreError> {
        // If the schema is correct, one query is enough. A second query finds out what is wrong.
        let version = self.registry().statement(Query::SchemaVersion, Vec::new());
        match self.run("read the schema's version", BatchKind::Read, &[version]).await {
            Ok(rows) if read_version(rows.concat())? == SCHEMA_VERSION => Ok(()),
            Ok(_) | Err(StoreError::Refused { .. } | StoreError::Unavailable { .. }) => self.check_schema().await,
            Err(fault) => Err(fault),
        }
    }
}

/// The statements of a file.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n--;\n").map(str::trim)
}

#[cfg(test)]
mod tests {
    use purchase_core::snapshot::columns::{Column, Kind};

    use super::*;
    use crate::{spelling::FROZEN, tables::TABLES};

    /// Checks what no engine's catalogue is queried for: the files contain exactly the checks that the description
    /// requires.
    #[test]
    fn columns_of_the_files_are_checked_as_described() {
        let frozen = FILES.iter().filter(|(version, ..)| *version <= FROZEN);
        let files: String = frozen.map(|(_, _, text)| *text).collect();
        let mut checks = 0;
        for table in TABLES {
            let old = |column: &&Column| column.since.is_none_or(|since| since <= FROZEN);
            for Column { name, kind, amount, .. } in table.own.iter().filter(old) {
                let what = match (kind, amount) {
                    (Kind::Boolean, _) => "bool",
                    (Kind::Integer, true) => "bounds",
                    _ => continue,
                };
                let check = format!("CONSTRAINT {}_{name}_{what} CHECK", table.name);
                assert!(files.contains(&check), "{check} is in no schema file");
                checks += 1;
            }
        }
        let subjects = 1;
        assert_eq!(files.matches("_bool CHECK").count() + files.matches("_bounds CHECK").count(), checks + subjects);
    }
}
