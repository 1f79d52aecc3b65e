//! Workers in several processes on one SQLite file: each event is processed once, each customer's in order. The test
//! starts itself again as the workers.

mod support;

use std::{
    collections::BTreeMap,
    env, fs,
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use purchase::{
    engine::{Engine, RetryPolicy},
    error::{CommitError, StoreError},
    fact::Fact,
    sqlite::{Options, Sqlite, SqliteStore},
    store::{
        Claim, Commit, EventQuery, EventStatus, FactQuery, Loaded, NewEvent, Store, StoredEvent, StoredSubject,
        SubjectQuery, Wanted,
    },
    worker::{Worker, WorkerSettings},
};
use support::{customers_event, engine_over};
use tokio::sync::Notify;

const FOLDER: &str = "PURCHASE_TEST_QUEUE_FOLDER";
const EVENTS: usize = 60;
const CUSTOMERS: usize = 5;
const PROCESSES: usize = 3;

/// A store that writes down which events it is about to commit, in a file that all processes append to, and tells when
/// nothing was due.
struct Logged {
    inner: SqliteStore,
    log: File,
    idle: Arc<Notify>,
}

#[async_trait]
impl Store for Logged {
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        self.inner.accept(events).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<StoredEvent>, StoreError> {
        let claimed = self.inner.claim(claim).await?;
        let all = EventQuery { statuses: vec![EventStatus::Received], limit: 1, ..EventQuery::default() };
        if claimed.is_empty() && self.inner.events(&all).await?.is_empty() {
            self.idle.notify_one();
        }
        Ok(claimed)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let names: Vec<&str> = commit.events.iter().map(|write| write.event.key.id.expose()).collect();
        // One call, so that the lines of several processes don't mix.
        (&self.log).write_all(format!("{}\n", names.join(" ")).as_bytes()).expect("the log");
        self.inner.commit(commit).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.inner.events(query).await
    }

    async fn facts(&self, query: &FactQuery) -> Result<Vec<Fact>, StoreError> {
        self.inner.facts(query).await
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        self.inner.load(wanted).await
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        self.inner.subjects(query).await
    }
}

async fn engine(folder: &Path, idle: &Arc<Notify>) -> Engine {
    let options = Options { create_if_missing: true, ..Options::default() };
    let inner = Sqlite::open_and_migrate(folder.join("queue.sqlite"), options).await.expect("a database");
    let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log");
    engine_over(Arc::new(Logged { inner, log, idle: Arc::clone(idle) }), RetryPolicy::default()).0
}

/// One of the processes: works until nothing is left.
async fn work(folder: &Path) {
    let idle = Arc::new(Notify::new());
    let settings = WorkerSettings { batch: 4, idle: Duration::from_millis(5), ..WorkerSettings::default() };
    let report = Worker::new(engine(folder, &idle).await, settings).run(idle.notified()).await;
    assert_eq!((report.failed, report.lost), (0, 0), "{report:?}");
}

#[tokio::test]
async fn workers_in_several_processes_share_one_file() {
    if let Some(folder) = env::var_os(FOLDER) {
        return work(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path(), &Arc::default()).await;
    for number in 0..EVENTS {
        // In runs of three, so that a claim of four cuts through them.
        let customer = format!("cus_{}", number / 3 % CUSTOMERS);
        let delivery = customers_event(&format!("evt_{number:03}"), &customer, "a");
        assert!(engine.accept(delivery).await.expect("accepted"));
    }

    let start = || -> Child {
        let mut worker = Command::new(env::current_exe().expect("this test"));
        worker.args(["workers_in_several_processes_share_one_file", "--exact"]).env(FOLDER, folder.path());
        worker.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process")
    };
    let workers: Vec<Child> = (0..PROCESSES).map(|_| start()).collect();
    for worker in workers {
        let output = worker.wait_with_output().expect("an end");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    let all = EventQuery { limit: 1000, ..EventQuery::default() };
    let stored = engine.events(&all).await.expect("events");
    assert_eq!(stored.len(), EVENTS);
    for event in &stored {
        assert_eq!((event.status, event.attempts), (EventStatus::Processed, 1), "{}", event.sequence);
    }
    // A commit that had to be tried again stands in the log several times; the last one was it.
    let log = fs::read_to_string(folder.path().join("log")).expect("the log");
    let done: BTreeMap<&str, usize> = log.split_whitespace().enumerate().map(|(place, name)| (name, place)).collect();
    assert_eq!(done.len(), EVENTS);
    let mut last: BTreeMap<_, usize> = BTreeMap::new();
    for event in &stored {
        let place = done[event.event.key.id.expose()];
        let lane = event.event.lane.clone().expect("a customer");
        let before = last.insert(lane, place);
        assert!(before.is_none_or(|before| before < place), "event {} came before an earlier one", event.sequence);
    }
    assert_eq!(last.len(), CUSTOMERS);
}
