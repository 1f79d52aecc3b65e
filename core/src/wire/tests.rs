//! Tests of reading JSON by paths.

use serde_json::json;

use super::*;

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
    assert_eq!(view.at("empty").id(), Err(shape("empty", "id without control characters", "string")));
    assert_eq!(view.at("long").id(), Err(shape("long", "id of at most 255 bytes", "string")));
    assert_eq!(view.at("bad").id(), Err(shape("bad.id", "id", "nothing")));
}

#[test]
fn numbers_are_whole_and_bounded() {
    let body = json!({"minus": -1, "code": "zz1", "big": 4_294_967_296_u64});
    let view = View::root(&body);
    let usd = Currency::new("usd").expect("listed");
    let amount = view.at("big").money_of(1 << 53, usd);
    assert_eq!(amount, Err(shape("big", "integer minor units within 2^53", "integer")));
    assert_eq!(view.at("minus").count(), Err(shape("minus", "unsigned integer", "integer")));
    assert_eq!(view.at("big").small_count(), Err(shape("big", "unsigned integer below 2^32", "integer")));
    assert_eq!(view.at("code").need_currency(), Err(shape("code", "three-letter currency", "string")));
}

#[test]
fn times_are_rfc_3339() {
    let body = json!({"time": "2024-09-09T18:00:13.888989481+02:00", "none": null, "day": "2024-09-09", "number": 5});
    let view = View::root(&body);
    let time = Timestamp::from_micros(1_725_897_613_888_989).expect("in range");
    assert_eq!(view.at("time").rfc3339(), Ok(Some(time)));
    assert_eq!(view.at("none").rfc3339(), Ok(None));
    assert_eq!(view.at("none").need_rfc3339(), Err(shape("none", "RFC 3339 time", "null")));
    assert_eq!(view.at("day").rfc3339(), Err(shape("day", "RFC 3339 time", "string")));
    assert_eq!(view.at("number").rfc3339(), Err(shape("number", "RFC 3339 time", "integer")));
}

#[test]
fn a_body_that_is_no_json_says_where() {
    assert_eq!(parse(b"{\n  nonsense"), Err(ReadFault::NotJson { line: 2, column: 3 }));
    assert_eq!(parse(b"{\"a\": \"\xff\"}"), Err(ReadFault::NotUtf8 { at: 7 }));
    assert_eq!(parse(b"[1]"), Ok(json!([1])));
}

#[test]
fn a_nul_is_read_as_what_every_database_can_hold() {
    let body = br#"{"name": "a\u0000b", "list": [{"deep": "\u0000"}], "none": "\\u0000"}"#;
    let read = json!({"name": "a\u{FFFD}b", "list": [{"deep": "\u{FFFD}"}], "none": "\\u0000"});
    assert_eq!(parse(body), Ok(read));
}
