//! Decides what a request is answered when something could not be done. Which status a refusal of the library has is the
//! library's.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use purchase::error::{Chain, Refusal, StoreError};
use serde_json::json;

/// What is answered when something could not be done: a status, a stable word, and a sentence for people.
#[derive(Debug)]
pub(super) struct Failure {
    status: u16,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(super) fn new(status: u16, code: &'static str, message: impl ToString) -> Self {
        Self { status, code, message: message.to_string() }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.http_status(), refusal.code(), refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(fault: StoreError) -> Self {
        tracing::warn!(code = fault.code(), cause = %Chain(&fault), "a read failed");
        Refusal::from(fault).into()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(fault: anyhow::Error) -> Self {
        Self::new(500, "internal", fault)
    }
}

impl From<axum::http::status::InvalidStatusCode> for Failure {
    fn from(fault: axum::http::status::InvalidStatusCode) -> Self {
        Self::new(500, "internal", fault)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Json(json!({ "error": self.code, "message": self.message }));
        let mut response = (status, body).into_response();
        match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED if self.code.starts_with("read_token") => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}
