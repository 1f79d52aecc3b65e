//! Describes the read model's tables: keys, indexes, references between tables, and how a subject's rows are found and
//! written. The row types describe their own columns, where they are defined.

use purchase_core::{
    error::Cause,
    id::ObjectKind::{self, Checkout, Customer, Invoice, Payment, Price, Product, Schedule, Subscription},
    snapshot::{
        columns::{Column, Kind},
        rows::{
            CheckoutRow, CreditRow, CustomerRow, DisputeRow, EntitlementRow, InvoiceRow, PaymentRow, PriceRow,
            ProductRow, RefundRow, Row, Rows, ScheduleRow, SubscriptionItemRow, SubscriptionRow,
        },
    },
};

use crate::bulk::Bulk;

/// A table of the read model.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    /// Its name, without the prefix.
    pub(crate) name: &'static str,
    /// What a row is, for the page about the tables.
    #[cfg(test)]
    pub(crate) about: &'static str,
    /// The columns that a store adds to a row: the subject's source, and the row's ordinal among the subject's rows.
    pub(crate) added: &'static [Column],
    /// The row's own columns.
    pub(crate) own: &'static [Column],
    /// The primary key.
    pub(crate) key: &'static [&'static str],
    /// The indexed columns. An index contains only rows where the column has a value.
    pub(crate) indexes: &'static [Index],
    /// The subjects that have rows here, and how their rows are found and written. None for a table that isn't written
    /// by subject.
    pub(crate) of: Option<Subjects>,
    /// The names of its statements.
    pub(crate) statements: [&'static str; 3],
}

/// An index on one column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Index {
    pub(crate) column: &'static str,
    /// The schema version that added it.
    pub(crate) since: u32,
}

/// The subjects that have rows in a table.
#[derive(Clone, Copy)]
pub(crate) struct Subjects {
    pub(crate) kinds: &'static [ObjectKind],
    /// The columns that identify a row's subject: its source, its kind if several kinds have rows, and its id.
    pub(crate) root: &'static [&'static str],
    pub(crate) rule: Rule,
    /// The id of the subject that each row belongs to.
    pub(crate) roots: fn(&Rows) -> Vec<&str>,
    /// Adds the rows, with their source and ordinals.
    pub(crate) write: fn(&Rows, &str, &mut Bulk) -> Result<(), Cause>,
}

/// How many rows a subject can have in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Any number: the rows are deleted and inserted again.
    Many,
    /// At most one: the row is overwritten.
    One,
}

const fn column(name: &'static str, kind: Kind, about: &'static str) -> Column {
    Column { name, kind, optional: false, amount: false, since: None, about }
}

const SOURCE: Column = column("source", Kind::Text, " Where it lives: `provider/account/mode`.");
const ORDINAL: Column = column("ordinal", Kind::Integer, " Its place among the rows of its subject, from 0 on.");

/// What happened to an object, and when.
const TRANSITION: &[Column] = &[
    column("object", Kind::Text, " The object's public id, as receipts show it."),
    column("at", Kind::Integer, " When."),
    column("change", Kind::Text, " What."),
];

macro_rules! table {
    (
        $row:ty, $name:literal, $rule:ident of [$($kind:ident),+] by $root:ident $(with $root_kind:ident)?,
        $added:expr, key [$($key:literal),+] $(, index $index:literal)*
    ) => {
        Table {
            name: <$row as Row>::TABLE,
            #[cfg(test)]
            about: <$row as Row>::ABOUT,
            added: $added,
            own: <$row as Row>::COLUMNS,
            key: &["source", $($key),+],
            indexes: &[$(Index { column: $index, since: 1 }),*],
            of: Some(Subjects {
                kinds: &[$($kind),+],
                root: &["source", $(stringify!($root_kind),)? stringify!($root)],
                rule: Rule::$rule,
                roots: |rows| <$row as Row>::of(rows).iter().map(|row| row.$root.as_ref()).collect(),
                write: |rows, source, texts| {
                    let mut placed = <$row as Row>::of(rows).iter().enumerate();
                    placed.try_for_each(|(ordinal, row)| texts.document(&(source, ordinal), row))
                },
            }),
            statements: [concat!($name, "_clear"), concat!($name, "_put"), concat!($name, "_dump")],
        }
    };
    ($row:ty, $name:literal, one $kind:ident $(, index $index:literal)*) => {
        table!($row, $name, One of [$kind] by id, &[SOURCE], key ["id"] $(, index $index)*)
    };
}

/// Every table. Tables that other tables refer to come first.
#[rustfmt::skip]
pub(crate) const TABLES: &[Table] = &[
    table!(CustomerRow, "customers", one Customer, index "owner"),
    table!(CheckoutRow, "checkouts", one Checkout, index "customer"),
    table!(SubscriptionRow, "subscriptions", one Subscription, index "customer"),
    table!(
        SubscriptionItemRow, "subscription_items", Many of [Subscription] by subscription,
        &[SOURCE, ORDINAL], key ["subscription", "ordinal"]
    ),
    table!(InvoiceRow, "invoices", one Invoice, index "customer"),
    table!(PaymentRow, "payments", one Payment, index "customer"),
    table!(RefundRow, "refunds", Many of [Payment] by payment, &[SOURCE], key ["payment", "id"]),
    table!(DisputeRow, "disputes", Many of [Payment] by payment, &[SOURCE], key ["payment", "id"]),
    table!(CreditRow, "credits", Many of [Invoice] by invoice, &[SOURCE], key ["invoice", "id"]),
    table!(ProductRow, "products", one Product),
    table!(PriceRow, "prices", one Price),
    table!(ScheduleRow, "schedules", one Schedule),
    table!(
        EntitlementRow, "entitlements", Many of [Checkout, Invoice, Subscription, Payment] by origin_id with origin_kind,
        &[SOURCE, ORDINAL], key ["origin_kind", "origin_id", "ordinal"], index "customer", index "owner"
    ),
    Table {
        name: "transitions",
        #[cfg(test)]
        about: " What happened to an object, and when.",
        added: &[],
        own: TRANSITION,
        key: &["object", "at", "change"],
        indexes: &[],
        of: None,
        statements: ["transitions_clear", "transitions_put", "transitions_dump"],
    },
];

impl Table {
    /// Every column.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.added.iter().chain(self.own)
    }

    /// The columns that are not in the key.
    pub(crate) fn beside_the_key(&self) -> impl Iterator<Item = &Column> {
        self.columns().filter(|column| !self.key.contains(&column.name))
    }
}
