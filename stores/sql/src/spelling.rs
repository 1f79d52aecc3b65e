//! Generates shared SQL from a table's description: the definitions of its later columns, and the statements that
//! replace and print its rows. This module does not know when they run.

use purchase_core::snapshot::columns::{Column, Kind};

use crate::tables::{Index, Rule, Subjects, TABLES, Table};

/// The files under `schema/` define the columns and indexes of the versions up to this one. The definitions of later
/// versions are generated from the description.
pub(crate) const FROZEN: u32 = 5;

/// The definitions that a version of the schema adds to the tables.
pub(crate) fn brought(version: u32) -> Vec<String> {
    TABLES.iter().filter(|_| version > FROZEN).flat_map(|table| brought_to(table, version)).collect()
}

/// The newest version that adds a column or an index.
pub(crate) const fn newest() -> u32 {
    let mut newest = 0;
    let mut table = 0;
    while table < TABLES.len() {
        let Table { own, indexes, .. } = TABLES[table];
        let mut at = 0;
        while at < own.len() {
            if let Some(since) = own[at].since
                && since > newest
            {
                newest = since;
            }
            at += 1;
        }
        let mut at = 0;
        while at < indexes.len() {
            if indexes[at].since > newest {
                newest = indexes[at].since;
            }
            at += 1;
        }
        table += 1;
    }
    newest
}

fn brought_to(table: &Table, version: u32) -> impl Iterator<Item = String> {
    let columns = table.own.iter().filter(move |column| column.since == Some(version));
    let columns =
        columns.map(|column| format!("ALTER TABLE {{prefix}}{} ADD COLUMN {}", table.name, definition(table, column)));
    let indexes = table.indexes.iter().filter(move |index| index.since == version);
    columns.chain(indexes.map(|index| index_on(table, index)))
}

/// The macro for a column's type.
pub(crate) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "{boolean}",
        Kind::Integer => "{integer}",
        Kind::Text => "{text}",
    }
}

/// Defines a column that is added to existing rows. Until a rebuild replaces these rows, the column is null, zero,
/// false or an empty text.
fn definition(table: &Table, column: &Column) -> String {
    let Column { name, kind, optional, amount, .. } = *column;
    let zero = match kind {
        Kind::Boolean => "false",
        Kind::Integer => "0",
        Kind::Text => "''",
    };
    let mut text = format!("\"{name}\" {}", word(kind));
    if !optional {
        text.push_str(&format!(" NOT NULL DEFAULT {zero}"));
    }
    let check = match (kind, amount) {
        (Kind::Boolean, _) => ("bool", "IN (false, true)"),
        (Kind::Integer, true) => ("bounds", "BETWEEN -9007199254740991 AND 9007199254740991"),
        _ => return text,
    };
    let (what, holds) = check;
    text.push_str(&format!(" CONSTRAINT {}_{name}_{what} CHECK (\"{name}\" {holds})", table.name));
    text
}

fn index_on(table: &Table, index: &Index) -> String {
    let (table, column) = (table.name, index.column);
    format!(
        "CREATE INDEX {{prefix}}{table}_{column} ON {{prefix}}{table} (\"{column}\") WHERE \"{column}\" IS NOT NULL"
    )
}

/// Deletes the rows of some subjects. The parameter is an array of source, kind and id for each.
pub(crate) fn clear(table: &Table, subjects: &Subjects) -> String {
    let values = match subjects.root.len() {
        2 => "value ->> 0, value ->> 2",
        _ => "value ->> 0, value ->> 1, value ->> 2",
    };
    let (name, root) = (table.name, quoted(subjects.root.iter().copied()));
    format!("DELETE FROM {{prefix}}{name}\nWHERE ({root}) IN (SELECT {values} FROM {{rows ?1}} AS listed)")
}

/// Writes rows. Each entry has the row's source and ordinal as its key, and the row as its value.
pub(crate) fn put(table: &Table, subjects: &Subjects) -> String {
    let added = table.added.iter().enumerate().map(|(at, column)| read(column, &format!("key ->> {at}")));
    let own = table.own.iter().map(|column| read(column, &format!("value ->> '{}'", column.name)));
    let values: Vec<String> = added.chain(own).collect();
    let mut text = format!(
        "INSERT INTO {{prefix}}{} ({})\nSELECT\n  {}\nFROM {{fields ?1}} AS entry\nWHERE true",
        table.name,
        quoted(table.columns().map(|column| column.name)),
        values.join(",\n  ")
    );
    if subjects.rule == Rule::One {
        let set = |column: &Column| format!("\n  \"{0}\" = excluded.\"{0}\"", column.name);
        let set: Vec<String> = table.beside_the_key().map(set).collect();
        text.push_str(&format!("\nON CONFLICT ({}) DO UPDATE SET{}", key(table), set.join(",")));
    }
    text
}

/// Prints the rows as JSON objects, in the order of their keys.
pub(crate) fn dump(table: &Table) -> String {
    // The name is qualified because SQLite reads an unknown name in double quotes as a text.
    let pair = |column: &Column| format!("\n  '{0}', listed.\"{0}\"", column.name);
    let pairs: Vec<String> = table.columns().map(pair).collect();
    format!(
        "SELECT {{json_object}}({}\n) AS row_of\nFROM {{prefix}}{} AS listed\nORDER BY {}",
        pairs.join(","),
        table.name,
        key(table)
    )
}

fn read(column: &Column, value: &str) -> String {
    match column.kind {
        Kind::Boolean => format!("CAST({value} AS BOOLEAN)"),
        Kind::Integer => format!("CAST({value} AS BIGINT)"),
        Kind::Text => value.to_owned(),
    }
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn key(table: &Table) -> String {
    quoted(table.key.iter().copied())
}

/// Empties the tables. Tables that refer to other tables come first.
#[cfg(feature = "testing")]
pub(crate) fn empty() -> impl Iterator<Item = String> {
    TABLES.iter().rev().map(|table| format!("DELETE FROM {{prefix}}{}", table.name))
}

/// Changes every column that is in no key, and deletes the rows of tables where a subject may have many.
#[cfg(feature = "testing")]
pub(crate) fn tamper() -> impl Iterator<Item = String> {
    let spoilt = |column: &Column| {
        let name = format!("\"{}\"", column.name);
        match column.kind {
            Kind::Boolean => format!("{name} = NOT {name}"),
            Kind::Integer => format!("{name} = coalesce({name}, 0) + 1"),
            Kind::Text if column.optional => {
                format!("{name} = CASE WHEN {name} IS NULL THEN 'tampered' END")
            }
            Kind::Text => format!("{name} = 'tampered'"),
        }
    };
    TABLES.iter().rev().map(move |table| match table.of {
        Some(Subjects { rule: Rule::One, .. }) => {
            let set: Vec<String> = table.beside_the_key().map(spoilt).collect();
            format!("UPDATE {{prefix}}{} SET {}", table.name, set.join(", "))
        }
        _ => format!("DELETE FROM {{prefix}}{}", table.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{SQLITE, TablePrefix};

    #[test]
    fn a_later_column_is_defined_by_its_description() {
        let column = |name, kind, optional, amount| Column { name, kind, optional, amount, since: Some(9), about: "" };
        let own: &'static [Column] = Box::leak(Box::new([
            column("tax", Kind::Integer, true, true),
            column("tries", Kind::Integer, false, false),
            column("late", Kind::Boolean, false, false),
            column("word", Kind::Text, false, false),
        ]));
        let table = Table { own, indexes: &[Index { column: "word", since: 9 }], ..TABLES[4] };
        let said = brought_to(&table, 9).map(|text| SQLITE.render(&TablePrefix::default(), &text).to_string());
        let expect = [
            "ALTER TABLE purchase_invoices ADD COLUMN \"tax\" INTEGER CONSTRAINT invoices_tax_bounds CHECK (\"tax\" BETWEEN \
             -9007199254740991 AND 9007199254740991)",
            "ALTER TABLE purchase_invoices ADD COLUMN \"tries\" INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE purchase_invoices ADD COLUMN \"late\" INTEGER NOT NULL DEFAULT false CONSTRAINT invoices_late_bool \
             CHECK (\"late\" IN (false, true))",
            "ALTER TABLE purchase_invoices ADD COLUMN \"word\" TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX purchase_invoices_word ON purchase_invoices (\"word\") WHERE \"word\" IS NOT NULL",
        ];
        assert_eq!(said.collect::<Vec<_>>(), expect);
        assert_eq!(brought_to(&table, 8).count(), 0);
    }

    #[test]
    fn a_version_of_the_files_brings_nothing_else() {
        assert!((0..=FROZEN).all(|version| brought(version).is_empty()));
    }
}
