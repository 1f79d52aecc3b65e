//! Reads a body that is grammatically JSON but that the parser refuses: whatever a [`Value`] can't hold is replaced
//! by something it can, so that text which nobody reads doesn't make an event unreadable. Which values are read is
//! not known here; a reader of a replacement finds a text.

use serde::de::IgnoredAny;
use serde_json::{Number, Value};

/// How deep arrays and objects may be nested. This is the parser's own limit, so that nothing is replaced that the
/// parser would accept.
pub(super) const MAX_DEPTH: usize = 127;

/// The opening and closing brackets of arrays and objects.
const OPENING: &[u8] = b"[{";
const CLOSING: &[u8] = b"]}";

/// The replacement of an array or an object nested deeper: a text in JSON.
const TOO_DEEP: &[u8] = b"\"(nested too deep)\"";

/// The replacement of an unpaired surrogate: U+FFFD, in JSON.
const REPLACED: &[u8] = br"\uFFFD";

/// Reads a body that the parser has refused. Returns `None` if it is not JSON.
///
/// * A byte order mark at the beginning is skipped.
/// * Half of a surrogate pair becomes U+FFFD, in keys as well, so that no key becomes one that is looked up.
/// * A number beyond 64-bit floats becomes a text with the same characters.
/// * An array or an object within [`MAX_DEPTH`] others becomes a text that describes it as too deep.
pub(super) fn parse(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    // When ignoring a value, the parser checks only its grammar, without recursion.
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    serde_json::from_slice(&rewrite(text.as_bytes())).ok()
}

/// Requires a text that is grammatically JSON.
fn rewrite(text: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(text.len());
    let (mut rest, mut depth) = (text, 0);
    while let Some(first) = rest.first() {
        let (token, behind) = rest.split_at(token_length(rest));
        rest = behind;
        match first {
            b'"' => write_string(token, &mut written),
            b'-' | b'0'..=b'9' => write_number(token, &mut written),
            opening if OPENING.contains(opening) && depth == MAX_DEPTH => {
                rest = &rest[nested_length(rest)..];
                written.extend(TOO_DEEP);
            }
            other => {
                depth += usize::from(OPENING.contains(other));
                depth -= usize::from(CLOSING.contains(other));
                written.extend(token);
            }
        }
    }
    written
}

/// The length in bytes of the string or the number that begins here; 1 for anything else.
fn token_length(text: &[u8]) -> usize {
    let end = match text.first() {
        Some(b'"') => string_length(text),
        Some(b'-' | b'0'..=b'9') => {
            let in_number = |byte: &u8| matches!(byte, b'+' | b'-' | b'.' | b'0'..=b'9' | b'E' | b'e');
            text.iter().position(|byte| !in_number(byte)).unwrap_or(text.len())
        }
        _ => 1,
    };
    end.min(text.len())
}

/// The length in bytes of the string that begins here, including both quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    at
}

/// The number of bytes up to and including the bracket that closes the one before them.
fn nested_length(text: &[u8]) -> usize {
    let (mut at, mut open) = (0, 1);
    while at < text.len() && open > 0 {
        open += usize::from(OPENING.contains(&text[at]));
        open -= usize::from(CLOSING.contains(&text[at]));
        at += token_length(&text[at..]);
    }
    at
}

fn write_number(token: &[u8], written: &mut Vec<u8>) {
    // Only the parser itself knows the limits of its range.
    if serde_json::from_slice::<Number>(token).is_ok() {
        written.extend(token);
    } else {
        written.push(b'"');
        written.extend(token);
        written.push(b'"');
    }
}

fn write_string(token: &[u8], written: &mut Vec<u8>) {
    let mut rest = token;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, escape) = rest.split_at(at);
        written.extend(before);
        let pair = || matches!(escape.get(6..).and_then(code_unit), Some(0xDC00..=0xDFFF));
        let (length, lone) = match code_unit(escape) {
            Some(0xD800..=0xDBFF) if pair() => (12, false),
            Some(0xD800..=0xDFFF) => (6, true),
            Some(_) => (6, false),
            None => (2, false),
        };
        let (escape, behind) = escape.split_at(length.min(escape.len()));
        written.extend(if lone { REPLACED } else { escape });
        rest = behind;
    }
    written.extend(rest);
}

/// The number in an escape of four hex digits that begins here.
fn code_unit(escape: &[u8]) -> Option<u16> {
    let digits = escape.strip_prefix(br"\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A text within that many arrays.
    fn nested(depth: usize, inner: &str) -> String {
        format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn what_a_value_cannot_hold_is_replaced_and_the_rest_is_as_it_was() {
        let check = |text: &str, expect: Option<Value>| assert_eq!(parse(text), expect, "{text}");
        check("\u{FEFF}{\"a\": 1}", Some(json!({"a": 1})));
        check("\u{FEFF}\u{FEFF}{}", None);
        check("{\u{FEFF}}", None);

        check(r#"["\ud800"]"#, Some(json!(["\u{FFFD}"])));
        check(r#"["\uDFFF"]"#, Some(json!(["\u{FFFD}"])));
        check(r#"["a\ud83dz\udc00"]"#, Some(json!(["a\u{FFFD}z\u{FFFD}"])));
        check(r#"["\ud83d\ude00\ud83d\ud83d\ude00"]"#, Some(json!(["😀\u{FFFD}😀"])));
        check(r#"["\ud800\n\\ud800\"\u00e9é"]"#, Some(json!(["\u{FFFD}\n\\ud800\"éé"])));
        check(r#"{"i\ud800d": 1, "id": 2}"#, Some(json!({"i\u{FFFD}d": 1, "id": 2})));
        check(r#"["\ud80"]"#, None);
        check(r#"["\ud800]"#, None);

        check("[1e999, -1e999, 1e-999, 12]", Some(json!(["1e999", "-1e999", 0.0, 12])));
        let digits = "9".repeat(400);
        check(&format!("{{\"a\":{digits}.5E+7}}"), Some(json!({"a": format!("{digits}.5E+7")})));
        check("1e999", Some(json!("1e999")));
        check(r#"["1e999]", 1e999]"#, Some(json!(["1e999]", "1e999"])));
        for no_number in ["01e999", "1e999e1", "-", "1.e999", "+1e999", "[1e999"] {
            check(no_number, None);
        }

        check(r#"{"a": 1e999, "a": "\ud800", "a": 2}"#, Some(json!({"a": 2})));
    }

    #[test]
    fn what_lies_deeper_than_the_parser_goes_is_replaced_and_nothing_else() {
        let inmost = |text: &str| {
            let value: Value = parse(text).expect("JSON");
            let (mut value, mut depth) = (&value, 0);
            while let Some(inner) = value.get(0) {
                (value, depth) = (inner, depth + 1);
            }
            (depth, value.clone())
        };
        assert_eq!(inmost(&nested(MAX_DEPTH, "7")), (MAX_DEPTH, json!(7)));
        assert_eq!(serde_json::from_str::<Value>(&nested(MAX_DEPTH, "7")).ok(), parse(&nested(MAX_DEPTH, "7")));
        assert!(serde_json::from_str::<Value>(&nested(MAX_DEPTH + 1, "7")).is_err());
        for inner in ["7", "{\"]\": \"[\\\"]\", \"b\": [[1e999]]}", "\"\\ud800\""] {
            let deep = nested(MAX_DEPTH + 1, inner);
            assert_eq!(inmost(&deep), (MAX_DEPTH, json!("(nested too deep)")), "{inner}");
            let beside = format!("{{\"deep\": {deep}, \"after\": [1, 2]}}");
            assert_eq!(parse(&beside).expect("JSON")["after"], json!([1, 2]));
        }
        // As deep as a body of the largest size can be: recursion would overflow the stack and abort the process.
        assert_eq!(inmost(&nested(1 << 19, "")), (MAX_DEPTH, json!("(nested too deep)")));
        // Skipped parts must be valid JSON as well.
        for broken in ["7,", "{]", "\"a\": 1", "tru", "\"\u{1}\""] {
            assert_eq!(parse(&nested(MAX_DEPTH + 1, broken)), None, "{broken}");
        }
        assert_eq!(parse(&"[".repeat(1 << 19)), None);
    }
}
