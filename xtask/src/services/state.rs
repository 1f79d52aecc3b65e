//! Decides what is remembered from one command to the next: which servers were started, where, and who is to stop them.
//! One command at a time reads and changes it.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{Server, Service, process};
use crate::shell;

/// The folder of everything that services need: the state, their data, their programs.
#[derive(Debug, Clone)]
pub(super) struct Home {
    folder: PathBuf,
    /// Where the packages of Node stand, which hold no data and are kept.
    node: PathBuf,
    /// Whether servers that the environment names are taken instead of own ones.
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
    /// Whether it stays until `down`. Otherwise the last of its users stops it.
    #[serde(default)]
    pub(super) stays: bool,
    /// The processes that use it, each as often as it asked for it.
    #[serde(default)]
    pub(super) users: Vec<u32>,
    pub(super) server: Server,
}

/// The state while nobody else can change it.
pub(super) struct Held {
    path: PathBuf,
    pub(super) state: State,
    _lock: File,
}

impl Home {
    /// The one below the folder that cargo builds in: each checkout has its own.
    pub(super) fn of_checkout() -> Self {
        let folder = shell::target_dir().join("services");
        Self { node: folder.join("node"), folder, heeds_environment: true }
    }

    /// One elsewhere, which shares nothing but the packages of Node, and has only servers of its own.
    #[cfg(test)]
    pub(super) fn elsewhere(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), heeds_environment: false, ..Self::of_checkout() }
    }

    /// A variable of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|_| self.heeds_environment)
    }

    /// The folder of one service's data, which may not be there yet.
    pub(super) fn data_of(&self, service: Service) -> PathBuf {
        self.folder.join(service.name())
    }

    pub(super) fn node(&self) -> &Path {
        &self.node
    }

    /// Waits until nobody else has the state, and reads it. One that can't be read is named, never overwritten.
    pub(super) fn hold(&self) -> anyhow::Result<Held> {
        let folder = &self.folder;
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        let lock =
            File::create(folder.join("lock")).with_context(|| format!("{} can't be written", folder.display()))?;
        lock.lock().with_context(|| format!("{} can't be locked", folder.join("lock").display()))?;
        let path = folder.join("state.json");
        let state = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{} can't be read; end the servers that it names, if they run, and delete it", path.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(error).with_context(|| format!("{} can't be read", path.display())),
        };
        Ok(Held { path, state, _lock: lock })
    }
}

impl Held {
    /// Writes the state down, whole or not at all. It holds passwords, so that nobody else may read it.
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

    /// Remembers a server in place of an earlier one.
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
    /// Notes that a process uses it, or that it stays for everybody. Who was killed uses it no longer.
    pub(super) fn take(&mut self, user: Option<u32>) {
        self.users.retain(|user| is_alive(*user));
        match user {
            Some(user) => self.users.push(user),
            None => self.stays = true,
        }
    }

    /// Notes that a process uses it no longer, as often as it asked for it or one time less. Answers whether nobody is
    /// left who wants it.
    pub(super) fn leave(&mut self, user: u32) -> bool {
        if let Some(at) = self.users.iter().position(|other| *other == user) {
            self.users.remove(at);
        }
        self.users.retain(|user| is_alive(*user));
        !self.stays && self.users.is_empty()
    }

    /// How often a process asked for it.
    pub(super) fn times_used_by(&self, user: u32) -> usize {
        self.users.iter().filter(|other| **other == user).count()
    }

    /// Another process that uses it.
    pub(super) fn other_user(&self) -> Option<u32> {
        self.users.iter().copied().find(|user| *user != std::process::id() && is_alive(*user))
    }
}

/// Whether a process runs that can stop what it uses.
fn is_alive(user: u32) -> bool {
    user == std::process::id() || process::runs(user, "xtask")
}
