//! Decides whether a delivery is genuine. Adapters locate the signature; only this file compares it, and only this
//! file constructs a [`VerifiedDelivery`].
//!
//! Every message authentication code of the request is compared with every configured secret, in constant time over
//! the decoded bytes, before the age is checked. So the answer reveals nothing about our clock to a sender without a
//! secret.
//!
//! # Example
//!
//! ```
//! use purchase_core::{
//!     delivery::{Delivery, Headers},
//!     error::Refusal,
//!     id::ProviderName,
//!     time::Timestamp,
//!     verify::{PresentedSignature, Secret, SignatureError, Trust, verify},
//! };
//!
//! let secret = Secret::new("a shared secret")?;
//! let signed_at = Timestamp::from_seconds(1_767_225_600)?;
//! // What an adapter finds in the headers: the signed time, and a signature over the time and the body.
//! let macs = vec![secret.sign(&[b"1767225600.", b"5 EUR"])];
//! let presented = PresentedSignature { signed_at: Some(signed_at), signed_prefix: b"1767225600.".to_vec(), macs };
//! let (trust, provider) = (Trust::new(vec![secret], Some(300))?, ProviderName::new("stripe")?);
//! let delivery = |body: &[u8]| {
//!     let (provider, received_at) = (provider.clone(), signed_at.plus_seconds(2));
//!     Delivery { provider, headers: Headers::new(), body: body.to_vec(), received_at }
//! };
//! assert_eq!(verify(delivery(b"5 EUR"), &presented, &trust)?.body(), b"5 EUR");
//! let changed = verify(delivery(b"9 EUR"), &presented, &trust).expect_err("the body was changed");
//! assert_eq!(changed, SignatureError::Mismatch { macs: 1, secrets: 1 });
//! assert_eq!(Refusal::from(changed).http_status(), 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod header;
mod trust;

use hmac::Mac;

pub use self::{
    header::SignatureHeader,
    trust::{Secret, SecretError, Trust, TrustError},
};
use crate::{
    delivery::{Delivery, Limits},
    time::Timestamp,
};

/// The signature that an adapter found in the headers, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedSignature {
    /// When the provider signed, according to the header; `None` if the provider signs no time.
    pub signed_at: Option<Timestamp>,
    /// The bytes that were signed before the body, for example `1700000000.`.
    pub signed_prefix: Vec<u8>,
    /// Every HMAC-SHA256 in the headers that could be decoded.
    pub macs: Vec<[u8; 32]>,
}

/// A delivery that the provider signed with one of our secrets. Only [`verify`] constructs one, and the engine when
/// it reads a stored delivery that was verified earlier.
#[derive(Debug, Clone)]
pub struct VerifiedDelivery {
    delivery: Delivery,
    signed_at: Option<Timestamp>,
}

impl VerifiedDelivery {
    /// The delivery.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// The body's bytes.
    pub fn body(&self) -> &[u8] {
        &self.delivery.body
    }

    /// When the provider signed this attempt. Never use it as an ordering key, because each retry is signed again.
    pub fn signed_at(&self) -> Option<Timestamp> {
        self.signed_at
    }

    /// A stored delivery, which was verified on receipt.
    pub(crate) fn of_stored(delivery: Delivery) -> Self {
        Self { delivery, signed_at: None }
    }

    /// Returns the delivery.
    pub fn into_delivery(self) -> Delivery {
        self.delivery
    }
}

/// Why a delivery failed verification. Each variant is a different fault with a different remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signed time is too far in the future.
    #[error("the signature's time is {seconds} s ahead of this clock; more than {tolerance_seconds} s is refused")]
    Future {
        /// How far ahead, in seconds.
        seconds: i64,
        /// The tolerance.
        tolerance_seconds: u32,
    },
    /// The header is present but can't be read.
    #[error("header {header} can't be read: {reason}")]
    Malformed {
        /// The header's name.
        header: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No signature matches any secret.
    #[error("{}", mismatch(*macs, *secrets))]
    Mismatch {
        /// How many signatures were tried.
        macs: usize,
        /// How many secrets were tried.
        secrets: usize,
    },
    /// The header is missing.
    #[error("header {header} is missing")]
    Missing {
        /// The header's name.
        header: &'static str,
    },
    /// The header has no signature of the required scheme.
    #[error("header {header} has no {scheme} signature")]
    NoScheme {
        /// The header's name.
        header: &'static str,
        /// The scheme's name.
        scheme: &'static str,
    },
    /// The signed time is too far in the past.
    #[error("the signature is {seconds} s old; more than {tolerance_seconds} s is refused")]
    Stale {
        /// Its age, in seconds.
        seconds: i64,
        /// The tolerance.
        tolerance_seconds: u32,
    },
}

fn mismatch(macs: usize, secrets: usize) -> String {
    match macs {
        0 => "no signature in the header is 32 bytes long; was the header changed on the way?".to_owned(),
        _ => format!(
            "none of the {macs} signatures in the header matches any of the {secrets} configured secrets; was the body \
             changed on the way, or does the secret belong to another endpoint?"
        ),
    }
}

/// Checks a presented signature against the secrets and the time of receipt, and constructs the verified delivery.
///
/// # Errors
/// [`SignatureError::Mismatch`] before [`SignatureError::Stale`] or [`SignatureError::Future`]; an age of exactly the
/// tolerance is accepted.
pub fn verify(
    delivery: Delivery,
    presented: &PresentedSignature,
    trust: &Trust,
) -> Result<VerifiedDelivery, SignatureError> {
    if !any_match(presented, trust, &delivery.body) {
        return Err(SignatureError::Mismatch { macs: presented.macs.len(), secrets: trust.secrets.len() });
    }
    if let (Some(signed_at), Some(tolerance_seconds)) = (presented.signed_at, trust.tolerance_seconds) {
        let age = delivery.received_at.seconds() - signed_at.seconds();
        if age > i64::from(tolerance_seconds) {
            return Err(SignatureError::Stale { seconds: age, tolerance_seconds });
        }
        if -age > i64::from(tolerance_seconds) {
            return Err(SignatureError::Future { seconds: -age, tolerance_seconds });
        }
    }
    Ok(VerifiedDelivery { delivery, signed_at: presented.signed_at })
}

/// Computes one HMAC per secret without an early exit, so that timing doesn't reveal which secret matched.
fn any_match(presented: &PresentedSignature, trust: &Trust, body: &[u8]) -> bool {
    let mut found = false;
    for secret in &trust.secrets {
        let mut mac = secret.mac();
        mac.update(&presented.signed_prefix);
        mac.update(body);
        for candidate in &presented.macs {
            found |= mac.clone().verify_slice(candidate).is_ok();
        }
    }
    found
}

/// Refuses what exceeds the limits before anything is parsed.
///
/// # Errors
/// The body's size if it exceeds the limit.
pub fn within_limits(delivery: &Delivery, limits: &Limits) -> Result<(), usize> {
    match delivery.body.len() {
        bytes if bytes > limits.body_bytes => Err(bytes),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{delivery::Headers, id::ProviderName};

    fn check(age: i64, tolerance_seconds: Option<u32>, secrets: &[&str]) -> Result<(), SignatureError> {
        let signer = Secret::new("right").expect("secret");
        let signed_at = Timestamp::from_seconds(1_000_000).expect("in range");
        let presented = PresentedSignature {
            signed_at: Some(signed_at),
            signed_prefix: b"1000000.".to_vec(),
            macs: vec![[0; 32], signer.sign(&[b"1000000.", b"body"])],
        };
        let trust = Trust {
            secrets: secrets.iter().map(|text| Secret::new(*text).expect("secret")).collect(),
            tolerance_seconds,
        };
        let delivery = Delivery {
            provider: ProviderName::new("acme").expect("name"),
            headers: Headers::new(),
            body: b"body".to_vec(),
            received_at: signed_at.plus_seconds(age),
        };
        verify(delivery, &presented, &trust).map(drop)
    }

    #[test]
    fn any_signature_may_match_any_secret() {
        assert_eq!(check(0, Some(300), &["old", "right"]), Ok(()));
        assert_eq!(check(0, Some(300), &["old"]), Err(SignatureError::Mismatch { macs: 2, secrets: 1 }));
        assert_eq!(check(0, Some(300), &[]), Err(SignatureError::Mismatch { macs: 2, secrets: 0 }));
    }

    #[test]
    fn the_edge_of_the_tolerance_is_inside() {
        assert_eq!(check(300, Some(300), &["right"]), Ok(()));
        assert_eq!(
            check(301, Some(300), &["right"]),
            Err(SignatureError::Stale { seconds: 301, tolerance_seconds: 300 })
        );
        assert_eq!(check(-300, Some(300), &["right"]), Ok(()));
        assert_eq!(
            check(-301, Some(300), &["right"]),
            Err(SignatureError::Future { seconds: 301, tolerance_seconds: 300 })
        );
        assert_eq!(check(1_000_000, None, &["right"]), Ok(()));
    }

    #[test]
    fn a_wrong_secret_is_reported_before_a_stale_time() {
        assert!(matches!(check(9_999, Some(300), &["wrong"]), Err(SignatureError::Mismatch { .. })));
    }
}
