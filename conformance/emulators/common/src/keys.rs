//! Idempotency keys: the first answer of a key is given again, for as long as the provider remembers it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::Reply;

/// A request's idempotency key, as its provider reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub key: String,
    /// What the request asks, so that another request with the same key can be refused.
    pub content: String,
    /// How long the provider remembers the key, in seconds.
    pub remembered_seconds: i64,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// The key is new, or forgotten.
    New,
    /// The key belongs to this answer.
    Same(Reply, String),
    /// The key belongs to another request.
    Other,
}

/// All remembered keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Keys(BTreeMap<String, Entry>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    content: String,
    /// The clock when the request was executed, in microseconds since 1970.
    at: i64,
    request_id: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Keys {
    /// What is known of a key now. A key is forgotten when its time is over.
    pub fn known(&mut self, key: &Key, now: i64) -> Known {
        let kept = key.remembered_seconds.saturating_mul(1_000_000);
        self.0.retain(|_, entry| now - entry.at < kept);
        match self.0.get(&key.key) {
            None => Known::New,
            Some(entry) if entry.content != key.content => Known::Other,
            Some(entry) => {
                let reply = Reply::new(entry.status, "application/json", entry.body.clone().into_bytes());
                Known::Same(Reply { headers: entry.headers.clone(), ..reply }, entry.request_id.clone())
            }
        }
    }

    /// Remembers an answer.
    pub fn keep(&mut self, key: Key, now: i64, request_id: &str, reply: &Reply) {
        let entry = Entry {
            content: key.content,
            at: now,
            request_id: request_id.to_owned(),
            status: reply.status,
            headers: reply.headers.clone(),
            body: String::from_utf8_lossy(&reply.body).into_owned(),
        };
        self.0.insert(key.key, entry);
    }
}
