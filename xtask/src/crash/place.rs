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
        let variable = |wanted: &str| {
            let found = running.and_then(|it| it.variables().find(|(name, _)| *name == wanted));
            found.map(|(_, value)| value).with_context(|| format!("there is no {wanted}"))
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

/// A name of this run: a server that is used again may hold what others left.
fn of_run(scratch: &Path) -> String {
    let name = scratch.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}
