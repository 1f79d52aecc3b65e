//! Decides when lock files of tests are deleted: after their D1 server has ended. Tests use these files in the system's
//! temporary folder to lock the databases of a local D1, and name them after the server's address
//! (`stores/d1/tests/conformance/databases.rs`).

use std::{
    fs::{self, File},
    path::Path,
};

use super::process;

/// The prefix of each file's name. The server's port follows.
const BEGINNING: &str = "purchase-d1-http---127-0-0-1-";

/// Deletes the lock files of servers that have ended.
pub(super) fn sweep() {
    sweep_in(&std::env::temp_dir(), |port| !process::is_free(port));
}

fn sweep_in(folder: &Path, is_served: impl Fn(u16) -> bool) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let Some(port) = entry.file_name().to_str().and_then(port) else { continue };
        let lock = File::open(entry.path());
        // A locked file belongs to a running test, even if the server has ended.
        if !is_served(port) && lock.as_ref().is_ok_and(|lock| lock.try_lock().is_ok()) {
            // Another command may have deleted the file first.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// The port in the name of a lock file.
fn port(name: &str) -> Option<u16> {
    name.strip_prefix(BEGINNING)?.strip_suffix(".lock")?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_server_that_is_gone_goes() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = |name: &str| File::create(folder.path().join(name));
        let id = "00000000-0000-4000-8000-000000000001";
        let gone = format!("{BEGINNING}20001-{id}.lock");
        let stays = [
            format!("{BEGINNING}20002-{id}.lock"),
            format!("{BEGINNING}20003-{id}.lock"),
            format!("purchase-d1-https---api-cloudflare-com-{id}.lock"),
            format!("{BEGINNING}other"),
        ];
        file(&gone)?;
        let held = stays.iter().map(|name| file(name)).collect::<Result<Vec<File>, _>>()?;
        held[1].lock()?;
        sweep_in(folder.path(), |port| port == 20_002);
        let mut left = folder
            .path()
            .read_dir()?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<Result<Vec<_>, std::io::Error>>()?;
        let mut expect: Vec<std::ffi::OsString> = stays.iter().map(Into::into).collect();
        left.sort();
        expect.sort();
        assert_eq!(left, expect);
        Ok(())
    }
}
