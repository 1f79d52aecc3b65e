//! Reads a body for an adapter: JSON by paths, with every value checked where it is read, and faults that name the
//! path and never the value. [`collect`] assembles the resulting facts. The meaning of the values is not known here,
//! and each adapter defines how its provider writes times and amounts.
//!
//! A [`View`] may have an overlay: the values that the object had before a change. A value in the overlay is read
//! instead of the base value, so the same code reads the state before and after the change, and nothing is copied.
//! Objects merge key by key; arrays and scalars replace, and null means that there was no value.

pub mod collect;
mod tolerant;

use std::cell::RefCell;

use serde_json::Value;

use crate::{
    id::{IdError, ProviderId},
    money::{Currency, Money},
    provider::{ReadFault, Remark},
    time::{TimeError, Timestamp},
};

/// Parses a body. If a key occurs twice in an object, the last value counts.
///
/// Text that nobody reads must not make an event unreadable, so whatever JSON allows but a [`Value`] or a database
/// can't hold is replaced. This affects only reading: signature, digest and stored body use the original bytes.
///
/// * A NUL in a text is read as U+FFFD, and so is each unpaired half of a surrogate pair.
/// * A number beyond 64-bit floats is read as a text.
/// * An array or an object nested within 127 others is read as a text.
/// * A byte order mark at the beginning is skipped.
///
/// A text with U+FFFD never becomes an id ([`View::id_from`]): after the replacement, two different ids could be
/// equal.
///
/// # Errors
/// [`ReadFault::NotUtf8`] or [`ReadFault::NotJson`], with the position where the body stops being valid for the JSON
/// parser.
pub fn parse(body: &[u8]) -> Result<Value, ReadFault> {
    let text = std::str::from_utf8(body).map_err(|error| ReadFault::NotUtf8 { at: error.valid_up_to() })?;
    let mut value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            let fault = ReadFault::NotJson { line: error.line(), column: error.column() };
            tolerant::parse(text).ok_or(fault)?
        }
    };
    // This escape is the only way to write a NUL in JSON.
    if text.contains("\\u0000") {
        replace_nul(&mut value);
    }
    Ok(value)
}

/// The recursion is bounded, because the JSON parser bounds the depth.
fn replace_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{FFFD}"),
        Value::Array(items) => items.iter_mut().for_each(replace_nul),
        Value::Object(keys) => keys.values_mut().for_each(replace_nul),
        _ => {}
    }
}

/// Remarks recorded while a body is read: optional values that can't be used.
#[derive(Debug, Default)]
pub struct Remarks(RefCell<Vec<Remark>>);

impl Remarks {
    /// Every remark in the order of reading, each place once.
    pub fn into_list(self) -> Vec<Remark> {
        self.0.into_inner()
    }

    fn add(&self, remark: Remark) {
        let mut list = self.0.borrow_mut();
        if !list.contains(&remark) {
            list.push(remark);
        }
    }
}

/// A place in a body: the value there, if any, and its path.
#[derive(Clone, Copy)]
pub struct View<'p, 'v> {
    base: Option<&'v Value>,
    /// Always an object over an object: any other overlay has already replaced the base.
    over: Option<&'v Value>,
    /// Whether the path led through a value that isn't an object; `base` is that value.
    blocked: bool,
    step: Step,
    parent: Option<&'p View<'p, 'v>>,
    remarks: Option<&'v Remarks>,
}

/// One step of the path.
#[derive(Clone, Copy)]
enum Step {
    Root,
    Keys(&'static str),
    Index(usize),
}

impl<'v> View<'_, 'v> {
    /// The largest quantity: the largest integer that every database and every JSON reader keeps exactly.
    pub const MAX_QUANTITY: u64 = (1 << 53) - 1;

    /// A whole body.
    pub fn root(body: &'v Value) -> Self {
        Self { base: Some(body), over: None, blocked: false, step: Step::Root, parent: None, remarks: None }
    }

    /// The same place, recording unusable values in `remarks` from here on.
    #[must_use]
    pub fn noting(self, remarks: &'v Remarks) -> Self {
        Self { remarks: Some(remarks), ..self }
    }

    /// The same place before the change described by `previous`. `None` if `previous` describes none.
    pub fn before(self, previous: Option<&'v Value>) -> Option<Self> {
        match previous {
            Some(Value::Object(keys)) if !keys.is_empty() && self.is_object() => Some(Self { over: previous, ..self }),
            _ => None,
        }
    }

    /// The place at the end of a path of keys separated by dots.
    pub fn at<'s>(&'s self, path: &'static str) -> View<'s, 'v> {
        if self.blocked {
            return *self;
        }
        let mut found = View { step: Step::Keys(path), parent: Some(self), ..*self };
        let mut end = 0;
        for key in path.split('.') {
            match found.base {
                Some(Value::Object(_) | Value::Null) | None => {}
                Some(_) if end == 0 => return View { blocked: true, ..*self },
                Some(_) => return View { blocked: true, step: Step::Keys(&path[..end]), ..found },
            }
            (found.base, found.over) = below(found.base, found.over, key);
            end += key.len() + usize::from(end > 0);
        }
        found
    }

    /// The elements of the required array here.
    pub fn elements<'s>(&'s self) -> Result<impl Iterator<Item = View<'s, 'v>>, ReadFault> {
        match self.value()? {
            Some(Value::Array(elements)) => Ok(elements.iter().enumerate().map(|(index, element)| View {
                base: Some(element),
                over: None,
                blocked: false,
                step: Step::Index(index),
                parent: Some(self),
                remarks: self.remarks,
            })),
            _ => Err(self.fault("array")),
        }
    }

    /// Whether a value other than null is here.
    pub fn is_there(&self) -> bool {
        !self.blocked && !matches!(self.base, None | Some(Value::Null))
    }

    /// Whether an object is here.
    pub fn is_object(&self) -> bool {
        !self.blocked && matches!(self.base, Some(Value::Object(_)))
    }

    /// Whether the object here has the key, even with null.
    pub fn has_key(&self, key: &'static str) -> bool {
        self.at(key).base.is_some()
    }

    /// A text.
    pub fn text(&self) -> Result<Option<&'v str>, ReadFault> {
        match self.value()? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault("string")),
        }
    }

    /// The required text.
    pub fn need_text(&self) -> Result<&'v str, ReadFault> {
        self.text()?.ok_or_else(|| self.fault("string"))
    }

    /// A truth value.
    pub fn flag(&self) -> Result<Option<bool>, ReadFault> {
        match self.value()? {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.fault("boolean")),
        }
    }

    /// The required truth value.
    pub fn need_flag(&self) -> Result<bool, ReadFault> {
        self.flag()?.ok_or_else(|| self.fault("boolean"))
    }

    /// A non-negative whole number.
    pub fn count(&self) -> Result<Option<u64>, ReadFault> {
        match self.value()? {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| self.fault("unsigned integer")),
        }
    }

    /// A non-negative whole number of at most 32 bits.
    pub fn small_count(&self) -> Result<Option<u32>, ReadFault> {
        let small = self.count()?.map(u32::try_from).transpose();
        small.map_err(|_| self.misfit("unsigned integer below 2^32", "an integer above that range"))
    }

    /// A whole number; `expected` describes it in a fault. A number beyond signed 64 bits becomes the largest or the
    /// smallest of them, so that it is out of every narrower range.
    pub fn whole(&self, expected: &str) -> Result<Option<i64>, ReadFault> {
        match self.value()? {
            None => Ok(None),
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.as_i64().unwrap_or(i64::MAX))),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.fault(expected)),
        }
    }

    /// A quantity: a whole number up to [`MAX_QUANTITY`](Self::MAX_QUANTITY). `None` where there is no value, as some
    /// providers write for metered usage. A number that doesn't fit is a fault, never `None`.
    pub fn quantity(&self) -> Result<Option<u64>, ReadFault> {
        let expected = "whole quantity of at most 2^53 - 1";
        match self.value()? {
            None => Ok(None),
            Some(value) => {
                let fits = value.as_u64().filter(|quantity| *quantity <= Self::MAX_QUANTITY);
                fits.map(Some).ok_or_else(|| self.fault(expected))
            }
        }
    }

    /// A time in RFC 3339.
    pub fn rfc3339(&self) -> Result<Option<Timestamp>, ReadFault> {
        self.value()?.is_some().then(|| self.need_rfc3339()).transpose()
    }

    /// The required time in RFC 3339.
    pub fn need_rfc3339(&self) -> Result<Timestamp, ReadFault> {
        let Some(Value::String(text)) = self.value()? else { return Err(self.fault("RFC 3339 time")) };
        Timestamp::parse_rfc3339(text).map_err(|error| match error {
            TimeError::NotRfc3339 { .. } => self.misfit("RFC 3339 time", "a string of another form"),
            TimeError::OutOfRange => {
                self.misfit("RFC 3339 time between the years 1684 and 2255", "a time outside that range")
            }
        })
    }

    /// A provider's id, bare or within the expanded object that it names.
    pub fn id(&self) -> Result<Option<ProviderId>, ReadFault> {
        match self.value()? {
            Some(Value::Object(_)) => self.at("id").need_bare_id().map(Some),
            Some(_) => self.need_bare_id().map(Some),
            None => Ok(None),
        }
    }

    /// The required id, bare or within an object.
    pub fn need_id(&self) -> Result<ProviderId, ReadFault> {
        self.id()?.ok_or_else(|| self.fault("id"))
    }

    fn need_bare_id(&self) -> Result<ProviderId, ReadFault> {
        match self.value()? {
            Some(Value::String(text)) => self.id_from(text, |text| ProviderId::new(text)),
            _ => Err(self.fault("id")),
        }
    }

    /// Makes an id of a text from here. A text with U+FFFD is not an id, because [`parse`] may have replaced part of
    /// it.
    pub fn id_from<T>(&self, text: &str, new: impl Fn(&str) -> Result<T, IdError>) -> Result<T, ReadFault> {
        if text.contains('\u{FFFD}') {
            return Err(self.misfit("id of valid characters", "a string with NUL, a lone surrogate or U+FFFD"));
        }
        new(text).map_err(|error| match error {
            IdError::ControlCharacter => {
                self.misfit("id without control characters", "a string with control characters")
            }
            IdError::Empty => self.misfit("id of at least 1 byte", "an empty string"),
            IdError::TooLong { bytes } => self.misfit("id of at most 255 bytes", &format!("a string of {bytes} bytes")),
        })
    }

    /// The required currency.
    pub fn need_currency(&self) -> Result<Currency, ReadFault> {
        let expected = "three-letter currency code of ISO 4217";
        let Some(Value::String(code)) = self.value()? else { return Err(self.fault(expected)) };
        Currency::new(code).map_err(|_| match code.chars().count() {
            3 => self.misfit(expected, "a string with other characters than letters"),
            length => self.misfit(expected, &format!("a string of {length} characters")),
        })
    }

    /// An amount of minor units read from here.
    pub fn money_of(&self, minor: i64, currency: Currency) -> Result<Money, ReadFault> {
        Money::new(minor, currency).map_err(|_| self.beyond("integer minor units within 2^53", "an amount", minor))
    }

    /// The fault for a value of another kind than expected.
    pub fn fault(&self, expected: &str) -> ReadFault {
        let expected = if self.blocked { "object" } else { expected };
        ReadFault::Shape { path: self.path(), expected: expected.to_owned(), found: kind(self.base).to_owned() }
    }

    /// The fault for a value of the right kind that can't be used: `found` describes how it differs, and never
    /// contains it.
    pub fn misfit(&self, expected: &str, found: &str) -> ReadFault {
        ReadFault::Shape { path: self.path(), expected: expected.to_owned(), found: found.to_owned() }
    }

    /// The fault for a number out of the expected range: above it if positive, else below it.
    pub fn beyond(&self, expected: &str, what: &str, number: i64) -> ReadFault {
        let side = if number > 0 { "above" } else { "below" };
        self.misfit(expected, &format!("{what} {side} that range"))
    }

    /// Records a fault of an optional value as a remark, and reads no value. If this view records no remarks, the
    /// fault is returned: it is never silently dropped.
    pub fn excuse<T>(&self, read: Result<Option<T>, ReadFault>) -> Result<Option<T>, ReadFault> {
        match (read, self.remarks) {
            (Err(ReadFault::Shape { path, expected, found }), Some(remarks)) => {
                remarks.add(Remark { path, expected, found });
                Ok(None)
            }
            (read, _) => read,
        }
    }

    /// The value here; null counts as none.
    pub fn value(&self) -> Result<Option<&'v Value>, ReadFault> {
        match self.base {
            Some(_) if self.blocked => Err(self.fault("object")),
            None | Some(Value::Null) => Ok(None),
            value => Ok(value),
        }
    }

    fn path(&self) -> String {
        let mut path = self.parent.map(View::path).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Keys(keys) if path.is_empty() => path.push_str(keys),
            Step::Keys(keys) => path.extend([".", keys]),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
        path
    }
}

/// The base value and the overlay under a key.
fn below<'v>(base: Option<&'v Value>, over: Option<&'v Value>, key: &str) -> (Option<&'v Value>, Option<&'v Value>) {
    let base = base.and_then(|value| value.get(key));
    match over.and_then(|value| value.get(key)) {
        None => (base, None),
        Some(over) if over.is_object() && base.is_some_and(Value::is_object) => (base, Some(over)),
        over => (over, None),
    }
}

/// No 64-bit float of this size has a fraction.
fn is_beyond_integers(number: f64) -> bool {
    number.abs() >= 9_223_372_036_854_775_808.0
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "nothing",
        Some(Value::Array(_)) => "array",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Null) => "null",
        Some(Value::Number(number)) if number.is_u64() => "integer",
        Some(Value::Number(number)) if number.is_i64() => "negative integer",
        Some(Value::Number(number)) if number.as_f64().is_some_and(is_beyond_integers) => "number beyond 64 bits",
        Some(Value::Number(_)) => "fraction",
        Some(Value::Object(_)) => "object",
        Some(Value::String(_)) => "string",
    }
}

#[cfg(test)]
mod tests;
