//! Lists, notifications, pages, and that a world is a value.

use purchase_core::{
    time::Timestamp,
    transport::{
        HttpRequest,
        Method::{Get, Post},
    },
};
use purchase_emulator::{World, chaos::Failure, chaos::Planned, world::Webhook};
use purchase_emulator_paddle::{Account, Paddle, account::Oddities};
use serde_json::{Value, json};

use crate::common::{DAY, SECRET, Shop};

#[test]
fn lists_are_cut_into_pages() {
    let mut shop = Shop::new(1, Account { base_url: "http://paddle.test".to_owned(), ..Account::default() });
    for number in 0..5 {
        shop.id("/customers", json!({ "email": format!("user-{number}@example.com") }));
    }
    let all: Vec<Value> = shop.get("/customers").as_array().expect("a list").clone();
    let ids: Vec<&str> = all.iter().filter_map(|it| it["id"].as_str()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "newest first: {ids:?}");
    let (mut target, mut found) = ("/customers?per_page=2&status=active".to_owned(), Vec::new());
    for (count, has_more) in [(2, true), (2, true), (1, false), (0, false)] {
        let (_, answer) = shop.call(Get, &target, Value::Null);
        let page = answer["data"].as_array().expect("a list").clone();
        let pagination = &answer["meta"]["pagination"];
        assert_eq!((page.len(), &pagination["has_more"]), (count, &json!(has_more)));
        assert_eq!((&pagination["per_page"], &pagination["estimated_total"]), (&json!(2), &json!(5)));
        let next = pagination["next"].as_str().expect("always there");
        target = next.strip_prefix("http://paddle.test").expect("the base").to_owned();
        assert!(target.contains("status=active") && target.contains("per_page=2"), "{target}");
        found.extend(page);
    }
    assert_eq!(found, all);
    for (target, per_page) in [
        ("/customers", 50),
        ("/customers?per_page=500", 200),
        ("/transactions?per_page=500", 30),
        ("/adjustments", 10),
        ("/adjustments?per_page=500", 50),
        ("/events?per_page=500", 200),
    ] {
        let (_, answer) = shop.call(Get, target, Value::Null);
        assert_eq!(answer["meta"]["pagination"]["per_page"], per_page, "{target}");
    }
}

#[test]
fn lists_are_filtered() {
    let mut shop = Shop::new(1, Account::default());
    let (monthly, once) = (shop.monthly.clone(), shop.once.clone());
    let (first, subscription) = shop.buy(&monthly);
    shop.wait(DAY);
    let (second, _) = shop.buy(&once);
    let draft = shop.open(&once);
    let archived = shop.id("/customers", json!({ "email": "gone@example.com" }));
    shop.patch(&format!("/customers/{archived}"), json!({ "status": "archived" }));
    let mut check = |target: &str, expect: &[&str]| {
        let found = shop.get(target);
        let found: Vec<&str> = found.as_array().into_iter().flatten().filter_map(|it| it["id"].as_str()).collect();
        assert_eq!(found, expect, "{target}");
    };
    check("/transactions?status=completed", &[&second, &first]);
    check("/transactions?status=completed,draft&order_by=id[ASC]", &[&first, &second, &draft]);
    check(&format!("/transactions?subscription_id={subscription}"), &[&first]);
    check("/transactions?subscription_id=null", &[&draft, &second]);
    check("/transactions?created_at[GTE]=2026-10-06T00:00:00", &[&draft, &second]);
    check("/transactions?billed_at[LT]=2026-10-06T00:00:00Z", &[&first]);
    check("/prices?recurring=true", &[&monthly]);
    check("/prices?recurring=false", &[&once]);
    check(&format!("/subscriptions?price_id={monthly}"), &[&subscription]);
    check("/subscriptions?scheduled_change_action=cancel", &[]);
    check("/customers?status=archived", &[&archived]);
    check("/customers?email=gone@example.com", &[]);
}

#[test]
fn notifications_show_their_attempts() {
    let mut shop = Shop::new(1, Account::default());
    let sent = shop.world.deliveries();
    let body: Value = serde_json::from_slice(&sent[0].body).expect("JSON");
    let id = body["notification_id"].as_str().expect("in deliveries").to_owned();
    let path = format!("/notifications/{id}");
    assert_eq!(shop.get(&path)["status"], "not_attempted");
    shop.world.answered(sent[0].number, Some(202));
    let shown = shop.get(&path);
    assert_eq!((&shown["status"], &shown["times_attempted"]), (&json!("needs_retry"), &json!(1)));
    assert_eq!(shop.refused(Post, &format!("{path}/replay"), Value::Null), (400, "notification_cannot_replay".into()));
    shop.wait(180);
    let again = shop.world.deliveries();
    assert_eq!(again[0].body, sent[0].body, "a retry is the same notification");
    shop.world.answered(again[0].number, Some(200));
    let shown = shop.get(&path);
    assert_eq!((&shown["status"], &shown["payload"]), (&json!("delivered"), &body));
    let logs = shop.get(&format!("{path}/logs"));
    let codes: Vec<&Value> = logs.as_array().into_iter().flatten().map(|it| &it["response_code"]).collect();
    assert_eq!(codes, [&json!(200), &json!(202)], "newest first");
    let replay = shop.post(&format!("{path}/replay"), Value::Null)["notification_id"].clone();
    let replayed = shop.world.deliveries();
    let replayed: Value = serde_json::from_slice(&replayed[0].body).expect("JSON");
    assert_eq!((&replayed["notification_id"], &replayed["event_id"]), (&replay, &body["event_id"]));
    assert_ne!(replay, id.as_str());
    let target = format!("/notifications/{}/replay", replay.as_str().expect("an id"));
    assert_eq!(shop.refused(Post, &target, Value::Null).1, "notification_replay_invalid_origin_type");
    assert!(!shop.get(&path)["replayed_at"].is_null());
    let events = shop.get("/events?event_type=product.created");
    assert_eq!((&events[0]["event_id"], &events[0]["notification_id"]), (&body["event_id"], &Value::Null));
    shop.wait(91 * DAY);
    assert_eq!(shop.get("/events"), json!([]));
    assert_eq!(shop.refused(Get, &path, Value::Null).0, 404);
}

#[test]
fn the_checkout_page_pays_without_script() {
    let mut shop = Shop::new(1, Account::default());
    let product = shop.product.clone();
    shop.patch(&format!("/products/{product}"), json!({ "name": "<script>alert(1)</script>" }));
    let monthly = shop.monthly.clone();
    let id = shop.open(&monthly);
    let url = shop.get(&format!("/transactions/{id}"))["checkout"]["url"].as_str().expect("a link").to_owned();
    let target = url.strip_prefix("http://localhost").expect("the base").to_owned();
    let mut page = |method, form: &str| {
        let mut request = HttpRequest::new(method, target.clone());
        request.body = form.as_bytes().to_vec();
        let response = shop.world.handle(&request);
        (response.status, String::from_utf8(response.body).expect("text"))
    };
    let (status, shown) = page(Get, "");
    assert!(status == 200 && shown.contains("name=\"email\"") && shown.contains("type=\"radio\""), "{shown}");
    assert!(!shown.contains("<script>") && shown.contains("&lt;script&gt;"), "{shown}");
    let form = |card: &str| format!("email=sam%40example.com&country=de&card={}", card.replace(' ', "+"));
    assert!(page(Post, "email=sam&country=DE&card=4242+4242+4242+4242").1.contains("must be a valid email"));
    assert!(page(Post, &form("4000 0000 0000 0002")).1.contains("The payment failed"));
    let (_, thanks) = page(Post, &form("4000 0038 0000 0446"));
    assert!(thanks.contains("the payment succeeded") && !thanks.contains("<form"), "{thanks}");
    assert!(page(Post, &form("4242 4242 4242 4242")).1.contains("transaction_not_ready"));
    let shown = shop.get(&format!("/transactions/{id}"));
    assert_eq!((&shown["status"], shown["payments"].as_array().map(Vec::len)), (&json!("completed"), Some(2)));
}

#[test]
fn the_portal_ends_a_subscription_with_its_period() {
    let mut shop = Shop::new(1, Account::default());
    let monthly = shop.monthly.clone();
    let (_, id) = shop.buy(&monthly);
    let customer = shop.get(&format!("/subscriptions/{id}"))["customer_id"].as_str().expect("an id").to_owned();
    let target = format!("/customers/{customer}/portal-sessions");
    let session = shop.post(&target, json!({ "subscription_ids": [id] }));
    let link = session["urls"]["subscriptions"][0]["cancel_subscription"].as_str().expect("a link").to_owned();
    let link = link.strip_prefix("http://localhost").expect("the base").to_owned();
    let mut page = |method, target: &str, form: String| {
        let mut request = HttpRequest::new(method, target);
        request.body = form.into_bytes();
        let response = shop.world.handle(&request);
        (response.status, String::from_utf8(response.body).expect("text"))
    };
    assert_eq!(page(Get, &link.replace("token=pga_", "token=pga"), String::new()).0, 403);
    assert!(page(Get, &link, String::new()).1.contains("Cancel at the end of the period"));
    assert!(page(Post, &link, "subscription_id=sub_1".to_owned()).1.contains("not_found"));
    assert!(page(Post, &link, format!("subscription_id={id}")).1.contains("ends with its period"));
    let shown = shop.get(&format!("/subscriptions/{id}"));
    assert_eq!((&shown["status"], &shown["scheduled_change"]["action"]), (&json!("active"), &json!("cancel")));
    assert_eq!(shown["next_billed_at"], Value::Null);
}

/// A life with all oddities. Returns the bodies of the deliveries.
fn live(shop: &mut Shop) -> Vec<Vec<u8>> {
    let monthly = shop.monthly.clone();
    shop.buy(&monthly);
    shop.wait(100 * DAY);
    shop.deliveries().into_iter().map(|it| it.body).collect()
}

#[test]
fn the_same_seed_and_the_same_calls_give_the_same_bytes() {
    let of_seed = |seed| {
        let mut shop = Shop::new(seed, Account { oddities: Oddities::all(50), ..Account::default() });
        (live(&mut shop), shop.world.snapshot().expect("JSON"))
    };
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
}

#[test]
fn a_restored_world_goes_on_alike() {
    let mut shop = Shop::new(1, Account { oddities: Oddities::all(50), ..Account::default() });
    live(&mut shop);
    let snapshot = shop.world.snapshot().expect("JSON");
    let later = live(&mut shop);
    let webhook = Webhook { url: "http://localhost/hooks".to_owned(), secret: SECRET.to_owned() };
    shop.world = World::<Paddle>::restore(&snapshot, Some(webhook)).expect("a snapshot");
    assert_eq!(live(&mut shop), later);
}

#[test]
fn later_fields_are_added_on_demand() {
    let of = |later_fields| {
        let mut shop = Shop::new(1, Account { later_fields, ..Account::default() });
        let monthly = shop.monthly.clone();
        let (transaction, subscription) = shop.buy(&monthly);
        let refund = json!({ "action": "refund", "transaction_id": transaction, "reason": "asked", "type": "full" });
        shop.post("/adjustments", refund);
        let event =
            shop.world.shared().events().last().expect("an event").body["data"]["totals"]["retained_fee"].clone();
        [
            shop.get("/transactions")[0]["details"]["adjusted_totals"]["retained_fee"].clone(),
            shop.get(&format!("/transactions/{transaction}"))["details"]["totals"]["grand_total_tax"].clone(),
            shop.get("/adjustments")[0]["totals"]["retained_fee"].clone(),
            shop.get(&format!("/subscriptions/{subscription}"))["consent_requirements"].clone(),
            event,
        ]
    };
    assert_eq!(of(false), [const { Value::Null }; 5]);
    assert_eq!(of(true), [json!("0"), json!("0"), json!("0"), json!([]), json!("0")]);
}

#[test]
fn planned_failures_have_paddles_shape() {
    let mut shop = Shop::new(1, Account::default());
    for (failure, status, code) in [
        (Failure::RateLimited, 429, "too_many_requests"),
        (Failure::ServerError, 500, "internal_error"),
        (Failure::Unavailable, 503, "service_unavailable"),
    ] {
        shop.world.plan(Planned { failure, method: None, path: String::new(), after: 0, times: 1 });
        assert_eq!(shop.refused(Get, "/customers", Value::Null), (status, code.to_owned()));
    }
}

#[test]
fn deliveries_are_signed_at_their_time() {
    let mut shop = Shop::new(1, Account::default());
    let at = Timestamp::from_seconds(1_700_000_000).expect("in range");
    let sent = shop.world.deliveries_signed_at(at);
    let secret = purchase_core::verify::Secret::new(SECRET).expect("a secret");
    for it in sent {
        let expect = purchase_paddle::testing::headers([&secret], &it.body, at);
        let found = it.headers.all("paddle-signature").next().and_then(|it| std::str::from_utf8(it).ok());
        assert_eq!(found, Some(expect[0].1.as_str()), "the adapter's own signer agrees");
    }
}
