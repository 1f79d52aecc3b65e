//! Tests what the log contains about a delivery that is refused for its signature, and what it must not contain.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use purchase_core::{
    capability::Capabilities,
    delivery::{Delivery, Headers, Limits},
    engine::Engine,
    id::ProviderName,
    provider::{Event, Provider, Requests, Unreadable, Webhooks},
    store::memory::MemoryStore,
    verify::{PresentedSignature, Secret, SignatureError, SignatureHeader, Trust, VerifiedDelivery},
};
use tracing::{
    Event as Traced, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::acme::at;

const SECRET: &str = "planted_secret_of_the_endpoint";
const BODY: &[u8] = br#"{"email":"planted@example.com"}"#;

/// Signs with a time, as most providers do.
struct Timed {
    name: ProviderName,
    trust: Trust,
}

const HEADER: SignatureHeader =
    SignatureHeader { name: "timed-signature", separator: ',', time_key: "t", mac_key: "m", joint: '.' };

impl Provider for Timed {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
    }

    fn longest_dunning_seconds(&self) -> i64 {
        30 * 24 * 3600
    }

    fn webhooks(&self) -> &dyn Webhooks {
        self
    }

    fn requests(&self) -> Option<&dyn Requests> {
        None
    }
}

impl Webhooks for Timed {
    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn presented_signature(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
        HEADER.find(headers, limits)
    }

    fn read(&self, _: &VerifiedDelivery) -> Result<Event, Unreadable> {
        panic!("no delivery of this test is genuine")
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        one == other
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("writing to a string succeeds");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Traced<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().expect("unpoisoned").push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Processes a delivery with this header at 1,000,000, and returns the lines of the log.
fn lines(header: Option<String>) -> Vec<String> {
    let name = ProviderName::new("timed").expect("a name");
    let secrets = Secret::list([SECRET, "another_planted_secret"]).expect("secrets");
    let trust = Trust::new(secrets, Some(300)).expect("a trust");
    let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(Arc::new(Timed { name: name.clone(), trust }));
    let headers = header.iter().map(|value| ("Timed-Signature", value)).collect();
    let delivery = Delivery { provider: name, headers, body: BODY.to_vec(), received_at: at(1_000_000) };
    let log = Log::default();
    // With a single subscriber, a thread without one also decides whether an event is enabled. So there are two
    // subscribers.
    let _other = tracing::Dispatch::new(log.clone());
    let answer = tracing::subscriber::with_default(log.clone(), || engine.admit(delivery));
    assert!(answer.is_err());
    log.0.lock().expect("unpoisoned").to_vec()
}

fn signed(seconds: i64, secret: &str) -> String {
    let mac = Secret::new(secret).expect("a secret").sign(&[seconds.to_string().as_bytes(), b".", BODY]);
    format!("t={seconds},m={}", hex::encode(mac))
}

#[test]
fn a_refused_signature_is_logged_with_its_reason_and_nothing_private() {
    let check = |header: Option<String>, expect: &str| {
        let lines = lines(header.clone());
        let message = "message=a delivery was refused because of its signature";
        let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
        assert_eq!(*line, format!("WARN {message} provider=\"timed\" {expect}"));
        let macs = header.iter().flat_map(|header| header.split(['=', ',']).map(str::to_owned));
        for private in macs.filter(|part| part.len() > 6).chain([SECRET.to_owned(), "planted".to_owned()]) {
            assert!(!line.contains(&private), "{private} in {line}");
        }
    };
    check(None, "reason=\"signature_missing\" signatures=0 secrets=2");
    check(Some("t=now".to_owned()), "reason=\"signature_malformed\" signatures=0 secrets=2");
    check(Some("t=1000000".to_owned()), "reason=\"signature_no_scheme\" signatures=0 secrets=2");
    let wrong = format!("{},m={}", signed(1_000_000, "wrong"), "00".repeat(32));
    check(Some(wrong), "reason=\"signature_mismatch\" signatures=2 secrets=2");
    let aged = |age: i64, code: &str, bucket: &str| {
        let expect = format!("reason=\"{code}\" signatures=1 secrets=2 age=\"{bucket}\"");
        check(Some(signed(1_000_000 - age, SECRET)), &expect);
    };
    aged(301, "signature_stale", "under_10_minutes");
    aged(600, "signature_stale", "under_1_hour");
    aged(3_600, "signature_stale", "under_1_day");
    aged(86_400, "signature_stale", "over_1_day");
    aged(-301, "signature_future", "under_10_minutes");
}
