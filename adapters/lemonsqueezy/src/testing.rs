//! Signs bodies as Lemon Squeezy does, so that an application can test its own endpoint with real verification. Feature
//! `testing`. Nothing here changes what [`LemonSqueezy`](crate::LemonSqueezy) believes: a delivery counts only where the
//! endpoint has the secret.
//!
//! It follows Lemon Squeezy's documentation and not what this adapter reads, so that the two check each other.
//!
//! ```
//! use purchase_core::{time::Timestamp, verify::Secret};
//! use purchase_lemonsqueezy::testing;
//!
//! let (secret, at) = (Secret::new("example")?, Timestamp::from_seconds(1_767_225_600)?);
//! let headers = testing::headers([&secret], b"{}", at);
//! assert_eq!(headers[0].0, "x-signature");
//! assert_eq!(headers[0].1.len(), 64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use purchase_core::{delivery::Delivery, id::ProviderName, time::Timestamp, verify::Secret};

use crate::NAME;

/// Signs a body, and gives the request's headers: names in lower case, and values. Lemon Squeezy signs no time, so `_at`
/// changes nothing; it is there because the other adapters need it. A webhook has one secret; several give one header
/// each, as if several webhooks had sent one request.
pub fn headers<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    body: &[u8],
    _at: Timestamp,
) -> Vec<(&'static str, String)> {
    secrets.into_iter().map(|secret| ("x-signature", hex::encode(secret.sign(&[body])))).collect()
}

/// Signs a body, and gives the delivery as it comes in at a time. It names the provider [`NAME`].
pub fn delivery<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    body: impl Into<Vec<u8>>,
    at: Timestamp,
) -> Delivery {
    let body = body.into();
    Delivery {
        provider: ProviderName::new(NAME).expect("a valid provider name"),
        headers: headers(secrets, &body, at).into_iter().collect(),
        body,
        received_at: at,
    }
}
