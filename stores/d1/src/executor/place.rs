//! Parses the name of a database reached over HTTP, and keeps its token from being printed.

use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

/// An account and a database: `d1:ACCOUNT/DATABASE`, both by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    account: String,
    database: String,
}

impl Place {
    /// Checks the two ids, as Cloudflare's dashboard shows them.
    ///
    /// # Errors
    /// [`PlaceError`] when an id can't be part of an address. It may have letters, digits, `-` and `_`, at most 64.
    pub fn new(account: impl Into<String>, database: impl Into<String>) -> Result<Self, PlaceError> {
        let (account, database) = (account.into(), database.into());
        let is_id = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        match (is_id(&account), is_id(&database)) {
            (true, true) => Ok(Self { account, database }),
            (false, _) => Err(PlaceError::Account),
            (true, false) => Err(PlaceError::Database),
        }
    }

    /// The path after the API's address.
    pub(crate) fn path(&self) -> String {
        format!("/client/v4/accounts/{}/d1/database/{}/query", self.account, self.database)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d1:{}/{}", self.account, self.database)
    }
}

impl FromStr for Place {
    type Err = PlaceError;
    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let ids = text.strip_prefix("d1:").and_then(|ids| ids.split_once('/'));
        let (account, database) = ids.ok_or(PlaceError::Form)?;
        Self::new(account, database)
    }
}

/// Why a text names no database. The error doesn't repeat the text, because it may contain a token by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The first id is invalid.
    #[error("the account id is invalid; copy it from the dashboard: at most 64 letters, digits, - and _")]
    Account,
    /// The second id is invalid.
    #[error("the database id is invalid; use its id, not its name: at most 64 letters, digits, - and _")]
    Database,
    /// The whole text is invalid.
    #[error("a D1 database is written as d1:ACCOUNT/DATABASE, with both ids and without the token")]
    Form,
}

/// The bearer token. It is never printed. Its own copy is wiped when it is dropped; the copies in requests are not.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Checks a token.
    ///
    /// # Errors
    /// [`TokenError`] when the token can't be sent in a header, or has white space around it, which indicates a copying
    /// mistake.
    pub fn new(text: impl Into<String>) -> Result<Self, TokenError> {
        let text = Zeroizing::new(text.into());
        match text.as_str() {
            "" => Err(TokenError::Empty),
            it if it.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Self(text)),
            _ => Err(TokenError::Unprintable),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Why a text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has no characters.
    #[error("a token must not be empty")]
    Empty,
    /// It contains white space, or characters that a header can't contain.
    #[error("a token has only visible ASCII characters; check that it was copied without a line break")]
    Unprintable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_two_ids() {
        let place: Place = "d1:0123abcd/00000000-0000-4000-8000-000000000001".parse().expect("the text is valid");
        assert_eq!(place.to_string(), "d1:0123abcd/00000000-0000-4000-8000-000000000001");
        assert_eq!(place.path(), "/client/v4/accounts/0123abcd/d1/database/00000000-0000-4000-8000-000000000001/query");
        for (bad, why) in [
            ("", PlaceError::Form),
            ("sqlite:a/b", PlaceError::Form),
            ("d1:a", PlaceError::Form),
            ("d1:/b", PlaceError::Account),
            ("d1://token@a/b", PlaceError::Account),
            ("d1:a/", PlaceError::Database),
            ("d1:a/b/c", PlaceError::Database),
            ("d1:a/../b", PlaceError::Database),
            ("d1:a/b?c", PlaceError::Database),
        ] {
            assert_eq!(bad.parse::<Place>(), Err(why), "{bad}");
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let token = Token::new("cf-secret").expect("the text is valid");
        assert_eq!(format!("{token:?} {token:#?}"), "Token(redacted) Token(redacted)");
        assert_eq!(Token::new("").err(), Some(TokenError::Empty));
        for bad in ["secret\n", " secret", "se cret", "sécret"] {
            assert_eq!(Token::new(bad).err(), Some(TokenError::Unprintable), "{bad:?}");
        }
    }
}
