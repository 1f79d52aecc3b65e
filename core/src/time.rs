//! An instant: microseconds since 1970 in UTC, supplied from outside. This crate reads no clock.
//!
//! ```
//! use purchase_core::time::Timestamp;
//!
//! let time = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z")?;
//! assert_eq!((time.micros(), time.to_string().as_str()), (1_767_225_600_000_000, "2026-01-01T00:00:00Z"));
//! # Ok::<(), purchase_core::time::TimeError>(())
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z, between -(2^53 - 1) and 2^53 - 1, so that it also survives
/// stores and readers whose numbers are doubles. The range is 1684-07-28 to 2255-06-05. Instants outside it are
/// refused, except 0001-01-01T00:00:00Z, the zero time of some providers: [`parse_rfc3339`](Self::parse_rfc3339)
/// reads exactly that one as [`MIN`](Self::MIN).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The earliest instant: 1684-07-28T00:12:25.259009Z.
    pub const MIN: Self = Self(Self::MIN_MICROS);
    /// The latest instant: 2255-06-05T23:47:34.740991Z.
    pub const MAX: Self = Self(Self::MAX_MICROS);
    const MAX_MICROS: i64 = (1 << 53) - 1;
    const MIN_MICROS: i64 = -Self::MAX_MICROS;
    /// 0001-01-01T00:00:00Z in nanoseconds. It is outside the range of 2^53 microseconds.
    const ZERO_TIME_NANOS: i128 = -62_135_596_800_000_000_000;

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
    /// [`TimeError::OutOfRange`] when the instant is outside the range.
    pub fn from_seconds(seconds: i64) -> Result<Self, TimeError> {
        Self::from_micros(seconds.checked_mul(1_000_000).ok_or(TimeError::OutOfRange)?)
    }

    /// Parses RFC 3339 and truncates digits below the microsecond. A leap second is read as the second before it.
    /// Exactly 0001-01-01T00:00:00Z is read as [`MIN`](Self::MIN).
    ///
    /// # Errors
    /// [`TimeError::NotRfc3339`] for other text, [`TimeError::OutOfRange`] when the instant is outside the range.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        let instant: jiff::Timestamp =
            text.parse().map_err(|_| TimeError::NotRfc3339 { text: text.chars().take(40).collect() })?;
        match instant.as_nanosecond() {
            Self::ZERO_TIME_NANOS => Ok(Self::MIN),
            // Rounded down before 1970 as well, to match truncated digits.
            nanos => Self::from_micros(i64::try_from(nanos.div_euclid(1000)).map_err(|_| TimeError::OutOfRange)?),
        }
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The instant this many seconds later, limited to the range.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)).clamp(Self::MIN_MICROS, Self::MAX_MICROS))
    }

    /// How many seconds this instant is after the other, rounded up; negative if it is before.
    pub fn seconds_after(self, other: Self) -> i64 {
        // Both are within 2^53, so the difference can't overflow.
        -(other.0 - self.0).div_euclid(1_000_000)
    }
}

impl fmt::Display for Timestamp {
    /// Formats as RFC 3339 in UTC, with a fraction only if it is not zero: `2026-04-21T12:00:00Z`.
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

/// Serializes an instant as RFC 3339, for human readers: `#[serde(serialize_with = "rfc3339")]`.
///
/// # Errors
/// Any error of the serializer.
pub fn rfc3339<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// The same for an optional instant.
///
/// # Errors
/// Any error of the serializer.
pub fn rfc3339_option<S: serde::Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

/// Why a value is not an instant.
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
        check("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z");
        check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z");
        assert!(matches!(Timestamp::parse_rfc3339("yesterday"), Err(TimeError::NotRfc3339 { .. })));
    }

    #[test]
    fn what_is_out_of_range_is_refused_and_only_the_zero_time_is_clamped() {
        let check = |text: &str, expect: Result<Timestamp, TimeError>| {
            assert_eq!(Timestamp::parse_rfc3339(text), expect, "{text}");
        };
        check("0001-01-01T00:00:00Z", Ok(Timestamp::MIN));
        check("0001-01-01T02:00:00+02:00", Ok(Timestamp::MIN));
        check("1684-07-28T00:12:25.259009Z", Ok(Timestamp::MIN));
        check("2255-06-05T23:47:34.740991Z", Ok(Timestamp::MAX));
        for text in [
            "0001-01-01T00:00:00.000001Z",
            "0001-01-01T00:00:01Z",
            "0001-01-01T00:00:00+02:00",
            "0000-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "-009999-01-02T01:59:59Z",
            "1500-01-01T00:00:00Z",
            "1684-07-28T00:12:25.259008Z",
            "2255-06-05T23:47:34.740992Z",
            "9999-12-30T00:00:00Z",
        ] {
            check(text, Err(TimeError::OutOfRange));
        }
    }

    #[test]
    fn numbers_are_bounded() {
        let range = i64::from(Timestamp::MAX);
        for micros in [range, -range, 0] {
            assert_eq!(Timestamp::from_micros(micros).map(Timestamp::micros), Ok(micros));
        }
        for micros in [range + 1, -range - 1, i64::MAX, i64::MIN] {
            assert_eq!(Timestamp::from_micros(micros), Err(TimeError::OutOfRange), "{micros}");
            assert!(serde_json::from_str::<Timestamp>(&micros.to_string()).is_err(), "{micros}");
        }
        for seconds in [9_007_199_254, -9_007_199_254] {
            assert_eq!(Timestamp::from_seconds(seconds).map(Timestamp::seconds), Ok(seconds));
        }
        for seconds in [9_007_199_255, -9_007_199_255, -62_135_596_800, i64::MAX, i64::MIN] {
            assert_eq!(Timestamp::from_seconds(seconds), Err(TimeError::OutOfRange), "{seconds}");
        }
        assert_eq!(Timestamp::from_seconds(1_000_000_000).expect("in range").to_string(), "2001-09-09T01:46:40Z");
    }

    #[test]
    fn a_deadline_is_held_at_the_ends_and_a_difference_is_exact() {
        for seconds in [1, i64::MAX] {
            assert_eq!(Timestamp::MAX.plus_seconds(seconds), Timestamp::MAX);
            assert_eq!(Timestamp::MIN.plus_seconds(-seconds), Timestamp::MIN);
        }
        assert_eq!(Timestamp::EPOCH.plus_seconds(i64::MIN), Timestamp::MIN);
        let at = |micros| Timestamp::from_micros(micros).expect("in range");
        let check = |later, earlier, expect| assert_eq!(at(later).seconds_after(at(earlier)), expect);
        check(5_000_000, 2_000_000, 3);
        check(5_000_001, 2_000_000, 4);
        check(2_000_000, 5_000_000, -3);
        check(2_000_000, 4_999_999, -2);
        assert_eq!(Timestamp::MAX.seconds_after(Timestamp::MIN), 18_014_398_510);
    }
}
