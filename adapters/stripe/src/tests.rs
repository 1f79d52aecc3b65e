//! Tests of the envelope, of the events that an endpoint accepts, and of the configuration. The helpers sign a body and
//! read it like the engine.

use purchase_conformance::lines;
use purchase_core::{
    capability::Capability,
    delivery::Delivery,
    id::{Mode, ProviderId},
    provider::{FetchNeed, Remark},
    time::Timestamp,
    verify::{Secret, SecretError, TrustError, verify},
};
use serde_json::json;

use super::*;

const SECRET: &str = "whsec_test";

pub(crate) fn stripe(change: impl FnOnce(&mut StripeConfig)) -> Stripe {
    let mut config = StripeConfig::new(ModePolicy::Both, [SECRET]).expect("a secret");
    change(&mut config);
    Stripe::new(config).expect("a configuration")
}

pub(crate) fn read_bytes(stripe: &Stripe, body: &[u8]) -> Result<Event, Unreadable> {
    let mac = stripe.trust().secrets[0].sign(&[b"1700000000.", body]);
    let header = format!("t=1700000000,v1={}", hex::encode(mac));
    let delivery = Delivery {
        provider: stripe.name().clone(),
        headers: [("Stripe-Signature", header)].into_iter().collect(),
        body: body.to_vec(),
        received_at: Timestamp::from_seconds(1_700_000_000).expect("in range"),
    };
    let presented = stripe.presented_signature(&delivery.headers, &Limits::default()).expect("a signature");
    stripe.read(&verify(delivery, &presented, stripe.trust()).expect("genuine"))
}

pub(crate) fn read(stripe: &Stripe, body: &Value) -> Result<Event, Unreadable> {
    read_bytes(stripe, body.to_string().as_bytes())
}

pub(crate) fn shape(path: &str, expected: &str, found: &str) -> ReadFault {
    ReadFault::Shape { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
}

/// A snapshot event of a type that the table doesn't list, with keys laid over it; null removes a key.
fn envelope(over: Value) -> Value {
    let mut body = json!({
        "id": "evt_1", "object": "event", "type": "radar.early_fraud_warning.created", "created": 1_600_000_000,
        "livemode": false, "api_version": "2026-03-25.dahlia", "pending_webhooks": 1, "data": {"object": {}},
    });
    for (key, value) in over.as_object().expect("keys") {
        body[key] = value.clone();
    }
    body.as_object_mut().expect("keys").retain(|_, value| *value != "remove");
    body
}

#[test]
fn an_endpoint_of_another_account_has_a_name_of_its_own() {
    let name = ProviderName::new("stripe-eu").expect("a name");
    let other = stripe(|config| config.name = name.clone());
    assert_eq!((other.name(), stripe(|_| {}).name().to_string().as_str()), (&name, "stripe"));
    let event = read(&other, &envelope(json!({}))).expect("readable");
    assert_eq!(event.head.key.source.expose(), "stripe-eu//test");
}

fn fault(over: Value) -> ReadFault {
    let unreadable = read(&stripe(|_| {}), &envelope(over)).expect_err("unreadable");
    assert_eq!(unreadable.head, None);
    unreadable.fault
}

#[test]
fn the_head_is_read() {
    let event = read(&stripe(|config| config.accounts = Accounts::Any), &envelope(json!({"account": "acct_1"})));
    let Event { head, meaning, .. } = event.expect("readable");
    assert_eq!(head.key.id.expose(), "evt_1");
    assert_eq!(head.key.source.expose(), "stripe/acct_1/test");
    assert_eq!(head.event_type, "radar.early_fraud_warning.created");
    assert_eq!(head.occurred_at.to_string(), "2020-09-13T12:26:40Z");
    assert_eq!(head.api_version.as_deref(), Some("2026-03-25.dahlia"));
    assert_eq!(meaning, Meaning::Ignored);
}

#[test]
fn a_head_that_lacks_something_names_it() {
    assert_eq!(fault(json!({"created": "1600000000"})), shape("created", "integer seconds", "string"));
    assert_eq!(fault(json!({"created": "remove"})), shape("created", "integer seconds", "nothing"));
    assert_eq!(fault(json!({"created": 1.5})), shape("created", "integer seconds", "fraction"));
    assert_eq!(fault(json!({"id": "remove"})), shape("id", "id", "nothing"));
    assert_eq!(fault(json!({"id": 7})), shape("id", "id", "integer"));
    assert_eq!(fault(json!({"type": null})), shape("type", "string", "null"));
    assert_eq!(fault(json!({"livemode": "true"})), shape("livemode", "boolean", "string"));
    assert_eq!(fault(json!({"object": "list"})), shape("object", "\"event\" or \"v2.core.event\"", "another string"));
    assert_eq!(fault(json!({"object": "v2.core.event"})), shape("created", "RFC 3339 time", "integer"));
    let thin = json!({"object": "v2.core.event", "created": "yesterday"});
    assert_eq!(fault(thin), shape("created", "RFC 3339 time", "a string of another form"));
}

#[test]
fn a_body_that_is_no_object_has_no_head() {
    let fault = |body: &[u8]| read_bytes(&stripe(|_| {}), body).expect_err("unreadable");
    let expect = |fault| Unreadable { head: None, fault };
    assert_eq!(fault(b"[]"), expect(shape("", "object", "array")));
    assert_eq!(fault(b"{}"), expect(shape("object", "\"event\" or \"v2.core.event\"", "nothing")));
    assert_eq!(fault(b"{"), expect(ReadFault::NotJson { line: 1, column: 1 }));
    assert_eq!(fault(b"{\"\xc3\": 1}"), expect(ReadFault::NotUtf8 { at: 2 }));
}

#[test]
fn a_listed_type_without_an_object_keeps_its_head() {
    let body = envelope(json!({"type": "customer.created", "data": {"object": "cus_1"}}));
    let unreadable = read(&stripe(|_| {}), &body).expect_err("unreadable");
    assert_eq!(unreadable.fault, shape("data.object", "object", "string"));
    assert_eq!(unreadable.head.expect("a head").key.id.expose(), "evt_1");
}

#[test]
fn events_of_the_wrong_mode_are_refused_with_their_real_source() {
    let live = || envelope(json!({"livemode": true}));
    let only = |mode| stripe(move |config| config.mode = ModePolicy::Only(mode));
    let unreadable = read(&only(Mode::Test), &live()).expect_err("refused");
    assert_eq!(unreadable.fault, ReadFault::WrongMode { expected: Mode::Test, found: Mode::Live });
    assert_eq!(unreadable.head.expect("a head").key.source.expose(), "stripe//live");
    assert_eq!(read(&only(Mode::Live), &live()).expect("served").meaning, Meaning::Ignored);
}

#[test]
fn events_of_the_wrong_account_are_refused_with_their_real_source() {
    let check = |accounts: Accounts, account: Value, served: bool| {
        let stripe = stripe(|config| config.accounts = accounts.clone());
        let found = read(&stripe, &envelope(json!({"account": account})));
        let name = account.as_str().unwrap_or_default();
        let head = match found {
            Ok(event) if served => event.head,
            Err(Unreadable { head: Some(head), fault: ReadFault::WrongAccount }) if !served => head,
            other => panic!("{accounts:?} {account}: {other:?}"),
        };
        assert_eq!(head.key.source.expose(), format!("stripe/{name}/test"));
    };
    let only = || Accounts::Only([ProviderId::new("acct_1").expect("id")].into());
    check(Accounts::Own, json!(null), true);
    check(Accounts::Own, json!("acct_1"), false);
    check(Accounts::Any, json!(null), true);
    check(Accounts::Any, json!("acct_1"), true);
    check(only(), json!("acct_1"), true);
    check(only(), json!("acct_2"), false);
    check(only(), json!(null), false);
}

#[test]
fn a_thin_event_asks_for_its_object() {
    let thin = |event_type: &str| {
        let body = json!({
            "id": "evt_2", "object": "v2.core.event", "type": event_type, "created": "2026-10-02T00:27:45.330Z",
            "livemode": true, "context": "acct_1", "snapshot_event": "evt_1",
            "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
        });
        read(&stripe(|config| config.accounts = Accounts::Any), &body).expect("readable")
    };
    let Event { head, meaning, .. } = thin("v1.customer.subscription.updated");
    let need = FetchNeed {
        path: Some("/v1/subscriptions/sub_1".to_owned()),
        snapshot_event: Some(ProviderId::new("evt_1").expect("id")),
    };
    assert_eq!(meaning, Meaning::Fetch(need));
    assert_eq!(head.key.source.expose(), "stripe/acct_1/live");
    assert_eq!(head.occurred_at.to_string(), "2026-10-02T00:27:45.33Z");
    assert_eq!(thin("v1.billing.meter.error_report_triggered").meaning, Meaning::Ignored);
    assert_eq!(thin("customer.subscription.updated").meaning, Meaning::Ignored);
}

#[test]
fn types_are_looked_up_by_their_exact_name() {
    for event_type in ["customer", "customer.created.x", "Customer.created", "plan.created", "invoice.paid ", ""] {
        let event = read(&stripe(|_| {}), &envelope(json!({"type": event_type})));
        assert_eq!(event.expect("readable").meaning, Meaning::Ignored, "{event_type}");
    }
}

#[test]
fn only_the_count_of_pending_webhooks_may_differ() {
    let stripe = stripe(|_| {});
    let body = |over| envelope(over).to_string().into_bytes();
    let same = |one, other| stripe.same_content(&body(one), &body(other));
    assert!(same(json!({}), json!({"pending_webhooks": 0})));
    assert!(same(json!({}), json!({"pending_webhooks": "remove"})));
    assert!(!same(json!({}), json!({"created": 1_600_000_001})));
    assert!(!same(json!({"data": {"pending_webhooks": 1}}), json!({"data": {"pending_webhooks": 2}})));
    // During an upgrade, two endpoints receive one event in two versions.
    assert!(same(json!({}), json!({"api_version": "2022-11-15", "data": {"object": {"id": "x"}}})));
    assert!(!same(json!({}), json!({"api_version": "2022-11-15", "type": "invoice.voided"})));
    assert!(!stripe.same_content(b"nonsense", b"nonsense "));
    assert!(stripe.same_content(b"{\"a\": 1}", b"{ \"a\":1 }"));
}

#[test]
fn invalid_configurations_are_refused() {
    let config = |secrets: &[&str]| StripeConfig::new(ModePolicy::Both, secrets.iter().copied());
    let refused = |config| Stripe::new(config).err();
    assert_eq!(
        config(&["a", " b"]).err(),
        Some(TrustError::Secret { number: 2, cause: SecretError::WhiteSpace }.into())
    );
    assert_eq!(refused(config(&[]).expect("a list")), Some(TrustError::NoSecret.into()));
    let good = || config(&["whsec_a"]).expect("a list");
    assert_eq!(good().tolerance_seconds, Some(300));
    assert_eq!(refused(StripeConfig { tolerance_seconds: Some(0), ..good() }), Some(TrustError::ZeroTolerance.into()));
    assert_eq!(refused(StripeConfig { tolerance_seconds: None, ..good() }), None);
    let nobody = Accounts::Only([].into());
    assert_eq!(refused(StripeConfig { accounts: nobody, ..good() }), Some(ConfigError::NoAccount));
}

#[test]
fn debug_shows_no_secret_and_no_id() {
    let account = ProviderId::new("acct_hidden").expect("id");
    let stripe = stripe(|config| config.accounts = Accounts::Only([account].into()));
    let text = format!("{stripe:?}");
    assert!(!text.contains("whsec") && !text.contains("hidden"), "{text}");
}

#[test]
fn capabilities_are_declared() {
    use Capability::{EventIds, ModeInEvent, PriorStates, SignedTime};
    assert_eq!(stripe(|_| {}).capabilities(), [EventIds, ModeInEvent, PriorStates, SignedTime].into());
}

/// The facts of an event about an object, as lines, and the remarks.
fn noted(event_type: &str, object: Value) -> (Vec<String>, Vec<Remark>) {
    let stripe = stripe(|config| config.client_reference = ClientReference::CustomerId);
    let body = envelope(json!({"type": event_type, "data": {"object": object}}));
    let event = read(&stripe, &body).expect("readable");
    match event.meaning {
        Meaning::Facts(facts) => (lines(&facts), event.remarks),
        meaning => panic!("{meaning:?}"),
    }
}

fn remark(path: &str, expected: &str, found: &str) -> Remark {
    Remark { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
}

#[test]
fn an_unusable_id_of_the_application_does_not_refuse_the_event() {
    let check = |metadata: Value, links: &str, remarks: &[Remark]| {
        let object = json!({"id": "cus_1", "object": "customer", "metadata": metadata});
        let expect = format!("customer:cus_1 shows customer:cus_1 changed{links}");
        assert_eq!(noted("customer.updated", object), (vec![expect], remarks.to_vec()));
    };
    let (owner, offer) = ("data.object.metadata.purchase_customer_id", "data.object.metadata.purchase_offer_id");
    check(json!({"purchase_customer_id": "u1", "purchase_offer_id": "pro"}), " of owner:u1 offer:pro", &[]);
    for metadata in [json!([]), json!("text"), json!(null), json!(5), json!(true)] {
        check(metadata, "", &[]);
    }
    let long = "x".repeat(256);
    let too_long = remark(owner, "id of at most 255 bytes", "a string of 256 bytes");
    check(json!({"purchase_customer_id": long, "purchase_offer_id": "pro"}), " of offer:pro", &[too_long]);
    let control = "a string with control characters";
    let bell = remark(offer, "id without control characters", control);
    check(json!({"purchase_customer_id": "u1", "purchase_offer_id": "p\u{7}"}), " of owner:u1", &[bell]);
    let both = [remark(offer, "string", "object"), remark(owner, "string", "integer")];
    check(json!({"purchase_customer_id": 42, "purchase_offer_id": {}}), "", &both);
}

#[test]
fn an_unusable_client_reference_does_not_refuse_the_session() {
    let check = |reference: Value, owner: &str, remarks: &[Remark]| {
        let object = json!({"id": "cs_1", "object": "checkout.session", "mode": "payment", "status": "complete",
            "payment_status": "paid", "client_reference_id": reference, "metadata": {}});
        let expect = format!("checkout:cs_1 shows checkout:cs_1 changed{owner}");
        assert_eq!(noted("checkout.session.completed", object), (vec![expect], remarks.to_vec()));
    };
    let path = "data.object.client_reference_id";
    check(json!("u9"), " of owner:u9", &[]);
    check(json!(null), "", &[]);
    check(json!(9), "", &[remark(path, "string", "integer")]);
    let long = remark(path, "id of at most 255 bytes", "a string of 300 bytes");
    check(json!("x".repeat(300)), "", &[long]);
}

#[test]
fn an_invoice_notes_the_odd_owner_of_its_subscription() {
    let odd = json!({"subscription": "sub_1", "metadata": {"purchase_customer_id": ["u1"]}});
    let object = json!({"id": "in_1", "status": "open", "currency": "usd", "total": 1, "amount_paid": 0,
        "metadata": [], "parent": {"subscription_details": odd}});
    let path = "data.object.parent.subscription_details.metadata.purchase_customer_id";
    let (lines, remarks) = noted("invoice.updated", object);
    assert_eq!(remarks, [remark(path, "string", "array")]);
    assert_eq!(lines, ["invoice:in_1 shows invoice:in_1 changed of subscription:sub_1"]);
}

/// A body with one text in a field that no reader reads, and another in a field that changes between deliveries.
fn with_unread(unread: &str, pending: u32) -> Vec<u8> {
    format!(
        r#"{{"id": "evt_1", "object": "event", "type": "customer.updated", "created": 1600000000, "livemode": false,
        "pending_webhooks": {pending}, "data": {{"object": {{"id": "cus_1", "email": "a@example.com",
        "metadata": {{"note": {unread}}}}}}}}}"#
    )
    .into_bytes()
}

#[test]
fn text_that_nobody_reads_changes_nothing_and_compares_as_it_is_read() {
    let stripe = stripe(|_| {});
    let plain = read_bytes(&stripe, &with_unread("1", 1)).expect("readable");
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let bom = |body: Vec<u8>| [b"\xEF\xBB\xBF".as_slice(), &body].concat();
    for odd in [r#""\ud800""#, "1e999", &deep] {
        let body = with_unread(odd, 1);
        assert_eq!(read_bytes(&stripe, &body).as_ref(), Ok(&plain), "{odd:.20}");
        assert_eq!(read_bytes(&stripe, &bom(body.clone())).as_ref(), Ok(&plain), "{odd:.20}");
        assert!(stripe.same_content(&body, &with_unread(odd, 2)), "{odd:.20}");
        assert!(stripe.same_content(&body, &bom(with_unread(odd, 2))), "{odd:.20}");
        assert!(!stripe.same_content(&body, &with_unread("2", 1)), "{odd:.20}");
    }
    assert!(!stripe.same_content(&with_unread("1e999", 1), &with_unread("1e998", 1)));
}

#[test]
fn an_id_that_was_replaced_names_no_event() {
    let body =
        br#"{"id": "evt_\ud800", "object": "event", "type": "customer.updated", "created": 1, "livemode": false}"#;
    let fault = read_bytes(&stripe(|_| {}), body).expect_err("no event");
    let found = "a string with NUL, a lone surrogate or U+FFFD";
    assert_eq!(fault, Unreadable { head: None, fault: shape("id", "id of valid characters", found) });
}

#[test]
fn a_time_out_of_range_is_a_fault_with_its_path() {
    let range = "integer seconds between the years 1684 and 2255";
    assert_eq!(fault(json!({"created": i64::MAX})), shape("created", range, "an integer above that range"));
    assert_eq!(fault(json!({"created": -62_135_596_800_i64})), shape("created", range, "an integer below that range"));
    let thin = json!({"object": "v2.core.event", "created": "9999-12-30T00:00:00Z"});
    let range = "RFC 3339 time between the years 1684 and 2255";
    assert_eq!(fault(thin), shape("created", range, "a time outside that range"));
    let thin = json!({"object": "v2.core.event", "created": "2020-09-13T12:26:40Z"});
    for body in [envelope(json!({})), envelope(thin)] {
        assert_eq!(read(&stripe(|_| {}), &body).expect("readable").head.occurred_at_path, "created");
    }
}

/// The settings of a program that only reads. It must refuse every delivery.
#[test]
fn a_reader_reads_as_the_endpoint_does_and_believes_no_delivery() {
    let config = || StripeConfig::new(ModePolicy::Only(Mode::Test), [SECRET]).expect("a secret");
    let bare = StripeConfig { secrets: Vec::new(), ..config() };
    assert_eq!(Stripe::new(bare.clone()).err(), Some(TrustError::NoSecret.into()));
    for config in [bare, config()] {
        let reader = Stripe::reader(config).expect("a reader");
        assert!(reader.trust().secrets.is_empty());
        let mac = hex::encode(Secret::new(SECRET).expect("a secret").sign(&[b"1700000000.", b"{}"]));
        let delivery = Delivery {
            provider: reader.name().clone(),
            headers: [("Stripe-Signature", format!("t=1700000000,v1={mac}"))].into_iter().collect(),
            body: b"{}".to_vec(),
            received_at: Timestamp::from_seconds(1_700_000_000).expect("in range"),
        };
        let presented = reader.presented_signature(&delivery.headers, &Limits::default()).expect("a signature");
        let refused = verify(delivery, &presented, reader.trust()).expect_err("a reader trusts no signature");
        assert_eq!(refused, SignatureError::Mismatch { macs: 1, secrets: 0 });
    }
    let wrong = StripeConfig { secrets: Vec::new(), tolerance_seconds: Some(0), ..config() };
    assert_eq!(Stripe::reader(wrong).err(), Some(TrustError::ZeroTolerance.into()));
}
