//! Runs a batch on PostgreSQL: reads in one query, writes in one call, definitions in one message. Each is one
//! transaction and one round trip. This module does not know what the statements mean.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use purchase_core::error::StoreError;
use purchase_sql::{BatchKind, Cell, Dialect, ExecuteError, Executor, JsonRow, Row, Statement, TablePrefix};
use sqlx::{
    AssertSqlSafe, Column, PgConnection, PgPool, Row as _, TypeInfo, ValueRef,
    postgres::{PgPoolOptions, PgRow},
};

use crate::{
    Options,
    dialect::POSTGRES,
    error::{NoConnection, execute_error, is_broken, unreachable, write_error},
    function::{Function, with_placeholders},
    guard::{ConnectionGuard, deadline, ping, released, within},
    session::connect_options,
};

/// Separates this library's advisory locks from the application's.
const LOCKS: i32 = 0x7075_7263;

/// An [`Executor`] on one PostgreSQL database.
#[derive(Debug)]
pub struct PostgresExecutor {
    pool: PgPool,
    pub(crate) options: Options,
    pub(crate) function: Arc<Function>,
    /// When a connection was last found broken. Connections that have been idle since then are pinged before use.
    broken: Arc<Mutex<Option<Instant>>>,
    /// The statements that begin every batch of definitions.
    turn: [Statement; 4],
}

impl PostgresExecutor {
    /// Opens a pool. The server must answer once, and the connections' settings must be in effect.
    ///
    /// # Errors
    /// The server's error, or that no server answers.
    pub async fn connect(url: &str, options: Options) -> Result<Self, StoreError> {
        let unreachable = |error| unreachable(error, options.acquire_timeout);
        let connect = connect_options(url, &options).map_err(unreachable)?;
        let broken: Arc<Mutex<Option<Instant>>> = Arc::default();
        let since = Arc::clone(&broken);
        let pool = PgPoolOptions::new()
            .max_connections(options.connections.get())
            .acquire_timeout(options.acquire_timeout)
            // This test would cost a round trip per use. Connections that may be broken are pinged below.
            .test_before_acquire(false)
            .before_acquire(move |connection, about| {
                let since = *since.lock().unwrap_or_else(PoisonError::into_inner);
                let idle_since = Instant::now().checked_sub(about.idle_for);
                Box::pin(async move {
                    match since {
                        Some(broken) if idle_since.is_none_or(|idle| idle <= broken) => {
                            Ok(ping(connection).await.is_ok())
                        }
                        _ => Ok(true),
                    }
                })
            })
            .after_release(|connection, _| Box::pin(released(connection)))
            .connect_with(connect)
            .await
            .map_err(unreachable)?;
        let function = Arc::new(Function::new(&options.prefix));
        let turn = turn(&options.prefix);
        let executor = Self { pool, options, function, broken, turn };
        executor.check_session().await?;
        Ok(executor)
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn lend(&self) -> Result<ConnectionGuard, ExecuteError> {
        let within = self.options.acquire_timeout;
        match self.pool.acquire().await {
            Ok(connection) => Ok(ConnectionGuard::new(connection)),
            // The pool has free capacity, so the server gave no connection.
            Err(sqlx::Error::PoolTimedOut) if self.pool.size() < self.options.connections.get() => {
                Err(ExecuteError::Other { cause: NoConnection { within }.into() })
            }
            Err(error) => Err(execute_error(error)),
        }
    }

    /// Returns a connection to the pool. Drops a broken connection instead, and remembers when.
    fn settle(&self, lent: ConnectionGuard, broken: bool) {
        match broken {
            true => {
                *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                drop(lent);
            }
            false => lent.give_back(),
        }
    }
}

/// Waits until no other process defines tables here: two processes that create the same table at once would conflict
/// even with `IF NOT EXISTS`. The connection's time limits are meant for requests, but building an index on a big table
/// takes long, and so may the migrations that run first. The limit on the wait for a table's lock stays in effect,
/// because other users of the table queue behind that wait.
fn turn(prefix: &TablePrefix) -> [Statement; 4] {
    let texts = [
        "SET LOCAL statement_timeout = 0".to_owned(),
        "SET LOCAL lock_timeout = 0".to_owned(),
        format!("SELECT pg_advisory_xact_lock({LOCKS}, hashtext('{prefix}'))"),
        "SET LOCAL lock_timeout TO DEFAULT".to_owned(),
    ];
    texts.map(|sql| Statement { name: "turn", sql: sql.into(), params: Vec::new() })
}

/// Runs a batch on a connection. A batch of definitions begins with `turn`.
pub(crate) async fn run(
    connection: &mut PgConnection,
    function: &Function,
    access: BatchKind,
    turn: &[Statement],
    statements: &[Statement],
) -> Result<Vec<Vec<Row>>, sqlx::Error> {
    match access {
        BatchKind::Define => {
            define(connection, &[turn, statements].concat()).await.map(|()| vec![Vec::new(); statements.len()])
        }
        BatchKind::Read => read(connection, statements).await,
        BatchKind::Write => write(connection, function, statements).await,
    }
}

#[async_trait]
impl Executor for PostgresExecutor {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let limit = match access {
            // A definition has no limit: a table may be big, and other migrations may run first.
            BatchKind::Define => None,
            BatchKind::Read | BatchKind::Write => deadline(&self.options),
        };
        // A read can be retried once, on a connection that is known to work.
        let mut again = access == BatchKind::Read;
        loop {
            let mut lent = self.lend().await?;
            let answer = within(limit, run(&mut lent, &self.function, access, &self.turn, statements)).await;
            let broken = answer.as_ref().map_or(true, |outcome| outcome.as_ref().is_err_and(is_broken));
            self.settle(lent, broken);
            return match (answer, access) {
                (Ok(Err(_)), _) if broken && std::mem::take(&mut again) => {
                    tracing::debug!("a connection was lost; trying the read again");
                    continue;
                }
                (Ok(outcome), BatchKind::Read) => outcome.map_err(execute_error),
                (Ok(outcome), BatchKind::Define | BatchKind::Write) => outcome.map_err(write_error),
                (Err(silent), BatchKind::Read) => Err(ExecuteError::Other { cause: silent.into() }),
                (Err(silent), BatchKind::Define | BatchKind::Write) => {
                    Err(ExecuteError::Unknown { cause: silent.into() })
                }
            };
        }
    }

    fn dialect(&self) -> &Dialect {
        &POSTGRES
    }
}

/// Runs statements without parameters in one message, which the server runs as one transaction.
async fn define(connection: &mut PgConnection, statements: &[Statement]) -> Result<(), sqlx::Error> {
    let texts: Vec<&str> = statements.iter().map(|statement| &*statement.sql).collect();
    // The text consists of this project's files and a checked table prefix.
    sqlx::raw_sql(AssertSqlSafe(texts.join(";\n"))).execute(connection).await.map(drop)
}

/// Reads with one query, which sees one state.
async fn read(connection: &mut PgConnection, statements: &[Statement]) -> Result<Vec<Vec<Row>>, sqlx::Error> {
    let [statement] = statements else {
        return read_together(connection, statements).await;
    };
    single(connection, statement).await.map(|rows| vec![rows])
}

async fn read_together(connection: &mut PgConnection, statements: &[Statement]) -> Result<Vec<Vec<Row>>, sqlx::Error> {
    let mut text = String::new();
    let mut before = 0;
    for (at, statement) in statements.iter().enumerate() {
        let union = if at == 0 { "" } else { "\nUNION ALL\n" };
        let own = with_placeholders(&statement.sql, |number| format!("${}", number + before));
        // Writing into a `String` can't fail.
        let _ =
            write!(text, "{union}SELECT {at} AS at, CAST(row_to_json(a{at}) AS text) AS row FROM (\n{own}\n) AS a{at}");
        before += statement.params.len();
    }
    let mut query = sqlx::query(AssertSqlSafe(text));
    for cell in statements.iter().flat_map(|statement| &statement.params) {
        query = query.bind(cell.0.as_deref());
    }
    let mut results = vec![Vec::new(); statements.len()];
    let mut rows = query.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        take(&mut results, row.try_get(0)?, row.try_get(1)?)?;
    }
    Ok(results)
}

/// Writes with one call, which is a separate transaction unless one is open.
async fn write(
    connection: &mut PgConnection,
    function: &Function,
    statements: &[Statement],
) -> Result<Vec<Vec<Row>>, sqlx::Error> {
    if let [statement] = statements {
        return single(connection, statement).await.map(|rows| vec![rows]);
    }
    let arguments = function.arguments(statements);
    let mut results = vec![Vec::new(); statements.len()];
    let mut rows = sqlx::query(AssertSqlSafe(function.call.as_str()))
        .bind(arguments.places)
        .bind(arguments.params)
        .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let at: i32 = row.try_get(0)?;
        take(&mut results, at - 1, row.try_get(1)?)?;
    }
    Ok(results)
}

async fn single(connection: &mut PgConnection, statement: &Statement) -> Result<Vec<Row>, sqlx::Error> {
    let mut query = sqlx::query(AssertSqlSafe(&*statement.sql));
    for cell in &statement.params {
        query = query.bind(cell.0.as_deref());
    }
    let answers = query.fetch_all(connection).await?;
    answers.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect()).collect()
}

fn take(results: &mut [Vec<Row>], at: i32, row: &str) -> Result<(), sqlx::Error> {
    let decoded: Result<JsonRow, _> = serde_json::from_str(row);
    let place = usize::try_from(at).ok().and_then(|at| results.get_mut(at));
    match (decoded, place) {
        (Ok(JsonRow(row)), Some(place)) => place.push(row),
        _ => return Err(sqlx::Error::ColumnDecode { index: "row".to_owned(), source: "no row of a batch".into() }),
    }
    Ok(())
}

fn cell(row: &PgRow, at: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::NULL);
    }
    match value.type_info().name() {
        "TEXT" | "VARCHAR" | "NAME" => row.try_get(at).map(Cell),
        "INT4" => row.try_get(at).map(|number: i32| number.to_string().into()),
        other => Err(sqlx::Error::ColumnDecode {
            index: row.column(at).name().to_owned(),
            source: format!("a column must be text, but is {other}").into(),
        }),
    }
}
