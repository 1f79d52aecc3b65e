//! When a billing period ends. Months and years are counted from the anchor, and a day that a month doesn't have becomes
//! its last one.

use crate::{
    settings::DAY,
    state::{Interval, Recurring},
};

/// The end of the period that begins at `start`, for a subscription that is billed from `anchor` on.
pub(crate) fn period_end(anchor: i64, start: i64, every: Recurring) -> i64 {
    let count = i64::from(every.count);
    match every.interval {
        Interval::Day => start + count * DAY,
        Interval::Week => start + count * 7 * DAY,
        Interval::Month => later(anchor, start, count),
        Interval::Year => later(anchor, start, count * 12),
    }
}

/// The first time after `start` that is a multiple of so many months after the anchor.
fn later(anchor: i64, start: i64, months: i64) -> i64 {
    let mut times = (1..).map(|number| plus_months(anchor, number * months));
    times.find(|at| *at > start).unwrap_or(start)
}

fn plus_months(at: i64, months: i64) -> i64 {
    let (days, second) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let count = year * 12 + (month - 1) + months;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    let next = days_of(if month == 12 { year + 1 } else { year }, if month == 12 { 1 } else { month + 1 }, 1);
    let last = next - days_of(year, month, 1);
    days_of(year, month, day.min(last)) * DAY + second
}

/// A time as HTTP's `Date` header has it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(at: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let place = |value: i64| usize::try_from(value).unwrap_or_default();
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} GMT",
        DAYS[place(days.rem_euclid(7))],
        MONTHS[place(month - 1)],
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// The year, month and day of a day since 1970, in the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era_year = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era_year * 365 + of_era_year / 4 - of_era_year / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use purchase_core::time::Timestamp;

    use super::*;

    fn check(anchor: &str, start: &str, interval: Interval, count: u32, expect: &str) {
        let at = |text: &str| Timestamp::parse_rfc3339(text).expect("it is a time").seconds();
        let end = period_end(at(anchor), at(start), Recurring { interval, count });
        assert_eq!(Timestamp::EPOCH.plus_seconds(end).to_string(), expect);
    }

    #[test]
    fn dates_are_written_as_in_http() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn periods_end_where_the_calendar_says() {
        let month = |anchor, start, expect| check(anchor, start, Interval::Month, 1, expect);
        month("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z", "2026-02-28T08:00:00Z");
        month("2026-01-31T08:00:00Z", "2026-02-28T08:00:00Z", "2026-03-31T08:00:00Z");
        month("2027-12-15T23:59:59Z", "2027-12-15T23:59:59Z", "2028-01-15T23:59:59Z");
        check("2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z", Interval::Year, 1, "2029-02-28T00:00:00Z");
        check("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", Interval::Month, 3, "2026-04-01T00:00:00Z");
        check("2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z", Interval::Day, 30, "2026-03-02T00:00:00Z");
        check("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", Interval::Week, 2, "2026-01-15T00:00:00Z");
    }
}
