//! Decides what a request is answered when something could not be done. Which status a refusal of the library has, and the
//! shape of the answer, are the library's.

use axum::{
    http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
};
use purchase::{
    error::{Chain, Refusal, StoreError},
    tower,
};

/// What is answered when something could not be done: a status, a stable word, and a sentence for people.
#[derive(Debug)]
pub(super) struct Failure(tower::Failure);

impl Failure {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl ToString) -> Self {
        Self(tower::Failure::new(status, code, message))
    }
}

impl From<tower::Failure> for Failure {
    fn from(failure: tower::Failure) -> Self {
        Self(failure)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.into())
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
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", fault)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.0.response();
        if self.0.code().starts_with("read_token") {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.into_response()
    }
}
