//! Runs the example server as a process: starts it, reads where it listens, kills it or asks it to stop.

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

/// The token of reads.
pub(crate) const READ_TOKEN: &str = "token-of-a-local-run";

const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: Option<SocketAddr>,
}

impl Server {
    /// Starts one on a database, at a port that the system chooses.
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
            // Each refused delivery is a line there; the ones that never can be read come in every pass.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        Ok(Self { child, address: None })
    }

    /// Waits until it listens.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<SocketAddr> {
        let stdout = self.child.stdout.take().context("the server's output is read already")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.context("the server does not start")??;
        let Some(line) = line else { bail!("the server ended while starting: {}", self.child.wait().await?) };
        let address = line.strip_prefix("listening on http://").with_context(|| format!("the server said {line:?}"))?;
        let address = address.parse()?;
        self.address = Some(address);
        Ok(address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.address.context("the server does not listen yet")
    }

    /// Kills it, without a warning.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.start_kill().context("could not kill the server")?;
        let status =
            tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the server outlives its end")??;
        ensure!(status.code().is_none(), "the server ended by itself, with {status}, before it was killed");
        Ok(())
    }

    /// Its process id.
    pub(crate) fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server is gone")
    }

    /// Asks it to stop, which it must do in order.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop_within(PATIENCE).await?.map(drop).context("the server does not stop")
    }

    /// Asks it to stop, and answers how long that took. None: it did not stop within `patience`, and was killed.
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
