//! Packs many rows into few parameters: JSON texts of about one megabyte. This module does not know the tables.
//!
//! Rows with only short columns are arrays in one array. A row with one long column (a body or a document) is an entry:
//! its key is the short columns as JSON text, and its value is the long column. The database therefore unpacks each
//! long value once, however it reads the columns. The engine chooses the format of entries ([`Entries`]).

use purchase_core::error::Cause;
use serde::Serialize;

use crate::{
    dialect::{Entries, KEY_END},
    executor::Cell,
};

/// When a text reaches this length, the next row starts a new text.
const FULL_BYTES: usize = 1 << 20;

/// The format of a text of rows.
#[derive(Debug, Clone, Copy)]
enum Form {
    Array,
    Entries(Entries),
}

impl Form {
    /// The separators before the first row, between two rows, and at the end.
    fn marks(self) -> [&'static str; 3] {
        match self {
            Form::Array => ["[", ",", "]"],
            Form::Entries(Entries::Object) => ["{", ",", "}"],
            Form::Entries(Entries::Separated) => ["", "\u{1e}", ""],
        }
    }
}

/// Rows packed into texts.
#[derive(Debug)]
pub(crate) struct Bulk {
    form: Form,
    done: Vec<Cell>,
    open: Vec<u8>,
    rows: usize,
}

impl Bulk {
    /// Creates a collection for rows with only short columns.
    pub(crate) fn array() -> Self {
        Self::of(Form::Array)
    }

    /// Creates a collection for rows with one long column.
    pub(crate) fn entries(entries: Entries) -> Self {
        Self::of(Form::Entries(entries))
    }

    fn of(form: Form) -> Self {
        Self { form, done: Vec::new(), open: Vec::new(), rows: 0 }
    }

    /// Adds a row of short columns.
    pub(crate) fn row<T: Serialize>(&mut self, columns: &T) -> Result<(), Cause> {
        self.open_row();
        serde_json::to_writer(&mut self.open, columns)?;
        self.close_row()
    }

    /// Adds a row whose long column is a text.
    pub(crate) fn text<K: Serialize>(&mut self, columns: &K, long: &str) -> Result<(), Cause> {
        self.open_entry(columns)?;
        match self.form {
            Form::Entries(Entries::Separated) => self.open.extend_from_slice(long.as_bytes()),
            _ => serde_json::to_writer(&mut self.open, long)?,
        }
        self.close_row()
    }

    /// Adds a row whose long column is JSON.
    pub(crate) fn document<K: Serialize, V: Serialize>(&mut self, columns: &K, long: &V) -> Result<(), Cause> {
        self.open_entry(columns)?;
        serde_json::to_writer(&mut self.open, long)?;
        self.close_row()
    }

    /// Makes room for a row whose long column has about this many bytes. Starts a new text if the open text would
    /// otherwise become longer than an engine accepts.
    pub(crate) fn make_room(&mut self, bytes: usize) -> Result<(), Cause> {
        match self.open.len() + bytes > FULL_BYTES {
            true => self.finish(),
            false => Ok(()),
        }
    }

    /// The number of rows in the open text.
    pub(crate) fn rows_in_open(&self) -> usize {
        self.rows
    }

    /// Returns the texts, or none if there are no rows.
    pub(crate) fn into_params(mut self) -> Result<Vec<Cell>, Cause> {
        self.finish()?;
        Ok(self.done)
    }

    /// Returns all rows in one text, for statements that must see all rows together.
    pub(crate) fn one<T: Serialize>(rows: &[T]) -> Result<Cell, Cause> {
        Ok(serde_json::to_string(rows)?.into())
    }

    fn open_row(&mut self) {
        let [first, next, _] = self.form.marks();
        self.open.extend_from_slice(if self.rows == 0 { first } else { next }.as_bytes());
        self.rows += 1;
    }

    fn open_entry<K: Serialize>(&mut self, columns: &K) -> Result<(), Cause> {
        let key = serde_json::to_string(columns)?;
        self.open_row();
        match self.form {
            Form::Entries(Entries::Separated) => {
                self.open.extend_from_slice(key.as_bytes());
                self.open.push(KEY_END as u8);
            }
            _ => {
                serde_json::to_writer(&mut self.open, &key)?;
                self.open.push(b':');
            }
        }
        Ok(())
    }

    fn close_row(&mut self) -> Result<(), Cause> {
        if self.open.len() < FULL_BYTES {
            return Ok(());
        }
        self.finish()
    }

    fn finish(&mut self) -> Result<(), Cause> {
        if self.rows == 0 {
            return Ok(());
        }
        self.open.extend_from_slice(self.form.marks()[2].as_bytes());
        self.rows = 0;
        self.done.push(String::from_utf8(std::mem::take(&mut self.open))?.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bulk: Bulk) -> Vec<String> {
        bulk.into_params().expect("UTF-8").into_iter().filter_map(|cell| cell.0).collect()
    }

    #[test]
    fn rows_are_an_array_and_entries_an_object() {
        let mut bulk = Bulk::array();
        bulk.row(&("a", 1)).expect("serializes");
        bulk.row(&("b", None::<i64>)).expect("serializes");
        assert_eq!(texts(bulk), [r#"[["a",1],["b",null]]"#]);
        let entries = |entries| {
            let mut bulk = Bulk::entries(entries);
            bulk.text(&("a\"", 1), "body\"").expect("serializes");
            bulk.document(&("\u{1e}",), &[2]).expect("serializes");
            texts(bulk)
        };
        let object = r#"{"[\"a\\\"\",1]":"body\"","[\"\\u001e\"]":[2]}"#;
        assert_eq!(entries(Entries::Object), [object]);
        let separated = "[\"a\\\"\",1]\u{1f}body\"\u{1e}[\"\\u001e\"]\u{1f}[2]";
        assert_eq!(entries(Entries::Separated), [separated]);
        assert_eq!(texts(Bulk::array()), [""; 0]);
    }

    #[test]
    fn a_long_row_is_alone() {
        let mut bulk = Bulk::entries(Entries::Object);
        for (key, bytes) in [("a", 600_000), ("b", 600_000), ("c", 10)] {
            bulk.make_room(bytes).expect("UTF-8");
            bulk.text(&(bulk.rows_in_open() + 1, key), &"x".repeat(bytes)).expect("serializes");
        }
        let heads: Vec<String> = texts(bulk).iter().map(|text| text.replace('x', "")).collect();
        assert_eq!(heads, [r#"{"[1,\"a\"]":""}"#, r#"{"[1,\"b\"]":"","[2,\"c\"]":""}"#]);
    }

    #[test]
    fn a_text_that_is_full_is_closed() {
        let long = "x".repeat(FULL_BYTES);
        let mut bulk = Bulk::array();
        bulk.row(&(&long,)).expect("serializes");
        assert_eq!(bulk.rows_in_open(), 0);
        bulk.row(&("y",)).expect("serializes");
        let texts = texts(bulk);
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[1], r#"[["y"]]"#);
    }
}
