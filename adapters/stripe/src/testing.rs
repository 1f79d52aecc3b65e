//! Signs bodies as Stripe does, so that an application can test its own endpoint with real verification. Feature
//! `testing`. Nothing here changes what [`Stripe`](crate::Stripe) believes: a delivery counts only where the endpoint
//! has the secret.
//!
//! It follows Stripe's documentation and not what this adapter reads, so that the two check each other.
//!
//! ```
//! use purchase_core::{time::Timestamp, verify::Secret};
//! use purchase_stripe::testing;
//!
//! let (secret, at) = (Secret::new("whsec_example")?, Timestamp::from_seconds(1_767_225_600)?);
//! let headers = testing::headers([&secret], b"{}", at);
//! assert_eq!(headers[0].0, "stripe-signature");
//! assert!(headers[0].1.starts_with("t=1767225600,v1="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use purchase_core::{delivery::Delivery, id::ProviderName, time::Timestamp, verify::Secret};

use crate::NAME;

/// Signs a body at a time, and gives the request's headers: names in lower case, and values. Several secrets sign one
/// request while one of them is rolled.
pub fn headers<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    body: &[u8],
    at: Timestamp,
) -> Vec<(&'static str, String)> {
    let time = at.seconds().to_string();
    let signature = |secret: &Secret| format!(",v1={}", hex::encode(secret.sign(&[time.as_bytes(), b".", body])));
    let signatures: String = secrets.into_iter().map(signature).collect();
    vec![("stripe-signature", format!("t={time}{signatures}"))]
}

/// Signs a body at a time, and gives the delivery as it comes in at the same time. It names the provider [`NAME`].
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
