//! Runs a batch through a Worker's D1 binding. The runtime itself retries lost reads.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use purchase_sql::{BatchKind, Dialect, ExecuteError, Executor, JsonRow, Row, SQLITE, Statement};
use worker::{D1Database, D1Type, send::SendFuture};

use crate::{
    error::{classify, of},
    executor::{fits, text, values},
};

/// An [`Executor`] on a D1 database that a Worker is bound to.
///
/// ```ignore
/// let store = SqlStore::new(BindingExecutor::new(env.d1("DB")?), TablePrefix::default());
/// ```
#[derive(Clone)]
pub struct BindingExecutor(Arc<D1Database>);

impl BindingExecutor {
    /// Creates an executor from the binding.
    pub fn new(database: D1Database) -> Self {
        Self(Arc::new(database))
    }

    async fn run(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let prepared = statements.iter().map(|statement| {
            let params: Vec<D1Type<'_>> =
                values(&statement.params).map(|value| value.map_or(D1Type::Null, D1Type::Text)).collect();
            let prepared = self.0.prepare(text(statement));
            match params.is_empty() {
                true => Ok(prepared),
                false => prepared.bind_refs(&params),
            }
        });
        let prepared: worker::Result<Vec<_>> = prepared.collect();
        let prepared = prepared.map_err(|error| ExecuteError::Other { cause: message(&error).into() })?;
        let results = self.0.batch(prepared).await.map_err(|error| classify(&message(&error)))?;
        let rows = results.iter().map(|result| {
            let rows = result.results::<JsonRow>()?;
            Ok(rows.into_iter().map(|JsonRow(row)| row).collect())
        });
        let rows: worker::Result<Vec<_>> = rows.collect();
        // The batch was committed before its rows were decoded.
        rows.map_err(|error| ExecuteError::Unknown { cause: message(&error).into() })
    }
}

impl fmt::Debug for BindingExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BindingExecutor")
    }
}

#[async_trait]
impl Executor for BindingExecutor {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        // The runtime rejects an empty batch.
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        fits(statements)?;
        // A Worker has one thread, so this future is never sent to another thread.
        SendFuture::new(self.run(statements)).await.map_err(|error| of(access, error))
    }

    fn dialect(&self) -> &Dialect {
        &SQLITE
    }
}

/// The runtime's message, without the text that the crate adds around it.
fn message(error: &worker::Error) -> String {
    match error {
        worker::Error::D1(error) => AsRef::<worker::js_sys::Error>::as_ref(error).message().into(),
        other => other.to_string(),
    }
}
