//! Decides which form a report file has, by the end of its name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::report::Report;

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `…badge.json`: an endpoint from which shields.io renders a badge.
    Badge,
    /// `.html`: one page for people.
    Html,
    /// `.json`: one object for programs.
    Json,
    /// `.xml`: JUnit, for CI.
    Junit,
    /// `.md`: results to keep in a repository.
    Markdown,
}

/// Why a report was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file's name has none of the known endings.
    #[error("{}: a report is written as .html, .json, .md, .xml (JUnit) or badge.json", file.display())]
    Form {
        /// The file.
        file: PathBuf,
    },
    /// The folder doesn't exist.
    #[error("{}: there is no folder {}", file.display(), folder.display())]
    Folder {
        /// The file.
        file: PathBuf,
        /// The missing folder.
        folder: PathBuf,
    },
    /// The report contains text that XML can't represent.
    #[error("{}: the report can't be written as JUnit", file.display())]
    Junit {
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        cause: quick_junit::SerializeError,
    },
    /// The file can't be written.
    #[error("{} can't be written", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
}

impl Form {
    /// The form of a report file. It is checked before a run, so that a wrong name doesn't waste the run.
    ///
    /// # Errors
    /// [`ReportError::Form`] for another ending, [`ReportError::Folder`] when its folder is missing.
    pub fn of(file: &Path) -> Result<Self, ReportError> {
        let name = file.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let form = match name.rsplit_once('.') {
            Some((stem, "json")) if stem.ends_with("badge") => Form::Badge,
            Some((_, "html")) => Form::Html,
            Some((_, "json")) => Form::Json,
            Some((_, "md")) => Form::Markdown,
            Some((_, "xml")) => Form::Junit,
            _ => return Err(ReportError::Form { file: file.to_owned() }),
        };
        match file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            Some(folder) => Err(ReportError::Folder { file: file.to_owned(), folder: folder.to_owned() }),
            None => Ok(form),
        }
    }
}

impl Report {
    /// Writes the report to a file, in the form that the file's name selects.
    ///
    /// # Errors
    /// [`ReportError`] when the name selects no form, or the file can't be written.
    pub fn write(&self, file: &Path) -> Result<(), ReportError> {
        let text = match Form::of(file)? {
            Form::Badge => self.to_badge(),
            Form::Html => self.to_html(),
            Form::Json => self.to_json(),
            Form::Junit => self.to_junit().map_err(|cause| ReportError::Junit { file: file.to_owned(), cause })?,
            Form::Markdown => self.to_markdown(),
        };
        fs::write(file, text).map_err(|cause| ReportError::Write { file: file.to_owned(), cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides() {
        let check = |name: &str, form: Form| assert_eq!(Form::of(Path::new(name)).ok(), Some(form), "{name}");
        check("badge.json", Form::Badge);
        check("acme-badge.json", Form::Badge);
        check("r.json", Form::Json);
        check("R.HTML", Form::Html);
        check("RESULTS.md", Form::Markdown);
        check("junit.xml", Form::Junit);
    }

    #[test]
    fn what_can_t_be_written_is_said_beforehand() {
        let check = |name: &str, expect: &str| {
            assert_eq!(Form::of(Path::new(name)).err().map(|error| error.to_string()).as_deref(), Some(expect));
        };
        check("r.pdf", "r.pdf: a report is written as .html, .json, .md, .xml (JUnit) or badge.json");
        check("html", "html: a report is written as .html, .json, .md, .xml (JUnit) or badge.json");
        check("no-such-folder/r.json", "no-such-folder/r.json: there is no folder no-such-folder");
    }
}
