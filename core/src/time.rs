//! Decides what an instant is: microseconds since 1970 in UTC, passed in from outside. There is no clock here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z. Between the years 1 and 2255, which keeps it within 2^53.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The earliest instant.
    pub const MIN: Self = Self(Self::MIN_MICROS);
    const MAX_MICROS: i64 = (1 << 53) - 1;
    /// 0001-01-01T00:00:00Z, the zero time of some providers. In microseconds it lies beyond 2^53, so it is the one
    /// value that is clamped rather than refused.
    const MIN_MICROS: i64 = -Self::MAX_MICROS;

    /// Takes microseconds since 1970.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] beyond 2^53 − 1.
    pub fn from_micros(micros: i64) -> Result<Self, TimeError> {
        match micros {
            Self::MIN_MICROS..=Self::MAX_MICROS => Ok(Self(micros)),
            _ => Err(TimeError::OutOfRange),
        }
    }

    /// Takes whole seconds since 1970.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] when the instant is too far.
    pub fn from_seconds(seconds: i64) -> Result<Self, TimeError> {
        Self::from_micros(seconds.checked_mul(1_000_000).ok_or(TimeError::OutOfRange)?)
    }

    /// Reads RFC 3339; digits below the microsecond are cut.
    ///
    /// # Errors
    /// [`TimeError::NotRfc3339`] for other text, [`TimeError::OutOfRange`] when it is too far.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        let instant: jiff::Timestamp =
            text.parse().map_err(|_| TimeError::NotRfc3339 { text: text.chars().take(40).collect() })?;
        Ok(Self(instant.as_microsecond().max(Self::MIN_MICROS))).and_then(|time: Self| Self::from_micros(time.0))
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The instant so many seconds later, held at the ends of the range.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)).clamp(Self::MIN_MICROS, Self::MAX_MICROS))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with a fraction only where there is one: `2026-04-21T12:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = TimeError;
    fn try_from(micros: i64) -> Result<Self, TimeError> {
        Self::from_micros(micros)
    }
}

impl From<Timestamp> for i64 {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

/// Serde of an instant as RFC 3339, for people: `#[serde(serialize_with = "rfc3339")]`.
///
/// # Errors
/// The serializer's.
pub fn rfc3339<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// The same for an instant that may be missing.
///
/// # Errors
/// The serializer's.
pub fn rfc3339_option<S: serde::Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

/// Why something is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The text is not RFC 3339.
    #[error("{text:?} is not an RFC 3339 time")]
    NotRfc3339 {
        /// Its first forty characters.
        text: String,
    },
    /// Beyond 2^53 − 1 microseconds from 1970.
    #[error("the time is beyond 2^53 - 1 microseconds from 1970")]
    OutOfRange,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_read_to_the_microsecond() {
        let check = |text: &str, expect: &str| {
            assert_eq!(Timestamp::parse_rfc3339(text).expect(text).to_string(), expect);
        };
        check("2026-04-21T12:00:00Z", "2026-04-21T12:00:00Z");
        check("2026-04-21T14:00:00+02:00", "2026-04-21T12:00:00Z");
        check("2024-04-12T10:37:13.888989481Z", "2024-04-12T10:37:13.888989Z");
        assert!(Timestamp::parse_rfc3339("0001-01-01T00:00:00Z").expect("clamped") < Timestamp::EPOCH);
        assert!(matches!(Timestamp::parse_rfc3339("yesterday"), Err(TimeError::NotRfc3339 { .. })));
    }

    #[test]
    fn seconds_are_bounded() {
        assert_eq!(Timestamp::from_seconds(i64::MAX), Err(TimeError::OutOfRange));
        assert_eq!(Timestamp::from_seconds(1_000_000_000).expect("in range").to_string(), "2001-09-09T01:46:40Z");
    }
}
