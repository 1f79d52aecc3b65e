//! Keeps a world in a file. The file is replaced as a whole, so it is never half a world.

use std::{fs, io::ErrorKind, path::Path, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;

use super::Running;
use crate::emulated::Emulated;

/// How long changes are collected before they are written.
const PAUSE: Duration = Duration::from_secs(1);

/// The file's content; none when there is no file yet.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} can't be read", path.display())),
    }
}

/// Writes the world whenever it changed.
pub(super) async fn run<P: Emulated>(running: Arc<Running<P>>, path: Option<PathBuf>) -> anyhow::Result<()> {
    let Some(path) = path else { return std::future::pending().await };
    loop {
        // Registered before writing, so that no change is missed.
        let changed = running.changed.notified();
        write(&running, &path)?;
        changed.await;
        tokio::time::sleep(PAUSE).await;
    }
}

pub(super) fn write<P: Emulated>(running: &Running<P>, path: &Path) -> anyhow::Result<()> {
    let bytes = running.world.with(|world| world.snapshot()).context("the world can't be written")?;
    let next = path.with_extension("next");
    fs::write(&next, bytes).with_context(|| format!("{} can't be written", next.display()))?;
    fs::rename(&next, path).with_context(|| format!("{} can't be replaced", path.display()))
}
