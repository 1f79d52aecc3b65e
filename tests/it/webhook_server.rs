//! Tests the example webhook server against clients that are slow, silent, unknown or send too much, and the
//! configurations that it refuses. The server runs in this process, at a port chosen by the system. A defective server
//! could block a test forever; `within` turns that into a failure.

#[path = "../../examples/webhook_server/server/mod.rs"]
#[allow(dead_code, reason = "the example uses more of it")]
mod server;
mod settings;
use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::support::{self, Gate, Weather, delivery};
use purchase::{
    engine::{Engine, RetryPolicy},
    error::Refusal,
    group::{GroupCommit, GroupSettings},
    store::{Store, memory::MemoryStore},
    stripe::{ModePolicy, Stripe, StripeConfig},
};
use purchase_conformance::fault::{FaultyStore, StoreFault, When};
use reqwest::{Client, Response, header::HeaderMap};
use serde_json::Value;
use server::{Bounds, Endpoint, ReadToken, Server, Way};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

const SHORT: Duration = Duration::from_millis(200);
const HOUR: Duration = Duration::from_secs(3600);
const TOKEN: &str = "a-token-of-a-test-run";
/// A well-formed signature that wasn't made with the secret.
const FORGED: &str =
    "Stripe-Signature: t=1767225600,v1=abababababababababababababababababababababababababababababababab";

/// Every time-out is an hour, except the one under test.
fn patient() -> Bounds {
    Bounds { header: HOUR, body: HOUR, request: HOUR, ready: HOUR, shutdown: HOUR, ..Bounds::default() }
}

/// Waits for something that must happen, and fails after a time-out.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(20), future).await {
        Ok(done) => done,
        Err(_) => panic!("timed out waiting for {what}"),
    }
}

struct Running {
    address: SocketAddr,
    group: GroupCommit,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    async fn start(store: Arc<dyn Store>, bounds: Bounds, token: Option<&str>) -> anyhow::Result<Self> {
        let mut config = StripeConfig::new(ModePolicy::Both, [support::SECRET])?;
        // The deliveries were signed long ago.
        config.tolerance_seconds = None;
        let engine = Engine::new(store).with_provider(Arc::new(Stripe::new(config)?));
        let group = GroupCommit::new(engine.clone(), GroupSettings::default());
        let token = token.map(|text| ReadToken::new(text.to_owned())).transpose()?;
        let endpoint = Endpoint::new(engine, Way::Grouped(group.clone()), token, bounds);
        let server = Server::bind(([127, 0, 0, 1], 0).into(), endpoint)?;
        let address = server.address()?;
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.serve(async { drop(stopped.await) }));
        Ok(Self { address, group, stop, ended })
    }

    async fn on_memory(bounds: Bounds) -> anyhow::Result<Self> {
        Self::start(Arc::new(MemoryStore::new()), bounds, None).await
    }

    /// Opens a connection and sends the first bytes.
    async fn connect(&self, bytes: &str) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(bytes.as_bytes()).await?;
        Ok(stream)
    }

    async fn get(&self, path: &str, token: Option<&str>) -> anyhow::Result<Answer> {
        let mut request = client()?.get(format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.header("Authorization", token);
        }
        Answer::of(within("an answer", request.send()).await?).await
    }

    async fn deliver(&self, event: &str) -> anyhow::Result<Answer> {
        deliver(self.address, event).await
    }
}

/// Sends a genuine delivery on a new connection.
async fn deliver(server: SocketAddr, event: &str) -> anyhow::Result<Answer> {
    let delivery = delivery(event, "a");
    let signature = delivery.headers.all("stripe-signature").next().unwrap_or_default().to_vec();
    let url = format!("http://{server}/webhooks/stripe");
    let request = client()?.post(url).header("Stripe-Signature", signature).body(delivery.body);
    Answer::of(within("an answer", request.send()).await?).await
}

fn client() -> anyhow::Result<Client> {
    Ok(Client::builder().no_proxy().pool_max_idle_per_host(0).build()?)
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    async fn of(response: Response) -> anyhow::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await? })
    }

    /// The status, and the code of a refusal.
    fn word(&self) -> (u16, String) {
        let json: Value = serde_json::from_str(&self.text).unwrap_or_default();
        (self.status, json["error"].as_str().unwrap_or_default().to_owned())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Reads until the server closes the connection.
async fn to_the_end(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    within("the end of the connection", stream.read_to_end(&mut bytes)).await?;
    Ok(String::from_utf8(bytes)?)
}

/// Reads up to and including a text.
async fn up_to(stream: &mut TcpStream, end: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        bytes.push(within(end, stream.read_u8()).await?);
    }
    Ok(String::from_utf8(bytes)?)
}

/// The head of a delivery with a body of this many bytes. The server asks for the body before it reads it.
fn forged_head(bytes: usize) -> String {
    format!(
        "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\n{FORGED}\r\nContent-Length: {bytes}\r\nExpect: 100-continue\r\n\r\n"
    )
}

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

#[tokio::test]
async fn a_client_that_sends_no_head_in_time_is_disconnected() -> anyhow::Result<()> {
    let running = Running::on_memory(Bounds { header: SHORT, ..patient() }).await?;
    for begun in ["", "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\n"] {
        let mut silent = running.connect(begun).await?;
        assert_eq!(to_the_end(&mut silent).await?, "", "after {begun:?}");
    }
    let mut idle = running.connect("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    let answer = to_the_end(&mut idle).await?;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_answered_408() -> anyhow::Result<()> {
    let running = Running::on_memory(Bounds { body: SHORT, ..patient() }).await?;
    let mut slow = running.connect(&forged_head(10)).await?;
    assert_eq!(up_to(&mut slow, "\r\n\r\n").await?, CONTINUE);
    slow.write_all(b"{").await?;
    let answer = to_the_end(&mut slow).await?;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"body_timed_out\""), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_503_and_committed_all_the_same() -> anyhow::Result<()> {
    let store = Gate::closed();
    let running = Running::start(store.clone(), Bounds { request: SHORT, ..patient() }, None).await?;
    let answer = running.deliver("e1").await?;
    assert_eq!(answer.word(), (503, "request_timed_out".to_owned()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    store.lift();
    running.group.close().await;
    assert_eq!(store.commits(), [["e1"]]);
    Ok(())
}

/// Tests requests without an end, and a client that reads no answer: the server doesn't wait for output that it can't
/// send.
#[tokio::test]
async fn a_client_that_takes_no_answer_is_disconnected() -> anyhow::Result<()> {
    let running = Running::on_memory(Bounds { request: SHORT, ..patient() }).await?;
    let mut deaf = running.connect("").await?;
    let requests = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    let sending = async { while deaf.write_all(requests.as_bytes()).await.is_ok() {} };
    within("the end of the connection", sending).await;
    Ok(())
}

/// The client sends no body and the server waits for none: the answers arrive immediately although the time-outs are an
/// hour.
#[tokio::test]
async fn a_delivery_is_refused_by_its_head_without_its_body() -> anyhow::Result<()> {
    let running = Running::on_memory(patient()).await?;
    let check = async |path: &str, header: &str, bytes: usize, status: u16, code: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nContent-Length: {bytes}\r\n\r\n");
        let answer = to_the_end(&mut running.connect(&head).await?).await?;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{header}: {answer}");
        assert!(answer.contains(&format!("\"error\":\"{code}\"")), "{header}: {answer}");
        anyhow::Ok(())
    };
    check("/webhooks/stripe", "X-Other: 1", 1000, 400, "signature_missing").await?;
    check("/webhooks/stripe", "Stripe-Signature: v1=ab", 1000, 400, "signature_malformed").await?;
    check("/webhooks/nobody", FORGED, 1000, 404, "unknown_provider").await?;
    check("/webhooks/stripe", FORGED, (1 << 20) + 1, 413, "body_too_large").await
}

/// Closing a connection with unread bytes resets it, and many clients then give up before they read the answer.
#[tokio::test]
async fn a_client_that_sends_its_body_all_the_same_is_not_reset() -> anyhow::Result<()> {
    let running = Running::on_memory(patient()).await?;
    let head = "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n";
    let part = "x".repeat(200_000);
    let mut stranger = running.connect(&format!("{head}{part}")).await?;
    let answer = to_the_end(&mut stranger).await?;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"signature_missing\""), "{answer}");
    for _ in 0..2 {
        within("the rest of the body to be sent", stranger.write_all(part.as_bytes())).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_without_a_length_is_refused_where_it_passes_the_limit() -> anyhow::Result<()> {
    let running = Running::on_memory(patient()).await?;
    let head = format!("POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\n{FORGED}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let body = format!("100001\r\n{}\r\n", "x".repeat((1 << 20) + 1));
    let mut endless = running.connect(&(head + &body)).await?;
    let answer = to_the_end(&mut endless).await?;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"body_too_large\""), "{answer}");
    Ok(())
}

#[tokio::test]
async fn large_bodies_of_strangers_leave_room_for_a_small_delivery() -> anyhow::Result<()> {
    let running = Running::on_memory(Bounds { body_budget_bytes: 64 << 10, ..patient() }).await?;
    let forged = async |bytes: usize| -> anyhow::Result<Answer> {
        let (name, value) = FORGED.split_once(": ").unwrap_or_default();
        let url = format!("http://{}/webhooks/stripe", running.address);
        let request = client()?.post(url).header(name, value).body(vec![b'x'; bytes]);
        Answer::of(within("an answer", request.send()).await?).await
    };
    let word = async |bytes| anyhow::Ok(forged(bytes).await?.word());
    assert_eq!(word(80 << 10).await?, (401, "signature_mismatch".to_owned()), "16 KiB plus the budget");
    assert_eq!(word((80 << 10) + 1).await?, (503, "overloaded".to_owned()), "one byte more");

    let head = format!("POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\n{FORGED}\r\nContent-Length: {}\r\n\r\n", 81 << 10);
    let answer = to_the_end(&mut running.connect(&head).await?).await?;
    assert!(answer.starts_with("HTTP/1.1 503 "), "a body beyond the budget is refused before it is read: {answer}");

    let mut holder = running.connect(&forged_head(80 << 10)).await?;
    assert_eq!(up_to(&mut holder, "\r\n\r\n").await?, CONTINUE);
    holder.write_all(&vec![b'x'; (80 << 10) - 1]).await?;
    // The server accepts it while it answers others.
    let refused = async {
        loop {
            let answer = forged(17 << 10).await?;
            if answer.status == 503 {
                return anyhow::Ok(answer);
            }
        }
    };
    let refused = within("the budget to be used up", refused).await?;
    assert_eq!(refused.word(), (503, "overloaded".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(running.deliver("e1").await?.status, 200);

    drop(holder);
    let taken = async {
        while word(80 << 10).await? != (401, "signature_mismatch".to_owned()) {}
        anyhow::Ok(())
    };
    within("the budget to be released", taken).await
}

#[tokio::test]
async fn silent_connections_make_room_for_a_delivery() -> anyhow::Result<()> {
    let running = Running::on_memory(Bounds { connections: 2, ..patient() }).await?;
    let mut silent = running.connect("").await?;
    let mut used = running.connect("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    assert!(up_to(&mut used, "\r\n\r\nok").await?.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(running.deliver("e1").await?.status, 200);
    assert_eq!(to_the_end(&mut silent).await?, "", "the connection that was silent for the longest is closed");
    used.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    assert!(up_to(&mut used, "\r\n\r\nok").await?.starts_with("HTTP/1.1 200 OK"), "the other connection is served");
    Ok(())
}

#[tokio::test]
async fn a_connection_that_the_server_works_for_is_waited_for() -> anyhow::Result<()> {
    let store = Gate::closed();
    let running = Running::start(store.clone(), Bounds { connections: 1, ..patient() }, None).await?;
    let lifted = async {
        store.begun(1).await;
        // Connected but not accepted, because the only slot is in use.
        let mut second = running.connect("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
        store.lift();
        to_the_end(&mut second).await
    };
    let (first, second) = tokio::join!(running.deliver("e1"), lifted);
    assert_eq!(first?.status, 200);
    assert!(second?.starts_with("HTTP/1.1 200 OK"));
    Ok(())
}

#[tokio::test]
async fn a_request_without_a_body_is_not_displaced_either() -> anyhow::Result<()> {
    let store = Gate::open();
    store.turn(Weather::Mute, 1);
    let running = Running::start(store.clone(), Bounds { connections: 1, ready: SHORT, ..patient() }, None).await?;
    let second = async {
        store.begun(1).await;
        running.get("/healthz", None).await
    };
    let (first, second) = tokio::join!(running.get("/readyz", None), second);
    assert_eq!(first?.word(), (503, "store_timed_out".to_owned()));
    assert_eq!(second?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_slow_client_does_not_delay_the_shutdown() -> anyhow::Result<()> {
    let running = Running::on_memory(Bounds { shutdown: SHORT, ..patient() }).await?;
    let mut slow = running.connect(&forged_head(10)).await?;
    assert_eq!(up_to(&mut slow, "\r\n\r\n").await?, CONTINUE);
    drop(running.stop);
    within("the server to stop", running.ended).await??;
    assert_eq!(to_the_end(&mut slow).await?, "");
    let refused = running.group.handle(delivery("e1", "a")).await;
    assert!(matches!(refused, Err(Refusal::Closing)), "the group is closed: {refused:?}");
    Ok(())
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_shutdown() -> anyhow::Result<()> {
    let store = Gate::closed();
    let Running { address, stop, ended, .. } = Running::start(store.clone(), patient(), None).await?;
    let ending = async {
        store.begun(1).await;
        drop(stop);
        // Once the server has stopped listening, it knows that it must shut down.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        store.lift();
        within("the server to stop", ended).await?
    };
    let (answer, ended) = tokio::join!(deliver(address, "e1"), ending);
    ended?;
    assert_eq!(answer?.status, 200);
    assert_eq!(store.commits(), [["e1"]]);
    Ok(())
}

#[tokio::test]
async fn readiness_follows_the_store_and_health_only_the_process() -> anyhow::Result<()> {
    let fault = StoreFault::at(1, When::Before);
    let store = FaultyStore { inner: Arc::new(MemoryStore::new()), fault };
    let running = Running::start(Arc::new(store), patient(), None).await?;
    let failed = running.get("/readyz", None).await?;
    assert_eq!(failed.word(), (503, "store_unavailable".to_owned()));
    assert_eq!(failed.header("retry-after"), Some("1"));
    let lives = running.get("/healthz", None).await?;
    assert_eq!((lives.status, lives.text.as_str()), (200, "ok"));
    let ready = running.get("/readyz", None).await?;
    assert_eq!((ready.status, ready.text.as_str()), (200, "ready"));
    Ok(())
}

#[tokio::test]
async fn a_store_that_does_not_answer_in_time_is_not_ready() -> anyhow::Result<()> {
    let store = Gate::open();
    let running = Running::start(store.clone(), Bounds { ready: SHORT, ..patient() }, None).await?;
    store.turn(Weather::Mute, 1);
    assert_eq!(running.get("/readyz", None).await?.word(), (503, "store_timed_out".to_owned()));
    assert_eq!(running.get("/healthz", None).await?.status, 200);
    assert_eq!(running.get("/readyz", None).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn reads_require_the_token() -> anyhow::Result<()> {
    let closed = Running::on_memory(patient()).await?;
    let open = Running::start(Arc::new(MemoryStore::new()), patient(), Some(TOKEN)).await?;
    let right = format!("Bearer {TOKEN}");
    for (path, found) in [("/projection", 200), ("/customers/42", 404)] {
        let check = async |running: &Running, token: Option<&str>, status: u16, code: &str| {
            let answer = running.get(path, token).await?;
            assert_eq!(answer.word(), (status, code.to_owned()), "{path} with {token:?}");
            anyhow::Ok(answer)
        };
        check(&closed, None, 403, "reads_off").await?;
        check(&closed, Some(&right), 403, "reads_off").await?;
        let missing = check(&open, None, 401, "read_token_missing").await?;
        assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
        check(&open, Some(&format!("Basic {TOKEN}")), 401, "read_token_missing").await?;
        check(&open, Some(&right[..right.len() - 1]), 401, "read_token_wrong").await?;
        check(&open, Some(&format!("{right}n")), 401, "read_token_wrong").await?;
        let answer = open.get(path, Some(&right)).await?;
        assert_eq!(answer.status, found, "{path}: {}", answer.text);
    }
    Ok(())
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() -> anyhow::Result<()> {
    let running = Running::on_memory(patient()).await?;
    let engine = support::engine(&Gate::open(), RetryPolicy::default()).0;
    let group = GroupCommit::new(engine.clone(), GroupSettings::default());
    let endpoint = Endpoint::new(engine, Way::Grouped(group), None, patient());
    let refused = Server::bind(running.address, endpoint).err().map(|fault| fault.to_string());
    let expect =
        format!("ADDR: can't listen on {}; another program listens there, choose another port", running.address);
    assert_eq!(refused, Some(expect));
    Ok(())
}
