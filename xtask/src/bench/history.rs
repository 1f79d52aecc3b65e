//! Measures the cost of a delivery for a customer with a long history. The floor is the same customer with ten facts:
//! earlier facts are already folded, so a new delivery should cost the same.

use std::{path::Path, time::Instant};

use anyhow::{Context, bail};
use purchase_core::{delivery::Delivery, engine::Engine};
use purchase_sqlite::Durability;
use serde_json::{Value, json};

use super::{
    BenchArgs, Row, Times,
    adapter::delivery,
    copies::rename,
    ingest::{engine, ingest},
};
use crate::scenarios;

const EARLIER_FACTS: [usize; 3] = [10, 1_000, 10_000];
const DELIVERIES_PER_ROUND: usize = 20;
/// The prefixes of the ids of invoices, their lines and their payments.
const OF_INVOICES: &[&str] = &["ch_", "il_", "in_", "inpay_", "pi_", "py_"];

pub(super) async fn rows(args: &BenchArgs, scratch: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (what, event_type, fresh_objects) in [
        ("one subscription's updates", "customer.subscription.updated", false),
        ("facts over many invoices", "invoice.paid", true),
    ] {
        let mut next = Series::new(event_type, fresh_objects)?;
        let mut engines = Vec::new();
        for earlier in EARLIER_FACTS {
            let file = scratch.join(format!("history-{event_type}-{earlier}.sqlite"));
            // Waiting for the disk takes the same time whatever the history, and would hide the cost of the history.
            let engine = engine(&file, Durability::ProcessCrash).await?;
            preload(&engine, &mut next, earlier).await?;
            engines.push((engine, Times::default()));
        }
        for _ in 0..args.rounds {
            for (engine, times) in &mut engines {
                let deliveries = next.take(DELIVERIES_PER_ROUND)?;
                let begin = Instant::now();
                ingest(engine, deliveries, 1).await?;
                times.push(begin);
            }
        }
        let [(_, floor), longer @ ..] = engines.as_slice() else { bail!("no history was measured") };
        for (earlier, (_, ours)) in EARLIER_FACTS[1..].iter().zip(longer) {
            let name = format!("after {earlier} earlier facts, {what}");
            rows.push(Row::new(name, 2.0, "the same after 10 earlier facts", DELIVERIES_PER_ROUND, ours, floor));
        }
    }
    Ok(rows)
}

async fn preload(engine: &Engine, next: &mut Series, earlier: usize) -> anyhow::Result<()> {
    let mut facts = 0;
    while facts < earlier {
        let some = (earlier - facts).min(200);
        for answer in engine.handle_many(next.take(some)?).await? {
            facts += answer?.facts;
        }
    }
    Ok(())
}

/// Events of one type about one customer, each one second after the previous one.
struct Series {
    template: Value,
    fresh_objects: bool,
    made: usize,
}

impl Series {
    /// Events like the first one of their type in the fixtures. Each event is about a new object.
    fn new(event_type: &str, fresh_objects: bool) -> anyhow::Result<Self> {
        for body in scenarios::bodies()? {
            let template: Value = serde_json::from_slice(&body.bytes)?;
            if template["type"] == event_type && template["data"]["object"]["status"] != "canceled" {
                return Ok(Self { template, fresh_objects, made: 0 });
            }
        }
        bail!("the fixtures have no {event_type}")
    }

    fn take(&mut self, deliveries: usize) -> anyhow::Result<Vec<Delivery>> {
        (0..deliveries).map(|_| self.next()).collect()
    }

    fn next(&mut self) -> anyhow::Result<Delivery> {
        self.made += 1;
        let mut event = self.template.clone();
        let created = event["created"].as_i64().context("the event has no time")?;
        event["id"] = json!(format!("evt_of_series_{}", self.made));
        event["created"] = json!(created + i64::try_from(self.made)?);
        event["data"]["object"]["metadata"]["turn"] = json!(self.made.to_string());
        event["data"]["previous_attributes"] = json!({ "metadata": { "turn": (self.made - 1).to_string() } });
        if self.fresh_objects {
            rename(&mut event["data"]["object"], OF_INVOICES, self.made);
        }
        delivery(&serde_json::to_vec(&event)?)
    }
}
