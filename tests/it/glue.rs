//! The glue to frameworks, as an application uses it: over loopback with axum, and as a service that is called directly.

use std::{
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use axum::{Router, extract::State, routing::get};
use http::Request;
use http_body_util::{BodyExt, Full};
use purchase::{
    delivery::Limits,
    engine::{Engine, Settings},
    group::{GroupCommit, GroupSettings},
    id::ProviderName,
    lemonsqueezy, paddle,
    store::memory::MemoryStore,
    stripe::{self, ModePolicy, Stripe, StripeConfig},
    time::Timestamp,
    tower::{Intake, Response, WebhookService},
    verify::Secret,
    worker::{Worker, WorkerSettings},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tower_service::Service;

type Outcome<T> = Result<T, Box<dyn Error>>;

const SECRET: &str = "whsec_glue";
const LIMIT: usize = 2000;

fn now() -> Outcome<Timestamp> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_seconds(since_1970.as_secs().try_into()?)?)
}

fn engine() -> Outcome<Engine> {
    let stripe = Stripe::new(StripeConfig::new(ModePolicy::Both, [SECRET])?)?;
    let limits = Limits { body_bytes: LIMIT, ..Limits::default() };
    let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(Arc::new(stripe));
    Ok(engine.with_settings(Settings { limits, ..Settings::default() }))
}

fn event(id: &str) -> String {
    format!(
        r#"{{"id": "{id}", "object": "event", "type": "customer.created", "created": 1767225599, "livemode": false,
        "data": {{"object": {{"id": "cus_1", "object": "customer", "created": 1767225599}}}}}}"#
    )
}

/// The header of a body that was signed with a secret.
fn signed(secret: &str, body: &str) -> Outcome<(&'static str, String)> {
    let mut headers = stripe::testing::headers([&Secret::new(secret)?], body.as_bytes(), now()?);
    headers.pop().ok_or_else(|| "no header".into())
}

/// Serves an application that has a state and a route of its own.
async fn serve(intake: Intake) -> Outcome<SocketAddr> {
    let app = Router::new()
        .route("/", get(async |State(said): State<&'static str>| said))
        .merge(purchase::axum::router(intake.clone()))
        .nest("/billing", purchase::axum::router(intake))
        .with_state("the application's");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

struct Sender {
    client: Client,
    address: SocketAddr,
}

impl Sender {
    fn to(address: SocketAddr) -> Outcome<Self> {
        Ok(Self { client: Client::builder().no_proxy().build()?, address })
    }

    async fn send(&self, method: Method, path: &str, header: (&str, String), body: &str) -> Outcome<(u16, Value)> {
        let url = format!("http://{}{path}", self.address);
        let request = self.client.request(method, url).header(header.0, header.1).body(body.to_owned());
        let answer = request.send().await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    async fn refused(&self, path: &str, header: (&str, String), body: &str) -> Outcome<(u16, String)> {
        let (status, answer) = self.send(Method::POST, path, header, body).await?;
        assert!(answer["message"].is_string(), "{answer}");
        Ok((status, answer["error"].as_str().unwrap_or_default().to_owned()))
    }
}

#[tokio::test]
async fn a_router_takes_what_is_genuine_and_refuses_the_rest() -> Outcome<()> {
    let sender = Sender::to(serve(Intake::inline(engine()?)).await?)?;
    let body = event("evt_1");
    let (status, receipt) = sender.send(Method::POST, "/webhooks/stripe", signed(SECRET, &body)?, &body).await?;
    assert_eq!((status, &receipt["duplicate"], &receipt["facts"]), (200, &json!(false), &json!(1)), "{receipt}");
    for path in ["/webhooks/stripe", "/billing/webhooks/stripe"] {
        let (status, receipt) = sender.send(Method::POST, path, signed(SECRET, &body)?, &body).await?;
        assert_eq!((status, &receipt["duplicate"]), (200, &json!(true)), "{receipt}");
    }

    let check = async |path: &str, header: (&str, String), body: &str, status: u16, code: &str| -> Outcome<()> {
        assert_eq!(sender.refused(path, header, body).await?, (status, code.to_owned()));
        Ok(())
    };
    let long = event("evt_2") + &" ".repeat(LIMIT);
    check("/webhooks/stripe", signed("whsec_other", &body)?, &body, 401, "signature_mismatch").await?;
    check("/webhooks/stripe", signed(SECRET, &body)?, &event("evt_2"), 401, "signature_mismatch").await?;
    check("/webhooks/stripe", ("x-other", String::new()), &body, 400, "signature_missing").await?;
    check("/webhooks/stripe", signed(SECRET, &long)?, &long, 413, "body_too_large").await?;
    check("/webhooks/nobody", signed(SECRET, &body)?, &body, 404, "unknown_provider").await?;
    check("/webhooks/No%20Name", signed(SECRET, &body)?, &body, 404, "unknown_provider").await?;

    let (status, _) = sender.send(Method::PUT, "/webhooks/stripe", signed(SECRET, &body)?, &body).await?;
    assert_eq!(status, 405);
    let (status, _) = sender.send(Method::GET, "/", ("x-other", String::new()), "").await?;
    assert_eq!(status, 200, "the application's own route");
    Ok(())
}

#[tokio::test]
async fn a_group_and_a_queue_answer_as_the_engine_does() -> Outcome<()> {
    let body = event("evt_1");
    let group = GroupCommit::new(engine()?, GroupSettings::default());
    let grouped = Sender::to(serve(Intake::grouped(group.clone())).await?)?;
    for duplicate in [false, true] {
        let (status, receipt) = grouped.send(Method::POST, "/webhooks/stripe", signed(SECRET, &body)?, &body).await?;
        assert_eq!((status, &receipt["duplicate"]), (200, &json!(duplicate)), "{receipt}");
    }
    group.close().await;
    let late = event("evt_2");
    assert_eq!(grouped.refused("/webhooks/stripe", signed(SECRET, &late)?, &late).await?, (503, "closing".to_owned()));

    let worker = Worker::new(engine()?, WorkerSettings::default());
    let queued = Sender::to(serve(Intake::queued(worker)).await?)?;
    for new in [true, false] {
        let answer = queued.send(Method::POST, "/webhooks/stripe", signed(SECRET, &body)?, &body).await?;
        assert_eq!(answer, (200, json!({ "queued": new })));
    }
    Ok(())
}

/// What a service answers: status, JSON, and a header.
async fn call(service: &mut WebhookService, request: Request<Full<&'static [u8]>>) -> Outcome<(u16, Value, Response)> {
    let (head, body) = service.call(request).await?.into_parts();
    let bytes = body.collect().await?.to_bytes();
    Ok((head.status.as_u16(), serde_json::from_slice(&bytes)?, Response::from_parts(head, Full::default())))
}

#[tokio::test]
async fn a_service_takes_requests_of_any_server() -> Outcome<()> {
    let body: &'static str = event("evt_1").leak();
    let request = |method: &str, path: &str| -> Outcome<Request<Full<&'static [u8]>>> {
        let (name, value) = signed(SECRET, body)?;
        Ok(Request::builder().method(method).uri(path).header(name, value).body(Full::new(body.as_bytes()))?)
    };
    let mut service = WebhookService::new(Intake::inline(engine()?));
    let (status, receipt, _) = call(&mut service, request("POST", "/anywhere/stripe?query=1")?).await?;
    assert_eq!((status, &receipt["duplicate"]), (200, &json!(false)), "{receipt}");
    let (status, answer, _) = call(&mut service, request("POST", "/stripe/")?).await?;
    assert_eq!((status, &answer["error"]), (404, &json!("unknown_provider")));
    let (status, answer, response) = call(&mut service, request("GET", "/stripe")?).await?;
    assert_eq!((status, &answer["error"]), (405, &json!("method_not_allowed")));
    assert_eq!(response.headers()["allow"], "POST");

    let mut named = service.with_provider(ProviderName::new("stripe")?);
    let (status, receipt, response) = call(&mut named, request("POST", "/hooks")?).await?;
    assert_eq!((status, &receipt["duplicate"]), (200, &json!(true)), "{receipt}");
    assert_eq!(response.headers()["content-type"], "application/json");

    let group = GroupCommit::new(engine()?, GroupSettings::default());
    group.close().await;
    let mut closed = WebhookService::new(Intake::grouped(group));
    let (status, _, response) = call(&mut closed, request("POST", "/stripe")?).await?;
    assert_eq!((status, response.headers()["retry-after"].as_bytes()), (503, &b"1"[..]));
    Ok(())
}

/// A body that doesn't say its length is counted as it comes.
#[tokio::test]
async fn a_body_of_unknown_length_is_refused_where_it_passes_the_limit() -> Outcome<()> {
    let chunk = || Ok::<_, std::io::Error>("x".repeat(LIMIT / 2));
    let (name, value) = signed(SECRET, "")?;
    for (chunks, code) in [(2, "signature_mismatch"), (3, "body_too_large")] {
        let body = axum::body::Body::from_stream(futures_util::stream::iter((0..chunks).map(move |_| chunk())));
        let request = Request::post("/stripe").header(name, &value).body(body)?;
        let answer = WebhookService::new(Intake::inline(engine()?)).call(request).await?;
        let answer: Value = serde_json::from_slice(&answer.into_body().collect().await?.to_bytes())?;
        assert_eq!(answer["error"], code);
    }
    // The engine would refuse a long body, too; here it isn't even read.
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let chunks = (0..100).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        chunk()
    });
    let body = axum::body::Body::from_stream(futures_util::stream::iter(chunks));
    let request = Request::post("/stripe").header(name, &value).body(body)?;
    let answer = WebhookService::new(Intake::inline(engine()?)).call(request).await?;
    assert_eq!((answer.status().as_u16(), read.load(Ordering::SeqCst)), (413, 3));
    let broken = [chunk(), Err(std::io::Error::other("a secret of the server"))];
    let body = axum::body::Body::from_stream(futures_util::stream::iter(broken));
    let request = Request::post("/stripe").header(name, &value).body(body)?;
    let answer = WebhookService::new(Intake::inline(engine()?)).call(request).await?;
    assert_eq!(answer.status(), 400);
    let answer: Value = serde_json::from_slice(&answer.into_body().collect().await?.to_bytes())?;
    assert_eq!(answer, json!({ "error": "body_unread", "message": "the body could not be read completely" }));
    Ok(())
}

/// What each `testing` module signs is believed by an adapter that has the secret, and by no other.
#[tokio::test]
async fn every_adapter_signs_for_tests_what_it_believes() -> Outcome<()> {
    let (secret, now) = (Secret::new(SECRET)?, now()?);
    let deliveries = [
        stripe::testing::delivery([&secret], "{}", now),
        paddle::testing::delivery([&secret], "{}", now),
        lemonsqueezy::testing::delivery([&secret], "{}", now),
    ];
    for (theirs, genuine) in [(SECRET, true), ("another", false)] {
        let paddle = paddle::PaddleConfig::new(purchase::id::Mode::Test, [theirs])?;
        let lemon = lemonsqueezy::LemonSqueezyConfig::new(lemonsqueezy::ModePolicy::Both, [theirs])?;
        let engine = Engine::new(Arc::new(MemoryStore::new()))
            .with_provider(Arc::new(Stripe::new(StripeConfig::new(ModePolicy::Both, [theirs])?)?))
            .with_provider(Arc::new(paddle::Paddle::new(paddle)?))
            .with_provider(Arc::new(lemonsqueezy::LemonSqueezy::new(lemon)?));
        for delivery in deliveries.clone() {
            // An empty object is nobody's event; a genuine one comes as far as being read.
            let code = engine.handle(delivery).await.map(drop).map_err(|refusal| refusal.code());
            assert_eq!(code, Err(if genuine { "body_shape" } else { "signature_mismatch" }));
        }
    }
    Ok(())
}
