//! Decides which rows of the read model a commit replaces. This module does not know what the rows mean.
//!
//! A table either has one row per subject, under the subject's own id, or several rows that belong to a subject. A row
//! is therefore always found by its subject, and needs no other key.

use purchase_core::{error::Cause, store::SubjectWrite};

use crate::{
    batch::{Batch, subject_columns},
    bulk::Bulk,
    registry::Which,
    tables::{Rule, Subjects, TABLES},
};

/// Adds the statements that replace the subjects' rows. Tables that other tables refer to come first.
pub(crate) fn write(batch: &mut Batch<'_>, subjects: &[SubjectWrite]) -> Result<(), Cause> {
    let written = TABLES.iter().enumerate().filter_map(|(at, table)| Some((at, table.of.as_ref()?)));
    written.into_iter().try_for_each(|(at, of)| replace(batch, at, of, subjects))
}

/// Adds the statements that replace the subjects' rows in the table at an index of [`TABLES`].
fn replace(batch: &mut Batch<'_>, table: usize, of: &Subjects, subjects: &[SubjectWrite]) -> Result<(), Cause> {
    let mut cleared = Bulk::array();
    let mut rows = batch.entries();
    for write in subjects {
        let roots = (of.roots)(&write.rows);
        let belongs = of.kinds.contains(&write.subject.root.kind);
        if !belongs && roots.is_empty() {
            continue;
        }
        let (source, kind, id) = subject_columns(&write.subject);
        // No subject would ever find such a row again.
        if !roots.iter().all(|root| belongs && *root == id) {
            return Err(format!("the rows of {} include a row of another subject", write.subject.public_id()).into());
        }
        // A new subject has no rows.
        if write.expected_revision > 0 && (of.rule == Rule::Many || roots.is_empty()) {
            cleared.row(&(&source, kind, id))?;
        }
        (of.write)(&write.rows, &source, &mut rows)?;
    }
    batch.push_bulk(Which::Clear(table), cleared, &[])?;
    batch.push_bulk(Which::Put(table), rows, &[])?;
    Ok(())
}
