//! Finds rows by the public ids that receipts and logs show. Public ids are digests, which no engine computes, so each
//! row stores its public id in an indexed column. Rows of an older library get their public ids after the migration. An
//! older library may still insert rows while this version is deployed. These rows are searched one by one, with an
//! index of rows without a public id.

use purchase_core::{
    error::{Cause, Chain, StoreError},
    id::{EventKey, Subject},
    store::{StoredEvent, StoredSubject},
};

use crate::{
    batch::{Batch, event_columns, subject_columns},
    bulk::Bulk,
    decode,
    executor::{BatchKind, Cell, Executor, Row, number},
    registry::Query,
    store::SqlStore,
};

/// The number of rows that one statement reads or updates. It can be large because the rows have only short columns.
const PAGE: usize = 500;

/// A page of rows without a public id: the keys that can be read, and the start of the next page.
struct Unnamed<K, P> {
    keys: Vec<K>,
    /// None on the last page.
    next: Option<P>,
}

/// The columns of a subject's key.
type KeyCells = [Cell; 3];

impl<E: Executor> SqlStore<E> {
    /// Stores the public id of every row without one.
    pub(crate) async fn name_rows(&self) -> Result<(), StoreError> {
        const OPERATION: &str = "write public ids";
        let refused = |cause: Cause| StoreError::Refused { operation: OPERATION, cause };
        let mut after = Some(-1);
        while let Some(place) = after {
            let page = self.unnamed_events(place).await?;
            let mut rows = Bulk::array();
            let named = page.keys.iter().try_for_each(|(sequence, key)| rows.row(&(sequence, key.public_id())));
            named.map_err(refused)?;
            self.name(Query::EventsName, rows).await?;
            after = page.next;
        }
        let mut after = Some([Cell::from(""), Cell::from(""), Cell::from("")]);
        while let Some(place) = after {
            let page = self.unnamed_subjects(place).await?;
            let mut rows = Bulk::array();
            let named = page.keys.iter().try_for_each(|subject| {
                let (source, kind, id) = subject_columns(subject);
                rows.row(&(source, kind, id, subject.public_id()))
            });
            named.map_err(refused)?;
            self.name(Query::SubjectsName, rows).await?;
            after = page.next;
        }
        Ok(())
    }

    async fn name(&self, query: Query, rows: Bulk) -> Result<(), StoreError> {
        const OPERATION: &str = "write public ids";
        let mut batch = Batch::new(self.registry());
        let pushed = batch.push_bulk(query, rows, &[]);
        pushed.map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        self.run(OPERATION, BatchKind::Write, &batch.statements).await.map(drop)
    }

    /// Finds the event with a public id.
    pub(crate) async fn event_named(&self, public_id: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let found = self.find(Query::EventsByPublicId, vec![public_id.into()]).await?;
        if !found.is_empty() {
            return found.into_iter().map(decode::event).collect();
        }
        let mut after = Some(-1);
        while let Some(place) = after {
            let page = self.unnamed_events(place).await?;
            if let Some((_, key)) = page.keys.iter().find(|(_, key)| key.public_id() == public_id) {
                let (source, id) = event_columns(key);
                let found = self.find(Query::EventsByKey, vec![source.into(), id.into()]).await?;
                // The conflicting bodies of an event come after the event itself.
                return found.into_iter().take(1).map(decode::event).collect();
            }
            after = page.next;
        }
        Ok(Vec::new())
    }

    /// Finds the subject with a public id.
    pub(crate) async fn subject_named(&self, public_id: &str) -> Result<Vec<StoredSubject>, StoreError> {
        const OPERATION: &str = "look up a public id";
        let found = self.find(Query::SubjectsByPublicId, vec![public_id.into()]).await?;
        if !found.is_empty() {
            return found.into_iter().map(decode::subject).collect();
        }
        let mut after = Some([Cell::from(""), Cell::from(""), Cell::from("")]);
        while let Some(place) = after {
            let page = self.unnamed_subjects(place).await?;
            if let Some(subject) = page.keys.iter().find(|subject| subject.public_id() == public_id) {
                let mut key = Bulk::array();
                key.row(&subject_columns(subject))
                    .map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
                let mut batch = Batch::new(self.registry());
                let pushed = batch.push_bulk(Query::SubjectsLoad, key, &[]);
                pushed.map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
                let rows = self.run(OPERATION, BatchKind::Read, &batch.statements).await?.concat();
                return rows.into_iter().map(decode::subject).collect();
            }
            after = page.next;
        }
        Ok(Vec::new())
    }

    async fn unnamed_events(&self, after: i64) -> Result<Unnamed<(i64, EventKey), i64>, StoreError> {
        let rows = self.find(Query::EventsUnnamed, vec![number(after), number(PAGE as i64)]).await?;
        let full = rows.len() == PAGE;
        let mut page = Unnamed { keys: Vec::new(), next: None };
        for mut row in rows {
            let Some(sequence) = decode::sequence(&row) else { continue };
            page.next = full.then_some(sequence);
            match decode::event_key(row.split_off(1)) {
                Ok(key) => page.keys.push((sequence, key)),
                Err(fault) => tracing::error!(sequence, cause = %Chain(&fault), "an event gets no public id"),
            }
        }
        Ok(page)
    }

    async fn unnamed_subjects(&self, after: KeyCells) -> Result<Unnamed<Subject, KeyCells>, StoreError> {
        let params = after.into_iter().chain([number(PAGE as i64)]).collect();
        let rows = self.find(Query::SubjectsUnnamed, params).await?;
        let full = rows.len() == PAGE;
        let mut page = Unnamed { keys: Vec::new(), next: None };
        for row in rows {
            page.next = if full { row.clone().try_into().ok() } else { None };
            match decode::subject_key(row) {
                Ok(subject) => page.keys.push(subject),
                Err(fault) => tracing::error!(cause = %Chain(&fault), "a subject gets no public id"),
            }
        }
        Ok(page)
    }

    async fn find(&self, query: Query, params: Vec<Cell>) -> Result<Vec<Row>, StoreError> {
        let statement = self.registry().statement(query, params);
        Ok(self.run("look up public ids", BatchKind::Read, &[statement]).await?.concat())
    }
}
