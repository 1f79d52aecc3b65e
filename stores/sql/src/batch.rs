//! Collects the statements of one batch, and names the columns that identify a subject and an event.

use purchase_core::{
    error::Cause,
    id::{EventKey, Subject},
};

use crate::{
    bulk::Bulk,
    executor::{Cell, Statement},
    registry::{StatementRegistry, Which},
};

/// The statements of one batch, in order.
pub(crate) struct Batch<'a> {
    pub(crate) registry: &'a StatementRegistry,
    pub(crate) statements: Vec<Statement>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(registry: &'a StatementRegistry) -> Self {
        Self { registry, statements: Vec::new() }
    }

    pub(crate) fn push(&mut self, which: impl Into<Which>, params: Vec<Cell>) {
        self.statements.push(self.registry.statement(which, params));
    }

    /// A [`Bulk`] for rows with one long column, in the engine's format.
    pub(crate) fn entries(&self) -> Bulk {
        Bulk::entries(self.registry.entries())
    }

    /// Adds one statement per text of rows, and returns the number of statements.
    pub(crate) fn push_bulk(&mut self, which: impl Into<Which>, rows: Bulk, others: &[Cell]) -> Result<usize, Cause> {
        let which = which.into();
        let texts = rows.into_params()?;
        let count = texts.len();
        for text in texts {
            self.push(which, [&[text], others].concat());
        }
        Ok(count)
    }
}

pub(crate) type SubjectColumns<'a> = (String, &'static str, &'a str);

pub(crate) fn subject_columns(subject: &Subject) -> SubjectColumns<'_> {
    (subject.source.expose(), subject.root.kind.as_str(), subject.root.id.expose())
}

pub(crate) fn event_columns(key: &EventKey) -> (String, &str) {
    (key.source.expose(), key.id.expose())
}
