//! Limits the wait for the server's answer, and closes the connection of a batch that did not finish. The driver waits
//! for ever, and a server that loses its power closes no connection.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use sqlx::{Connection, PgConnection, Postgres, pool::PoolConnection};
use tokio::time::timeout;

use crate::Options;

/// How long the client waits beyond the server's own limit, since the server normally ends a statement itself. Also the
/// limit for trivial requests, such as a ping.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How long the client waits for a batch. None if the server has no limit either.
pub(crate) fn deadline(options: &Options) -> Option<Duration> {
    let limit = options.statement_timeout;
    (!limit.is_zero()).then(|| limit.saturating_add(PATIENCE))
}

/// The server doesn't answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the server has not answered within {within:?}, so the connection was closed")]
pub(crate) struct Silent {
    within: Duration,
}

/// Does work on a connection, within a time limit.
pub(crate) async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Result<T, Silent> {
    match limit {
        Some(within) => timeout(within, work).await.map_err(|_| Silent { within }),
        None => Ok(work.await),
    }
}

/// Pings the server.
pub(crate) async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let answer = within(Some(PATIENCE), connection.ping()).await;
    answer.map_err(|silent| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, silent)))?
}

tokio::task_local! {
    /// Set while the connection's return to the pool already has a time limit.
    static LIMITED: ();
}

/// The first step when a connection returns to the pool. The pool pings the server afterwards without a time limit, and
/// would wait for ever on a silent server. This step therefore pings first, with a limit, for connections that an
/// application dropped in the middle of work.
pub(crate) async fn released(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match LIMITED.try_with(|()| ()) {
        Ok(()) => Ok(true),
        Err(_) => ping(connection).await.map(|()| true),
    }
}

/// A connection guard: holds a pooled connection while a batch uses it. If the caller stops waiting and the guard is
/// dropped, the connection is closed without a message to the server. The pool would first wait for the end of the
/// batch, and for ever if no answer comes.
pub(crate) struct ConnectionGuard(Option<PoolConnection<Postgres>>);

impl ConnectionGuard {
    pub(crate) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self(Some(connection))
    }

    /// Returns the connection to the pool after a finished batch. Drops it if the return takes too long.
    pub(crate) fn give_back(mut self) {
        if let Some(mut connection) = self.0.take() {
            tokio::spawn(timeout(PATIENCE, LIMITED.scope((), connection.return_to_pool())));
        }
    }
}

impl Deref for ConnectionGuard {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("it is present until it is returned, which consumes self")
    }
}

impl DerefMut for ConnectionGuard {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is present until it is returned, which consumes self")
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
