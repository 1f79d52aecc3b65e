//! The pages that people see.

use purchase_core::transport::Method;
use serde_json::json;

use crate::bench::{Bench, text};

fn page(bench: &mut Bench, method: Method, path: &str, body: &str) -> (u16, String, String) {
    let response = bench.send(method, path, body, &[]);
    let location = response.headers.all("location").next().map(|it| String::from_utf8_lossy(it).into_owned());
    (response.status, String::from_utf8_lossy(&response.body).into_owned(), location.unwrap_or_default())
}

#[test]
fn a_buyer_pays_at_the_page() {
    let mut bench = Bench::new();
    let product = text(&bench.post("/v1/products", "name=%3Cscript%3Ealert(1)%3C/script%3E"), "id");
    let price = text(&bench.post("/v1/prices", &format!("currency=eur&unit_amount=4900&product={product}")), "id");
    let session = bench.session("payment", &price, "");
    let url = text(&bench.get(&format!("/v1/checkout/sessions/{session}")), "url");
    let path = format!("/c/pay/{session}");
    assert_eq!(url, format!("http://localhost{path}"));
    let (status, shown, _) = page(&mut bench, Method::Get, &path, "");
    assert_eq!(status, 200);
    assert!(shown.contains("49.00 EUR") && shown.contains("4242 4242 4242 4242"), "{shown}");
    assert!(!shown.contains("<script>"), "what is shown is escaped");
    let (status, shown, _) = page(&mut bench, Method::Post, &path, "email=a@example.com&method=declined");
    assert_eq!((status, shown.contains("Your card was declined.")), (402, true));
    let (status, _, to) = page(&mut bench, Method::Post, &path, "email=a@example.com&method=visa");
    let done = (303, format!("https://shop.example/ok?s={session}"));
    assert_eq!((status, to), done);
    let it = bench.get(&format!("/v1/checkout/sessions/{session}"));
    assert_eq!((&it["status"], &it["customer_details"]["email"]), (&json!("complete"), &json!("a@example.com")));
    // Somebody who submits twice, or comes back, is sent on and pays once.
    for method in [Method::Post, Method::Get] {
        let (status, _, to) = page(&mut bench, method, &path, "email=a@example.com&method=visa");
        assert_eq!((status, to), done);
    }
    assert_eq!(bench.get("/v1/payment_intents")["data"].as_array().map(Vec::len), Some(1));
}

#[test]
fn three_d_secure_is_a_page_of_its_own() {
    let mut bench = Bench::new();
    let price = bench.price(4900, "");
    let session = bench.session("payment", &price, "");
    let path = format!("/c/pay/{session}");
    let (status, shown, _) = page(&mut bench, Method::Post, &path, "email=a@example.com&method=authenticates");
    assert_eq!((status, shown.contains("3-D Secure")), (200, true));
    let again = "email=a@example.com&method=authenticates&authentication=";
    assert_eq!(page(&mut bench, Method::Post, &path, &format!("{again}fails")).0, 402);
    assert_eq!(page(&mut bench, Method::Post, &path, &format!("{again}succeeds")).0, 303);
}

#[test]
fn a_customer_cancels_in_the_portal_and_changes_their_mind() {
    let mut bench = Bench::new();
    let (id, customer) = bench.subscription();
    let portal =
        bench.post("/v1/billing_portal/sessions", &format!("customer={customer}&return_url=https://shop.example"));
    let path = text(&portal, "url").replace("http://localhost", "");
    let (_, shown, _) = page(&mut bench, Method::Get, &path, "");
    assert!(shown.contains("Cancel at the end of the period"), "{shown}");
    let (status, _, to) = page(&mut bench, Method::Post, &path, &format!("subscription={id}&do=cancel"));
    assert_eq!((status, to), (303, path.clone()));
    assert_eq!(bench.get(&format!("/v1/subscriptions/{id}"))["cancel_at_period_end"], true);
    page(&mut bench, Method::Post, &path, &format!("subscription={id}&do=renew"));
    assert_eq!(bench.get(&format!("/v1/subscriptions/{id}"))["cancel_at_period_end"], false);
    let (other, _) = bench.subscription();
    assert_eq!(page(&mut bench, Method::Post, &path, &format!("subscription={other}&do=cancel")).0, 404);
}
