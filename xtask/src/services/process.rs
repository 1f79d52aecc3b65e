//! Decides how server processes are started, recognized and ended. A process id alone isn't enough to recognize a
//! server, because after a reboot or a long time another process may have the same id.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::{shell, signals};

/// Below the range of ports that systems use for outgoing connections. A client that keeps reconnecting while its
/// server is down could get the server's own port from that range, connect to itself, and so prevent the server from
/// restarting.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A user account that a server runs as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whether this process runs as root.
pub(super) fn is_root() -> anyhow::Result<bool> {
    Ok(shell::output(Command::new("id").arg("-u"))?.trim() == "0")
}

impl User {
    /// The user account with this name on this machine.
    pub(super) fn named(name: &str) -> Option<Self> {
        let id = |flag: &str| shell::output(Command::new("id").args([flag, name])).ok()?.trim().parse().ok();
        Some(Self { name: name.to_owned(), uid: id("-u")?, gid: id("-g")? })
    }

    /// Whether this user can enter a folder, which requires access to every parent folder.
    pub(super) fn can_enter(&self, folder: &Path) -> bool {
        let mut enter = command_as(Some(self), Path::new("/bin/sh"));
        shell::works(enter.args(["-c", "cd -- \"$1\"", "sh"]).arg(folder))
    }

    /// Makes this user the owner of a file or an empty folder.
    pub(super) fn own(&self, path: &Path) -> anyhow::Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("the owner of {} can't be changed to {}", path.display(), self.name))
    }
}

/// A command that runs as another user, or as the current one.
pub(super) fn command_as(user: Option<&User>, program: &Path) -> Command {
    let mut command = Command::new(program);
    // A folder that every user can enter.
    command.current_dir("/").stdin(Stdio::null());
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Whether a process is running whose command line contains a text. A zombie process doesn't count as running.
pub(crate) fn runs(pid: u32, text: &str) -> bool {
    let line = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => String::from_utf8_lossy(&line).replace('\0', " "),
        // On systems without /proc.
        Err(_) if !Path::new("/proc/self").exists() => {
            let mut ps = Command::new("ps");
            shell::output(ps.args(["-ww", "-o", "args=", "-p", &pid.to_string()])).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !line.trim().is_empty() && line.contains(text)
}

/// Whether a separately started process has ended while its own children still run. As long as that is so, the system
/// doesn't reuse the process id.
pub(super) fn is_survived(pid: u32) -> bool {
    !runs(pid, "") && signals::to_group(pid, "0").is_ok()
}

/// Starts a process in a separate group, so that Ctrl-C ends this program but not the process. Its command line must
/// contain `text`, by which it is recognized later.
pub(super) fn spawn_apart(command: &mut Command, text: &str) -> anyhow::Result<u32> {
    let what = shell::shown(command);
    let mut child = command.process_group(0).spawn().with_context(|| format!("could not start `{what}`"))?;
    let pid = child.id();
    // For a moment a new process has no command line yet. A process that has ended never gets one.
    while !runs(pid, text) && child.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(5));
    }
    // Without a wait, the process would remain a zombie after its end.
    thread::spawn(move || child.wait());
    Ok(pid)
}

/// A port of this machine on which nothing listens.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let mut random = rand::rng();
    let mut tries = (0..100).map(|_| random.random_range(PORTS));
    tries.find(|port| is_free(*port)).context("none of a hundred ports tried on 127.0.0.1 is free")
}

pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Whether something listens on a port.
pub(super) fn listens(host: &str, port: u16) -> bool {
    let addresses = (host, port).to_socket_addrs();
    let connects = |to: SocketAddr| TcpStream::connect_timeout(&to, Duration::from_secs(5)).is_ok();
    addresses.is_ok_and(|mut addresses| addresses.any(connects))
}

/// Waits until a condition is true. The error says what was waited for.
pub(super) fn wait_until(what: &str, patience: Duration, mut so: impl FnMut() -> bool) -> anyhow::Result<()> {
    let begin = Instant::now();
    while !so() {
        if begin.elapsed() > patience {
            bail!("after {} s, this was still not true: {what}", patience.as_secs());
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(())
}

/// The end of a log file, for error messages.
pub(super) fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    format!("{} ends with:\n{}", log.display(), lines[lines.len().saturating_sub(12)..].join("\n"))
}

/// A random secret.
pub(super) fn secret() -> String {
    hex::encode(rand::rng().random::<[u8; 16]>())
}

/// Deletes a folder if it exists.
pub(super) fn delete(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be deleted", folder.display()))
        }
        _ => Ok(()),
    }
}
