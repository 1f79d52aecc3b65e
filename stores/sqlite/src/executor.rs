//! Runs a batch on SQLite: one connection writes, several read. This module does not know what the statements mean.
//!
//! The executor keeps its writing connection only between batches that ended cleanly. If the future of a running batch
//! is dropped, its connection is dropped too, and SQLite rolls back what a closed connection leaves.

use std::{
    path::Path,
    str::FromStr,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use purchase_core::error::StoreError;
use purchase_sql::{BatchKind, Cell, Dialect, ExecuteError, Executor, Row, SQLITE, Statement};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Either, Row as _, SqliteConnection, SqlitePool, TypeInfo, ValueRef,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use tokio::sync::Mutex;

use crate::{
    Durability, Options,
    error::{execute_error, open_error, too_many_writers},
};

/// How long a batch waits for other writers of this process. Each of these finishes within milliseconds, or fails after
/// its own busy timeout.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(30);

/// This is more than the number of texts that a connection usually runs: one text for each set of tables that a commit
/// changes.
const STATEMENT_CACHE: usize = 256;

/// An [`Executor`] on one SQLite database.
#[derive(Debug)]
pub struct SqliteExecutor {
    connect: SqliteConnectOptions,
    writer: Mutex<Option<SqliteConnection>>,
    readers: Readers,
}

#[derive(Debug)]
enum Readers {
    /// Readers of a file. They see committed data, and wait for no writer.
    Pool(SqlitePool),
    /// A database in memory is read through the writing connection. The database exists only while a connection to it
    /// is open, so this unused connection keeps it alive.
    Writer { _keeps: Mutex<SqliteConnection> },
}

impl SqliteExecutor {
    /// Opens a database: a path, or a URL that begins with `sqlite:`.
    ///
    /// # Errors
    /// SQLite's error. No table is read.
    pub async fn connect(place: &Path, options: Options) -> Result<Self, StoreError> {
        let text = place.to_str().unwrap_or_default();
        let is_url = text.starts_with("sqlite:");
        let in_memory = is_url && (text.contains(":memory:") || text.contains("mode=memory"));
        let at = |error| open_error(error, place.to_owned());
        let connect = match is_url {
            true => SqliteConnectOptions::from_str(text).map_err(at)?,
            false => SqliteConnectOptions::new().filename(place),
        };
        let connect = configure(connect, &options);
        let started = Instant::now();
        // If two processes open a new file at once, both try to switch it to the write-ahead log. SQLite's busy timeout
        // doesn't cover this.
        let writer = loop {
            match connect.connect().await.map_err(at) {
                Err(StoreError::Busy { .. }) if started.elapsed() < options.busy_timeout => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                outcome => break outcome?,
            }
        };
        let readers = match in_memory {
            true => Readers::Writer { _keeps: Mutex::new(connect.connect().await.map_err(at)?) },
            false => Readers::Pool(
                SqlitePoolOptions::new()
                    .max_connections(options.readers.get())
                    .test_before_acquire(false)
                    .connect_lazy_with(connect.clone()),
            ),
        };
        Ok(Self { connect, writer: Mutex::new(Some(writer)), readers })
    }

    async fn write(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let turn = tokio::time::timeout(QUEUE_TIMEOUT, self.writer.lock()).await;
        let mut slot = turn.map_err(|_| too_many_writers())?;
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => self.connect.connect().await.map_err(execute_error)?,
        };
        let (outcome, clean) = transaction(&mut connection, access, statements).await;
        if clean {
            *slot = Some(connection);
        }
        outcome
    }

    async fn read(&self, pool: &SqlitePool, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        let mut connection = pool.acquire().await.map_err(execute_error)?;
        let (outcome, clean) = transaction(&mut connection, BatchKind::Read, statements).await;
        if !clean {
            connection.close_on_drop();
        }
        outcome
    }
}

#[async_trait]
impl Executor for SqliteExecutor {
    async fn batch(&self, access: BatchKind, statements: &[Statement]) -> Result<Vec<Vec<Row>>, ExecuteError> {
        match (access, &self.readers) {
            (BatchKind::Read, Readers::Pool(pool)) => self.read(pool, statements).await,
            (BatchKind::Read, Readers::Writer { .. }) | (BatchKind::Define | BatchKind::Write, _) => {
                self.write(access, statements).await
            }
        }
    }

    fn dialect(&self) -> &Dialect {
        &SQLITE
    }
}

fn configure(connect: SqliteConnectOptions, options: &Options) -> SqliteConnectOptions {
    let synchronous = match options.durability {
        Durability::PowerLoss => SqliteSynchronous::Full,
        Durability::ProcessCrash => SqliteSynchronous::Normal,
    };
    let mut connect = connect
        .busy_timeout(options.busy_timeout)
        .foreign_keys(true)
        .synchronous(synchronous)
        .statement_cache_capacity(STATEMENT_CACHE)
        // 16 MiB per connection keep the inner pages of every table in memory.
        .pragma("cache_size", "-16384")
        .pragma("temp_store", "memory")
        // With a log of 16 MiB, a page that many commits change is copied into the file only once.
        .pragma("wal_autocheckpoint", "4000")
        .disable_statement_logging();
    if let Some(pages) = options.max_pages {
        connect = connect.pragma("max_page_count", pages.to_string());
    }
    match options.read_only {
        true => connect.read_only(true),
        // A file keeps its journal mode, so a reader sets none.
        false => connect.create_if_missing(options.create_if_missing).journal_mode(SqliteJournalMode::Wal),
    }
}

/// Runs statements in one transaction. The second returned value says whether the connection is in its initial state
/// again.
///
/// The statements are sent as one text: each separate statement would cost two thread switches, which take longer than
/// most of these statements. The driver keeps each text prepared. There are few texts, because commits change the same
/// tables again and again.
async fn transaction(
    connection: &mut SqliteConnection,
    access: BatchKind,
    statements: &[Statement],
) -> (Result<Vec<Vec<Row>>, ExecuteError>, bool) {
    let mut text = Text::default();
    // A single reading statement sees one state without a transaction.
    if let (BatchKind::Read, [statement]) = (access, statements) {
        text.push(&statement.sql, &statement.params);
        return (run(connection, text).await.0.map_err(execute_error), true);
    }
    text.push(
        match access {
            BatchKind::Read => "BEGIN",
            // `BEGIN IMMEDIATE` takes the lock at once. On a busy database the batch then waits at its start instead of
            // failing in the middle.
            BatchKind::Define | BatchKind::Write => "BEGIN IMMEDIATE",
        },
        &[],
    );
    for statement in statements {
        text.push(&statement.sql, &statement.params);
    }
    text.push("COMMIT", &[]);
    let (outcome, begun) = run(connection, text).await;
    match outcome {
        Ok(mut results) => {
            // Removes the results of `BEGIN` and `COMMIT`.
            results.remove(0);
            results.pop();
            (Ok(results), true)
        }
        // If the database refuses to begin, for example because of a lock, the connection is unchanged.
        Err(error) if !begun => {
            let clean = error.as_database_error().is_some();
            (Err(execute_error(error)), clean)
        }
        // After some errors, for example a full disk, SQLite has already rolled back, and a second rollback fails.
        Err(error) => {
            let clean = sqlx::query("ROLLBACK").execute(connection).await.is_ok();
            (Err(execute_error(error)), clean)
        }
    }
}

/// Runs a text. Returns the rows of each statement, and whether at least one statement succeeded.
async fn run(connection: &mut SqliteConnection, text: Text<'_>) -> (Result<Vec<Vec<Row>>, sqlx::Error>, bool) {
    let mut results: Vec<Vec<Row>> = Vec::new();
    let mut open = Vec::new();
    // The text consists of this project's files and a checked table prefix. Values are parameters.
    let mut query = sqlx::query(AssertSqlSafe(text.sql));
    for param in text.params {
        query = query.bind(param.0.as_deref());
    }
    #[expect(deprecated, reason = "no other method runs several prepared statements in one call")]
    let mut answers = query.fetch_many(connection);
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Left(_))) => results.push(std::mem::take(&mut open)),
            Ok(Some(Either::Right(answer))) => match row(&answer) {
                Ok(cells) => open.push(cells),
                Err(error) => return (Err(error), true),
            },
            Ok(None) => return (Ok(results), true),
            Err(error) => return (Err(error), !results.is_empty()),
        }
    }
}

/// Statements joined into one text. The driver binds parameters by their position over all statements, so numbered
/// placeholders lose their numbers, and a parameter with two placeholders is bound twice.
#[derive(Default)]
struct Text<'a> {
    sql: String,
    params: Vec<&'a Cell>,
}

impl<'a> Text<'a> {
    fn push(&mut self, sql: &str, params: &'a [Cell]) {
        let mut pieces = sql.split('?');
        self.sql.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
            let number: usize = piece[..digits].parse().unwrap_or_default();
            // A number without a parameter is bound as null, as in SQLite itself.
            self.params.push(params.get(number.wrapping_sub(1)).unwrap_or(&Cell::NULL));
            self.sql.push('?');
            self.sql.push_str(&piece[digits..]);
        }
        self.sql.push_str(";\n");
    }
}

fn row(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    (0..row.len()).map(|at| cell(row, at)).collect()
}

fn cell(row: &SqliteRow, at: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    let of_integer = !value.is_null() && value.type_info().name() == "INTEGER";
    drop(value);
    match of_integer {
        true => row.try_get(at).map(|number: i64| Cell::from(number.to_string())),
        false => row.try_get(at).map(Cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lose_their_numbers_and_parameters_follow_them() {
        let (one, two) = (Cell::from("one"), Cell::from("two"));
        let params = [one.clone(), two.clone()];
        let mut text = Text::default();
        text.push("a ?2 b ?1 c ?2", &params);
        text.push("d ?1", &params[1..]);
        text.push("e ?7", &[]);
        assert_eq!(text.sql, "a ? b ? c ?;\nd ?;\ne ?;\n");
        assert_eq!(text.params, [&two, &one, &two, &two, &Cell::NULL]);
    }
}
