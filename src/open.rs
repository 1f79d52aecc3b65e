//! Decides which store a URL means, so that an application, or an operator, chooses one by configuration.

use std::sync::Arc;

#[cfg(any(feature = "d1", feature = "postgres", feature = "sqlite"))]
use purchase_sql::TablePrefix;

use crate::{error::StoreError, store::Store};

/// Opens the store that a URL names, and brings its tables forward.
///
/// | URL | store |
/// |---|---|
/// | `memory:` | in memory, gone with the process |
/// | `sqlite:PATH`, `sqlite::memory:` | a file of SQLite, made where there is none |
/// | `postgres://USER:PASSWORD@HOST:PORT/DATABASE` | a PostgreSQL server |
/// | `d1:ACCOUNT/DATABASE?token=TOKEN` | a database of Cloudflare D1, over HTTP |
///
/// Some words of a URL are this library's own: `prefix=`, which stands before the name of every table; for PostgreSQL
/// `schema=`, as in `postgres://app@db/app?sslmode=verify-full&schema=billing`; for D1 `token=`, and `base=`, the address of
/// a gateway that answers instead of Cloudflare's. Their values are percent-encoded, as in any URL.
///
/// # Errors
/// [`OpenError`]; no error repeats the URL, which may hold a password.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    store(url, Tables::Migrated).await
}

/// Opens the store that a URL names as it is: no file is made, and no table brought forward. For programs that look before
/// they change anything.
///
/// # Errors
/// [`OpenError`], as [`open`]; [`StoreError::SchemaOlder`] among others, where the tables are not of this version.
pub async fn existing(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    store(url, Tables::Checked).await
}

/// What becomes of the tables of an older version.
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

/// Why no store was opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The feature of the store isn't enabled.
    #[error("this program was built without {feature}; enable the feature {feature:?} of the package purchase")]
    Feature {
        /// The feature.
        feature: &'static str,
    },
    /// A word of the URL that is this library's has an unusable value.
    #[error("the URL's {name}= can't be used")]
    Option {
        /// The word.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        cause: crate::error::Cause,
    },
    /// The text is not a URL.
    #[error("the URL can't be read")]
    Malformed {
        /// What is wrong with it.
        #[source]
        cause: crate::error::Cause,
    },
    /// No store goes by such a URL.
    #[error("a database's URL begins with memory:, sqlite:, postgres: or d1:, not with {scheme:?}")]
    Scheme {
        /// What it begins with.
        scheme: String,
    },
    /// The store refused.
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

/// Takes a word out of a URL's query. All else stays as it is written: a path of SQLite's holds what no URL may.
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
    fn own_words_are_taken_out_of_a_url() {
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
        assert!(!path.exists(), "no file is made");
        std::fs::write(&path, b"").expect("an empty file");
        let refused = existing(&url).await.map(drop).expect_err("no tables");
        assert!(matches!(refused, OpenError::Store(StoreError::SchemaMissing { .. })), "{refused:?}");
        open(&url).await.expect("migrated");
        existing(&url).await.expect("it is there now");
    }

    #[tokio::test]
    async fn what_cannot_be_opened_says_why_and_repeats_no_secret() {
        let refused = async |url: &str| match open(url).await {
            Ok(_) => String::new(),
            Err(error) => format!("{error} {error:?}"),
        };
        let scheme = refused("mysql://user:hunter2@h/d").await;
        assert!(
            scheme.starts_with("a database's URL begins with memory:, sqlite:, postgres: or d1:, not with \"mysql\"")
        );
        let option = refused("sqlite::memory:?prefix=A-B").await;
        assert!(option.starts_with("the URL's prefix= can't be used"), "{option}");
        let token = refused("d1:account/database").await;
        assert!(token.starts_with("the URL's token= can't be used"), "{token}");
        let gateway = refused("d1:account/database?token=hunter2&base=http://127.0.0.1:1").await;
        let server = refused("postgres://user:hunter2@127.0.0.1:1/d").await;
        let port = refused("postgres://user:hunter2@h:port/d").await;
        assert!(port.starts_with("the URL can't be read") && port.contains("InvalidPort"), "{port}");
        for text in [scheme, option, gateway, server, port] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
