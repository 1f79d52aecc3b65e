//! The way out: one HTTP request as plain data, its answer, and the trait that sends it. Which request is sent is not
//! decided here.
//!
//! ```
//! use purchase_core::transport::{HttpRequest, Method};
//!
//! let mut request = HttpRequest::new(Method::Post, "/v1/refunds?expand[]=charge");
//! request.headers.push("Content-Type", "application/x-www-form-urlencoded");
//! request.body = b"payment_intent=pi_1".to_vec();
//! assert_eq!(request.path(), "/v1/refunds");
//! // Neither the target nor values of headers nor the body are shown: they name objects and customers.
//! assert!(!format!("{request:?}").contains("refunds"));
//! ```

use std::fmt;

use async_trait::async_trait;
use thiserror::Error;

use crate::delivery::Headers;

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// The method as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// The method with this name, in upper case; none for methods that no provider's API uses.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Delete, Self::Get, Self::Patch, Self::Post, Self::Put].into_iter().find(|it| it.as_str() == name)
    }
}

/// One request to a provider's API. It has no host and no credentials: a [`Transport`] adds both.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The path from the root, and the query if there is one: `/v1/refunds?limit=3`.
    pub target: String,
    /// The headers.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request without headers and body.
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: Headers::new(), body: Vec::new() }
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query without its question mark; empty when there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

impl fmt::Debug for HttpRequest {
    /// A target contains object ids, and may name customers, so only its size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("target_bytes", &self.target.len())
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The answer to a request.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
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

/// Sends requests to one provider's API.
///
/// An implementor must make sure that
/// * it adds the base address and the credentials, and shows them to nobody;
/// * it sends a request at most once: repeating a request is decided elsewhere;
/// * it answers [`TransportError::NotSent`] only when no byte of the request can have reached the provider.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request and waits for its answer. Every status is an answer, not an error.
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransportError {
    /// The request did not leave: it has no effect, and it may be sent again.
    #[error("the request was not sent: {reason}")]
    NotSent {
        /// What went wrong, without credentials.
        reason: String,
    },
    /// The request may have taken effect, and nobody knows.
    #[error("the request was sent, and no answer came: {reason}")]
    Unknown {
        /// What went wrong, without credentials.
        reason: String,
    },
}
