//! Decodes an answer of D1's API: rows, or an error from its status, code and message.

use http::StatusCode;
use purchase_core::error::Cause;
use purchase_sql::{ExecuteError, JsonRow, Row};
use serde::Deserialize;

use crate::error::classify;

/// The API's own error codes: a statement failed; the database doesn't exist.
const STATEMENT_FAILED: u64 = 7500;
const NO_DATABASE: u64 = 7404;

#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default)]
    errors: Vec<Said>,
    #[serde(default)]
    result: Option<Vec<Outcome>>,
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Outcome {
    success: bool,
    results: Vec<JsonRow>,
}

/// Why an answer has no rows.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the API answers {status} for {place} with a body that D1 doesn't send; check the API's address")]
    Garbage { place: String, status: StatusCode },
    #[error("the API answers {status} for {place}: {message} (code {code})")]
    Other { place: String, status: StatusCode, code: u64, message: String },
    #[error("there is no database {place}: check both ids and the API's address ({status}, code {code})")]
    NotFound { place: String, status: StatusCode, code: u64 },
    #[error("the API limits the rate of requests; send fewer ({status}, code {code})")]
    TooMany { status: StatusCode, code: u64 },
    #[error("the request is too large for the API ({status}); commit fewer deliveries at once")]
    TooLarge { status: StatusCode },
    #[error("the token is not accepted for {place}: it must be active and allowed to edit D1 ({status}, code {code})")]
    Unauthorized { place: String, status: StatusCode, code: u64 },
}

/// Returns the rows of an answer to this many statements. Error messages must never repeat the token.
pub(crate) fn rows(
    status: StatusCode,
    body: &[u8],
    statements: usize,
    place: &str,
    token: &str,
) -> Result<Vec<Vec<Row>>, ExecuteError> {
    let place = place.to_owned();
    let garbage = |place| ExecuteError::Unknown { cause: Refusal::Garbage { place, status }.into() };
    let answer: Option<Answer> = serde_json::from_slice(body).ok();
    let done = answer.as_ref().filter(|answer| status.is_success() && answer.success).is_some();
    if !done {
        let said = answer.map(|answer| answer.errors.into_iter().next().unwrap_or_default());
        let said = said.map(|said| Said { message: said.message.replace(token, "(token)"), ..said });
        return Err(refusal(status, said, place));
    }
    let outcomes = answer.and_then(|answer| answer.result).unwrap_or_default();
    // If a statement has no result, the outcome of the batch is unknown.
    if outcomes.len() != statements || outcomes.iter().any(|outcome| !outcome.success) {
        return Err(garbage(place));
    }
    let rows = |outcome: Outcome| outcome.results.into_iter().map(|JsonRow(row)| row).collect();
    Ok(outcomes.into_iter().map(rows).collect())
}

fn refusal(status: StatusCode, said: Option<Said>, place: String) -> ExecuteError {
    let code = said.as_ref().map_or(0, |said| said.code);
    let other = |refusal: Refusal| ExecuteError::Other { cause: refusal.into() };
    match (status, said) {
        // It is not documented which status reports that an account has used its daily limit.
        (_, Some(Said { message, .. })) if matches!(classify(&message), ExecuteError::Full { .. }) => {
            classify(&message)
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => other(Refusal::Unauthorized { place, status, code }),
        (StatusCode::TOO_MANY_REQUESTS, _) => ExecuteError::Busy { cause: Refusal::TooMany { status, code }.into() },
        (StatusCode::PAYLOAD_TOO_LARGE, _) => ExecuteError::Refused { cause: Refusal::TooLarge { status }.into() },
        (StatusCode::NOT_FOUND, _) => other(Refusal::NotFound { place, status, code }),
        (_, Some(Said { code: NO_DATABASE, .. })) => other(Refusal::NotFound { place, status, code }),
        (_, Some(Said { code: STATEMENT_FAILED, message })) => classify(&message),
        (_, Some(Said { message, .. })) => {
            let cause: Cause = Refusal::Other { place, status, code, message: short(&message) }.into();
            // The API runs no wrong request. After any other error, the batch may have run.
            match status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
                true => ExecuteError::Other { cause },
                false => match classify(&message) {
                    busy @ ExecuteError::Busy { .. } => busy,
                    _ => ExecuteError::Unknown { cause },
                },
            }
        }
        (_, None) => {
            let cause: Cause = Refusal::Garbage { place, status }.into();
            match status.is_redirection() || (status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT) {
                true => ExecuteError::Other { cause },
                false => ExecuteError::Unknown { cause },
            }
        }
    }
}

fn short(message: &str) -> String {
    message.chars().take(300).collect()
}
