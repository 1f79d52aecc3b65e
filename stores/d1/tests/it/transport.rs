//! Tests what happens to a batch when the server misbehaves: a read is retried, a write that may have been committed is
//! unknown, and a token stays hidden.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use purchase_core::error::Cause;
use purchase_d1::{Options, Place, RestExecutor, Token};
use purchase_sql::{BatchKind, Cell, ExecuteError, Executor, Statement};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const TOKEN: &str = "a-token-that-nobody-may-see";
const DONE: &str =
    r#"{"success":true,"errors":[],"messages":[],"result":[{"success":true,"results":[{"a":"x"}],"meta":{}}]}"#;

/// What the server does with a request that it has read.
#[derive(Clone, Copy)]
enum Does {
    Answer(&'static str, &'static str),
    Cut,
    CutInside,
    Hang,
}

/// A server that answers in these ways, one request after the other, with the last way repeated for ever. Also returns
/// the number of requests it has read.
async fn server(ways: &'static [Does]) -> Result<(RestExecutor, Arc<AtomicUsize>), Cause> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            let way = ways[counted.fetch_add(1, Ordering::SeqCst).min(ways.len() - 1)];
            let (head, body, length) = match way {
                Does::Answer(head, body) => (head, body, body.len()),
                Does::CutInside => ("200 OK", &DONE[..20], DONE.len()),
                Does::Cut => continue,
                Does::Hang => {
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                        drop(stream);
                    });
                    continue;
                }
            };
            let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    let options = Options { base, timeout: Duration::from_millis(300), response_bytes: 4096, ..Options::default() };
    let executor = RestExecutor::new(&"d1:account/database".parse::<Place>()?, Token::new(TOKEN)?, options)?;
    Ok((executor, read))
}

async fn read_request(stream: &mut tokio::net::TcpStream) {
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(bytes) => seen.extend_from_slice(&piece[..bytes]),
        }
        // The body of these tests is one short object.
        if seen.ends_with(b"]}") {
            return;
        }
    }
}

fn statements() -> [Statement; 1] {
    [Statement { name: "case", sql: "SELECT ?1 AS a".into(), params: vec![Cell::from("x")] }]
}

/// Writes once and reads once, each on a new server, and checks the outcome and the number of requests.
async fn check(ways: &'static [Does], write: (&str, usize), read: (&str, usize)) -> Result<(), Cause> {
    for (access, (expect, times)) in [(BatchKind::Write, write), (BatchKind::Read, read)] {
        let (executor, asked) = server(ways).await?;
        let outcome = executor.batch(access, &statements()).await;
        let said = format!("{outcome:?}");
        assert!(said.starts_with(expect), "{access:?}: {said}");
        assert_eq!(asked.load(Ordering::SeqCst), times, "{access:?}: {said}");
        let mut told = said;
        let mut source = outcome.as_ref().err().map(|error| error as &dyn std::error::Error);
        while let Some(error) = source {
            told.push_str(&error.to_string());
            source = error.source();
        }
        assert!(!told.contains(TOKEN), "{told}");
    }
    Ok(())
}

const ROWS: &str = "Ok([[[Cell(1 bytes)]]])";

#[tokio::test]
async fn what_was_lost_is_unknown_or_asked_again() -> Result<(), Cause> {
    check(&[Does::Answer("200 OK", DONE)], (ROWS, 1), (ROWS, 1)).await?;
    const CUT: &[Does] = &[Does::Cut, Does::Answer("200 OK", DONE)];
    check(CUT, ("Err(Unknown", 1), (ROWS, 2)).await?;
    const INSIDE: &[Does] = &[Does::CutInside, Does::Answer("200 OK", DONE)];
    check(INSIDE, ("Err(Unknown", 1), (ROWS, 2)).await?;
    const HANG: &[Does] = &[Does::Hang, Does::Answer("200 OK", DONE)];
    check(HANG, ("Err(Unknown", 1), (ROWS, 2)).await?;
    const WRONG: &[Does] = &[Does::Answer("500 Internal Server Error", "oops"), Does::Answer("200 OK", DONE)];
    check(WRONG, ("Err(Unknown", 1), (ROWS, 2)).await?;
    const GARBAGE: &[Does] = &[Does::Answer("200 OK", "<html>"), Does::Answer("200 OK", DONE)];
    check(GARBAGE, ("Err(Unknown", 1), (ROWS, 2)).await?;
    const FEWER: &[Does] = &[Does::Answer("200 OK", r#"{"success":true,"result":[]}"#), Does::Answer("200 OK", DONE)];
    check(FEWER, ("Err(Unknown", 1), (ROWS, 2)).await?;
    Ok(())
}

#[tokio::test]
async fn reads_are_not_asked_for_ever() -> Result<(), Cause> {
    check(&[Does::Cut], ("Err(Unknown", 1), ("Err(Other", 4)).await
}

#[tokio::test]
async fn what_is_busy_is_put_off() -> Result<(), Cause> {
    const MANY: &[Does] = &[Does::Answer("429 Too Many Requests", "{}"), Does::Answer("200 OK", DONE)];
    check(MANY, ("Err(Busy", 1), (ROWS, 2)).await?;
    const LATER: &[Does] =
        &[Does::Answer("429 Too Many Requests\r\nretry-after: 3600", "{}"), Does::Answer("200 OK", DONE)];
    check(LATER, ("Err(Busy", 1), ("Err(Busy", 1)).await?;
    const OVERLOADED: &[Does] = &[
        Does::Answer(
            "400 Bad Request",
            r#"{"success":false,"errors":[{"code":7500,"message":"D1 DB is overloaded. Requests queued for too long."}]}"#,
        ),
        Does::Answer("200 OK", DONE),
    ];
    check(OVERLOADED, ("Err(Busy", 1), (ROWS, 2)).await
}

#[tokio::test]
async fn a_refusal_is_final_and_keeps_the_token() -> Result<(), Cause> {
    const ECHO: &[Does] = &[Does::Answer(
        "400 Bad Request",
        r#"{"success":false,"errors":[{"code":7400,"message":"no: Bearer a-token-that-nobody-may-see"}]}"#,
    )];
    check(ECHO, ("Err(Other", 1), ("Err(Other", 1)).await?;
    const FORBIDDEN: &[Does] = &[Does::Answer("403 Forbidden", "no")];
    check(FORBIDDEN, ("Err(Other { cause: Unauthorized", 1), ("Err(Other { cause: Unauthorized", 1)).await?;
    const ELSEWHERE: &[Does] = &[Does::Answer("302 Found\r\nlocation: http://127.0.0.1:1/", "")];
    check(ELSEWHERE, ("Err(Other", 1), ("Err(Other", 1)).await?;
    const SPENT: &[Does] = &[Does::Answer(
        "429 Too Many Requests",
        r#"{"success":false,"errors":[{"code":7500,"message":"Your account has exceeded D1's free tier daily row write limit."}]}"#,
    )];
    check(SPENT, ("Err(Full", 1), ("Err(Full", 1)).await?;
    const LARGE: &[Does] = &[Does::Answer("413 Payload Too Large", "")];
    check(LARGE, ("Err(Refused", 1), ("Err(Refused", 1)).await
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() -> Result<(), Cause> {
    const LONG: &[Does] = &[Does::Answer("200 OK", const { long() })];
    check(LONG, ("Err(Unknown { cause: TooLong", 1), ("Err(Other { cause: TooLong", 1)).await
}

const fn long() -> &'static str {
    const BYTES: [u8; 8192] = [b' '; 8192];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
}

#[tokio::test]
async fn nobody_there_means_that_nothing_was_sent() -> Result<(), Cause> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    drop(listener);
    let place = "d1:account/database".parse::<Place>()?;
    let executor = RestExecutor::new(&place, Token::new(TOKEN)?, Options { base, ..Options::default() })?;
    let error = executor.batch(BatchKind::Write, &statements()).await.expect_err("no server listens");
    assert!(
        matches!(&error, ExecuteError::Other { cause } if cause.to_string().contains("nothing was sent")),
        "{error:?}"
    );
    Ok(())
}

#[test]
fn a_token_travels_in_the_clear_on_this_machine_alone() -> Result<(), Cause> {
    let place = "d1:account/database".parse::<Place>()?;
    for (base, expect) in [
        ("https://api.cloudflare.com", None),
        ("https://gateway.example.com/", None),
        ("http://127.0.0.1:8787", None),
        ("http://[::1]:8787", None),
        ("http://localhost:8787", None),
        ("http://api.cloudflare.com", Some("must begin with https:")),
        ("http://localhost.example.com", Some("must begin with https:")),
        ("https://user:secret@api.cloudflare.com", Some("must not contain a user or a password")),
        ("api.cloudflare.com", Some("is not a URL")),
        ("", Some("is not a URL")),
    ] {
        let options = Options { base: base.to_owned(), ..Options::default() };
        let error = RestExecutor::new(&place, Token::new(TOKEN)?, options).err();
        let said = error.as_ref().and_then(std::error::Error::source).map(ToString::to_string);
        match (said, expect) {
            (Some(said), Some(expect)) => assert!(said.contains(expect), "{base}: {said}"),
            (said, expect) => assert_eq!(said.as_deref(), expect, "{base}"),
        }
    }
    Ok(())
}
