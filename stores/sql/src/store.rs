//! Decides how each promise of [`Store`] is kept: which batches it takes, and what a failure of one means.

use std::collections::HashSet;

use async_trait::async_trait;
use purchase_core::{
    error::{Chain, CommitError, StoreError},
    fact::Fact,
    store::{
        Claim, Commit, EventQuery, EventStatus, FactQuery, Loaded, NewEvent, Store, StoredEvent, StoredSubject,
        SubjectQuery, Wanted,
    },
    time::Timestamp,
};

use crate::{
    bulk::Bulk,
    catalogue::{Catalogue, Query, Which},
    commit::{self, Batch, event_columns, subject_columns},
    decode,
    dialect::TablePrefix,
    executor::{Access, Cell, ExecuteError, Executor, Row, Statement},
    tables::TABLES,
};

/// A [`Store`] on an SQL database.
#[derive(Debug)]
pub struct SqlStore<E> {
    executor: E,
    prefix: TablePrefix,
    catalogue: Catalogue,
}

impl<E: Executor> SqlStore<E> {
    /// A store on a database. Nothing is asked of the database yet; see [`check_schema`](Self::check_schema).
    pub fn new(executor: E, prefix: TablePrefix) -> Self {
        let catalogue = Catalogue::new(executor.dialect(), &prefix);
        Self { executor, prefix, catalogue }
    }

    /// The database.
    pub fn executor(&self) -> &E {
        &self.executor
    }

    /// What stands before every table's name.
    pub fn prefix(&self) -> &TablePrefix {
        &self.prefix
    }

    /// Everything that is derived from the facts, read from its real columns: tables in a fixed order, their rows as
    /// JSON objects in the order of their keys.
    ///
    /// # Errors
    /// What the database says.
    pub async fn dump_read_model(&self) -> Result<Vec<(String, Vec<String>)>, StoreError> {
        let mut batch = Batch::new(&self.catalogue);
        for table in 0..TABLES.len() {
            batch.push(Which::Dump(table), Vec::new());
        }
        let results = self.run("dump the read model", Access::Read, &batch.statements).await?;
        let tables = TABLES.iter().zip(results);
        tables
            .map(|(table, rows)| {
                let rows = rows.into_iter().map(|row| decode::text(table.name, row)).collect::<Result<_, _>>()?;
                Ok((table.name.to_owned(), rows))
            })
            .collect()
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(crate) async fn run(
        &self,
        operation: &'static str,
        access: Access,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        self.executor.batch(access, statements).await.map_err(|error| store_error(error, operation))
    }

    /// What a failed commit means, by the constraint that it broke.
    fn commit_error(&self, error: ExecuteError) -> CommitError {
        let at = |place: &str, table: &str| {
            place
                .split(", ")
                .any(|column| column.strip_prefix(self.prefix.as_str()).is_some_and(|it| it.starts_with(table)))
        };
        match error {
            ExecuteError::NotNull { place } if at(&place, "fence.lease") => CommitError::LeaseLost,
            ExecuteError::NotNull { place } if at(&place, "fence.event") => CommitError::Stale,
            ExecuteError::NotNull { place } if at(&place, "subjects.revision") => CommitError::Stale,
            ExecuteError::Unique { place } if at(&place, "events.") => CommitError::Stale,
            ExecuteError::Overtaken { .. } => CommitError::Stale,
            ExecuteError::Unknown { .. } => CommitError::Unknown(store_error(error, "commit")),
            other => CommitError::Store(store_error(other, "commit")),
        }
    }
}

/// What a failed batch means where no constraint is expected to break.
pub(crate) fn store_error(error: ExecuteError, operation: &'static str) -> StoreError {
    match error {
        ExecuteError::Busy { cause } | ExecuteError::Overtaken { cause } => StoreError::Busy { cause },
        ExecuteError::Damaged { cause } => StoreError::Corrupt { table: "the database file", cause },
        ExecuteError::Full { cause } => StoreError::Full { cause },
        ExecuteError::Other { cause } | ExecuteError::Unknown { cause } => StoreError::Unavailable { operation, cause },
        ExecuteError::ReadOnly { cause } => StoreError::ReadOnly { cause },
        ExecuteError::TimedOut { cause } => StoreError::TimedOut { operation, cause },
        ExecuteError::Refused { cause } => StoreError::Refused { operation, cause },
        ExecuteError::NotNull { .. } | ExecuteError::Unique { .. } => {
            StoreError::Refused { operation, cause: error.into() }
        }
    }
}

#[async_trait]
impl<E: Executor> Store for SqlStore<E> {
    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<bool>, StoreError> {
        const OPERATION: &str = "accept events";
        let batch = commit::accept(&self.catalogue, events)
            .map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        let rows = self.run(OPERATION, Access::Write, &batch).await?.concat();
        let mut new = rows.into_iter().map(decode::event_key).collect::<Result<HashSet<_>, _>>()?;
        // Taken out, so that of two deliveries of one event in one call only the first is new.
        Ok(events.iter().map(|event| new.remove(&event.key)).collect())
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<StoredEvent>, StoreError> {
        let mut batch = Batch::new(&self.catalogue);
        let lease = &claim.lease;
        batch.push(
            Query::EventsClaim,
            vec![lease.token.as_str().into(), time(lease.until), time(claim.now), number(claim.limit.into())],
        );
        let rows = self.run("claim events", Access::Write, &batch.statements).await?.concat();
        // They are leased already, so one that can't be read must not take the others with it, not even those behind it in
        // its lane. Its own lease ends by itself.
        let mut claimed = Vec::with_capacity(rows.len());
        let mut unreadable = None;
        for row in rows {
            let sequence = decode::sequence(&row);
            match decode::event(row) {
                Ok(stored) => claimed.push(stored),
                Err(fault) => {
                    tracing::error!(sequence, cause = %Chain(&fault), "a claimed event is left out");
                    unreadable.get_or_insert(fault);
                }
            }
        }
        match unreadable {
            Some(fault) if claimed.is_empty() => return Err(fault),
            _ => claimed.sort_by_key(|stored| stored.sequence),
        }
        Ok(claimed)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let batch = commit::statements(&self.catalogue, commit)
            .map_err(|cause| StoreError::Refused { operation: "commit", cause })?;
        if batch.is_empty() {
            return Ok(());
        }
        self.executor.batch(Access::Write, &batch).await.map(drop).map_err(|error| self.commit_error(error))
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = match &query.public_id {
            Some(public_id) => self.event_named(public_id).await?,
            None => {
                let rows = self.run("list events", Access::Read, &self.listing(query)).await?.concat();
                rows.into_iter().map(decode::event).collect::<Result<Vec<_>, _>>()?
            }
        };
        if query.key.is_some() || query.public_id.is_some() {
            // Few, and every filter counts.
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

    async fn facts(&self, query: &FactQuery) -> Result<Vec<Fact>, StoreError> {
        const OPERATION: &str = "list facts";
        let mut batch = Batch::new(&self.catalogue);
        let mut keys = Bulk::array();
        let encoded = match query {
            FactQuery::Events(events) => events
                .iter()
                .try_for_each(|key| keys.row(&event_columns(key)))
                .and_then(|()| batch.push_bulk(Query::FactsByEvent, keys, &[])),
            FactQuery::Subjects(subjects) => subjects
                .iter()
                .try_for_each(|subject| keys.row(&subject_columns(subject)))
                .and_then(|()| batch.push_bulk(Query::FactsBySubject, keys, &[])),
        };
        encoded.map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        let rows = self.run(OPERATION, Access::Read, &batch.statements).await?;
        rows.into_iter().flatten().map(decode::fact).collect()
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        const OPERATION: &str = "load";
        let mut batch = Batch::new(&self.catalogue);
        let [events, subjects] =
            push_load(&mut batch, wanted).map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        let mut results = self.run(OPERATION, Access::Read, &batch.statements).await?.into_iter();
        let mut next = |statements: usize| results.by_ref().take(statements).flatten().collect::<Vec<Row>>();
        Ok(Loaded {
            events: next(events).into_iter().map(decode::event).collect::<Result<_, _>>()?,
            subjects: next(subjects).into_iter().map(decode::subject).collect::<Result<_, _>>()?,
            waits: next(usize::MAX).into_iter().map(decode::wait).collect::<Result<_, _>>()?,
        })
    }

    async fn subjects(&self, query: &SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        const OPERATION: &str = "list subjects";
        if let Some(public_id) = &query.public_id {
            return self.subject_named(public_id).await;
        }
        let batch = self.subject_listing(query).map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        let rows = self.run(OPERATION, Access::Read, &batch).await?.concat();
        rows.into_iter().map(decode::subject).collect()
    }
}

impl<E: Executor> SqlStore<E> {
    fn listing(&self, query: &EventQuery) -> Vec<Statement> {
        let mut batch = Batch::new(&self.catalogue);
        if let Some(key) = &query.key {
            let (source, id) = event_columns(key);
            batch.push(Query::EventsByKey, vec![source.into(), id.into()]);
            return batch.statements;
        }
        let all = EventStatus::ALL.iter().copied().filter(|status| *status != EventStatus::Conflict);
        let wanted: Vec<EventStatus> =
            all.filter(|status| query.statuses.is_empty() || query.statuses.contains(status)).collect();
        let page = vec![
            number(query.after.unwrap_or(-1)),
            query.since.map_or(Cell::NULL, time),
            query.until.map_or(Cell::NULL, time),
            number(query.limit.into()),
        ];
        let open = |status: &EventStatus| !matches!(status, EventStatus::Ignored | EventStatus::Processed);
        let list = if wanted.iter().all(open) { Query::EventsListOpen } else { Query::EventsList };
        if !wanted.is_empty() {
            let names: Vec<String> = wanted.iter().map(|status| format!("\"{}\"", status.as_str())).collect();
            let statuses = Cell::from(format!("[{}]", names.join(",")));
            batch.push(list, [page.as_slice(), &[statuses]].concat());
        }
        if query.statuses.contains(&EventStatus::Conflict) {
            batch.push(Query::EventConflictsList, page);
        }
        batch.statements
    }

    fn subject_listing(&self, query: &SubjectQuery) -> Result<Vec<Statement>, purchase_core::error::Cause> {
        /// No source sorts behind it.
        const LAST: &str = "\u{10FFFF}";
        let mut batch = Batch::new(&self.catalogue);
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

fn time(time: Timestamp) -> Cell {
    number(time.micros())
}

pub(crate) fn number(number: i64) -> Cell {
    number.to_string().into()
}

/// Adds the statements of a load: so many for events, so many for subjects, the rest for waits.
fn push_load(batch: &mut Batch<'_>, wanted: &Wanted) -> Result<[usize; 2], purchase_core::error::Cause> {
    let mut events = Bulk::array();
    for key in &wanted.events {
        events.row(&event_columns(key))?;
    }
    let events = batch.push_bulk(Query::EventsLoad, events, &[])?;
    let subjects = || -> Result<Bulk, purchase_core::error::Cause> {
        let mut rows = Bulk::array();
        for subject in &wanted.subjects {
            rows.row(&subject_columns(subject))?;
        }
        Ok(rows)
    };
    let loaded = batch.push_bulk(Query::SubjectsLoad, subjects()?, &[])?;
    batch.push_bulk(Query::WaitsLoad, subjects()?, &[])?;
    Ok([events, loaded])
}
