//! Decides how a batch runs on SQLite: one connection writes, some read. It does not know what the statements say.
//!
//! A connection that writes is in the executor's hand only between batches that ended cleanly. A batch that is dropped
//! half way takes its connection with it, and SQLite rolls back what a closed connection leaves.

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

/// How long a batch waits for its turn behind other writers of this process. Each of them is done in milliseconds, or
/// gives up after its own busy timeout.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(30);

/// More than there are texts that a connection usually runs: one for each set of tables that a commit touches.
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
    /// Readers of a file. They see what is committed, and wait for nobody.
    Pool(SqlitePool),
    /// A database in memory is read through the connection that writes. It lives as long as any connection, and this
    /// one is never used.
    Writer { _keeps: Mutex<SqliteConnection> },
}

impl SqliteExecutor {
    /// Opens a database: a path, or a URL that begins with `sqlite:`.
    ///
    /// # Errors
    /// What SQLite says; no table is looked at.
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
        // Two processes that open a new file at once both want to switch it to the write-ahead log, and for that
        // SQLite doesn't wait.
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
        // 16 MiB per connection: the inner pages of every table stay in memory.
        .pragma("cache_size", "-16384")
        .pragma("temp_store", "memory")
        // A log of 16 MiB: pages that many commits change are copied into the file once for all of them.
        .pragma("wal_autocheckpoint", "4000")
        .disable_statement_logging();
    if let Some(pages) = options.max_pages {
        connect = connect.pragma("max_page_count", pages.to_string());
    }
    match options.read_only {
        true => connect.read_only(true),
        // A file keeps its journal's mode, so a reader has nothing to set.
        false => connect.create_if_missing(options.create_if_missing).journal_mode(SqliteJournalMode::Wal),
    }
}

/// Runs statements in one transaction. The second answer tells whether the connection is as it was before.
///
/// They travel as one text: a statement of its own costs two changes of threads, more than most of these statements
/// take to run. The driver keeps each text prepared, and there are few, since commits touch the same tables again and
/// again.
async fn transaction(
    connection: &mut SqliteConnection,
    access: BatchKind,
    statements: &[Statement],
) -> (Result<Vec<Vec<Row>>, ExecuteError>, bool) {
    let mut text = Text::default();
    // One statement that reads sees one state by itself.
    if let (BatchKind::Read, [statement]) = (access, statements) {
        text.push(&statement.sql, &statement.params);
        return (run(connection, text).await.0.map_err(execute_error), true);
    }
    text.push(
        match access {
            BatchKind::Read => "BEGIN",
            // Taking the lock at once is what makes a busy database wait instead of fail half way.
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
            // What BEGIN and COMMIT answer.
            results.remove(0);
            results.pop();
            (Ok(results), true)
        }
        // The database's own refusal to begin, a lock for one, leaves the connection as it was.
        Err(error) if !begun => {
            let clean = error.as_database_error().is_some();
            (Err(execute_error(error)), clean)
        }
        // After some errors, a full disk for one, SQLite has rolled back by itself and refuses to do it again.
        Err(error) => {
            let clean = sqlx::query("ROLLBACK").execute(connection).await.is_ok();
            (Err(execute_error(error)), clean)
        }
    }
}

/// Runs a text and answers the rows of each statement, and whether at least one of them ended well.
async fn run(connection: &mut SqliteConnection, text: Text<'_>) -> (Result<Vec<Vec<Row>>, sqlx::Error>, bool) {
    let mut results: Vec<Vec<Row>> = Vec::new();
    let mut open = Vec::new();
    // The text is made of this project's files with a checked table prefix; values come as parameters.
    let mut query = sqlx::query(AssertSqlSafe(text.sql));
    for param in text.params {
        query = query.bind(param.0.as_deref());
    }
    #[expect(deprecated, reason = "nothing else runs several prepared statements in one go")]
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

/// Statements joined into one text. The driver hands parameters out in the order of their places over all statements,
/// so numbered places lose their numbers, and a parameter that stands in two places is handed out twice.
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
            // A number without a parameter is bound as null, as SQLite itself would.
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
