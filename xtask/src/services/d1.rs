//! Decides how a local Cloudflare D1 is started, stopped and killed. It is the real engine in workerd, behind a small
//! Node program that serves it in the shape of Cloudflare's REST API.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Service, Variables, locks, node, process, state::Home};
use crate::signals;

/// The variable with the address of the D1 server for tests, without a path.
pub(crate) const URL: &str = "PURCHASE_TEST_D1_URL";
/// The variable with the token that clients must send.
pub(crate) const TOKEN: &str = "PURCHASE_TEST_D1_TOKEN";
/// The variable with the ids of the databases, separated by commas.
pub(crate) const DATABASES: &str = "PURCHASE_TEST_D1_DATABASES";
/// The number of databases, so that tests need not share one. An unused database costs nothing.
const COUNT: u32 = 16;
const PATIENCE: Duration = Duration::from_secs(30);

/// A host and its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct D1 {
    /// The id of the Node process, and of the process group of Node and workerd. `None` before the first start.
    pid: Option<u32>,
    /// The folder of the host's program and its packages.
    node: PathBuf,
    folder: PathBuf,
    port: u16,
    token: String,
}

impl D1 {
    /// Creates the folder of a new host without starting it.
    pub(super) fn create(home: &Home) -> anyhow::Result<Self> {
        node::prepare(home.node())?;
        let (folder, node) = (home.data_of(Service::D1), home.node().to_path_buf());
        process::delete(&folder)?;
        fs::create_dir_all(&folder).with_context(|| format!("{} can't be created", folder.display()))?;
        Ok(Self { pid: None, node, folder, port: process::free_port()?, token: process::secret() })
    }

    /// Starts the processes, and returns before they answer.
    pub(super) fn spawn(&mut self) -> anyhow::Result<()> {
        // Files that remain here after a kill are deleted with the data.
        let scratch = self.folder.join("scratch");
        fs::create_dir_all(&scratch)?;
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut host = host(&self.node, &self.token, self.port);
        host.arg("--data")
            .arg(self.data())
            .env("TMPDIR", &scratch)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.pid = Some(process::spawn_apart(&mut host, &self.data().to_string_lossy())?);
        Ok(())
    }

    /// Waits until the host answers.
    pub(super) fn ready(&self) -> anyhow::Result<()> {
        let mut answers = false;
        process::wait_until("the local D1 answers", PATIENCE, || {
            answers = process::listens("127.0.0.1", self.port) && self.answers();
            answers || self.running().is_none()
        })
        .with_context(|| process::tail(&self.log()))?;
        if !answers {
            bail!("the local D1 ended while starting; {}", process::tail(&self.log()));
        }
        Ok(())
    }

    /// Stops the host with a proper shutdown.
    pub(super) fn stop(&self) -> anyhow::Result<()> {
        self.end("TERM")
    }

    /// Kills Node and workerd.
    pub(super) fn crash(&self) -> anyhow::Result<()> {
        self.end("KILL")
    }

    fn end(&self, signal: &str) -> anyhow::Result<()> {
        match (self.running(), self.pid) {
            (Some(pid), _) => signals::to_group(pid, signal)?,
            // Node was killed alone, and workerd is still running.
            (None, Some(pid)) if !process::is_free(self.port) && process::is_survived(pid) => {
                signals::to_group(pid, "KILL")?;
            }
            (None, _) => return Ok(()),
        }
        let gone = || self.running().is_none() && process::is_free(self.port);
        process::wait_until("the local D1 has ended", PATIENCE, gone)
    }

    pub(super) fn delete(&self) -> anyhow::Result<()> {
        locks::sweep();
        process::delete(&self.folder)
    }

    /// The id of the Node process, if it is running and belongs to this host.
    pub(super) fn running(&self) -> Option<u32> {
        self.pid.filter(|pid| process::runs(*pid, &self.data().to_string_lossy()))
    }

    /// Whether the host answers a statement.
    pub(super) fn answers(&self) -> bool {
        let answer = self.query(&self.token, &json!({"sql": "select 1 as one"}));
        answer.is_ok_and(|(status, body)| status == 200 && body["result"][0]["results"][0]["one"] == 1)
    }

    /// Sends a request to the first database. Returns the status and the body.
    pub(super) fn query(&self, token: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let database = databases().next().unwrap_or_default();
        let path = format!("/client/v4/accounts/any/d1/database/{database}/query");
        post(&format!("http://127.0.0.1:{}{path}", self.port), token, body)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(super) fn variables(&self) -> Variables {
        vec![
            (URL, format!("http://127.0.0.1:{}", self.port)),
            (TOKEN, self.token.clone()),
            (DATABASES, databases().collect::<Vec<_>>().join(",")),
        ]
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// The command that runs the host on a port, with its databases. Their data is kept only if the caller adds a data
/// folder.
pub(super) fn host(node: &Path, token: &str, port: u16) -> Command {
    let mut host = Command::new(node::program(node));
    host.arg(node.join("host.mjs")).args(["--port", &port.to_string()]);
    host.args(["--databases", &databases().collect::<Vec<_>>().join(",")]);
    // The token isn't passed as an argument, because every user can list arguments.
    host.env(TOKEN, token).env("WRANGLER_SEND_METRICS", "false").current_dir(node);
    host
}

/// A host for the caller to start, and the variables that its clients need besides its address.
pub(super) fn own_host(home: &Home) -> anyhow::Result<(Command, Variables)> {
    node::prepare(home.node())?;
    let token = process::secret();
    let command = host(home.node(), &token, 0);
    Ok((command, vec![(TOKEN, token), (DATABASES, databases().collect::<Vec<_>>().join(","))]))
}

fn databases() -> impl Iterator<Item = String> {
    (1..=COUNT).map(|number| format!("00000000-0000-4000-8000-{number:012}"))
}

/// Sends one request and returns its answer. It runs in a separate thread, because the caller may be inside an async
/// runtime.
pub(super) fn post(url: &str, token: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    let exchange = async || -> anyhow::Result<(u16, Value)> {
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let answer = client.post(url).bearer_auth(token).json(body).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    };
    let work = || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(exchange());
    std::thread::scope(|scope| scope.spawn(work).join()).map_err(|_| anyhow::anyhow!("the request panicked"))?
}
