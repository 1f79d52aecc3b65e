//! Sends a batch to a Worker's binding through a route of the Worker's test build, which returns rows or the kind of an
//! error. The binding's executor makes all its decisions inside the Worker.

#[path = "../conformance/databases.rs"]
pub(crate) mod databases;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use databases::{Database, SERVER};
use purchase_core::error::{Cause, StoreError};
use purchase_sql::{BatchKind, Cell, Dialect, ExecuteError, Executor, Row, SQLITE, Statement};
use serde::Deserialize;
use serde_json::json;

/// Shorter than the server's five seconds, so that no request is sent while its connection closes.
const IDLE: Duration = Duration::from_secs(3);

/// The remote end of an executor in a Worker. All clones share one database, and the last clone releases it.
#[derive(Clone)]
pub(crate) struct Forward {
    client: reqwest::Client,
    url: String,
    _database: Arc<Database>,
}

#[derive(Deserialize)]
struct Answer {
    results: Option<Vec<Vec<Vec<Option<String>>>>>,
    error: Option<String>,
    said: Option<String>,
}

impl Forward {
    pub(crate) async fn open() -> Result<Self, StoreError> {
        let database = Database::take().await?;
        let binding = database.binding()?;
        let base = std::env::var(SERVER).map_err(|error| unusable(error.into()))?;
        // The TLS settings don't matter here: these tests stay on this machine.
        let client = reqwest::Client::builder().no_proxy().pool_idle_timeout(IDLE).build();
        let client = client.map_err(|error| unusable(error.into()))?;
        Ok(Self { client, url: format!("{base}/batch/{binding}"), _database: Arc::new(database) })
    }

    async fn ask(&self, access: BatchKind, statements: &[Statement]) -> Result<Answer, Cause> {
        let access = match access {
            BatchKind::Define => "define",
            BatchKind::Read => "read",
            BatchKind::Write => "write",
        };
        let params = |it: &Statement| it.params.iter().map(|cell| cell.0.clone()).collect::<Vec<_>>();
        let list: Vec<_> = statements.iter().map(|it| json!({ "sql": &*it.sql, "params": params(it) })).collect();
        let request = self.client.post(&self.url).json(&json!({ "access": access, "statements": list }));
        let answer = request.send().await?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Err("the server has no Worker built for tests; `cargo xtask worker test` starts one".into());
        }
        Ok(answer.error_for_status()?.json().await?)
    }
}

#[async_trait]
impl Executor for Forward {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let answer = self.ask(access, statements).await.map_err(|cause| ExecuteError::Unknown { cause })?;
        let said = answer.said.unwrap_or_default();
        match (answer.results, answer.error.as_deref()) {
            (Some(results), None) => {
                let row = |row: Vec<Option<String>>| row.into_iter().map(Cell).collect();
                Ok(results.into_iter().map(|rows| rows.into_iter().map(row).collect()).collect())
            }
            (_, Some("busy")) => Err(ExecuteError::Busy { cause: said.into() }),
            (_, Some("not_null")) => Err(ExecuteError::NotNull { place: said }),
            (_, Some("refused")) => Err(ExecuteError::Refused { cause: said.into() }),
            (_, Some("unique")) => Err(ExecuteError::Unique { place: said }),
            (_, Some("other")) => Err(ExecuteError::Other { cause: said.into() }),
            _ => Err(ExecuteError::Unknown { cause: said.into() }),
        }
    }

    fn dialect(&self) -> &Dialect {
        &SQLITE
    }
}

fn unusable(cause: Cause) -> StoreError {
    StoreError::Unavailable { operation: "reach the Worker", cause }
}
