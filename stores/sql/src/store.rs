//! Implements [`Store`]: decides which batches each operation runs, and what a failed batch means.

use std::collections::HashSet;

use async_trait::async_trait;
use purchase_core::{
    error::{Cause, Chain, CommitError, StoreError},
    id::EventKey,
    store::{Claim, Claimed, Commit, Loaded, NewEvent, Queue, Store, Wanted},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    batch::{Batch, event_columns, subject_columns},
    bulk::Bulk,
    commit, decode,
    dialect::TablePrefix,
    executor::{BatchKind, Cell, ExecuteError, Executor, Row, Statement, number},
    registry::{Query, StatementRegistry, Which},
    tables::TABLES,
};

/// A [`Store`] on an SQL database.
#[derive(Debug)]
pub struct SqlStore<E> {
    executor: E,
    prefix: TablePrefix,
    registry: StatementRegistry,
}

impl<E: Executor> SqlStore<E> {
    /// Creates a store on a database. Nothing is sent to the database yet; see [`check_schema`](Self::check_schema).
    pub fn new(executor: E, prefix: TablePrefix) -> Self {
        let registry = StatementRegistry::new(executor.dialect(), &prefix);
        Self { executor, prefix, registry }
    }

    /// The executor.
    pub fn executor(&self) -> &E {
        &self.executor
    }

    /// The prefix of every table's name.
    pub fn prefix(&self) -> &TablePrefix {
        &self.prefix
    }

    /// Reads everything that is derived from the facts, from its real columns: tables in a fixed order, their rows as
    /// JSON objects in the order of their keys.
    ///
    /// # Errors
    /// The database's error.
    pub async fn dump_read_model(&self) -> Result<Vec<(String, Vec<String>)>, StoreError> {
        let mut batch = Batch::new(&self.registry);
        for table in 0..TABLES.len() {
            batch.push(Which::Dump(table), Vec::new());
        }
        let results = self.run("dump the read model", BatchKind::Read, &batch.statements).await?;
        let tables = TABLES.iter().zip(results);
        tables
            .map(|(table, rows)| {
                let rows = rows.into_iter().map(|row| decode::text(table.name, row)).collect::<Result<_, _>>()?;
                Ok((table.name.to_owned(), rows))
            })
            .collect()
    }

    pub(crate) fn registry(&self) -> &StatementRegistry {
        &self.registry
    }

    pub(crate) async fn run(
        &self,
        operation: &'static str,
        access: BatchKind,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        self.executor.batch(access, statements).await.map_err(|error| store_error(error, operation))
    }

    /// The meaning of a failed commit, from the constraint that it violated.
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
            ExecuteError::Unique { place } if at(&place, "events.") || at(&place, "idempotency_keys.") => {
                CommitError::Stale
            }
            ExecuteError::Overtaken { .. } => CommitError::Stale,
            ExecuteError::Unknown { .. } => CommitError::Unknown(store_error(error, "commit")),
            other => CommitError::Store(store_error(other, "commit")),
        }
    }
}

/// The meaning of a failed batch in which no constraint is expected to fail.
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
        let batch = commit::accept(&self.registry, events)
            .map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        let rows = self.run(OPERATION, BatchKind::Write, &batch).await?.concat();
        let mut new = rows.into_iter().map(decode::event_key).collect::<Result<HashSet<_>, _>>()?;
        // A key is removed once it is reported, so that of two deliveries of one event in one call only the first is
        // new.
        Ok(events.iter().map(|event| new.remove(&event.key)).collect())
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let Queue::Events = claim.queue;
        let mut batch = Batch::new(&self.registry);
        let lease = &claim.lease;
        batch.push(
            Query::EventsClaim,
            vec![lease.token.as_str().into(), time(lease.until), time(claim.now), number(claim.limit.into())],
        );
        let rows = self.run("claim events", BatchKind::Write, &batch.statements).await?.concat();
        // The events are leased already. If one can't be read, the others must still be returned, including those
        // behind it in its ordering key. The unreadable event's lease expires.
        let mut claimed = Vec::with_capacity(rows.len());
        let mut unreadable = None;
        for row in rows {
            let sequence = decode::sequence(&row);
            match decode::event(row) {
                Ok(stored) => claimed.push(stored),
                Err(fault) => {
                    tracing::error!(sequence, cause = %Chain(&fault), "a claimed event can't be read and is left out");
                    unreadable.get_or_insert(fault);
                }
            }
        }
        match unreadable {
            Some(fault) if claimed.is_empty() => return Err(fault),
            _ => claimed.sort_by_key(|stored| stored.sequence),
        }
        Ok(Claimed { events: claimed })
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let batch = commit::statements(&self.registry, commit)
            .map_err(|cause| StoreError::Refused { operation: "commit", cause })?;
        if batch.is_empty() {
            return Ok(());
        }
        self.executor.batch(BatchKind::Write, &batch).await.map(drop).map_err(|error| self.commit_error(error))
    }

    async fn load(&self, wanted: &Wanted) -> Result<Loaded, StoreError> {
        const OPERATION: &str = "load";
        let mut batch = Batch::new(&self.registry);
        let counts =
            push_load(&mut batch, wanted).map_err(|cause| StoreError::Refused { operation: OPERATION, cause })?;
        let mut results = self.run(OPERATION, BatchKind::Read, &batch.statements).await?.into_iter();
        let mut rows = counts.map(|statements| results.by_ref().take(statements).flatten().collect()).into_iter();
        let mut next = || rows.next().unwrap_or_default();
        Ok(Loaded {
            events: read(next(), decode::event)?,
            subjects: read(next(), decode::subject)?,
            pending_owners: read(next(), decode::wait)?,
            facts: read(next(), decode::fact)?,
            keys: read(next(), decode::key)?,
        })
    }
}

fn read<T>(rows: Vec<Row>, decode: fn(Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(decode).collect()
}

pub(crate) fn time(time: Timestamp) -> Cell {
    number(time.micros())
}

/// Adds the statements of a load. Returns the number of statements for events, subjects, pending owners, facts and
/// keys.
fn push_load(batch: &mut Batch<'_>, wanted: &Wanted) -> Result<[usize; 5], Cause> {
    let Wanted { events, bodies, subjects, facts, keys } = wanted;
    let without: HashSet<&EventKey> = bodies.iter().collect();
    let without = array(events.iter().filter(|key| !without.contains(key)).map(event_columns))?;
    let heads = batch.push_bulk(Query::EventsLoad, without, &[])?;
    let bodies = batch.push_bulk(Query::EventsLoadBodies, array(bodies.iter().map(event_columns))?, &[])?;
    let found = batch.push_bulk(Query::SubjectsLoad, array(subjects.iter().map(subject_columns))?, &[])?;
    let pending_owners =
        batch.push_bulk(Query::PendingOwnersLoad, array(subjects.iter().map(subject_columns))?, &[])?;
    let facts = batch.push_bulk(Query::FactsBySubject, array(facts.iter().map(subject_columns))?, &[])?;
    let named = keys.iter().map(|key| (key.scope(), key.expose()));
    let keys = batch.push_bulk(Query::IdempotencyKeysLoad, array(named)?, &[])?;
    Ok([heads + bodies, found, pending_owners, facts, keys])
}

/// Packs rows with only short columns.
pub(crate) fn array<T: Serialize>(all: impl Iterator<Item = T>) -> Result<Bulk, Cause> {
    let mut rows = Bulk::array();
    for columns in all {
        rows.row(&columns)?;
    }
    Ok(rows)
}
