//! Decides how the server is put together, and in which order its parts end. Tests include this module and serve on a
//! port of the system's choice.

mod answers;
mod bodies;
mod connections;
mod reads;
mod routes;
mod settings;
mod slots;
mod variables;

use std::{io, net::SocketAddr};

use anyhow::Context;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
};

pub(crate) use self::{
    reads::ReadToken,
    routes::{Endpoint, Way},
    settings::{Bounds, Settings},
    variables::Variables,
};

/// How many connections the system keeps until they are accepted. With its default of 128, a few hundred clients at once
/// overflow the queue, and a good one among them waits a second for its next try.
const BACKLOG: u32 = 1024;

/// An endpoint that listens and does not serve yet.
pub(crate) struct Server {
    listener: TcpListener,
    endpoint: Endpoint,
}

impl Server {
    /// Listens at an address; port 0 lets the system choose one.
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub(crate) fn bind(address: SocketAddr, endpoint: Endpoint) -> anyhow::Result<Self> {
        let listener = listen(address).map_err(|fault| {
            let hint = match fault.kind() {
                io::ErrorKind::AddrInUse => "; another program listens there, choose another port",
                io::ErrorKind::PermissionDenied => "; this user may not use that port",
                _ => "",
            };
            anyhow::Error::new(fault).context(format!("ADDR: can't listen on {address}{hint}"))
        })?;
        Ok(Self { listener, endpoint })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system doesn't say.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.listener.local_addr().context("can't determine the address that the server listens on")
    }

    /// Serves until `shutdown` is done. Requests in flight are then answered until the shutdown time-out, and after that
    /// their connections are closed. What was queued for a commit is committed in either case.
    ///
    /// # Errors
    /// When the worker panicked.
    pub(crate) async fn serve(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { listener, endpoint } = self;
        let (bounds, way) = (endpoint.bounds, endpoint.way.clone());
        let serving = connections::serve(listener, routes::router(endpoint), bounds, shutdown);
        match way {
            Way::Grouped(group) => {
                serving.await;
                group.close().await;
            }
            Way::Queued(worker) => {
                let (served, stop) = oneshot::channel::<()>();
                let working = tokio::spawn(async move { worker.run(async { drop(stop.await) }).await });
                serving.await;
                drop(served);
                let report = working.await?;
                tracing::info!(?report, "the worker stopped; unprocessed events stay in the queue");
            }
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
