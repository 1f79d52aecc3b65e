//! Decides the floor on PostgreSQL: `pgbench` inserts the same bodies into one table with a primary key, one commit
//! each, with the same number of connections, and each statement prepared once.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::database::Database;
use crate::{services, shell};

/// A table in a separate schema, and the script that fills it.
pub(super) struct Floor {
    database: Database,
    pgbench: PathBuf,
    script: PathBuf,
    bodies: usize,
}

impl Floor {
    /// The bodies are in the database already, and each connection reads them once, so that an insert sends the whole
    /// body.
    pub(super) async fn new(server: &str, name: &str, bodies: &[Value], scratch: &Path) -> anyhow::Result<Self> {
        let pgbench = services::postgres_program("pgbench").context(
            "pgbench is missing; it comes with PostgreSQL's server: install it, or choose other rows by --only",
        )?;
        let database = Database::create(server, name).await?;
        let mut connection = PgConnection::connect(&database.url_of_schema()?).await?;
        sqlx::raw_sql(
            "CREATE TABLE body (n INTEGER PRIMARY KEY, body TEXT NOT NULL);
             CREATE TABLE delivery (id TEXT PRIMARY KEY, source TEXT NOT NULL, type TEXT NOT NULL, at BIGINT NOT NULL,
                                    body TEXT NOT NULL)",
        )
        .execute(&mut connection)
        .await?;
        for (number, body) in (0_i32..).zip(bodies) {
            let insert = sqlx::query("INSERT INTO body (n, body) VALUES ($1, $2)");
            insert.bind(number).bind(body.to_string()).execute(&mut connection).await?;
        }
        connection.close().await?;
        let file = scratch.join(format!("{name}.pgbench"));
        std::fs::write(&file, script(bodies))?;
        Ok(Self { database, pgbench, script: file, bodies: bodies.len() })
    }

    /// Inserts every body the given number of times on each connection. Returns the time without connecting.
    pub(super) fn insert(&self, connections: usize, times: usize) -> anyhow::Result<Duration> {
        let mut pgbench = Command::new(&self.pgbench);
        pgbench.args(["--no-vacuum", "--protocol", "prepared"]);
        pgbench.args(["--client", &connections.to_string(), "--jobs", &connections.min(2).to_string()]);
        pgbench.args(["--transactions", &times.to_string()]).arg("--file").arg(&self.script);
        let said = shell::output(self.database.told(&mut pgbench)?)?;
        let expected = format!("actually processed: {0}/{0}", connections * times);
        ensure!(said.contains(&expected), "pgbench did not run every transaction: {said}");
        let per_second = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        let per_second: f64 = per_second.with_context(|| format!("pgbench printed no rate: {said}"))?;
        #[expect(clippy::cast_precision_loss, reason = "a number of runs is small")]
        let seconds = (connections * times) as f64 / per_second;
        Ok(Duration::from_secs_f64(seconds))
    }

    /// The number of commits in one run of the script.
    pub(super) fn bodies(&self) -> usize {
        self.bodies
    }

    pub(super) async fn delete(self) -> anyhow::Result<()> {
        self.database.delete().await
    }
}

/// One run inserts every body once.
fn script(bodies: &[Value]) -> String {
    let columns: Vec<String> =
        (0..bodies.len()).map(|number| format!("max(body) FILTER (WHERE n = {number}) AS b{number}")).collect();
    let mut script = format!("SELECT {} FROM body \\gset\n", columns.join(", "));
    for (number, body) in bodies.iter().enumerate() {
        let event_type = body["type"].as_str().unwrap_or_default();
        // Writing into a string can't fail.
        let _ = write!(
            script,
            "\\set id random(1, 9000000000000000000)\nINSERT INTO delivery (id, source, type, at, body) VALUES \
             ('evt_of_the_floor_' || :id, 'stripe//test', '{event_type}', 1790000000000000, :b{number});\n"
        );
    }
    script
}
