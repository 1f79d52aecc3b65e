//! Decides where PostgreSQL's own programs are: in the search path, where Debian and Homebrew install them, or where
//! `pg_config` says.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use super::{
    install::{self, Package},
    postgres,
};
use crate::shell;

/// The programs that a server needs.
const NEEDED: &[&str] = &["createdb", "initdb", "pg_ctl", "postgres", "psql"];
/// Folders with one subfolder for each installed version.
const OF_VERSIONS: &[&str] =
    &["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"];

/// The folder that contains the programs.
pub(super) fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = OF_VERSIONS.iter().flat_map(|folder| newest_first(Path::new(folder)));
    in_search_path(&path).chain(versions).chain(said_by_pg_config()).find(|folder| is_complete(folder))
}

/// The folder that contains the programs. If there is none, PostgreSQL is installed.
pub(super) fn find_or_install() -> anyhow::Result<PathBuf> {
    if let Some(folder) = find() {
        return Ok(folder);
    }
    let package = Package { program: "PostgreSQL", apt: &["postgresql"], brew: "postgresql@17" };
    if let Err(error) = install::install(&package) {
        bail!("{error:#}; or set {} to the URL of a running server", postgres::URL);
    }
    find().with_context(|| {
        format!(
            "PostgreSQL was installed, but its programs ({}) are not in PATH, not in a version's bin/ below {}, and \
             not where pg_config says",
            NEEDED.join(", "),
            OF_VERSIONS.join(", ")
        )
    })
}

/// The targets of links in the search path. Often only some of the programs are linked, but the targets are in one
/// folder.
fn in_search_path(path: &OsStr) -> impl Iterator<Item = PathBuf> {
    let found = env::split_paths(path).map(|folder| folder.join("initdb")).filter_map(|file| file.canonicalize().ok());
    found.filter_map(|file| file.parent().map(Path::to_path_buf)).collect::<Vec<_>>().into_iter()
}

/// The `bin` folder of each version: `15` (Debian), `postgresql@17` (Homebrew), or without a number.
fn newest_first(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix("postgresql").map_or(name.as_str(), |rest| rest.trim_start_matches('@'));
        if number.is_empty() || number.parse::<u32>().is_ok() {
            found.push((number.parse::<u32>().unwrap_or_default(), entry.path().join("bin")));
        }
    }
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn said_by_pg_config() -> Option<PathBuf> {
    bindir(&shell::output(Command::new("pg_config").arg("--bindir")).ok()?)
}

/// The output of `pg_config --bindir`: one absolute path.
fn bindir(said: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(said.lines().next()?.trim());
    folder.is_absolute().then_some(folder)
}

fn is_complete(folder: &Path) -> bool {
    NEEDED.iter().all(|program| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pg_config_says_one_absolute_path() {
        assert_eq!(bindir("/usr/lib/postgresql/15/bin\n"), Some(PathBuf::from("/usr/lib/postgresql/15/bin")));
        assert_eq!(bindir("/opt/with space/bin\r\n"), Some(PathBuf::from("/opt/with space/bin")));
        assert_eq!(bindir(""), None);
        assert_eq!(bindir("You need to install postgresql-server-dev-NN\n"), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        for name in ["9", "17", "postgresql@16", "postgresql", "node@22", "common"] {
            fs::create_dir_all(folder.path().join(name))?;
        }
        let expect = ["17", "postgresql@16", "9", "postgresql"].map(|name| folder.path().join(name).join("bin"));
        assert_eq!(newest_first(folder.path()), expect);
        assert!(newest_first(&folder.path().join("nowhere")).is_empty());
        Ok(())
    }

    #[test]
    fn links_in_the_search_path_are_followed() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let (real, linked) = (folder.path().canonicalize()?.join("15/bin"), folder.path().join("bin"));
        fs::create_dir_all(&real)?;
        fs::create_dir_all(&linked)?;
        NEEDED.iter().try_for_each(|program| fs::write(real.join(program), ""))?;
        std::os::unix::fs::symlink(real.join("initdb"), linked.join("initdb"))?;
        let path = env::join_paths([folder.path().join("empty"), linked.clone()])?;
        let found: Vec<PathBuf> = in_search_path(&path).collect();
        assert_eq!(found, std::slice::from_ref(&real));
        assert!(is_complete(&real) && !is_complete(&linked));
        Ok(())
    }
}
