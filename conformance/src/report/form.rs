//! Decides which form a report takes in a file: by how the file's name ends.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::report::Report;

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `…badge.json`: what shields.io makes a badge of.
    Badge,
    /// `.html`: one page for people.
    Html,
    /// `.json`: one object for programs.
    Json,
    /// `.xml`: JUnit, for CI.
    Junit,
    /// `.md`: what a repository shows of its results.
    Markdown,
}

/// Why a report is not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file's name ends in none of the forms.
    #[error("{}: a report is written as .html, .json, .md, .xml (JUnit) or badge.json", file.display())]
    Form {
        /// The file.
        file: PathBuf,
    },
    /// The folder is not there.
    #[error("{}: there is no folder {}", file.display(), folder.display())]
    Folder {
        /// The file.
        file: PathBuf,
        /// The folder that it should be in.
        folder: PathBuf,
    },
    /// The report holds text that XML can't.
    #[error("{}: the report can't be written as JUnit", file.display())]
    Junit {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: quick_junit::SerializeError,
    },
    /// The file can't be written.
    #[error("{} can't be written", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl Form {
    /// The form of a file that is to be written: asked before a run, so that no run is lost over a name.
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
    /// Writes the report to a file, in the form that the file's name asks for.
    ///
    /// # Errors
    /// [`ReportError`] when the name asks for none, or the file can't be written.
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
