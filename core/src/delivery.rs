//! A delivery: one HTTP request as received, within limits. Whether it is genuine is not known here.
//!
//! ```
//! use purchase_core::{delivery::Delivery, id::ProviderName, time::Timestamp};
//!
//! let delivery = Delivery {
//!     provider: ProviderName::new("stripe")?,
//!     headers: [("Stripe-Signature", "t=1767225600,v1=…")].into_iter().collect(),
//!     body: b"{\"id\": \"evt_1\"}".to_vec(),
//!     received_at: Timestamp::from_seconds(1_767_225_600)?,
//! };
//! // Names compare without case. Neither headers nor body are shown.
//! assert_eq!(delivery.headers.all("stripe-signature").count(), 1);
//! assert!(!format!("{delivery:?}").contains("evt_1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use crate::{id::ProviderName, time::Timestamp};

/// One HTTP request to a webhook endpoint: the raw bytes and headers, before verification.
#[derive(Clone)]
pub struct Delivery {
    /// The adapter that the endpoint's path names.
    pub provider: ProviderName,
    /// The request's headers.
    pub headers: Headers,
    /// The request's body, byte for byte: signatures cover exactly these bytes.
    pub body: Vec<u8>,
    /// When the request was received.
    pub received_at: Timestamp,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("provider", &self.provider)
            .field("body_bytes", &self.body.len())
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}

/// HTTP headers. Names compare without case, a name may occur several times, and values are bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one header.
    pub fn push(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// Adds the headers of another request.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Every header, in order. Names are in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Every value of a header, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut headers = Self::new();
        for (name, value) in pairs {
            headers.push(name.as_ref(), value.as_ref());
        }
        headers
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Limits on input from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a body. The largest bodies of known providers stay under a quarter of the default of 1 MiB.
    pub body_bytes: usize,
    /// The most bytes of one signature header.
    pub signature_header_bytes: usize,
    /// The most deliveries in one [`handle_many`](crate::engine::Engine::handle_many).
    pub deliveries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 1 << 20, signature_header_bytes: 8 << 10, deliveries: 1000 }
    }
}
