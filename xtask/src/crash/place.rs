//! Decides where each pass finds an empty database: a file, or a schema of its own on a server.

use std::{path::Path, path::PathBuf, sync::Arc};

use anyhow::Context;
use purchase::{open, store::Store};

use super::Database;
use crate::services::Running;

/// The database of one pass.
#[derive(Debug, Clone)]
pub(super) struct Place {
    url: String,
    /// The file that it is, if it is one.
    file: Option<PathBuf>,
}

impl Place {
    /// A place of this name.
    pub(super) fn new(
        database: Database,
        running: Option<&Running>,
        scratch: &Path,
        name: &str,
    ) -> anyhow::Result<Self> {
        match database {
            Database::Sqlite => {
                let file = scratch.join(format!("{name}.sqlite"));
                Ok(Self { url: format!("sqlite://{}", file.display()), file: Some(file) })
            }
            Database::Postgres => {
                let variable = |wanted| running?.variables().find(|(name, _)| *name == wanted).map(|(_, value)| value);
                let url = variable("PURCHASE_TEST_POSTGRES_URL").context("there is no PostgreSQL")?;
                let joint = if url.contains('?') { '&' } else { '?' };
                // Of this run: a server that is used again may hold those of others.
                let run = scratch.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
                let run: String = run.chars().filter(char::is_ascii_alphanumeric).collect();
                Ok(Self { url: format!("{url}{joint}schema=crash_{run}_{name}"), file: None })
            }
        }
    }

    /// What the server is given.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The store.
    pub(super) async fn open(&self) -> anyhow::Result<Arc<dyn Store>> {
        Ok(open::open(&self.url).await?)
    }

    /// Removes a file and what belongs to it. What is on a server goes with the server's data.
    pub(super) fn remove(&self) {
        for ending in self.file.iter().flat_map(|_| ["", "-wal", "-shm"]) {
            let mut file = self.file.clone().unwrap_or_default().into_os_string();
            file.push(ending);
            // Two of them are gone when the server stopped in order.
            drop(std::fs::remove_file(file));
        }
    }
}
