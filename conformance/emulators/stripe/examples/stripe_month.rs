//! Measures the emulator in process: requests, and a month of a thousand subscriptions. Run
//! `cargo run --release -p purchase-emulator-stripe --example stripe_month`.

use std::time::Instant;

use purchase_core::{
    time::Timestamp,
    transport::{HttpRequest, Method},
};
use purchase_emulator::{Settings, World, world::Webhook};
use purchase_emulator_stripe::{Act, Stripe, StripeSettings};
use serde_json::{Value, json};

const SUBSCRIPTIONS: u32 = 1000;
/// The limits that the figures are compared with: seconds of a request, and of the month.
const LIMITS: (f64, f64) = (0.001, 10.0);

fn main() -> anyhow::Result<()> {
    let start = Timestamp::parse_rfc3339("2026-10-05T08:00:00Z")?;
    let webhook = Some(Webhook { url: "http://localhost/".to_owned(), secret: "whsec_month".to_owned() });
    let mut world = World::new(Stripe::new(StripeSettings::default()), Settings { seed: 7, start, webhook });
    let product = post(&mut world, "products", "name=Pro")?;
    let price = format!("product={}&currency=eur&unit_amount=900&recurring[interval]=month", text(&product));
    let price = post(&mut world, "prices", &price)?;
    let sale = format!(
        "mode=subscription&line_items[0][price]={}&line_items[0][quantity]=1&success_url=https://shop.example.com",
        text(&price)
    );
    let begin = Instant::now();
    for number in 0..SUBSCRIPTIONS {
        let session = post(&mut world, "checkout/sessions", &sale)?;
        let email = format!("{number}@example.com");
        let pays = json!({ "act": "complete_checkout", "session": session["id"], "email": email });
        world.act(serde_json::from_value::<Act>(pays)?).map_err(anyhow::Error::msg)?;
    }
    let sold = begin.elapsed().as_secs_f64() / f64::from(SUBSCRIPTIONS);
    world.deliveries();

    let begin = Instant::now();
    world.advance(start.plus_seconds(32 * 24 * 3600))?;
    let deliveries = world.deliveries().len();
    let month = begin.elapsed().as_secs_f64();

    let paid = world.truth().section("invoices").filter(|(_, it)| it["state"] == "paid").count();
    println!("{SUBSCRIPTIONS} checkouts: {:.3} ms each, {:.2} of the limit", sold * 1e3, sold / LIMITS.0);
    println!(
        "a month: {month:.2} s, {:.2} of the limit; {deliveries} signed deliveries, {paid} paid invoices",
        month / LIMITS.1
    );
    anyhow::ensure!(paid == 2 * SUBSCRIPTIONS as usize, "{paid} invoices are paid");
    Ok(())
}

fn post(world: &mut World<Stripe>, path: &str, form: &str) -> anyhow::Result<Value> {
    let mut request = HttpRequest::new(Method::Post, format!("/v1/{path}"));
    request.headers.push("Authorization", "Bearer sk_test_month");
    request.body = form.as_bytes().to_vec();
    let answer = world.handle(&request);
    anyhow::ensure!(answer.status == 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    Ok(serde_json::from_slice(&answer.body)?)
}

fn text(object: &Value) -> &str {
    object["id"].as_str().unwrap_or_default()
}
