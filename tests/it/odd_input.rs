//! Tests odd input that an application or a buyer wrote into a provider's objects: the event is processed on a real
//! store, unusable values are reported and listed, and the body is returned byte for byte.

use std::{error::Error, sync::Arc};

use purchase::{
    delivery::Delivery,
    engine::{Engine, ProjectionQuery},
    id::Mode,
    paddle::{CustomData, Paddle, PaddleConfig},
    provider::{ReadFault, Remark},
    receipt::Reconciliation,
    sqlite::Sqlite,
    store::{EventQuery, EventStatus, Lease, Reason, Store, StoredEvent, memory::MemoryStore},
    stripe::{ModePolicy, Stripe, StripeConfig},
    time::Timestamp,
    verify::Secret,
};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

const SECRET: &str = "odd-input";
const NOW: i64 = 1_767_225_600;

/// An engine with both adapters on each store that needs no server.
async fn engines() -> Outcome<Vec<Engine>> {
    let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::new()), Arc::new(Sqlite::open_in_memory().await?)];
    let stripe: Arc<Stripe> = Arc::new(Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), [SECRET])?)?);
    let config = PaddleConfig::new(Mode::Test, [SECRET])?;
    let paddle = Arc::new(Paddle::new(PaddleConfig { custom_data: CustomData::Everywhere, ..config })?);
    let engine =
        |store| Engine::new(store).with_provider(Arc::clone(&stripe) as _).with_provider(Arc::clone(&paddle) as _);
    Ok(stores.into_iter().map(engine).collect())
}

fn signed(endpoint: &str, body: &[u8]) -> Outcome<Delivery> {
    let (secret, now) = (Secret::new(SECRET)?, Timestamp::from_seconds(NOW)?);
    Ok(match endpoint {
        "paddle" => purchase::paddle::testing::delivery([&secret], body, now),
        _ => purchase::stripe::testing::delivery([&secret], body, now),
    })
}

/// A Stripe event about a customer with this text as metadata.
fn stripe(event: &str, metadata: &str, created: i64) -> Vec<u8> {
    format!(
        r#"{{"id": "{event}", "object": "event", "type": "customer.updated", "created": {created}, "livemode": false,
        "data": {{"object": {{"id": "cus_1", "object": "customer", "metadata": {metadata}}}}}}}"#
    )
    .into_bytes()
}

/// A Paddle event about a subscription with this text as custom data.
fn paddle(event: &str, custom_data: &str) -> Vec<u8> {
    format!(
        r#"{{"event_id": "{event}", "event_type": "subscription.updated", "occurred_at": "2025-12-31T23:00:00Z",
        "notification_id": "ntf_1", "data": {{"id": "sub_1", "status": "active", "customer_id": "ctm_1", "items": [],
        "custom_data": {custom_data}}}}}"#
    )
    .into_bytes()
}

async fn stored(engine: &Engine) -> Outcome<StoredEvent> {
    let events = engine.events(&EventQuery { limit: 10, ..EventQuery::default() }).await?;
    let [one] = events.try_into().map_err(|events: Vec<_>| format!("{} events", events.len()))?;
    Ok(one)
}

async fn shown(engine: &Engine, place: &str) -> Outcome<Option<Value>> {
    let query = ProjectionQuery { source: None, as_of: Timestamp::from_seconds(NOW)? };
    Ok(engine.projection(&query).await?.expose_canonical().pointer(place).cloned())
}

#[tokio::test]
async fn text_that_nobody_reads_costs_no_event() -> Outcome<()> {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let owner = r#""purchase_customer_id": "user-1""#;
    let metadata = [r#""\ud800""#, "1e999", deep.as_str()].map(|odd| format!("{{\"note\": {odd}, {owner}}}"));
    let marked = [b"\xEF\xBB\xBF".as_slice(), &stripe("evt_1", &metadata[0], NOW)].concat();
    let bodies = metadata.iter().map(|it| stripe("evt_1", it, NOW)).chain([marked]);
    for body in bodies {
        for engine in engines().await? {
            let receipt = engine.handle(signed("stripe", &body)?).await?;
            assert_eq!((receipt.status, receipt.reconciliation), (EventStatus::Processed, vec![]));
            let kept = stored(&engine).await?;
            assert_eq!((kept.event.body == body, kept.reason), (true, None));
            assert_eq!(shown(&engine, "/customers/cus_1/customer").await?, Some(json!("user-1")));
            assert!(engine.handle(signed("stripe", &body)?).await?.duplicate);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_repetition_of_such_a_body_is_compared_as_it_is_read() -> Outcome<()> {
    let odd = |text: &str, notification: &str| {
        let body = String::from_utf8(paddle("evt_1", &format!("{{\"note\": {text}}}"))).unwrap_or_default();
        body.replace("ntf_1", notification).into_bytes()
    };
    for engine in engines().await? {
        engine.handle(signed("paddle", &odd("1e999", "ntf_1"))?).await?;
        assert!(engine.handle(signed("paddle", &odd("1e999", "ntf_2"))?).await?.duplicate);
        let other = engine.handle(signed("paddle", &odd("1e998", "ntf_2"))?).await;
        assert_eq!(other.map_err(|refusal| refusal.code()).map(drop), Err("event_conflict"));
    }
    Ok(())
}

#[tokio::test]
async fn an_unusable_id_is_reported_and_kept_with_the_event() -> Outcome<()> {
    let path = "data.custom_data.purchase_customer_id";
    let check = async |custom_data: &str, expect: Option<(&str, &str)>| -> Outcome<()> {
        for engine in engines().await? {
            let body = paddle("evt_1", custom_data);
            let receipt = engine.handle(signed("paddle", &body)?).await?;
            let unusable = expect.map(|(expected, found)| {
                let [path, expected, found] = [path, expected, found].map(str::to_owned);
                Remark { path, expected, found }
            });
            let told = unusable.clone().map(|Remark { path, expected, found }| Reconciliation::IdUnusable {
                path,
                expected,
                found,
            });
            assert_eq!(receipt.status, EventStatus::Processed, "{custom_data}");
            assert_eq!(receipt.reconciliation, told.into_iter().collect::<Vec<_>>(), "{custom_data}");
            let kept = stored(&engine).await?;
            assert_eq!(kept.reason, unusable.map(|remark| Reason::Unusable { remarks: vec![remark] }), "{custom_data}");
            assert_eq!((kept.status, kept.event.body), (EventStatus::Processed, body), "{custom_data}");
            assert_eq!(shown(&engine, "/subscriptions/sub_1/state").await?, Some(json!("active")), "{custom_data}");
            // Reading the event again gives the same result.
            let now = Timestamp::from_seconds(NOW + 60)?;
            engine.replay(&purchase::engine::Selection::EVERYTHING, now).await?;
            assert_eq!(stored(&engine).await?.reason, kept.reason, "{custom_data}");
        }
        Ok(())
    };
    check("[]", None).await?;
    check(r#""text""#, None).await?;
    check(r#"{"purchase_customer_id": "user-1"}"#, None).await?;
    check(r#"{"purchase_customer_id": 42}"#, Some(("string", "integer"))).await?;
    check(r#"{"purchase_customer_id": {"id": "user-1"}}"#, Some(("string", "object"))).await?;
    let half = ("id of valid characters", "a string with NUL, a lone surrogate or U+FFFD");
    check(r#"{"purchase_customer_id": "user\ud800"}"#, Some(half)).await?;
    let long = format!(r#"{{"purchase_customer_id": "{}"}}"#, "x".repeat(300));
    check(&long, Some(("id of at most 255 bytes", "a string of 300 bytes"))).await
}

#[tokio::test]
async fn an_event_from_the_future_is_kept_and_used_when_its_time_has_come() -> Outcome<()> {
    const DAY: i64 = 24 * 3600;
    for engine in engines().await? {
        let body = stripe("evt_1", r#"{"purchase_customer_id": "user-1"}"#, NOW + 3 * DAY);
        let refusal = engine.handle(signed("stripe", &body)?).await.map(drop);
        assert_eq!(refusal.map_err(|refusal| refusal.code()), Err("event_future"));
        let kept = stored(&engine).await?;
        let fault = ReadFault::Future { path: "created".to_owned(), seconds_ahead: 3 * DAY };
        assert_eq!((kept.status, kept.reason), (EventStatus::Failed, Some(Reason::Read(fault))));
        assert_eq!(shown(&engine, "/customers").await?, Some(json!({})));
        let now = Timestamp::from_seconds(NOW + 2 * DAY)?;
        let report = engine.work(Lease { token: "w".to_owned(), until: now.plus_seconds(60) }, 10, now).await?;
        assert_eq!((report.retried, report.receipts.len()), (1, 1));
        let done = stored(&engine).await?;
        assert_eq!((done.status, done.reason, done.event.body), (EventStatus::Processed, None, body));
        assert_eq!(shown(&engine, "/customers/cus_1/customer").await?, Some(json!("user-1")));
    }
    Ok(())
}

#[tokio::test]
async fn a_time_out_of_range_is_kept_as_failed_and_says_so() -> Outcome<()> {
    for engine in engines().await? {
        let refusal = engine.handle(signed("stripe", &stripe("evt_1", "{}", i64::MAX))?).await.map(drop);
        assert_eq!(refusal.map_err(|refusal| refusal.code()), Err("body_shape"));
        let [path, expected, found] =
            ["created", "integer seconds between the years 1684 and 2255", "an integer above that range"]
                .map(str::to_owned);
        assert_eq!(stored(&engine).await?.reason, Some(Reason::Read(ReadFault::Shape { path, expected, found })));
    }
    Ok(())
}
