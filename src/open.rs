//! Decides which store a URL selects, so that applications and operators can choose a store by configuration.
//!
//! ```
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let store = purchase::open::open("memory:").await?;
//!     store.ready().await?;
//!     // Another scheme is refused by an error that lists what there is.
//!     assert!(purchase::open::open("mysql://localhost/billing").await.is_err());
//!     Ok(())
//! }
//! ```

use std::sync::Arc;

#[cfg(any(feature = "d1", feature = "postgres", feature = "sqlite"))]
use purchase_sql::TablePrefix;

use crate::{error::StoreError, store::Store};

/// Opens the store that a URL names, and migrates its tables to the current version.
///
/// | URL | store |
/// |---|---|
/// | `memory:` | in memory, gone with the process |
/// | `sqlite:PATH`, `sqlite::memory:` | an SQLite file, created if it doesn't exist |
/// | `postgres://USER:PASSWORD@HOST:PORT/DATABASE` | a PostgreSQL server |
/// | `d1:ACCOUNT/DATABASE?token=TOKEN` | a Cloudflare D1 database, over HTTP |
///
/// This library defines these query parameters. Their values are percent-encoded, as in any URL.
///
/// * All SQL stores: `prefix=`, a prefix for the name of every table.
/// * PostgreSQL: `schema=`, as in `postgres://app@db/app?sslmode=verify-full&schema=billing`.
/// * D1: `token=`, and `base=`, the address of a gateway to use instead of Cloudflare's API.
///
/// # Errors
/// [`OpenError`]. No error repeats the URL, because it may contain a password.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    store(url, Tables::Migrated).await
}

/// Opens the store that a URL names without changing it: no file is created and no table is migrated. This is for
/// programs that inspect a database before they change anything.
///
/// # Errors
/// [`OpenError`], as for [`open`]. If the tables are not of this version, the error is [`StoreError::SchemaOlder`] or a
/// similar one.
pub async fn existing(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    store(url, Tables::Checked).await
}

/// What to do with tables of an older version.
#[derive(Clone, Copy)]
enum Tables {
    Checked,
    Migrated,
}

async fn store(url: &str, tables: Tables) -> Result<Arc<dyn Store>, OpenError> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "memory" => Ok(Arc::new(crate::store::memory::MemoryStore::new())),
        "sqlite" => sqlite(url, tables).await,
        "postgres" | "postgresql" => postgres(url, tables).await,
        "d1" => d1(url, tables).await,
        other => Err(OpenError::Scheme { scheme: other.to_owned() }),
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The Cargo feature of the store isn't enabled.
    #[error("this program was built without {feature}; enable the feature {feature:?} of the package purchase")]
    Feature {
        /// The feature's name.
        feature: &'static str,
    },
    /// One of this library's query parameters has an invalid value.
    #[error("the URL's parameter {name}= is missing or invalid")]
    Option {
        /// The parameter's name.
        name: &'static str,
        /// Why the value is invalid.
        #[source]
        cause: crate::error::Cause,
    },
    /// The text is not a URL.
    #[error("the URL is invalid")]
    Malformed {
        /// Why it can't be parsed.
        #[source]
        cause: crate::error::Cause,
    },
    /// The URL's scheme names no known store.
    #[error("a database URL must begin with memory:, sqlite:, postgres: or d1:, not with {scheme:?}")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// The store returned an error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str, tables: Tables) -> Result<Arc<dyn Store>, OpenError> {
    use crate::sqlite::{Options, Sqlite};

    let (url, prefix) = prefix(url)?;
    let options = Options { prefix, ..Options::default() };
    Ok(Arc::new(match tables {
        Tables::Checked => Sqlite::open(url, options).await?,
        Tables::Migrated => Sqlite::open_and_migrate(url, Options { create_if_missing: true, ..options }).await?,
    }))
}

#[cfg(not(feature = "sqlite"))]
async fn sqlite(_: &str, _: Tables) -> Result<Arc<dyn Store>, OpenError> {
    Err(OpenError::Feature { feature: "sqlite" })
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str, tables: Tables) -> Result<Arc<dyn Store>, OpenError> {
    use crate::postgres::{Options, Postgres, SchemaName};

    url::Url::parse(url).map_err(|error| OpenError::Malformed { cause: error.into() })?;
    let (url, prefix) = prefix(url)?;
    let (url, schema) = take(&url, "schema");
    let unusable = |error: crate::postgres::SchemaNameError| OpenError::Option { name: "schema", cause: error.into() };
    let schema = schema.map(SchemaName::new).transpose().map_err(unusable)?;
    let options = Options { prefix, schema, ..Options::default() };
    Ok(Arc::new(match tables {
        Tables::Checked => Postgres::open(&url, options).await?,
        Tables::Migrated => Postgres::open_and_migrate(&url, options).await?,
    }))
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &str, _: Tables) -> Result<Arc<dyn Store>, OpenError> {
    Err(OpenError::Feature { feature: "postgres" })
}

#[cfg(feature = "d1")]
async fn d1(url: &str, tables: Tables) -> Result<Arc<dyn Store>, OpenError> {
    use crate::d1::{D1, Options, Token};

    let (url, prefix) = prefix(url)?;
    let (url, token) = take(&url, "token");
    let (url, base) = take(&url, "base");
    let token = Token::new(token.unwrap_or_default());
    let token = token.map_err(|error| OpenError::Option { name: "token", cause: error.into() })?;
    let mut options = Options { prefix, ..Options::default() };
    options.base = base.unwrap_or(options.base);
    Ok(Arc::new(match tables {
        Tables::Checked => D1::open(&url, token, options).await?,
        Tables::Migrated => D1::open_and_migrate(&url, token, options).await?,
    }))
}

#[cfg(not(feature = "d1"))]
async fn d1(_: &str, _: Tables) -> Result<Arc<dyn Store>, OpenError> {
    Err(OpenError::Feature { feature: "d1" })
}

#[cfg(any(feature = "d1", feature = "postgres", feature = "sqlite"))]
fn prefix(url: &str) -> Result<(String, TablePrefix), OpenError> {
    let (url, prefix) = take(url, "prefix");
    let prefix = prefix.map(TablePrefix::new).transpose();
    let prefix = prefix.map_err(|error| OpenError::Option { name: "prefix", cause: error.into() })?;
    Ok((url, prefix.unwrap_or_default()))
}

/// Removes a parameter from a URL's query and returns the rest with the parameter's value. The rest stays unchanged,
/// because an SQLite path may contain characters that are invalid in a URL.
#[cfg(any(feature = "d1", feature = "postgres", feature = "sqlite"))]
fn take(url: &str, name: &str) -> (String, Option<String>) {
    let Some((place, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let value = |word: &str| {
        let (key, value) = url::form_urlencoded::parse(word.as_bytes()).next()?;
        (key == name).then(|| value.into_owned())
    };
    let taken = query.split('&').find_map(value);
    let others: Vec<&str> = query.split('&').filter(|word| value(word).is_none()).collect();
    match others.is_empty() {
        true => (place.to_owned(), taken),
        false => (format!("{place}?{}", others.join("&")), taken),
    }
}

#[cfg(all(test, feature = "d1", feature = "postgres", feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn own_parameters_are_removed_from_a_url() {
        let check = |url: &str, rest: &str, taken: Option<&str>| {
            assert_eq!(take(url, "schema"), (rest.to_owned(), taken.map(str::to_owned)));
        };
        check("postgres://h/d", "postgres://h/d", None);
        check("postgres://h/d?schema=a", "postgres://h/d", Some("a"));
        check("postgres://h/d?x=1&schema=a&y=2", "postgres://h/d?x=1&y=2", Some("a"));
        check("postgres://h/d?schemas=a", "postgres://h/d?schemas=a", None);
        check("postgres://h/d?%73chema=%61%2Bb&x=%2F", "postgres://h/d?x=%2F", Some("a+b"));
        check("sqlite:a b?schema=a&mode=ro", "sqlite:a b?mode=ro", Some("a"));
    }

    #[tokio::test]
    async fn what_exists_is_opened_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("billing.sqlite");
        let url = format!("sqlite:{}", path.display());
        assert!(existing(&url).await.is_err());
        assert!(!path.exists(), "no file is created");
        std::fs::write(&path, b"").expect("an empty file");
        let refused = existing(&url).await.map(drop).expect_err("no tables");
        assert!(matches!(refused, OpenError::Store(StoreError::SchemaMissing { .. })), "{refused:?}");
        open(&url).await.expect("migrated");
        existing(&url).await.expect("a migrated database");
    }

    #[tokio::test]
    async fn what_cannot_be_opened_says_why_and_repeats_no_secret() {
        let refused = async |url: &str| match open(url).await {
            Ok(_) => String::new(),
            Err(error) => format!("{error} {error:?}"),
        };
        let scheme = refused("mysql://user:hunter2@h/d").await;
        assert!(
            scheme.starts_with("a database URL must begin with memory:, sqlite:, postgres: or d1:, not with \"mysql\"")
        );
        let option = refused("sqlite::memory:?prefix=A-B").await;
        assert!(option.starts_with("the URL's parameter prefix= is missing or invalid"), "{option}");
        let token = refused("d1:account/database").await;
        assert!(token.starts_with("the URL's parameter token= is missing or invalid"), "{token}");
        let gateway = refused("d1:account/database?token=hunter2&base=http://127.0.0.1:1").await;
        let server = refused("postgres://user:hunter2@127.0.0.1:1/d").await;
        let port = refused("postgres://user:hunter2@h:port/d").await;
        assert!(port.starts_with("the URL is invalid") && port.contains("InvalidPort"), "{port}");
        for text in [scheme, option, gateway, server, port] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
