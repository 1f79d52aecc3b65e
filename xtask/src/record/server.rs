//! Decides how deliveries are received: every POST, at any path, one after the other in the order of arrival.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode},
};
use purchase_core::delivery::Limits;
use tokio::{
    net::TcpListener,
    sync::{Mutex, Notify},
};

use crate::record::{Recorder, Request};

/// A server that is bound but not yet serving.
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    recorder: Arc<Mutex<Recorder>>,
    taken: Notify,
}

/// Binds an address.
pub(crate) async fn bind(listen: SocketAddr, recorder: Recorder) -> anyhow::Result<Server> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("can't listen on {listen}"))?;
    let address = listener.local_addr()?;
    let recorder = Arc::new(Mutex::new(recorder));
    Ok(Server { listener, address, shared: Arc::new(Shared { recorder, taken: Notify::new() }) })
}

impl Server {
    /// The server's address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `count` deliveries are recorded or the user presses Ctrl-C. Requests in progress are finished
    /// first.
    pub(crate) async fn run(self, count: Option<usize>) -> anyhow::Result<Arc<Mutex<Recorder>>> {
        let shared = Arc::clone(&self.shared);
        let end = async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                () = enough(&shared, count) => {}
            }
        };
        let routes = Router::new()
            .fallback(receive)
            .layer(DefaultBodyLimit::max(Limits::default().body_bytes))
            .with_state(Arc::clone(&self.shared));
        axum::serve(self.listener, routes).with_graceful_shutdown(end).await?;
        Ok(Arc::clone(&self.shared.recorder))
    }
}

async fn enough(shared: &Shared, count: Option<usize>) {
    loop {
        let taken = shared.taken.notified();
        let recorded = shared.recorder.lock().await.folder.deliveries();
        if count.is_some_and(|count| recorded >= count) {
            return;
        }
        taken.await;
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    if method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "deliveries are sent by POST\n".to_owned());
    }
    let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let request = Request { headers, body: body.to_vec() };
    let taken = shared.recorder.lock().await.take(&request);
    shared.taken.notify_one();
    match taken {
        Ok(name) => (StatusCode::OK, format!("{name}\n")),
        Err(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")),
    }
}
