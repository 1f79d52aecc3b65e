//! Answers requests under an idempotency key: with the first answer if the content is the same, with a conflict if it
//! differs.
//!
//! ```
//! use purchase_core::{
//!     store::{Commit, IdempotencyKey, memory::MemoryStore, once::{Keyed, once}, transact::Step},
//!     time::Timestamp,
//! };
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let store = MemoryStore::new();
//!     let key = IdempotencyKey::new("refund/api-key-7", "order-42")?;
//!     let request = |content| Keyed { key: &key, content, now: Timestamp::EPOCH };
//!     let refund = |answer: &'static str| move |_: &_| Ok(Step::Ready(Commit::default(), answer.to_owned()));
//!
//!     let first = once(&store, 8, request(b"5 EUR"), refund("refunded 5 EUR")).await?;
//!     assert!(!first.repeated);
//!     // The same content has no second effect and gets the first answer; other content is refused.
//!     let again = once(&store, 8, request(b"5 EUR"), refund("never made")).await?;
//!     assert_eq!((again.answer.as_str(), again.repeated), ("refunded 5 EUR", true));
//!     let other = once(&store, 8, request(b"9 EUR"), refund("never made")).await;
//!     assert_eq!(other.map_err(|refusal| refusal.code()), Err("idempotency_conflict"));
//!     Ok(())
//! }
//! ```

use sha2::{Digest, Sha256};

use crate::{
    error::Refusal,
    store::{
        Commit, IdempotencyKey, KeyRecord, Store, Wanted,
        transact::{Step, View, transact},
    },
    time::Timestamp,
};

/// A request under an idempotency key.
#[derive(Debug, Clone, Copy)]
pub struct Keyed<'a> {
    /// The key.
    pub key: &'a IdempotencyKey,
    /// The request's content in canonical form: equal requests must have equal bytes.
    pub content: &'a [u8],
    /// The caller's clock.
    pub now: Timestamp,
}

/// The answer to a request under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedAnswer {
    /// The first answer.
    pub answer: String,
    /// Whether an earlier call gave it; then this call had no effect.
    pub repeated: bool,
}

/// Decides and commits once per key: the key and all effects are in one commit. A repetition gets the first answer
/// and has no effect, however many run at the same time.
///
/// The key is checked before anything else is decided, so a repetition gets the same answer even after the first call
/// changed what a decision would be.
///
/// # Errors
/// [`Refusal::KeyConflict`] when the key was used with different content; otherwise as [`transact`].
pub async fn once(
    store: &dyn Store,
    max_attempts: u32,
    request: Keyed<'_>,
    mut decide: impl FnMut(&View) -> Result<Step<String>, Refusal> + Send,
) -> Result<KeyedAnswer, Refusal> {
    let digest: [u8; 32] = Sha256::digest(request.content).into();
    let wanted = Wanted { keys: vec![request.key.clone()], ..Wanted::default() };
    let (answer, _) = transact(store, max_attempts, wanted, |view| {
        if let Some(record) = view.key(request.key) {
            if record.digest != digest {
                return Err(Refusal::KeyConflict { scope: request.key.scope().to_owned() });
            }
            let answer = KeyedAnswer { answer: record.answer.clone(), repeated: true };
            return Ok(Step::Ready(Commit::default(), answer));
        }
        Ok(match decide(view)? {
            Step::Need(wanted) => Step::Need(wanted),
            Step::Ready(mut commit, answer) => {
                let record = KeyRecord { key: request.key.clone(), digest, answer: answer.clone(), at: request.now };
                commit.keys.push(record);
                Step::Ready(commit, KeyedAnswer { answer, repeated: false })
            }
        })
    })
    .await?;
    Ok(answer)
}
