//! Renders the index of error codes from the code. `PURCHASE_RENDER=1 cargo test -p purchase-core` writes the page anew.

use std::{collections::BTreeSet, fs, path::Path};

use purchase_core::{
    error::{Cause, Refusal, StoreError},
    id::Mode,
    provider::ReadFault,
    verify::SignatureError,
};

const HEAD: &str = "# Error codes

Every refusal has a stable code, an HTTP status and a message. This page is generated from the code; the values in the
messages are examples. If a delivery is refused with 503, the provider sends it again. In code, use `Refusal::code`,
`Refusal::http_status` and `Refusal::advice`.

| code | status | message | what to do |
|---|---|---|---|
";

fn cause() -> Cause {
    "the cause".into()
}

/// One refusal for each code.
fn refusals() -> Vec<Refusal> {
    let event = || "event_0123456789abcdef".to_owned();
    let header = "x-signature";
    let signatures = [
        SignatureError::Future { seconds: 900, tolerance_seconds: 300 },
        SignatureError::Malformed { header, reason: "it has no time" },
        SignatureError::Mismatch { macs: 1, secrets: 2 },
        SignatureError::Missing { header },
        SignatureError::NoScheme { header, scheme: "v1" },
        SignatureError::Stale { seconds: 900, tolerance_seconds: 300 },
    ];
    let (path, expected, found) = ("data.object.status".to_owned(), "string", "a number".to_owned());
    let faults = [
        ReadFault::Future { path: "created".to_owned(), seconds_ahead: 90_000 },
        ReadFault::NoAdapter,
        ReadFault::NotJson { line: 1, column: 9 },
        ReadFault::NotUtf8 { at: 12 },
        ReadFault::Shape { path, expected: expected.into(), found },
        ReadFault::WrongAccount,
        ReadFault::WrongMode { expected: Mode::Live, found: Mode::Test },
    ];
    let operation = "commit";
    let stores = [
        StoreError::Busy { cause: cause() },
        StoreError::Corrupt { table: "subjects", cause: cause() },
        StoreError::Full { cause: cause() },
        StoreError::ReadOnly { cause: cause() },
        StoreError::Refused { operation, cause: cause() },
        StoreError::SchemaMissing { wanted: 8 },
        StoreError::SchemaNewer { found: 9, wanted: 8 },
        StoreError::SchemaOlder { found: 7, wanted: 8 },
        StoreError::TimedOut { operation, cause: cause() },
        StoreError::Unavailable { operation, cause: cause() },
    ];
    let own = [
        Refusal::BodyTooLarge { bytes: 2_000_000, limit: 1_048_576 },
        Refusal::Closing,
        Refusal::Conflict { event: event() },
        Refusal::Contended { attempts: 32 },
        Refusal::KeyConflict { scope: "refund".to_owned() },
        Refusal::LeaseLost,
        Refusal::Overloaded { limit: 4096 },
        Refusal::TooMany { deliveries: 300, limit: 256 },
        Refusal::Undecided,
        Refusal::UnknownProvider { provider: "acme".to_owned() },
    ];
    let unreadable = faults.map(|fault| Refusal::Unreadable { event: event(), fault });
    own.into_iter()
        .chain(signatures.map(Refusal::Signature))
        .chain(stores.map(Refusal::Store))
        .chain(unreadable)
        .collect()
}

#[test]
fn the_page_lists_every_error_code() {
    let mut rows: Vec<String> = refusals()
        .iter()
        .map(|it| format!("| `{}` | {} | {it} | {} |\n", it.code(), it.http_status(), it.advice()))
        .collect();
    rows.sort();
    let page = format!("{HEAD}{}", rows.concat());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs/errors.md");
    if std::env::var_os("PURCHASE_RENDER").is_some() {
        fs::write(&path, &page).expect("a writable page");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, page, "run PURCHASE_RENDER=1 cargo test -p purchase-core to update the page");
}

#[test]
fn no_code_is_left_out_or_given_twice() {
    let shown: Vec<&str> = refusals().iter().map(Refusal::code).collect();
    let source = include_str!("../../src/error.rs");
    let codes = source.lines().filter_map(|line| {
        let (variant, code) = line.trim().strip_suffix("\",")?.split_once(" => \"")?;
        (variant.contains("::") && code.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')).then_some(code)
    });
    let codes: BTreeSet<&str> = codes.collect();
    assert_eq!(shown.len(), shown.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), codes);
}
