//! Tests that every field of every row is written to its own column and read back unchanged.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::support::*;
use purchase_core::{
    error::{CommitError, StoreError},
    fact::object_state::{
        CheckoutMode, CheckoutState, CreditState, DisputeState, IntervalUnit, InvoiceState, PaymentState, RefundState,
        ScheduleState,
    },
    fold::money::Disputed,
    id::{ObjectKind, Subject},
    lifecycle::Lifecycle,
    money::Currency,
    snapshot::rows::*,
    store::{Commit, Store, SubjectWrite},
    time::Timestamp,
};
use purchase_sqlite::{Sqlite, SqliteStore};
use serde_json::{Map, Value, json};

const MAX: i64 = (1 << 53) - 1;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn micros(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn eur() -> Currency {
    Currency::new("EUR").unwrap()
}

fn subscription_rows(id: &str, items: usize) -> Rows {
    let subscription = SubscriptionRow {
        id: id.to_owned(),
        state: Lifecycle::Active,
        provider_status: "ACTIVE \"quoted\" 'single' ✓".to_owned(),
        period_start: Some(micros(-MAX)),
        period_end: Some(micros(MAX)),
        trial_end: Some(micros(3)),
        cancel_at: Some(micros(4)),
        ended_at: None,
        pause_at: Some(micros(8)),
        resume_at: Some(micros(9)),
        collection_paused: true,
        customer: some("cus"),
        owner: some("own"),
    };
    let item = |number: usize| SubscriptionItemRow {
        subscription: id.to_owned(),
        price: "same".to_owned(),
        quantity: (number > 0).then_some(number as i64),
    };
    let grant = |number: usize| EntitlementRow {
        origin_kind: ObjectKind::Subscription,
        origin_id: id.to_owned(),
        benefit: format!("benefit{number}"),
        price: (number > 0).then(|| "same".to_owned()),
        state: Lifecycle::Active,
        quantity: Some(2),
        given_up: number == 1,
        disputed: number == 0,
        began_at: micros(4),
        since: micros(5),
        ends_at: Some(micros(6)),
        pause_at: Some(micros(8)),
        period_end: Some(micros(7)),
        customer: some("cus"),
        owner: some("own"),
    };
    Rows {
        subscriptions: vec![subscription],
        subscription_items: (0..items).map(item).collect(),
        entitlements: (0..items).map(grant).collect(),
        ..Rows::default()
    }
}

fn payment_rows(id: &str) -> Rows {
    let payment = PaymentRow {
        id: id.to_owned(),
        state: Some(PaymentState::Succeeded),
        amount: Some(MAX),
        currency: Some(eur()),
        authorized: Some(11),
        captured: Some(12),
        received: Some(13),
        refunded: -MAX,
        disputed: 14,
        dispute: Disputed::None,
        attempts: 3,
        customer: some("cus"),
        owner: some("own"),
        invoice: some("inv"),
        subscription: some("sub"),
    };
    let refund = |name: &str| RefundRow {
        id: name.to_owned(),
        state: RefundState::Succeeded,
        amount: 1,
        currency: eur(),
        payment: id.to_owned(),
    };
    let dispute = DisputeRow {
        id: "d".to_owned(),
        state: DisputeState::Open,
        amount: 2,
        currency: eur(),
        payment: id.to_owned(),
    };
    Rows {
        payments: vec![payment],
        refunds: vec![refund("r1"), refund("r2")],
        disputes: vec![dispute],
        ..Rows::default()
    }
}

fn other_rows() -> Vec<(Subject, Rows)> {
    let customer =
        CustomerRow { id: "cus".into(), email: some("a@b"), name: some("n"), deleted: true, owner: some("own") };
    let checkout = CheckoutRow {
        id: "che".into(),
        state: CheckoutState::Paid,
        mode: CheckoutMode::Payment,
        customer: some("cus"),
        owner: some("own"),
        subscription: some("sub"),
        payment: some("pay"),
        invoice: some("inv"),
    };
    let invoice = InvoiceRow {
        id: "inv".into(),
        state: InvoiceState::Paid,
        total: MAX,
        amount_paid: -MAX,
        currency: eur(),
        attempts: 3,
        finalized_at: Some(micros(1)),
        paid_at: Some(micros(2)),
        voided_at: Some(micros(3)),
        deleted: true,
        customer: some("cus"),
        owner: some("own"),
        subscription: some("sub"),
    };
    let credit =
        CreditRow { id: "cre".into(), state: CreditState::Issued, amount: MAX, currency: eur(), invoice: "inv".into() };
    let product = ProductRow { id: "pro".into(), name: some("n"), active: true, deleted: true };
    let price = PriceRow {
        id: "pri".into(),
        product: some("pro"),
        active: true,
        unit_amount: Some(MAX),
        currency: Some(eur()),
        interval: Some(IntervalUnit::Month),
        interval_count: Some(2),
        deleted: true,
    };
    let schedule = ScheduleRow { id: "sch".into(), state: ScheduleState::Active, subscription: some("sub") };
    let of = |kind, id: &str, rows| (subject(kind, id), rows);
    vec![
        of(ObjectKind::Customer, "cus", Rows { customers: vec![customer], ..Rows::default() }),
        of(ObjectKind::Checkout, "che", Rows { checkouts: vec![checkout], ..Rows::default() }),
        of(ObjectKind::Invoice, "inv", Rows { invoices: vec![invoice], credits: vec![credit], ..Rows::default() }),
        of(ObjectKind::Product, "pro", Rows { products: vec![product], ..Rows::default() }),
        of(ObjectKind::Price, "pri", Rows { prices: vec![price], ..Rows::default() }),
        of(ObjectKind::Schedule, "sch", Rows { schedules: vec![schedule], ..Rows::default() }),
        of(ObjectKind::Subscription, "sub", subscription_rows("sub", 2)),
        of(ObjectKind::Payment, "pay", payment_rows("pay")),
    ]
}

fn put(revision: i64, rows: Vec<(Subject, Rows)>) -> Commit {
    let subjects =
        rows.into_iter().map(|(subject, rows)| SubjectWrite { rows, ..write(&subject, revision, &[], true) });
    Commit { subjects: subjects.collect(), ..Commit::default() }
}

/// The rows as the tables should contain them, with the source and, if a subject has many rows, the ordinal. Booleans
/// are numbers.
fn expected(rows: &[(Subject, Rows)]) -> Map<String, Value> {
    let mut tables = Map::new();
    for (subject, rows) in rows {
        let Value::Object(fields) = serde_json::to_value(rows).unwrap() else { panic!("rows are an object") };
        for (table, rows) in fields {
            let listed = tables.entry(table.clone()).or_insert_with(|| json!([]));
            for (ordinal, mut row) in rows.as_array().unwrap().iter().cloned().enumerate() {
                let columns = row.as_object_mut().unwrap();
                for value in columns.values_mut() {
                    if let Some(flag) = value.as_bool() {
                        *value = json!(i64::from(flag));
                    }
                }
                columns.insert("source".to_owned(), json!(subject.source.expose()));
                if matches!(table.as_str(), "subscription_items" | "entitlements") {
                    columns.insert("ordinal".to_owned(), json!(ordinal));
                }
                listed.as_array_mut().unwrap().push(row);
            }
        }
    }
    tables
}

async fn dumped(store: &SqliteStore) -> Map<String, Value> {
    let tables = store.dump_read_model().await.unwrap().into_iter().filter(|(table, _)| table != "transitions");
    tables
        .map(|(table, rows)| (table, rows.iter().map(|row| serde_json::from_str::<Value>(row).unwrap()).collect()))
        .collect()
}

#[tokio::test]
async fn every_field_has_its_column() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let rows = other_rows();
    store.commit(&put(0, rows.clone())).await.unwrap();
    assert_eq!(Value::Object(dumped(&store).await), Value::Object(expected(&rows)));
    // Overwriting the rows with the same values changes nothing.
    store.commit(&put(1, rows.clone())).await.unwrap();
    assert_eq!(Value::Object(dumped(&store).await), Value::Object(expected(&rows)));
    // Each table contains at least one row, so every column was checked.
    assert!(expected(&rows).values().all(|rows| !rows.as_array().unwrap().is_empty()));
}

#[tokio::test]
async fn the_rows_of_a_written_subject_are_replaced_and_no_others() {
    let store = Sqlite::open_in_memory().await.unwrap();
    let [one, two] = ["s1", "s2"].map(|id| (subject(ObjectKind::Subscription, id), subscription_rows(id, 3)));
    let payment = (subject(ObjectKind::Payment, "pay"), payment_rows("pay"));
    store.commit(&put(0, vec![one.clone(), two.clone(), payment.clone()])).await.unwrap();
    let shorter = (one.0.clone(), subscription_rows("s1", 1));
    store.commit(&put(1, vec![shorter.clone()])).await.unwrap();
    let expect = expected(&[shorter, two.clone(), payment.clone()]);
    assert_eq!(Value::Object(dumped(&store).await), Value::Object(expect));
    // If the rows are removed, everything that depends on them is removed too.
    store.commit(&put(2, vec![(one.0, Rows::default())])).await.unwrap();
    store.commit(&put(1, vec![(payment.0, Rows::default())])).await.unwrap();
    assert_eq!(Value::Object(dumped(&store).await), Value::Object(expected(&[two])));
}

#[tokio::test]
async fn amounts_beyond_the_bounds_and_rows_of_others_are_refused() {
    let place = place();
    let store = fresh(&place).await;
    let before = everything(&place).await;
    let figures: [fn(&mut PaymentRow, i64); 5] = [
        |row, figure| row.refunded = figure,
        |row, figure| row.authorized = Some(figure),
        |row, figure| row.captured = Some(figure),
        |row, figure| row.received = Some(figure),
        |row, figure| row.disputed = figure,
    ];
    for (place, set) in figures.into_iter().enumerate() {
        for beyond in [MAX + 1, -MAX - 1, i64::MAX] {
            let mut rows = payment_rows("pay");
            set(&mut rows.payments[0], beyond);
            let refused = store.commit(&put(0, vec![(subject(ObjectKind::Payment, "pay"), rows)])).await;
            let is_refused = matches!(refused, Err(CommitError::Store(StoreError::Refused { .. })));
            assert!(is_refused, "figure {place}: {refused:?}");
        }
    }
    for owner in [subject(ObjectKind::Payment, "other"), subject(ObjectKind::Invoice, "pay")] {
        let refused = store.commit(&put(0, vec![(owner, payment_rows("pay"))])).await;
        assert!(matches!(refused, Err(CommitError::Store(StoreError::Refused { .. }))), "{refused:?}");
    }
    assert_eq!(everything(&place).await, before);
}
