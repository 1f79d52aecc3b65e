//! Decides the statements of one commit and their order: fences, locks, facts, and then everything that is derived from
//! the facts. This module does not know how the statements run.

use std::collections::HashMap;

use purchase_core::{
    error::Cause,
    fact::Fact,
    id::{EventKey, ObjectKind, ProviderId, Subject},
    store::{
        Commit, Conflict, EventStatus, EventWrite, KeyRecord, Lease, NewEvent, PendingOwner, Reason, SubjectWrite,
    },
    time::Timestamp,
};

use crate::{
    batch::{Batch, event_columns, subject_columns},
    bulk::Bulk,
    dialect::{KEY_END, ROW_END},
    executor::{Cell, Statement, number},
    read_model,
    registry::{Query, StatementRegistry},
};

/// Returns the statements of a commit. An empty commit has no statements.
pub(crate) fn statements(registry: &StatementRegistry, commit: &Commit) -> Result<Vec<Statement>, Cause> {
    // The pattern names every field, so the compiler rejects a new field that is not written here.
    let Commit { at, lease, events, reread, facts, subjects, pending_owners, conflicts, keys } = commit;
    let mut batch = Batch::new(registry);
    fence_events(&mut batch, events, lease.as_ref())?;
    insert_keys(&mut batch, keys)?;
    insert_events(&mut batch, events)?;
    lock_subjects(&mut batch, subjects)?;
    write_facts(&mut batch, *at, reread, facts)?;
    update_events(&mut batch, events)?;
    // This must run before the subjects are written, because it looks for subjects that are not released yet.
    release_events(&mut batch, subjects)?;
    write_subjects(&mut batch, subjects)?;
    read_model::write(&mut batch, subjects)?;
    write_transitions(&mut batch, subjects)?;
    write_pending_owners(&mut batch, subjects, pending_owners)?;
    insert_conflicts(&mut batch, conflicts)?;
    Ok(batch.statements)
}

/// Returns the statement that stores deliveries for later. It returns the keys of the new deliveries.
pub(crate) fn accept(registry: &StatementRegistry, events: &[NewEvent]) -> Result<Vec<Statement>, Cause> {
    let mut batch = Batch::new(registry);
    let mut rows = batch.entries();
    for event in events {
        let disposition =
            Disposition { status: EventStatus::Received, reason: None, attempts: 0, due_at: Some(event.received_at) };
        event_row(&mut rows, event, Some(&disposition))?;
    }
    batch.push_bulk(Query::EventsAccept, rows, &[])?;
    Ok(batch.statements)
}

/// An event's processing status.
struct Disposition<'a> {
    status: EventStatus,
    reason: Option<&'a Reason>,
    attempts: u32,
    due_at: Option<Timestamp>,
}

fn reason_text(reason: Option<&Reason>) -> Result<Option<String>, Cause> {
    Ok(reason.map(serde_json::to_string).transpose()?)
}

/// Adds an event with its body. A UTF-8 body is stored as text and any other body as hex. Text that contains a NUL or a
/// row separator is also stored as hex: engines truncate text at a NUL. JSON contains none of these characters.
fn event_row(rows: &mut Bulk, event: &NewEvent, disposition: Option<&Disposition<'_>>) -> Result<(), Cause> {
    let text = std::str::from_utf8(&event.body).ok().filter(|text| !text.contains(['\0', KEY_END, ROW_END]));
    rows.make_room(event.body.len())?;
    let (source, id) = event_columns(&event.key);
    let head = (
        rows.rows_in_open() + 1,
        source,
        id,
        &event.event_type,
        &event.api_version,
        event.occurred_at,
        event.received_at,
        hex::encode(event.digest),
        if text.is_some() { "utf8" } else { "hex" },
        disposition.map(|disposition| disposition.status.as_str()),
        reason_text(disposition.and_then(|disposition| disposition.reason))?,
        disposition.map(|disposition| disposition.attempts),
        disposition.and_then(|disposition| disposition.due_at),
        event
            .ordering_key
            .as_ref()
            .map(|ordering_key| format!("{}/{}", ordering_key.kind.as_str(), ordering_key.id.expose())),
        event.key.public_id(),
    );
    match text {
        Some(text) => rows.text(&head, text),
        None => rows.text(&head, &hex::encode(&event.body)),
    }
}

fn fence_events(batch: &mut Batch<'_>, events: &[EventWrite], lease: Option<&Lease>) -> Result<(), Cause> {
    let mut rows = Bulk::array();
    for write in events.iter().filter(|write| write.expected.is_some()) {
        let (source, id) = event_columns(&write.event.key);
        rows.row(&(source, id, write.expected.map(EventStatus::as_str)))?;
    }
    if batch.registry.locks() {
        let mut keys = Bulk::array();
        let mut locked = events.iter().filter(|write| write.expected.is_some());
        locked.try_for_each(|write| keys.row(&event_columns(&write.event.key)))?;
        batch.push_bulk(Query::EventsLock, keys, &[])?;
    }
    let token = Cell(lease.map(|lease| lease.token.clone()));
    batch.push_bulk(Query::EventsFence, rows, &[token])?;
    Ok(())
}

fn insert_events(batch: &mut Batch<'_>, events: &[EventWrite]) -> Result<(), Cause> {
    let mut rows = batch.entries();
    for write in events.iter().filter(|write| write.expected.is_none()) {
        let disposition = Disposition {
            status: write.status,
            reason: write.reason.as_ref(),
            attempts: write.attempts,
            due_at: write.due_at,
        };
        event_row(&mut rows, &write.event, Some(&disposition))?;
    }
    batch.push_bulk(Query::EventsInsert, rows, &[])?;
    Ok(())
}

fn update_events(batch: &mut Batch<'_>, events: &[EventWrite]) -> Result<(), Cause> {
    let mut rows = Bulk::array();
    for write in events.iter().filter(|write| write.expected.is_some()) {
        let (source, id) = event_columns(&write.event.key);
        let reason = reason_text(write.reason.as_ref())?;
        rows.row(&(source, id, write.status.as_str(), reason, write.attempts, write.due_at))?;
    }
    batch.push_bulk(Query::EventsUpdate, rows, &[])?;
    Ok(())
}

/// Sorts the subjects. All batches lock and write subjects in this order, so concurrent writers of the same subjects
/// can't deadlock.
fn in_order(subjects: &[SubjectWrite]) -> Vec<&SubjectWrite> {
    let mut ordered: Vec<&SubjectWrite> = subjects.iter().collect();
    ordered.sort_unstable_by_key(|write| &write.subject);
    ordered
}

/// Locks the existing subjects. A second writer waits here, before it has locked anything that the first writer may
/// need.
fn lock_subjects(batch: &mut Batch<'_>, subjects: &[SubjectWrite]) -> Result<(), Cause> {
    if !batch.registry.locks() {
        return Ok(());
    }
    let mut rows = Bulk::array();
    in_order(subjects).into_iter().try_for_each(|write| rows.row(&subject_columns(&write.subject)))?;
    batch.push_bulk(Query::SubjectsLock, rows, &[])?;
    Ok(())
}

fn insert_keys(batch: &mut Batch<'_>, keys: &[KeyRecord]) -> Result<(), Cause> {
    let mut rows = Bulk::array();
    for record in keys {
        let KeyRecord { key, digest, answer, at } = record;
        rows.row(&(key.scope(), key.expose(), hex::encode(digest), answer, at))?;
    }
    batch.push_bulk(Query::IdempotencyKeysInsert, rows, &[])?;
    Ok(())
}

fn insert_conflicts(batch: &mut Batch<'_>, conflicts: &[Conflict]) -> Result<(), Cause> {
    let mut rows = batch.entries();
    for conflict in conflicts {
        event_row(&mut rows, &conflict.event, None)?;
    }
    batch.push_bulk(Query::EventConflictsInsert, rows, &[])?;
    Ok(())
}

fn write_facts(batch: &mut Batch<'_>, at: Timestamp, reread: &[EventKey], facts: &[Fact]) -> Result<(), Cause> {
    let mut rows = batch.entries();
    let mut anew = Vec::new();
    // An event may contain several facts about one subject. Reading an event is deterministic, so a fact's position
    // identifies the fact.
    let mut ordinals: HashMap<(&Subject, &ProviderId), u32> = HashMap::new();
    for fact in facts {
        let ordinal = ordinals.entry((&fact.subject, &fact.event)).and_modify(|last| *last += 1).or_insert(0);
        let (source, kind, id) = subject_columns(&fact.subject);
        let object = fact.observation.as_ref().map(|observation| &observation.object);
        let columns = (
            &source,
            kind,
            id,
            fact.event.expose(),
            *ordinal,
            fact.version.at,
            fact.version.then,
            object.map(|object| object.kind.as_str()),
            object.map(|object| object.id.expose()),
        );
        rows.document(&columns, fact)?;
        if !reread.is_empty() {
            anew.push((source, kind, id, fact.event.expose(), *ordinal));
        }
    }
    let at = number(at.micros());
    if reread.is_empty() {
        batch.push_bulk(Query::FactsInsert, rows, &[at])?;
        return Ok(());
    }
    // A fact that the new reading contains again keeps the time of its first commit, so only facts that are no longer
    // read are deleted.
    let events = Bulk::one(&reread.iter().map(event_columns).collect::<Vec<_>>())?;
    batch.push(Query::FactsForget, vec![events.clone(), Bulk::one(&anew)?]);
    batch.push_bulk(Query::FactsReplace, rows, &[at, events])?;
    Ok(())
}

fn release_events(batch: &mut Batch<'_>, subjects: &[SubjectWrite]) -> Result<(), Cause> {
    // A new subject can't have held an event back.
    let held_before = |write: &&SubjectWrite| write.expected_revision > 0;
    let columns = |write: &'_ SubjectWrite| serde_json::to_value(subject_columns(&write.subject));
    let released: Vec<_> = subjects
        .iter()
        .filter(|write| write.owner_settled)
        .filter(held_before)
        .map(columns)
        .collect::<Result<_, _>>()?;
    if released.is_empty() {
        return Ok(());
    }
    let holding: Vec<_> =
        subjects.iter().filter(|write| !write.owner_settled).map(columns).collect::<Result<_, _>>()?;
    let released = Bulk::one(&released)?;
    if batch.registry.locks() {
        // Two commits may each release one of the last two subjects that hold an event back. The second commit sees the
        // first commit's release only if it waited for it.
        batch.push(Query::EventsReleaseLock, vec![released.clone()]);
    }
    batch.push(Query::EventsRelease, vec![released, Bulk::one(&holding)?]);
    Ok(())
}

/// Writes the subjects with compare-and-swap: a revision that doesn't follow the stored revision is written as NULL,
/// which aborts the batch. The statement compares with the row at that moment, whichever writer wrote it last. A
/// missing row is only inserted with the first revision. No row is ever deleted.
fn write_subjects(batch: &mut Batch<'_>, subjects: &[SubjectWrite]) -> Result<(), Cause> {
    let mut rows = batch.entries();
    for write in in_order(subjects) {
        let (source, kind, id) = subject_columns(&write.subject);
        let customer = match write.subject.root.kind {
            ObjectKind::Customer => Some(id),
            _ => write.state.customer().map(ProviderId::expose),
        };
        let owner = write.state.application_customer();
        let revision = write.expected_revision + 1;
        let public_id = write.subject.public_id();
        rows.document(&(source, kind, id, revision, customer, owner, write.owner_settled, public_id), &write.state)?;
    }
    batch.push_bulk(Query::SubjectsPut, rows, &[])?;
    Ok(())
}

fn write_transitions(batch: &mut Batch<'_>, subjects: &[SubjectWrite]) -> Result<(), Cause> {
    let mut replaced = Bulk::array();
    let mut rows = Bulk::array();
    for write in subjects.iter().flat_map(|write| &write.transitions) {
        replaced.row(&(&write.object, write.since))?;
        for transition in &write.changes {
            rows.row(&(&transition.object, transition.at, transition.change))?;
        }
    }
    batch.push_bulk(Query::TransitionsClear, replaced, &[])?;
    batch.push_bulk(Query::TransitionsInsert, rows, &[])?;
    Ok(())
}

fn write_pending_owners(
    batch: &mut Batch<'_>,
    subjects: &[SubjectWrite],
    pending_owners: &[PendingOwner],
) -> Result<(), Cause> {
    let mut written = Bulk::array();
    for write in subjects.iter().filter(|write| write.expected_revision > 0) {
        written.row(&subject_columns(&write.subject))?;
    }
    batch.push_bulk(Query::PendingOwnersClear, written, &[])?;
    let mut rows = Bulk::array();
    for wait in pending_owners {
        let (source, kind, id) = subject_columns(&wait.subject);
        let (on_source, on_kind, on_id) = subject_columns(&wait.on);
        rows.row(&(source, kind, id, on_source, on_kind, on_id))?;
    }
    batch.push_bulk(Query::PendingOwnersInsert, rows, &[])?;
    Ok(())
}
