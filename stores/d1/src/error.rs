//! Translates D1's messages into store errors, by their beginnings, because their ends differ between releases of the
//! engine. This module does not know whether a message came over HTTP or through the binding.

use purchase_sql::{BatchKind, ExecuteError};

/// The maximum length of a kept message. Messages come from a server and go into logs.
const MESSAGE_CHARS: usize = 300;

/// The message of D1, or of a server in front of it.
#[derive(Debug, thiserror::Error)]
#[error("D1 says: {0}")]
struct Said(String);

/// The data exceed D1's limits for one value, row or statement.
#[derive(Debug, thiserror::Error)]
#[error(
    "D1 says: {0}; its limits are 2 MB for a value or a row, and 100 KB and 100 parameters for a statement: commit \
     fewer deliveries at once, or lower the engine's limits so that it refuses larger bodies"
)]
struct TooBig(String);

/// The meaning of a message from a database. "Unknown" means that the batch may or may not have been committed.
pub(crate) fn classify(message: &str) -> ExecuteError {
    let said = message.trim_start_matches("Error: ").trim_start_matches("D1_ERROR: ");
    let place = |rest: &str| rest.split_once(": ").map_or(rest, |(place, _)| place).to_owned();
    if let Some(rest) = said.strip_prefix("UNIQUE constraint failed: ") {
        return ExecuteError::Unique { place: place(rest) };
    }
    if let Some(rest) = said.strip_prefix("NOT NULL constraint failed: ") {
        return ExecuteError::NotNull { place: place(rest) };
    }
    let begins = |heads: &[&str]| heads.iter().any(|head| said.starts_with(head));
    let short = || said.chars().take(MESSAGE_CHARS).collect::<String>();
    let cause = || Said(short()).into();
    if begins(TOO_BIG) {
        ExecuteError::Refused { cause: TooBig(short()).into() }
    } else if begins(REFUSED) {
        ExecuteError::Refused { cause: cause() }
    } else if begins(BUSY) {
        ExecuteError::Busy { cause: cause() }
    } else if begins(FULL) {
        ExecuteError::Full { cause: cause() }
    } else if begins(&["database disk image is malformed", "file is not a database"]) {
        ExecuteError::Damaged { cause: cause() }
    } else if begins(&["attempt to write a readonly database"]) {
        ExecuteError::ReadOnly { cause: cause() }
    } else if RESET.iter().any(|part| said.contains(part)) {
        ExecuteError::Unknown { cause: cause() }
    } else if begins(STATEMENT) || said.contains("SQLITE_") {
        ExecuteError::Other { cause: cause() }
    } else {
        // The message doesn't say that a statement failed, which would have rolled back the batch.
        ExecuteError::Unknown { cause: cause() }
    }
}

const TOO_BIG: &[&str] = &["statement too long", "string or blob too big", "too many SQL variables", "variable number"];

const REFUSED: &[&str] = &[
    "CHECK constraint failed",
    "FOREIGN KEY constraint failed",
    "cannot store ",
    "datatype mismatch",
    "integer overflow",
];

const BUSY: &[&str] =
    &["D1 DB is overloaded", "Too many requests queued", "Requests queued for too long", "database is locked"];

/// An account has exceeded "D1's maximum account storage limit", or "D1's free tier daily row write limit" or "read
/// limit", after which nothing runs until midnight UTC:
/// <https://developers.cloudflare.com/changelog/post/2026-09-01-d1-free-tier-limit-enforcement/>.
const FULL: &[&str] = &["Exceeded maximum DB size", "Your account has exceeded D1's", "database or disk is full"];

/// A statement is wrong, so nothing of its batch was committed.
const STATEMENT: &[&str] = &["D1_TYPE_ERROR", "No SQL statements", "Wrong number of parameter", "near \"", "no such "];

/// The database was reset during a batch, whatever the rest of the message says.
const RESET: &[&str] = &["and was reset", "object to be reset", "reset because its code was updated"];

/// The meaning of an error for this kind of batch: a read changes nothing, so its outcome is never unknown.
pub(crate) fn of(access: BatchKind, error: ExecuteError) -> ExecuteError {
    match error {
        ExecuteError::Unknown { cause } if access == BatchKind::Read => ExecuteError::Other { cause },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expect: &str) {
        let endings: &[&str] = match message.ends_with('.') {
            true => &[""],
            false => &["", ": SQLITE_CONSTRAINT", ": SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)"],
        };
        for ending in endings {
            for head in ["", "D1_ERROR: "] {
                let found = format!("{:?}", classify(&format!("{head}{message}{ending}")));
                assert!(found.starts_with(expect), "{message}: {found}");
            }
        }
    }

    #[test]
    fn messages_are_known_by_how_they_begin() {
        check("UNIQUE constraint failed: t.a, t.b", "Unique { place: \"t.a, t.b\" }");
        check("UNIQUE constraint failed: index 'lower'", "Unique { place: \"index 'lower'\" }");
        check("NOT NULL constraint failed: fence.lease", "NotNull { place: \"fence.lease\" }");
        check("CHECK constraint failed: amount_bounds", "Refused");
        check("FOREIGN KEY constraint failed", "Refused");
        check("cannot store TEXT value in INTEGER column t.n", "Refused");
        check("string or blob too big", "Refused { cause: TooBig");
        check("statement too long", "Refused { cause: TooBig");
        check("variable number must be between ?1 and ?100 at offset 7", "Refused { cause: TooBig");
        check("D1 DB is overloaded. Requests queued for too long.", "Busy");
        check("D1 DB is overloaded. Too many requests queued.", "Busy");
        check("Exceeded maximum DB size.", "Full");
        let account = "Your account has exceeded D1's";
        let more = "please contact Cloudflare to raise your limit.";
        check(&format!("{account} maximum account storage limit, {more}"), "Full");
        let tomorrow = "Upgrade to a paid plan or wait until tomorrow (midnight UTC) to continue.";
        check(&format!("{account} free tier daily row write limit. {tomorrow}"), "Full");
        check(&format!("{account} free tier daily row read limit. {tomorrow}"), "Full");
        check("Network connection lost.", "Unknown");
        check("D1 DB storage operation exceeded timeout which caused object to be reset.", "Unknown");
        check("Internal error in D1 DB storage caused object to be reset.", "Unknown");
        check("D1 DB reset because its code was updated.", "Unknown");
        check("D1 DB exceeded its CPU time limit and was reset.", "Unknown");
        check("Something that nobody has seen before.", "Unknown");
        check("near \"selec\": syntax error at offset 0", "Other");
        check("no such table: UNIQUE constraint failed", "Other");
    }

    #[test]
    fn a_lost_read_is_no_riddle() {
        assert!(matches!(of(BatchKind::Read, classify("Network connection lost.")), ExecuteError::Other { .. }));
        assert!(matches!(of(BatchKind::Write, classify("Network connection lost.")), ExecuteError::Unknown { .. }));
        assert!(matches!(of(BatchKind::Define, classify("Network connection lost.")), ExecuteError::Unknown { .. }));
    }

    #[test]
    fn a_long_message_is_cut() {
        let long = format!("no such thing: {}", "x".repeat(5000));
        let ExecuteError::Other { cause } = classify(&long) else { panic!("the error is another variant") };
        assert_eq!(cause.to_string().len(), "D1 says: ".len() + MESSAGE_CHARS);
    }
}
