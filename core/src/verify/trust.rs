//! The trust settings of one endpoint: its signing secrets and how old a delivery may be. Settings that can only be
//! mistakes are refused here, for all adapters.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A signing secret. Never printed; wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the key's bytes, in the form that the adapter documents for its provider.
    ///
    /// # Errors
    /// [`SecretError`] when the secret is empty or has white space around it, which indicates a failed paste.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes.into());
        match (bytes.first(), bytes.last()) {
            (Some(first), Some(last)) if first.is_ascii_whitespace() || last.is_ascii_whitespace() => {
                Err(SecretError::WhiteSpace)
            }
            (Some(_), Some(_)) => Ok(Self(bytes)),
            _ => Err(SecretError::Empty),
        }
    }

    /// Takes every live secret of an endpoint: several during a rotation.
    ///
    /// # Errors
    /// [`TrustError::Secret`] with the number of the first one that can't be used.
    pub fn list<S: Into<Vec<u8>>>(secrets: impl IntoIterator<Item = S>) -> Result<Vec<Self>, TrustError> {
        let numbered = (1..).zip(secrets);
        numbered
            .map(|(number, secret)| Self::new(secret).map_err(|cause| TrustError::Secret { number, cause }))
            .collect()
    }

    /// Signs bytes as a provider does. For simulated providers and for tests.
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    pub(super) fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Why a text is not a signing secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It has no bytes.
    #[error("a signing secret must not be empty")]
    Empty,
    /// It begins or ends with white space.
    #[error("a signing secret must not begin or end with white space; was it copied with a line break?")]
    WhiteSpace,
}

/// The trust settings of one endpoint: its live secrets and how old a delivery may be.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Every live secret; several during a rotation.
    pub secrets: Vec<Secret>,
    /// The largest allowed difference between the signed time and the time of receipt, in seconds, in either
    /// direction. `None` disables the check, which allows replays for ever.
    pub tolerance_seconds: Option<u32>,
}

impl Trust {
    /// The trust settings of an endpoint. Pass no tolerance if the provider signs no time.
    ///
    /// # Errors
    /// [`TrustError::ZeroTolerance`], or [`TrustError::NoSecret`].
    ///
    /// ```
    /// use purchase_core::verify::{Secret, Trust, TrustError};
    ///
    /// let rolled = Secret::list(["the new secret", "the old one"])?;
    /// assert_eq!(Trust::new(rolled, Some(300))?.secrets.len(), 2);
    /// assert_eq!(Trust::new(Vec::new(), Some(300)).err(), Some(TrustError::NoSecret));
    /// # Ok::<(), TrustError>(())
    /// ```
    pub fn new(secrets: Vec<Secret>, tolerance_seconds: Option<u32>) -> Result<Self, TrustError> {
        let nobody = Self::nobody(tolerance_seconds)?;
        if secrets.is_empty() { Err(TrustError::NoSecret) } else { Ok(Self { secrets, ..nobody }) }
    }

    /// The settings for a process that only reads stored bodies again and takes no deliveries. It has no secret, so
    /// every delivery is refused as [`Mismatch`](super::SignatureError::Mismatch). The tolerance is checked as for an
    /// endpoint, because it comes from the same configuration.
    ///
    /// # Errors
    /// [`TrustError::ZeroTolerance`].
    pub fn nobody(tolerance_seconds: Option<u32>) -> Result<Self, TrustError> {
        match tolerance_seconds {
            Some(0) => Err(TrustError::ZeroTolerance),
            _ => Ok(Self { secrets: Vec::new(), tolerance_seconds }),
        }
    }
}

/// Why secrets and a tolerance are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Without a secret nothing can be verified.
    #[error("an endpoint needs at least one signing secret")]
    NoSecret,
    /// A secret is invalid.
    #[error("signing secret {number} can't be used: {cause}")]
    Secret {
        /// Its number, counted from 1.
        number: usize,
        /// Why it is invalid.
        cause: SecretError,
    },
    /// Zero seconds could mean "check no age" or "allow no age".
    #[error("a tolerance of 0 seconds is ambiguous; use None to disable the age check")]
    ZeroTolerance,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_pasted_with_white_space_is_refused() {
        assert_eq!(Secret::new("whsec \n").err(), Some(SecretError::WhiteSpace));
        assert_eq!(Secret::new("").err(), Some(SecretError::Empty));
        assert_eq!(format!("{:?}", Secret::new("abc").expect("secret")), "Secret(redacted)");
    }

    #[test]
    fn invalid_settings_are_refused() {
        let check = |secrets: &[&str], tolerance_seconds, expect: Result<(), &str>| {
            let listed = Secret::list(secrets.iter().copied());
            let trust = listed.and_then(|secrets| Trust::new(secrets, tolerance_seconds));
            let found = trust.map(|trust| assert_eq!(trust.secrets.len(), secrets.len()));
            assert_eq!(found.map_err(|error| error.to_string()), expect.map_err(str::to_owned), "{secrets:?}");
        };
        check(&["new", "old"], Some(300), Ok(()));
        check(&["secret"], None, Ok(()));
        let no_secret = "an endpoint needs at least one signing secret";
        check(&[], None, Err(no_secret));
        let zero = "a tolerance of 0 seconds is ambiguous; use None to disable the age check";
        check(&["secret"], Some(0), Err(zero));
        check(&[], Some(0), Err(zero));
        let white = "signing secret 2 can't be used: a signing secret must not begin or end with white space; was it \
                     copied with a line break?";
        check(&["a", "b "], None, Err(white));
        check(&["", "b"], None, Err("signing secret 1 can't be used: a signing secret must not be empty"));
    }

    #[test]
    fn a_reader_has_no_secret_and_the_same_tolerance() {
        let reader = Trust::nobody(Some(300)).expect("a tolerance");
        assert_eq!((reader.secrets.len(), reader.tolerance_seconds), (0, Some(300)));
        assert_eq!(Trust::nobody(Some(0)).err(), Some(TrustError::ZeroTolerance));
    }
}
