//! Decides how the fixtures' bodies are copied for any number of customers: each copy has its own ids, wherever an id
//! occurs.

use anyhow::{Context, ensure};
use purchase_core::delivery::Delivery;
use serde_json::Value;

use super::adapter::delivery;
use crate::scenarios;

/// The prefixes of the ids that differ in each copy. Prices and products are shared.
const OWN: &[&str] = &[
    "ch_", "cs_", "cus_", "dp_", "du_", "evt_", "il_", "in_", "inpay_", "pi_", "py_", "pyr_", "re_", "seti_", "si_",
    "sub_",
];

/// A sequence of deliveries that is copied repeatedly.
pub(super) struct Copies {
    templates: Vec<Value>,
    made: usize,
}

impl Copies {
    /// Copies of the first deliveries of the fixtures, in the provider's order.
    pub(super) fn of_first(deliveries: usize) -> anyhow::Result<Self> {
        let bodies = scenarios::bodies()?.into_iter();
        let templates = bodies.filter_map(|body| serde_json::from_slice(&body.bytes).ok()).take(deliveries).collect();
        let copies = Self { templates, made: 0 };
        ensure!(copies.templates.len() == deliveries, "the fixtures have fewer than {deliveries} deliveries");
        Ok(copies)
    }

    /// Copies of the fixtures' first delivery of a type.
    pub(super) fn of_type(event_type: &str) -> anyhow::Result<Self> {
        let events = scenarios::bodies()?.into_iter().filter_map(|body| serde_json::from_slice(&body.bytes).ok());
        let template = events.into_iter().find(|event: &Value| event["type"] == event_type);
        let template = template.with_context(|| format!("the fixtures have no {event_type}"))?;
        Ok(Self { templates: vec![template], made: 0 })
    }

    /// The bodies that are copied.
    pub(super) fn templates(&self) -> &[Value] {
        &self.templates
    }

    /// The next copy of all bodies, in order.
    pub(super) fn next(&mut self) -> anyhow::Result<Vec<Delivery>> {
        self.made += 1;
        let copy = |template: &Value| {
            let mut event = template.clone();
            rename(&mut event, OWN, self.made);
            delivery(&serde_json::to_vec(&event)?)
        };
        self.templates.iter().map(copy).collect()
    }

    /// The given number of copies, one after another.
    pub(super) fn take(&mut self, copies: usize) -> anyhow::Result<Vec<Delivery>> {
        let mut deliveries = Vec::with_capacity(copies * self.templates.len());
        for _ in 0..copies {
            deliveries.extend(self.next()?);
        }
        Ok(deliveries)
    }
}

/// Adds a number to every id with one of the prefixes, wherever the id occurs.
pub(super) fn rename(value: &mut Value, prefixes: &[&str], number: usize) {
    match value {
        Value::String(text) if prefixes.iter().any(|prefix| text.starts_with(prefix)) => {
            text.push_str(&format!("_{number}"));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, prefixes, number)),
        Value::Object(values) => values.values_mut().for_each(|value| rename(value, prefixes, number)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn copies_share_no_event_and_no_customer() -> anyhow::Result<()> {
        let mut copies = Copies::of_type("customer.created")?;
        let mut seen = BTreeSet::new();
        for delivery in copies.take(3)? {
            let event: Value = serde_json::from_slice(&delivery.body)?;
            assert!(seen.insert(event["id"].to_string()) && seen.insert(event["data"]["object"]["id"].to_string()));
        }
        assert_eq!(seen.len(), 6);
        Ok(())
    }
}
