//! Decides what an adapter must say of the requests that an operation makes at its provider, and what such a request is.
//! It sends nothing and holds no key: whoever sends knows the base URL and the credentials.
//!
//! The operations come later. Until then nothing can be asked: [`Operation`] and [`Outcome`] have no values, and
//! adapters answer [`Provider::requests`](super::Provider::requests) with none.

use std::fmt;

use crate::delivery::Headers;

/// A provider's outgoing side: a conversation, and pure. What comes next depends on the operation and on what was said so
/// far, so that a conversation that broke off goes on from its record.
pub trait Requests: Send + Sync {
    /// The next step of an operation, after these exchanges in their order. The same arguments always give the same bytes.
    fn next(&self, operation: &Operation, exchanges: &[Exchange]) -> Step;
}

/// What a provider can be asked to do. It has no values yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {}

/// What came of an operation. It has no values yet, because there is no operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {}

/// What an operation does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It sends this, and goes on with the answer.
    Send(HttpRequest),
    /// It is over.
    Done(Outcome),
}

/// A request and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was sent.
    pub request: HttpRequest,
    /// The answer to it.
    pub response: HttpResponse,
}

/// One HTTP request to a provider's API, without its base URL and its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The path and, after a question mark, the query: what follows the base URL. It begins with a slash.
    pub target: String,
    /// The headers. Those of credentials are added by whoever sends.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpRequest {
    /// A target names objects by their ids, and may name customers: only its size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("target_bytes", &self.target.len())
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// `DELETE`.
    Delete,
    /// `GET`.
    Get,
    /// `PATCH`.
    Patch,
    /// `POST`.
    Post,
}

impl Method {
    /// As it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Patch => "PATCH",
            Self::Post => "POST",
        }
    }
}

/// A provider's answer to a request.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status, `200` for one.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_shows_no_id_no_value_and_no_body() {
        let headers = |value: &str| [("Idempotency-Key", value)].into_iter().collect();
        let exchange = Exchange {
            request: HttpRequest {
                method: Method::Post,
                target: "/customers/planted?email=planted".to_owned(),
                headers: headers("planted"),
                body: b"planted".to_vec(),
            },
            response: HttpResponse { status: 201, headers: headers("planted"), body: b"planted".to_vec() },
        };
        let shown = format!("{:?} {exchange:#?}", Step::Send(exchange.request.clone()));
        assert!(!shown.contains("planted"), "{shown}");
        for seen in ["Post", "target_bytes: 32", "idempotency-key", "status: 201", "body_bytes: 7"] {
            assert!(shown.contains(seen), "{seen} is not in {shown}");
        }
    }
}
