//! Tests workers in several processes on one SQLite file: each event is processed once, and each customer's events in
//! order. The test starts its own program again as the workers.

use std::{
    collections::BTreeMap,
    env, fs,
    fs::OpenOptions,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use crate::support::{Gate, customers_event, engine};
use purchase::{
    engine::RetryPolicy,
    sqlite::{Options, Sqlite},
    store::{Browse, Commit, EventQuery, EventStatus},
    worker::{Worker, WorkerSettings},
};

const FOLDER: &str = "PURCHASE_TEST_QUEUE_FOLDER";
const EVENTS: usize = 60;
const CUSTOMERS: usize = 5;
const PROCESSES: usize = 3;

/// The shared database file, behind a store that logs which events it is about to commit. All processes append to the
/// same log.
async fn store(folder: &Path) -> Arc<Gate> {
    let options = Options { create_if_missing: true, ..Options::default() };
    let database = Sqlite::open_and_migrate(folder.join("queue.sqlite"), options).await.expect("a database");
    let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log");
    let witness = move |commit: &Commit| {
        let names: Vec<&str> = commit.events.iter().map(|write| write.event.key.id.expose()).collect();
        // A single write, so that the lines of several processes don't mix.
        (&log).write_all(format!("{}\n", names.join(" ")).as_bytes()).expect("the log");
    };
    Gate::before(Arc::new(database), Box::new(witness))
}

/// One of the processes: it works until no event is left.
async fn work(folder: &Path) {
    let store = store(folder).await;
    let settings = WorkerSettings { batch: 4, idle: Duration::from_millis(5), ..WorkerSettings::default() };
    let until_nothing_is_left = async {
        let left = EventQuery { statuses: vec![EventStatus::Received], limit: 1, ..EventQuery::default() };
        loop {
            store.idle.acquire().await.expect("open").forget();
            if store.events(&left).await.expect("events").is_empty() {
                return;
            }
        }
    };
    let worker = Worker::new(engine(&store, RetryPolicy::default()).0, settings);
    let report = worker.run(until_nothing_is_left).await;
    assert_eq!((report.failed, report.lost), (0, 0), "{report:?}");
}

#[tokio::test]
async fn workers_in_several_processes_share_one_file() {
    if let Some(folder) = env::var_os(FOLDER) {
        return work(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&store(folder.path()).await, RetryPolicy::default()).0;
    for number in 0..EVENTS {
        // Three consecutive events per customer, so that a claim of four splits them.
        let customer = format!("cus_{}", number / 3 % CUSTOMERS);
        let delivery = customers_event(&format!("evt_{number:03}"), &customer, "a");
        assert!(engine.accept(delivery).await.expect("accepted"));
    }

    let start = || -> Child {
        let mut worker = Command::new(env::current_exe().expect("this test"));
        worker
            .args(["queue_processes::workers_in_several_processes_share_one_file", "--exact"])
            .env(FOLDER, folder.path());
        worker.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process")
    };
    let workers: Vec<Child> = (0..PROCESSES).map(|_| start()).collect();
    for worker in workers {
        let output = worker.wait_with_output().expect("the worker's output");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    let all = EventQuery { limit: 1000, ..EventQuery::default() };
    let stored = engine.events(&all).await.expect("events");
    assert_eq!(stored.len(), EVENTS);
    for event in &stored {
        assert_eq!((event.status, event.attempts), (EventStatus::Processed, 1), "{}", event.sequence);
    }
    // A retried commit is in the log several times. The last entry is the successful one.
    let log = fs::read_to_string(folder.path().join("log")).expect("the log");
    let done: BTreeMap<&str, usize> = log.split_whitespace().enumerate().map(|(place, name)| (name, place)).collect();
    assert_eq!(done.len(), EVENTS);
    let mut last: BTreeMap<_, usize> = BTreeMap::new();
    for event in &stored {
        let place = done[event.event.key.id.expose()];
        let ordering_key = event.event.ordering_key.clone().expect("a customer");
        let before = last.insert(ordering_key, place);
        assert!(
            before.is_none_or(|before| before < place),
            "event {} was processed before an earlier one of its customer",
            event.sequence
        );
    }
    assert_eq!(last.len(), CUSTOMERS);
}
