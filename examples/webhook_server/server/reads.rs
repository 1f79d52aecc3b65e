//! Decides who may read: whoever bears the token, and nobody where none is configured.

use anyhow::{bail, ensure};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use subtle::ConstantTimeEq;

use super::{answers::Failure, routes::Endpoint};

/// A token is guessed byte by byte nowhere, and as a whole only if it is short.
const LEAST_BYTES: usize = 16;

/// What a reader must bear. It has no `Debug`, so that nothing prints it.
#[derive(Clone)]
pub(crate) struct ReadToken(Vec<u8>);

impl ReadToken {
    /// Takes a token of at least 16 bytes that can stand in a header.
    ///
    /// # Errors
    /// When it is too short, or can't stand in a header. The error doesn't repeat it.
    pub(crate) fn new(text: String) -> anyhow::Result<Self> {
        ensure!(text.len() >= LEAST_BYTES, "a token must have at least {LEAST_BYTES} bytes");
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("a token must contain only visible ASCII characters, without spaces");
        }
        Ok(Self(text.into_bytes()))
    }

    /// The comparison takes as long wherever the two differ; only their lengths show.
    fn is(&self, given: &[u8]) -> bool {
        self.0.ct_eq(given).into()
    }
}

/// Lets a request through that bears the token.
pub(super) async fn require_token(
    State(endpoint): State<Endpoint>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let Some(token) = &endpoint.read_token else {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            "reads_off",
            "reads are disabled: this server has no READ_TOKEN",
        ));
    };
    let Some(given) = request.headers().get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes())) else {
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "read_token_missing", "Authorization: Bearer … is missing"));
    };
    if !token.is(given) {
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "read_token_wrong", "the token is wrong"));
    }
    Ok(next.run(request).await)
}

/// The scheme's name has no case: RFC 9110, section 11.1.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}
