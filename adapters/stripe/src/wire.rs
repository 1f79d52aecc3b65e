//! Decides how Stripe writes times and amounts: whole seconds since 1970, integers of minor units. Bodies are read by
//! core's [`View`]; its overlay is the event's `previous_attributes`. (Source: Stripe's API reference on
//! `event.data.previous_attributes`: only changed keys, and of a changed array the whole old array.)

pub(crate) use purchase_core::wire::{View, parse};
use purchase_core::{
    money::{Currency, Money},
    provider::ReadFault,
    time::Timestamp,
};

/// Reads what Stripe writes in its own way.
pub(crate) trait Reads {
    /// A time in whole seconds since 1970.
    fn time(&self) -> Result<Option<Timestamp>, ReadFault>;

    /// The time in whole seconds that must be here.
    fn need_time(&self) -> Result<Timestamp, ReadFault>;

    /// An amount in minor units.
    fn money(&self, currency: Currency) -> Result<Option<Money>, ReadFault>;

    /// The amount in minor units that must be here.
    fn need_money(&self, currency: Currency) -> Result<Money, ReadFault>;
}

impl Reads for View<'_, '_> {
    fn time(&self) -> Result<Option<Timestamp>, ReadFault> {
        let Some(value) = self.value()? else { return Ok(None) };
        let seconds = value.as_i64().ok_or_else(|| self.fault("integer seconds"))?;
        Timestamp::from_seconds(seconds).map(Some).map_err(|_| self.fault("integer seconds within 2^53 microseconds"))
    }

    fn need_time(&self) -> Result<Timestamp, ReadFault> {
        self.time()?.ok_or_else(|| self.fault("integer seconds"))
    }

    fn money(&self, currency: Currency) -> Result<Option<Money>, ReadFault> {
        let Some(value) = self.value()? else { return Ok(None) };
        let minor = value.as_i64().ok_or_else(|| self.fault("integer minor units"))?;
        self.money_of(minor, currency).map(Some)
    }

    fn need_money(&self, currency: Currency) -> Result<Money, ReadFault> {
        self.money(currency)?.ok_or_else(|| self.fault("integer minor units"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(path: &str, expected: &str, found: &str) -> ReadFault {
        ReadFault::Shape { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
    }

    #[test]
    fn numbers_are_whole_and_bounded() {
        let body = json!({"float": 1.0, "huge": 9_007_199_254_740_992_i64, "text": "12", "none": null, "some": 12});
        let view = View::root(&body);
        let usd = Currency::new("usd").expect("listed");
        assert_eq!(view.at("float").money(usd), Err(shape("float", "integer minor units", "fraction")));
        assert_eq!(view.at("huge").money(usd), Err(shape("huge", "integer minor units within 2^53", "integer")));
        assert_eq!(view.at("none").need_money(usd), Err(shape("none", "integer minor units", "null")));
        assert_eq!(view.at("some").need_money(usd), Ok(Money::new(12, usd).expect("in range")));
        assert_eq!(view.at("huge").time(), Err(shape("huge", "integer seconds within 2^53 microseconds", "integer")));
        assert_eq!(view.at("text").time(), Err(shape("text", "integer seconds", "string")));
        assert_eq!(view.at("none").time(), Ok(None));
        assert_eq!(view.at("some").need_time(), Ok(Timestamp::from_seconds(12).expect("in range")));
    }
}
