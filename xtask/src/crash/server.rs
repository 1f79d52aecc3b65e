//! Runs the example server as a process: starts it, finds its address, and kills or stops it.

use std::{
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{scenarios::SECRET, signals};

/// The token for reading requests.
pub(crate) const READ_TOKEN: &str = "token-of-a-local-run";

const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: Option<SocketAddr>,
}

impl Server {
    /// Starts a server on a database, at a port chosen by the system.
    pub(crate) fn start(program: &Path, database: &str) -> anyhow::Result<Self> {
        let child = Command::new(program)
            .env("ADDR", "127.0.0.1:0")
            .env("DATABASE_URL", database)
            .env("RUST_LOG", "warn")
            .env("READ_TOKEN", READ_TOKEN)
            .env("STRIPE_MODE", "test")
            .env("STRIPE_WEBHOOK_SECRET", SECRET)
            .env_remove("STRIPE_TOLERANCE_SECONDS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // The server logs a line for each refused delivery, and every pass contains deliveries that can never be
            // read.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        Ok(Self { child, address: None })
    }

    /// Waits until the server listens.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<SocketAddr> {
        let stdout = self.child.stdout.take().context("the server's output is already being read")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.context("the server does not start")??;
        let Some(line) = line else { bail!("the server ended while starting: {}", self.child.wait().await?) };
        let address = line.strip_prefix("listening on http://");
        let address = address.with_context(|| format!("the server printed {line:?} instead of its address"))?;
        let address = address.parse()?;
        self.address = Some(address);
        Ok(address)
    }

    /// The server's address.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.address.context("the server does not listen yet")
    }

    /// Kills the server without warning.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.start_kill().context("could not kill the server")?;
        let status =
            tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the killed server still runs")??;
        ensure!(status.code().is_none(), "the server ended by itself, with {status}, before it was killed");
        Ok(())
    }

    /// The server's process id.
    pub(crate) fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server has ended")
    }

    /// Asks the server to stop, and fails if it doesn't shut down properly.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop_within(PATIENCE).await?.map(drop).context("the server does not stop")
    }

    /// Asks the server to stop, and returns how long that took. Returns `None` if it didn't stop within `patience` and
    /// was killed.
    pub(crate) async fn stop_within(mut self, patience: Duration) -> anyhow::Result<Option<Duration>> {
        let id = self.id()?;
        let begin = Instant::now();
        tokio::task::block_in_place(|| signals::to_process(id, "TERM"))?;
        let Ok(status) = tokio::time::timeout(patience, self.child.wait()).await else {
            self.child.kill().await.context("could not kill the server")?;
            return Ok(None);
        };
        let (took, status) = (begin.elapsed(), status?);
        ensure!(status.success(), "asked to stop, the server ended with {status}");
        Ok(Some(took))
    }
}
