//! Reads times and amounts in Stripe's format: whole seconds since 1970, integers of minor units. Core's [`View`] reads
//! bodies; its overlay is the event's `previous_attributes`. (Source: Stripe's API reference on
//! `event.data.previous_attributes`: only changed keys, and of a changed array the whole old array.)

pub(crate) use purchase_core::wire::{Remarks, View, parse};
use purchase_core::{
    money::{Currency, Money},
    provider::ReadFault,
    time::Timestamp,
};

/// Reads values in Stripe's own format.
pub(crate) trait Reads {
    /// Reads a time in whole seconds since 1970.
    fn time(&self) -> Result<Option<Timestamp>, ReadFault>;

    /// Reads a required time in whole seconds.
    fn need_time(&self) -> Result<Timestamp, ReadFault>;

    /// Reads an amount in minor units.
    fn money(&self, currency: Currency) -> Result<Option<Money>, ReadFault>;

    /// Reads a required amount in minor units.
    fn need_money(&self, currency: Currency) -> Result<Money, ReadFault>;
}

impl Reads for View<'_, '_> {
    fn time(&self) -> Result<Option<Timestamp>, ReadFault> {
        let Some(seconds) = self.whole("integer seconds")? else { return Ok(None) };
        let expected = "integer seconds between the years 1684 and 2255";
        Timestamp::from_seconds(seconds).map(Some).map_err(|_| self.beyond(expected, "an integer", seconds))
    }

    fn need_time(&self) -> Result<Timestamp, ReadFault> {
        self.time()?.ok_or_else(|| self.fault("integer seconds"))
    }

    fn money(&self, currency: Currency) -> Result<Option<Money>, ReadFault> {
        self.whole("integer minor units")?.map(|minor| self.money_of(minor, currency)).transpose()
    }

    fn need_money(&self, currency: Currency) -> Result<Money, ReadFault> {
        self.money(currency)?.ok_or_else(|| self.fault("integer minor units"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn shape(path: &str, expected: &str, found: &str) -> ReadFault {
        ReadFault::Shape { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
    }

    #[test]
    fn amounts_are_whole_and_bounded() {
        let usd = Currency::new("usd").expect("listed");
        let check = |value: Value, expect: Result<i64, (&str, &str)>| {
            let body = json!({ "amount": value });
            let expect = expect.map(|minor| Money::new(minor, usd).expect("in range"));
            let expect = expect.map_err(|(expected, found)| shape("amount", expected, found));
            assert_eq!(View::root(&body).at("amount").need_money(usd), expect, "{body}");
        };
        check(json!(12), Ok(12));
        check(json!(-12), Ok(-12));
        check(json!(1.0), Err(("integer minor units", "fraction")));
        check(json!(null), Err(("integer minor units", "null")));
        check(json!("12"), Err(("integer minor units", "string")));
        let range = "integer minor units within 2^53";
        check(json!(1_i64 << 53), Err((range, "an amount above that range")));
        check(json!(-(1_i64 << 53)), Err((range, "an amount below that range")));
        check(json!(u64::MAX), Err((range, "an amount above that range")));
        check(json!(1e20), Err(("integer minor units", "number beyond 64 bits")));
    }

    #[test]
    fn times_are_whole_seconds_and_bounded() {
        let check = |value: Value, expect: Result<Option<i64>, (&str, &str)>| {
            let body = json!({ "time": value });
            let expect = expect.map(|seconds| seconds.map(|it| Timestamp::from_seconds(it).expect("in range")));
            let expect = expect.map_err(|(expected, found)| shape("time", expected, found));
            assert_eq!(View::root(&body).at("time").time(), expect, "{body}");
        };
        check(json!(12), Ok(Some(12)));
        check(json!(-12), Ok(Some(-12)));
        check(json!(9_007_199_254_u64), Ok(Some(9_007_199_254)));
        check(json!(null), Ok(None));
        check(json!("12"), Err(("integer seconds", "string")));
        check(json!(12.5), Err(("integer seconds", "fraction")));
        let range = "integer seconds between the years 1684 and 2255";
        check(json!(9_007_199_255_u64), Err((range, "an integer above that range")));
        check(json!(1_700_000_000_000_000_u64), Err((range, "an integer above that range")));
        check(json!(-62_135_596_800_i64), Err((range, "an integer below that range")));
        check(json!(i64::MIN), Err((range, "an integer below that range")));
        check(json!(u64::MAX), Err((range, "an integer above that range")));
        let body = json!({});
        assert_eq!(View::root(&body).at("time").need_time(), Err(shape("time", "integer seconds", "nothing")));
    }
}
