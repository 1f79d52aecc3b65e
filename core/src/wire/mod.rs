//! Decides how an adapter reads a body: JSON by paths, every value checked where it is taken, a fault named by its path
//! and never by its value; and how the facts it finds are put together ([`collect`]). It doesn't know what the values
//! mean. How a provider writes its times and amounts is the adapter's.
//!
//! A [`View`] may carry an overlay, the values that stood in the object before a change: what stands there is read
//! instead of what stands below, so that the state before the change is read by the same code as the state after it,
//! and nothing is copied. Objects merge key by key; arrays and scalars replace, and null says that nothing was there.

pub mod collect;

use serde_json::Value;

use crate::{
    id::{IdError, ProviderId},
    money::{Currency, Money},
    provider::ReadFault,
    time::Timestamp,
};

/// Parses a body. A NUL in a text, which JSON can hold and not every database, is read as U+FFFD.
///
/// # Errors
/// [`ReadFault::NotUtf8`] or [`ReadFault::NotJson`], with the place.
pub fn parse(body: &[u8]) -> Result<Value, ReadFault> {
    let text = std::str::from_utf8(body).map_err(|error| ReadFault::NotUtf8 { at: error.valid_up_to() })?;
    let parsed = serde_json::from_str(text);
    let mut value = parsed.map_err(|error| ReadFault::NotJson { line: error.line(), column: error.column() })?;
    // The only way to write one.
    if text.contains("\\u0000") {
        replace_nul(&mut value);
    }
    Ok(value)
}

/// JSON's own parser bounds the depth.
fn replace_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{FFFD}"),
        Value::Array(items) => items.iter_mut().for_each(replace_nul),
        Value::Object(keys) => keys.values_mut().for_each(replace_nul),
        _ => {}
    }
}

/// A place in a body: the value that stands there, if one does, and the way to it.
#[derive(Clone, Copy)]
pub struct View<'p, 'v> {
    base: Option<&'v Value>,
    /// Only ever an object over an object: any other overlay has already taken the base's place.
    over: Option<&'v Value>,
    /// Whether the way here led through something that is no object; `base` is that something.
    blocked: bool,
    step: Step,
    parent: Option<&'p View<'p, 'v>>,
}

/// One step of the way.
#[derive(Clone, Copy)]
enum Step {
    Root,
    Keys(&'static str),
    Index(usize),
}

impl<'v> View<'_, 'v> {
    /// The greatest quantity: the greatest integer that every database and every reader of JSON keeps exactly.
    pub const MAX_QUANTITY: u64 = (1 << 53) - 1;

    /// A whole body.
    pub fn root(body: &'v Value) -> Self {
        Self { base: Some(body), over: None, blocked: false, step: Step::Root, parent: None }
    }

    /// The same place as it was before the change that `previous` tells of. None when it tells of none.
    pub fn before(self, previous: Option<&'v Value>) -> Option<Self> {
        match previous {
            Some(Value::Object(keys)) if !keys.is_empty() && self.is_object() => Some(Self { over: previous, ..self }),
            _ => None,
        }
    }

    /// The place at the end of a path of keys with dots between them.
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

    /// The elements of the array that must be here.
    pub fn elements<'s>(&'s self) -> Result<impl Iterator<Item = View<'s, 'v>>, ReadFault> {
        match self.value()? {
            Some(Value::Array(elements)) => Ok(elements.iter().enumerate().map(|(index, element)| View {
                base: Some(element),
                over: None,
                blocked: false,
                step: Step::Index(index),
                parent: Some(self),
            })),
            _ => Err(self.fault("array")),
        }
    }

    /// Whether anything but null is here.
    pub fn is_there(&self) -> bool {
        !self.blocked && !matches!(self.base, None | Some(Value::Null))
    }

    /// Whether an object is here.
    pub fn is_object(&self) -> bool {
        !self.blocked && matches!(self.base, Some(Value::Object(_)))
    }

    /// Whether the key stands in the object here, if only with null.
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

    /// The text that must be here.
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

    /// The truth value that must be here.
    pub fn need_flag(&self) -> Result<bool, ReadFault> {
        self.flag()?.ok_or_else(|| self.fault("boolean"))
    }

    /// A number without sign or fraction.
    pub fn count(&self) -> Result<Option<u64>, ReadFault> {
        match self.value()? {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| self.fault("unsigned integer")),
        }
    }

    /// A number without sign or fraction, of 32 bits.
    pub fn small_count(&self) -> Result<Option<u32>, ReadFault> {
        self.count()?.map(u32::try_from).transpose().map_err(|_| self.fault("unsigned integer below 2^32"))
    }

    /// How many of something: a whole number up to [`MAX_QUANTITY`](Self::MAX_QUANTITY). None where nothing stands, which
    /// some providers write for metered usage; a number that doesn't fit is a fault, never none.
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

    /// The time in RFC 3339 that must be here.
    pub fn need_rfc3339(&self) -> Result<Timestamp, ReadFault> {
        let text = self.value()?.and_then(Value::as_str);
        text.and_then(|text| Timestamp::parse_rfc3339(text).ok()).ok_or_else(|| self.fault("RFC 3339 time"))
    }

    /// A provider's id, bare or within the expanded object that it names.
    pub fn id(&self) -> Result<Option<ProviderId>, ReadFault> {
        match self.value()? {
            Some(Value::Object(_)) => self.at("id").need_bare_id().map(Some),
            Some(_) => self.need_bare_id().map(Some),
            None => Ok(None),
        }
    }

    /// The id that must be here, bare or within an object.
    pub fn need_id(&self) -> Result<ProviderId, ReadFault> {
        self.id()?.ok_or_else(|| self.fault("id"))
    }

    fn need_bare_id(&self) -> Result<ProviderId, ReadFault> {
        match self.value()? {
            Some(Value::String(text)) => self.id_from(text, |text| ProviderId::new(text)),
            _ => Err(self.fault("id")),
        }
    }

    /// Makes an id of a text from here.
    pub fn id_from<T>(&self, text: &str, new: impl Fn(&str) -> Result<T, IdError>) -> Result<T, ReadFault> {
        new(text).map_err(|error| match error {
            IdError::Empty | IdError::ControlCharacter => self.fault("id without control characters"),
            IdError::TooLong { .. } => self.fault("id of at most 255 bytes"),
        })
    }

    /// The currency that must be here.
    pub fn need_currency(&self) -> Result<Currency, ReadFault> {
        let code = self.value()?.and_then(Value::as_str);
        code.and_then(|code| Currency::new(code).ok()).ok_or_else(|| self.fault("three-letter currency"))
    }

    /// An amount of minor units read from here.
    pub fn money_of(&self, minor: i64, currency: Currency) -> Result<Money, ReadFault> {
        Money::new(minor, currency).map_err(|_| self.fault("integer minor units within 2^53"))
    }

    /// That something else than expected is here.
    pub fn fault(&self, expected: &str) -> ReadFault {
        let expected = if self.blocked { "object" } else { expected };
        ReadFault::Shape { path: self.path(), expected: expected.to_owned(), found: kind(self.base).to_owned() }
    }

    /// The value here; null is none.
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

/// What stands under a key, and what lies over it.
fn below<'v>(base: Option<&'v Value>, over: Option<&'v Value>, key: &str) -> (Option<&'v Value>, Option<&'v Value>) {
    let base = base.and_then(|value| value.get(key));
    match over.and_then(|value| value.get(key)) {
        None => (base, None),
        Some(over) if over.is_object() && base.is_some_and(Value::is_object) => (base, Some(over)),
        over => (over, None),
    }
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "nothing",
        Some(Value::Array(_)) => "array",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Null) => "null",
        Some(Value::Number(number)) if number.is_f64() => "fraction",
        Some(Value::Number(_)) => "integer",
        Some(Value::Object(_)) => "object",
        Some(Value::String(_)) => "string",
    }
}

#[cfg(test)]
mod tests;
