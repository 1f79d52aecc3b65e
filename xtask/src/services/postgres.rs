//! Decides how a temporary PostgreSQL server is created, started, stopped and killed. It listens on loopback only,
//! requires a password, and is durable across a crash.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{
    Service, Variables,
    process::{self, User, command_as},
    programs,
    state::Home,
};
use crate::shell;

/// The variable with the URL of the PostgreSQL server for tests, also if someone else runs it.
pub(super) const URL: &str = "PURCHASE_TEST_POSTGRES_URL";
/// The name of the superuser and of the database.
const NAME: &str = "purchase";
const PATIENCE: Duration = Duration::from_secs(30);
/// Settings that differ from PostgreSQL's defaults. The durability settings don't, because tests that kill the server
/// depend on them.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
max_prepared_transactions = 0
log_min_messages = fatal
log_min_error_statement = panic
";

/// A server and its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    password: String,
    /// The user account that the server runs as: PostgreSQL refuses to run as root.
    user: Option<User>,
}

impl Postgres {
    /// Creates the data of a new server without starting it.
    pub(super) fn create(home: &Home) -> anyhow::Result<Self> {
        let programs = programs::find_or_install()?;
        let user = match process::is_root()? {
            true => Some(unprivileged()?),
            false => None,
        };
        let folder = folder(home, user.as_ref())?;
        let server = Self { programs, folder, port: process::free_port()?, password: process::secret(), user };
        eprintln!("postgres: creating a database cluster with {}", server.programs.join("initdb").display());
        server.initialize().inspect_err(|_| drop(process::delete(&server.folder)))?;
        Ok(server)
    }

    fn initialize(&self) -> anyhow::Result<()> {
        if let Some(user) = &self.user {
            user.own(&self.folder)?;
        }
        let password = self.folder.join("password");
        fs::write(&password, &self.password)?;
        if let Some(user) = &self.user {
            user.own(&password)?;
        }
        let mut initdb = self.program("initdb");
        initdb.args(["--username", NAME, "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale"]);
        // Losing a new cluster in a crash does no harm, so it isn't synchronized to disk.
        initdb.arg("--no-sync").arg("--pwfile").arg(&password).arg("--pgdata").arg(self.data());
        shell::output(&mut initdb)?;
        fs::remove_file(&password)?;
        let settings = self.data().join("postgresql.conf");
        let own = format!("{}{SETTINGS}port = {}\n", fs::read_to_string(&settings)?, self.port);
        fs::write(&settings, own).with_context(|| format!("{} can't be written", settings.display()))
    }

    /// Starts the server. The first start also creates the database.
    pub(super) fn start(&self) -> anyhow::Result<()> {
        let log = self.log();
        let mut start = self.pg_ctl(&["start", "--wait", "--silent"]);
        // Otherwise the server would keep this program's output open.
        let started = shell::output(start.arg("--log").arg(&log));
        started.with_context(|| process::tail(&log))?;
        if !self.answers() {
            shell::output(self.client("createdb").arg(NAME))?;
        }
        Ok(())
    }

    /// Stops the server as a crash would: it writes nothing more, and the next start recovers.
    pub(super) fn crash(&self) -> anyhow::Result<()> {
        match self.pid() {
            Some(_) => {
                shell::output(&mut self.pg_ctl(&["stop", "--wait", "--silent", "--mode", "immediate"])).map(drop)
            }
            None => Ok(()),
        }
    }

    pub(super) fn delete(&self) -> anyhow::Result<()> {
        process::delete(&self.folder)
    }

    /// The server's process id, if it is running.
    pub(super) fn pid(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid = file.lines().next()?.parse().ok()?;
        process::runs(pid, &self.data().to_string_lossy()).then_some(pid)
    }

    /// Whether the server answers a statement.
    pub(super) fn answers(&self) -> bool {
        let mut psql = self.client("psql");
        psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--dbname", NAME, "--command", "select 1"]);
        shell::output(&mut psql).is_ok_and(|said| said.trim() == "1")
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(super) fn variables(&self) -> Variables {
        vec![(URL, format!("postgres://{NAME}:{}@127.0.0.1:{}/{NAME}", self.password, self.port))]
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.program("pg_ctl");
        command.args(arguments).arg("--pgdata").arg(self.data());
        command.args(["--timeout", &PATIENCE.as_secs().to_string()]);
        command
    }

    /// One of PostgreSQL's programs, run as the server's user and without the user's environment settings for other
    /// servers.
    fn program(&self, name: &str) -> Command {
        let mut command = command_as(self.user.as_ref(), &self.programs.join(name));
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for variable in inherited.filter(|name| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(variable);
        }
        // Fixes the language of messages, which only appear in the log.
        command.env("LC_ALL", "C");
        command
    }

    /// A client program of the server. The password isn't passed as an argument, because every user can list arguments.
    pub(super) fn client(&self, name: &str) -> Command {
        let mut command = self.program(name);
        command.env("PGPASSWORD", &self.password).env("PGCONNECT_TIMEOUT", "5");
        command.args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", NAME, "--no-password"]);
        command
    }
}

/// The user account that a server runs as if this program runs as root.
fn unprivileged() -> anyhow::Result<User> {
    ["postgres", "nobody"].into_iter().find_map(User::named).context(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`; \
         run this as another user",
    )
}

/// A new folder for a server. It is in the system's temporary folder if the server's user can't enter the checkout's.
fn folder(home: &Home, user: Option<&User>) -> anyhow::Result<PathBuf> {
    let folder = home.data_of(Service::Postgres);
    process::delete(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be created", folder.display()))?;
    match user {
        Some(user) if !user.can_enter(&folder) => {
            process::delete(&folder)?;
            let elsewhere = tempfile::Builder::new().prefix("purchase-postgres-").tempdir()?.keep();
            eprintln!("postgres: {} can't enter {}; using {}", user.name, folder.display(), elsewhere.display());
            Ok(elsewhere)
        }
        _ => Ok(folder),
    }
}
