//! Implements [`Browse`]: decides which statement lists what, page by page.

use async_trait::async_trait;
use purchase_core::{
    error::{Cause, StoreError},
    id::EventKey,
    lifecycle::Transition,
    store::{
        Browse, ConflictQuery, EventQuery, EventStatus, StoredConflict, StoredEvent, StoredFact, StoredSubject,
        SubjectQuery, TransitionQuery,
    },
    time::Timestamp,
};

use crate::{
    batch::{Batch, event_columns, subject_columns},
    bulk::Bulk,
    decode,
    executor::{BatchKind, Cell, Executor, Statement, number},
    registry::Query,
    store::{SqlStore, array, time},
};

/// The parameters of a page: the first position, the start time, the end time and the number of rows.
fn page(after: Option<i64>, since: Option<Timestamp>, until: Option<Timestamp>, limit: u32) -> [Cell; 4] {
    [number(after.unwrap_or(-1)), since.map_or(Cell::NULL, time), until.map_or(Cell::NULL, time), number(limit.into())]
}

#[async_trait]
impl<E: Executor> Browse for SqlStore<E> {
    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = match &query.public_id {
            Some(public_id) => self.event_named(public_id).await?,
            None => {
                let rows = self.run("list events", BatchKind::Read, &self.listing(query)).await?.concat();
                rows.into_iter().map(decode::event).collect::<Result<Vec<_>, _>>()?
            }
        };
        if query.key.is_some() || query.public_id.is_some() {
            // These queries return few rows, so filtering them here is cheap.
            events.retain(|stored| {
                query.key.as_ref().is_none_or(|key| *key == stored.event.key)
                    && (query.statuses.is_empty() || query.statuses.contains(&stored.status))
                    && query.since.is_none_or(|since| stored.event.received_at >= since)
                    && query.until.is_none_or(|until| stored.event.received_at < until)
                    && query.after.is_none_or(|after| stored.sequence > after)
            });
        }
        events.sort_by_key(|stored| stored.sequence);
        events.truncate(query.limit as usize);
        Ok(events)
    }

    async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        let mut batch = Batch::new(self.registry());
        let [source, id] = match &query.key {
            Some(key) => {
                let (source, id) = event_columns(key);
                [source.into(), id.into()]
            }
            None => [Cell::NULL, Cell::NULL],
        };
        let page = page(query.after, query.since, query.until, query.limit);
        batch.push(Query::EventConflictsList, [page.as_slice(), &[source, id]].concat());
        let rows = self.run("list conflicts", BatchKind::Read, &batch.statements).await?.concat();
        rows.into_iter().map(decode::conflict).collect()
    }

    async fn facts(&self, events: &[EventKey]) -> Result<Vec<StoredFact>, StoreError> {
        const OPERATION: &str = "list facts";
        let mut batch = Batch::new(self.registry());
        let keys = array(events.iter().map(event_columns));
        keys.and_then(|keys| batch.push_bulk(Query::FactsByEvent, keys, &[]))
            .map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        let rows = self.run(OPERATION, BatchKind::Read, &batch.statements).await?;
        rows.into_iter().flatten().map(decode::stored_fact).collect()
    }

    async fn transitions(&self, query: &TransitionQuery) -> Result<Vec<Transition>, StoreError> {
        let mut batch = Batch::new(self.registry());
        // No object's public id is empty, so the empty text sorts before every object.
        let (object, at, change) = match &query.after {
            Some(after) => (after.object.as_str(), after.at, after.change.as_str()),
            None => ("", Timestamp::MIN, ""),
        };
        let wanted = query.object.as_deref().map_or(Cell::NULL, Cell::from);
        let page = vec![wanted, object.into(), time(at), change.into(), number(query.limit.into())];
        batch.push(Query::TransitionsList, page);
        let rows = self.run("list transitions", BatchKind::Read, &batch.statements).await?.concat();
        rows.into_iter().map(decode::transition).collect()
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        const OPERATION: &str = "list subjects";
        if let Some(public_id) = &query.public_id {
            return self.subject_named(public_id).await;
        }
        let batch = self.subject_listing(query).map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        let rows = self.run(OPERATION, BatchKind::Read, &batch).await?.concat();
        rows.into_iter().map(decode::subject).collect()
    }
}

impl<E: Executor> SqlStore<E> {
    fn listing(&self, query: &EventQuery) -> Vec<Statement> {
        let mut batch = Batch::new(self.registry());
        if let Some(key) = &query.key {
            let (source, id) = event_columns(key);
            batch.push(Query::EventsByKey, vec![source.into(), id.into()]);
            return batch.statements;
        }
        let all = EventStatus::ALL.iter().copied();
        let wanted: Vec<EventStatus> =
            all.filter(|status| query.statuses.is_empty() || query.statuses.contains(status)).collect();
        let open = |status: &EventStatus| !matches!(status, EventStatus::Ignored | EventStatus::Processed);
        let list = if wanted.iter().all(open) { Query::EventsListOpen } else { Query::EventsList };
        let names: Vec<String> = wanted.iter().map(|status| format!("\"{}\"", status.as_str())).collect();
        let statuses = Cell::from(format!("[{}]", names.join(",")));
        let page = page(query.after, query.since, query.until, query.limit);
        batch.push(list, [page.as_slice(), &[statuses]].concat());
        batch.statements
    }

    fn subject_listing(&self, query: &SubjectQuery) -> Result<Vec<Statement>, Cause> {
        /// Sorts after every source.
        const LAST: &str = "\u{10FFFF}";
        let mut batch = Batch::new(self.registry());
        let source = query.source.as_ref().map(|source| source.expose());
        let from = (source.clone().unwrap_or_default(), "", "");
        let after = query.after.as_ref().map(subject_columns).unwrap_or((String::new(), "", ""));
        let (start_source, start_kind, start_id) = after.max(from);
        let mut params: Vec<Cell> = [start_source.as_str(), start_kind, start_id, source.as_deref().unwrap_or(LAST)]
            .into_iter()
            .map(Cell::from)
            .collect();
        params.push(number(query.limit.into()));
        let owner = query.owner.as_ref().map(|owner| Cell::from(owner.as_str()));
        match (&query.customers, owner) {
            (None, None) => batch.push(Query::SubjectsList, params),
            (None, Some(owner)) => {
                params.push(owner);
                batch.push(Query::SubjectsByOwner, params);
            }
            (Some(customers), owner) => {
                let customers: Vec<(String, &str)> =
                    customers.iter().map(|(source, customer)| (source.expose(), customer.expose())).collect();
                params.push(Bulk::one(&customers)?);
                params.push(owner.unwrap_or_default());
                batch.push(Query::SubjectsByCustomer, params);
            }
        }
        Ok(batch.statements)
    }
}
