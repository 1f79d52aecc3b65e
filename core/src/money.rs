//! An amount of money: whole minor units of one ISO 4217 currency, checked, never a float.
//!
//! ```
//! use purchase_core::money::{Currency, Money};
//!
//! let price = Money::new(1299, Currency::new("eur")?)?; // minor units: 12.99 EUR
//! assert_eq!((price.minor(), price.currency().code(), price.currency().exponent()), (1299, "EUR", Some(2)));
//! # Ok::<(), purchase_core::money::MoneyError>(())
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// A currency: three letters, upper case. The provider decides which currencies exist; ISO 4217 supplies only the
/// number of digits of their minor unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Takes a three-letter code in any case.
    ///
    /// # Errors
    /// [`MoneyError::NoCurrency`] when it isn't three ASCII letters.
    pub fn new(code: &str) -> Result<Self, MoneyError> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self(letters.map(|it| it.to_ascii_uppercase())))
            }
            _ => Err(MoneyError::NoCurrency { code: code.chars().take(20).collect() }),
        }
    }

    /// The code, upper case.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimal digits the minor unit has: 2 for USD, 0 for JPY, 3 for KWD. `None` if ISO 4217 defines none
    /// (for example, for gold) or doesn't list the currency.
    pub fn exponent(&self) -> Option<u32> {
        iso_currency::Currency::from_code(self.code())?.exponent().map(u32::from)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount of money in minor units. Its absolute value is at most 2^53 − 1, so that it also survives stores and
/// readers whose numbers are doubles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// The stored form of [`Money`].
#[derive(Serialize, Deserialize)]
struct Wire {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The largest amount in minor units.
    pub const MAX_MINOR: i64 = (1 << 53) - 1;

    /// Takes an amount in minor units.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] beyond [`Self::MAX_MINOR`].
    pub fn new(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        match minor.checked_abs() {
            Some(size) if size <= Self::MAX_MINOR => Ok(Self { minor, currency }),
            _ => Err(MoneyError::OutOfRange),
        }
    }

    /// Zero, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The amount in minor units.
    pub fn minor(&self) -> i64 {
        self.minor
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::OutOfRange`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        Self::new(self.minor.checked_add(other.minor).ok_or(MoneyError::OutOfRange)?, self.currency)
    }
}

impl TryFrom<Wire> for Money {
    type Error = MoneyError;
    fn try_from(wire: Wire) -> Result<Self, MoneyError> {
        Self::new(wire.minor, wire.currency)
    }
}

impl From<Money> for Wire {
    fn from(money: Money) -> Self {
        Self { minor: money.minor, currency: money.currency }
    }
}

impl fmt::Display for Money {
    /// Writes the amount in major units with its currency: `12.34 USD`, `500 JPY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.exponent().unwrap_or(0);
        let unit = 10_i64.pow(digits);
        let sign = if self.minor < 0 { "-" } else { "" };
        let (major, rest) = (self.minor.abs() / unit, self.minor.abs() % unit);
        match digits {
            0 => write!(f, "{sign}{major} {}", self.currency.code()),
            _ => write!(f, "{sign}{major}.{rest:0width$} {}", self.currency.code(), width = digits as usize),
        }
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why an amount is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Amounts of two currencies can't be added.
    #[error("{left:?} and {right:?} can't be added")]
    CurrencyMismatch {
        /// The first currency.
        left: Currency,
        /// The second currency.
        right: Currency,
    },
    /// The code is not three letters.
    #[error("{code:?} is not a three-letter currency code")]
    NoCurrency {
        /// Its first twenty characters.
        code: String,
    },
    /// More than 2^53 − 1 minor units.
    #[error("the amount is beyond 2^53 - 1 minor units")]
    OutOfRange,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::new(code).expect(code)).expect("in range")
    }

    #[test]
    fn minor_units_follow_the_currency() {
        assert_eq!(money(1234, "usd").to_string(), "12.34 USD");
        assert_eq!(money(-5, "usd").to_string(), "-0.05 USD");
        assert_eq!(money(500, "jpy").to_string(), "500 JPY");
        assert_eq!(money(1234, "kwd").to_string(), "1.234 KWD");
    }

    #[test]
    fn sums_are_checked() {
        assert_eq!(money(1, "eur").checked_add(money(2, "eur")), Ok(money(3, "eur")));
        assert!(matches!(money(1, "eur").checked_add(money(2, "usd")), Err(MoneyError::CurrencyMismatch { .. })));
        assert_eq!(money(Money::MAX_MINOR, "eur").checked_add(money(1, "eur")), Err(MoneyError::OutOfRange));
        assert_eq!(Money::new(i64::MIN, Currency::new("eur").expect("eur")), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn storage_is_bounded_too() {
        let over = format!(r#"{{"minor":{},"currency":"EUR"}}"#, Money::MAX_MINOR + 1);
        assert!(serde_json::from_str::<Money>(&over).is_err());
        for code in ["", "eu", "euro", "e1r", "é1"] {
            assert!(Currency::new(code).is_err(), "{code}");
        }
        assert_eq!(Currency::new("std").expect("letters").exponent(), None);
    }
}
