//! Decides where measurements on PostgreSQL run: each in a separate schema that is dropped afterwards.

use std::process::Command;

use anyhow::{Context, anyhow};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A schema on a server.
pub(super) struct Database {
    server: String,
    schema: String,
}

impl Database {
    /// Creates an empty schema. A schema of the same name from an earlier run is dropped.
    pub(super) async fn create(server: &str, name: &str) -> anyhow::Result<Self> {
        let database = Self { server: server.to_owned(), schema: format!("bench_{name}") };
        database.run(&format!("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}", database.schema)).await?;
        Ok(database)
    }

    /// The URL for this library's stores.
    pub(super) fn url(&self) -> anyhow::Result<String> {
        self.url_with("schema", &self.schema)
    }

    /// The URL for other PostgreSQL clients.
    pub(super) fn url_of_schema(&self) -> anyhow::Result<String> {
        self.url_with("options", &format!("-c search_path={}", self.schema))
    }

    /// Sets the connection settings of a PostgreSQL program. The password isn't passed as an argument.
    pub(super) fn told<'a>(&self, program: &'a mut Command) -> anyhow::Result<&'a mut Command> {
        let url = self.parsed()?;
        program.env("PGHOST", url.host_str().context("the server's address has no host")?);
        program.env("PGPORT", url.port().unwrap_or(5432).to_string()).env("PGUSER", url.username());
        program.env("PGDATABASE", url.path().trim_start_matches('/'));
        program.env("PGPASSWORD", url.password().unwrap_or_default());
        Ok(program.env("PGOPTIONS", format!("-c search_path={}", self.schema)))
    }

    pub(super) async fn delete(self) -> anyhow::Result<()> {
        self.run(&format!("DROP SCHEMA {} CASCADE", self.schema)).await
    }

    async fn run(&self, sql: &str) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.server).await.context("PostgreSQL can't be reached")?;
        // The names come from this program, so they need no quoting.
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    fn url_with(&self, name: &str, value: &str) -> anyhow::Result<String> {
        let mut url = self.parsed()?;
        url.query_pairs_mut().append_pair(name, value);
        // A plus means a space only in forms.
        Ok(url.as_str().replace('+', "%20"))
    }

    fn parsed(&self) -> anyhow::Result<reqwest::Url> {
        reqwest::Url::parse(&self.server).map_err(|error| anyhow!("the server's address is not a URL: {error}"))
    }
}
