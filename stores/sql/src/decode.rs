//! Decodes rows into the core's values. If a value can't be read, the error names its table. No unreadable value is
//! skipped silently.

use purchase_core::{
    error::{Cause, StoreError},
    fact::Fact,
    id::{EventKey, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    lifecycle::{Change, Transition},
    store::{
        EventStatus, IdempotencyKey, KeyRecord, NewEvent, PendingOwner, StoredConflict, StoredEvent, StoredFact,
        StoredSubject,
    },
    time::Timestamp,
};
use serde::de::DeserializeOwned;

use crate::executor::{Cell, Row};

/// Decodes a row with the columns that every listing of events has.
pub(crate) fn event(row: Row) -> Result<StoredEvent, StoreError> {
    Columns::read("events", row, |columns| {
        let (sequence, event) = columns.event()?;
        let status = columns.text()?;
        let status = EventStatus::ALL.iter().find(|known| known.as_str() == status);
        let mut stored = StoredEvent {
            event,
            sequence,
            status: *status.ok_or("the status is unknown")?,
            reason: columns.optional_text()?.map(|text| document(&text)).transpose()?,
            attempts: u32::try_from(columns.int()?)?,
            due_at: columns.optional_time()?,
        };
        if let Some(ordering_key) = columns.optional_text()? {
            let (kind, id) = ordering_key.split_once('/').ok_or("the ordering key has no kind")?;
            stored.event.ordering_key = Some(ObjectRef::new(kind.parse()?, ProviderId::new(id)?));
        }
        Ok(stored)
    })
}

/// Decodes a conflicting body.
pub(crate) fn conflict(row: Row) -> Result<StoredConflict, StoreError> {
    Columns::read("event_conflicts", row, |columns| {
        let (sequence, event) = columns.event()?;
        Ok(StoredConflict { event, sequence })
    })
}

/// Decodes only the sequence number of an event, whose other columns may be unreadable.
pub(crate) fn sequence(row: &Row) -> Option<i64> {
    row.first()?.0.as_ref()?.parse().ok()
}

/// Decodes an event's key.
pub(crate) fn event_key(row: Row) -> Result<EventKey, StoreError> {
    Columns::read("events", row, |columns| Ok(EventKey { source: columns.source()?, id: columns.id()? }))
}

/// Decodes a subject's key.
pub(crate) fn subject_key(row: Row) -> Result<Subject, StoreError> {
    Columns::read("subjects", row, Columns::subject)
}

/// Decodes a fact's document.
pub(crate) fn fact(row: Row) -> Result<Fact, StoreError> {
    Columns::read("facts", row, |columns| document(&columns.text()?))
}

/// Decodes a fact's document and the time of its first commit.
pub(crate) fn stored_fact(row: Row) -> Result<StoredFact, StoreError> {
    Columns::read("facts", row, |columns| {
        Ok(StoredFact { fact: document(&columns.text()?)?, committed_at: Timestamp::from_micros(columns.int()?)? })
    })
}

/// Decodes a subject.
pub(crate) fn subject(row: Row) -> Result<StoredSubject, StoreError> {
    Columns::read("subjects", row, |columns| {
        Ok(StoredSubject { subject: columns.subject()?, revision: columns.int()?, state: document(&columns.text()?)? })
    })
}

/// Decodes a pending owner: which subject waits for which other subject.
pub(crate) fn wait(row: Row) -> Result<PendingOwner, StoreError> {
    Columns::read("waits", row, |columns| Ok(PendingOwner { subject: columns.subject()?, on: columns.subject()? }))
}

/// Decodes a used idempotency key.
pub(crate) fn key(row: Row) -> Result<KeyRecord, StoreError> {
    Columns::read("idempotency_keys", row, |columns| {
        let key = IdempotencyKey::new(columns.text()?, columns.text()?)?;
        let digest = columns.digest()?;
        Ok(KeyRecord { key, digest, answer: columns.text()?, at: Timestamp::from_micros(columns.int()?)? })
    })
}

/// Decodes a transition.
pub(crate) fn transition(row: Row) -> Result<Transition, StoreError> {
    Columns::read("transitions", row, |columns| {
        let (object, at) = (columns.text()?, Timestamp::from_micros(columns.int()?)?);
        let change = columns.text()?;
        let change = Change::ALL.iter().find(|known| known.as_str() == change);
        Ok(Transition { object, at, change: *change.ok_or("the change is unknown")? })
    })
}

/// Decodes one text.
pub(crate) fn text(table: &'static str, row: Row) -> Result<String, StoreError> {
    Columns::read(table, row, Columns::text)
}

/// Decodes one optional number.
pub(crate) fn optional_int(table: &'static str, row: Row) -> Result<Option<i64>, StoreError> {
    Columns::read(table, row, Columns::optional_int)
}

fn document<T: DeserializeOwned>(text: &str) -> Result<T, Cause> {
    serde_json::from_str(text).map_err(|error| {
        // Serde's own message may repeat the value, which may be a customer's data.
        format!("the document can't be read: line {}, column {}", error.line(), error.column()).into()
    })
}

/// The columns of one row, read from left to right.
struct Columns(std::vec::IntoIter<Cell>);

impl Columns {
    fn read<T>(
        table: &'static str,
        row: Row,
        read: impl FnOnce(&mut Self) -> Result<T, Cause>,
    ) -> Result<T, StoreError> {
        read(&mut Self(row.into_iter())).map_err(|cause| StoreError::Corrupt { table, cause })
    }

    fn optional_int(&mut self) -> Result<Option<i64>, Cause> {
        // The text may contain anything, so the error doesn't repeat it.
        let parse = |text: String| text.parse().map_err(|_| "text instead of a number".into());
        self.optional_text()?.map(parse).transpose()
    }

    fn optional_text(&mut self) -> Result<Option<String>, Cause> {
        self.0.next().map(|cell| cell.0).ok_or_else(|| "a column is missing".into())
    }

    fn int(&mut self) -> Result<i64, Cause> {
        self.optional_int()?.ok_or_else(|| "null instead of a number".into())
    }

    fn text(&mut self) -> Result<String, Cause> {
        self.optional_text()?.ok_or_else(|| "null instead of text".into())
    }

    fn optional_time(&mut self) -> Result<Option<Timestamp>, Cause> {
        Ok(self.optional_int()?.map(Timestamp::from_micros).transpose()?)
    }

    fn digest(&mut self) -> Result<[u8; 32], Cause> {
        <[u8; 32]>::try_from(hex::decode(self.text()?)?).map_err(|_| "the digest is not 32 bytes".into())
    }

    fn id(&mut self) -> Result<ProviderId, Cause> {
        Ok(ProviderId::new(self.text()?)?)
    }

    fn source(&mut self) -> Result<Source, Cause> {
        Ok(self.text()?.parse()?)
    }

    /// Decodes the event as it was received, without its ordering key, and its sequence number.
    fn event(&mut self) -> Result<(i64, NewEvent), Cause> {
        let sequence = self.int()?;
        let key = EventKey { source: self.source()?, id: self.id()? };
        let event_type = self.text()?;
        let api_version = self.optional_text()?;
        let occurred_at = self.optional_time()?;
        let received_at = Timestamp::from_micros(self.int()?)?;
        let digest = self.digest()?;
        let body = match self.text()?.as_str() {
            "hex" => hex::decode(self.text()?)?,
            "utf8" => self.text()?.into_bytes(),
            _ => return Err("the body's encoding is unknown".into()),
        };
        let event =
            NewEvent { key, event_type, api_version, occurred_at, received_at, ordering_key: None, body, digest };
        Ok((sequence, event))
    }

    fn subject(&mut self) -> Result<Subject, Cause> {
        let source = self.source()?;
        let kind: ObjectKind = self.text()?.parse()?;
        Ok(Subject { source, root: ObjectRef::new(kind, self.id()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_reported_with_its_table() {
        let text = |text: &str| Cell::from(text);
        let check = |row: Row, expect: &str| {
            let error = wait(row).expect_err("unreadable");
            let cause = std::error::Error::source(&error).expect("a cause").to_string();
            assert!(matches!(error, StoreError::Corrupt { table: "waits", .. }));
            assert_eq!(cause, expect);
        };
        check(vec![], "a column is missing");
        check(vec![Cell::NULL], "null instead of text");
        check(vec![text("acme")], "a source has the form provider/account/mode; the mode is live, test or simulated");
        check(vec![text("acme//live"), text("chair")], "\"chair\" is not a kind of object");
        check(vec![text("acme//live"), text("invoice"), text("")], "an id must not be empty");
    }

    #[test]
    fn an_unreadable_document_is_not_repeated() {
        let error = fact(vec![Cell::from(r#"{"secret":1}"#)]).expect_err("unreadable");
        assert!(!format!("{error:?}").contains("secret"));
    }
}
