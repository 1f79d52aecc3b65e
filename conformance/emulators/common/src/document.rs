//! Judges bodies by a provider's official OpenAPI document. Documented objects are closed: a field that the document
//! doesn't have is a fault, even though the document itself would let it pass.
//!
//! Documents of OpenAPI 3.0 are read as well: their `nullable` becomes the type `null`.

use std::{collections::BTreeMap, path::Path, sync::Mutex};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// The mark of a copy of a schema that leaves its object open, because a schema that includes it closes the whole.
const OPEN: &str = "::open";

/// An official document.
pub struct Document {
    closed: Value,
    source: Value,
    compiled: Mutex<BTreeMap<String, Validator>>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// When the file can't be read, or is no JSON.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read(path).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
        let source =
            serde_json::from_slice(&text).map_err(|error| format!("{} is no JSON: {error}", path.display()))?;
        Ok(Self::of(source))
    }

    /// A document that was read already.
    pub fn of(source: Value) -> Self {
        let mut schemas = Map::new();
        for (name, schema) in source["components"]["schemas"].as_object().into_iter().flatten() {
            schemas.insert(name.clone(), closed(schema, true));
            schemas.insert(format!("{name}{OPEN}"), closed(schema, false));
        }
        let closed = json!({ "components": { "schemas": schemas } });
        Self { closed, source, compiled: Mutex::default() }
    }

    /// What is wrong with an answer to a call. The path is the document's, with its braces.
    pub fn response(&self, method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
        let answers = &self.source["paths"][path][method.to_lowercase()]["responses"];
        let status = status.to_string();
        let Some(found) = answers.get(&status).or_else(|| answers.get("default")) else {
            return vec![format!("the document has no answer {status} to {method} {path}")];
        };
        let answer = self.resolved(found);
        match answer["content"]["application/json"].get("schema") {
            None => vec![format!("the document's answer {status} to {method} {path} has no body in JSON")],
            Some(schema) => self.judge(&format!("{method} {path} {status}"), schema, body),
        }
    }

    /// What is wrong with the body of a webhook, where the document describes webhooks.
    pub fn webhook(&self, event_type: &str, body: &Value) -> Vec<String> {
        let request = &self.source["webhooks"][event_type]["post"]["requestBody"];
        match self.resolved(request)["content"]["application/json"].get("schema") {
            None => vec![format!("the document has no webhook {event_type}")],
            Some(schema) => self.judge(event_type, schema, body),
        }
    }

    /// What is wrong with an object, by the name of its schema.
    pub fn object(&self, name: &str, body: &Value) -> Vec<String> {
        if self.source["components"]["schemas"].get(name).is_none() {
            return vec![format!("the document has no schema {name}")];
        }
        self.judge(name, &json!({ "$ref": format!("#/components/schemas/{name}") }), body)
    }

    fn judge(&self, name: &str, schema: &Value, body: &Value) -> Vec<String> {
        let mut compiled = self.compiled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !compiled.contains_key(name) {
            let mut root = closed(schema, true);
            root["components"] = self.closed["components"].clone();
            match jsonschema::options().with_draft(Draft::Draft202012).build(&root) {
                Ok(validator) => compiled.insert(name.to_owned(), validator),
                Err(error) => return vec![format!("the schema of {name} can't be used: {error}")],
            };
        }
        let faults = compiled[name].iter_errors(body);
        faults.map(|fault| format!("{name} at {}: {fault}", fault.instance_path())).collect()
    }

    /// Follows one reference.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let place = value["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
        place.and_then(|place| self.source.pointer(place)).unwrap_or(value)
    }
}

/// A schema whose objects are closed. Of a schema that is part of another one, only the objects inside are closed.
fn closed(schema: &Value, close: bool) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
        let open = if close || target.ends_with(OPEN) { "" } else { OPEN };
        return nullable(fields, json!({ "$ref": format!("{target}{open}") }));
    }
    let has_fields = fields.contains_key("properties");
    // Fields that stand beside a composition, and those inside it, together make one object.
    let is_composed = has_fields || fields.contains_key("allOf");
    let mut all = Map::new();
    for (word, value) in fields {
        let value = match (word.as_str(), value) {
            ("properties" | "patternProperties", Value::Object(inner)) => {
                inner.iter().map(|(name, schema)| (name.clone(), closed(schema, true))).collect()
            }
            ("allOf", Value::Array(parts)) => parts.iter().map(|part| closed(part, false)).collect(),
            ("oneOf" | "anyOf", Value::Array(parts)) => {
                parts.iter().map(|part| closed(part, close && !is_composed)).collect()
            }
            ("items" | "additionalProperties" | "not", schema) => closed(schema, true),
            ("enum" | "const", value) => value.clone(),
            // What only describes, and what this module turns into something else.
            ("title" | "description" | "example" | "examples" | "nullable" | "discriminator", _) => continue,
            (word, _) if word.starts_with("x-") => continue,
            (_, value) => value.clone(),
        };
        all.insert(word.clone(), value);
    }
    if close && is_composed && !fields.contains_key("additionalProperties") {
        all.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
    }
    nullable(fields, Value::Object(all))
}

fn nullable(fields: &Map<String, Value>, schema: Value) -> Value {
    match fields.get("nullable") {
        Some(Value::Bool(true)) => json!({ "anyOf": [schema, { "type": "null" }] }),
        _ => schema,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document::of(json!({
            "paths": { "/pets/{id}": { "get": { "responses": { "200": { "content": { "application/json": {
                "schema": { "properties": { "data": { "$ref": "#/components/schemas/pet" } }, "required": ["data"] },
            } } } } } } },
            "webhooks": { "pet.born": { "post": { "requestBody": { "content": { "application/json": {
                "schema": { "allOf": [
                    { "$ref": "#/components/schemas/event" },
                    { "properties": { "data": { "$ref": "#/components/schemas/pet" } } },
                ] },
            } } } } } },
            "components": { "schemas": {
                "event": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] },
                "pet": {
                    "type": "object",
                    "properties": {
                        "name": { "type": "string", "nullable": true },
                        "owner": { "anyOf": [{ "type": "string" }, { "$ref": "#/components/schemas/person" }] },
                        "metadata": { "type": "object", "additionalProperties": { "type": "string" } },
                    },
                    "required": ["name"],
                },
                "person": { "type": "object", "properties": { "pets": {
                    "type": "array", "items": { "$ref": "#/components/schemas/pet" },
                } } },
            } },
        }))
    }

    #[test]
    fn documented_bodies_pass() {
        let pet = json!({ "name": null, "owner": { "pets": [{ "name": "b" }] }, "metadata": { "any": "thing" } });
        assert_eq!(document().object("pet", &pet), [""; 0]);
        assert_eq!(document().response("GET", "/pets/{id}", 200, &json!({ "data": pet })), [""; 0]);
        assert_eq!(document().webhook("pet.born", &json!({ "id": "evt_1", "data": pet })), [""; 0]);
        assert_eq!(document().object("event", &json!({ "id": "evt_1" })), [""; 0]);
    }

    #[test]
    fn an_undocumented_field_fails_at_every_depth() {
        let document = document();
        let planted = [
            document.object("pet", &json!({ "name": "a", "age": 3 })),
            document.object("event", &json!({ "id": "evt_1", "age": 3 })),
            document.object("pet", &json!({ "name": "a", "owner": { "pets": [{ "name": "b", "age": 3 }] } })),
            document.response("GET", "/pets/{id}", 200, &json!({ "data": { "name": "a" }, "age": 3 })),
            document.webhook("pet.born", &json!({ "id": "evt_1", "data": { "name": "a" }, "age": 3 })),
            document.webhook("pet.born", &json!({ "id": "evt_1", "data": { "name": "a", "age": 3 } })),
        ];
        for (place, faults) in planted.iter().enumerate() {
            assert!(!faults.is_empty(), "case {place}");
        }
        assert!(planted[0][0].contains("age"), "{:?}", planted[0]);
    }

    #[test]
    fn what_is_missing_or_unknown_fails() {
        let document = document();
        assert!(document.object("pet", &json!({})).iter().any(|fault| fault.contains("name")));
        assert_eq!(document.object("cat", &json!({})), ["the document has no schema cat"]);
        assert_eq!(document.webhook("pet.sold", &json!({})), ["the document has no webhook pet.sold"]);
        let unknown = document.response("GET", "/pets/{id}", 404, &json!({}));
        assert_eq!(unknown, ["the document has no answer 404 to GET /pets/{id}"]);
    }
}
