//! Decides where each pass gets an empty database: a new file, or a new schema or table prefix on a server.

use std::{path::Path, path::PathBuf, sync::Arc};

use anyhow::Context;
use purchase::{open, store::Store};

use super::Database;
use crate::services::Running;

/// The database of one pass.
#[derive(Debug, Clone)]
pub(super) struct Place {
    url: String,
    /// The file, if the database is one.
    file: Option<PathBuf>,
}

impl Place {
    /// Creates a database location with this name.
    pub(super) fn new(
        database: Database,
        running: Option<&Running>,
        scratch: &Path,
        name: &str,
    ) -> anyhow::Result<Self> {
        let variable = |wanted: &str| {
            let found = running.and_then(|it| it.variables().find(|(name, _)| *name == wanted));
            found.map(|(_, value)| value).with_context(|| format!("the server has no {wanted}"))
        };
        match database {
            Database::Sqlite => {
                let file = scratch.join(format!("{name}.sqlite"));
                Ok(Self { url: format!("sqlite://{}", file.display()), file: Some(file) })
            }
            Database::Postgres => {
                let url = variable("PURCHASE_TEST_POSTGRES_URL")?;
                let joint = if url.contains('?') { '&' } else { '?' };
                Ok(Self { url: format!("{url}{joint}schema=crash_{}_{name}", of_run(scratch)), file: None })
            }
            Database::D1 => {
                let base = variable("PURCHASE_TEST_D1_URL")?;
                let token = variable("PURCHASE_TEST_D1_TOKEN")?;
                let database = variable("PURCHASE_TEST_D1_DATABASES")?.split(',').next().unwrap_or_default();
                let prefix = format!("c{}_{name}_", of_run(scratch));
                let url = format!("d1:crash/{database}?token={token}&base={base}&prefix={prefix}");
                Ok(Self { url, file: None })
            }
        }
    }

    /// The database URL for the webhook server.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Opens the store.
    pub(super) async fn open(&self) -> anyhow::Result<Arc<dyn Store>> {
        Ok(open::open(&self.url).await?)
    }

    /// Removes the file and its companion files. Data on a server is deleted with the server's data.
    pub(super) fn remove(&self) {
        for ending in self.file.iter().flat_map(|_| ["", "-wal", "-shm"]) {
            let mut file = self.file.clone().unwrap_or_default().into_os_string();
            file.push(ending);
            // Two of the files don't exist if the server was shut down properly.
            drop(std::fs::remove_file(file));
        }
    }
}

/// A name that is unique to this run, because a reused server may hold data of earlier runs.
fn of_run(scratch: &Path) -> String {
    let name = scratch.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}
