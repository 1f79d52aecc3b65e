//! Measures the emulator in process: requests, and a month of a thousand subscriptions. Run
//! `cargo run --release -p purchase-emulator-paddle --example paddle_month`.

use std::time::Instant;

use purchase_core::{
    time::Timestamp,
    transport::{HttpRequest, Method},
};
use purchase_emulator::{Settings, World, world::Webhook};
use purchase_emulator_paddle::{Account, Act, Paddle};
use serde_json::{Value, json};

const SUBSCRIPTIONS: u32 = 1000;
/// The limits that the figures are compared with: seconds of a request, and of the month.
const LIMITS: (f64, f64) = (0.001, 10.0);

fn main() -> anyhow::Result<()> {
    let start = Timestamp::parse_rfc3339("2026-10-05T08:00:00Z")?;
    let webhook = Some(Webhook { url: "http://localhost/".to_owned(), secret: "pdl_ntfset_month".to_owned() });
    let mut world = World::new(Paddle::new(Account::default()), Settings { seed: 7, start, webhook });
    let product = post(&mut world, "products", &json!({ "name": "Pro", "tax_category": "standard" }))?;
    let price = post(
        &mut world,
        "prices",
        &json!({
            "product_id": product["id"], "description": "monthly", "billing_cycle": { "interval": "month", "frequency": 1 },
            "unit_price": { "amount": "900", "currency_code": "EUR" },
        }),
    )?;
    let sale = json!({ "items": [{ "price_id": price["id"], "quantity": 1 }] });
    let begin = Instant::now();
    for number in 0..SUBSCRIPTIONS {
        let transaction = post(&mut world, "transactions", &sale)?;
        let buyer = json!({ "email": format!("{number}@example.com"), "country": "DE", "card": "success" });
        let pays = json!({ "act": "checkout", "transaction": transaction["id"], "buyer": buyer });
        world.act(serde_json::from_value::<Act>(pays)?).map_err(anyhow::Error::msg)?;
    }
    let sold = begin.elapsed().as_secs_f64() / f64::from(SUBSCRIPTIONS);
    world.deliveries();

    let begin = Instant::now();
    world.advance(start.plus_seconds(32 * 24 * 3600))?;
    let deliveries = world.deliveries().len();
    let month = begin.elapsed().as_secs_f64();

    let paid = world.truth().section("payments").filter(|(_, it)| it["state"] == "succeeded").count();
    println!("{SUBSCRIPTIONS} checkouts: {:.3} ms each, {:.2} of the limit", sold * 1e3, sold / LIMITS.0);
    println!(
        "a month: {month:.2} s, {:.2} of the limit; {deliveries} signed deliveries, {paid} payments",
        month / LIMITS.1
    );
    anyhow::ensure!(paid == 2 * SUBSCRIPTIONS as usize, "{paid} payments succeeded");
    Ok(())
}

fn post(world: &mut World<Paddle>, path: &str, body: &Value) -> anyhow::Result<Value> {
    let mut request = HttpRequest::new(Method::Post, format!("/{path}"));
    request.headers.push("Authorization", "Bearer pdl_sdbx_apikey_month");
    request.body = body.to_string().into_bytes();
    let answer = world.handle(&request);
    let read: Value = serde_json::from_slice(&answer.body)?;
    anyhow::ensure!(answer.status < 300, "{path}: {read}");
    Ok(read["data"].clone())
}
