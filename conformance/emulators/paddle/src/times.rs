//! Decides how times are written, and when a period ends.

use jiff::{Span, tz::TimeZone};
use purchase_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// RFC 3339, to the microsecond.
pub(crate) fn text(micros: i64) -> String {
    Timestamp::from_micros(micros).unwrap_or(Timestamp::MAX).to_string()
}

/// The same with nanoseconds, of which the last three digits are given.
pub(crate) fn nanoseconds(micros: i64, last: u64) -> String {
    let second = text(micros.div_euclid(1_000_000) * 1_000_000);
    format!("{}.{:06}{last:03}Z", second.trim_end_matches('Z'), micros.rem_euclid(1_000_000))
}

/// A time, or null.
pub(crate) fn maybe(micros: Option<i64>) -> Value {
    json!(micros.map(text))
}

/// Reads RFC 3339.
pub(crate) fn parse(text: &str) -> Option<i64> {
    Timestamp::parse_rfc3339(text).ok().map(Timestamp::micros)
}

/// When an object was created and last changed, in microseconds since 1970.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Times {
    pub(crate) created: i64,
    pub(crate) changed: i64,
}

impl Times {
    pub(crate) fn new(now: i64) -> Self {
        Self { created: now, changed: now }
    }
}

/// A span of time. The end is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Period {
    pub(crate) fn view(self) -> Value {
        json!({ "starts_at": text(self.start), "ends_at": text(self.end) })
    }
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interval {
    Day,
    Week,
    Month,
    Year,
}

/// How long a billing period or a trial lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Duration {
    pub(crate) interval: Interval,
    pub(crate) frequency: u16,
}

impl Duration {
    /// The period that begins then.
    pub(crate) fn period(self, start: i64) -> Period {
        let count = i64::from(self.frequency);
        let span = match self.interval {
            Interval::Day => Span::new().days(count),
            Interval::Week => Span::new().weeks(count),
            Interval::Month => Span::new().months(count),
            Interval::Year => Span::new().years(count.min(200)),
        };
        let end = jiff::Timestamp::from_microsecond(start)
            .and_then(|start| start.to_zoned(TimeZone::UTC).checked_add(span))
            .map_or(i64::MAX / 2, |end| end.timestamp().as_microsecond());
        Period { start, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_follow_the_calendar() {
        let check = |interval, frequency, start: &str, expect: &str| {
            let period = Duration { interval, frequency }.period(parse(start).expect("a time"));
            assert_eq!(text(period.end), expect, "{frequency} {interval:?} after {start}");
        };
        check(Interval::Day, 30, "2026-10-05T08:00:00Z", "2026-11-04T08:00:00Z");
        check(Interval::Week, 2, "2026-12-25T08:00:00Z", "2027-01-08T08:00:00Z");
        check(Interval::Month, 1, "2026-01-31T08:00:00.5Z", "2026-02-28T08:00:00.5Z");
        check(Interval::Year, 1, "2024-02-29T00:00:00Z", "2025-02-28T00:00:00Z");
    }

    #[test]
    fn nanoseconds_end_with_the_given_digits() {
        assert_eq!(nanoseconds(1_725_897_613_888_989, 481), "2024-09-09T16:00:13.888989481Z");
        assert_eq!(nanoseconds(1_725_897_613_000_000, 7), "2024-09-09T16:00:13.000000007Z");
    }
}
