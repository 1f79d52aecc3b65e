//! What is too large, too deep or too far is refused, and nothing is lost by it.

use purchase_core::transport::Method::{Post, Put};
use purchase_emulator::{World, world::Webhook};
use purchase_emulator_stripe::Stripe;

use crate::bench::Bench;

/// The answer of a route that controls the world.
fn control(bench: &mut Bench, put: bool, path: &str, body: &str) -> (u16, String) {
    let response = bench.send(if put { Put } else { Post }, &format!("/_emulator/{path}"), body, &[]);
    (response.status, String::from_utf8_lossy(&response.body).into_owned())
}

#[test]
fn names_of_parameters_have_a_depth() {
    let mut bench = Bench::new();
    let deep = format!("name=x&metadata{}=1", "[a]".repeat(20_000));
    assert_eq!(bench.refused(Post, "/v1/products", &deep).0, 400);
    let target = format!("/v1/products?a{}=1", "[b]".repeat(20_000));
    assert_eq!(bench.refused(Post, &target, "name=x").0, 400);
}

#[test]
fn amounts_stay_within_64_bits() {
    let mut bench = Bench::new();
    let product = bench.post("/v1/products", "name=Pro");
    let product = product["id"].as_str().expect("an id");
    let price = format!("product={product}&currency=eur&recurring[interval]=month&unit_amount=");
    let beyond = bench.refused(Post, "/v1/prices", &format!("{price}100000000"));
    assert_eq!(beyond, (501, "api_error not_emulated -".to_owned()));
    let price = bench.post("/v1/prices", &format!("{price}99999999"));
    let sale = format!(
        "mode=subscription&success_url=https://a.example.com&line_items[0][price]={}&line_items[0][quantity]=",
        price["id"].as_str().expect("an id")
    );
    let beyond = bench.refused(Post, "/v1/checkout/sessions", &format!("{sale}9007199254740991"));
    assert_eq!(beyond, (501, "api_error not_emulated -".to_owned()));
    let session = bench.post("/v1/checkout/sessions", &format!("{sale}1000000"));
    assert_eq!(session["amount_total"], 99_999_999_000_000_i64);
}

#[test]
fn the_clock_and_chaos_have_limits() {
    let mut bench = Bench::new();
    let now = bench.world.now();
    for seconds in ["1000000000000000000", "9223372036854775807", "-1"] {
        let (status, error) = control(&mut bench, false, "clock", &format!("{{\"seconds\": {seconds}}}"));
        assert_eq!(status, 400, "{seconds}: {error}");
    }
    assert_eq!(bench.world.now(), now);
    for chaos in ["{\"drop_percent\": 101}", "[]", "{\"lost\": 1}"] {
        let (status, error) = control(&mut bench, true, "chaos", chaos);
        assert_eq!(status, 400, "{chaos}: {error}");
    }
    let deep = format!("{{\"act\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    assert_eq!(control(&mut bench, false, "acts", &deep).0, 400);
}

/// Nobody knows whether a delivery arrived that was being sent when its world was stored, so it is sent again.
#[test]
fn what_was_being_sent_is_sent_again_after_a_restart() {
    let mut bench = Bench::new();
    bench.post("/v1/products", "name=Pro");
    let sent = bench.world.deliveries();
    assert_eq!(sent.len(), 1);
    let snapshot = bench.world.snapshot().expect("it is JSON");
    let webhook = Webhook { url: "http://localhost/webhook".to_owned(), secret: "whsec_1".to_owned() };
    let mut restored: World<Stripe> = World::restore(&snapshot, Some(webhook)).expect("it is a snapshot");
    let again = restored.deliveries();
    assert_eq!((again.len(), &again[0].body), (1, &sent[0].body));
    bench.world.answered(sent[0].number, Some(200));
    let mut done: World<Stripe> = World::restore(&bench.world.snapshot().expect("it is JSON"), None).expect("one");
    assert_eq!(done.deliveries().len(), 0);
}
