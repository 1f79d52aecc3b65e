//! Tests how the real engine handles what the executor sends: exact numbers, one transaction, each kind of error.

use std::error::Error;

use crate::databases::{Database, SERVER};
use purchase_core::{
    error::{Cause, Chain, StoreError},
    id::{EventKey, ProviderId, Source},
    store::{Browse, EventQuery, EventStatus},
};
use purchase_d1::{D1, RestExecutor, Token};
use purchase_sql::{
    BatchKind, Cell, ExecuteError, Executor, SQLITE, SqlStore, Statement, TablePrefix, Tampering, statements,
};

type Outcome = Result<(), Cause>;

fn statement(sql: &str, params: &[&str]) -> Statement {
    Statement { name: "case", sql: sql.into(), params: params.iter().copied().map(Cell::from).collect() }
}

/// A database of the server. None, with a message, if there is no server.
async fn database() -> Result<Option<Database>, StoreError> {
    if purchase_conformance::lacks_server("d1", SERVER) {
        return Ok(None);
    }
    Database::take().await.map(Some)
}

async fn tables(database: &Database, definitions: &[&str]) -> Result<RestExecutor, Cause> {
    let executor = database.executor()?;
    let batch: Vec<Statement> = definitions.iter().map(|sql| statement(sql, &[])).collect();
    executor.batch(BatchKind::Define, &batch).await?;
    Ok(executor)
}

/// An error and all its sources.
fn told(error: &(dyn Error + 'static)) -> String {
    Chain(error).to_string()
}

#[tokio::test]
async fn integers_beyond_two_to_the_53_stay_exact() -> Outcome {
    let Some(database) = database().await? else { return Ok(()) };
    let executor = tables(&database, &["CREATE TABLE t (way TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT"]).await?;
    for number in ["9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808"] {
        let json = format!("[[\"row\",{number}]]");
        let entry = format!("{{\"[\\\"entry\\\",{number}]\":\"long\"}}");
        let batch = [
            statement("DELETE FROM t", &[]),
            statement("INSERT INTO t VALUES ('parameter', CAST(?1 AS BIGINT))", &[number]),
            statement("INSERT INTO t SELECT value ->> 0, CAST(value ->> 1 AS BIGINT) FROM json_each(?1)", &[&json]),
            statement("INSERT INTO t SELECT key ->> 0, CAST(key ->> 1 AS BIGINT) FROM json_each(?1)", &[&entry]),
            statement("SELECT CAST(n AS TEXT) AS number, typeof(n) AS kind FROM t ORDER BY way", &[]),
            statement("SELECT json_array(n) AS list FROM t WHERE n = CAST(?1 AS BIGINT)", &[number]),
        ];
        let rows = executor.batch(BatchKind::Write, &batch).await?;
        let exact = vec![Cell::from(number), Cell::from("integer")];
        assert_eq!(rows[4], vec![exact; 3], "{number}");
        assert_eq!(rows[5], vec![vec![Cell::from(format!("[{number}]"))]; 3], "{number}");
    }
    Ok(())
}

#[tokio::test]
async fn a_batch_is_one_transaction() -> Outcome {
    let Some(database) = database().await? else { return Ok(()) };
    let executor = tables(&database, &["CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT"]).await?;
    let insert = |n: &str| statement("INSERT INTO t VALUES (CAST(?1 AS BIGINT))", &[n]);
    executor.batch(BatchKind::Write, &[insert("1")]).await?;
    let broken = executor.batch(BatchKind::Write, &[insert("2"), insert("3"), insert("1")]).await;
    assert!(matches!(broken, Err(ExecuteError::Unique { place }) if place == "t.n"));
    let rows = executor.batch(BatchKind::Read, &[statement("SELECT CAST(n AS TEXT) AS n FROM t", &[])]).await?;
    assert_eq!(rows, [[[Cell::from("1")]]]);
    assert_eq!(
        executor.batch(BatchKind::Write, &[]).await?,
        Vec::<Vec<purchase_sql::Row>>::new(),
        "an empty batch is not sent"
    );
    Ok(())
}

#[tokio::test]
async fn each_kind_of_error_is_known() -> Outcome {
    let Some(database) = database().await? else { return Ok(()) };
    let definitions = [
        "CREATE TABLE parent (id TEXT PRIMARY KEY) STRICT",
        "CREATE TABLE t (id TEXT NOT NULL, n INTEGER NOT NULL CONSTRAINT small CHECK (n < 10), \
         parent TEXT REFERENCES parent (id), PRIMARY KEY (id, n)) STRICT",
    ];
    let executor = tables(&database, &definitions).await?;
    executor.batch(BatchKind::Write, &[statement("INSERT INTO t VALUES ('a', 1, NULL)", &[])]).await?;
    let long = "x".repeat(1_500_000);
    let check = async |sql: &str, params: &[&str], expect: &str| {
        let error = executor.batch(BatchKind::Write, &[statement(sql, params)]).await.expect_err(sql);
        let said = format!("{} | {error:?}", told(&error));
        assert!(said.contains(expect), "{}: {said}", &sql[..sql.len().min(80)]);
    };
    check("INSERT INTO t VALUES ('a', 1, NULL)", &[], "Unique { place: \"t.id, t.n\" }").await;
    check("INSERT INTO t VALUES (NULL, 1, NULL)", &[], "NotNull { place: \"t.id\" }").await;
    check(
        "INSERT INTO t VALUES ('b', 10, NULL)",
        &[],
        "the database refuses the data: D1 says: CHECK constraint failed: small",
    )
    .await;
    check("INSERT INTO t VALUES ('b', 1, 'none')", &[], "the database refuses the data: D1 says: FOREIGN KEY").await;
    check("INSERT INTO t VALUES ('b', 'many', NULL)", &[], "refuses the data: D1 says: cannot store TEXT value").await;
    check("INSERT INTO parent VALUES (?1 || ?1)", &[&long], "refuses the data: D1 says: string or blob too big").await;
    check("selec 1", &[], "the database refused the batch: D1 says: near \"selec\"").await;
    check("INSERT INTO missing VALUES (1)", &[], "the database refused the batch: D1 says: no such table").await;
    check(&format!("SELECT 1 -- {long}"), &[], "case has 1500012 bytes of text; D1 allows 100000").await;
    check("SELECT ?1", &[&long.repeat(2)], "case has a value of 3000000 bytes; D1 allows 2000000").await;
    Ok(())
}

#[tokio::test]
async fn every_statement_prepares_and_is_one() -> Outcome {
    let Some(database) = database().await? else { return Ok(()) };
    let store = D1::open_and_migrate(&database.place, database.token.clone(), database.options.clone()).await?;
    let all = statements(&SQLITE, &TablePrefix::default());
    for (name, text) in &all {
        assert!(!text.contains(';'), "{name}: the API would split it into several statements");
        let explained = statement(&format!("EXPLAIN {text}"), &[]);
        let params = vec![Cell::NULL; (1..=9).filter(|number| text.contains(&format!("?{number}"))).count()];
        store
            .executor()
            .batch(BatchKind::Read, &[Statement { params, ..explained }])
            .await
            .map_err(|error| format!("{name}: {}", told(&error)))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_token_or_database_is_said() -> Outcome {
    let Some(database) = database().await? else { return Ok(()) };
    let wrong = Token::new("another-token")?;
    let error = D1::open(&database.place, wrong, database.options.clone()).await.expect_err("another token");
    let said = told(&error);
    assert!(matches!(error, StoreError::Unavailable { .. }), "{said}");
    assert!(said.contains("the token is not accepted for d1:tests/") && said.contains("code 10000"), "{said}");
    assert!(!said.contains("another-token") && !format!("{error:?}").contains("another-token"), "{said}");
    let error =
        D1::open("d1:tests/nowhere", database.token.clone(), database.options.clone()).await.expect_err("nowhere");
    let said = told(&error);
    assert!(said.contains("there is no database d1:tests/nowhere") && said.contains("code 7404"), "{said}");
    let shown = format!("{:?} {:?}", database.executor()?, database);
    assert!(!shown.contains(&std::env::var("PURCHASE_TEST_D1_TOKEN")?), "{shown}");
    Ok(())
}

/// Eight clients count by compare-and-swap: the next number is a key that only one of them can insert.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_writers_one_is_first() -> Outcome {
    const CLIENTS: usize = 8;
    const EACH: usize = 10;
    let Some(database) = database().await? else { return Ok(()) };
    let executor = tables(&database, &["CREATE TABLE t (n INTEGER PRIMARY KEY, client TEXT NOT NULL) STRICT"]).await?;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (executor, name) = (executor.clone(), client.to_string());
        clients.spawn(async move {
            let (mut won, mut lost) = (0, 0);
            while won < EACH {
                let last = statement("SELECT CAST(coalesce(max(n), 0) AS TEXT) AS n FROM t", &[]);
                let rows = executor.batch(BatchKind::Read, &[last]).await?;
                let last = rows[0][0][0].0.clone().unwrap_or_default();
                let next = statement("INSERT INTO t VALUES (CAST(?1 AS BIGINT) + 1, ?2)", &[&last, &name]);
                match executor.batch(BatchKind::Write, &[next]).await {
                    Ok(_) => won += 1,
                    Err(ExecuteError::Unique { .. }) => lost += 1,
                    Err(error) => return Err(error),
                }
            }
            Ok(lost)
        });
    }
    let mut lost = 0;
    while let Some(client) = clients.join_next().await {
        lost += client??;
    }
    let count = "SELECT count(*) || ' ' || max(n) AS found, count(DISTINCT client) AS clients FROM t";
    let rows = executor.batch(BatchKind::Read, &[statement(count, &[])]).await?;
    let total = CLIENTS * EACH;
    assert_eq!(rows, [[[Cell::from(format!("{total} {total}")), Cell::from(CLIENTS.to_string())]]]);
    assert!(lost > 0, "no client lost a race, so the test shows nothing");
    Ok(())
}

#[test]
fn only_databases_of_this_machine_are_emptied_unasked() {
    for (base, expect) in [
        ("http://127.0.0.1:8787", true),
        ("http://[::1]:8787", true),
        ("http://localhost:8787", true),
        ("https://api.cloudflare.com", false),
        ("http://127.0.0.1.example.com", false),
        ("http://localhost@example.com", false),
        ("https://10.0.0.1", false),
        ("127.0.0.1", false),
    ] {
        assert_eq!(crate::databases::is_loopback(base), expect, "{base}");
    }
}

#[tokio::test]
async fn events_of_the_version_before_get_their_status_and_their_public_ids() -> Outcome {
    let Some(database) = database().await? else { return Ok(()) };
    let store = SqlStore::new(database.executor()?, TablePrefix::default());
    store.migrate_to_version(3).await?;
    store.tamper(Tampering::OlderEvents).await?;
    store.migrate().await?;
    let source: Source = "acme//test".parse()?;
    let find = async |name: &str| {
        let key = EventKey { source: source.clone(), id: ProviderId::new(name)? };
        let query = EventQuery { public_id: Some(key.public_id()), limit: 9, ..EventQuery::default() };
        let found = store.events(&query).await?.into_iter().map(|stored| stored.status).collect::<Vec<_>>();
        Ok::<_, Cause>(found)
    };
    assert_eq!(find("ev_thin").await?, [EventStatus::AwaitingFetch]);
    assert_eq!(find("ev_queued").await?, [EventStatus::Received]);
    store.tamper(Tampering::Unnamed).await?;
    for _ in 0..2 {
        assert_eq!(find("ev_done").await?, [EventStatus::Processed]);
        assert_eq!(find("ev_failed").await?, [EventStatus::Failed]);
        assert_eq!(find("ev_none").await?, []);
        // The second search uses the index.
        store.migrate().await?;
    }
    Ok(())
}
