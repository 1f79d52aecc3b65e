//! Tests that each status and type of the provider is read with its documented meaning, and each object under its own
//! id.

use std::collections::BTreeSet;

use purchase_core::{
    capability::Capability,
    delivery::{Delivery, Headers, Limits},
    fact::{
        Fact, Link,
        object_state::{ObjectState, PaymentState, SubscriptionStatus},
    },
    id::{Mode, ObjectKind},
    provider::Remark,
    time::Timestamp,
    verify::{Secret, TrustError, verify},
};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "a_secret_of_the_tests";

fn config() -> LemonSqueezyConfig {
    let config = LemonSqueezyConfig::new(ModePolicy::Both, [SECRET]).expect("a secret");
    let variant = ProviderId::new("30").expect("an id");
    LemonSqueezyConfig { one_time_variants: BTreeSet::from([variant]), custom_data: CustomData::Believed, ..config }
}

fn read(config: LemonSqueezyConfig, body: &Value) -> Result<Event, ReadFault> {
    read_bytes(config, body.to_string().as_bytes())
}

fn read_bytes(config: LemonSqueezyConfig, body: &[u8]) -> Result<Event, ReadFault> {
    let adapter = LemonSqueezy::new(config).expect("a valid configuration");
    let body = body.to_vec();
    let mac = hex::encode(Secret::new(SECRET).expect("a secret").sign(&[&body]));
    let headers: Headers = [("X-Signature", mac)].into_iter().collect();
    let received_at = Timestamp::from_seconds(1_767_225_600).expect("in range");
    let presented = adapter.presented_signature(&headers, &Limits::default()).expect("a signature");
    let delivery = Delivery { provider: adapter.name().clone(), headers, body, received_at };
    let verified = verify(delivery, &presented, adapter.trust()).expect("genuine");
    adapter.read(&verified).map_err(|unreadable| unreadable.fault)
}

fn facts(body: &Value) -> Vec<Fact> {
    match read(config(), body).expect("readable").meaning {
        Meaning::Facts(facts) => facts,
        Meaning::Fetch(_) | Meaning::Ignored => panic!("no facts in {body}"),
    }
}

fn object_state(body: &Value) -> ObjectState {
    let observation = facts(body).into_iter().find_map(|fact| fact.observation);
    observation.expect("an observation").object_state
}

fn event(name: &str, shows: &str, attributes: &Value) -> Value {
    let mut all = json!({
        "store_id": 10, "customer_id": 20, "currency": "EUR", "total": 1200, "test_mode": true,
        "created_at": "2026-01-01T00:00:00.000000Z", "updated_at": "2026-01-02T00:00:00.000000Z",
    });
    let all_keys = all.as_object_mut().expect("an object");
    all_keys.extend(attributes.as_object().expect("an object").clone());
    let meta = json!({ "event_name": name, "custom_data": { "purchase_customer_id": "user-1" } });
    json!({ "meta": meta, "data": { "type": shows, "id": "7", "attributes": all } })
}

fn subscription(attributes: Value) -> Value {
    let mut all = json!({
        "order_id": 7, "variant_id": 31, "first_subscription_item": { "price_id": 50, "quantity": 2 },
        "renews_at": "2026-02-01T00:00:00.000000Z",
    });
    all.as_object_mut().expect("an object").extend(attributes.as_object().expect("an object").clone());
    event("subscription_updated", "subscriptions", &all)
}

#[test]
fn each_status_says_what_the_documentation_says_of_access() {
    let day = "2026-02-01T00:00:00.000000Z";
    let check = |attributes: Value, expect: (SubscriptionStatus, bool), dates: [bool; 4]| {
        let ObjectState::Subscription(it) = object_state(&subscription(attributes.clone())) else {
            panic!("no subscription")
        };
        assert_eq!((it.status, it.collection_paused), expect, "{attributes}");
        let found = [it.cancel_at, it.ended_at, it.resume_at, it.period.map(|period| period.end)];
        assert_eq!(found.map(|date| date.is_some()), dates, "{attributes}");
    };
    use SubscriptionStatus::*;
    let (no, period) = ([false; 4], [false, false, false, true]);
    check(json!({ "status": "on_trial", "trial_ends_at": day }), (Trialing, false), period);
    check(json!({ "status": "active" }), (Active, false), period);
    check(json!({ "status": "cancelled", "ends_at": day }), (Active, false), [true, false, false, true]);
    let in_trial = json!({ "status": "cancelled", "ends_at": day, "trial_ends_at": day });
    check(in_trial, (Trialing, false), [true, false, false, true]);
    let after_trial = json!({ "status": "cancelled", "ends_at": day, "trial_ends_at": "2026-01-02T00:00:00.000000Z" });
    check(after_trial, (Active, false), [true, false, false, true]);
    let in_pause = json!({ "status": "cancelled", "ends_at": day, "pause": { "mode": "void", "resumes_at": day } });
    check(in_pause, (Paused, false), [true, false, true, true]);
    check(json!({ "status": "past_due" }), (PastDue, false), no);
    check(json!({ "status": "unpaid" }), (Unpaid, false), no);
    check(json!({ "status": "expired", "ends_at": day }), (Canceled, false), [false, true, false, false]);
    check(json!({ "status": "expired" }), (Canceled, false), no);
    let void = json!({ "mode": "void", "resumes_at": day });
    check(json!({ "status": "paused", "pause": void }), (Paused, false), [false, false, true, false]);
    check(json!({ "status": "paused", "pause": null }), (Paused, false), no);
    let free = json!({ "mode": "free", "resumes_at": day });
    check(json!({ "status": "paused", "pause": free }), (Active, true), no);
    check(json!({ "status": "paused", "pause": { "mode": "half" } }), (Unknown, false), no);
    check(json!({ "status": "hibernating" }), (Unknown, false), no);
}

#[test]
fn a_licence_key_has_its_mode_in_the_envelope() {
    let mut body = event("license_key_created", "license-keys", &json!({}));
    body["data"]["attributes"].as_object_mut().expect("an object").remove("test_mode");
    let fault = read(config(), &body).map(drop).expect_err("an event without a mode").to_string();
    assert_eq!(fault, "meta.test_mode: expected boolean, found nothing");
    body["meta"]["test_mode"] = json!(false);
    let mode = read(config(), &body).expect("readable").head.key.source.mode;
    assert_eq!(mode, purchase_core::id::Mode::Live);
}

#[test]
fn a_cancellation_without_its_date_is_no_cancellation() {
    let fault = read(config(), &subscription(json!({ "status": "cancelled", "ends_at": null }))).map(drop);
    let told = fault.expect_err("unreadable").to_string();
    assert_eq!(told, "data.attributes.ends_at: expected RFC 3339 time, found null");
}

#[test]
fn what_is_metered_has_no_quantity() {
    let quantity =
        |item: Value| match object_state(&subscription(json!({ "status": "active", "first_subscription_item": item })))
        {
            ObjectState::Subscription(it) => it.items[0].quantity,
            _ => panic!("no subscription"),
        };
    assert_eq!(quantity(json!({ "quantity": 2 })), Some(2));
    assert_eq!(quantity(json!({ "quantity": 0, "is_usage_based": true })), None);
    assert_eq!(quantity(json!(null)), None);
    assert_eq!(quantity(json!({ "quantity": 0 })), Some(0));
    assert_eq!(quantity(json!({ "quantity": (1_u64 << 53) - 1 })), Some((1 << 53) - 1));
}

#[test]
fn a_quantity_that_is_no_whole_number_or_too_large_is_no_quantity() {
    let check = |quantity: Value, found: &str| {
        let item = json!({ "quantity": quantity });
        let ordered = event(
            "order_created",
            "orders",
            &json!({ "status": "paid", "first_order_item":
            { "variant_id": 30, "quantity": quantity } }),
        );
        let subscribed = subscription(json!({ "status": "active", "first_subscription_item": item }));
        for (body, place) in [(ordered, "first_order_item"), (subscribed, "first_subscription_item")] {
            let told = read(config(), &body).map(drop).expect_err("unreadable").to_string();
            let expect =
                format!("data.attributes.{place}.quantity: expected whole quantity of at most 2^53 - 1, found {found}");
            assert_eq!(told, expect);
        }
    };
    check(json!(1.5), "fraction");
    check(json!(-1), "negative integer");
    check(json!(1_u64 << 53), "integer");
    check(json!("2"), "string");
}

#[test]
fn a_subscription_begins_when_it_is_created() {
    let ObjectState::Subscription(it) = object_state(&subscription(json!({ "status": "active" }))) else {
        panic!("no subscription")
    };
    assert_eq!(it.started_at.map(|time| time.to_string()).as_deref(), Some("2026-01-01T00:00:00Z"));
}

#[test]
fn objects_of_one_number_stay_apart() {
    let invoice = json!({ "status": "refunded", "billing_reason": "renewal", "subscription_id": 7 });
    let bodies = [
        event("order_refunded", "orders", &json!({ "status": "refunded" })),
        subscription(json!({ "status": "active" })),
        event("subscription_payment_refunded", "subscription-invoices", &invoice),
    ];
    let mut seen = BTreeSet::new();
    for fact in bodies.iter().flat_map(facts) {
        if let Some(observation) = fact.observation {
            assert!(seen.insert(observation.object.clone()), "{:?} is observed twice", observation.object.kind);
        }
    }
    // The order and the invoice each have a payment, a charge and a refund. The subscription and the invoice are the
    // rest.
    assert_eq!(seen.len(), 8);
}

#[test]
fn an_order_sells_only_what_is_sold_once_and_belongs_to_its_subscription() {
    let check = |variant: u64, item: Value, expect: Option<Option<u64>>| {
        let mut sold = json!({ "variant_id": variant });
        sold.as_object_mut().expect("an object").extend(item.as_object().expect("an object").clone());
        let body = event("order_created", "orders", &json!({ "status": "paid", "first_order_item": sold }));
        let ObjectState::Payment(it) = object_state(&body) else { panic!("no payment") };
        assert_eq!(it.items.first().map(|item| item.quantity), expect, "{body}");
    };
    check(30, json!({}), Some(Some(1)));
    check(30, json!({ "quantity": 3 }), Some(Some(3)));
    check(31, json!({ "quantity": 3 }), None);
    let links = facts(&subscription(json!({ "status": "active" }))).into_iter();
    let of_the_order: Vec<Link> =
        links.filter(|fact| fact.subject.root.kind == ObjectKind::Payment).flat_map(|fact| fact.links).collect();
    assert_eq!(of_the_order, [Link::Subscription(ProviderId::new("7").expect("an id"))]);
}

#[test]
fn the_word_for_an_order_says_whether_the_money_came() {
    let state = |status: &str| match object_state(&event("order_created", "orders", &json!({ "status": status }))) {
        ObjectState::Payment(it) => it.state,
        _ => panic!("no payment"),
    };
    assert_eq!(state("pending"), PaymentState::Pending);
    assert_eq!(state("failed"), PaymentState::Failed);
    assert_eq!(state("paid"), PaymentState::Succeeded);
    assert_eq!(state("refunded"), PaymentState::Succeeded);
    assert_eq!(state("fraudulent"), PaymentState::Unknown);
}

#[test]
fn what_a_buyer_can_write_is_not_believed_unless_the_application_says_so() {
    let owners = |config: LemonSqueezyConfig, custom: Value| {
        let mut body = subscription(json!({ "status": "active" }));
        body["meta"]["custom_data"] = custom;
        let Meaning::Facts(facts) = read(config, &body).expect("readable").meaning else { panic!("no facts") };
        let is_word = |link: &&Link| matches!(link, Link::InferredOwner { .. } | Link::Owner(_));
        let named = facts.iter().filter(|fact| fact.links.iter().any(|link| is_word(&link)));
        named.map(|fact| fact.subject.root.kind).collect::<Vec<_>>()
    };
    let believed = json!({ "purchase_customer_id": "user-1" });
    // A buyer who writes another customer's id into a checkout's address can give away only what that checkout sold.
    assert_eq!(owners(config(), believed.clone()), [ObjectKind::Subscription]);
    assert_eq!(owners(LemonSqueezyConfig { custom_data: CustomData::Ignored, ..config() }, believed), []);
    assert_eq!(owners(config(), json!([])), []);
    assert_eq!(owners(config(), json!(null)), []);
}

#[test]
fn an_endpoint_serves_its_own_mode_and_store() {
    let body = subscription(json!({ "status": "active" }));
    let only = |mode| LemonSqueezyConfig { mode: ModePolicy::Only(mode), ..config() };
    let store = |id: &str| LemonSqueezyConfig { store: Some(ProviderId::new(id).expect("an id")), ..config() };
    assert_eq!(read(only(Mode::Test), &body).map(drop), Ok(()));
    let wrong = ReadFault::WrongMode { expected: Mode::Live, found: Mode::Test };
    assert_eq!(read(only(Mode::Live), &body).map(drop), Err(wrong));
    assert_eq!(read(store("10"), &body).map(drop), Ok(()));
    assert_eq!(read(store("11"), &body).map(drop), Err(ReadFault::WrongAccount));
}

#[test]
fn an_event_that_brings_another_object_is_not_read() {
    let body = event("order_created", "subscriptions", &json!({ "status": "paid" }));
    let told = read(config(), &body).map(drop).expect_err("unreadable").to_string();
    assert_eq!(told, "data.type: expected the type \"orders\", found string");
}

#[test]
fn capabilities_are_declared() {
    let adapter = LemonSqueezy::new(config()).expect("a valid configuration");
    assert_eq!(adapter.capabilities(), [Capability::ModeInEvent].into());
    assert_eq!(adapter.trust().tolerance_seconds, None);
}

#[test]
fn an_unusable_id_of_the_application_does_not_refuse_the_event() {
    let check = |custom: Value, owners: usize, remarks: &[(&str, &str)]| {
        let mut body = subscription(json!({ "status": "active" }));
        body["meta"]["custom_data"] = custom;
        let event = read(config(), &body).expect("readable");
        let Meaning::Facts(facts) = event.meaning else { panic!("no facts") };
        let found = facts.iter().flat_map(|fact| &fact.links).filter(|link| matches!(link, Link::Owner(_))).count();
        let remark = |(expected, found): &(&str, &str)| Remark {
            path: "meta.custom_data.purchase_customer_id".to_owned(),
            expected: (*expected).to_owned(),
            found: (*found).to_owned(),
        };
        assert_eq!((found, event.remarks), (owners, remarks.iter().map(remark).collect()), "{body}");
    };
    check(json!({ "purchase_customer_id": "user-1" }), 1, &[]);
    // PHP writes an empty object as an empty list.
    for custom in [json!([]), json!("text"), json!(null), json!(5)] {
        check(custom, 0, &[]);
    }
    check(json!({ "purchase_customer_id": 42 }), 0, &[("string", "integer")]);
    check(json!({ "purchase_customer_id": { "id": 42 } }), 0, &[("string", "object")]);
    let long = ("id of at most 255 bytes", "a string of 300 bytes");
    check(json!({ "purchase_customer_id": "x".repeat(300) }), 0, &[long]);
    let control = ("id without control characters", "a string with control characters");
    check(json!({ "purchase_customer_id": "user\u{7}" }), 0, &[control]);
}

#[test]
fn text_that_nobody_reads_changes_nothing() {
    let body = |unread: &str| {
        let text = subscription(json!({ "status": "active", "unread": "@" })).to_string();
        text.replace("\"@\"", unread).into_bytes()
    };
    let facts = |body: &[u8]| {
        let mut event = read_bytes(config(), body).expect("readable");
        if let Meaning::Facts(facts) = &mut event.meaning {
            // An event is identified by its bytes.
            facts.iter_mut().for_each(|fact| fact.event = ProviderId::of_body(b""));
        }
        event.meaning
    };
    let plain = facts(&body("1"));
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for odd in [r#""\ud800""#, "1e999", &deep] {
        assert_eq!(facts(&body(odd)), plain, "{odd:.20}");
        assert_eq!(facts(&[b"\xEF\xBB\xBF".as_slice(), &body(odd)].concat()), plain, "{odd:.20}");
    }
}

#[test]
fn the_time_of_an_event_is_its_object_s_last_change() {
    let check = |times: Value, expect: Result<(&str, &str), &str>| {
        let mut body = subscription(json!({ "status": "active" }));
        body["data"]["attributes"]
            .as_object_mut()
            .expect("an object")
            .extend(times.as_object().expect("times").clone());
        let head = read(config(), &body).map(|event| event.head).map_err(|fault| fault.to_string());
        let found = head.map(|head| (head.occurred_at.to_string(), head.occurred_at_path.to_owned()));
        let expect = expect.map(|(time, path)| (time.to_owned(), path.to_owned())).map_err(str::to_owned);
        assert_eq!(found, expect, "{body}");
    };
    check(json!({}), Ok(("2026-01-02T00:00:00Z", "data.attributes.updated_at")));
    check(json!({ "updated_at": null }), Ok(("2026-01-01T00:00:00Z", "data.attributes.created_at")));
    let range = "expected RFC 3339 time between the years 1684 and 2255, found a time outside that range";
    let fault = format!("data.attributes.updated_at: {range}");
    check(json!({ "updated_at": "9999-01-01T00:00:00.000000Z" }), Err(&fault));
}

#[test]
fn a_reader_needs_no_secret_and_keeps_none() {
    let bare = || LemonSqueezyConfig { secrets: Vec::new(), ..config() };
    assert_eq!(LemonSqueezy::new(bare()).err(), Some(TrustError::NoSecret.into()));
    for config in [bare(), config()] {
        assert!(LemonSqueezy::reader(config).expect("a reader").trust().secrets.is_empty());
    }
    let simulated = LemonSqueezyConfig { mode: ModePolicy::Only(Mode::Simulated), ..bare() };
    assert_eq!(LemonSqueezy::reader(simulated).err(), Some(ConfigError::SimulatedMode));
}
