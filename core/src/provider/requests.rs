//! The contract of an adapter's outgoing side: the requests that an operation makes to its provider. The adapter
//! sends nothing and holds no key; the sender knows the base URL and the credentials.
//!
//! Operations will be added later. Until then no request is possible: [`Operation`] and [`Outcome`] have no values,
//! and adapters return `None` from [`Provider::requests`](super::Provider::requests).

use crate::transport::{HttpRequest, HttpResponse};

/// A provider's outgoing side: a pure conversation. The next step depends only on the operation and the exchanges so
/// far, so an interrupted conversation can resume from its record.
pub trait Requests: Send + Sync {
    /// The next step of an operation, after these exchanges in order. The same arguments always give the same bytes.
    fn next(&self, operation: &Operation, exchanges: &[Exchange]) -> Step;
}

/// An operation at a provider. It has no values yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {}

/// The result of an operation. It has no values yet, because there is no operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {}

/// What an operation does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this request, and continue with the response.
    Send(HttpRequest),
    /// The operation is finished.
    Done(Outcome),
}

/// A request and its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was sent.
    pub request: HttpRequest,
    /// The response.
    pub response: HttpResponse,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Method;

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
