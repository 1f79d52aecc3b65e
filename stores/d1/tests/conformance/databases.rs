//! Assigns each test one of the server's databases: emptied, and used by no other test at the same time. The databases
//! outlive the tests, and tests run in several processes, so a file locks each database. A server on another machine
//! may hold data that are still needed, so its databases are emptied only with explicit permission.

use std::{env, fs::File, net::IpAddr, time::Duration};

use purchase_core::error::StoreError;
use purchase_d1::{Options, Place, RestExecutor, Token};
use purchase_sql::{BatchKind, Executor, Statement};

/// The variables that name the server.
pub(crate) const SERVER: &str = "PURCHASE_TEST_D1_URL";
const TOKEN: &str = "PURCHASE_TEST_D1_TOKEN";
const DATABASES: &str = "PURCHASE_TEST_D1_DATABASES";
/// Allows dropping every table of those databases, wherever they are: `yes`.
const MAY_EMPTY: &str = "PURCHASE_TEST_D1_MAY_EMPTY";

/// The number of searches for a free database, and the wait between them.
const LOOKS: u32 = 1200;
const PAUSE: Duration = Duration::from_millis(50);

/// A database that is in use until this value is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) place: String,
    pub(crate) token: Token,
    pub(crate) options: Options,
    _lock: File,
}

impl Database {
    /// Waits for a free database, and drops all its tables.
    pub(crate) async fn take() -> Result<Self, StoreError> {
        let [base, token, ids] = [variable(SERVER)?, variable(TOKEN)?, variable(DATABASES)?];
        if !is_loopback(&base) && env::var(MAY_EMPTY).as_deref() != Ok("yes") {
            return Err(unusable(&format!(
                "{SERVER} names a server that is not on this machine, and tests drop every table of the databases in \
                 {DATABASES}; set {MAY_EMPTY}=yes to allow this"
            )));
        }
        let lock = wait_for_one(&base, &ids).await?;
        let (id, _lock) =
            lock.ok_or_else(|| unusable("every database is in use; a test may have been left running"))?;
        let token = Token::new(token).map_err(|error| unusable(&error.to_string()))?;
        let options = Options { base, ..Options::default() };
        let database = Self { place: format!("d1:tests/{id}"), token, options, _lock };
        database.clear().await?;
        Ok(database)
    }

    /// The database's name in a local Worker: its index among all.
    #[allow(dead_code, reason = "only the tests of a Worker use it")]
    pub(crate) fn binding(&self) -> Result<String, StoreError> {
        let ids = variable(DATABASES)?;
        let at = ids.split(',').position(|id| self.place.ends_with(id));
        at.map(|at| format!("D1_{at}")).ok_or_else(|| unusable("the database is not among those of the server"))
    }

    pub(crate) fn executor(&self) -> Result<RestExecutor, StoreError> {
        let place: Place = self.place.parse().map_err(|error: purchase_d1::PlaceError| unusable(&error.to_string()))?;
        RestExecutor::new(&place, self.token.clone(), self.options.clone())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        let executor = self.executor()?;
        let wrong = |error| StoreError::Unavailable { operation: "empty a database", cause: Box::new(error) };
        let statement = |sql: String| Statement { name: "clear", sql: sql.into(), params: Vec::new() };
        let own = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'";
        let tables = executor.batch(BatchKind::Read, &[statement(own.to_owned())]).await.map_err(wrong)?.concat();
        let names = tables.into_iter().flatten().filter_map(|cell| cell.0);
        // A table that others refer to can only be dropped if the references are not checked until the end.
        let mut drops = vec![statement("PRAGMA defer_foreign_keys = on".to_owned())];
        drops.extend(names.map(|name| statement(format!("DROP TABLE \"{name}\""))));
        executor.batch(BatchKind::Define, &drops).await.map_err(wrong)?;
        Ok(())
    }
}

async fn wait_for_one(base: &str, ids: &str) -> Result<Option<(String, File)>, StoreError> {
    let server: String = base.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
    for _ in 0..LOOKS {
        for id in ids.split(',') {
            let path = env::temp_dir().join(format!("purchase-d1-{server}-{id}.lock"));
            let file = File::create(path).map_err(|error| unusable(&error.to_string()))?;
            if file.try_lock().is_ok() {
                return Ok(Some((id.to_owned(), file)));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(None)
}

/// Whether an address is this machine's, judged by its text without a lookup.
pub(crate) fn is_loopback(base: &str) -> bool {
    let host = reqwest::Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

fn variable(name: &str) -> Result<String, StoreError> {
    let missing = "the variable is not set; `cargo xtask services up --only d1` starts a server and prints the value";
    env::var(name).map_err(|_| unusable(&format!("{name}: {missing}")))
}

fn unusable(why: &str) -> StoreError {
    StoreError::Unavailable { operation: "get a database for a test", cause: why.into() }
}
