//! Decides how the page about the tables reads. It is written by hand nowhere: a test compares it with the description.

use std::{fmt::Write as _, path::Path};

use purchase_core::snapshot::columns::Kind;

use crate::{
    migrate::SCHEMA_VERSION,
    tables::{TABLES, Table},
};

/// Set to write the page anew.
const WRITE: &str = "PURCHASE_WRITE_TABLES";

const HEAD: &str = "# Tables

This page is generated from the description of the read model. A test compares the two.

Every name begins with the prefix, `purchase_` by default.

* **Stable, for your own joins and reports:** the tables and columns below, and their keys. A later version adds tables, columns and
  indexes. It removes none and changes the meaning of none unless the changelog announces it first.
* **Internal, and may change in any version:** every other table (`event_conflicts`, `events`, `facts`, `fence`, `idempotency_keys`,
  `schema`, `subjects`, `pending_owners`), the functions and sequences, the names of constraints and indexes, and the order of columns. Name the columns that
  you read.
* **Read, don't write.** Rows are derived from the facts and replaced with their subject; `Engine::rebuild` writes all of them again. A
  column that a later version adds is null, zero, false or an empty text in existing rows, until these are written
  again or rebuilt.
* **Types.** A text sorts by its bytes. An integer has 64 bits. A boolean is `BOOLEAN` on PostgreSQL, and 0 or 1 on SQLite and D1. Times are
  microseconds since 1970, UTC. Amounts are minor units of their currency, at most 2^53 - 1 either way.
* **Joins.** Ids are the provider's own, and unique within a source: join by `source` and id. A row's owner is the `customers.owner` of its customer, unless the
  row names an owner itself; a payment's subscription is that of its invoice.
";

fn page() -> String {
    let mut page = format!("{HEAD}\nVersion {SCHEMA_VERSION} of the schema.\n");
    for table in TABLES {
        describe(&mut page, table);
    }
    page
}

fn describe(page: &mut String, table: &Table) {
    let name = table.name;
    let list = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    // Writing into a text can't fail.
    let _ = write!(page, "\n## `{name}`\n\n{} Key: {}.", table.about.trim(), list(table.key));
    if !table.indexes.is_empty() {
        let columns: Vec<&str> = table.indexes.iter().map(|index| index.column).collect();
        let _ = write!(page, " Also indexed by {}.", list(&columns));
    }
    page.push_str("\n\n| column | type | since | |\n|---|---|---|---|\n");
    for column in table.columns() {
        let kind = match column.kind {
            Kind::Boolean => "boolean",
            Kind::Integer => "integer",
            Kind::Text => "text",
        };
        let null = if column.optional { ", or null" } else { "" };
        let since = column.since.map(|since| since.to_string()).unwrap_or_default();
        let _ = writeln!(page, "| `{}` | {kind}{null} | {since} | {} |", column.name, column.about.trim());
    }
}

#[test]
fn the_page_says_what_is_described() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tables.md");
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&path).expect("the page can be read");
    assert_eq!(found, page, "run this test with {WRITE}=1, and review the changes");
}
