//! Tests which settings the server accepts, and with which it refuses to start.

use std::{fs, time::Duration};

use super::server::{Settings, Variables};

const STRIPE: &[(&str, &str)] = &[("STRIPE_WEBHOOK_SECRET", "whsec_a"), ("STRIPE_MODE", "test")];

fn read(set: &[(&str, &str)]) -> Result<Settings, String> {
    let variables = Variables::new(|wanted| {
        let found = set.iter().rev().find(|(name, _)| *name == wanted);
        Ok(found.map(|(_, value)| (*value).to_owned()))
    });
    Settings::read(&variables).map_err(|fault| format!("{fault:#}"))
}

fn refused(set: &[(&str, &str)]) -> String {
    read(set).err().unwrap_or_default()
}

#[test]
fn a_provider_without_its_mode_is_refused() {
    let secret = ("STRIPE_WEBHOOK_SECRET", "whsec_a");
    let missing = "STRIPE_MODE is missing: it must be live, test or both when STRIPE_WEBHOOK_SECRET is set";
    assert_eq!(refused(&[secret]), missing);
    assert_eq!(refused(&[secret, ("STRIPE_MODE", "")]), missing);
    assert_eq!(refused(&[secret, ("STRIPE_MODE", "prod")]), "STRIPE_MODE must be live, test or both");
    let secret = ("PADDLE_WEBHOOK_SECRET", "pdl_ntfset_a");
    let missing = "PADDLE_MODE is missing: it must be live or test when PADDLE_WEBHOOK_SECRET is set";
    assert_eq!(refused(&[secret]), missing);
    assert_eq!(refused(&[secret, ("PADDLE_MODE", "both")]), "PADDLE_MODE must be live or test");
    for mode in ["live", "test"] {
        let settings = read(&[secret, ("PADDLE_MODE", mode)]).expect(mode);
        assert_eq!(settings.providers.iter().map(|it| it.name().as_str()).collect::<Vec<_>>(), ["paddle"]);
    }
    let nobody = "set STRIPE_WEBHOOK_SECRET or PADDLE_WEBHOOK_SECRET to an endpoint's signing secrets, comma-separated";
    assert_eq!(refused(&[("STRIPE_MODE", "test")]), nobody);
}

#[test]
fn an_unusable_value_is_refused_with_what_it_may_be() {
    let check = |name: &str, value: &str, expect: &str| {
        assert_eq!(refused(&[STRIPE, &[(name, value)]].concat()), expect, "{name}={value}");
    };
    check("STRIPE_TOLERANCE_SECONDS", "5m", "STRIPE_TOLERANCE_SECONDS must be a whole number from 0 to 4294967295");
    check("ADDR", "8080", "ADDR must be an IP address with a port, such as 127.0.0.1:8080");
    check("READ_TOKEN", "fifteen--bytes!", "READ_TOKEN: a token must have at least 16 bytes");
    check(
        "READ_TOKEN",
        "a token with spaces",
        "READ_TOKEN: a token must contain only visible ASCII characters, without spaces",
    );
    for name in ["HEADER", "BODY", "REQUEST", "READY", "SHUTDOWN"] {
        let name = format!("{name}_TIMEOUT_SECONDS");
        for value in ["0", "3601", "-1", "1.5", "10s"] {
            check(&name, value, &format!("{name} must be a whole number from 1 to 3600"));
        }
    }
    check("MAX_CONNECTIONS", "0", "MAX_CONNECTIONS must be a whole number from 1 to 65536");
    check("BODY_BUDGET_BYTES", "1048575", "BODY_BUDGET_BYTES must be a whole number from 1048576 to 1073741824");
    let paddle = [("PADDLE_WEBHOOK_SECRET", "pdl_ntfset_a"), ("PADDLE_MODE", "test")];
    let set = [paddle.as_slice(), &[("PADDLE_SIMULATED", "yes")]].concat();
    assert_eq!(refused(&set), "PADDLE_SIMULATED must be refuse or mark");
    let set = [paddle.as_slice(), &[("PADDLE_CUSTOM_DATA", "no")]].concat();
    assert_eq!(refused(&set), "PADDLE_CUSTOM_DATA must be customers or everywhere");
}

#[test]
fn what_is_set_is_taken_and_the_rest_has_defaults() {
    let settings = read(STRIPE).expect("enough");
    assert_eq!(settings.address.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.database_url, "sqlite://purchase.sqlite");
    assert!(settings.read_token.is_none());
    let bounds = settings.bounds;
    let seconds = [bounds.header, bounds.body, bounds.request, bounds.ready, bounds.shutdown].map(|it| it.as_secs());
    assert_eq!(seconds, [10, 15, 30, 2, 20]);
    assert_eq!((bounds.connections, bounds.body_budget_bytes), (512, 32 << 20));

    let set = [
        ("HEADER_TIMEOUT_SECONDS", "1"),
        ("BODY_TIMEOUT_SECONDS", "2"),
        ("REQUEST_TIMEOUT_SECONDS", "3"),
        ("READY_TIMEOUT_SECONDS", "4"),
        ("SHUTDOWN_TIMEOUT_SECONDS", "5"),
        ("MAX_CONNECTIONS", "6"),
        ("BODY_BUDGET_BYTES", "2000000"),
        ("READ_TOKEN", "sixteen--bytes!!"),
    ];
    let settings = read(&[STRIPE, &set].concat()).expect("usable");
    assert!(settings.read_token.is_some());
    let bounds = settings.bounds;
    let times = [bounds.header, bounds.body, bounds.request, bounds.ready, bounds.shutdown];
    assert_eq!(times, [1, 2, 3, 4, 5].map(Duration::from_secs));
    assert_eq!((bounds.connections, bounds.body_budget_bytes), (6, 2_000_000));
}

#[test]
fn a_catalogue_is_read_from_a_file_and_its_faults_have_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("catalog.toml");
    let shown = path.to_str().expect("a path");
    let with = |text: &str| {
        fs::write(&path, text).expect("written");
        read(&[STRIPE, &[("CATALOG", shown)]].concat())
    };
    let settings = with("[prices]\nprice_1 = \"desk:team\"\n").expect("a catalogue");
    assert_eq!(settings.catalog.benefit("price_1"), "desk:team");
    let engine = settings.engine(std::sync::Arc::new(purchase::store::memory::MemoryStore::new()));
    assert_eq!(engine.settings().catalog, settings.catalog, "the engine uses the catalogue");

    let fault = |text: &str| with(text).err().unwrap_or_default();
    let place = |line: u32| format!("CATALOG: {shown}:{line}: ");
    let unknown = fault("[prices]\n\n[offers]\n");
    assert_eq!(unknown, format!("{}unknown field `offers`, expected `prices`", place(3)));
    assert!(fault("[prices]\nprice_1 = 5\n").starts_with(&place(2)));
    assert!(fault("[prices]\nprice_1 = \"a\"\nprice_2\n").starts_with(&place(3)));
    fs::remove_file(&path).expect("removed");
    assert_eq!(
        refused(&[STRIPE, &[("CATALOG", shown)]].concat()),
        format!("CATALOG: {shown} can't be read: No such file or directory (os error 2)")
    );
}
