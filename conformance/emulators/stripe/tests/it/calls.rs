//! What every call has: keys, versions, errors, idempotency, pages, expansion, and deliveries.

use std::collections::{BTreeMap, BTreeSet};

use purchase_core::{
    transport::{HttpRequest, Method},
    verify::Secret,
};
use purchase_emulator::World;
use purchase_emulator_stripe::Stripe;
use serde_json::{Value, json};

use crate::bench::{Bench, DAY, START, read, shared, text};

fn header(response: &purchase_core::transport::HttpResponse, name: &str) -> String {
    let found = response.headers.all(name).next();
    found.map(|it| String::from_utf8_lossy(it).into_owned()).unwrap_or_default()
}

#[test]
fn a_call_needs_a_key_of_the_accounts_mode() {
    let mut bench = Bench::new();
    let mut check = |authorization: Option<&str>, expect: u16| {
        let mut request = HttpRequest::new(Method::Get, "/v1/customers");
        if let Some(authorization) = authorization {
            request.headers.push("Authorization", authorization);
        }
        let response = bench.world.handle(&request);
        assert_eq!(response.status, expect, "{authorization:?}");
        assert_eq!(header(&response, "request-id").is_empty(), expect == 401);
    };
    check(None, 401);
    check(Some("Bearer nonsense"), 401);
    check(Some("Bearer sk_live_1"), 401);
    check(Some("Bearer sk_test_1"), 200);
    check(Some("Bearer rk_test_1"), 200);
    // sk_test_123:
    check(Some("Basic c2tfdGVzdF8xMjM6"), 200);
}

#[test]
fn every_answer_has_its_headers() {
    let mut bench = Bench::new();
    let response = bench.send(Method::Get, "/v1/customers", "", &[("Stripe-Version", "2026-03-25.dahlia")]);
    assert!(header(&response, "request-id").starts_with("req_"));
    assert_eq!(header(&response, "stripe-version"), "2026-03-25.dahlia");
    assert_eq!(header(&response, "date"), "Mon, 01 Jun 2026 08:00:00 GMT");
    let response = bench.send(Method::Get, "/v1/customers", "", &[]);
    assert_eq!(header(&response, "stripe-version"), "2026-05-27.dahlia");
    let response = bench.send(Method::Get, "/v1/customers", "", &[("Stripe-Version", "2025-11-17.clover")]);
    assert_eq!(response.status, 501);
}

#[test]
fn what_is_not_emulated_says_so_and_changes_nothing() {
    let mut bench = Bench::new();
    let before = bench.world.provider().clone();
    for (method, target, body, what) in [
        (Method::Get, "/v1/coupons", "", "GET /v1/coupons"),
        (Method::Post, "/v1/subscriptions", "customer=cus_1", "POST /v1/subscriptions"),
        (Method::Post, "/v1/customers", "balance=1", "POST /v1/customers with balance"),
        (Method::Post, "/v1/customers", "address[city]=a", "POST /v1/customers with address[city]"),
        (Method::Get, "/v2/core/events", "", "GET /v2/core/events"),
    ] {
        let response = bench.send(method, target, body, &[]);
        let error = read(&response)["error"].clone();
        assert_eq!((response.status, &error["code"]), (501, &json!("not_emulated")));
        assert!(error["message"].as_str().is_some_and(|message| message.contains(what)), "{error}");
    }
    let logged = bench.world.log().entries().filter(|it| it.not_emulated.is_some()).count();
    assert_eq!(logged, 5);
    let text = |it: &Stripe| serde_json::to_string(it).expect("it is JSON");
    assert_eq!(text(bench.world.provider()), text(&before));
}

#[test]
fn an_unknown_parameter_is_stripes_error() {
    let mut bench = Bench::new();
    for body in ["shoe_size=44", "invoice_settings[shoe_size]=44"] {
        let (status, error) = bench.refused(Method::Post, "/v1/customers", body);
        let param = body.split('=').next().unwrap_or_default();
        assert_eq!((status, error), (400, format!("invalid_request_error parameter_unknown {param}")));
    }
    let missing = bench.refused(Method::Get, "/v1/customers/cus_none", "");
    assert_eq!(missing, (404, "invalid_request_error resource_missing id".to_owned()));
    let empty = bench.refused(Method::Post, "/v1/products", "name=");
    assert_eq!(empty, (400, "invalid_request_error parameter_invalid_empty name".to_owned()));
    let limit = bench.refused(Method::Get, "/v1/customers?limit=101", "");
    assert_eq!(limit, (400, "invalid_request_error parameter_invalid_integer limit".to_owned()));
}

#[test]
fn a_key_is_answered_as_before_for_a_day() {
    let mut bench = Bench::new();
    let key = [("Idempotency-Key", "k1")];
    let send = |bench: &mut Bench, body: &str| bench.send(Method::Post, "/v1/customers", body, &key);
    let first = send(&mut bench, "name=A&email=a@example.com");
    assert_eq!(header(&first, "original-request"), header(&first, "request-id"));
    assert_eq!(header(&first, "idempotency-key"), "k1");
    let again = send(&mut bench, "email=a@example.com&name=A");
    assert_eq!(read(&again), read(&first), "the order of parameters doesn't matter");
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    assert_eq!(header(&again, "original-request"), header(&first, "request-id"));
    assert_ne!(header(&again, "request-id"), header(&first, "request-id"));
    let other = send(&mut bench, "name=B");
    assert_eq!((other.status, &read(&other)["error"]["type"]), (400, &json!("idempotency_error")));
    assert_eq!(bench.last("customer.created")["request"]["idempotency_key"], "k1");
    bench.wait(DAY);
    assert_eq!(send(&mut bench, "name=B").status, 200, "the key is forgotten");
    assert_eq!(bench.get("/v1/customers")["data"].as_array().map(Vec::len), Some(2));
}

#[test]
fn failed_validation_is_not_kept_and_refusals_are() {
    let mut bench = Bench::new();
    let key = [("Idempotency-Key", "k1")];
    assert_eq!(bench.send(Method::Post, "/v1/customers", "shoe_size=44", &key).status, 400);
    assert_eq!(bench.send(Method::Post, "/v1/customers", "name=A", &key).status, 200);
    let key = [("Idempotency-Key", "k2")];
    let body = "id=pro&name=Pro";
    bench.post("/v1/products", body);
    let first = bench.send(Method::Post, "/v1/products", body, &key);
    assert_eq!((first.status, &read(&first)["error"]["code"]), (400, &json!("resource_already_exists")));
    let again = bench.send(Method::Post, "/v1/products", body, &key);
    assert_eq!(header(&again, "idempotent-replayed"), "true");
}

#[test]
fn lists_are_cut_into_pages() {
    let mut bench = Bench::new();
    let mut ids: Vec<String> = (0..5).map(|_| text(&bench.post("/v1/customers", ""), "id")).collect();
    ids.reverse();
    let page = |bench: &mut Bench, query: &str| {
        let it = bench.get(&format!("/v1/customers?limit=2{query}"));
        let found: Vec<String> = it["data"].as_array().expect("a list").iter().map(|it| text(it, "id")).collect();
        (found, it["has_more"] == true)
    };
    assert_eq!(page(&mut bench, ""), (ids[..2].to_vec(), true), "newest first");
    assert_eq!(page(&mut bench, &format!("&starting_after={}", ids[1])), (ids[2..4].to_vec(), true));
    assert_eq!(page(&mut bench, &format!("&starting_after={}", ids[3])), (ids[4..].to_vec(), false));
    assert_eq!(page(&mut bench, &format!("&ending_before={}", ids[2])), (ids[..2].to_vec(), false));
    assert_eq!(bench.refused(Method::Get, "/v1/subscriptions?status=asleep", "").0, 400);
    let unknown = bench.refused(Method::Get, "/v1/customers?starting_after=cus_none", "");
    assert_eq!(unknown, (400, "invalid_request_error resource_missing starting_after".to_owned()));
    let mut sorted = ids.clone();
    sorted.sort();
    sorted.reverse();
    assert_ne!(ids, sorted, "ids don't sort in the order of creation");
}

#[test]
fn lists_are_filtered() {
    let mut bench = Bench::new();
    let monthly = bench.price(1500, "&recurring[interval]=month&lookup_key=pro");
    let once = bench.price(4900, "");
    let ids = |bench: &mut Bench, target: &str| -> Vec<String> {
        bench.get(target)["data"].as_array().expect("a list").iter().map(|it| text(it, "id")).collect()
    };
    assert_eq!(ids(&mut bench, "/v1/prices?lookup_keys[]=pro&active=true"), [monthly.as_str()]);
    assert_eq!(ids(&mut bench, "/v1/prices?type=one_time"), [once.as_str()]);
    bench.wait(10);
    let later = bench.price(1, "");
    assert_eq!(ids(&mut bench, &format!("/v1/prices?created[gt]={START}")), [later.as_str()]);
    assert_eq!(ids(&mut bench, &format!("/v1/prices?created[lte]={START}&limit=1")), [once.as_str()]);
    assert_eq!(ids(&mut bench, &format!("/v1/prices?created={}", START + 10)), [later.as_str()]);
}

#[test]
fn ids_are_expanded() {
    let mut bench = Bench::new();
    let (id, _) = bench.subscription();
    let path = format!("/v1/subscriptions/{id}");
    let it =
        bench.get(&format!("{path}?expand[]=customer&expand[]=latest_invoice.payments.data.payment.payment_intent"));
    assert_eq!(it["customer"]["object"], "customer");
    let intent = &it["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"];
    assert_eq!(intent["status"], "succeeded");
    let listed = bench.get("/v1/subscriptions?expand[]=data.latest_invoice.customer");
    assert_eq!(listed["data"][0]["latest_invoice"]["customer"]["object"], "customer");
    for (path_of, expect) in
        [("status", 400), ("nonsense", 400), ("customer.nonsense", 400), ("schedule", 501), ("a.b.c.d.e", 400)]
    {
        let (status, _) = bench.refused(Method::Get, &format!("{path}?expand[]={path_of}"), "");
        assert_eq!(status, expect, "{path_of}");
    }
    assert_eq!(bench.refused(Method::Get, "/v1/subscriptions?expand[]=customer", "").0, 400);
}

#[test]
fn a_price_never_changes_what_it_costs() {
    let mut bench = Bench::new();
    let price = bench.price(1500, "&recurring[interval]=month&lookup_key=pro");
    let path = format!("/v1/prices/{price}");
    let amount = bench.refused(Method::Post, &path, "unit_amount=1");
    assert_eq!(amount, (400, "invalid_request_error parameter_unknown unit_amount".to_owned()));
    let product = text(&bench.get(&path), "product");
    let body = format!("currency=eur&unit_amount=1600&product={product}&recurring[interval]=month&lookup_key=pro");
    let taken = bench.refused(Method::Post, "/v1/prices", &body);
    assert_eq!(taken, (400, "invalid_request_error resource_already_exists lookup_key".to_owned()));
    let from = bench.told();
    let next = bench.post("/v1/prices", &format!("{body}&transfer_lookup_key=true"));
    assert_eq!(bench.events(from), ["price.updated", "price.created"]);
    assert_eq!((&next["lookup_key"], &bench.get(&path)["lookup_key"]), (&json!("pro"), &json!(null)));
}

#[test]
fn a_deleted_customer_takes_their_subscriptions_along() {
    let mut bench = Bench::new();
    let (id, customer) = bench.subscription();
    let from = bench.told();
    assert_eq!(bench.delete(&format!("/v1/customers/{customer}"))["deleted"], true);
    assert_eq!(bench.events(from), ["customer.subscription.deleted", "customer.deleted"]);
    assert_eq!(bench.get(&format!("/v1/customers/{customer}"))["deleted"], true);
    assert_eq!(bench.get(&format!("/v1/subscriptions/{id}"))["status"], "canceled");
    assert_eq!(bench.refused(Method::Post, &format!("/v1/customers/{customer}"), "name=A").0, 404);
}

#[test]
fn events_are_listed_for_thirty_days() {
    let mut bench = Bench::new();
    bench.post("/v1/customers", "name=A");
    bench.wait(1);
    bench.post("/v1/products", "name=Pro");
    let types = |bench: &mut Bench, query: &str| -> Vec<String> {
        let it = bench.get(&format!("/v1/events?{query}"));
        it["data"].as_array().expect("a list").iter().map(|it| text(it, "type")).collect()
    };
    assert_eq!(types(&mut bench, ""), ["product.created", "customer.created"]);
    assert_eq!(types(&mut bench, "type=customer.created"), ["customer.created"]);
    assert_eq!(types(&mut bench, "types[]=product.created&types[]=price.created"), ["product.created"]);
    assert_eq!(types(&mut bench, "type=customer.*"), ["customer.created"]);
    assert_eq!(types(&mut bench, &format!("created[gte]={}", START + 1)), ["product.created"]);
    let id = text(&bench.last("customer.created"), "id");
    bench.wait(30 * DAY - 2);
    bench.get(&format!("/v1/events/{id}"));
    bench.wait(1);
    assert_eq!(types(&mut bench, ""), ["product.created"]);
    assert_eq!(bench.refused(Method::Get, &format!("/v1/events/{id}"), "").0, 404);
}

#[test]
fn deliveries_are_signed_and_pretty() {
    let mut bench = Bench::new();
    bench.post("/v1/customers", "name=A");
    let [delivery] = &bench.world.deliveries()[..] else { panic!("there is one delivery") };
    let secret = Secret::new("whsec_1").expect("a secret");
    let expect = purchase_stripe::testing::headers(&[secret], &delivery.body, bench.world.now());
    let sent = delivery.headers.all("stripe-signature").next().map(<[u8]>::to_vec);
    let expect: Vec<_> = expect.into_iter().map(|(_, value)| value.into_bytes()).collect();
    assert_eq!(sent, Some(expect[0].clone()));
    let body = String::from_utf8_lossy(&delivery.body).into_owned();
    assert!(body.starts_with("{\n  \""), "{body}");
    let event: Value = serde_json::from_str(&body).expect("it is JSON");
    assert_eq!((&event["pending_webhooks"], &event["created"]), (&json!(1), &json!(START)));
    bench.world.answered(0, Some(500));
    assert_eq!(bench.world.next_due().map(|at| at.seconds()), Some(START + 300), "it comes again in five minutes");
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let play = || {
        let mut bench = Bench::new();
        let (id, _) = bench.subscription();
        bench.wait(40 * DAY);
        bench.delete(&format!("/v1/subscriptions/{id}"));
        bench.world.snapshot().expect("it is JSON")
    };
    let snapshot = play();
    assert_eq!(snapshot, play());
    let restored: World<Stripe> = World::restore(&snapshot, None).expect("it is a snapshot");
    assert_eq!(restored.truth(), World::<Stripe>::restore(&play(), None).expect("it is a snapshot").truth());
}

/// `known.txt` has the parameters of the routes as the document of requests has them.
#[test]
fn the_documented_parameters_are_the_documents() {
    let Some(path) = shared("specs/stripe-requests-all.json") else { return };
    let document: Value = serde_json::from_slice(&std::fs::read(path).expect("it can be read")).expect("it is JSON");
    let known = include_str!("../../src/known.txt");
    let mut lines = BTreeMap::new();
    for line in known.lines() {
        let (route, names) = line.split_once(" = ").expect("a route and its parameters");
        lines.insert(route, names.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>());
    }
    for (route, names) in &lines {
        let (method, path) = route.split_once(' ').expect("a method and a path");
        let call = &document["paths"][path][method.to_lowercase()];
        let mut all = BTreeSet::new();
        for it in call["parameters"].as_array().into_iter().flatten().filter(|it| it["in"] == "query") {
            flatten(&text(it, "name"), &it["schema"], 1, &mut all);
        }
        let form = &call["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"];
        for (name, schema) in form.as_object().into_iter().flatten() {
            flatten(name, schema, 1, &mut all);
        }
        assert_eq!(names, &all, "{route}");
    }
    assert!(lines.len() > 35);
}

/// The names of a parameter, two levels deep.
fn flatten(name: &str, schema: &Value, depth: u32, all: &mut BTreeSet<String>) {
    let variants: Vec<&Value> = match schema["anyOf"].as_array() {
        Some(variants) => variants.iter().collect(),
        None => vec![schema],
    };
    let is = |kind: &str| variants.iter().find(|it| it["type"] == kind).copied();
    if variants.iter().any(|it| it["type"] != "object" && it["type"] != "array") {
        all.insert(name.to_owned());
    }
    if let Some(list) = is("array") {
        flatten(&format!("{name}[]"), &list["items"], depth, all);
    }
    if let Some(object) = is("object") {
        match object["properties"].as_object() {
            Some(fields) if depth > 0 => {
                fields.iter().for_each(|(field, schema)| flatten(&format!("{name}[{field}]"), schema, depth - 1, all));
            }
            _ => _ = all.insert(format!("{name}*")),
        }
    }
}
