//! The log of requests, for tests that ask what was sent and how often.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// How many requests are kept.
const KEPT: usize = 10_000;

/// One request and what became of it. Neither bodies nor credentials are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The clock, in RFC 3339.
    pub at: String,
    /// The method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The status of the answer that was made, whether or not it arrived.
    pub status: u16,
    /// The request's id.
    pub request_id: String,
    /// The idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Whether the answer repeats an earlier one.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub replayed: bool,
    /// What isn't emulated, when that was the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_emulated: Option<String>,
    /// What went wrong on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The log.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Log(VecDeque<Entry>);

impl Log {
    /// Adds a request, and forgets the oldest when there are too many.
    pub fn push(&mut self, entry: Entry) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    /// The requests, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.0.iter()
    }
}
