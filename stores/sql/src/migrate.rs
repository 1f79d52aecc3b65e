//! Decides how the tables come to be: forward only, one version per transaction, each at most once.

use async_trait::async_trait;
use purchase_core::{error::StoreError, store::Maintain};

use crate::{
    catalogue::Query,
    decode,
    executor::{Access, ExecuteError, Executor, Statement},
    store::{SqlStore, store_error},
};

/// The version that this library needs: the last migration's.
pub const SCHEMA_VERSION: u32 = 6;

/// Makes the table of versions.
const CREATE: &str = include_str!("../schema/create.sql");

/// Writes down that a migration was made.
const MARK: &str = include_str!("../schema/mark.sql");

/// Version, name of the file, and text. The statements of a file stand between lines of `--;`.
const MIGRATIONS: &[(u32, &str, &str)] = &[
    (1, "0001_first", include_str!("../schema/0001_first.sql")),
    (2, "0002_credits", include_str!("../schema/0002_credits.sql")),
    (3, "0003_lanes", include_str!("../schema/0003_lanes.sql")),
    (4, "0004_lookups", include_str!("../schema/0004_lookups.sql")),
    (5, "0005_sales", include_str!("../schema/0005_sales.sql")),
    (SCHEMA_VERSION, "0006_keys", include_str!("../schema/0006_keys.sql")),
];

impl<E: Executor> SqlStore<E> {
    /// Brings the tables to [`SCHEMA_VERSION`], and gives the rows that an older library wrote their public ids, page by
    /// page. Doing it again does nothing; several processes may do it at once.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] when a newer library was here; otherwise what the database says.
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
                self.run(OPERATION, Access::Define, &create).await?;
                0
            }
        };
        if found > wanted {
            return Err(StoreError::SchemaNewer { found, wanted });
        }
        for (version, name, text) in MIGRATIONS.iter().filter(|(version, ..)| (found + 1..=wanted).contains(version)) {
            let batch = self.migration(*version, name, text);
            match self.executor().batch(Access::Define, &batch).await {
                Ok(_) => tracing::info!(version, "the database has been migrated"),
                // Another process was faster: the version is a key, and its migration is whole.
                Err(ExecuteError::Unique { .. }) => {}
                Err(error) => return Err(store_error(error, OPERATION)),
            }
        }
        Ok(())
    }

    /// Whether the tables are those that this library needs.
    ///
    /// # Errors
    /// [`StoreError::SchemaMissing`], [`StoreError::SchemaOlder`] or [`StoreError::SchemaNewer`]; otherwise what the
    /// database says.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let wanted = SCHEMA_VERSION;
        match self.schema_version().await? {
            None | Some(0) => Err(StoreError::SchemaMissing { wanted }),
            Some(found) if found < wanted => Err(StoreError::SchemaOlder { found, wanted }),
            Some(found) if found > wanted => Err(StoreError::SchemaNewer { found, wanted }),
            Some(_) => Ok(()),
        }
    }

    /// The version of the tables; none where not even the table of versions is there, 0 where it is empty.
    async fn schema_version(&self) -> Result<Option<u32>, StoreError> {
        const OPERATION: &str = "read the schema's version";
        let exists = self.catalogue().statement(Query::SchemaExists, Vec::new());
        if self.run(OPERATION, Access::Read, &[exists]).await?.concat().is_empty() {
            return Ok(None);
        }
        let version = self.catalogue().statement(Query::SchemaVersion, Vec::new());
        let rows = self.run(OPERATION, Access::Read, &[version]).await?.concat();
        let row = rows.into_iter().next().unwrap_or_default();
        let found = decode::optional_int("schema", row)?.unwrap_or(0);
        let found =
            u32::try_from(found).map_err(|error| StoreError::Corrupt { table: "schema", cause: error.into() })?;
        Ok(Some(found))
    }

    /// The version's key first: whoever is second stops there, before any table.
    fn migration(&self, version: u32, name: &'static str, text: &str) -> Vec<Statement> {
        let mark = MARK.replace("{version}", &version.to_string());
        let texts = std::iter::once(mark.as_str()).chain(split(text));
        self.definitions(name, texts)
    }

    /// Statements without parameters, in the engine's own words.
    pub(crate) fn definitions<'t>(
        &self,
        name: &'static str,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Vec<Statement> {
        let render = |sql: &str| self.executor().dialect().render(self.prefix(), sql.trim());
        texts.into_iter().map(|sql| Statement { name, sql: render(sql), params: Vec::new() }).collect()
    }
}

#[async_trait]
impl<E: Executor> Maintain for SqlStore<E> {
    async fn ready(&self) -> Result<(), StoreError> {
        self.check_schema().await
    }
}

/// The statements of a file.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n--;\n").map(str::trim)
}
