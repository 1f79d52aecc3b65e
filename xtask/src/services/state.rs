//! Decides what is stored between commands: which servers were started, their addresses, and who must stop them. Only
//! one command at a time reads and changes this state.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{Server, Service, process};
use crate::shell;

/// The folder with everything that services need: the state, their data, their programs.
#[derive(Debug, Clone)]
pub(super) struct Home {
    folder: PathBuf,
    /// The folder of the Node packages. They contain no data and are kept.
    node: PathBuf,
    /// Whether servers named by environment variables are used instead of servers started here.
    heeds_environment: bool,
}

/// The servers that were started.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    servers: Vec<Kept>,
}

/// A server that was started.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Whether the server runs until `down`. Otherwise its last user stops it.
    #[serde(default)]
    pub(super) stays: bool,
    /// The processes that use it. A process appears once for each request.
    #[serde(default)]
    pub(super) users: Vec<u32>,
    pub(super) server: Server,
}

/// The state, locked for exclusive access.
pub(super) struct Held {
    path: PathBuf,
    pub(super) state: State,
    _lock: File,
}

impl Home {
    /// The home below cargo's target folder. Each checkout has its own.
    pub(super) fn of_checkout() -> Self {
        let folder = shell::target_dir().join("services");
        Self { node: folder.join("node"), folder, heeds_environment: true }
    }

    /// A home elsewhere. It shares only the Node packages, and ignores servers named by environment variables.
    #[cfg(test)]
    pub(super) fn elsewhere(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), heeds_environment: false, ..Self::of_checkout() }
    }

    /// Reads an environment variable.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|_| self.heeds_environment)
    }

    /// The folder of one service's data. It may not exist yet.
    pub(super) fn data_of(&self, service: Service) -> PathBuf {
        self.folder.join(service.name())
    }

    pub(super) fn node(&self) -> &Path {
        &self.node
    }

    /// Waits for the exclusive lock and reads the state. An unreadable state is reported, never overwritten.
    pub(super) fn hold(&self) -> anyhow::Result<Held> {
        let folder = &self.folder;
        fs::create_dir_all(folder).with_context(|| format!("{} can't be created", folder.display()))?;
        let lock =
            File::create(folder.join("lock")).with_context(|| format!("{} can't be written", folder.display()))?;
        lock.lock().with_context(|| format!("{} can't be locked", folder.join("lock").display()))?;
        let path = folder.join("state.json");
        let state = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{} can't be read; stop the servers that it lists, if they run, and delete it", path.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(error).with_context(|| format!("{} can't be read", path.display())),
        };
        Ok(Held { path, state, _lock: lock })
    }
}

impl Held {
    /// Writes the state atomically. Only the owner may read the file, because it contains passwords.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let save = || -> anyhow::Result<()> {
            let draft = self.path.with_extension("draft");
            fs::write(&draft, serde_json::to_vec_pretty(&self.state)?)?;
            fs::set_permissions(&draft, fs::Permissions::from_mode(0o600))?;
            Ok(fs::rename(&draft, &self.path)?)
        };
        save().with_context(|| format!("{} can't be written", self.path.display()))
    }
}

impl State {
    pub(super) fn of(&mut self, service: Service) -> Option<&mut Kept> {
        self.servers.iter_mut().find(|kept| kept.server.service() == service)
    }

    /// Records a server, replacing an earlier one.
    pub(super) fn put(&mut self, kept: Kept) {
        self.remove(kept.server.service());
        self.servers.push(kept);
    }

    pub(super) fn remove(&mut self, service: Service) -> Option<Kept> {
        let at = self.servers.iter().position(|kept| kept.server.service() == service)?;
        Some(self.servers.remove(at))
    }
}

impl Kept {
    /// Records that a process uses the server, or that it runs until `down`. Processes that were killed are removed
    /// from the users.
    pub(super) fn take(&mut self, user: Option<u32>) {
        self.users.retain(|user| is_alive(*user));
        match user {
            Some(user) => self.users.push(user),
            None => self.stays = true,
        }
    }

    /// Removes one use by a process. Returns whether nobody needs the server any more.
    pub(super) fn leave(&mut self, user: u32) -> bool {
        if let Some(at) = self.users.iter().position(|other| *other == user) {
            self.users.remove(at);
        }
        self.users.retain(|user| is_alive(*user));
        !self.stays && self.users.is_empty()
    }

    /// The number of uses by a process.
    pub(super) fn times_used_by(&self, user: u32) -> usize {
        self.users.iter().filter(|other| **other == user).count()
    }

    /// Another process that uses the server.
    pub(super) fn other_user(&self) -> Option<u32> {
        self.users.iter().copied().find(|user| *user != std::process::id() && is_alive(*user))
    }
}

/// Whether a process is running that can stop the server it uses.
fn is_alive(user: u32) -> bool {
    user == std::process::id() || process::runs(user, "xtask")
}
