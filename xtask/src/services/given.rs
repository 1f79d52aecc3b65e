//! Decides when a server run by someone else is used: when environment variables name one that wasn't started here.

use anyhow::{Context, bail};

use super::{Service, Variables, process};

/// The variables of a service that someone else runs. `own` has the variables of the one started here; `said` looks up
/// an environment variable. The error never contains a password.
pub(super) fn by_environment(
    service: Service,
    own: Option<&Variables>,
    said: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<Variables>> {
    let names = service.variables();
    let default_port = match service {
        Service::D1 => 443,
        Service::Postgres => 5432,
    };
    let said = |name: &str| said(name).filter(|value| !value.is_empty());
    let Some(url) = said(names[0]) else { return Ok(None) };
    if own.is_some_and(|own| own.iter().any(|(_, value)| *value == url)) {
        return Ok(None);
    }
    let mut variables = Variables::new();
    for name in names {
        let value = said(name).with_context(|| format!("{} is set, but {name} is not", names[0]))?;
        variables.push((name, value));
    }
    let parsed = reqwest::Url::parse(&url).map_err(|error| anyhow::anyhow!("{} is not a URL: {error}", names[0]))?;
    let host = parsed.host_str().with_context(|| format!("{} has no host", names[0]))?;
    let port = parsed.port_or_known_default().unwrap_or(default_port);
    // Only a URL writes an IPv6 address in brackets.
    if !process::listens(host.trim_matches(['[', ']']), port) {
        bail!("{} names {host}:{port}, where no server listens; start that server, or unset the variable", names[0]);
    }
    Ok(Some(variables))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{
        super::{d1, postgres},
        *,
    };

    /// The result for an environment with one variable for PostgreSQL.
    fn postgres(url: &str, own: Option<&Variables>) -> Result<Option<Variables>, String> {
        let said = |name: &str| (name == postgres::URL).then(|| url.to_owned());
        by_environment(Service::Postgres, own, said).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_server_of_somebody_else_is_used() -> anyhow::Result<()> {
        let port = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("postgres://me:secret@{}/db?x=1", port.local_addr()?);
        let given = vec![(postgres::URL, url.clone())];
        assert_eq!(postgres(&url, None), Ok(Some(given.clone())));
        assert_eq!(postgres(&url, Some(&given)), Ok(None), "it is the one started here");
        assert_eq!(postgres("", None), Ok(None));
        drop(port);
        let error = postgres(&url, None).expect_err("no server listens");
        assert!(error.contains("where no server listens") && !error.contains("secret"), "{error}");
        Ok(())
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_it() {
        for (url, expect) in [
            ("secret", "PURCHASE_TEST_POSTGRES_URL is not a URL: relative URL without a base"),
            ("postgres:///secret", "PURCHASE_TEST_POSTGRES_URL has no host"),
        ] {
            assert_eq!(postgres(url, None), Err(expect.to_owned()));
        }
    }

    #[test]
    fn a_d1_without_its_token_is_refused() {
        let said = |name: &str| (name == d1::URL).then(|| "http://127.0.0.1:1".to_owned());
        let error = by_environment(Service::D1, None, said).expect_err("the token is missing");
        assert_eq!(error.to_string(), "PURCHASE_TEST_D1_URL is set, but PURCHASE_TEST_D1_TOKEN is not");
    }
}
