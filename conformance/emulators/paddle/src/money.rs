//! Decides how amounts are written: texts of whole minor units.

use serde::{Deserialize, Serialize};

/// The currencies of the OpenAPI document.
const CURRENCIES: [&str; 31] = [
    "ARS", "AUD", "BRL", "CAD", "CHF", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR", "JPY",
    "KRW", "MXN", "NOK", "NZD", "PLN", "RUB", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR",
];
/// The currencies that Paddle pays out.
const PAYOUT: [&str; 13] = ["AUD", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HUF", "PLN", "SEK", "USD", "ZAR"];

/// A currency that Paddle supports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Currency(String);

impl Currency {
    pub(crate) fn is_paid_out(&self) -> bool {
        PAYOUT.contains(&self.0.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match CURRENCIES.contains(&text.as_str()) {
            true => Ok(Self(text)),
            false => Err("must be a supported currency code".to_owned()),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

/// The most digits of an amount. The largest transaction, of a hundred items, then stays within 64 bits.
const DIGITS: usize = 10;

/// An amount in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Amount(pub(crate) i64);

impl TryFrom<String> for Amount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = !text.is_empty() && text.len() <= DIGITS && text.bytes().all(|it| it.is_ascii_digit());
        let amount = if digits { text.parse().ok() } else { None };
        amount
            .map(Self)
            .ok_or_else(|| format!("must be a text of a whole number of minor units, of at most {DIGITS} digits"))
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.0.to_string()
    }
}

/// An amount and its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Money {
    pub(crate) amount: Amount,
    pub(crate) currency_code: Currency,
}

impl Default for Money {
    fn default() -> Self {
        Self { amount: Amount(0), currency_code: Currency("USD".to_owned()) }
    }
}

/// Another price in some countries.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    country_codes: Vec<String>,
    unit_price: Money,
}
