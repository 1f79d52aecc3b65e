//! Decides how long a connection may take for what, and what becomes of open ones at the end. What a request is answered
//! is the router's.

use std::{convert::Infallible, future::poll_fn, io, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Bounds,
    answers::Failure,
    slots::{Slot, Slots, Stage, TakenSlot},
};

/// What a connection's buffer holds at most: a request's head, and a piece of its body.
const BUFFER_BYTES: usize = 32 << 10;
/// How long a connection is read, and what comes thrown away, after its last answer. Without that the system would reset
/// it while the client still sends, and the client might never see the answer.
const LINGER: Duration = Duration::from_secs(2);
/// How long no connection is accepted after the system could not give one.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is done and the connections have ended, or have been closed.
pub(super) async fn serve(listener: TcpListener, router: Router, bounds: Bounds, shutdown: impl Future<Output = ()>) {
    let slots = Slots::new(bounds.connections);
    let (closing, closes) = watch::channel(false);
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            let stream = accept(&listener).await;
            let taken = slots.take().await;
            connections.spawn(serve_connection(stream, taken, router.clone(), bounds, closes.clone()));
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        biased;
        () = shutdown => {}
        () = accepting => {}
    }
    drop(listener);
    closing.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(bounds.shutdown, ended).await.is_err() {
        tracing::warn!(
            open = connections.len(),
            "connections that are still open after the shutdown time-out are closed"
        );
        connections.shutdown().await;
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // That client is gone; the next one may be well.
            Err(fault) if is_of_one_client(&fault) => {}
            Err(fault) => {
                tracing::error!(%fault, "no connection can be accepted");
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

fn is_of_one_client(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

async fn serve_connection(
    stream: TcpStream,
    taken: TakenSlot,
    router: Router,
    bounds: Bounds,
    mut closes: watch::Receiver<bool>,
) {
    let slot = &taken.slot;
    let requests = Requests { router: TowerToHyperService::new(router), slot: Arc::clone(slot), time: bounds.request };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), requests);
    let mut closing = false;
    loop {
        tokio::select! {
            biased;
            () = slot.displaced() => {
                tracing::debug!("a connection that waited for its client is closed to make room for another one");
                return;
            }
            () = slot.answer_overdue(bounds.request) => return,
            _ = closes.wait_for(|closes| *closes), if !closing => {
                closing = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => {
                if let Err(fault) = ended {
                    tracing::debug!(%fault, "a connection ended early");
                }
                break;
            }
        }
    }
    let lingering = linger(connection.into_parts().io.into_inner());
    tokio::select! {
        biased;
        () = slot.displaced() => {}
        _ = timeout(LINGER, lingering) => {}
    }
}

/// Says that nothing more comes, and waits until the client has seen it.
async fn linger(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut thrown_away = vec![0; BUFFER_BYTES];
    while stream.read(&mut thrown_away).await? > 0 {}
    Ok(())
}

/// The requests of one connection.
struct Requests {
    router: TowerToHyperService<Router>,
    slot: Arc<Slot>,
    time: Duration,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.slot.set(Stage::Working);
        request.extensions_mut().insert(Arc::clone(&self.slot));
        let (slot, time) = (Arc::clone(&self.slot), self.time);
        let answering = self.router.call(request.map(Body::new));
        Box::pin(async move {
            let answer = timeout(time, answering).await;
            slot.set(Stage::Answering);
            answer.unwrap_or_else(|_| {
                Ok(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "request_timed_out", "the request took too long")
                    .into_response())
            })
        })
    }
}
