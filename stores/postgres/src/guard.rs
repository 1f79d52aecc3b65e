//! Decides how long an answer of the server is waited for, and what becomes of a connection whose batch did not come to its
//! end. The driver waits for ever, and a server that vanishes, power and all, closes nothing.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use sqlx::{Connection, PgConnection, Postgres, pool::PoolConnection};
use tokio::time::timeout;

use crate::Options;

/// How much longer than the server's own limit its answer may take: it is the server that ends a statement. And how long
/// it may take to answer what costs it nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How long a batch is waited for. None where the server has no limit either.
pub(crate) fn deadline(options: &Options) -> Option<Duration> {
    let limit = options.statement_timeout;
    (!limit.is_zero()).then(|| limit.saturating_add(PATIENCE))
}

/// The server is as if it were not there.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the server has not answered within {within:?}; the connection is given up")]
pub(crate) struct Silent {
    within: Duration,
}

/// Does something with a connection, and waits for it no longer than that.
pub(crate) async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Result<T, Silent> {
    match limit {
        Some(within) => timeout(within, work).await.map_err(|_| Silent { within }),
        None => Ok(work.await),
    }
}

/// Asks for a sign of life.
pub(crate) async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let answer = within(Some(PATIENCE), connection.ping()).await;
    answer.map_err(|silent| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, silent)))?
}

tokio::task_local! {
    /// Said where the way back to the pool has a limit already.
    static LIMITED: ();
}

/// What the pool does first with a connection that comes back. It then asks for a sign of life itself, without a limit, which
/// is for ever where the server is silent; so whatever an application left in the middle is asked here before.
pub(crate) async fn released(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match LIMITED.try_with(|()| ()) {
        Ok(()) => Ok(true),
        Err(_) => ping(connection).await.map(|()| true),
    }
}

/// A connection of the pool while a batch has it. Dropped, by a caller that waits no longer for one, it is closed without a
/// word: the pool would wait for the end of the batch first, and for ever where no answer comes.
pub(crate) struct ConnectionGuard(Option<PoolConnection<Postgres>>);

impl ConnectionGuard {
    pub(crate) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self(Some(connection))
    }

    /// Gives it back after a batch that came to its end, and lets it go where the way back takes too long.
    pub(crate) fn give_back(mut self) {
        if let Some(mut connection) = self.0.take() {
            tokio::spawn(timeout(PATIENCE, LIMITED.scope((), connection.return_to_pool())));
        }
    }
}

impl Deref for ConnectionGuard {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("it is there until it is given back, which takes self")
    }
}

impl DerefMut for ConnectionGuard {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is there until it is given back, which takes self")
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
