//! Decides what an idempotency key is, and what is kept of one that is taken.

use std::fmt;

use crate::time::Timestamp;

/// How many bytes a scope has at most.
const SCOPE_BYTES: usize = 100;
/// How many bytes a key has at most: as many as Stripe takes.
const KEY_BYTES: usize = 255;

/// The name that a caller gives to one request, so that sending it again has no second effect. The same key in another
/// scope is another key.
///
/// A caller may have put personal data into it, so that `Debug` shows only the scope.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey {
    scope: String,
    key: String,
}

impl IdempotencyKey {
    /// A key in a scope: an operation and whoever may call it, `refund/api-key-7` for one.
    ///
    /// # Errors
    /// [`KeyError`] when either is empty, longer than 100 bytes (the scope) or 255 bytes (the key), or holds a control
    /// character.
    pub fn new(scope: impl Into<String>, key: impl Into<String>) -> Result<Self, KeyError> {
        let (scope, key) = (scope.into(), key.into());
        for (part, text, max_bytes) in [("scope", &scope, SCOPE_BYTES), ("key", &key, KEY_BYTES)] {
            if text.is_empty() || text.len() > max_bytes || text.chars().any(char::is_control) {
                return Err(KeyError { part, bytes: text.len(), max_bytes });
            }
        }
        Ok(Self { scope, key })
    }

    /// The scope.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The caller's own text.
    pub fn expose(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKey").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// A text can't be an idempotency key, or its scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {part} of an idempotency key has {bytes} bytes; send 1 to {max_bytes}, without control characters")]
pub struct KeyError {
    /// `scope` or `key`.
    pub part: &'static str,
    /// Its size.
    pub bytes: usize,
    /// The limit.
    pub max_bytes: usize,
}

/// A key that is taken: by which content, and what that was answered. It is written once and never changes.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 of the content that came with it first.
    pub digest: [u8; 32],
    /// The answer to it.
    pub answer: String,
    /// When it was answered, by the caller's clock.
    pub at: Timestamp,
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord").field("key", &self.key).field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_plain_text_and_never_shown() {
        let key = IdempotencyKey::new("refund", "order of ada@example.com").expect("plain");
        assert_eq!(format!("{key:?}"), "IdempotencyKey { scope: \"refund\", .. }");
        let error = IdempotencyKey::new("refund", "x".repeat(256)).expect_err("too long");
        let expect = "the key of an idempotency key has 256 bytes; send 1 to 255, without control characters";
        assert_eq!(error.to_string(), expect);
        for (scope, key) in [("", "k"), ("s", ""), ("s", "a\nb"), ("s\u{1f}", "k"), (&"s".repeat(101), "k")] {
            assert!(IdempotencyKey::new(scope, key).is_err(), "{scope:?} {key:?}");
        }
    }
}
