//! Tests of the envelope, of the events that an endpoint accepts, and of the configuration. The helpers sign a body and
//! read it like the engine.

use purchase_conformance::lines;
use purchase_core::{
    delivery::Delivery,
    provider::Remark,
    time::Timestamp,
    verify::{SecretError, TrustError, verify},
};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "pdl_ntfset_test";

pub(crate) fn paddle(change: impl FnOnce(&mut PaddleConfig)) -> Paddle {
    let mut config = PaddleConfig::new(Mode::Test, [SECRET]).expect("a secret");
    change(&mut config);
    Paddle::new(config).expect("a configuration")
}

pub(crate) fn read_bytes(paddle: &Paddle, body: &[u8]) -> Result<Event, Unreadable> {
    let mac = paddle.trust().secrets[0].sign(&[b"1700000000:", body]);
    let delivery = Delivery {
        provider: paddle.name().clone(),
        headers: [("Paddle-Signature", format!("ts=1700000000;h1={}", hex::encode(mac)))].into_iter().collect(),
        body: body.to_vec(),
        received_at: Timestamp::from_seconds(1_700_000_000).expect("in range"),
    };
    let presented = paddle.presented_signature(&delivery.headers, &Limits::default()).expect("a signature");
    paddle.read(&verify(delivery, &presented, paddle.trust()).expect("genuine"))
}

pub(crate) fn read(paddle: &Paddle, body: &Value) -> Result<Event, Unreadable> {
    read_bytes(paddle, body.to_string().as_bytes())
}

pub(crate) fn shape(path: &str, expected: &str, found: &str) -> ReadFault {
    ReadFault::Shape { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
}

/// An object with keys laid over it; "remove" removes a key.
pub(crate) fn with(mut object: Value, over: Value) -> Value {
    for (key, value) in over.as_object().expect("keys") {
        object[key] = value.clone();
    }
    object.as_object_mut().expect("keys").retain(|_, value| *value != "remove");
    object
}

/// An event of a type without commercial content, with keys laid over it.
fn envelope(over: Value) -> Value {
    let body = json!({
        "event_id": "evt_1", "event_type": "address.created", "occurred_at": "2024-09-09T16:00:48.444751Z",
        "notification_id": "ntf_1", "data": {"id": "add_1"},
    });
    with(body, over)
}

fn fault(over: Value) -> ReadFault {
    let unreadable = read(&paddle(|_| {}), &envelope(over)).expect_err("unreadable");
    assert_eq!(unreadable.head, None);
    unreadable.fault
}

#[test]
fn the_head_is_read() {
    let Event { head, meaning, .. } = read(&paddle(|_| {}), &envelope(json!({}))).expect("readable");
    assert_eq!(head.key.id.expose(), "evt_1");
    assert_eq!(head.key.source.expose(), "paddle//test");
    assert_eq!(head.event_type, "address.created");
    assert_eq!(head.occurred_at.to_string(), "2024-09-09T16:00:48.444751Z");
    assert_eq!(head.api_version, None);
    assert_eq!(meaning, Meaning::Ignored);
}

#[test]
fn the_name_and_the_mode_are_the_configuration_s() {
    let change = |config: &mut PaddleConfig| {
        config.name = ProviderName::new("paddle-eu").expect("a name");
        config.mode = Mode::Live;
    };
    let event = read(&paddle(change), &envelope(json!({}))).expect("readable");
    assert_eq!(event.head.key.source.expose(), "paddle-eu//live");
}

#[test]
fn times_may_be_cut_or_have_an_offset() {
    let time = |text: &str| {
        let event = read(&paddle(|_| {}), &envelope(json!({ "occurred_at": text }))).expect(text);
        event.head.occurred_at.micros() - 1_725_897_648_000_000
    };
    assert_eq!(time("2024-09-09T16:00:48Z"), 0);
    assert_eq!(time("2024-09-09T16:00:48.4Z"), 400_000);
    assert_eq!(time("2024-09-09T18:00:48.444751+02:00"), 444_751);
    assert_eq!(time("2024-09-09T16:00:48.444751999Z"), 444_751);
}

#[test]
fn a_head_that_lacks_something_names_it() {
    assert_eq!(fault(json!({"event_id": "remove"})), shape("event_id", "id", "nothing"));
    assert_eq!(fault(json!({"event_id": 7})), shape("event_id", "id", "integer"));
    assert_eq!(fault(json!({"event_type": null})), shape("event_type", "string", "null"));
    assert_eq!(fault(json!({"occurred_at": "remove"})), shape("occurred_at", "RFC 3339 time", "nothing"));
    assert_eq!(
        fault(json!({"occurred_at": "yesterday"})),
        shape("occurred_at", "RFC 3339 time", "a string of another form")
    );
    assert_eq!(fault(json!({"occurred_at": 1_725_897_648})), shape("occurred_at", "RFC 3339 time", "integer"));
}

#[test]
fn a_body_that_is_no_object_has_no_head() {
    let fault = |body: &[u8]| read_bytes(&paddle(|_| {}), body).expect_err("unreadable");
    let expect = |fault| Unreadable { head: None, fault };
    assert_eq!(fault(b"[]"), expect(shape("", "object", "array")));
    assert_eq!(fault(b"{}"), expect(shape("event_id", "id", "nothing")));
    assert_eq!(fault(b"{"), expect(ReadFault::NotJson { line: 1, column: 1 }));
    assert_eq!(fault(b"{\"\xc3\": 1}"), expect(ReadFault::NotUtf8 { at: 2 }));
}

#[test]
fn a_listed_type_without_an_object_keeps_its_head() {
    let body = envelope(json!({"event_type": "customer.created", "data": "ctm_1"}));
    let unreadable = read(&paddle(|_| {}), &body).expect_err("unreadable");
    assert_eq!(unreadable.fault, shape("data", "object", "string"));
    assert_eq!(unreadable.head.expect("a head").key.id.expose(), "evt_1");
}

#[test]
fn what_the_simulator_made_up_is_refused_unless_it_is_asked_for() {
    let check = |over: Value, made_up: bool| {
        let body = envelope(over);
        let found = read(&paddle(|_| {}), &body);
        if !made_up {
            assert_eq!(found.expect("served").head.key.source.expose(), "paddle//test");
            return;
        }
        let unreadable = found.expect_err("refused");
        assert_eq!(unreadable.fault, ReadFault::WrongMode { expected: Mode::Test, found: Mode::Simulated });
        assert_eq!(unreadable.head.expect("a head").key.source.expose(), "paddle//simulated");
        let marked = read(&paddle(|config| config.simulated = Simulated::Mark), &body).expect("served");
        assert_eq!(marked.head.key.source.expose(), "paddle//simulated");
    };
    check(json!({"event_id": "ntfsimevt_1", "notification_id": "ntfsimntf_1"}), true);
    check(json!({"event_id": "ntfsimevt_1", "notification_id": "ntfsimevt_1"}), true);
    check(json!({"event_id": "ntfsimevt_1", "notification_id": "remove"}), true);
    check(json!({"notification_id": "ntfsimntf_1"}), true);
    check(json!({"notification_id": "remove"}), false);
    check(json!({"notification_id": null}), false);
    check(json!({"notification_id": 7}), false);
    check(json!({"event_id": "evt_ntfsimevt_1"}), false);
}

#[test]
fn types_are_looked_up_by_their_exact_name() {
    for event_type in ["customer", "customer.created.x", "Customer.created", "customer.deleted", "invoice.paid", ""] {
        let event = read(&paddle(|_| {}), &envelope(json!({"event_type": event_type})));
        assert_eq!(event.expect("readable").meaning, Meaning::Ignored, "{event_type}");
    }
}

#[test]
fn a_replay_is_the_same_event_in_another_notification() {
    let paddle = paddle(|_| {});
    let body = |over| envelope(over).to_string().into_bytes();
    let same = |one, other| paddle.same_content(&body(one), &body(other));
    assert!(same(json!({}), json!({"notification_id": "ntf_2"})));
    assert!(same(json!({}), json!({"notification_id": "remove"})));
    assert!(!same(json!({}), json!({"occurred_at": "2024-09-09T16:00:48.444752Z"})));
    assert!(!same(json!({"data": {"notification_id": "a"}}), json!({"data": {"notification_id": "b"}})));
    assert!(paddle.same_content(b"{\"a\": 1, \"b\": {\"c\": 2, \"d\": 3}}", b"{\"b\":{\"d\":3,\"c\":2},\"a\":1}"));
    assert!(!paddle.same_content(b"nonsense", b"nonsense"));
}

#[test]
fn invalid_configurations_are_refused() {
    let config = |secrets: &[&str]| PaddleConfig::new(Mode::Live, secrets.iter().copied());
    let refused = |config| Paddle::new(config).err();
    assert_eq!(
        config(&["a", " b"]).err(),
        Some(TrustError::Secret { number: 2, cause: SecretError::WhiteSpace }.into())
    );
    assert_eq!(refused(config(&[]).expect("a list")), Some(TrustError::NoSecret.into()));
    let good = || config(&["pdl_ntfset_a"]).expect("a list");
    assert_eq!(good().tolerance_seconds, Some(5));
    assert_eq!((good().simulated, good().custom_data), (Simulated::Refuse, CustomData::Customers));
    assert_eq!(refused(PaddleConfig { tolerance_seconds: Some(0), ..good() }), Some(TrustError::ZeroTolerance.into()));
    assert_eq!(refused(PaddleConfig { tolerance_seconds: None, ..good() }), None);
    assert_eq!(refused(PaddleConfig { mode: Mode::Simulated, ..good() }), Some(ConfigError::SimulatedMode));
}

#[test]
fn debug_shows_no_secret() {
    let text = format!("{:?}", paddle(|_| {}));
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn capabilities_are_declared() {
    assert_eq!(paddle(|_| {}).capabilities(), [Capability::EventIds, Capability::SignedTime].into());
}

/// The facts of an event about an object, as lines, if custom data are read everywhere, and the remarks.
fn noted(event_type: &str, object: Value) -> (Vec<String>, Vec<Remark>) {
    let paddle = paddle(|config| config.custom_data = CustomData::Everywhere);
    let event = read(&paddle, &envelope(json!({"event_type": event_type, "data": object}))).expect("readable");
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
    let check = |custom_data: Value, links: &str, remarks: &[Remark]| {
        let object = json!({"id": "sub_1", "status": "active", "customer_id": "ctm_1", "items": [],
            "custom_data": custom_data});
        let (lines, noted) = noted("subscription.updated", object);
        let expect = format!("subscription:sub_1 shows subscription:sub_1 changed of customer:ctm_1{links}");
        assert_eq!((lines.first(), noted.as_slice()), (Some(&expect), remarks));
    };
    let (owner, offer) = ("data.custom_data.purchase_customer_id", "data.custom_data.purchase_offer_id");
    check(json!({"purchase_customer_id": "u1", "purchase_offer_id": "pro"}), " owner:u1 offer:pro", &[]);
    // PHP writes an empty object as an empty list.
    for custom_data in [json!([]), json!("text"), json!(null), json!(5), json!(true)] {
        check(custom_data, "", &[]);
    }
    let too_long = remark(owner, "id of at most 255 bytes", "a string of 300 bytes");
    check(json!({"purchase_customer_id": "x".repeat(300)}), "", &[too_long]);
    let bell = remark(offer, "id without control characters", "a string with control characters");
    check(json!({"purchase_customer_id": "u1", "purchase_offer_id": "p\u{7}"}), " owner:u1", &[bell]);
    let both = [remark(offer, "string", "object"), remark(owner, "string", "integer")];
    check(json!({"purchase_customer_id": 42, "purchase_offer_id": {}}), "", &both);

    let odd = json!({"id": "ctm_1", "custom_data": {"purchase_customer_id": false}});
    let customer = vec!["customer:ctm_1 shows customer:ctm_1 changed".to_owned()];
    assert_eq!(noted("customer.updated", odd), (customer.clone(), vec![remark(owner, "string", "boolean")]));
    assert_eq!(noted("customer.updated", json!({"id": "ctm_1", "custom_data": []})), (customer, Vec::new()));
}

#[test]
fn ignored_custom_data_cause_no_remark() {
    let object = json!({"id": "sub_1", "status": "active", "items": [], "custom_data": {"purchase_customer_id": 42}});
    let body = envelope(json!({"event_type": "subscription.updated", "data": object}));
    assert_eq!(read(&paddle(|_| {}), &body).expect("readable").remarks, []);
}

/// A body with one text in a field that no reader reads, and another in a field that changes between deliveries.
fn with_unread(unread: &str, notification: &str) -> Vec<u8> {
    format!(
        r#"{{"event_id": "evt_1", "event_type": "customer.updated", "occurred_at": "2024-09-09T16:00:48Z",
        "notification_id": "{notification}", "data": {{"id": "ctm_1", "custom_data": {{"note": {unread}}}}}}}"#
    )
    .into_bytes()
}

#[test]
fn text_that_nobody_reads_changes_nothing_and_compares_as_it_is_read() {
    let paddle = paddle(|_| {});
    let plain = read_bytes(&paddle, &with_unread("1", "ntf_1")).expect("readable");
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let bom = |body: Vec<u8>| [b"\xEF\xBB\xBF".as_slice(), &body].concat();
    for odd in [r#""\ud800""#, "1e999", &deep] {
        let body = with_unread(odd, "ntf_1");
        assert_eq!(read_bytes(&paddle, &body).as_ref(), Ok(&plain), "{odd:.20}");
        assert_eq!(read_bytes(&paddle, &bom(body.clone())).as_ref(), Ok(&plain), "{odd:.20}");
        assert!(paddle.same_content(&body, &with_unread(odd, "ntf_2")), "{odd:.20}");
        assert!(paddle.same_content(&body, &bom(with_unread(odd, "ntf_2"))), "{odd:.20}");
        assert!(!paddle.same_content(&body, &with_unread("2", "ntf_1")), "{odd:.20}");
    }
    assert!(!paddle.same_content(&with_unread("1e999", "ntf_1"), &with_unread("1e998", "ntf_1")));
}

#[test]
fn a_time_out_of_range_is_a_fault_with_its_path() {
    let range = "RFC 3339 time between the years 1684 and 2255";
    for time in ["9999-12-30T00:00:00Z", "0000-01-01T00:00:00Z", "1500-01-01T00:00:00Z"] {
        let expect = shape("occurred_at", range, "a time outside that range");
        assert_eq!(fault(json!({"occurred_at": time})), expect, "{time}");
    }
    let head = read(&paddle(|_| {}), &envelope(json!({}))).expect("readable").head;
    assert_eq!(head.occurred_at_path, "occurred_at");
}

#[test]
fn a_reader_needs_no_secret_and_keeps_none() {
    let bare = || PaddleConfig::new(Mode::Test, [""; 0]).expect("a configuration without secrets");
    assert_eq!(Paddle::new(bare()).err(), Some(TrustError::NoSecret.into()));
    for config in [bare(), PaddleConfig::new(Mode::Test, [SECRET]).expect("a secret")] {
        assert!(Paddle::reader(config).expect("a reader").trust().secrets.is_empty());
    }
    let simulated = PaddleConfig { mode: Mode::Simulated, ..bare() };
    assert_eq!(Paddle::reader(simulated).err(), Some(ConfigError::SimulatedMode));
}
