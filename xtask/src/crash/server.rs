//! Runs the example server as a process: starts it, reads where it listens, kills it or asks it to stop.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{scenarios::SECRET, signals};

const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(super) struct Server {
    child: Child,
    address: Option<SocketAddr>,
}

impl Server {
    /// Starts one on a database, at a port that the system chooses.
    pub(super) fn start(program: &Path, database: &str) -> anyhow::Result<Self> {
        let child = Command::new(program)
            .env("ADDR", "127.0.0.1:0")
            .env("DATABASE_URL", database)
            .env("RUST_LOG", "warn")
            .env("STRIPE_WEBHOOK_SECRET", SECRET)
            .env_remove("STRIPE_MODE")
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
    pub(super) async fn ready(&mut self) -> anyhow::Result<SocketAddr> {
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
    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.address.context("the server does not listen yet")
    }

    /// Kills it, without a warning.
    pub(super) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.start_kill().context("could not kill the server")?;
        let status =
            tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the server outlives its end")??;
        ensure!(status.code().is_none(), "the server ended by itself, with {status}, before it was killed");
        Ok(())
    }

    /// Asks it to stop, which it must do in order.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("the server is gone")?;
        tokio::task::block_in_place(|| signals::to_process(id, "TERM"))?;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the server does not stop")??;
        ensure!(status.success(), "asked to stop, the server ended with {status}");
        Ok(())
    }
}
