//! Decides which rows of the read model a commit replaces. It does not know what the rows say.
//!
//! A table either has one row per subject, under the subject's own id, or lists what belongs to one. So a row is
//! always found by its subject, and needs no further key.

use purchase_core::{error::Cause, id::ObjectKind, snapshot::rows::Rows, store::SubjectWrite};
use serde::Serialize;

use crate::{
    bulk::Bulk,
    catalogue::Query,
    commit::{Batch, subject_columns},
};

/// The tables that are derived from the facts, with the statement that prints each; transitions are derived as well.
pub(crate) const DUMPS: &[(&str, Query)] = &[
    ("customers", Query::CustomersDump),
    ("checkouts", Query::CheckoutsDump),
    ("subscriptions", Query::SubscriptionsDump),
    ("subscription_items", Query::SubscriptionItemsDump),
    ("invoices", Query::InvoicesDump),
    ("payments", Query::PaymentsDump),
    ("refunds", Query::RefundsDump),
    ("disputes", Query::DisputesDump),
    ("credits", Query::CreditsDump),
    ("products", Query::ProductsDump),
    ("prices", Query::PricesDump),
    ("schedules", Query::SchedulesDump),
    ("entitlements", Query::EntitlementsDump),
    ("transitions", Query::TransitionsDump),
];

/// How many rows a subject can have in a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Any number: they are taken away and written anew.
    Many,
    /// At most one: it is written over.
    One,
}

/// Adds the statements that replace the subjects' rows. Tables that others point at come first.
pub(crate) fn write(batch: &mut Batch<'_>, subjects: &[SubjectWrite]) -> Result<(), Cause> {
    use ObjectKind::{Checkout, Customer, Invoice, Payment, Price, Product, Schedule, Subscription};
    use Query as Q;
    use Rule::{Many, One};
    let mut table = Table { batch, subjects };
    table.replace(&[Customer], One, [Q::CustomersClear, Q::CustomersPut], |it| &it.customers, |row| &row.id)?;
    table.replace(&[Checkout], One, [Q::CheckoutsClear, Q::CheckoutsPut], |it| &it.checkouts, |row| &row.id)?;
    let queries = [Q::SubscriptionsClear, Q::SubscriptionsPut];
    table.replace(&[Subscription], One, queries, |it| &it.subscriptions, |row| &row.id)?;
    let queries = [Q::SubscriptionItemsClear, Q::SubscriptionItemsPut];
    table.replace(&[Subscription], Many, queries, |it| &it.subscription_items, |row| &row.subscription)?;
    table.replace(&[Invoice], One, [Q::InvoicesClear, Q::InvoicesPut], |it| &it.invoices, |row| &row.id)?;
    table.replace(&[Payment], One, [Q::PaymentsClear, Q::PaymentsPut], |it| &it.payments, |row| &row.id)?;
    table.replace(&[Payment], Many, [Q::RefundsClear, Q::RefundsPut], |it| &it.refunds, |row| &row.payment)?;
    table.replace(&[Payment], Many, [Q::DisputesClear, Q::DisputesPut], |it| &it.disputes, |row| &row.payment)?;
    table.replace(&[Invoice], Many, [Q::CreditsClear, Q::CreditsPut], |it| &it.credits, |row| &row.invoice)?;
    table.replace(&[Product], One, [Q::ProductsClear, Q::ProductsPut], |it| &it.products, |row| &row.id)?;
    table.replace(&[Price], One, [Q::PricesClear, Q::PricesPut], |it| &it.prices, |row| &row.id)?;
    table.replace(&[Schedule], One, [Q::SchedulesClear, Q::SchedulesPut], |it| &it.schedules, |row| &row.id)?;
    let queries = [Q::EntitlementsClear, Q::EntitlementsPut];
    table.replace(
        &[Checkout, Invoice, Subscription, Payment],
        Many,
        queries,
        |it| &it.entitlements,
        |row| &row.source_id,
    )
}

struct Table<'a, 'b> {
    batch: &'a mut Batch<'b>,
    subjects: &'a [SubjectWrite],
}

impl Table<'_, '_> {
    fn replace<R: Serialize>(
        &mut self,
        kinds: &[ObjectKind],
        rule: Rule,
        [clear, put]: [Query; 2],
        pick: impl Fn(&Rows) -> &Vec<R>,
        root_of: impl Fn(&R) -> &String,
    ) -> Result<(), Cause> {
        let mut cleared = Bulk::array();
        let mut rows = self.batch.entries();
        for write in self.subjects {
            let picked = pick(&write.rows);
            let (source, kind, id) = subject_columns(&write.subject);
            let belongs = kinds.contains(&write.subject.root.kind);
            // Such a row would never be found again.
            if !picked.iter().all(|row| belongs && root_of(row) == id) {
                return Err(format!("a row of another subject under {}", write.subject.public_id()).into());
            }
            // A subject that is new has no rows.
            if belongs && write.expected_revision > 0 && (rule == Rule::Many || picked.is_empty()) {
                cleared.row(&(&source, kind, id))?;
            }
            for (ordinal, row) in picked.iter().enumerate() {
                rows.document(&(&source, ordinal), row)?;
            }
        }
        self.batch.push_bulk(clear, cleared, &[])?;
        self.batch.push_bulk(put, rows, &[])?;
        Ok(())
    }
}
