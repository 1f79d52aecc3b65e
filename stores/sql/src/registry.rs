//! Lists all statements: one per file under `queries/`, and those generated from the tables of the read model. The
//! statement registry does not know when they run.

use std::sync::Arc;

use crate::{
    dialect::{Dialect, Entries, TablePrefix},
    executor::{Cell, Statement},
    spelling,
    tables::TABLES,
};

macro_rules! queries {
    ($($query:ident = $file:literal,)*) => {
        /// A statement of the shared SQL that is a file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Query {
            $($query,)*
        }

        /// The name and shared text of each, in the order of the variants.
        const FILES: &[(&str, &str)] = &[
            $(($file, include_str!(concat!("../queries/", $file, ".sql"))),)*
        ];
    };
}

queries! {
    EventConflictsInsert = "event_conflicts_insert",
    EventConflictsList = "event_conflicts_list",
    EventsAccept = "events_accept",
    EventsByKey = "events_by_key",
    EventsByPublicId = "events_by_public_id",
    EventsClaim = "events_claim",
    EventsFence = "events_fence",
    EventsInsert = "events_insert",
    EventsList = "events_list",
    EventsListOpen = "events_list_open",
    EventsLoad = "events_load",
    EventsLoadBodies = "events_load_bodies",
    EventsLock = "events_lock",
    EventsName = "events_name",
    EventsRelease = "events_release",
    EventsReleaseLock = "events_release_lock",
    EventsUnnamed = "events_unnamed",
    EventsUpdate = "events_update",
    FactsByEvent = "facts_by_event",
    FactsBySubject = "facts_by_subject",
    FactsForget = "facts_forget",
    FactsInsert = "facts_insert",
    FactsReplace = "facts_replace",
    IdempotencyKeysInsert = "idempotency_keys_insert",
    IdempotencyKeysLoad = "idempotency_keys_load",
    SchemaExists = "schema_exists",
    SchemaVersion = "schema_version",
    SubjectsByCustomer = "subjects_by_customer",
    SubjectsByOwner = "subjects_by_owner",
    SubjectsByPublicId = "subjects_by_public_id",
    SubjectsList = "subjects_list",
    SubjectsLoad = "subjects_load",
    SubjectsLock = "subjects_lock",
    SubjectsName = "subjects_name",
    SubjectsPut = "subjects_put",
    SubjectsUnnamed = "subjects_unnamed",
    TransitionsClear = "transitions_clear",
    TransitionsInsert = "transitions_insert",
    TransitionsList = "transitions_list",
    PendingOwnersClear = "pending_owners_clear",
    PendingOwnersInsert = "pending_owners_insert",
    PendingOwnersLoad = "pending_owners_load",
}

/// A statement: either a file, or generated from a table's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    File(Query),
    /// A statement of the table at this index of [`TABLES`].
    Clear(usize),
    Dump(usize),
    Put(usize),
}

impl From<Query> for Which {
    fn from(query: Query) -> Self {
        Which::File(query)
    }
}

impl Which {
    /// Its index among all statements. The tables that aren't written by subject come last, so the indexes have no gap.
    fn place(self) -> usize {
        let (files, tables) = (FILES.len(), TABLES.len());
        match self {
            Which::File(query) => query as usize,
            Which::Dump(table) => files + table,
            Which::Clear(table) => files + tables + 2 * table,
            Which::Put(table) => files + tables + 2 * table + 1,
        }
    }
}

/// The name and shared text of every statement.
fn all() -> Vec<(&'static str, String)> {
    let files = FILES.iter().map(|(name, text)| (*name, (*text).to_owned()));
    let dumps = TABLES.iter().map(|table| (table.statements[2], spelling::dump(table)));
    let written = TABLES.iter().filter_map(|table| Some((table, table.of.as_ref()?)));
    let written = written.flat_map(|(table, of)| {
        let [clear, put, _] = table.statements;
        [(clear, spelling::clear(table, of)), (put, spelling::put(table, of))]
    });
    files.chain(dumps).chain(written).collect()
}

/// The statement registry: every statement in one dialect, rendered once.
#[derive(Debug)]
pub(crate) struct StatementRegistry {
    statements: Vec<(&'static str, Arc<str>)>,
    entries: Entries,
    locks: bool,
}

impl StatementRegistry {
    pub(crate) fn new(dialect: &Dialect, prefix: &TablePrefix) -> Self {
        let statements =
            all().into_iter().map(|(name, text)| (name, dialect.render(prefix, text.trim_end()))).collect();
        Self { statements, entries: dialect.entries, locks: dialect.locks }
    }

    /// The parameter format of rows with one long column.
    pub(crate) fn entries(&self) -> Entries {
        self.entries
    }

    /// Whether a batch must lock the rows that its decisions depend on.
    pub(crate) fn locks(&self) -> bool {
        self.locks
    }

    pub(crate) fn statement(&self, which: impl Into<Which>, params: Vec<Cell>) -> Statement {
        let (name, text) = &self.statements[which.into().place()];
        Statement { name, sql: Arc::clone(text), params }
    }
}

/// The name and text of every statement in a dialect, for tests that every statement can be prepared.
pub fn statements(dialect: &Dialect, prefix: &TablePrefix) -> Vec<(&'static str, Arc<str>)> {
    StatementRegistry::new(dialect, prefix).statements
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dialect::SQLITE;

    #[test]
    fn each_statement_is_found_by_its_place_and_named_once() {
        let registry = StatementRegistry::new(&SQLITE, &TablePrefix::default());
        let name = |which: Which| registry.statement(which, Vec::new()).name;
        for (at, table) in TABLES.iter().enumerate() {
            assert_eq!(name(Which::Dump(at)), format!("{}_dump", table.name));
            if table.of.is_some() {
                assert_eq!(name(Which::Clear(at)), format!("{}_clear", table.name));
                assert_eq!(name(Which::Put(at)), format!("{}_put", table.name));
            }
        }
        assert_eq!(name(Query::PendingOwnersLoad.into()), "pending_owners_load");
        let names: BTreeSet<_> = registry.statements.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), registry.statements.len());
    }
}
