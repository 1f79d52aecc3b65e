//! Random numbers and ids that depend only on the seed and on how many were drawn before.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A source of random numbers that can be stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draw {
    seed: u64,
    drawn: u64,
}

impl Draw {
    /// A source that begins with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// 32 random bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(self.drawn.to_be_bytes());
        hash.finalize().into()
    }

    /// A random number.
    pub fn number(&mut self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// A random number below `end`; zero when `end` is zero.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.number() % end }
    }

    /// Whether something happens that happens so many times in a hundred.
    pub fn percent(&mut self, percent: u8) -> bool {
        percent > 0 && self.below(100) < u64::from(percent)
    }

    /// Random characters of an alphabet, at most 32.
    pub fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let bytes = self.bytes();
        bytes.iter().take(length).map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
    }
}
