//! Answers requests over HTTP. A request that fails without an answer ends its connection.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use purchase_core::transport::{HttpRequest, HttpResponse, Method, TransportError};
use tokio::net::TcpListener;

use super::Running;
use crate::emulated::Emulated;

/// The longest body that is read: a snapshot of a large world, and much more than any call.
const BODY_BYTES: usize = 256 * 1024 * 1024;

pub(super) async fn serve<P: Emulated>(listener: TcpListener, running: Arc<Running<P>>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                continue;
            }
        };
        let running = Arc::clone(&running);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&running), request));
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
}

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Closed(TransportError);

async fn answer<P: Emulated>(
    running: Arc<Running<P>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Closed> {
    let (parts, body) = request.into_parts();
    let Some(method) = Method::parse(parts.method.as_str()) else {
        return Ok(text(405, &format!("no provider has the method {}", parts.method)));
    };
    let body = match Limited::new(body, BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) => return Ok(text(413, &format!("the body can't be read: {error}"))),
    };
    let target = parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = HttpRequest { method, target, headers, body };
    let result = running.world.with(|world| world.exchange(&request));
    running.changed.notify_waiters();
    match result {
        Ok(response) => {
            tracing::info!(method = method.as_str(), path = request.path(), status = response.status, "a request");
            Ok(written(response).unwrap_or_else(|_| text(500, "the answer has a header that HTTP doesn't allow")))
        }
        Err(error) => {
            tracing::info!(method = method.as_str(), path = request.path(), %error, "a request fails on purpose");
            if matches!(error, TransportError::Unknown { .. }) {
                tokio::time::sleep(running.time_out).await;
            }
            Err(Closed(error))
        }
    }
}

fn written(response: HttpResponse) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
    let mut builder = Response::builder().status(response.status);
    for (name, value) in response.headers.iter() {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(response.body)))
}

fn text(status: u16, text: &str) -> Response<Full<Bytes>> {
    let body: Result<_, Infallible> = Ok(Full::new(Bytes::from(text.to_owned())));
    let Ok(body) = body;
    let mut response = Response::new(body);
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
