//! Reads amounts in Paddle's format: texts of whole minor units. Core's [`View`] reads bodies; times are in RFC 3339.

pub(crate) use purchase_core::wire::{Remarks, View, parse};
use purchase_core::{
    money::{Currency, Money},
    provider::ReadFault,
};

/// Reads values in Paddle's own format.
pub(crate) trait Reads {
    /// Reads a required amount in minor units.
    fn need_money(&self, currency: Currency) -> Result<Money, ReadFault>;
}

impl Reads for View<'_, '_> {
    fn need_money(&self, currency: Currency) -> Result<Money, ReadFault> {
        let expected = "text of integer minor units";
        let text = self.value()?.and_then(|value| value.as_str()).ok_or_else(|| self.fault(expected))?;
        let (largest, digits) = match text.strip_prefix('-') {
            Some(digits) => (i64::MIN, digits),
            None => (i64::MAX, text),
        };
        if digits.is_empty() {
            return Err(self.misfit(expected, "a string without digits"));
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.misfit(expected, "a string with other characters than digits"));
        }
        // A number longer than 64 bits is beyond 2^53, too.
        self.money_of(text.parse().unwrap_or(largest), currency)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_texts_of_whole_minor_units() {
        let usd = Currency::new("USD").expect("listed");
        let check = |value, expect: Result<i64, (&str, &str)>| {
            let body = json!({ "total": value });
            let found = View::root(&body).at("total").need_money(usd);
            let expect = match expect {
                Ok(minor) => Ok(Money::new(minor, usd).expect("in range")),
                Err((expected, found)) => Err(ReadFault::Shape {
                    path: "total".to_owned(),
                    expected: expected.to_owned(),
                    found: found.to_owned(),
                }),
            };
            assert_eq!(found, expect, "{body}");
        };
        check(json!("65215"), Ok(65_215));
        check(json!("-5"), Ok(-5));
        check(json!("0"), Ok(0));
        for text in ["", "-"] {
            check(json!(text), Err(("text of integer minor units", "a string without digits")));
        }
        for text in ["+5", "1.5", " 5", "1e3", "1e999", "five", "--5"] {
            check(json!(text), Err(("text of integer minor units", "a string with other characters than digits")));
        }
        check(json!(5), Err(("text of integer minor units", "integer")));
        check(json!(null), Err(("text of integer minor units", "null")));
        for text in ["9007199254740992", "99999999999999999999"] {
            check(json!(text), Err(("integer minor units within 2^53", "an amount above that range")));
        }
        for text in ["-9007199254740992", "-99999999999999999999"] {
            check(json!(text), Err(("integer minor units within 2^53", "an amount below that range")));
        }
    }
}
