//! Decides where measures on PostgreSQL happen: each in a schema of its own, which is dropped afterwards.

use std::process::Command;

use anyhow::{Context, anyhow};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A schema on a server.
pub(super) struct Database {
    server: String,
    schema: String,
}

impl Database {
    /// Makes an empty schema; one of this name that was left behind goes.
    pub(super) async fn create(server: &str, name: &str) -> anyhow::Result<Self> {
        let database = Self { server: server.to_owned(), schema: format!("bench_{name}") };
        database.run(&format!("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}", database.schema)).await?;
        Ok(database)
    }

    /// As this library's stores are told.
    pub(super) fn url(&self) -> anyhow::Result<String> {
        self.url_with("schema", &self.schema)
    }

    /// As every other client of PostgreSQL is told.
    pub(super) fn url_of_schema(&self) -> anyhow::Result<String> {
        self.url_with("options", &format!("-c search_path={}", self.schema))
    }

    /// Tells a program of PostgreSQL's where to go. No password stands among its arguments.
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
        // The names are this program's own.
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    fn url_with(&self, name: &str, value: &str) -> anyhow::Result<String> {
        let mut url = self.parsed()?;
        url.query_pairs_mut().append_pair(name, value);
        // A space is a plus only in forms.
        Ok(url.as_str().replace('+', "%20"))
    }

    fn parsed(&self) -> anyhow::Result<reqwest::Url> {
        reqwest::Url::parse(&self.server).map_err(|error| anyhow!("the server's address is none: {error}"))
    }
}
