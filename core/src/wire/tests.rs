//! Tests of reading JSON by paths.

use serde_json::json;

use super::{
    collect::{Attribution, owner},
    *,
};
use crate::id::{CustomerId, OfferId};

fn shape(path: &str, expected: &str, found: &str) -> ReadFault {
    ReadFault::Shape { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
}

#[test]
fn a_fault_names_its_path_and_the_kind_that_is_there() {
    let body = json!({"data": {"object": {"items": {"data": [{}, {"price": {"id": 5}}]}, "name": "x", "none": null}}});
    let root = View::root(&body);
    let object = root.at("data.object");
    let list = object.at("items.data");
    let prices: Vec<_> = list.elements().expect("array").map(|item| item.at("price").need_id()).collect();
    assert_eq!(
        prices,
        [
            Err(shape("data.object.items.data[0].price", "id", "nothing")),
            Err(shape("data.object.items.data[1].price.id", "id", "integer")),
        ]
    );
    assert_eq!(object.at("name").count(), Err(shape("data.object.name", "unsigned integer", "string")));
    assert_eq!(object.at("none").need_flag(), Err(shape("data.object.none", "boolean", "null")));
    assert_eq!(object.at("items").elements().err(), Some(shape("data.object.items", "array", "object")));
}

#[test]
fn a_way_through_something_that_is_no_object_is_a_fault_there() {
    let body = json!({"data": {"object": {"parent": "text", "void": null}}});
    let root = View::root(&body);
    let object = root.at("data.object");
    let expect = || Err(shape("data.object.parent", "object", "string"));
    assert_eq!(object.at("parent.details.subscription").id(), expect());
    assert_eq!(object.at("parent").at("details").id(), expect());
    assert_eq!(object.at("void.details.subscription").id(), Ok(None));
    assert_eq!(object.at("absent.details").id(), Ok(None));
    assert!(!object.at("parent.details").is_there());
}

#[test]
fn an_overlay_shows_the_state_before() {
    let now = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [4, 5], "f": null, "g": "new", "h": {"i": 6}});
    let previous = json!({"b": {"c": 20}, "e": [40], "f": {"x": 7}, "g": null, "h": null});
    let view = View::root(&now);
    let before = view.before(Some(&previous)).expect("there is a change");
    let count = |path| before.at(path).count();
    assert_eq!(count("a"), Ok(Some(1)));
    assert_eq!(count("b.c"), Ok(Some(20)));
    assert_eq!(count("b.d"), Ok(Some(3)));
    assert_eq!(count("f.x"), Ok(Some(7)));
    assert_eq!(count("h.i"), Ok(None));
    assert_eq!(before.at("g").text(), Ok(None));
    let list = before.at("e");
    assert_eq!(list.elements().expect("array").map(|it| it.count()).collect::<Vec<_>>(), [Ok(Some(40))]);
    assert_eq!(view.at("b.c").count(), Ok(Some(2)));
}

#[test]
fn an_overlay_that_says_nothing_is_no_evidence() {
    let now = json!({"a": 1});
    for previous in [json!(null), json!({}), json!([1]), json!("text")] {
        assert!(View::root(&now).before(Some(&previous)).is_none(), "{previous}");
    }
    assert!(View::root(&now).before(None).is_none());
}

#[test]
fn an_id_is_bare_or_expanded() {
    let long = "x".repeat(256);
    let body = json!({"bare": "cus_1", "object": {"id": "cus_1"}, "empty": "", "long": long, "null": null, "bad": {}});
    let view = View::root(&body);
    let id = ProviderId::new("cus_1").expect("id");
    assert_eq!(view.at("bare").id(), Ok(Some(id.clone())));
    assert_eq!(view.at("object").id(), Ok(Some(id)));
    assert_eq!(view.at("null").id(), Ok(None));
    assert_eq!(view.at("empty").id(), Err(shape("empty", "id of at least 1 byte", "an empty string")));
    assert_eq!(view.at("long").id(), Err(shape("long", "id of at most 255 bytes", "a string of 256 bytes")));
    assert_eq!(view.at("bad").id(), Err(shape("bad.id", "id", "nothing")));
}

/// The fault of a value, as displayed.
fn told<T: std::fmt::Debug>(value: Value, read: impl Fn(&View<'_, '_>) -> Result<T, ReadFault>) -> String {
    let body = json!({ "a": value });
    read(&View::root(&body).at("a")).expect_err("a fault").to_string()
}

#[test]
fn a_fault_says_how_the_value_differs_and_never_the_value() {
    let usd = Currency::new("usd").expect("listed");
    let check = |found: String, expect: &str| assert_eq!(found, format!("a: expected {expect}"));
    let count = |value| told(value, |view| view.count());
    check(count(json!(-1)), "unsigned integer, found negative integer");
    check(count(json!(1.5)), "unsigned integer, found fraction");
    check(count(json!(1e20)), "unsigned integer, found number beyond 64 bits");
    check(count(json!("1e999")), "unsigned integer, found string");
    let small = told(json!(4_294_967_296_u64), |view| view.small_count());
    check(small, "unsigned integer below 2^32, found an integer above that range");
    check(told(json!("5"), |view| view.whole("integer days")), "integer days, found string");

    let money = |minor: i64| told(json!(1), move |view| view.money_of(minor, usd));
    check(money(1 << 53), "integer minor units within 2^53, found an amount above that range");
    check(money(-(1 << 53)), "integer minor units within 2^53, found an amount below that range");
    let currency = |code: &str| told(json!(code), |view| view.need_currency());
    check(currency("us"), "three-letter currency code of ISO 4217, found a string of 2 characters");
    check(currency("€€"), "three-letter currency code of ISO 4217, found a string of 2 characters");
    check(currency("zz1"), "three-letter currency code of ISO 4217, found a string with other characters than letters");
    check(told(json!(840), |view| view.need_currency()), "three-letter currency code of ISO 4217, found integer");

    let id = |text: &str| told(json!(text), |view| view.need_id());
    check(id(""), "id of at least 1 byte, found an empty string");
    check(id(&"x".repeat(300)), "id of at most 255 bytes, found a string of 300 bytes");
    check(id("secret\u{7}"), "id without control characters, found a string with control characters");
    check(id("secret\u{FFFD}"), "id of valid characters, found a string with NUL, a lone surrogate or U+FFFD");

    let time = |value| told(value, |view| view.need_rfc3339());
    check(time(json!(null)), "RFC 3339 time, found null");
    check(time(json!(5)), "RFC 3339 time, found integer");
    check(time(json!("2024-09-09")), "RFC 3339 time, found a string of another form");
    for year in ["9999", "0000", "1500", "-009999"] {
        let found = time(json!(format!("{year}-01-02T02:00:00Z")));
        check(found, "RFC 3339 time between the years 1684 and 2255, found a time outside that range");
    }
}

#[test]
fn times_are_rfc_3339() {
    let body = json!({"time": "2024-09-09T18:00:13.888989481+02:00", "zero": "0001-01-01T00:00:00Z", "none": null});
    let view = View::root(&body);
    let time = Timestamp::from_micros(1_725_897_613_888_989).expect("in range");
    assert_eq!(view.at("time").rfc3339(), Ok(Some(time)));
    assert_eq!(view.at("zero").rfc3339(), Ok(Some(Timestamp::MIN)));
    assert_eq!(view.at("none").rfc3339(), Ok(None));
}

#[test]
fn a_whole_number_beyond_64_bits_is_out_of_every_range() {
    let whole = |value| View::root(&json!({ "a": value })).at("a").whole("integer");
    assert_eq!(whole(json!(-5)), Ok(Some(-5)));
    assert_eq!(whole(json!(i64::MAX)), Ok(Some(i64::MAX)));
    assert_eq!(whole(json!(u64::MAX)), Ok(Some(i64::MAX)));
    assert_eq!(whole(json!(null)), Ok(None));
}

#[test]
fn a_body_that_is_no_json_says_where() {
    assert_eq!(parse(b"{\n  nonsense"), Err(ReadFault::NotJson { line: 2, column: 3 }));
    assert_eq!(parse(b"{\"a\": \"\xff\"}"), Err(ReadFault::NotUtf8 { at: 7 }));
    // A replacement doesn't change the reported position.
    assert_eq!(parse(b"{\"a\": 1e999,\n \"b\"}"), Err(ReadFault::NotJson { line: 1, column: 11 }));
    assert_eq!(parse(br#"["\ud800", nonsense]"#), Err(ReadFault::NotJson { line: 1, column: 9 }));
    assert_eq!(parse(b"[1]"), Ok(json!([1])));
}

#[test]
fn of_two_values_of_one_key_the_last_holds_however_the_body_is_read() {
    let check = |body: &str| {
        let value = parse(body.as_bytes()).expect("JSON");
        assert_eq!(View::root(&value).at("data.id").need_text(), Ok("last"), "{body}");
    };
    check(r#"{"data": {"id": "first"}, "data": {"id": "first", "id": "last"}}"#);
    check(r#"{"data": {"id": "first"}, "data": {"id": "\ud800", "id": "last"}, "odd": 1e999}"#);
    check(r#"{"data": {"id": "last", "i\ud800d": "first"}, "d\udc00ata": {"id": "first"}}"#);
}

#[test]
fn text_that_nobody_reads_costs_nothing_and_what_is_read_still_faults_by_its_path() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (odd, found) in [(r#""\ud800""#, "string"), ("1e999", "string"), (&deep, "array")] {
        let body = format!("\u{FEFF}{{\"unread\": {odd}, \"a\": {{\"b\": {odd}}}, \"c\": \"d\"}}");
        let value = parse(body.as_bytes()).expect("JSON");
        let view = View::root(&value);
        assert_eq!(view.at("c").need_text(), Ok("d"));
        assert_eq!(view.at("a.b").count(), Err(shape("a.b", "unsigned integer", found)));
        assert_eq!(view.at("a.b.c").count(), Err(shape("a.b", "object", found)));
    }
}

#[test]
fn a_nul_is_read_as_what_every_database_can_hold() {
    let body = br#"{"name": "a\u0000b", "list": [{"deep": "\u0000"}], "none": "\\u0000"}"#;
    let read = json!({"name": "a\u{FFFD}b", "list": [{"deep": "\u{FFFD}"}], "none": "\\u0000"});
    assert_eq!(parse(body), Ok(read));
}

#[test]
fn what_an_application_wrote_is_an_id_or_is_noted_and_never_a_fault() {
    let check = |metadata: Value, expect: Option<&str>, noted: Option<(&str, &str)>| {
        let (body, remarks) = (json!({ "metadata": metadata }), Remarks::default());
        let view = View::root(&body).noting(&remarks);
        let attribution = Attribution::read(None, &view.at("metadata")).expect("no fault");
        assert_eq!(attribution.owner.as_ref().map(CustomerId::as_str), expect, "{body}");
        assert_eq!(attribution.offer.as_ref().map(OfferId::as_str), expect, "{body}");
        // The owner is read twice; each place is noted once.
        assert_eq!(owner(&view.at("metadata")), Ok(attribution.owner), "{body}");
        let remark = |key: &str, (expected, found): (&str, &str)| Remark {
            path: format!("metadata.{key}"),
            expected: expected.to_owned(),
            found: found.to_owned(),
        };
        let noted: Vec<_> = noted.into_iter().collect();
        let keys = ["purchase_offer_id", "purchase_customer_id"];
        let expect: Vec<_> = keys.iter().flat_map(|key| noted.iter().map(|it| remark(key, *it))).collect();
        assert_eq!(remarks.into_list(), expect, "{body}");
    };
    let both = |value: Value| json!({ "purchase_customer_id": value, "purchase_offer_id": value });
    check(both(json!("u-1")), Some("u-1"), None);
    for metadata in [json!([]), json!([1]), json!("text"), json!(null), json!(7), json!(true), json!({})] {
        check(metadata, None, None);
    }
    check(both(json!("")), None, None);
    check(both(json!(null)), None, None);
    check(both(json!("x".repeat(300))), None, Some(("id of at most 255 bytes", "a string of 300 bytes")));
    let control = ("id without control characters", "a string with control characters");
    check(both(json!("u\n1")), None, Some(control));
    let replaced = ("id of valid characters", "a string with NUL, a lone surrogate or U+FFFD");
    check(both(json!("u\u{FFFD}")), None, Some(replaced));
    check(both(json!(42)), None, Some(("string", "integer")));
    check(both(json!(4.2)), None, Some(("string", "fraction")));
    check(both(json!(false)), None, Some(("string", "boolean")));
    check(both(json!({ "id": "u-1" })), None, Some(("string", "object")));
    check(both(json!(["u-1"])), None, Some(("string", "array")));
}

#[test]
fn where_nobody_takes_notes_an_unusable_id_is_a_fault() {
    let body = json!({ "metadata": { "purchase_customer_id": 42 } });
    let fault = shape("metadata.purchase_customer_id", "string", "integer");
    assert_eq!(owner(&View::root(&body).at("metadata")), Err(fault));
    let remarks = Remarks::default();
    let view = View::root(&body).noting(&remarks);
    let other = Err::<Option<()>, _>(ReadFault::WrongAccount);
    assert_eq!(view.excuse(other), Err(ReadFault::WrongAccount));
    assert_eq!(remarks.into_list(), []);
}
