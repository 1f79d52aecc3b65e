//! Defines idempotency keys, and what is stored of a used one.

use std::fmt;

use crate::time::Timestamp;

/// The most bytes a scope may have.
const SCOPE_BYTES: usize = 100;
/// The most bytes a key may have: the same limit as Stripe's.
const KEY_BYTES: usize = 255;

/// The name that a caller gives to one request, so that sending it again has no second effect. The same text in
/// another scope is a different key.
///
/// Callers may put personal data into it, so `Debug` shows only the scope.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey {
    scope: String,
    key: String,
}

impl IdempotencyKey {
    /// A key in a scope. The scope names an operation and its caller, for example `refund/api-key-7`.
    ///
    /// # Errors
    /// [`KeyError`] when either is empty, longer than 100 bytes (the scope) or 255 bytes (the key), or contains a
    /// control character.
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

    /// The caller's text, which may contain personal data.
    pub fn expose(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKey").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// The text is not a valid idempotency key or scope.
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

/// A used key, with the content it was used for and the answer. It is written once and never changes.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 of the content that first used the key.
    pub digest: [u8; 32],
    /// The answer to that content.
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
