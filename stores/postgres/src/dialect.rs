//! Defines PostgreSQL's dialect of the shared SQL.

use purchase_sql::{Dialect, Entries};

/// [`Entries::Separated`] as rows, with the value cast to the given type. `OFFSET 0` keeps the planner from parsing the
/// key again for every column.
macro_rules! entries {
    ($cast:literal) => {
        concat!(
            "(SELECT split_part(row_of, E'\\x1f', 1)::jsonb AS key, split_part(row_of, E'\\x1f', 2)",
            $cast,
            " AS value FROM unnest(string_to_array(%, E'\\x1e')) AS row_of OFFSET 0)"
        )
    };
}

/// PostgreSQL's macros.
///
/// Texts sort by their bytes, as in every store. PostgreSQL has no index hints, so the connections' settings make the
/// planner prefer any index to a sequential scan.
pub(crate) const POSTGRES: Dialect = Dialect {
    name: "postgres",
    placeholder: '$',
    macros: &[
        ("boolean", "BOOLEAN"),
        ("document", "value #>> '{}'"),
        ("entries", entries!("")),
        ("fields", entries!("::jsonb")),
        ("integer", "BIGINT"),
        ("json_object", "json_build_object"),
        ("lock_free_rows", "FOR UPDATE SKIP LOCKED"),
        ("lock_rows", "FOR UPDATE"),
        ("nested", ""),
        // Gaps are allowed, because sequence numbers only define an order.
        ("next_place", "nextval(CAST('{prefix}place' AS regclass))"),
        ("rows", "jsonb_array_elements(CAST(% AS jsonb))"),
        ("strict", ""),
        ("strict_by_key", ""),
        (
            "tables",
            "(SELECT CAST(tablename AS text) AS name FROM pg_catalog.pg_tables \
             WHERE schemaname = current_schema()) AS tables",
        ),
        ("text", "TEXT COLLATE \"C\""),
        ("using", ""),
    ],
    entries: Entries::Separated,
    locks: true,
};
