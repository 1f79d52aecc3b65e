//! Tests the services: real servers start, answer, keep their data across a crash, and leave nothing behind. If a
//! server's programs are missing, its tests are skipped with a message; `cargo xtask test` installs the programs first.

use std::{fs, process::Stdio};

use anyhow::ensure;
use serde_json::{Value, json};

use super::*;
use crate::signals;

/// A text whose characters must arrive unchanged.
const TEXT: &str = "9007199254740993 'é\u{1f600}";

fn lacks(service: Service, home: &Home) -> bool {
    let lacks = match service {
        Service::D1 => !node::is_prepared(home.node()),
        Service::Postgres => programs::find().is_none(),
    };
    if lacks {
        eprintln!("SKIPPED: {} is not installed; `cargo xtask services up` installs it", service.name());
    }
    lacks
}

/// Sends a statement to a home's PostgreSQL and returns the answer.
fn psql(home: &Home, statement: &str) -> anyhow::Result<String> {
    let mut held = home.hold()?;
    let Server::Postgres(server) = &held.started(Service::Postgres)?.server else { bail!("another server") };
    let mut psql = server.client("psql");
    let arguments = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", "purchase", "--command"];
    Ok(crate::shell::output(psql.args(arguments).arg(statement))?.trim().to_owned())
}

/// Sends a request to a home's D1. Returns the status, and the first value of the last statement or the error code.
fn d1(home: &Home, token: Option<&str>, body: &Value) -> anyhow::Result<(u16, Value)> {
    let mut held = home.hold()?;
    let Server::D1(server) = &held.started(Service::D1)?.server else { bail!("another server") };
    let variables = server.variables();
    let own = variables.iter().find(|(name, _)| *name == d1::TOKEN).map_or("", |(_, token)| token);
    let (status, body) = server.query(token.unwrap_or(own), body)?;
    let value = match body["errors"][0]["code"].clone() {
        Value::Null => body["result"].as_array().and_then(|all| all.last()).map(|last| last["results"][0]["a"].clone()),
        code => Some(code),
    };
    Ok((status, value.unwrap_or_default()))
}

#[test]
fn postgres_survives_a_crash_and_goes_without_a_trace() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let home = Home::elsewhere(folder.path());
    if lacks(Service::Postgres, &home) {
        return Ok(());
    }
    let running = started(&home, Service::Postgres)?;
    assert_eq!(psql(&home, "select 1")?, "1");
    let settings = "select concat_ws(' ', current_setting('fsync'), current_setting('max_connections'))";
    assert_eq!(psql(&home, settings)?, "on 200");
    psql(&home, &format!("create table t (a text); insert into t values ('{}')", TEXT.replace('\'', "''")))?;
    crash_in(&home, Service::Postgres)?;
    assert!(psql(&home, "select 1").is_err(), "it is dead");
    restart_in(&home, Service::Postgres)?;
    assert_eq!(psql(&home, "select a from t")?, TEXT);
    gone(&home, Service::Postgres, running)
}

#[test]
fn d1_survives_a_crash_and_goes_without_a_trace() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let home = Home::elsewhere(folder.path());
    if lacks(Service::D1, &home) {
        return Ok(());
    }
    let running = started(&home, Service::D1)?;
    assert_eq!(d1(&home, None, &json!({"sql": "select ?1 as a", "params": [TEXT]}))?, (200, json!(TEXT)));
    let begin = [
        json!({"sql": "create table t (a text primary key)"}),
        json!({"sql": "insert into t values (?1)", "params": [TEXT]}),
    ];
    assert_eq!(d1(&home, None, &json!({"batch": begin}))?.0, 200);
    let twice = ["other", TEXT].map(|text| json!({"sql": "insert into t values (?1)", "params": [text]}));
    assert_eq!(d1(&home, None, &json!({"batch": twice}))?, (400, json!(7500)));
    let count = json!({"sql": "select count(*) as a from t"});
    assert_eq!(d1(&home, None, &count)?, (200, json!(1)), "a batch that fails leaves nothing");
    assert_eq!(d1(&home, Some("wrong"), &count)?, (403, json!(10000)));
    assert_eq!(d1(&home, None, &json!({"batch": []}))?, (400, json!(7400)));
    crash_in(&home, Service::D1)?;
    assert!(d1(&home, None, &count).is_err(), "it is dead");
    restart_in(&home, Service::D1)?;
    assert_eq!(d1(&home, None, &json!({"sql": "select a from t"}))?, (200, json!(TEXT)));
    // The system may do this when memory is short: it kills Node, but not workerd.
    let node = home.hold()?.started(Service::D1)?.server.pid().context("no process")?;
    signals::to_process(node, "KILL")?;
    process::wait_until("node has ended", std::time::Duration::from_secs(10), || !process::runs(node, ""))?;
    assert!(process::is_survived(node), "workerd has ended too, so there is nothing to clean up");
    gone(&home, Service::D1, running)
}

/// Starts a service, and shows that a second command finds and keeps the running one.
fn started(home: &Home, service: Service) -> anyhow::Result<Running> {
    let running = up(home, &[service], Some(std::process::id()))?;
    let pid =
        |home: &Home| -> anyhow::Result<u32> { home.hold()?.started(service)?.server.pid().context("no process") };
    let first = pid(home)?;
    let second = up(home, &[service], Some(std::process::id()))?;
    let (one, other): (Vec<_>, Vec<_>) = (running.variables().collect(), second.variables().collect());
    assert_eq!(one, other);
    drop(second);
    assert_eq!(pid(home)?, first, "it was not restarted or stopped");
    Ok(running)
}

/// Shows that nothing is left when the process that started a service has ended.
fn gone(home: &Home, service: Service, running: Running) -> anyhow::Result<()> {
    let server = home.hold()?.started(service)?.server.clone();
    drop(running);
    assert_eq!(server.pid(), None);
    assert!(process::is_free(server.port()));
    assert!(!server.log().exists());
    assert!(home.hold()?.state.of(service).is_none());
    Ok(())
}

#[test]
fn what_is_brought_up_during_a_run_stays_when_the_run_ends() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let home = Home::elsewhere(folder.path());
    if lacks(Service::Postgres, &home) {
        return Ok(());
    }
    let running = up(&home, &[Service::Postgres], Some(std::process::id()))?;
    assert!(!running.is_given(Service::Postgres));
    drop(up(&home, &[Service::Postgres], None)?);
    drop(running);
    assert_eq!(psql(&home, "select 1")?, "1");
    drop(up(&home, &[Service::Postgres], Some(std::process::id()))?);
    assert_eq!(psql(&home, "select 1")?, "1");
    down(&home)?;
    assert!(home.hold()?.state.of(Service::Postgres).is_none());
    Ok(())
}

#[test]
fn the_last_who_uses_a_server_stops_it() -> anyhow::Result<()> {
    let own = std::process::id();
    let d1 = json!({"pid": null, "node": "", "folder": "", "port": 1, "token": "t"});
    let mut kept: Kept = serde_json::from_value(json!({"users": [own], "server": {"d1": d1}}))?;
    let mut other = std::process::Command::new("/bin/sh").args(["-c", "sleep 60; :", "xtask"]).spawn()?;
    let patience = std::time::Duration::from_secs(10);
    process::wait_until("the other process runs", patience, || process::runs(other.id(), "xtask"))?;
    kept.take(Some(other.id()));
    kept.take(Some(own));
    assert_eq!((kept.times_used_by(own), kept.other_user()), (2, Some(other.id())));
    let ends = [kept.leave(own), kept.leave(own)];
    other.kill()?;
    other.wait()?;
    assert_eq!((ends, kept.other_user()), ([false, false], None));
    assert!(kept.leave(own), "a killed process no longer uses it");
    kept.take(Some(own));
    kept.take(None);
    assert!(!kept.leave(own), "it runs until `down`");
    Ok(())
}

#[test]
fn a_server_of_an_earlier_time_is_cleaned_up() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let home = Home::elsewhere(folder.path());
    // As after a reboot: the state contains the id of a process that is now a different one, and its owner no longer
    // runs.
    let data = home.data_of(Service::D1);
    fs::create_dir_all(&data)?;
    let d1 = json!({"pid": std::process::id(), "node": home.node(), "folder": data, "port": 1, "token": "t"});
    let state = json!({"servers": [{"stays": false, "users": [u32::MAX], "server": {"d1": d1}}]});
    fs::write(folder.path().join("state.json"), state.to_string())?;
    let mut held = home.hold()?;
    let kept = held.started(Service::D1)?;
    assert_eq!(kept.other_user(), None);
    assert_eq!((kept.server.pid(), kept.server.answers()), (None, false));
    drop(held);
    down(&home)?;
    assert!(home.hold()?.state.of(Service::D1).is_none() && !data.exists());
    let error = crash_in(&home, Service::D1).expect_err("nothing was started");
    assert!(error.to_string().contains("was not started by `cargo xtask`"), "{error}");
    Ok(())
}

#[test]
fn a_state_that_cannot_be_read_is_named_and_kept() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let home = Home::elsewhere(folder.path());
    let path = folder.path().join("state.json");
    fs::write(&path, "{")?;
    let error = home.hold().err().context("it can't be read")?;
    assert!(format!("{error:#}").contains("state.json can't be read; stop the servers"), "{error:#}");
    assert_eq!(fs::read_to_string(&path)?, "{");
    Ok(())
}

#[test]
fn a_worker_is_served_beside_the_database_that_it_writes() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let home = Home::elsewhere(folder.path());
    if lacks(Service::D1, &home) {
        return Ok(());
    }
    let worker = folder.path().join("worker/nested");
    fs::create_dir_all(&worker)?;
    fs::write(worker.join("greet.js"), "export const greet = (name) => `hello ${name}`;\n")?;
    fs::write(
        folder.path().join("worker/entry.mjs"),
        "import { greet } from './nested/greet.js';
         export default {
           async fetch(request, env) {
             await env.DB.batch([env.DB.prepare('create table t (a text)'),
               env.DB.prepare('insert into t values (?1)').bind(greet(env.WHO))]);
             return Response.json({ path: new URL(request.url).pathname });
           },
         };",
    )?;
    let (port, token) = (process::free_port()?, process::secret());
    let mut host = d1::host(home.node(), &token, port);
    host.arg("--worker").arg(folder.path().join("worker")).args(["--var", "WHO=a=b"]);
    host.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let pid = process::spawn_apart(&mut host, "host.mjs")?;
    let outcome = exchange_with_worker(port, &token);
    signals::to_group(pid, "TERM")?;
    process::wait_until("the host has ended", std::time::Duration::from_secs(10), || process::is_free(port))?;
    outcome
}

fn exchange_with_worker(port: u16, token: &str) -> anyhow::Result<()> {
    let patience = std::time::Duration::from_secs(30);
    process::wait_until("the host listens", patience, || process::listens("127.0.0.1", port))?;
    let base = format!("http://127.0.0.1:{port}");
    let answer = d1::post(&format!("{base}/webhooks/acme"), "none", &json!({}))?;
    ensure!(answer == (200, json!({"path": "/webhooks/acme"})), "{answer:?}");
    let path = "client/v4/accounts/any/d1/database/00000000-0000-4000-8000-000000000001/query";
    let (status, body) = d1::post(&format!("{base}/{path}"), token, &json!({"sql": "select a from t"}))?;
    ensure!((status, &body["result"][0]["results"]) == (200, &json!([{"a": "hello a=b"}])), "{status} {body}");
    Ok(())
}

#[test]
fn a_process_is_known_by_what_it_runs() {
    assert!(process::runs(std::process::id(), "xtask"));
    assert!(!process::runs(std::process::id(), "some other program"));
    assert!(process::runs(std::process::id(), ""));
    assert!(!process::runs(u32::MAX, "") && !process::is_survived(u32::MAX));
}
