//! Decides what a delivery is: one HTTP request as it came, within limits. It does not know whether it is genuine.

use std::fmt;

use crate::{id::ProviderName, time::Timestamp};

/// One HTTP request to a webhook endpoint: the raw bytes and headers, before anything is believed.
#[derive(Clone)]
pub struct Delivery {
    /// The adapter that the endpoint's path names.
    pub provider: ProviderName,
    /// The request's headers.
    pub headers: Headers,
    /// The request's body, byte for byte: signatures are made over exactly these.
    pub body: Vec<u8>,
    /// When the request came in.
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

/// HTTP headers: names compare without case, a name may come several times, values are bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// Adds those of another request.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Every value of a name, in order.
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

/// What the library takes at most from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body. The largest bodies of known providers stay under a quarter of the default of 1 MiB.
    pub body_bytes: usize,
    /// Bytes of one signature header.
    pub signature_header_bytes: usize,
    /// Deliveries in one [`handle_many`](crate::engine::Engine::handle_many).
    pub deliveries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 1 << 20, signature_header_bytes: 8 << 10, deliveries: 1000 }
    }
}
