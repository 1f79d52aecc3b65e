//! Tests that the migrations create the described tables, and that a process of the previous version is refused.

use crate::databases::{Database, SERVER};
use purchase_core::{
    error::{Cause, CommitError, StoreError},
    fold::SubjectState,
    id::{ObjectKind, ObjectRef, ProviderId, Subject},
    snapshot::rows::Rows,
    store::{Commit, Store, SubjectWrite},
};
use purchase_sql::{BatchKind, Cell, Executor, SqlStore, Statement, TablePrefix, Tampering, described};

fn write(revision: i64) -> Result<Commit, Cause> {
    let subject = Subject {
        source: "acme//test".parse()?,
        root: ObjectRef::new(ObjectKind::Customer, ProviderId::new("cus_older")?),
    };
    let written = SubjectWrite {
        subject,
        expected_revision: revision,
        state: SubjectState::default(),
        rows: Rows::default(),
        transitions: Vec::new(),
        owner_settled: true,
    };
    Ok(Commit { subjects: vec![written], ..Commit::default() })
}

#[tokio::test]
async fn a_process_of_the_version_before_writes_nothing_half() -> Result<(), Cause> {
    if purchase_conformance::lacks_server("d1", SERVER) {
        return Ok(());
    }
    let database = Database::take().await?;
    let store = SqlStore::new(database.executor()?, TablePrefix::default());
    store.migrate_to_version(5).await?;
    store.tamper(Tampering::OlderSubject).await?;
    store.tamper(Tampering::OlderFacts).await?;
    store.migrate().await?;
    assert_eq!(store.shape().await?, described(store.executor().dialect()));
    for write in [Tampering::OlderSubject, Tampering::OlderFacts] {
        let refused = store.tamper(write).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{write:?}: {refused:?}");
    }
    let count = "SELECT (SELECT count(*) FROM purchase_events) || ' ' || count(*) || ' ' || min(committed_at) AS found \
                 FROM purchase_facts";
    let count = Statement { name: "count", sql: count.into(), params: Vec::new() };
    assert_eq!(store.executor().batch(BatchKind::Read, &[count]).await?, [[[Cell::from("2 1 2")]]]);
    for stale in [0, 2] {
        assert!(matches!(store.commit(&write(stale)?).await, Err(CommitError::Stale)), "{stale}");
    }
    store.commit(&write(1)?).await?;
    Ok(())
}
