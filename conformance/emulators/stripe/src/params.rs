//! Reads parameters strictly: a call takes those that it understands, and refuses what is left over. A left-over
//! parameter that Stripe documents isn't emulated; any other one is unknown to Stripe too.
//!
//! Which parameters Stripe documents is in `known.txt`, made from its OpenAPI document of requests, `2026-08-26.dahlia`.

use std::collections::BTreeMap;

use purchase_emulator::Call;

use crate::{fault::Fault, state::Metadata};

/// Each line is a route and its parameters, two levels deep. A star stands for everything below.
const KNOWN: &str = include_str!("known.txt");

#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Fields(BTreeMap<String, Node>),
}

/// The parameters of a call, or of one of its objects.
#[derive(Debug, Clone)]
pub(crate) struct Params {
    /// The route as `known.txt` names it.
    route: &'static str,
    /// Where these parameters stand: empty, or `line_items[0]`.
    path: String,
    fields: BTreeMap<String, Node>,
}

/// What a call does to metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MetadataChange {
    clear: bool,
    /// An empty text removes the key.
    set: Metadata,
}

/// The largest quantity and the largest amount of a price that are emulated.
pub(crate) const MOST_QUANTITY: i64 = 1_000_000;
pub(crate) const MOST_AMOUNT: i64 = 99_999_999;

/// The deepest name of a parameter. The deepest that Stripe documents has six parts.
const DEPTH: usize = 16;

impl MetadataChange {
    pub(crate) fn apply(&self, metadata: &mut Metadata) {
        if self.clear {
            metadata.clear();
        }
        for (key, value) in &self.set {
            match value.as_str() {
                "" => metadata.remove(key),
                _ => metadata.insert(key.clone(), value.clone()),
            };
        }
    }

    /// The metadata of a new object.
    pub(crate) fn new_object(&self) -> Metadata {
        let mut metadata = Metadata::new();
        self.apply(&mut metadata);
        metadata
    }
}

impl Params {
    /// The parameters of a call: those of the query, then those of the body.
    pub(crate) fn of(call: &Call<'_>, route: &'static str) -> Result<Self, Fault> {
        let content = call.header("content-type").unwrap_or("application/x-www-form-urlencoded");
        if !call.body.is_empty() && !content.starts_with("application/x-www-form-urlencoded") {
            let message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded).";
            return Err(Fault::unreadable(message));
        }
        let mut fields = BTreeMap::new();
        let body = url::form_urlencoded::parse(call.body).into_owned();
        for (name, value) in call.query.iter().cloned().chain(body) {
            insert(&mut fields, &name, value)?;
        }
        Ok(Self { route, path: String::new(), fields })
    }

    /// The full name of a field.
    pub(crate) fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}[{field}]", self.path) }
    }

    fn take(&mut self, field: &str) -> Option<Node> {
        self.fields.remove(field)
    }

    /// A text, which may be empty.
    pub(crate) fn any_text(&mut self, field: &str) -> Result<Option<String>, Fault> {
        match self.take(field) {
            None => Ok(None),
            Some(Node::Text(text)) if text.len() <= 5000 => Ok(Some(text)),
            Some(Node::Text(_)) => Err(self.wrong(field, "string: must be at most 5000 characters")),
            Some(Node::Fields(_)) => Err(self.wrong(field, "string: {}")),
        }
    }

    /// A text that isn't empty.
    pub(crate) fn text(&mut self, field: &str) -> Result<Option<String>, Fault> {
        let text = self.any_text(field)?;
        if text.as_deref() == Some("") {
            let name = self.name(field);
            let message = format!(
                "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; \
                 however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty \
                 value."
            );
            return Err(Fault::invalid(Some("parameter_invalid_empty"), &name, message));
        }
        Ok(text)
    }

    /// A text that unsets when it is empty: none when it isn't there.
    pub(crate) fn settable(&mut self, field: &str) -> Result<Option<Option<String>>, Fault> {
        Ok(self.any_text(field)?.map(|text| Some(text).filter(|text| !text.is_empty())))
    }

    pub(crate) fn need_text(&mut self, field: &str) -> Result<String, Fault> {
        self.text(field)?.ok_or_else(|| Fault::required(&self.name(field)))
    }

    pub(crate) fn int(&mut self, field: &str) -> Result<Option<i64>, Fault> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let wrong = || {
            let message = format!("Invalid integer: {text}");
            Fault::invalid(Some("parameter_invalid_integer"), &self.name(field), message)
        };
        text.parse().map(Some).map_err(|_| wrong())
    }

    /// A quantity. Amounts stay within 64 bits as long as quantities and prices are not larger than these.
    pub(crate) fn quantity(&mut self, field: &str) -> Result<Option<i64>, Fault> {
        match self.int(field)? {
            Some(quantity) if quantity > MOST_QUANTITY => {
                Err(Fault::not_emulated(format!("a quantity above {MOST_QUANTITY}")))
            }
            quantity => Ok(quantity),
        }
    }

    pub(crate) fn flag(&mut self, field: &str) -> Result<Option<bool>, Fault> {
        match self.text(field)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(self.wrong(field, &format!("boolean: {other}"))),
        }
    }

    /// One of some values. `others` are documented values that aren't emulated.
    pub(crate) fn one_of(
        &mut self,
        field: &str,
        values: &[&'static str],
        others: &[&str],
    ) -> Result<Option<&'static str>, Fault> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        if let Some(value) = values.iter().find(|value| **value == text) {
            return Ok(Some(value));
        }
        let name = self.name(field);
        if others.contains(&text.as_str()) {
            return Err(Fault::not_emulated(format!("{} with {name}={text}", self.route)));
        }
        let all: Vec<&str> = values.iter().chain(others).copied().collect();
        Err(Fault::invalid(None, &name, format!("Invalid {name}: must be one of {}", all.join(", "))))
    }

    /// Accepts a flag that changes nothing because it has its default.
    pub(crate) fn only(&mut self, field: &str, default: &'static str) -> Result<(), Fault> {
        match self.any_text(field)? {
            Some(text) if text != default => {
                Err(Fault::not_emulated(format!("{} with {}={text}", self.route, self.name(field))))
            }
            _ => Ok(()),
        }
    }

    /// An object.
    pub(crate) fn object(&mut self, field: &str) -> Result<Option<Self>, Fault> {
        let path = self.name(field);
        match self.take(field) {
            None => Ok(None),
            Some(Node::Fields(fields)) => Ok(Some(Self { route: self.route, path, fields })),
            Some(Node::Text(_)) => Err(Fault::invalid(Some("parameter_invalid"), &path, "Invalid object")),
        }
    }

    /// Whether a field is an empty text, which unsets an object. Then it is taken.
    pub(crate) fn unset(&mut self, field: &str) -> bool {
        let is_empty = matches!(self.fields.get(field), Some(Node::Text(text)) if text.is_empty());
        if is_empty {
            self.fields.remove(field);
        }
        is_empty
    }

    /// A list of objects.
    pub(crate) fn objects(&mut self, field: &str) -> Result<Vec<Self>, Fault> {
        let Some(mut list) = self.object(field)? else { return Ok(Vec::new()) };
        let mut places: Vec<String> = list.fields.keys().cloned().collect();
        places.sort_by_key(|place| place.parse::<u32>().unwrap_or(u32::MAX));
        places.iter().filter_map(|place| list.object(place).transpose()).collect()
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, field: &str) -> Result<Vec<String>, Fault> {
        let Some(mut list) = self.object(field)? else { return Ok(Vec::new()) };
        let mut places: Vec<String> = list.fields.keys().cloned().collect();
        places.sort_by_key(|place| place.parse::<u32>().unwrap_or(u32::MAX));
        places.iter().filter_map(|place| list.text(place).transpose()).collect()
    }

    pub(crate) fn metadata(&mut self) -> Result<MetadataChange, Fault> {
        if self.unset("metadata") {
            return Ok(MetadataChange { clear: true, set: Metadata::new() });
        }
        let mut change = MetadataChange::default();
        let Some(mut list) = self.object("metadata")? else { return Ok(change) };
        for key in list.fields.keys().cloned().collect::<Vec<_>>() {
            let value = list.any_text(&key)?.unwrap_or_default();
            // Documented: keys of up to 40 characters and values of up to 500.
            if key.chars().count() > 40 || value.chars().count() > 500 {
                let name = list.name(&key);
                return Err(Fault::invalid(None, &name, "Metadata keys have at most 40 characters, values 500."));
            }
            change.set.insert(key, value);
        }
        Ok(change)
    }

    /// Refuses what is left over.
    pub(crate) fn end(self) -> Result<(), Fault> {
        let Some((field, node)) = self.fields.iter().next() else { return Ok(()) };
        let mut name = self.name(field);
        let mut node = node;
        while let Node::Fields(fields) = node {
            let Some((field, inner)) = fields.iter().next() else { break };
            name = format!("{name}[{field}]");
            node = inner;
        }
        if is_documented(self.route, &name) {
            return Err(Fault::not_emulated(format!("{} with {name}", self.route)));
        }
        Err(Fault::invalid(Some("parameter_unknown"), &name, format!("Received unknown parameter: {name}")))
    }

    fn wrong(&self, field: &str, what: &str) -> Fault {
        Fault::invalid(None, &self.name(field), format!("Invalid {what}"))
    }
}

/// Whether Stripe documents a parameter of a route.
fn is_documented(route: &str, name: &str) -> bool {
    let line = KNOWN.lines().filter_map(|line| line.split_once(" = ")).find(|(known, _)| *known == route);
    let name = without_places(name);
    line.is_some_and(|(_, known)| {
        known.split(' ').any(|known| match known.strip_suffix('*') {
            Some(known) => name.starts_with(known),
            None => name == known,
        })
    })
}

/// A name whose places in lists are cut: `items[0][price]` becomes `items[][price]`.
fn without_places(name: &str) -> String {
    let mut parts = name.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        let key = part.trim_end_matches(']');
        if key.parse::<u32>().is_ok() { format!("{all}[]") } else { format!("{all}[{key}]") }
    })
}

/// Inserts `a[b][0][c]=value`. An empty place stands for the next one.
fn insert(fields: &mut BTreeMap<String, Node>, name: &str, value: String) -> Result<(), Fault> {
    let (first, rest) = name.split_once('[').map_or((name, ""), |(first, rest)| (first, rest));
    let keys: Vec<&str> = std::iter::once(first)
        .chain(rest.split('[').filter(|_| !rest.is_empty()).map(|key| key.trim_end_matches(']')))
        .collect();
    if keys.len() > DEPTH {
        return Err(Fault::unreadable("A parameter's name is nested too deep."));
    }
    let mut fields = fields;
    for (place, key) in keys.iter().enumerate() {
        let key = if key.is_empty() { fields.len().to_string() } else { (*key).to_owned() };
        if place + 1 == keys.len() {
            fields.insert(key, Node::Text(value));
            return Ok(());
        }
        match fields.entry(key).or_insert_with(|| Node::Fields(BTreeMap::new())) {
            Node::Fields(inner) => fields = inner,
            Node::Text(_) => return Err(Fault::invalid(None, name, format!("Invalid object: {name}"))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use purchase_core::transport::{HttpRequest, Method};

    use super::*;

    const ROUTE: &str = "POST /v1/checkout/sessions";

    fn left_over(body: &str) -> Result<(), Fault> {
        let mut request = HttpRequest::new(Method::Post, "/v1/checkout/sessions");
        request.body = body.as_bytes().to_vec();
        let mut params = Params::of(&Call::of(&request), ROUTE)?;
        params.text("mode")?;
        for item in params.objects("line_items")? {
            let mut item = item;
            item.text("price")?;
            item.end()?;
        }
        params.end()
    }

    #[test]
    fn what_is_left_over_is_refused_by_its_name() {
        assert_eq!(left_over("mode=payment&line_items[0][price]=a&line_items[1][price]=b"), Ok(()));
        let unknown =
            |name: &str| Fault::invalid(Some("parameter_unknown"), name, format!("Received unknown parameter: {name}"));
        assert_eq!(left_over("colour=red"), Err(unknown("colour")));
        assert_eq!(left_over("line_items[0][colour]=red"), Err(unknown("line_items[0][colour]")));
        assert_eq!(left_over("automatic_tax[colour]=red"), Err(unknown("automatic_tax[colour]")));
        let missing = |name: &str| Fault::not_emulated(format!("{ROUTE} with {name}"));
        assert_eq!(left_over("automatic_tax[enabled]=true"), Err(missing("automatic_tax[enabled]")));
        assert_eq!(
            left_over("line_items[0][price_data][currency]=eur"),
            Err(missing("line_items[0][price_data][currency]"))
        );
    }
}
